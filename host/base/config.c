/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration: its layers are laid over each other, the whole is held to the schema, every
 * fault is told with the file, line and key that a person has to look at, and what was not said is
 * filled in. Immutable from then on. */
#include "config.h"

#include "config-layers.h"
#include "config-listen.h"
#include "config-print.h"

#include <math.h>
#include <string.h>

struct _ReeveConfig
{
  gatomicrefcount refs;
  JsonNode *root;
  GHashTable *origins; /* JSON pointer -> ReeveConfigOrigin */
  char **warnings;
};

/* ---- faults ---- */

/* the origin of a value, or of what it stands in */
static const ReeveConfigOrigin *
reeve_config_find_origin (GHashTable *origins, const char *pointer)
{
  g_autofree char *at = g_strdup (pointer);

  for (;;)
    {
      const ReeveConfigOrigin *origin = g_hash_table_lookup (origins, at);
      char *slash = strrchr (at, '/');
      if (origin != NULL || slash == NULL)
        return origin;
      *slash = '\0';
    }
}

static char *
reeve_config_describe (GHashTable *origins, const char *pointer, const char *message)
{
  const ReeveConfigOrigin *origin = reeve_config_find_origin (origins, pointer);
  g_autofree char *key = reeve_config_values_key (pointer);

  return g_strdup_printf ("%s: %s%s%s", origin != NULL ? origin->text : "default", key,
                          *key != '\0' ? ": " : "", message);
}

static gboolean
reeve_config_fault (GHashTable *origins, const char *pointer, const char *message, GError **error)
{
  g_autofree char *text = reeve_config_describe (origins, pointer, message);

  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, text);
  return FALSE;
}

static gboolean
reeve_config_validate (JsonNode *root, GHashTable *origins, GError **error)
{
  g_autoptr (ReeveSchema) schema = reeve_schema_new_from_static (reeve_config_schema);
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (GError) local = NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  if (reeve_schema_validate (schema, root, &faults, &local))
    return TRUE;
  for (guint i = 0; faults != NULL && i < faults->len; i++)
    {
      const ReeveSchemaFault *fault = faults->pdata[i];
      g_autofree char *line = reeve_config_describe (origins, fault->pointer, fault->message);
      g_string_append_printf (text, "%s%s", i > 0 ? "\n" : "", line);
    }
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                       text->len > 0 ? text->str : local->message);
  return FALSE;
}

/* ---- what a schema does not say ---- */

static gboolean
reeve_config_check_ids (JsonObject *root, GHashTable *origins, const char *section,
                        const char *member, GError **error)
{
  JsonArray *list = reeve_json_get_array (reeve_json_get_object (root, section), member);
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    {
      const char *id = reeve_json_get_string (json_array_get_object_element (list, i), "id", "");
      g_autofree char *pointer = g_strdup_printf ("/%s/%s/%u/id", section, member, i);
      if (!g_hash_table_add (known, (gpointer) id))
        return reeve_config_fault (origins, pointer, "stands in this list twice", error);
    }
  return TRUE;
}

static gboolean
reeve_config_has_tls (JsonObject *root)
{
  return reeve_json_get_string (reeve_json_get_object (root, "tls"), "certificate", NULL) != NULL;
}

/* Why an address cannot be listened on; NULL: it can. */
static const char *
reeve_config_judge_address (JsonObject *server, const ReeveConfigListen *listen, gboolean tls)
{
  const char *port = strrchr (listen->address, ':');

  if (port == NULL || g_ascii_strtoull (port + 1, NULL, 10) > 65535)
    return "the port must be 0 to 65535";
  if (listen->wants_tls && !tls)
    return "https needs tls.certificate and tls.key";
  if (!listen->encrypted && !listen->loopback
      && !reeve_json_get_boolean (server, "allow_cleartext", FALSE))
    return "others than this machine would reach it without encryption: set tls.certificate and "
           "tls.key, or server.allow_cleartext where something in front of it encrypts";
  return NULL;
}

