/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What comes with the host works without a step: the first time one of its plugins is seen, it is
 * granted what its manifest requests, written down like any other grant and taken back like any
 * other. What was asked for then is remembered. A later version that requests more waits for an
 * administrator; so does from the beginning whatever does not come with the host, and what is
 * risky. */
#include "grants-private.h"

#include <string.h>

#include "base/ids.h"
#include "base/times.h"

#include "directory.h"

#define REEVE_GRANTS_DEFAULTS_REASON "comes with this host, and requests it"

/* What sends records on has no business anywhere but where its settings say. */
static JsonObject *
reeve_grants_defaults_make_parameters (ReeveManifest *manifest, const char *capability)
{
  static const char *const none[] = { NULL };
  JsonObject *parameters = json_object_new ();

  if (strcmp (capability, "net.http") == 0
      && reeve_manifest_get_kinds (manifest) == REEVE_KIND_SINK)
    reeve_directory_set_strings (parameters, "origins", none);
  return parameters;
}

static void
reeve_grants_defaults_add (ReeveBatch *batch, ReeveManifest *manifest, const char *capability,
                           const char *user_id)
{
  const ReeveGrantCatalogueRow *row = reeve_grant_catalogue_find (capability);
  g_autofree char *grant_id = reeve_ids_new ("gnt");
  g_autoptr (JsonObject) fields = NULL;

  if (row == NULL || row->kind != REEVE_GRANT_ASKED || row->risk != NULL)
    return;
  fields = json_object_new ();
  json_object_set_string_member (fields, "plugin_id", reeve_manifest_get_id (manifest));
  json_object_set_string_member (fields, "capability", capability);
  json_object_set_object_member (fields, "parameters",
                                 reeve_grants_defaults_make_parameters (manifest, capability));
  json_object_set_string_member (fields, "source", REEVE_GRANTS_SOURCE_DEFAULT);
  json_object_set_string_member (fields, "reason", REEVE_GRANTS_DEFAULTS_REASON);
  json_object_set_int_member (fields, "created_at", reeve_times_now ());
  json_object_set_string_member (fields, "created_by", user_id);
  reeve_batch_put (batch, REEVE_STORE_GRANTS, grant_id, fields, REEVE_REVISION_ABSENT);
}

static void
reeve_grants_defaults_add_plugin (ReeveBatch *batch, ReeveManifest *manifest, const char *user_id)
{
  const char *const *names = reeve_manifest_get_capabilities (manifest);
  g_autoptr (JsonObject) consent = json_object_new ();

  json_object_set_string_member (consent, "version", reeve_manifest_get_version (manifest));
  reeve_directory_set_strings (consent, "capabilities", names);
  json_object_set_int_member (consent, "created_at", reeve_times_now ());
  reeve_batch_put (batch, REEVE_STORE_GRANT_CONSENTS, reeve_manifest_get_id (manifest), consent,
                   REEVE_REVISION_ABSENT);
  for (guint i = 0; names[i] != NULL; i++)
    reeve_grants_defaults_add (batch, manifest, names[i], user_id);
}

/* (transfer full) (nullable): ids of the plugins that were seen before */
static GHashTable *
reeve_grants_defaults_read_seen (ReeveGrants *self, GError **error)
{
  g_autoptr (GPtrArray) records = reeve_directory_read_all (
      self->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_GRANT_CONSENTS, NULL, NULL, error);
  GHashTable *seen = NULL;

  if (records == NULL)
    return NULL;
  seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < records->len; i++)
    g_hash_table_add (seen, g_strdup (reeve_record_get_id (records->pdata[i])));
  return seen;
}

/* (transfer full) (nullable): what is to be written down; empty where every plugin was seen */
static ReeveBatch *
reeve_grants_defaults_make_batch (ReeveGrants *self, const char *user_id, GError **error)
{
  g_autoptr (GPtrArray) entries = reeve_registry_list (self->registry);
  g_autoptr (GHashTable) seen = reeve_grants_defaults_read_seen (self, error);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);

  if (seen == NULL)
    return NULL;
  for (guint i = 0; i < entries->len; i++)
    {
      ReeveRegistryEntry *entry = g_ptr_array_index (entries, i);

      if (entry->first_party && entry->manifest != NULL
          && *reeve_manifest_get_capabilities (entry->manifest) != NULL
          && g_hash_table_add (seen, g_strdup (entry->id)))
        reeve_grants_defaults_add_plugin (batch, entry->manifest, user_id);
    }
  return g_steal_pointer (&batch);
}

/**
 * reeve_grants_lack_defaults:
 * @self: grants
 * @lack: (out): whether a plugin that comes with this host is seen for the first time
 * @error: return location
 *
 * Returns: %FALSE with an error of the store
 */
gboolean
reeve_grants_lack_defaults (ReeveGrants *self, gboolean *lack, GError **error)
{
  g_autoptr (ReeveBatch) batch = reeve_grants_defaults_make_batch (self, "", error);

  *lack = batch != NULL && reeve_batch_get_length (batch) > 0;
  return batch != NULL;
}

/**
 * reeve_grants_settle_defaults:
 * @self: grants, loaded
 * @admitted: the host's right to `plugins.grant`
 * @error: return location
 *
 * Grants the plugins that come with this host what they request, each the first time it is seen.
 *
 * Returns: %FALSE with an error of the store
 */
gboolean
reeve_grants_settle_defaults (ReeveGrants *self, ReeveAdmitted *admitted, GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  g_autoptr (ReeveBatch) batch
      = reeve_grants_defaults_make_batch (self, reeve_caller_get_user_id (caller), error);

  return batch != NULL
         && reeve_grants_commit (self, admitted, "plugins.grant", NULL, NULL, batch, error);
}
