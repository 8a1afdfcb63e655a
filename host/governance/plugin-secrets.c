/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A record for each slot, plugin and tenant. Each use reads it: what was taken out is out. */
#include "plugin-secrets.h"

#include <string.h>

#include "base/http-fields.h"
#include "base/times.h"

#include "directory.h"
#include "grant-parameters.h"
#include "tenants.h"

/* members that are shown and recorded */
static const char *const reeve_plugin_secrets_public[]
    = { "plugin_id",     "slot",      "tenant_id",   "scheme",    "header", "prefix",
        "username",      "client_id", "client_auth", "token_url", "scope",  "audience",
        "access_key_id", "region",    "service",     "origins",   "purpose" };
/* members that are neither */
static const char *const reeve_plugin_secrets_secret[] = { "value", "session_token" };

static const struct
{
  const char *name;
  const char *needs[4]; /* besides value */
} reeve_plugin_secrets_schemes[] = {
  { "bearer", { NULL } },
  { "header", { "header", NULL } },
  { "basic", { "username", NULL } },
  { "webhook", { NULL } },
  { "oauth2", { "client_id", "token_url", NULL } },
  { "aws-sigv4", { "access_key_id", "region", "service", NULL } },
};

struct _ReevePluginSecrets
{
  GObject parent_instance;

  ReeveStore *store;
  ReeveRegistry *registry;
};

G_DEFINE_FINAL_TYPE (ReevePluginSecrets, reeve_plugin_secrets, G_TYPE_OBJECT)

static void
reeve_plugin_secrets_finalize (GObject *object)
{
  ReevePluginSecrets *self = REEVE_PLUGIN_SECRETS (object);

  g_clear_object (&self->store);
  g_clear_pointer (&self->registry, reeve_registry_unref);
  G_OBJECT_CLASS (reeve_plugin_secrets_parent_class)->finalize (object);
}

static void
reeve_plugin_secrets_class_init (ReevePluginSecretsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_plugin_secrets_finalize;
}

static void
reeve_plugin_secrets_init (ReevePluginSecrets *self)
{
}

/**
 * reeve_plugin_secrets_new:
 * @store: where they are
 * @registry: the plugins, scanned
 *
 * Returns: (transfer full): the secrets
 */
ReevePluginSecrets *
reeve_plugin_secrets_new (ReeveStore *store, ReeveRegistry *registry)
{
  ReevePluginSecrets *self = g_object_new (REEVE_TYPE_PLUGIN_SECRETS, NULL);

  self->store = g_object_ref (store);
  self->registry = reeve_registry_ref (registry);
  return self;
}

/* Names of plugins, slots and tenants have no slash. */
static char *
reeve_plugin_secrets_make_id (const char *plugin_id, const char *slot, const char *tenant_id)
{
  return g_strconcat (plugin_id, "/", slot, "/", tenant_id != NULL ? tenant_id : "", NULL);
}

static gboolean
reeve_plugin_secrets_check_plugin (ReevePluginSecrets *self, const char *plugin_id, GError **error)
{
  g_autoptr (ReeveRegistryEntry) entry = reeve_registry_get (self->registry, plugin_id);

  if (entry != NULL)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, REEVE_STORE_MISSING, "plugins");
  return FALSE;
}

static JsonObject *
reeve_plugin_secrets_show (ReeveRecord *record)
{
  JsonObject *fields = reeve_record_get_fields (record);
  JsonObject *shown = json_object_new ();

  json_object_set_null_member (shown, "tenant_id");
  for (guint i = 0; i < G_N_ELEMENTS (reeve_plugin_secrets_public); i++)
    if (json_object_has_member (fields, reeve_plugin_secrets_public[i]))
      reeve_directory_copy (fields, shown, reeve_plugin_secrets_public[i]);
  reeve_directory_show_time (fields, shown, "changed_at");
  reeve_directory_copy (fields, shown, "changed_by");
  return shown;
}

/**
 * reeve_plugin_secrets_list:
 * @self: the secrets
 * @plugin_id: whose slots
 * @error: return location
 *
 * Returns: (transfer full): oldest first
 */
