/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader of summed up usage, as it lies in a store, and that of files of prices. What is taken
 * as a table is a table: written and read again it says the same. */
/* covers: host/governance/usage-table.c host/governance/price-list.c host/base/json-place.c */
#include "governance/price-list.h"
#include "governance/usage-table.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
compare (const ReeveUsageRow *row, gpointer user_data)
{
  const ReeveUsageRow *other
      = reeve_usage_table_find (user_data, row->value, row->model, row->currency);

  g_assert_nonnull (other);
  g_assert_cmpmem (row->n, sizeof row->n, other->n, sizeof other->n);
}

static void
read_table (GBytes *bytes)
{
  g_autoptr (ReeveUsageTable) table = reeve_usage_table_new ();
  g_autoptr (ReeveUsageTable) again = reeve_usage_table_new ();
  g_autoptr (GBytes) written = NULL;
  g_autoptr (GError) error = NULL;

  if (!reeve_usage_table_read (table, bytes, NULL, &error))
    {
      g_assert_nonnull (error);
      return;
    }
  written = reeve_usage_table_write (table);
  g_assert_true (reeve_usage_table_read (again, written, NULL, &error));
  g_assert_cmpuint (reeve_usage_table_get_size (table), ==, reeve_usage_table_get_size (again));
  reeve_usage_table_foreach (table, compare, again);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (ReevePriceList) list = NULL;
  g_autoptr (GError) error = NULL;

  read_table (bytes);
  list = reeve_price_list_parse ((const char *) data, size, &error);
  g_assert_true ((list == NULL) == (error != NULL));
  return 0;
}
