/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What usage and costs share. What cannot be found out is hidden. */
#include "usage-sight.h"

#include <string.h>

#include "base/times.h"
#include "governance/csv.h"

gboolean
reeve_usage_sight_open (ReeveUsageSight *self, ReeveCall *call, ReeveServices *services,
                        GError **error)
{
  g_auto (GStrv) seen = NULL;

  *self = (ReeveUsageSight){ .call = call, .services = services };
  self->bound = reeve_caller_get_workspace_id (reeve_call_get_caller (call));
  seen = reeve_workspaces_list_seen (services->workspaces, reeve_call_get_caller (call), NULL,
                                     error);
  return seen != NULL
         && reeve_workspaces_is_all_seen (services->workspaces, reeve_call_get_tenant_id (call),
                                          (const char *const *) seen, &self->all, error);
}

void
reeve_usage_sight_close (ReeveUsageSight *self)
{
  g_clear_pointer (&self->known, g_hash_table_unref);
}

gboolean
reeve_usage_sight_sees_thing (ReeveUsageSight *self, const char *collection, const char *id)
{
  g_autofree char *key = g_strconcat (collection, "/", id, NULL);
  gint known = 0;
  gboolean exists = FALSE;

  if (self->all && self->bound == NULL)
    return TRUE;
  if (self->known == NULL)
    self->known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  known = GPOINTER_TO_INT (g_hash_table_lookup (self->known, key));
  if (known != 0)
    return known == 2;
  if (!reeve_workspaces_exists (self->services->workspaces, reeve_call_get_caller (self->call),
                                collection, id, FALSE, &exists, NULL))
    exists = FALSE;
  g_hash_table_insert (self->known, g_steal_pointer (&key), GINT_TO_POINTER (exists ? 2 : 1));
  return exists;
}

gboolean
reeve_usage_sight_sees (const char *id, gpointer user_data)
{
  ReeveUsageSight *self = user_data;

  return self->collection == NULL || reeve_usage_sight_sees_thing (self, self->collection, id);
}

const char *
reeve_usage_sight_collection (ReeveUsageSeries series)
{
  if (series == REEVE_USAGE_BY_AGENT)
    return REEVE_STORE_AGENTS;
  return series == REEVE_USAGE_BY_WORKSPACE ? REEVE_STORE_WORKSPACES : NULL;
}

static gboolean
reeve_usage_sight_read_time (ReeveCall *call, const char *member, gint64 *time, GError **error)
{
  const char *text = reeve_call_get_string (call, member);

  *time = 0;
  if (text == NULL || reeve_times_parse (text, time, error))
    return TRUE;
  reeve_error_prefix_member (error, "/%s", member);
  return FALSE;
}

gboolean
reeve_usage_sight_read_times (ReeveCall *call, gint64 *begin, gint64 *end, GError **error)
{
  if (!reeve_usage_sight_read_time (call, "start", begin, error)
      || !reeve_usage_sight_read_time (call, "end", end, error))
    return FALSE;
  if (*end == 0 || *begin < *end)
    return TRUE;
  reeve_error_set_member (error, "/end", "is not behind the start");
  return FALSE;
}

void
reeve_usage_sight_answer (ReeveCall *call, JsonObject *shown, char *(*print) (JsonObject *),
                          GError *error)
{
  g_autoptr (GBytes) bytes = NULL;
  char *text = NULL;

  if (shown == NULL || g_strcmp0 (reeve_call_get_string (call, "format"), "csv") != 0)
    {
      reeve_call_answer (call, shown, error);
      return;
    }
  text = print (shown);
  json_object_unref (shown);
  bytes = g_bytes_new_take (text, strlen (text));
  reeve_call_complete_bytes (call, 0, REEVE_CSV_MEDIA_TYPE, bytes);
}
