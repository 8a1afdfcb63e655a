/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tools by name. What plugins say of their tools is read once, when they are added; schemas are
 * compiled then, so that a bad one is found at start and not in a run. */
#include "tools-private.h"

#include "base/bounded.h"
#include "base/json-schema.h"
#include "base/log-task.h"
#include "listing.h"

G_DEFINE_FINAL_TYPE (ReeveTools, reeve_tools, G_TYPE_OBJECT)

static void
reeve_tools_item_free (gpointer data)
{
  ReeveToolsItem *item = data;

  g_clear_pointer (&item->info, reeve_tool_info_unref);
  g_clear_pointer (&item->schema, reeve_schema_unref);
  g_free (item->plugin_id);
  g_free (item);
}

static void
reeve_tools_finalize (GObject *object)
{
  ReeveTools *self = REEVE_TOOLS (object);

  g_clear_pointer (&self->items, g_ptr_array_unref);
  g_clear_pointer (&self->past, g_ptr_array_unref);
  g_clear_pointer (&self->owned, g_ptr_array_unref);
  g_mutex_clear (&self->lock);
  g_clear_pointer (&self->registry, reeve_registry_unref);
  g_clear_pointer (&self->workers, reeve_workers_unref);
  G_OBJECT_CLASS (reeve_tools_parent_class)->finalize (object);
}

static void
reeve_tools_class_init (ReeveToolsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_tools_finalize;
}

static void
reeve_tools_init (ReeveTools *self)
{
  self->items = g_ptr_array_new ();
  self->past = g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);
  self->owned = g_ptr_array_new_with_free_func (reeve_tools_item_free);
  g_mutex_init (&self->lock);
}

/**
 * reeve_tools_new:
 * @registry: the plugins
 * @workers: where tools run
 *
 * Returns: (transfer full): without tools
 */
ReeveTools *
reeve_tools_new (ReeveRegistry *registry, ReeveWorkers *workers)
{
  ReeveTools *self = g_object_new (REEVE_TYPE_TOOLS, NULL);

  self->registry = reeve_registry_ref (registry);
  self->workers = reeve_workers_ref (workers);
  return self;
}

static ReeveToolsItem *
reeve_tools_find_in (GPtrArray *items, const char *name)
{
  for (guint i = 0; i < items->len; i++)
    {
      ReeveToolsItem *item = g_ptr_array_index (items, i);

      if (g_strcmp0 (reeve_tool_info_get_name (item->info), name) == 0)
        return item;
    }
  return NULL;
}

ReeveToolsItem *
reeve_tools_find (ReeveTools *self, const char *name)
{
  return reeve_tools_find_in (g_atomic_pointer_get (&self->items), name);
}

/* Names go to models as they are: what OpenAI's wire allows is what all allow. */
static gboolean
reeve_tools_is_name (const char *name)
{
  return name != NULL && g_regex_match_simple ("^[A-Za-z0-9_-]{1,64}$", name, 0, 0);
}

/* Whether a plugin asks for the network, whatever its tools say of themselves. */
static gboolean
reeve_tools_has_network (ReeveTools *self, const char *plugin_id)
{
  g_autoptr (ReeveRegistryEntry) entry = reeve_registry_get (self->registry, plugin_id);
  const char *const *names = entry != NULL && entry->manifest != NULL
                                 ? reeve_manifest_get_capabilities (entry->manifest)
                                 : NULL;

  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    if (g_str_has_prefix (names[i], "net."))
      return TRUE;
  return FALSE;
}

