# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes everything that follows from the table of operations."""
