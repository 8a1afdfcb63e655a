# SPDX-License-Identifier: LGPL-2.1-or-later
"""The house rules that tests/layers holds the source to."""