static gboolean
reeve_config_check_listen (JsonObject *root, GHashTable *origins, GError **error)
{
  JsonObject *server = reeve_json_get_object (root, "server");
  JsonArray *list = reeve_json_get_array (server, "listen");
  gboolean tls = reeve_config_has_tls (root);

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    {
      const ReeveConfigListen listen
          = reeve_config_listen_read (json_array_get_string_element (list, i), tls);
      const char *fault = reeve_config_judge_address (server, &listen, tls);
      g_autofree char *pointer = g_strdup_printf ("/server/listen/%u", i);

      if (fault != NULL)
        return reeve_config_fault (origins, pointer, fault, error);
    }
  return TRUE;
}

/* A browser would refuse the two together; a person who writes them should know at once. */
static gboolean
reeve_config_check_cors (JsonObject *root, GHashTable *origins, GError **error)
{
  JsonObject *cors = reeve_json_get_object (reeve_json_get_object (root, "server"), "cors");
  JsonArray *list = reeve_json_get_array (cors, "origins");

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    if (strcmp (json_array_get_string_element (list, i), "*") == 0
        && reeve_json_get_boolean (cors, "credentials", FALSE))
      return reeve_config_fault (origins, "/server/cors/credentials",
                                 "credentials go to named origins only, not to \"*\"", error);
  return TRUE;
}

static gboolean
reeve_config_check (JsonNode *node, GHashTable *origins, GError **error)
{
  JsonObject *root = json_node_get_object (node);
  JsonObject *knowledge = reeve_json_get_object (root, "knowledge");
  JsonObject *tls = reeve_json_get_object (root, "tls");

  if (!reeve_config_check_ids (root, origins, "authentication", "providers", error)
      || !reeve_config_check_ids (root, origins, "llm", "providers", error)
      || !reeve_config_check_ids (root, origins, "notifications", "channels", error)
      || !reeve_config_check_listen (root, origins, error)
      || !reeve_config_check_cors (root, origins, error))
    return FALSE;
  if (reeve_json_get_int (knowledge, "chunk_overlap_tokens", 0)
      >= reeve_json_get_int (knowledge, "chunk_size_tokens", 1))
    return reeve_config_fault (origins, "/knowledge/chunk_overlap_tokens",
                               "must be less than chunk_size_tokens", error);
  if ((reeve_json_get_string (tls, "certificate", NULL) == NULL)
      != (reeve_json_get_string (tls, "key", NULL) == NULL))
    return reeve_config_fault (origins, "/tls", "certificate and key belong together", error);
  return TRUE;
}

/* ---- loading ---- */