JsonArray *
reeve_plugin_secrets_list (ReevePluginSecrets *self, const char *plugin_id, GError **error)
{
  g_autoptr (GPtrArray) records
      = reeve_plugin_secrets_check_plugin (self, plugin_id, error)
            ? reeve_directory_read_all (self->store, REEVE_SCOPE_PLATFORM,
                                        REEVE_STORE_PLUGIN_SECRETS, "plugin_id", plugin_id, error)
            : NULL;
  JsonArray *shown = NULL;

  if (records == NULL)
    return NULL;
  shown = json_array_new ();
  for (guint i = 0; i < records->len; i++)
    json_array_add_object_element (shown, reeve_plugin_secrets_show (records->pdata[i]));
  return shown;
}

/* ---- filling ---- */

static gboolean
reeve_plugin_secrets_check_scheme (JsonObject *params, GError **error)
{
  const char *scheme = reeve_json_get_string (params, "scheme", "");
  guint i = 0;

  while (strcmp (scheme, reeve_plugin_secrets_schemes[i].name) != 0)
    if (++i == G_N_ELEMENTS (reeve_plugin_secrets_schemes))
      {
        reeve_error_set_member (error, "/scheme", "is none that this host knows");
        return FALSE;
      }
  for (const char *const *needed = reeve_plugin_secrets_schemes[i].needs; *needed != NULL; needed++)
    if (reeve_json_get_string (params, *needed, NULL) == NULL)
      {
        g_autofree char *pointer = g_strconcat ("/", *needed, NULL);

        reeve_error_set_member (error, pointer, "is needed by scheme %s", scheme);
        return FALSE;
      }
  return TRUE;
}

/* What can only fail when it is used. */
static gboolean
reeve_plugin_secrets_check_header (JsonObject *params, GError **error)
{
  const char *header = reeve_json_get_string (params, "header", NULL);

  if (header == NULL || !reeve_http_fields_is_framing (header))
    return TRUE;
  reeve_error_set_member (error, "/header",
                          "%s describes the connection or the framing, which is the host's to say",
                          header);
  return FALSE;
}

/* What a header cannot hold; of a secret nothing is said but that. */
static gboolean
reeve_plugin_secrets_check_texts (JsonObject *params, GError **error)
{
  g_autoptr (GList) names = json_object_get_members (params);

  for (GList *l = names; l != NULL; l = l->next)
    for (const char *p = reeve_json_get_string (params, l->data, ""); *p != '\0'; p++)
      if ((guchar) *p < 0x20 || *p == 0x7f)
        {
          g_autofree char *pointer = g_strconcat ("/", l->data, NULL);

          reeve_error_set_member (error, pointer, "has control characters");
          return FALSE;
        }
  return TRUE;
}

/* (transfer full) (nullable): the origins as requests are compared with them */
static JsonArray *
reeve_plugin_secrets_read_origins (JsonObject *params, GError **error)
{
  g_auto (GStrv) given = reeve_directory_get_strings (params, "origins");
  g_autoptr (JsonArray) origins = json_array_new ();

  for (guint i = 0; given[i] != NULL; i++)
    {
      g_autofree char *origin = reeve_grant_parameters_normalise_origin (given[i]);
      g_autofree char *pointer = g_strdup_printf ("/origins/%u", i);

      if (origin == NULL)
        {
          reeve_error_set_member (error, pointer,
                                  "is no origin: scheme, host and port, such as "
                                  "https://api.example.com");
          return NULL;
        }
      json_array_add_string_element (origins, origin);
    }
  return g_steal_pointer (&origins);
}

static gboolean
reeve_plugin_secrets_require_tenant (ReevePluginSecrets *self, const char *tenant_id,
                                     ReeveBatch *batch, GError **error)
{
  gboolean exists = FALSE;

  if (tenant_id == NULL)
    return TRUE;
  if (!reeve_store_exists (self->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_TENANTS, tenant_id,
                           &exists, error))
    return FALSE;
  if (exists)
    {
      reeve_tenants_require (batch, tenant_id);
      return TRUE;
    }
  reeve_error_set_member (error, "/tenant_id", "there is no such tenant");
  return FALSE;
}

