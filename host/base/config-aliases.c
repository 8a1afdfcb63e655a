/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file that was written for another product is taken where it means the same here, and refused
 * with the name of our key where it does not: a setting that is silently without effect is worse
 * than none. Later rows see what earlier ones have moved. */
#include "config-aliases.h"

#include <reeve-error.h>
#include <string.h>

/* One name. What matches first counts. */
typedef struct
{
  const char *from;
  const char *value;   /* only this one, in any case; NULL: any */
  const char *to;      /* our key; NULL: nothing has to be said here, or it is refused */
  const char *becomes; /* YAML of our value; NULL: the same */
  const char *refused; /* why it is not taken, and what to write; NULL: it is */
} ReeveConfigAlias;

#define TENANTS "tenants are always kept apart: leave it out"
#define LEDGER  "the ledger cannot be switched off: leave it out"
#define STORES                                                                                     \
  "stores are files in the state folder (--state-dir); see store.plugin and store.settings"
#define DEFINITION "stands in the definition of an agent (initial_definition), not of the host"
#define MODELS                                                                                     \
  "write llm.providers: [{id: ai, plugin: llm-openai, settings: {base_url, api_key}}] and "        \
  "llm.default: ai/MODEL"
#define PROVIDERS                                                                                  \
  "write authentication.providers: [{id: keys, plugin: auth-api-key}, {id: idp, plugin: "          \
  "auth-jwt, settings: {…}}]"

static const ReeveConfigAlias reeve_config_aliases_rows[] = {
  { "enterprise.encryption", NULL, "encryption", NULL, NULL },
  { "enterprise.rbac", NULL, "rbac", NULL, NULL },
  { "enterprise.audit", NULL, "audit", NULL, NULL },
  { "enterprise.compliance", NULL, "compliance", NULL, NULL },
  { "enterprise.security.authentication.providers", NULL, "authentication.providers", NULL, NULL },
  { "enterprise.security.rbac.roles", NULL, "rbac.custom_roles", NULL, NULL },
  { "enterprise.security.rbac.enabled", NULL, "rbac.enabled", NULL, NULL },
  { "enterprise.multi_tenant", "true", NULL, NULL, NULL },
  { "enterprise.multi_tenant", NULL, NULL, NULL, TENANTS },
  { "enterprise.enabled", NULL, NULL, NULL,
    "the profile says so: write profile: enterprise, or profile: dev" },
  { "authentication.type", NULL, NULL, NULL, PROVIDERS },
  { "authentication.jwt", NULL, NULL, NULL, PROVIDERS },
  { "agent.max_iterations", NULL, "agents.max_iterations", NULL, NULL },
  { "agent.type", NULL, NULL, NULL, DEFINITION },
  { "agent.planning_strategy", NULL, NULL, NULL, DEFINITION },
  { "audit.enabled", "true", NULL, NULL, NULL },
  { "audit.enabled", NULL, NULL, NULL, LEDGER },
  { "encryption.algorithm", "fernet", NULL, NULL,
    "stores are encrypted page by page, which Fernet cannot do: write aes-256-gcm, or leave it "
    "out" },
  { "llm.provider", NULL, NULL, NULL, MODELS },
  { "llm.deployment_name", NULL, NULL, NULL, MODELS },
  { "llm.temperature", NULL, NULL, NULL, DEFINITION },
  { "llm.max_tokens", NULL, "agents.max_tokens", NULL, NULL },
  { "persistence.type", "sqlite", "store.plugin", "storage-sqlite", NULL },
  { "persistence.type", "memory", "store.plugin", "storage-memory", NULL },
  { "persistence.type", NULL, NULL, NULL, STORES },
  { "persistence.database_url", NULL, NULL, NULL, STORES },
  { "persistence.connection_pool_size", NULL, NULL, NULL, STORES },
  { "persistence.ssl_mode", NULL, NULL, NULL, STORES },
  { "rate_limiting.enabled", "true", NULL, NULL, NULL },
  { "rate_limiting.enabled", "false", "limits.requests_per_minute", "0", NULL },
  { "rate_limiting.enabled", NULL, NULL, NULL, "must be true or false; see limits" },
  { "rate_limiting.default_limit", NULL, "limits.requests_per_minute", NULL, NULL },
  { "rate_limiting.by_tenant", "true", "limits.per", "[tenant]", NULL },
  { "rate_limiting.by_tenant", "false", "limits.per", "[user]", NULL },
  { "rate_limiting.by_tenant", NULL, NULL, NULL, "must be true or false; see limits.per" },
  { "enable_rbac", NULL, "rbac.enabled", NULL, NULL },
  { "enable_audit", "true", NULL, NULL, NULL },
  { "enable_audit", NULL, NULL, NULL, LEDGER },
  { "enable_session_management", "false", NULL, NULL, NULL },
  { "enable_session_management", NULL, NULL, NULL,
    "callers show a key or a token with each request: leave it out" },
  { "compliance_policies", NULL, NULL, NULL, "name them in compliance.frameworks" },
};

/* what providers of identities are called, and the plugin that is one */
static const struct
{
  const char *type;
  const char *plugin;
} reeve_config_aliases_types[] = {
  { "api_key", "auth-api-key" },
  { "basic", "auth-basic" },
  { "jwt", "auth-jwt" },
};

static gboolean
reeve_config_aliases_refuse (const char *label, const ReeveConfigNode *node, const char *name,
                             const char *why, GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "%s:%u: %s: %s", label, node->line,
               name, why);
  return FALSE;
}