/* @items: what there will be. (transfer none) (nullable) */
static ReeveToolsItem *
reeve_tools_add_item (ReeveTools *self, GPtrArray *items, const char *plugin_id,
                      ReevePlugin *plugin, ReeveToolInfo *info, GError **error)
{
  const char *name = info != NULL ? reeve_tool_info_get_name (info) : NULL;
  g_autoptr (ReeveSchema) schema = NULL;
  ReeveToolsItem *item = NULL;

  if (!reeve_tools_is_name (name))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "\"%s\" is no name of a tool",
                   name != NULL ? name : "");
      return NULL;
    }
  if (reeve_tools_find_in (items, name) != NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS, "tool %s is there already",
                   name);
      return NULL;
    }
  schema = reeve_schema_new_from_json (reeve_tool_info_get_parameters (info), error);
  if (schema == NULL)
    {
      g_prefix_error (error, "parameters of tool %s: ", name);
      return NULL;
    }
  item = g_new0 (ReeveToolsItem, 1);
  item->info = reeve_tool_info_ref (info);
  item->schema = g_steal_pointer (&schema);
  item->plugin = plugin;
  item->plugin_id = g_strdup (plugin_id);
  item->hints = reeve_tool_info_get_hints (info);
  if (reeve_tools_has_network (self, plugin_id))
    item->hints |= REEVE_TOOL_OPEN_WORLD;
  g_ptr_array_add (items, item);
  return item;
}

/* What is asked of a plugin that may not answer. */
typedef struct
{
  ReevePlugin *plugin;
  ReeveContext *context;
  GPtrArray *infos;
} ReeveToolsListing;

static void
reeve_tools_listing_free (gpointer data)
{
  ReeveToolsListing *listing = data;

  g_clear_object (&listing->plugin);
  g_clear_object (&listing->context);
  g_clear_pointer (&listing->infos, g_ptr_array_unref);
  g_free (listing);
}

static gboolean
reeve_tools_listing_perform (gpointer data, GCancellable *cancellable, GError **error)
{
  ReeveToolsListing *listing = data;

  listing->infos = reeve_tool_list (REEVE_TOOL (listing->plugin), listing->context, error);
  return listing->infos != NULL;
}

static GPtrArray *
reeve_tools_ask (ReeveTools *self, ReevePlugin *plugin, GError **error)
{
  gint64 timeout_us = reeve_registry_get_setup_us (self->registry);
  const ReeveContextInfo info
      = { .struct_size = sizeof info, .deadline = g_get_monotonic_time () + timeout_us };
  ReeveToolsListing *listing = g_new0 (ReeveToolsListing, 1);
  g_autoptr (ReeveBounded) call = NULL;

  listing->plugin = g_object_ref (plugin);
  listing->context = reeve_registry_new_context (self->registry, plugin, &info, NULL);
  call = reeve_bounded_new (reeve_tools_listing_perform, NULL, listing, reeve_tools_listing_free);
  return reeve_bounded_run (call, "list", timeout_us, error) ? g_steal_pointer (&listing->infos)
                                                             : NULL;
}

/* Under the lock: all of them, or none. */
static gboolean
reeve_tools_publish (ReeveTools *self, const char *plugin_id, ReevePlugin *plugin, GPtrArray *infos,
                     GError **error)
{
  g_autoptr (GPtrArray) items = g_ptr_array_copy (self->items, NULL, NULL);
  g_autoptr (GPtrArray) made = g_ptr_array_new_with_free_func (reeve_tools_item_free);

  for (guint i = 0; i < infos->len; i++)
    {
      ReeveToolsItem *item
          = reeve_tools_add_item (self, items, plugin_id, plugin, infos->pdata[i], error);

      if (item == NULL)
        return FALSE;
      g_ptr_array_add (made, item);
    }
  g_ptr_array_extend_and_steal (self->owned, g_steal_pointer (&made));
  g_ptr_array_add (self->past, self->items);
  g_atomic_pointer_set (&self->items, g_steal_pointer (&items));
  return TRUE;
}

