# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tests/run does once the packages are there: builds, runs every suite, counts single cases."""
