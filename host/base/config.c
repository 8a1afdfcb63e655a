/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration: its layers are laid over each other, the whole is held to the schema, every
 * fault is told with the file, line and key that a person has to look at, and what was not said is
 * filled in. Immutable from then on. */
#include "config.h"

#include "config-checks.h"
#include "config-environment.h"
#include "config-explain.h"
#include "config-guard.h"
#include "config-layers.h"
#include "config-print.h"

#include <string.h>

struct _ReeveConfig
{
  gatomicrefcount refs;
  JsonNode *root;
  GPtrArray *layers;   /* of ReeveConfigLayer, the lowest one first */
  GHashTable *origins; /* JSON pointer -> ReeveConfigOrigin, both of a layer */
  gboolean is_dev;     /* the profile is dev, or builds on it */
  GPtrArray *findings; /* of ReeveConfigFinding */
  char **warnings;
};

/* ---- loading ---- */

static const char *
reeve_config_read_profile_name (const ReeveConfigLayer *layer)
{
  return reeve_json_get_string (json_node_get_object (layer->tree), "profile", NULL);
}

/* Which profile counts: of the command line, the environment, the file; then what the machine is
 * called. */
static const char *
reeve_config_choose_profile (const ReeveConfigSources *sources, ReeveConfigLayer *file,
                             ReeveConfigLayer *environment, const char *const *variables)
{
  gboolean named = reeve_config_read_profile_name (environment) != NULL
                   || json_object_has_member (json_node_get_object (file->tree), "profile")
                   || sources->profile != NULL;
  const char *name = sources->profile;

  if (!named)
    reeve_config_environment_choose_profile (environment, variables);
  if (name == NULL)
    name = reeve_config_read_profile_name (environment);
  if (name == NULL)
    name = reeve_config_read_profile_name (file);
  return name != NULL ? name : "dev";
}

/* where the name of the profile came from, before its error */
static void
reeve_config_blame_profile (const ReeveConfigLayer *file, const ReeveConfigLayer *environment,
                            const ReeveConfigSources *sources, GError **error)
{
  const ReeveConfigOrigin *by = g_hash_table_lookup (environment->origins, "/profile");

  if (by == NULL)
    by = g_hash_table_lookup (file->origins, "/profile");
  if (sources->profile != NULL)
    g_prefix_error (error, "command line: profile: ");
  else if (by != NULL)
    g_prefix_error (error, "%s: profile: ", by->text);
}

static ReeveConfigLayer *
reeve_config_read_command_line (const ReeveConfigSources *sources)
{
  ReeveConfigLayer *layer = reeve_config_layers_new ();
  g_autoptr (JsonObject) given = json_object_new ();
  g_autoptr (JsonNode) node = json_node_init_object (
      json_node_alloc (), sources->overrides != NULL ? sources->overrides : given);

  layer->tree
      = reeve_config_layers_convert_overrides (node, reeve_config_schema, "", layer->origins);
  /* the origin of the whole stays the file's */
  g_hash_table_remove (layer->origins, "");
  if (sources->profile == NULL)
    return layer;
  json_object_set_string_member (json_node_get_object (layer->tree), "profile", sources->profile);
  g_hash_table_replace (layer->origins, g_strdup ("/profile"),
                        reeve_config_values_origin_new ("command line", TRUE));
  return layer;
}

/* All layers in their order. */
static gboolean
reeve_config_read (ReeveConfig *self, const ReeveConfigSources *sources,
                   const ReeveConfigSource *like, GError **error)
{
  g_autoptr (ReeveConfigLayer) file = reeve_config_layers_new ();
  g_autoptr (ReeveConfigLayer) environment = reeve_config_layers_new ();
  ReeveConfigSource chosen = *like;

  chosen.chosen = TRUE;
  if (sources->file == NULL)
    file->tree = reeve_config_layers_make_empty ();
  else if (!reeve_config_layers_read_file (file, sources->file, &chosen, error))
    return FALSE;
  if (!reeve_config_environment_read (environment, like, error))
    return FALSE;
  const char *profile = reeve_config_choose_profile (sources, file, environment, like->environment);
  if (!reeve_config_layers_read_profile (self->layers, profile, sources->profile_dirs, like,
                                         &self->is_dev, error))
    {
      reeve_config_blame_profile (file, environment, sources, error);
      return FALSE;
    }
  g_ptr_array_add (self->layers, g_steal_pointer (&file));
  g_ptr_array_add (self->layers, g_steal_pointer (&environment));
  g_ptr_array_add (self->layers, reeve_config_read_command_line (sources));
  return TRUE;
}

static gboolean
reeve_config_lay (ReeveConfig *self, GError **error)
{
  g_autoptr (JsonObject) root = json_object_new ();

  self->root = json_node_init_object (json_node_alloc (), root);
  for (guint i = 0; i < self->layers->len; i++)
    reeve_config_layers_lay (root, self->origins, self->layers->pdata[i]);
  if (!reeve_config_checks_validate (self->root, self->origins, error))
    return FALSE;
  reeve_config_layers_fill (self->root, reeve_config_schema);
  if (!reeve_config_checks_run (self->root, self->origins, error))
    return FALSE;
  self->findings = reeve_config_guard_find (self->root, reeve_config_schema, self->origins);
  return reeve_config_guard_refuse (self->findings, reeve_config_get_profile (self), self->is_dev,
                                    error);
}

