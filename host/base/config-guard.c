/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings that a developer may have for himself and a host of many people may not. Each rule is a
 * line of the list below: a key that has a value, or a function that looks for it. What is refused
 * stops the start of every profile but dev; the doctor shows the same list. */
#include "config-guard.h"

#include "address-list.h"
#include "config-checks.h"
#include "config-listen.h"
#include "config-print.h"

#include <string.h>
#include <sys/stat.h>

/* less than a year of records is less than an audit looks back on */
#define REEVE_CONFIG_GUARD_RETENTION 365

typedef struct
{
  JsonNode *root;
  const ReeveSchemaNode *schema;
  GHashTable *origins;
  const ReeveConfigGuardRule *rule; /* that is looked at */
  GPtrArray *findings;
} ReeveConfigGuard;

typedef void (*ReeveConfigGuardFunc) (ReeveConfigGuard *self);

static void
reeve_config_guard_found (ReeveConfigGuard *self, const char *pointer)
{
  ReeveConfigFinding *finding = g_new0 (ReeveConfigFinding, 1);

  finding->rule = self->rule;
  finding->where = reeve_config_checks_locate (self->origins, pointer);
  g_ptr_array_add (self->findings, finding);
}

static void
reeve_config_guard_free_finding (gpointer data)
{
  ReeveConfigFinding *finding = data;

  g_free (finding->where);
  g_free (finding);
}

static JsonObject *
reeve_config_guard_get_section (ReeveConfigGuard *self, const char *name)
{
  return reeve_json_get_object (json_node_get_object (self->root), name);
}

/* ---- texts, wherever they stand ---- */

/* One text of the configuration. */
typedef struct
{
  const char *pointer;
  const char *text;
  gboolean secret;
} ReeveConfigGuardText;

typedef void (*ReeveConfigGuardVisit) (ReeveConfigGuard *self, const ReeveConfigGuardText *text);

static void
reeve_config_guard_walk (ReeveConfigGuard *self, JsonNode *node, const ReeveSchemaNode *schema,
                         const char *pointer, gboolean secret, ReeveConfigGuardVisit visit)
{
  const ReeveConfigGuardText text
      = { pointer,
          JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
              ? json_node_get_string (node)
              : NULL,
          secret };

  if (text.text != NULL)
    visit (self, &text);
  if (JSON_NODE_HOLDS_ARRAY (node))
    for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++)
      {
        g_autofree char *at = g_strdup_printf ("%s/%u", pointer, i);
        reeve_config_guard_walk (self, json_array_get_element (json_node_get_array (node), i),
                                 schema != NULL && schema->array != NULL ? schema->array->items
                                                                         : NULL,
                                 at, secret, visit);
      }
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return;
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *value = NULL;
  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &name, &value))
    {
      g_autofree char *at = reeve_config_values_join (pointer, name);
      reeve_config_guard_walk (self, value, reeve_config_values_member_schema (schema, name), at,
                               secret || reeve_config_print_hides (schema, name), visit);
    }
}

static void
reeve_config_guard_visit_all (ReeveConfigGuard *self, ReeveConfigGuardVisit visit)
{
  reeve_config_guard_walk (self, self->root, self->schema, "", FALSE, visit);
}

/* ---- rules that look ---- */

/* what samples, tutorials and seeds of data use */
static gboolean
reeve_config_guard_is_known (const char *text)
{
  static const char *const known[] = { "123456",
                                       "admin",
                                       "admin123",
                                       "change-me",
                                       "change_me",
                                       "changeme",
                                       "default",
                                       "demo",
                                       "dev",
                                       "dev-jwt-secret",
                                       "dev-secret",
                                       "dev-secret-key",
                                       "dev_secret",
                                       "example",
                                       "letmein",
                                       "my-secret",
                                       "my-secret-key",
                                       "pass",
                                       "password",
                                       "password1",
                                       "password123",
                                       "postgres",
                                       "qwerty",
                                       "root",
                                       "secret",
                                       "secret-key",
                                       "secret123",
                                       "secret_key",
                                       "supersecret",
                                       "test",
                                       "test-secret",
                                       "test-secret-key",
                                       "your-secret-key",
                                       "your_secret_key" };

  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_ascii_strcasecmp (text, known[i]) == 0)
      return TRUE;
  return FALSE;
}

static void
reeve_config_guard_visit_known (ReeveConfigGuard *self, const ReeveConfigGuardText *text)
{
  if (text->secret && reeve_config_guard_is_known (text->text))
    reeve_config_guard_found (self, text->pointer);
}

