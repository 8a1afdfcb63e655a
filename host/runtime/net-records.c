/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hour begins with a record and is not prolonged by what follows: a sink that sends all day has
 * one record an hour for each place, and one that has nothing to send has none. Its own record is
 * sent within that hour, and so makes no other. */
#include "net-records.h"

#include <reeve-plugin-1.h>

struct _ReeveNetRecords
{
  ReeveAdmission *admission;
  GMutex mutex;
  GHashTable *sinks; /* id -> what -> gint64: when it was recorded; under the mutex */
};

/**
 * reeve_net_records_new:
 * @admission: the gate, while anybody connects
 *
 * Returns: (transfer full): nothing is recorded as yet
 */
ReeveNetRecords *
reeve_net_records_new (ReeveAdmission *admission)
{
  ReeveNetRecords *self = g_new0 (ReeveNetRecords, 1);

  self->admission = admission;
  self->sinks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                       (GDestroyNotify) g_hash_table_unref);
  g_mutex_init (&self->mutex);
  return self;
}

/**
 * reeve_net_records_free:
 * @self: (transfer full): what no provider uses any more
 */
void
reeve_net_records_free (ReeveNetRecords *self)
{
  g_hash_table_unref (self->sinks);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

ReeveAdmission *
reeve_net_records_get_admission (ReeveNetRecords *self)
{
  return self->admission;
}

static gboolean
reeve_net_records_is_over (gpointer what, gpointer value, gpointer now)
{
  return *(const gint64 *) now - *(const gint64 *) value >= REEVE_NET_RECORDS_SPAN_US;
}

gboolean
reeve_net_records_check (ReeveNetRecords *self, const char *sink, const char *what, gint64 now,
                         gboolean *due, GError **error)
{
  GHashTable *places = NULL;
  gboolean full = FALSE;

  *due = TRUE;
  g_mutex_lock (&self->mutex);
  places = g_hash_table_lookup (self->sinks, sink);
  if (places != NULL)
    {
      g_hash_table_foreach_remove (places, reeve_net_records_is_over, &now);
      *due = !g_hash_table_contains (places, what);
      full = *due && g_hash_table_size (places) >= REEVE_NET_RECORDS_PLACES;
    }
  g_mutex_unlock (&self->mutex);
  if (!full)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_RATE_LIMITED,
               "%s has connected to %d places in an hour, and connects to no other", sink,
               REEVE_NET_RECORDS_PLACES);
  return FALSE;
}

void
reeve_net_records_note (ReeveNetRecords *self, const char *sink, const char *what, gint64 now)
{
  gint64 *when = g_new (gint64, 1);
  GHashTable *places = NULL;

  *when = now;
  g_mutex_lock (&self->mutex);
  places = g_hash_table_lookup (self->sinks, sink);
  if (places == NULL)
    {
      places = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
      g_hash_table_insert (self->sinks, g_strdup (sink), places);
    }
  g_hash_table_replace (places, g_strdup (what), when);
  g_mutex_unlock (&self->mutex);
}
