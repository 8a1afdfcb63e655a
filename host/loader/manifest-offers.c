/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host that starts needs to know which tools and media types there are, and no plugin's process
 * is started for that. What the plugin says itself, once it runs, is held against this. */
#include "manifest-offers.h"

#include "manifest-private.h"

#include <string.h>

#define REEVE_MANIFEST_OFFERS           "Offers"
#define REEVE_MANIFEST_OFFERS_MAX_TYPES 256
#define REEVE_MANIFEST_OFFERS_MAX_TOOLS 256

static const struct
{
  const char *name;
  ReeveToolHints hint;
} reeve_manifest_offers_hints[] = { { "read_only", REEVE_TOOL_READ_ONLY },
                                    { "destructive", REEVE_TOOL_DESTRUCTIVE },
                                    { "idempotent", REEVE_TOOL_IDEMPOTENT },
                                    { "open_world", REEVE_TOOL_OPEN_WORLD } };

static gboolean
reeve_manifest_offers_fail (GError **error, const char *key, const char *why)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "%s: %s", key, why);
  return FALSE;
}

static gboolean
reeve_manifest_offers_read_hints (JsonArray *names, ReeveToolHints *hints, GError **error)
{
  for (guint i = 0; names != NULL && i < json_array_get_length (names); i++)
    {
      JsonNode *name = json_array_get_element (names, i);
      guint k = 0;

      while (
          k < G_N_ELEMENTS (reeve_manifest_offers_hints)
          && (!JSON_NODE_HOLDS_VALUE (name)
              || g_strcmp0 (reeve_manifest_offers_hints[k].name, json_node_get_string (name)) != 0))
        k++;
      if (k == G_N_ELEMENTS (reeve_manifest_offers_hints))
        return reeve_manifest_offers_fail (error, "Tools", "has an unknown hint");
      *hints |= reeve_manifest_offers_hints[k].hint;
    }
  return TRUE;
}

/* (transfer full) (nullable) */
static ReeveToolInfo *
reeve_manifest_offers_read_tool (JsonNode *node, GError **error)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const char *name = object != NULL ? reeve_json_get_string (object, "name", NULL) : NULL;
  const char *description
      = object != NULL ? reeve_json_get_string (object, "description", NULL) : NULL;
  JsonNode *parameters = object != NULL ? json_object_get_member (object, "parameters") : NULL;
  ReeveToolHints hints = REEVE_TOOL_NONE;

  if (name == NULL || description == NULL || parameters == NULL
      || !JSON_NODE_HOLDS_OBJECT (parameters))
    {
      reeve_manifest_offers_fail (error, "Tools", "one has no name, description or parameters");
      return NULL;
    }
  if (!reeve_manifest_offers_read_hints (reeve_json_get_array (object, "hints"), &hints, error))
    return NULL;
  return reeve_tool_info_new (name, description, parameters, hints);
}

static gboolean
reeve_manifest_offers_read_tools (ReeveManifest *self, const char *text, GError **error)
{
  g_autoptr (JsonNode) node = reeve_json_parse_strict (text, strlen (text), error);
  JsonArray *array = NULL;

  if (node == NULL)
    {
      g_prefix_error (error, "Tools: ");
      return FALSE;
    }
  array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  if (array == NULL || json_array_get_length (array) > REEVE_MANIFEST_OFFERS_MAX_TOOLS)
    return reeve_manifest_offers_fail (error, "Tools", "is no array, or too long");
  self->tools = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_tool_info_unref);
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      ReeveToolInfo *info
          = reeve_manifest_offers_read_tool (json_array_get_element (array, i), error);

      if (info == NULL)
        return FALSE;
      g_ptr_array_add (self->tools, info);
    }
  return TRUE;
}

/**
 * reeve_manifest_offers_read:
 * @self: a manifest whose kinds are known
 * @file: it
 * @error: return location for %REEVE_ERROR_PLUGIN
 *
 * Returns: whether group `Offers` is right, or not there
 */