static void
reeve_config_guard_find_known (ReeveConfigGuard *self)
{
  reeve_config_guard_visit_all (self, reeve_config_guard_visit_known);
}

/* the file of an origin "FILE:LINE"; NULL for what is in no file */
static char *
reeve_config_guard_get_file (const ReeveConfigOrigin *origin)
{
  const char *colon
      = origin != NULL && origin->variable == NULL ? strrchr (origin->text, ':') : NULL;

  return colon != NULL ? g_strndup (origin->text, (gsize) (colon - origin->text)) : NULL;
}

static void
reeve_config_guard_visit_readable (ReeveConfigGuard *self, const ReeveConfigGuardText *text)
{
  g_autofree char *file
      = reeve_config_guard_get_file (g_hash_table_lookup (self->origins, text->pointer));
  struct stat status = { 0 };

  if (text->secret && *text->text != '\0' && file != NULL && stat (file, &status) == 0
      && (status.st_mode & S_IROTH) != 0)
    reeve_config_guard_found (self, text->pointer);
}

static void
reeve_config_guard_find_readable (ReeveConfigGuard *self)
{
  reeve_config_guard_visit_all (self, reeve_config_guard_visit_readable);
}

static void
reeve_config_guard_find_key (ReeveConfigGuard *self)
{
  const char *key
      = reeve_json_get_string (reeve_config_guard_get_section (self, "tls"), "key", NULL);
  struct stat status = { 0 };

  if (key != NULL && stat (key, &status) == 0 && (status.st_mode & (S_IROTH | S_IWOTH)) != 0)
    reeve_config_guard_found (self, "/tls/key");
}

/* A URL by which another machine would be called without encryption. */
static gboolean
reeve_config_guard_is_cleartext (const char *text)
{
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_NONE, NULL);
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;

  if (host == NULL || strcmp (g_uri_get_scheme (uri), "http") != 0)
    return FALSE;
  g_autofree char *address = g_strdup_printf ("http://%s:1", host);
  g_autofree char *braced = g_strdup_printf ("http://[%s]:1", host);
  return !reeve_config_listen_read (address, FALSE).loopback
         && !reeve_config_listen_read (braced, FALSE).loopback;
}

static void
reeve_config_guard_visit_cleartext (ReeveConfigGuard *self, const ReeveConfigGuardText *text)
{
  /* these have rules of their own */
  if (!g_str_has_prefix (text->pointer, "/server/") && !g_str_has_prefix (text->pointer, "/policy/")
      && !g_str_has_prefix (text->pointer, "/telemetry/") && !text->secret
      && reeve_config_guard_is_cleartext (text->text))
    reeve_config_guard_found (self, text->pointer);
}

static void
reeve_config_guard_find_cleartext (ReeveConfigGuard *self)
{
  reeve_config_guard_visit_all (self, reeve_config_guard_visit_cleartext);
}

/* Whoever stands in between says what is allowed. */
static void
reeve_config_guard_find_opa (ReeveConfigGuard *self)
{
  JsonObject *opa = reeve_json_get_object (reeve_config_guard_get_section (self, "policy"), "opa");

  if (strcmp (reeve_json_get_string (opa, "mode", "off"), "off") != 0
      && reeve_config_guard_is_cleartext (reeve_json_get_string (opa, "url", "")))
    reeve_config_guard_found (self, "/policy/opa/url");
}

/* What is told stands in clear on the way: names of tenants, agents, tools, and the headers' key.
 */
static void
reeve_config_guard_find_telemetry (ReeveConfigGuard *self)
{
  JsonObject *otlp
      = reeve_json_get_object (reeve_config_guard_get_section (self, "telemetry"), "otlp");

  if (!reeve_json_get_boolean (otlp, "allow_cleartext", FALSE)
      && reeve_config_guard_is_cleartext (reeve_json_get_string (otlp, "endpoint", "")))
    reeve_config_guard_found (self, "/telemetry/otlp/endpoint");
}

static void
reeve_config_guard_find_listen (ReeveConfigGuard *self)
{
  JsonArray *list
      = reeve_json_get_array (reeve_config_guard_get_section (self, "server"), "listen");
  gboolean tls
      = reeve_json_get_string (reeve_config_guard_get_section (self, "tls"), "certificate", NULL)
        != NULL;

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    {
      const ReeveConfigListen listen
          = reeve_config_listen_read (json_array_get_string_element (list, i), tls);
      g_autofree char *pointer = g_strdup_printf ("/server/listen/%u", i);

      if (!listen.encrypted && !listen.loopback)
        reeve_config_guard_found (self, pointer);
    }
}