static int
reeve_config_compare_text (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static gboolean
reeve_config_is_planned (const char *pointer)
{
  g_auto (GStrv) parts = g_strsplit (*pointer == '/' ? pointer + 1 : pointer, "/", -1);
  const ReeveSchemaNode *schema = reeve_config_schema;

  for (guint i = 0; schema != NULL && parts[i] != NULL; i++)
    {
      /* what is inside was told of already */
      if (schema->planned)
        return FALSE;
      schema = reeve_config_values_member_schema (schema, parts[i]);
    }
  return schema != NULL && schema->planned;
}

static void
reeve_config_warn_of_cleartext (JsonObject *root, GHashTable *origins, GPtrArray *lines)
{
  JsonArray *list = reeve_json_get_array (reeve_json_get_object (root, "server"), "listen");

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    {
      const ReeveConfigListen listen = reeve_config_listen_read (
          json_array_get_string_element (list, i), reeve_config_has_tls (root));
      g_autofree char *pointer = g_strdup_printf ("/server/listen/%u", i);

      if (!listen.encrypted && !listen.loopback)
        g_ptr_array_add (lines, reeve_config_describe (
                                    origins, pointer,
                                    "others than this machine reach it without encryption: keys "
                                    "and answers can be read on their way"));
    }
}

static char **
reeve_config_collect_warnings (JsonObject *root, GHashTable *origins)
{
  GPtrArray *lines = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer pointer = NULL, origin = NULL;

  g_hash_table_iter_init (&iter, origins);
  while (g_hash_table_iter_next (&iter, &pointer, &origin))
    if (((ReeveConfigOrigin *) origin)->chosen && reeve_config_is_planned (pointer))
      g_ptr_array_add (lines, reeve_config_describe (
                                  origins, pointer, "has no effect yet: its feature is not built"));
  reeve_config_warn_of_cleartext (root, origins, lines);
  g_ptr_array_sort (lines, reeve_config_compare_text);
  g_ptr_array_add (lines, NULL);
  return (char **) g_ptr_array_free (lines, FALSE);
}

/* Which profile counts, and who says so. */
static const char *
reeve_config_choose_profile (const ReeveConfigSources *sources, JsonNode *file, GHashTable *origins)
{
  JsonNode *member
      = file != NULL ? json_object_get_member (json_node_get_object (file), "profile") : NULL;
  gboolean is_text = member != NULL && JSON_NODE_HOLDS_VALUE (member)
                     && json_node_get_value_type (member) == G_TYPE_STRING;

  if (sources->profile != NULL)
    {
      g_hash_table_replace (origins, g_strdup ("/profile"),
                            reeve_config_values_origin_new ("command line", TRUE));
      return sources->profile;
    }
  return is_text ? json_node_get_string (member) : "dev";
}

/* the layers in their order, into one object; origins of later ones replace those of earlier ones
 */
static gboolean
reeve_config_lay (const ReeveConfigSources *sources, const ReeveConfigSource *source,
                  JsonObject *root, GError **error)
{
  g_autoptr (GHashTable) file_origins = g_hash_table_new_full (
      g_str_hash, g_str_equal, g_free, (GDestroyNotify) reeve_config_values_origin_free);
  ReeveConfigSource file_source = *source;
  g_autoptr (JsonNode) file = NULL;
  GHashTableIter iter;
  gpointer pointer = NULL, origin = NULL;

  file_source.label = sources->file;
  file_source.with_lines = file_source.chosen = TRUE;
  file_source.origins = file_origins;
  if (sources->file != NULL)
    {
      file = reeve_config_layers_read_file (sources->file, &file_source, error);
      if (file == NULL)
        return FALSE;
    }
  g_autofree char *profile = g_strdup (reeve_config_choose_profile (sources, file, file_origins));
  if (!reeve_config_layers_read_profile (root, profile, sources->profile_dirs, source, error))
    {
      const ReeveConfigOrigin *by = g_hash_table_lookup (file_origins, "/profile");
      if (by != NULL)
        g_prefix_error (error, "%s: profile: ", by->text);
      return FALSE;
    }
  g_hash_table_remove (source->origins, "/profile");
  if (file != NULL)
    reeve_config_layers_merge (root, json_node_get_object (file), reeve_config_schema);
  g_hash_table_iter_init (&iter, file_origins);
  while (g_hash_table_iter_next (&iter, &pointer, &origin))
    {
      g_hash_table_iter_steal (&iter);
      g_hash_table_replace (source->origins, pointer, origin);
    }
  /* a profile that is no text is for the validation to tell */
  if (file == NULL || sources->profile != NULL
      || !json_object_has_member (json_node_get_object (file), "profile"))
    json_object_set_string_member (root, "profile", profile);
  return TRUE;
}

static void
reeve_config_override (const ReeveConfigSources *sources, JsonObject *root, GHashTable *origins)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), sources->overrides);
  /* the origin of the whole stays the file's */
  g_autoptr (JsonNode) over
      = reeve_config_layers_convert_overrides (node, reeve_config_schema, "", origins);

  g_hash_table_remove (origins, "");
  reeve_config_layers_merge (root, json_node_get_object (over), reeve_config_schema);
}

/**
 * reeve_config_load:
 * @sources: where the configuration comes from
 * @error: return location
 *
 * Reads, merges and checks everything. Nothing is started from a configuration that has a fault.
 *
 * Returns: (transfer full) (nullable): the configuration, or %NULL with %REEVE_ERROR_CONFIGURATION:
 * one line for each fault, which begins with file and line and names the key
 */
