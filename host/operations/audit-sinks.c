/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of `audit.sinks` to sinks. */
#include "audit-sinks.h"

/* (transfer full) reason; FALSE */
static gboolean
reeve_audit_sinks_blame (ReeveServices *services, guint row, const char *member, GError *reason,
                         GError **error)
{
  g_autofree char *path = g_strdup_printf ("audit.sinks.%u.%s", row, member);
  g_autofree char *text = reeve_config_blame (services->config, path, reason->message);

  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, text);
  g_error_free (reason);
  return FALSE;
}

/**
 * reeve_audit_sinks_open:
 * @services: with plugins, ledger and gate
 * @folder: where sinks keep how far they are
 * @error: return location
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_audit_sinks_open (ReeveServices *services, const char *folder, GError **error)
{
  JsonNode *node = reeve_config_get_json (services->config, "audit.sinks");
  JsonArray *rows
      = node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  services->sinks
      = reeve_sinks_new (services->registry, services->ledger, services->admission, folder);
  for (guint i = 0; rows != NULL && i < json_array_get_length (rows); i++)
    {
      JsonObject *row = json_array_get_object_element (rows, i);
      const char *member = NULL;
      GError *reason = NULL;

      if (reeve_json_get_boolean (row, "enabled", TRUE)
          && !reeve_sinks_add (services->sinks, row, &member, &reason))
        return reeve_audit_sinks_blame (services, i, member, reason, error);
    }
  return TRUE;
}

void
reeve_audit_sinks_close (ReeveSinks *sinks)
{
  reeve_sinks_stop (sinks);
  g_object_unref (sinks);
}