static gboolean
reeve_config_aliases_matches (const ReeveConfigAlias *row, const ReeveConfigNode *node)
{
  return row->value == NULL
         || (node->kind == REEVE_CONFIG_SCALAR && g_ascii_strcasecmp (node->text, row->value) == 0);
}

static gboolean
reeve_config_aliases_move (ReeveConfigNode *root, const char *label, const ReeveConfigAlias *row,
                           GError **error)
{
  g_autoptr (ReeveConfigNode) node = reeve_config_yaml_take (root, row->from);
  g_autoptr (ReeveConfigNode) made = NULL;
  g_autofree char *twice = g_strdup_printf ("%s is there too: only one may be", row->to);

  if (row->becomes != NULL)
    made = reeve_config_yaml_parse (row->becomes, strlen (row->becomes), label, error);
  if (row->becomes != NULL && made == NULL)
    return FALSE;
  if (made != NULL)
    reeve_config_yaml_set_line (made, node->line);
  return reeve_config_yaml_put (root, row->to, made != NULL ? made : node)
         || reeve_config_aliases_refuse (label, node, row->from, twice, error);
}

static gboolean
reeve_config_aliases_apply_row (ReeveConfigNode *root, const char *label,
                                const ReeveConfigAlias *row, GError **error)
{
  ReeveConfigNode *node = reeve_config_yaml_find (root, row->from);

  if (node == NULL || !reeve_config_aliases_matches (row, node))
    return TRUE;
  if (row->refused != NULL)
    return reeve_config_aliases_refuse (label, node, row->from, row->refused, error);
  if (row->to != NULL)
    return reeve_config_aliases_move (root, label, row, error);
  /* it is so anyway */
  reeve_config_yaml_unref (reeve_config_yaml_take (root, row->from));
  return TRUE;
}

/* ---- {type: jwt, issuer: …} ---- */

/* What is no member of a provider here is a setting of its plugin. */
static gboolean
reeve_config_aliases_gather_settings (ReeveConfigNode *provider, const char *label, GError **error)
{
  static const char *const own[] = { "id", "plugin", "enabled", "settings", NULL };

  for (guint i = provider->names->len; i > 0; i--)
    {
      g_autofree char *name = g_strdup (provider->names->pdata[i - 1]);
      if (g_strv_contains (own, name))
        continue;
      g_autofree char *path = g_strconcat ("settings.", name, NULL);
      g_autoptr (ReeveConfigNode) value = reeve_config_yaml_steal (provider, name);
      g_autoptr (ReeveConfigNode) settings = reeve_config_yaml_new_map ();
      reeve_config_yaml_set_line (settings, value->line);
      reeve_config_yaml_add_member (provider, "settings", settings); /* unless it has one */
      if (!reeve_config_yaml_add_member (reeve_config_yaml_get (provider, "settings"), name, value))
        return reeve_config_aliases_refuse (label, value, path, "is there twice", error);
    }
  return TRUE;
}

static gboolean
reeve_config_aliases_apply_type (ReeveConfigNode *provider, const char *label, guint index,
                                 GError **error)
{
  ReeveConfigNode *type
      = provider->kind == REEVE_CONFIG_MAP ? reeve_config_yaml_get (provider, "type") : NULL;
  const char *plugin = NULL;

  if (type == NULL || reeve_config_yaml_get (provider, "plugin") != NULL)
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (reeve_config_aliases_types); i++)
    if (type->kind == REEVE_CONFIG_SCALAR
        && strcmp (type->text, reeve_config_aliases_types[i].type) == 0)
      plugin = reeve_config_aliases_types[i].plugin;
  if (plugin == NULL)
    {
      g_autofree char *name = g_strdup_printf ("authentication.providers[%u].type", index);
      return reeve_config_aliases_refuse (
          label, type, name, "must be jwt, api_key or basic; others name a plugin", error);
    }
  g_autoptr (ReeveConfigNode) taken = reeve_config_yaml_take (provider, "type");
  g_autoptr (ReeveConfigNode) named = reeve_config_yaml_new_scalar (plugin);
  g_autoptr (ReeveConfigNode) id = reeve_config_yaml_new_scalar (taken->text);
  g_strdelimit (id->text, "_", '-');
  reeve_config_yaml_set_line (named, taken->line);
  reeve_config_yaml_set_line (id, taken->line);
  reeve_config_yaml_put (provider, "id", id); /* unless it has one */
  reeve_config_yaml_put (provider, "plugin", named);
  return reeve_config_aliases_gather_settings (provider, label, error);
}

static gboolean
reeve_config_aliases_apply_types (ReeveConfigNode *root, const char *label, GError **error)
{
  ReeveConfigNode *list = reeve_config_yaml_find (root, "authentication.providers");

  for (guint i = 0; list != NULL && list->kind == REEVE_CONFIG_LIST && i < list->children->len; i++)
    if (!reeve_config_aliases_apply_type (list->children->pdata[i], label, i, error))
      return FALSE;
  return TRUE;
}

/**
 * reeve_config_aliases_apply:
 * @root: a map: what a file holds; changed
 * @label: the file's name, for errors
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFIGURATION, whose text begins with file and line and says
 * what to write
 */
gboolean
reeve_config_aliases_apply (ReeveConfigNode *root, const char *label, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (reeve_config_aliases_rows); i++)
    if (!reeve_config_aliases_apply_row (root, label, &reeve_config_aliases_rows[i], error))
      return FALSE;
  return reeve_config_aliases_apply_types (root, label, error);
}