gboolean
reeve_manifest_offers_read (ReeveManifest *self, GKeyFile *file, GError **error)
{
  static const char *const known[] = { "MediaTypes", "Tools", "Engine", NULL };
  g_auto (GStrv) keys = g_key_file_get_keys (file, REEVE_MANIFEST_OFFERS, NULL, NULL);
  g_autofree char *tools = g_key_file_get_string (file, REEVE_MANIFEST_OFFERS, "Tools", NULL);
  g_autofree char *engine = g_key_file_get_string (file, REEVE_MANIFEST_OFFERS, "Engine", NULL);

  for (guint i = 0; keys != NULL && keys[i] != NULL; i++)
    {
      if (!g_strv_contains (known, keys[i]))
        return reeve_manifest_offers_fail (error, keys[i], "unknown key");
    }
  self->media_types
      = g_key_file_get_string_list (file, REEVE_MANIFEST_OFFERS, "MediaTypes", NULL, NULL);
  if (self->media_types != NULL
      && ((self->kinds & REEVE_KIND_EXTRACTOR) == 0
          || g_strv_length (self->media_types) > REEVE_MANIFEST_OFFERS_MAX_TYPES))
    return reeve_manifest_offers_fail (error, "MediaTypes", "names too many, or of no extractor");
  if (engine != NULL && (strcmp (engine, "true") != 0 || (self->kinds & REEVE_KIND_LLM) == 0))
    return reeve_manifest_offers_fail (error, "Engine", "is not true, or of no llm");
  self->engine = engine != NULL;
  if (tools != NULL && (self->kinds & REEVE_KIND_TOOL) == 0)
    return reeve_manifest_offers_fail (error, "Tools", "names some without being a tool");
  return tools == NULL || reeve_manifest_offers_read_tools (self, tools, error);
}

void
reeve_manifest_offers_clear (ReeveManifest *self)
{
  g_clear_pointer (&self->media_types, g_strfreev);
  g_clear_pointer (&self->tools, g_ptr_array_unref);
}

/**
 * reeve_manifest_offers_get_media_types:
 * @self: a manifest
 *
 * Returns: (transfer none) (nullable): what its extractor reads
 */
const char *const *
reeve_manifest_offers_get_media_types (ReeveManifest *self)
{
  return (const char *const *) self->media_types;
}

/**
 * reeve_manifest_offers_get_tools:
 * @self: a manifest
 *
 * Returns: (transfer none) (nullable) (element-type ReeveToolInfo): its tools
 */
GPtrArray *
reeve_manifest_offers_get_tools (ReeveManifest *self)
{
  return self->tools;
}

/**
 * reeve_manifest_offers_has_engine:
 * @self: a manifest
 *
 * Returns: whether its model is an engine
 */
gboolean
reeve_manifest_offers_has_engine (ReeveManifest *self)
{
  return self->engine;
}

static gboolean
reeve_manifest_offers_is_same (ReeveToolInfo *one, ReeveToolInfo *other)
{
  g_autofree char *left = reeve_json_canonical (reeve_tool_info_get_parameters (one));
  g_autofree char *right = reeve_json_canonical (reeve_tool_info_get_parameters (other));

  return strcmp (reeve_tool_info_get_name (one), reeve_tool_info_get_name (other)) == 0
         && strcmp (reeve_tool_info_get_description (one), reeve_tool_info_get_description (other))
                == 0
         && reeve_tool_info_get_hints (one) == reeve_tool_info_get_hints (other)
         && g_strcmp0 (left, right) == 0;
}

/**
 * reeve_manifest_offers_are_same:
 * @one: (element-type ReeveToolInfo): tools
 * @other: (element-type ReeveToolInfo): tools
 *
 * Returns: whether both are the same tools in the same order
 */
gboolean
reeve_manifest_offers_are_same (GPtrArray *one, GPtrArray *other)
{
  gboolean same = one->len == other->len;

  for (guint i = 0; same && i < one->len; i++)
    same = reeve_manifest_offers_is_same (one->pdata[i], other->pdata[i]);
  return same;
}

/**
 * reeve_manifest_offers_check_tools:
 * @self: a manifest
 * @tools: (element-type ReeveToolInfo): what the plugin says
 * @error: return location for %REEVE_ERROR_PLUGIN
 *
 * Returns: whether the manifest says the same, or nothing
 */
gboolean
reeve_manifest_offers_check_tools (ReeveManifest *self, GPtrArray *tools, GError **error)
{
  if (self->tools == NULL || reeve_manifest_offers_are_same (self->tools, tools))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
               "plugin %s lists other tools than its manifest does", self->id);
  return FALSE;
}

/**
 * reeve_manifest_offers_check_media_types:
 * @self: a manifest
 * @types: what the plugin says
 * @error: return location for %REEVE_ERROR_PLUGIN
 *
 * Returns: whether the manifest says the same, or nothing
 */
gboolean
reeve_manifest_offers_check_media_types (ReeveManifest *self, const char *const *types,
                                         GError **error)
{
  if (self->media_types == NULL || g_strv_equal ((const char *const *) self->media_types, types))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
               "plugin %s reads other media types than its manifest says", self->id);
  return FALSE;
}
