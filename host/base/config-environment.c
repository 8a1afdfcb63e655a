/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The schema says by which variable a key can be set (x-reeve-variable). Its value is text as it
 * stands, nothing in it is expanded; a list takes words joined by commas; an empty one says
 * nothing, for that is how files for containers leave one out. */
#include "config-environment.h"

/**
 * reeve_config_environment_get:
 * @environment: as g_get_environ()
 * @name: name of a variable
 *
 * Returns: (transfer none) (nullable): its value; %NULL when it is not set or empty
 */
const char *
reeve_config_environment_get (const char *const *environment, const char *name)
{
  const char *value = g_environ_getenv ((char **) environment, name);

  return value != NULL && *value != '\0' ? value : NULL;
}

static ReeveConfigNode *
reeve_config_environment_node (const char *value, const ReeveSchemaNode *schema)
{
  if ((schema->types & REEVE_SCHEMA_TYPE_ARRAY) == 0)
    return reeve_config_yaml_new_scalar (value);
  g_auto (GStrv) words = g_strsplit (value, ",", -1);
  ReeveConfigNode *list = reeve_config_yaml_new_list ();
  for (guint i = 0; words[i] != NULL; i++)
    if (*g_strstrip (words[i]) != '\0')
      g_ptr_array_add (list->children, reeve_config_yaml_new_scalar (words[i]));
  return list;
}

static gboolean reeve_config_environment_read_object (const ReeveConfigSource *source,
                                                      JsonObject *object,
                                                      const ReeveSchemaNode *schema,
                                                      const char *pointer, GError **error);

static gboolean
reeve_config_environment_read_value (const ReeveConfigSource *like, JsonObject *object,
                                     const ReeveSchemaMember *member, const char *pointer,
                                     GError **error)
{
  const char *value = reeve_config_environment_get (like->environment, member->node->variable);
  g_autofree char *label = g_strconcat ("environment ", member->node->variable, NULL);
  ReeveConfigSource source = *like;
  JsonNode *node = NULL;

  if (value == NULL)
    return TRUE;
  source.label = label;
  g_autoptr (ReeveConfigNode) read = reeve_config_environment_node (value, member->node);
  node = reeve_config_values_convert (&source, read, member->node, pointer, error);
  if (node == NULL)
    return FALSE;
  json_object_set_member (object, member->name, node);
  return TRUE;
}

static gboolean
reeve_config_environment_read_section (const ReeveConfigSource *source, JsonObject *object,
                                       const ReeveSchemaMember *member, const char *pointer,
                                       GError **error)
{
  g_autoptr (JsonObject) section = json_object_new ();

  if (!reeve_config_environment_read_object (source, section, member->node, pointer, error))
    return FALSE;
  if (json_object_get_size (section) > 0)
    json_object_set_object_member (object, member->name, json_object_ref (section));
  return TRUE;
}

static gboolean
reeve_config_environment_read_object (const ReeveConfigSource *source, JsonObject *object,
                                      const ReeveSchemaNode *schema, const char *pointer,
                                      GError **error)
{
  for (guint i = 0; i < schema->object->n_properties; i++)
    {
      const ReeveSchemaMember *member = &schema->object->properties[i];
      g_autofree char *at = reeve_config_values_join (pointer, member->name);
      gboolean good = TRUE;

      if (member->node->variable != NULL)
        good = reeve_config_environment_read_value (source, object, member, at, error);
      else if (member->node->object != NULL && member->node->object->n_properties > 0)
        good = reeve_config_environment_read_section (source, object, member, at, error);
      if (!good)
        return FALSE;
    }
  return TRUE;
}

/**
 * reeve_config_environment_read:
 * @layer: where it is read into
 * @like: of whose environment it is
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFIGURATION, whose text names the variable and the key
 */
gboolean
reeve_config_environment_read (ReeveConfigLayer *layer, const ReeveConfigSource *like,
                               GError **error)
{
  ReeveConfigSource source = reeve_config_layers_get_source (layer, like);
  g_autoptr (JsonObject) object = json_object_new ();

  source.literal = source.chosen = TRUE;
  if (!reeve_config_environment_read_object (&source, object, reeve_config_schema, "", error))
    return FALSE;
  layer->tree = json_node_init_object (json_node_alloc (), object);
  return TRUE;
}

