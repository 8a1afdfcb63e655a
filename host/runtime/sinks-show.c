/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How sinks stand: for who reads the ledger, for doctor and for health. */
#include "sinks-private.h"

#include "base/times.h"

/* How long the oldest record that is not there has been waiting, in seconds. Blocks. */
static gint64
reeve_sinks_get_age (ReeveSinksItem *item, const char *scope, guint64 delivered)
{
  g_autoptr (JsonObject) record
      = reeve_ledger_get (item->sinks->ledger, scope, delivered + 1, NULL);
  gint64 time = 0;

  if (record == NULL
      || !reeve_times_parse (reeve_json_get_string (record, "time", ""), &time, NULL))
    return 0;
  return MAX (reeve_times_now () - time, 0) / G_USEC_PER_SEC;
}

static JsonObject *
reeve_sinks_describe (ReeveSinksItem *item, const char *scope)
{
  ReeveSinkPosition *position = reeve_sinks_find_position (item, scope);
  guint64 size = reeve_ledger_get_size (item->sinks->ledger, scope);
  gint64 now = g_get_monotonic_time ();
  JsonObject *shown = json_object_new ();
  guint64 delivered = 0;
  g_autoptr (GError) off = NULL;
  gboolean on = reeve_registry_check (item->sinks->registry, item->plugin_id, &off);

  g_mutex_lock (&item->sinks->mutex);
  delivered = MIN (position->delivered, size);
  json_object_set_string_member (shown, "id", item->id);
  json_object_set_string_member (shown, "plugin", item->plugin_id);
  json_object_set_string_member (shown, "state",
                                 !on                      ? "disabled"
                                 : position->failures > 0 ? "failing"
                                 : delivered >= size      ? "up_to_date"
                                                          : "delivering");
  json_object_set_int_member (shown, "delivered", (gint64) delivered);
  json_object_set_int_member (shown, "size", (gint64) size);
  json_object_set_int_member (shown, "lag", (gint64) (size - delivered));
  json_object_set_int_member (shown, "skipped", (gint64) position->skipped);
  json_object_set_int_member (shown, "failures", position->failures);
  if (position->failures > 0)
    json_object_set_int_member (shown, "next_try_seconds",
                                (MAX (position->next_try - now, 0) + G_USEC_PER_SEC - 1)
                                    / G_USEC_PER_SEC);
  if (off != NULL)
    json_object_set_string_member (shown, "last_error", off->message);
  else if (position->last_error != NULL)
    json_object_set_string_member (shown, "last_error", position->last_error);
  g_mutex_unlock (&item->sinks->mutex);
  json_object_set_int_member (shown, "lag_seconds",
                              delivered < size ? reeve_sinks_get_age (item, scope, delivered) : 0);
  return shown;
}

/**
 * reeve_sinks_show:
 * @self: sinks
 * @scope: whose log
 *
 * Blocks.
 *
 * Returns: (transfer full) (element-type JsonObject): {id, plugin, state, delivered, size, lag,
 * lag_seconds, skipped, failures, next_try_seconds?, last_error?} of each sink that gets that log
 */
JsonArray *
reeve_sinks_show (ReeveSinks *self, const char *scope)
{
  JsonArray *shown = json_array_new ();

  for (guint i = 0; i < self->items->len; i++)
    {
      ReeveSinksItem *item = g_ptr_array_index (self->items, i);

      if (item->tenants == NULL || g_strv_contains ((const char *const *) item->tenants, scope))
        json_array_add_object_element (shown, reeve_sinks_describe (item, scope));
    }
  return shown;
}

/* under the mutex */
static gboolean
reeve_sinks_is_failing (ReeveSinksItem *item)
{
  GHashTableIter iter;
  gpointer position = NULL;

  g_hash_table_iter_init (&iter, item->positions);
  while (g_hash_table_iter_next (&iter, NULL, &position))
    if (((ReeveSinkPosition *) position)->announced)
      return TRUE;
  return FALSE;
}

/**
 * reeve_sinks_get_health:
 * @self: sinks
 *
 * Any thread; does not block.
 *
 * Returns: (nullable): `delivering`; `failing` while one takes nothing of some log, three tries in
 * a row; %NULL when there are none
 */
const char *
reeve_sinks_get_health (ReeveSinks *self)
{
  gboolean failing = FALSE;

  if (self->items->len == 0)
    return NULL;
  g_mutex_lock (&self->mutex);
  for (guint i = 0; i < self->items->len && !failing; i++)
    failing = reeve_sinks_is_failing (g_ptr_array_index (self->items, i));
  g_mutex_unlock (&self->mutex);
  return failing ? "failing" : "delivering";
}