static void
reeve_config_guard_find_any_origin (ReeveConfigGuard *self)
{
  JsonObject *cors
      = reeve_json_get_object (reeve_config_guard_get_section (self, "server"), "cors");
  JsonArray *list = reeve_json_get_array (cors, "origins");

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    {
      g_autofree char *pointer = g_strdup_printf ("/server/cors/origins/%u", i);

      if (strcmp (json_array_get_string_element (list, i), "*") == 0)
        reeve_config_guard_found (self, pointer);
    }
}

static void
reeve_config_guard_find_retention (ReeveConfigGuard *self)
{
  if (reeve_json_get_int (reeve_config_guard_get_section (self, "audit"), "retention_days",
                          REEVE_CONFIG_GUARD_RETENTION)
      < REEVE_CONFIG_GUARD_RETENTION)
    reeve_config_guard_found (self, "/audit/retention_days");
}

static void
reeve_config_guard_find_debug (ReeveConfigGuard *self)
{
  const char *level
      = reeve_json_get_string (reeve_config_guard_get_section (self, "logging"), "level", "");

  if (g_ascii_strcasecmp (level, "debug") == 0)
    reeve_config_guard_found (self, "/logging/level");
}

/* ---- rules about who callers are ---- */

static JsonArray *
reeve_config_guard_get_providers (ReeveConfigGuard *self)
{
  return reeve_json_get_array (reeve_config_guard_get_section (self, "authentication"),
                               "providers");
}

static void
reeve_config_guard_find_nobody (ReeveConfigGuard *self)
{
  JsonArray *list = reeve_config_guard_get_providers (self);

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    if (reeve_json_get_boolean (json_array_get_object_element (list, i), "enabled", TRUE))
      return;
  reeve_config_guard_found (self, "/authentication/providers");
}

static gboolean
reeve_config_guard_is_shared (JsonNode *node)
{
  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
         && json_node_get_value_type (node) == G_TYPE_STRING
         && g_ascii_strncasecmp (json_node_get_string (node), "HS", 2) == 0;
}

/* An issuer's settings: algorithm or algorithms; neither of them and a secret is one too. */
static void
reeve_config_guard_judge_tokens (ReeveConfigGuard *self, JsonObject *settings, const char *pointer)
{
  JsonArray *many = reeve_json_get_array (settings, "algorithms");
  g_autofree char *one = g_strconcat (pointer, "/algorithm", NULL);
  g_autofree char *key = g_strconcat (pointer, "/secret_key", NULL);

  if (settings == NULL)
    return;
  for (guint i = 0; many != NULL && i < json_array_get_length (many); i++)
    {
      g_autofree char *at = g_strdup_printf ("%s/algorithms/%u", pointer, i);
      if (reeve_config_guard_is_shared (json_array_get_element (many, i)))
        reeve_config_guard_found (self, at);
    }
  if (reeve_config_guard_is_shared (json_object_get_member (settings, "algorithm")))
    reeve_config_guard_found (self, one);
  else if (many == NULL && !json_object_has_member (settings, "algorithm")
           && json_object_has_member (settings, "secret_key"))
    reeve_config_guard_found (self, key);
}

static void
reeve_config_guard_find_shared (ReeveConfigGuard *self)
{
  JsonArray *list = reeve_config_guard_get_providers (self);

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    {
      JsonObject *provider = json_array_get_object_element (list, i);
      g_autofree char *pointer = g_strdup_printf ("/authentication/providers/%u/settings", i);

      if (reeve_json_get_boolean (provider, "enabled", TRUE))
        reeve_config_guard_judge_tokens (self, reeve_json_get_object (provider, "settings"),
                                         pointer);
    }
}

/* ---- what was asked for as a whole: rbac.zero_trust ---- */

static gboolean
reeve_config_guard_asks (ReeveConfigGuard *self, const char *flag)
{
  JsonObject *flags
      = reeve_json_get_object (reeve_config_guard_get_section (self, "rbac"), "zero_trust");

  return reeve_json_get_boolean (flags, flag, FALSE);
}

static void
reeve_config_guard_find_unencrypted (ReeveConfigGuard *self)
{
  if (reeve_config_guard_asks (self, "encrypt_all_data")
      && !reeve_json_get_boolean (reeve_config_guard_get_section (self, "encryption"), "enabled",
                                  TRUE))
    reeve_config_guard_found (self, "/rbac/zero_trust/encrypt_all_data");
}

