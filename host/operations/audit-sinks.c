/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of `audit.sinks` to sinks, rows of `audit.witnesses` to witnesses. */
#include "audit-sinks.h"

/* (transfer full) reason; FALSE */
static gboolean
reeve_audit_sinks_blame (ReeveServices *services, const char *list, guint row, const char *member,
                         GError *reason, GError **error)
{
  g_autofree char *path = g_strdup_printf ("audit.%s.%u.%s", list, row, member);
  g_autofree char *text = reeve_config_blame (services->config, path, reason->message);

  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, text);
  g_error_free (reason);
  return FALSE;
}

/* (nullable) */
static JsonArray *
reeve_audit_sinks_get_rows (ReeveServices *services, const char *path)
{
  JsonNode *node = reeve_config_get_json (services->config, path);

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

/* How long records are kept, and who holds them. */
static void
reeve_audit_sinks_open_retention (ReeveServices *services)
{
  g_auto (GStrv) frameworks = reeve_config_get_strv (services->config, "compliance.frameworks");
  const ReeveAuditRetentionSetup setup
      = { .ledger = services->ledger,
          .tenants = services->tenants,
          .sinks = services->sinks,
          .admission = services->admission,
          .days = reeve_config_get_int (services->config, "audit.retention_days"),
          .frameworks = (const char *const *) frameworks };

  services->audit_retention = reeve_audit_retention_new (&setup);
}

/**
 * reeve_audit_sinks_open:
 * @services: with plugins, ledger, tenants and gate
 * @folder: where sinks keep how far they are
 * @error: return location
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_audit_sinks_open (ReeveServices *services, const char *folder, GError **error)
{
  JsonArray *rows = reeve_audit_sinks_get_rows (services, "audit.sinks");

  services->sinks
      = reeve_sinks_new (services->registry, services->ledger, services->admission, folder);
  for (guint i = 0; rows != NULL && i < json_array_get_length (rows); i++)
    {
      JsonObject *row = json_array_get_object_element (rows, i);
      const char *member = NULL;
      GError *reason = NULL;

      if (reeve_json_get_boolean (row, "enabled", TRUE)
          && !reeve_sinks_add (services->sinks, row, &member, &reason))
        return reeve_audit_sinks_blame (services, "sinks", i, member, reason, error);
    }
  reeve_audit_sinks_open_retention (services);
  return TRUE;
}

void
reeve_audit_sinks_close (ReeveSinks *sinks)
{
  reeve_sinks_stop (sinks);
  g_object_unref (sinks);
}

/**
 * reeve_audit_sinks_open_witnesses:
 * @services: with ledger, gate and models
 * @error: return location
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_audit_sinks_open_witnesses (ReeveServices *services, GError **error)
{
  JsonArray *rows = reeve_audit_sinks_get_rows (services, "audit.witnesses");
  const ReeveWitnessesSetup setup
      = { .ledger = services->ledger,
          .admission = services->admission,
          .trust = reeve_models_get_trust (services->models),
          .quorum = (guint) reeve_config_get_int (services->config, "audit.witness_quorum") };
  guint count = 0;

  services->witnesses = reeve_witnesses_new (&setup);
  for (guint i = 0; rows != NULL && i < json_array_get_length (rows); i++)
    {
      JsonObject *row = json_array_get_object_element (rows, i);
      const char *member = NULL;
      GError *reason = NULL;

      if (!reeve_json_get_boolean (row, "enabled", TRUE))
        continue;
      if (!reeve_witnesses_add (services->witnesses, row, &member, &reason))
        return reeve_audit_sinks_blame (services, "witnesses", i, member, reason, error);
      count++;
    }
  if (setup.quorum <= count)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
               "audit.witness_quorum: is %u, of %u witnesses", setup.quorum, count);
  return FALSE;
}

void
reeve_audit_sinks_close_witnesses (ReeveWitnesses *witnesses)
{
  reeve_witnesses_stop (witnesses);
  g_object_unref (witnesses);
}