ReeveConfig *
reeve_config_load (const ReeveConfigSources *sources, GError **error)
{
  g_autoptr (ReeveConfig) self = g_new0 (ReeveConfig, 1);
  g_auto (GStrv) environment = g_get_environ ();
  JsonObject *root = json_object_new ();

  g_atomic_ref_count_init (&self->refs);
  self->origins = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                         (GDestroyNotify) reeve_config_values_origin_free);
  self->root = json_node_init_object (json_node_alloc (), root);
  json_object_unref (root);
  const ReeveConfigSource source
      = { .environment
          = sources->environment != NULL ? sources->environment : (const char *const *) environment,
          .origins = self->origins };
  if (!reeve_config_lay (sources, &source, root, error))
    return NULL;
  if (sources->overrides != NULL)
    reeve_config_override (sources, root, self->origins);
  if (!reeve_config_validate (self->root, self->origins, error))
    return NULL;
  reeve_config_layers_fill (self->root, reeve_config_schema);
  if (!reeve_config_check (self->root, self->origins, error))
    return NULL;
  self->warnings = reeve_config_collect_warnings (json_node_get_object (self->root), self->origins);
  json_node_seal (self->root);
  return g_steal_pointer (&self);
}

/**
 * reeve_config_ref:
 * @self: a configuration
 *
 * Returns: (transfer full): @self
 */
ReeveConfig *
reeve_config_ref (ReeveConfig *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * reeve_config_unref:
 * @self: (transfer full): a configuration
 */
void
reeve_config_unref (ReeveConfig *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_clear_pointer (&self->root, json_node_unref);
  g_clear_pointer (&self->origins, g_hash_table_unref);
  g_strfreev (self->warnings);
  g_free (self);
}

/* ---- reading ---- */

/* Follows a dotted path in tree and schema at once; a path that the schema does not know is a fault
 * of the program. */
static JsonNode *
reeve_config_lookup (ReeveConfig *self, const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, ".", -1);
  const ReeveSchemaNode *schema = reeve_config_schema;
  JsonNode *node = self->root;

  for (guint i = 0; parts[i] != NULL; i++)
    {
      if (schema != NULL)
        {
          gboolean closed = schema->object != NULL && schema->object->additional_properties != NULL
                            && schema->object->additional_properties->never;
          schema = reeve_config_values_member_schema (schema, parts[i]);
          if (closed && schema == NULL)
            {
              g_critical ("configuration: there is no key %s", path);
              return NULL;
            }
        }
      node = node != NULL && JSON_NODE_HOLDS_OBJECT (node)
                 ? json_object_get_member (json_node_get_object (node), parts[i])
                 : NULL;
    }
  return node;
}

/**
 * reeve_config_get_json:
 * @self: a configuration
 * @path: such as `llm.providers`
 *
 * Returns: (transfer none) (nullable): the value, valid as long as @self; %NULL when it is unset or
 * null
 */
JsonNode *
reeve_config_get_json (ReeveConfig *self, const char *path)
{
  JsonNode *node = reeve_config_lookup (self, path);

  return node != NULL && !JSON_NODE_HOLDS_NULL (node) ? node : NULL;
}

static JsonNode *
reeve_config_get_value (ReeveConfig *self, const char *path, GType type)
{
  JsonNode *node = reeve_config_lookup (self, path);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == type
             ? node
             : NULL;
}

/**
 * reeve_config_get_string:
 * @self: a configuration
 * @path: such as `llm.default`
 *
 * Returns: (transfer none) (nullable): the text; %NULL when it is unset or none
 */
const char *
reeve_config_get_string (ReeveConfig *self, const char *path)
{
  JsonNode *node = reeve_config_get_value (self, path, G_TYPE_STRING);

  return node != NULL ? json_node_get_string (node) : NULL;
}

/**
 * reeve_config_get_int:
 * @self: a configuration
 * @path: such as `server.max_body`
 *
 * Returns: the number, in bytes or seconds where it is a size or duration; 0 when it is unset or
 * "auto"
 */