/* As many as there may be; one in the place of another is none more. */
static gboolean
reeve_plugin_secrets_check_room (ReevePluginSecrets *self, const char *plugin_id, const char *id,
                                 GError **error)
{
  g_autoptr (GPtrArray) records = reeve_directory_read_all (
      self->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_PLUGIN_SECRETS, "plugin_id", plugin_id, error);

  if (records == NULL)
    return FALSE;
  for (guint i = 0; i < records->len; i++)
    if (strcmp (reeve_record_get_id (records->pdata[i]), id) == 0)
      return TRUE;
  if (records->len < REEVE_PLUGIN_SECRETS_MAX)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
               "plugin %s has %d slots filled, which is as many as there may be", plugin_id,
               REEVE_PLUGIN_SECRETS_MAX);
  return FALSE;
}

/* (transfer full) (nullable): what is kept */
static JsonObject *
reeve_plugin_secrets_make_fields (JsonObject *params, ReeveCaller *caller, GError **error)
{
  g_autoptr (JsonObject) fields = json_object_new ();
  JsonArray *origins = NULL;

  if (!reeve_plugin_secrets_check_scheme (params, error)
      || !reeve_plugin_secrets_check_header (params, error)
      || !reeve_plugin_secrets_check_texts (params, error))
    return NULL;
  origins = reeve_plugin_secrets_read_origins (params, error);
  if (origins == NULL)
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (reeve_plugin_secrets_public); i++)
    if (json_object_has_member (params, reeve_plugin_secrets_public[i]))
      reeve_directory_copy (params, fields, reeve_plugin_secrets_public[i]);
  for (guint i = 0; i < G_N_ELEMENTS (reeve_plugin_secrets_secret); i++)
    if (json_object_has_member (params, reeve_plugin_secrets_secret[i]))
      reeve_directory_copy (params, fields, reeve_plugin_secrets_secret[i]);
  json_object_set_array_member (fields, "origins", origins);
  json_object_set_int_member (fields, "created_at", reeve_times_now ());
  json_object_set_int_member (fields, "changed_at", reeve_times_now ());
  json_object_set_string_member (fields, "changed_by", reeve_caller_get_user_id (caller));
  return g_steal_pointer (&fields);
}

/* (transfer full): what the ledger has of the arguments */
static JsonObject *
reeve_plugin_secrets_make_public (JsonObject *params)
{
  g_autoptr (GList) names = json_object_get_members (params);
  JsonObject *public = json_object_new ();

  for (GList *l = names; l != NULL; l = l->next)
    {
      gboolean secret = FALSE;

      for (guint i = 0; i < G_N_ELEMENTS (reeve_plugin_secrets_secret); i++)
        secret |= strcmp (l->data, reeve_plugin_secrets_secret[i]) == 0;
      if (!secret)
        json_object_set_member (public, l->data,
                                json_node_ref (json_object_get_member (params, l->data)));
    }
  return public;
}

/**
 * reeve_plugin_secrets_set:
 * @self: the secrets
 * @admitted: the right to `plugins.set_secret`
 * @params: {plugin_id, slot, scheme, value, origins, …}
 * @error: return location
 *
 * Fills a slot, in the place of what was in it.
 *
 * Returns: (transfer full): as listed; %NULL with %REEVE_ERROR_NOT_FOUND,
 * %REEVE_ERROR_INVALID_ARGUMENT or %REEVE_ERROR_CONFLICT
 */
