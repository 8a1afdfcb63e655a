/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads counters. */
#include "store-counters.h"

/**
 * reeve_store_counters_get:
 * @store: a store
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @counter: name of the counter
 * @value: (out): its value
 * @error: return location
 *
 * Worker threads only.
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND for an unknown scope, or an error of the storage
 */
gboolean
reeve_store_counters_get (ReeveStore *store, const char *scope, const char *counter, gint64 *value,
                          GError **error)
{
  if (reeve_storage_get_counter (reeve_store_get_storage (store), scope, counter, value, error))
    return TRUE;
  g_prefix_error (error, "reading counter %s: ", counter);
  return FALSE;
}