gint64
reeve_config_get_int (ReeveConfig *self, const char *path)
{
  JsonNode *node = reeve_config_get_value (self, path, G_TYPE_INT64);

  return node != NULL ? json_node_get_int (node) : (gint64) reeve_config_get_double (self, path);
}

/**
 * reeve_config_get_double:
 * @self: a configuration
 * @path: such as `budgets.org.alert_at`
 *
 * Returns: the number; 0 when it is unset
 */
double
reeve_config_get_double (ReeveConfig *self, const char *path)
{
  JsonNode *real = reeve_config_get_value (self, path, G_TYPE_DOUBLE);
  JsonNode *whole = reeve_config_get_value (self, path, G_TYPE_INT64);

  return real != NULL    ? json_node_get_double (real)
         : whole != NULL ? (double) json_node_get_int (whole)
                         : 0.0;
}

/**
 * reeve_config_get_boolean:
 * @self: a configuration
 * @path: such as `agents.auto_publish`
 *
 * Returns: the value; %FALSE when it is unset
 */
gboolean
reeve_config_get_boolean (ReeveConfig *self, const char *path)
{
  JsonNode *node = reeve_config_get_value (self, path, G_TYPE_BOOLEAN);

  return node != NULL && json_node_get_boolean (node);
}

/**
 * reeve_config_get_strv:
 * @self: a configuration
 * @path: such as `server.listen`
 *
 * Returns: (transfer full): the texts of the list; empty when it is unset
 */
char **
reeve_config_get_strv (ReeveConfig *self, const char *path)
{
  JsonNode *node = reeve_config_lookup (self, path);
  JsonArray *array
      = node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  GPtrArray *texts = g_ptr_array_new ();

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *item = json_array_get_element (array, i);
      if (JSON_NODE_HOLDS_VALUE (item) && json_node_get_value_type (item) == G_TYPE_STRING)
        g_ptr_array_add (texts, json_node_dup_string (item));
    }
  g_ptr_array_add (texts, NULL);
  return (char **) g_ptr_array_free (texts, FALSE);
}

/**
 * reeve_config_get_profile:
 * @self: a configuration
 *
 * Returns: (transfer none): the profile in force
 */
const char *
reeve_config_get_profile (ReeveConfig *self)
{
  return reeve_config_get_string (self, "profile");
}

/**
 * reeve_config_get_origin:
 * @self: a configuration
 * @path: such as `server.listen`
 *
 * Returns: (transfer none): where the value came from: `default`, `profile dev`, `reeve.yaml:12` or
 * `command line`
 */
const char *
reeve_config_get_origin (ReeveConfig *self, const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, ".", -1);
  g_autofree char *joined = g_strjoinv ("/", parts);
  g_autofree char *pointer = g_strconcat ("/", joined, NULL);
  const ReeveConfigOrigin *origin = g_hash_table_lookup (self->origins, pointer);

  return origin != NULL ? origin->text : "default";
}

/**
 * reeve_config_blame:
 * @self: a configuration
 * @path: of a value that turned out to be wrong, or is missing: `llm.providers.0.settings`
 * @message: what is wrong with it
 *
 * Returns: (transfer full): the fault as those of reeve_config_load() are told: where the value or
 * what it stands in came from, its key, the message
 */
char *
reeve_config_blame (ReeveConfig *self, const char *path, const char *message)
{
  return reeve_config_values_blame (self->origins, path, message);
}

/**
 * reeve_config_get_warnings:
 * @self: a configuration
 *
 * Returns: (transfer none): a line for each key that was given though its feature is not built yet
 */
const char *const *
reeve_config_get_warnings (ReeveConfig *self)
{
  return (const char *const *) self->warnings;
}

/**
 * reeve_config_print:
 * @self: a configuration
 *
 * Returns: (transfer full): the effective values as YAML, each with its origin as a comment,
 * secrets masked
 */
char *
reeve_config_print (ReeveConfig *self)
{
  return reeve_config_print_tree (self->root, reeve_config_schema, self->origins);
}