/* Networks of which every address is one keep nobody out. */
static void
reeve_config_guard_find_unsegmented (ReeveConfigGuard *self)
{
  JsonArray *list
      = reeve_json_get_array (reeve_config_guard_get_section (self, "server"), "ip_allow");
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) texts = NULL;
  g_autoptr (ReeveAddressList) networks = NULL;

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    g_strv_builder_add (builder, json_array_get_string_element (list, i));
  texts = g_strv_builder_end (builder);
  networks = reeve_address_list_new ((const char *const *) texts, NULL);
  if (reeve_config_guard_asks (self, "network_segmentation")
      && (networks == NULL || reeve_address_list_is_empty (networks)
          || reeve_address_list_is_everywhere (networks)))
    reeve_config_guard_found (self, "/rbac/zero_trust/network_segmentation");
}

/* ---- the list ---- */

static const ReeveConfigGuardRule reeve_config_guard_rules[] = {
  { "authentication.nobody", "X-20", TRUE, "no provider is enabled, so nobody can call",
    "enable one, such as {id: keys, plugin: auth-api-key}" },
  { "authentication.shared-secret", "CFG-05", TRUE,
    "whoever can check a token of this kind can make one",
    "let the issuer sign by RS256, ES256 or EdDSA, and give its jwks_uri" },
  { "secrets.known", "X-37", TRUE, "everybody knows this secret", "make one of 32 random bytes" },
  { "secrets.readable", "DEP-07", TRUE,
    "the secret stands in a file that everybody on this machine can read",
    "write env:NAME or take the file from others (chmod o-r)" },
  { "tls.key-readable", "DEP-07", TRUE, "everybody on this machine can read or write the key",
    "give it mode 0600" },
  { "cors.any", "CFG-05", TRUE, "pages of every origin may call", "name the origins one by one" },
  { "encryption.off", "DEP-07", TRUE, "stores are not encrypted", "set it to true" },
  { "rbac.off", "DEP-07", TRUE, "everybody may do everything", "set it to true" },
  { "audit.retention", "DEP-07", TRUE, "records of less than a year are kept",
    "keep them for 365 days at least" },
  { "zero-trust.mfa", "RBA-16", TRUE, "it is not available in this version",
    "set it to false; no provider asks for a second factor yet", TRUE },
  { "zero-trust.encryption", "RBA-16", TRUE, "encryption.enabled is false",
    "set encryption.enabled to true", TRUE },
  { "zero-trust.network", "RBA-16", TRUE, "server.ip_allow names no network, or every address",
    "name in server.ip_allow the networks that callers come from", TRUE },
  { "policy.opa-cleartext", "TPL-06", TRUE,
    "what a policy agent on another machine says can be changed on its way",
    "use https, or an agent on this machine" },
  { "telemetry.cleartext", "OBS-03", TRUE,
    "a collector on another machine is sent traces, metrics and its key without encryption",
    "use https, a collector on this machine, or set telemetry.otlp.allow_cleartext" },
  { "listen.cleartext", "DEP-07", FALSE, "others than this machine reach it without encryption",
    "set tls.certificate and tls.key, unless something in front of it encrypts" },
  { "providers.cleartext", "DEP-07", FALSE, "another machine is called without encryption",
    "use https" },
  { "limits.none", "DEP-07", FALSE, "requests are not limited",
    "set how many a caller may make in a minute" },
  { "network.unknown", "AUT-18", FALSE,
    "where countries are asked for, addresses that are in none come in", "set it to deny" },
  { "agents.auto-publish", "DEP-07", FALSE, "new versions of agents run without anybody's look",
    "set it to false and publish them" },
  { "audit.bodies", "DEP-07", FALSE, "bodies of requests are kept, whatever stands in them",
    "set it to false unless somebody needs them" },
  { "logging.debug", "CFG-05", FALSE, "the log is written for developers", "set it to info" },
  { NULL }
};