static char **
reeve_config_collect_warnings (ReeveConfig *self, const char *const *environment)
{
  g_auto (GStrv) lines
      = reeve_config_checks_collect_warnings (json_node_get_object (self->root), self->origins);
  g_autofree char *odd
      = reeve_config_environment_judge (environment, reeve_config_get_profile (self), self->is_dev);
  g_auto (GStrv) foreign = reeve_config_environment_list_foreign (environment);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  g_strv_builder_addv (builder, (const char **) foreign);
  if (odd != NULL)
    g_strv_builder_add (builder, odd);
  g_strv_builder_addv (builder, (const char **) lines);
  return g_strv_builder_end (builder);
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
  const ReeveConfigSource like
      = { .environment = sources->environment != NULL ? sources->environment
                                                      : (const char *const *) environment };

  g_atomic_ref_count_init (&self->refs);
  self->layers = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_config_layers_free);
  self->origins = g_hash_table_new (g_str_hash, g_str_equal);
  if (!reeve_config_read (self, sources, &like, error) || !reeve_config_lay (self, error))
    return NULL;
  self->warnings = reeve_config_collect_warnings (self, like.environment);
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
  g_clear_pointer (&self->layers, g_ptr_array_unref);
  g_clear_pointer (&self->findings, g_ptr_array_unref);
  g_strfreev (self->warnings);
  g_free (self);
}

/* ---- reading ---- */

/* (nullable) what is behind one part of a path */
static JsonNode *
reeve_config_step (JsonNode *node, const char *part)
{
  guint64 index = 0;

  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    return json_object_get_member (json_node_get_object (node), part);
  return node != NULL && JSON_NODE_HOLDS_ARRAY (node)
                 && g_ascii_string_to_unsigned (part, 10, 0, G_MAXUINT, &index, NULL)
                 && index < json_array_get_length (json_node_get_array (node))
             ? json_array_get_element (json_node_get_array (node), (guint) index)
             : NULL;
}

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
      node = reeve_config_step (node, parts[i]);
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

/**
 * reeve_config_show:
 * @self: a configuration
 * @path: such as `llm.providers.0.settings`
 *
 * Returns: (transfer full) (nullable): the value, with `***` in place of what is secret by its
 * name, and `env:NAME` in place of what a variable brought; %NULL when it is unset or null
 */
JsonNode *
reeve_config_show (ReeveConfig *self, const char *path)
{
  JsonNode *node = reeve_config_get_json (self, path);
  g_auto (GStrv) parts = g_strsplit (path, ".", -1);
  g_autofree char *joined = g_strjoinv ("/", parts);
  g_autofree char *pointer = g_strconcat ("/", joined, NULL);

  return node != NULL ? reeve_config_print_mask (node, NULL, pointer, self->origins, FALSE) : NULL;
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
 * reeve_config_is_dev:
 * @self: a configuration
 *
 * What only one developer's machine may do asks for this: a profile that builds on nothing, or on
 * `enterprise`, is none of those.
 *
 * Returns: whether the profile is `dev`, or builds on it
 */
gboolean
reeve_config_is_dev (ReeveConfig *self)
{
  return self->is_dev;
}

/**
 * reeve_config_get_origin:
 * @self: a configuration
 * @path: such as `server.listen`
 *
 * Returns: (transfer none): where the value came from: `default`, `profile dev`, `reeve.yaml:12`,
 * `environment REEVE_LOG_LEVEL` or `command line`
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
 * reeve_config_explain:
 * @self: a configuration
 * @key: (nullable): such as `llm.default` or `llm.providers[0].settings`; %NULL: everything
 *
 * Returns: (transfer full): `[{key, value, origin, secret, covers[{origin, value}]}]`, secrets
 * masked: what counts, where it came from, and what those said that it goes over; empty when there
 * is no such key
 */
JsonArray *
reeve_config_explain (ReeveConfig *self, const char *key)
{
  const ReeveConfigExplain from = { self->root, reeve_config_schema, self->origins, self->layers };

  return reeve_config_explain_list (&from, key);
}

/**
 * reeve_config_list_files:
 * @self: a configuration
 * @changed: whether only those that are not any more as they were read
 *
 * Blocks.
 *
 * Returns: (transfer full): the files that it was read from, profiles first
 */
char **
reeve_config_list_files (ReeveConfig *self, gboolean changed)
{
  GPtrArray *files = g_ptr_array_new ();

  for (guint i = 0; i < self->layers->len; i++)
    {
      const ReeveConfigLayer *layer = self->layers->pdata[i];
      if (layer->file != NULL && (!changed || reeve_config_layers_has_changed (layer)))
        g_ptr_array_add (files, g_strdup (layer->file));
    }
  g_ptr_array_add (files, NULL);
  return (char **) g_ptr_array_free (files, FALSE);
}

/**
 * reeve_config_get_findings:
 * @self: a configuration
 *
 * Returns: (transfer none) (element-type ReeveConfigFinding): each place where it is less safe than
 * it could be; outside profile `dev` none that is refused
 */
GPtrArray *
reeve_config_get_findings (ReeveConfig *self)
{
  return self->findings;
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