/* All its tools, or none of them. */
static gboolean
reeve_tools_add_all (ReeveTools *self, const char *plugin_id, ReevePlugin *plugin, GError **error)
{
  g_autoptr (GPtrArray) infos = reeve_tools_ask (self, plugin, error);
  gboolean good = FALSE;

  if (infos == NULL)
    {
      g_prefix_error (error, "listing its tools: ");
      return FALSE;
    }
  g_mutex_lock (&self->lock);
  good = reeve_tools_publish (self, plugin_id, plugin, infos, error);
  g_mutex_unlock (&self->lock);
  return good;
}

/**
 * reeve_tools_add:
 * @self: tools
 * @plugin_id: a plugin that offers tools; also the name of its instance
 * @settings: (nullable): its settings
 * @error: return location
 *
 * Makes an instance and takes up its tools. A plugin that cannot list them is listed as failed
 * itself. Any thread; blocks, but not for ever.
 *
 * Returns: whether all its tools are there
 */
gboolean
reeve_tools_add (ReeveTools *self, const char *plugin_id, JsonObject *settings, GError **error)
{
  /* a plugin of another kind besides has an instance of its name already */
  g_autofree char *name = reeve_registry_get_instance (self->registry, plugin_id) != NULL
                              ? g_strconcat (plugin_id, "/tool", NULL)
                              : g_strdup (plugin_id);
  ReevePlugin *plugin = reeve_registry_instantiate (self->registry, name, plugin_id,
                                                    REEVE_TYPE_TOOL, settings, error);
  g_autoptr (GError) reason = NULL;

  if (plugin == NULL)
    return FALSE;
  if (reeve_tools_add_all (self, plugin_id, plugin, &reason))
    return TRUE;
  reeve_registry_discard (self->registry, name, reason);
  g_propagate_prefixed_error (error, g_steal_pointer (&reason), "plugin %s: ", plugin_id);
  return FALSE;
}

/**
 * reeve_tools_lookup:
 * @self: tools
 * @name: of a tool
 *
 * Returns: (transfer none) (nullable): what is known of it
 */
ReeveToolInfo *
reeve_tools_lookup (ReeveTools *self, const char *name)
{
  ReeveToolsItem *item = reeve_tools_find (self, name);

  return item != NULL ? item->info : NULL;
}

/**
 * reeve_tools_get_hints:
 * @self: tools
 * @name: of a tool
 * @known: (out): whether there is such a tool
 *
 * Returns: what a policy decides by
 */
ReeveToolHints
reeve_tools_get_hints (ReeveTools *self, const char *name, gboolean *known)
{
  ReeveToolsItem *item = reeve_tools_find (self, name);

  *known = item != NULL;
  return item != NULL ? item->hints : REEVE_TOOL_NONE;
}

static JsonObject *
reeve_tools_define (ReeveToolInfo *info)
{
  JsonObject *tool = json_object_new ();
  JsonObject *function = json_object_new ();

  json_object_set_string_member (function, "name", reeve_tool_info_get_name (info));
  json_object_set_string_member (function, "description", reeve_tool_info_get_description (info));
  json_object_set_member (function, "parameters",
                          json_node_ref (reeve_tool_info_get_parameters (info)));
  json_object_set_string_member (tool, "type", "function");
  json_object_set_object_member (tool, "function", function);
  return tool;
}

/**
 * reeve_tools_definitions:
 * @self: tools
 * @names: names, ended by %NULL
 *
 * Returns: (transfer full): those that exist and are not disabled, as a model reads them, in the
 * order of @names
 */
JsonArray *
reeve_tools_definitions (ReeveTools *self, const char *const *names)
{
  JsonArray *tools = json_array_new ();

  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    {
      ReeveToolsItem *item = reeve_tools_find (self, names[i]);

      if (item != NULL && !reeve_registry_is_off (self->registry, item->plugin_id))
        json_array_add_object_element (tools, reeve_tools_define (item->info));
    }
  return tools;
}