/* how each rule looks: by a key and its value, or by a function; in the order of the list */
static const struct
{
  const char *pointer;
  const char *value; /* canonical JSON */
  ReeveConfigGuardFunc find;
} reeve_config_guard_ways[] = {
  { NULL, NULL, reeve_config_guard_find_nobody },
  { NULL, NULL, reeve_config_guard_find_shared },
  { NULL, NULL, reeve_config_guard_find_known },
  { NULL, NULL, reeve_config_guard_find_readable },
  { NULL, NULL, reeve_config_guard_find_key },
  { NULL, NULL, reeve_config_guard_find_any_origin },
  { "/encryption/enabled", "false", NULL },
  { "/rbac/enabled", "false", NULL },
  { NULL, NULL, reeve_config_guard_find_retention },
  { "/rbac/zero_trust/require_mfa", "true", NULL },
  { NULL, NULL, reeve_config_guard_find_unencrypted },
  { NULL, NULL, reeve_config_guard_find_unsegmented },
  { NULL, NULL, reeve_config_guard_find_opa },
  { NULL, NULL, reeve_config_guard_find_telemetry },
  { NULL, NULL, reeve_config_guard_find_listen },
  { NULL, NULL, reeve_config_guard_find_cleartext },
  { "/limits/requests_per_minute", "0", NULL },
  { "/server/geography/unknown", "\"allow\"", NULL },
  { "/agents/auto_publish", "true", NULL },
  { "/audit/include_request_body", "true", NULL },
  { NULL, NULL, reeve_config_guard_find_debug },
};

G_STATIC_ASSERT (G_N_ELEMENTS (reeve_config_guard_ways) + 1
                 == G_N_ELEMENTS (reeve_config_guard_rules));

static void
reeve_config_guard_compare (ReeveConfigGuard *self, const char *pointer, const char *value)
{
  g_auto (GStrv) parts = g_strsplit (pointer + 1, "/", -1);
  JsonNode *node = self->root;

  for (guint i = 0; parts[i] != NULL && node != NULL; i++)
    node = JSON_NODE_HOLDS_OBJECT (node)
               ? json_object_get_member (json_node_get_object (node), parts[i])
               : NULL;
  g_autofree char *text = node != NULL ? reeve_json_canonical (node) : NULL;
  if (g_strcmp0 (text, value) == 0)
    reeve_config_guard_found (self, pointer);
}

/**
 * reeve_config_guard_get_rules:
 *
 * Returns: (transfer none): the list, ended by a %NULL id
 */
const ReeveConfigGuardRule *
reeve_config_guard_get_rules (void)
{
  return reeve_config_guard_rules;
}

/**
 * reeve_config_guard_find:
 * @root: a valid configuration with its defaults
 * @schema: its schema
 * @origins: where each value is from
 *
 * Returns: (transfer full) (element-type ReeveConfigFinding): each place where a rule is broken
 */
GPtrArray *
reeve_config_guard_find (JsonNode *root, const ReeveSchemaNode *schema, GHashTable *origins)
{
  ReeveConfigGuard self
      = { .root = root,
          .schema = schema,
          .origins = origins,
          .findings = g_ptr_array_new_with_free_func (reeve_config_guard_free_finding) };

  for (guint i = 0; i < G_N_ELEMENTS (reeve_config_guard_ways); i++)
    {
      self.rule = &reeve_config_guard_rules[i];
      if (reeve_config_guard_ways[i].find != NULL)
        reeve_config_guard_ways[i].find (&self);
      else
        reeve_config_guard_compare (&self, reeve_config_guard_ways[i].pointer,
                                    reeve_config_guard_ways[i].value);
    }
  return self.findings;
}

/**
 * reeve_config_guard_refuse:
 * @findings: (element-type ReeveConfigFinding): what was found
 * @profile: the one that refuses
 * @is_dev: whether it is a developer's, which refuses only what contradicts itself
 * @error: return location
 *
 * Returns: %TRUE when nothing is refused, else %FALSE with %REEVE_ERROR_CONFIGURATION: a line for
 * each place, with what is wrong and what to do
 */
gboolean
reeve_config_guard_refuse (GPtrArray *findings, const char *profile, gboolean is_dev,
                           GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < findings->len; i++)
    {
      const ReeveConfigFinding *finding = findings->pdata[i];
      if (finding->rule->always)
        g_string_append_printf (text, "%s%s: %s: %s", text->len > 0 ? "\n" : "", finding->where,
                                finding->rule->what, finding->rule->remedy);
      else if (finding->rule->refused && !is_dev)
        g_string_append_printf (text, "%s%s: %s, which profile %s refuses: %s",
                                text->len > 0 ? "\n" : "", finding->where, finding->rule->what,
                                profile, finding->rule->remedy);
    }
  if (text->len == 0)
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, text->str);
  return FALSE;
}
