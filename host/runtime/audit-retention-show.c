/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What retention has done, and what holds records: for who reads the ledger, and for doctor. */
#include "audit-retention-private.h"

#include "base/times.h"

static void
reeve_audit_retention_describe (const ReeveAuditRetentionLook *look, JsonObject *shown)
{
  if (look->dropped > 0)
    json_object_set_int_member (shown, "dropped", (gint64) look->dropped);
  if (look->ended)
    json_object_set_boolean_member (shown, "ended", TRUE);
  if (look->waits_for != NULL)
    json_object_set_string_member (shown, "waits_for", look->waits_for);
  if (look->error != NULL)
    json_object_set_string_member (shown, "last_error", look->error);
}

static void
reeve_audit_retention_set_time (JsonObject *shown, gint64 time)
{
  g_autofree char *text = time > 0 ? reeve_times_format (time) : NULL;

  if (text != NULL)
    json_object_set_string_member (shown, "looked_at", text);
}

/**
 * reeve_audit_retention_show:
 * @self: who keeps records
 * @scope: whose log
 * @error: return location
 *
 * Blocks.
 *
 * Returns: (transfer full): {tenant_log, first, size, days, rule, looked_at?, dropped?, waits_for?,
 * last_error?}; %NULL with an error of the store
 */
JsonObject *
reeve_audit_retention_show (ReeveAuditRetention *self, const char *scope, GError **error)
{
  g_auto (ReeveAuditRetentionRule) rule = { 0 };
  const ReeveAuditRetentionLook *look = NULL;
  JsonObject *shown = NULL;

  if (!reeve_audit_retention_find_rule (self, scope, &rule, error))
    return NULL;
  shown = json_object_new ();
  json_object_set_string_member (shown, "tenant_log", scope);
  json_object_set_int_member (shown, "first",
                              (gint64) reeve_ledger_get_base (self->ledger, scope) + 1);
  json_object_set_int_member (shown, "size", (gint64) reeve_ledger_get_size (self->ledger, scope));
  json_object_set_int_member (shown, "days", rule.days);
  json_object_set_string_member (shown, "rule", rule.text);
  g_mutex_lock (&self->mutex);
  look = g_hash_table_lookup (self->looks, scope);
  reeve_audit_retention_set_time (shown, self->looked_at);
  if (look != NULL)
    reeve_audit_retention_describe (look, shown);
  g_mutex_unlock (&self->mutex);
  return shown;
}

/* (transfer full): logs of which there is something to say */
static JsonArray *
reeve_audit_retention_list (ReeveAuditRetention *self)
{
  JsonArray *items = json_array_new ();
  GHashTableIter iter;
  gpointer scope = NULL;
  gpointer value = NULL;

  g_hash_table_iter_init (&iter, self->looks);
  while (g_hash_table_iter_next (&iter, &scope, &value))
    {
      const ReeveAuditRetentionLook *look = value;
      JsonObject *item = NULL;

      if (look->dropped == 0 && !look->ended && look->waits_for == NULL && look->error == NULL)
        continue;
      item = json_object_new ();
      json_object_set_string_member (item, "tenant_log", scope);
      reeve_audit_retention_describe (look, item);
      json_array_add_object_element (items, item);
    }
  return items;
}

/**
 * reeve_audit_retention_apply:
 * @self: who keeps records
 * @admitted: the right to `audit.apply_retention`
 * @error: return location
 *
 * As reeve_audit_retention_run(). Each dropping is admitted by itself besides.
 *
 * Returns: (transfer full): {looked_at, items}: what there is to say of logs; %NULL with
 * %REEVE_ERROR_BUSY
 */
JsonObject *
reeve_audit_retention_apply (ReeveAuditRetention *self, ReeveAdmitted *admitted, GError **error)
{
  JsonObject *shown = NULL;

  reeve_admitted_consume (admitted, REEVE_AUDIT_RETENTION_OPERATION);
  if (!reeve_audit_retention_run (self, error))
    return NULL;
  shown = json_object_new ();
  g_mutex_lock (&self->mutex);
  reeve_audit_retention_set_time (shown, self->looked_at);
  json_object_set_array_member (shown, "items", reeve_audit_retention_list (self));
  g_mutex_unlock (&self->mutex);
  return shown;
}

/**
 * reeve_audit_retention_count:
 * @self: who keeps records
 * @tally: (out caller-allocates): what the last look came to
 */
void
reeve_audit_retention_count (ReeveAuditRetention *self, ReeveAuditRetentionTally *tally)
{
  g_autoptr (GString) text = g_string_new (NULL);
  GHashTableIter iter;
  gpointer scope = NULL;
  gpointer value = NULL;

  *tally = (ReeveAuditRetentionTally){ 0 };
  g_mutex_lock (&self->mutex);
  tally->looked_at = self->looked_at;
  tally->ahead = self->ahead;
  g_hash_table_iter_init (&iter, self->looks);
  while (g_hash_table_iter_next (&iter, &scope, &value))
    {
      const ReeveAuditRetentionLook *look = value;

      tally->failed += look->error != NULL;
      tally->held += look->waits_for != NULL;
      if (look->error != NULL)
        g_string_append_printf (text, "%s%s", text->len > 0 ? "; " : "", look->error);
      else if (look->waits_for != NULL)
        g_string_append_printf (text, "%sold records of the log of %s wait for %s",
                                text->len > 0 ? "; " : "", (const char *) scope,
                                g_str_equal (look->waits_for, "sink") ? "a sink that lacks them"
                                                                      : "an outcome");
    }
  g_mutex_unlock (&self->mutex);
  if (text->len > 0)
    tally->text = g_string_free (g_steal_pointer (&text), FALSE);
}

void
reeve_audit_retention_tally_clear (ReeveAuditRetentionTally *self)
{
  g_clear_pointer (&self->text, g_free);
}