static JsonObject *
reeve_tools_describe (ReeveToolsItem *item)
{
  static const struct
  {
    const char *name;
    ReeveToolHints hint;
  } hints[] = { { "read_only", REEVE_TOOL_READ_ONLY },
                { "destructive", REEVE_TOOL_DESTRUCTIVE },
                { "idempotent", REEVE_TOOL_IDEMPOTENT },
                { "open_world", REEVE_TOOL_OPEN_WORLD } };
  JsonObject *tool = json_object_new ();
  JsonObject *said = json_object_new ();

  for (guint i = 0; i < G_N_ELEMENTS (hints); i++)
    json_object_set_boolean_member (said, hints[i].name,
                                    (reeve_tool_info_get_hints (item->info) & hints[i].hint) != 0);
  json_object_set_string_member (tool, "name", reeve_tool_info_get_name (item->info));
  json_object_set_string_member (tool, "description", reeve_tool_info_get_description (item->info));
  json_object_set_string_member (tool, "plugin_id", item->plugin_id);
  json_object_set_member (tool, "parameters",
                          json_node_ref (reeve_tool_info_get_parameters (item->info)));
  json_object_set_object_member (tool, "hints", said);
  return tool;
}

static int
reeve_tools_compare (gconstpointer a, gconstpointer b)
{
  const ReeveToolsItem *left = *(const ReeveToolsItem *const *) a;
  const ReeveToolsItem *right = *(const ReeveToolsItem *const *) b;

  return g_strcmp0 (reeve_tool_info_get_name (left->info), reeve_tool_info_get_name (right->info));
}

/**
 * reeve_tools_list:
 * @self: tools
 *
 * Returns: (transfer full): all tools but those of disabled plugins, by name
 */
JsonArray *
reeve_tools_list (ReeveTools *self)
{
  JsonArray *tools = json_array_new ();
  GPtrArray *items = g_atomic_pointer_get (&self->items);
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();

  for (guint i = 0; i < items->len; i++)
    {
      ReeveToolsItem *item = g_ptr_array_index (items, i);

      if (!reeve_registry_is_off (self->registry, item->plugin_id))
        g_ptr_array_add (sorted, item);
    }
  g_ptr_array_sort (sorted, reeve_tools_compare);
  for (guint i = 0; i < sorted->len; i++)
    json_array_add_object_element (tools, reeve_tools_describe (g_ptr_array_index (sorted, i)));
  return tools;
}

/**
 * reeve_tools_check:
 * @self: tools
 * @name: of a tool
 * @arguments: what it would be called with
 * @error: return location: %REEVE_ERROR_NOT_FOUND, %REEVE_ERROR_INVALID_ARGUMENT with all faults,
 * %REEVE_ERROR_UNAVAILABLE where its plugin is disabled
 *
 * Returns: whether the call fits the tool's schema
 */
gboolean
reeve_tools_check (ReeveTools *self, const char *name, JsonNode *arguments, GError **error)
{
  ReeveToolsItem *item = reeve_tools_find (self, name);
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (GString) text = NULL;
  g_autoptr (GError) inner = NULL;

  if (item == NULL)
    {
      if (reeve_registry_check_offer (self->registry, name, error))
        g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no tool \"%s\"", name);
      return FALSE;
    }
  if (!reeve_registry_check (self->registry, item->plugin_id, error))
    return FALSE;
  if (reeve_schema_validate (item->schema, arguments, &faults, &inner))
    return TRUE;
  text = g_string_new (NULL);
  for (guint i = 0; faults != NULL && i < faults->len; i++)
    {
      const ReeveSchemaFault *fault = g_ptr_array_index (faults, i);

      g_string_append_printf (text, "%s%s: %s", i > 0 ? "; " : "",
                              *fault->pointer != '\0' ? fault->pointer : "/", fault->message);
    }
  if (text->len == 0 && inner != NULL)
    g_string_append (text, inner->message);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "arguments of tool \"%s\": %s",
               name, text->str);
  return FALSE;
}