JsonObject *
reeve_plugin_secrets_set (ReevePluginSecrets *self, ReeveAdmitted *admitted, JsonObject *params,
                          GError **error)
{
  const char *plugin_id = reeve_json_get_string (params, "plugin_id", "");
  const char *tenant_id = reeve_json_get_string (params, "tenant_id", NULL);
  g_autofree char *id = reeve_plugin_secrets_make_id (
      plugin_id, reeve_json_get_string (params, "slot", ""), tenant_id);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);
  g_autoptr (JsonObject) public = reeve_plugin_secrets_make_public (params);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (JsonObject) fields = NULL;
  g_autoptr (ReeveRecord) record = NULL;

  if (!reeve_plugin_secrets_check_plugin (self, plugin_id, error)
      || !reeve_plugin_secrets_require_tenant (self, tenant_id, batch, error)
      || !reeve_plugin_secrets_check_room (self, plugin_id, id, error))
    return NULL;
  fields = reeve_plugin_secrets_make_fields (params, reeve_admitted_get_caller (admitted), error);
  if (fields == NULL)
    return NULL;
  reeve_batch_put (batch, REEVE_STORE_PLUGIN_SECRETS, id, fields, REEVE_REVISION_ANY);
  reeve_admitted_consume_exactly (admitted, "plugins.set_secret", plugin_id, public);
  result = reeve_store_commit (self->store, batch, error);
  if (result == NULL)
    return NULL;
  record
      = reeve_store_get (self->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_PLUGIN_SECRETS, id, error);
  return record != NULL ? reeve_plugin_secrets_show (record) : NULL;
}

/**
 * reeve_plugin_secrets_delete:
 * @self: the secrets
 * @admitted: the right to `plugins.delete_secret`
 * @params: {plugin_id, slot, tenant_id?}
 * @error: return location
 *
 * Empties a slot: who uses it next finds nothing.
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND where it is empty
 */
gboolean
reeve_plugin_secrets_delete (ReevePluginSecrets *self, ReeveAdmitted *admitted, JsonObject *params,
                             GError **error)
{
  const char *plugin_id = reeve_json_get_string (params, "plugin_id", "");
  g_autofree char *id
      = reeve_plugin_secrets_make_id (plugin_id, reeve_json_get_string (params, "slot", ""),
                                      reeve_json_get_string (params, "tenant_id", NULL));
  g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);
  g_autoptr (ReeveBatchResult) result = NULL;
  gboolean exists = FALSE;

  if (!reeve_store_exists (self->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_PLUGIN_SECRETS, id,
                           &exists, error))
    return FALSE;
  if (!exists)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "plugin %s has no secret in slot %s",
                   plugin_id, reeve_json_get_string (params, "slot", ""));
      return FALSE;
    }
  reeve_batch_delete (batch, REEVE_STORE_PLUGIN_SECRETS, id, REEVE_REVISION_ANY);
  reeve_admitted_consume_exactly (admitted, "plugins.delete_secret", plugin_id, params);
  result = reeve_store_commit (self->store, batch, error);
  return result != NULL;
}

/* ---- using ---- */

static JsonObject *
reeve_plugin_secrets_read (ReevePluginSecrets *self, const char *plugin_id, const char *slot,
                           const char *tenant_id, GError **error)
{
  g_autofree char *id = reeve_plugin_secrets_make_id (plugin_id, slot, tenant_id);
  g_autoptr (GError) local = NULL;
  g_autoptr (ReeveRecord) record
      = reeve_store_get (self->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_PLUGIN_SECRETS, id, &local);
  JsonObject *found = NULL;

  if (record == NULL)
    {
      if (!g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
        g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  found = reeve_directory_dup (reeve_record_get_fields (record));
  json_object_set_int_member (found, "revision", (gint64) reeve_record_get_revision (record));
  return found;
}

/**
 * reeve_plugin_secrets_find:
 * @self: the secrets
 * @plugin_id: who asks
 * @slot: for which; any text
 * @tenant_id: (nullable): in whose call
 * @error: return location
 *
 * Returns: (transfer full) (nullable): what is in the slot
 */
JsonObject *
reeve_plugin_secrets_find (ReevePluginSecrets *self, const char *plugin_id, const char *slot,
                           const char *tenant_id, GError **error)
{
  JsonObject *found = NULL;
  GError *problem = NULL;

  /* what no slot is called is the name of no record either */
  if (*slot == '\0' || strlen (slot) > 128 || strchr (slot, '/') != NULL)
    return NULL;
  if (tenant_id != NULL)
    found = reeve_plugin_secrets_read (self, plugin_id, slot, tenant_id, &problem);
  if (found == NULL && problem == NULL)
    found = reeve_plugin_secrets_read (self, plugin_id, slot, NULL, &problem);
  if (problem != NULL)
    g_propagate_error (error, problem);
  return found;
}
