/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How often a test of the suite `hold` does what it does: it runs in CI at one size and in
 * `tests/run --suite long` at another. */
#pragma once

#include <glib.h>

static inline guint
test_size (guint ci, guint many)
{
  return g_strcmp0 (g_getenv ("REEVE_TEST_SIZE"), "long") == 0 ? many : ci;
}