static const char *const reeve_config_environment_words[] = { "dev", "staging", "prod", NULL };

/**
 * reeve_config_environment_choose_profile:
 * @layer: of the environment
 * @environment: as g_get_environ()
 *
 * The name is not ours, so it counts only where nothing else names a profile, and only for one of
 * the words that are known to be meant so.
 *
 * Returns: whether there was such a word
 */
gboolean
reeve_config_environment_choose_profile (ReeveConfigLayer *layer, const char *const *environment)
{
  const char *value = reeve_config_environment_get (environment, REEVE_CONFIG_ENVIRONMENT);

  if (value == NULL || !g_strv_contains (reeve_config_environment_words, value))
    return FALSE;
  json_object_set_string_member (json_node_get_object (layer->tree), "profile", value);
  g_hash_table_replace (
      layer->origins, g_strdup ("/profile"),
      reeve_config_values_origin_new ("environment " REEVE_CONFIG_ENVIRONMENT, TRUE));
  return TRUE;
}

/* Names that other products give to what has another name here, and that mean nothing else. Whoever
 * moves here and keeps them has settings that are not. */
static const struct
{
  const char *theirs;
  const char *ours;
} reeve_config_environment_foreign[] = {
  { "TASKFORCE_PROFILE", "REEVE_PROFILE" },
  { "TASKFORCE_ENCRYPTION_KEY", "REEVE_ENCRYPTION_KEY" },
  { "CORS_ALLOWED_ORIGINS", "REEVE_CORS_ORIGINS" },
  { "RATE_LIMIT_PER_MINUTE", "REEVE_REQUESTS_PER_MINUTE" },
  { "CHUNK_SIZE_TOKENS", "REEVE_CHUNK_SIZE_TOKENS" },
  { "CHUNK_OVERLAP_TOKENS", "REEVE_CHUNK_OVERLAP_TOKENS" },
  { "LITELLM_DEFAULT_MODEL", "REEVE_LLM_DEFAULT" },
  { "OLLAMA_DEFAULT_MODEL", "REEVE_LLM_DEFAULT" },
  { "LITELLM_EMBEDDING_MODEL", "REEVE_EMBEDDING_MODEL" },
  { "OPA_URL", "REEVE_OPA_URL" },
};

/**
 * reeve_config_environment_list_foreign:
 * @environment: as g_get_environ()
 *
 * Returns: (transfer full): a warning for each variable that is meant for a host and says nothing
 * to this one
 */
char **
reeve_config_environment_list_foreign (const char *const *environment)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; i < G_N_ELEMENTS (reeve_config_environment_foreign); i++)
    {
      const char *theirs = reeve_config_environment_foreign[i].theirs;
      const char *ours = reeve_config_environment_foreign[i].ours;
      g_autofree char *line = NULL;

      if (reeve_config_environment_get (environment, theirs) == NULL
          || reeve_config_environment_get (environment, ours) != NULL)
        continue;
      line = g_strdup_printf ("environment %s: says nothing by itself; set %s", theirs, ours);
      g_strv_builder_add (builder, line);
    }
  return g_strv_builder_end (builder);
}

/**
 * reeve_config_environment_judge:
 * @environment: as g_get_environ()
 * @profile: the one that counts
 * @is_dev: whether it is `dev`, or builds on that
 *
 * A machine that is called production and runs a developer's settings is a mistake.
 *
 * Returns: (transfer full) (nullable): a warning
 */
char *
reeve_config_environment_judge (const char *const *environment, const char *profile,
                                gboolean is_dev)
{
  static const char *const harmless[] = { "dev", "development", "test", NULL };
  const char *value = reeve_config_environment_get (environment, REEVE_CONFIG_ENVIRONMENT);

  if (value == NULL || !is_dev || g_strv_contains (harmless, value))
    return NULL;
  return g_strv_contains (reeve_config_environment_words, value)
             ? g_strdup_printf (
                 "environment ENVIRONMENT: the machine is called %s, but the profile "
                 "is %s",
                 value, profile)
             : g_strdup ("environment ENVIRONMENT: names no profile (dev, staging or prod), so it "
                         "says nothing; set REEVE_PROFILE");
}
