/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One document of YAML, read by libyaml's events. Depth, size and what aliases may multiply are
 * bounded; a name twice in one map, tags, names that are no scalars and a second document are
 * refused, so that a file means one thing. */
#include "config-yaml.h"

#include <reeve-error.h>
#include <string.h>
#include <yaml.h>

#define REEVE_CONFIG_YAML_SIZE  (1024 * 1024)
#define REEVE_CONFIG_YAML_DEPTH 32
#define REEVE_CONFIG_YAML_NODES 20000
/* of a document that is made by programs too */
#define REEVE_CONFIG_YAML_LARGE_SIZE  (8 * 1024 * 1024)
#define REEVE_CONFIG_YAML_LARGE_NODES 250000

typedef struct
{
  yaml_parser_t parser;
  const char *name;
  guint most;          /* nodes */
  GHashTable *anchors; /* name -> ReeveConfigNode */
  guint depth;
} ReeveConfigYaml;

static ReeveConfigNode *reeve_config_yaml_value (ReeveConfigYaml *self, yaml_event_t *event,
                                                 GError **error);

static gboolean
reeve_config_yaml_refuse (ReeveConfigYaml *self, gsize line, const char *what, GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "%s:%" G_GSIZE_FORMAT ": %s",
               self->name, line + 1, what);
  return FALSE;
}

static gboolean
reeve_config_yaml_next (ReeveConfigYaml *self, yaml_event_t *event, GError **error)
{
  if (yaml_parser_parse (&self->parser, event))
    return TRUE;
  g_autofree char *what
      = g_strdup_printf ("%s%s%s", self->parser.context != NULL ? self->parser.context : "",
                         self->parser.context != NULL ? ": " : "",
                         self->parser.problem != NULL ? self->parser.problem : "no YAML");
  gsize line = self->parser.problem_mark.line != 0 ? self->parser.problem_mark.line
                                                   : self->parser.mark.line;
  return reeve_config_yaml_refuse (self, line, what, error);
}

static ReeveConfigNode *
reeve_config_yaml_node_new (ReeveConfigKind kind, gsize line)
{
  ReeveConfigNode *node = g_new0 (ReeveConfigNode, 1);

  g_ref_count_init (&node->refs);
  node->kind = kind;
  node->line = (guint) line + 1;
  node->weight = 1;
  if (kind != REEVE_CONFIG_SCALAR)
    node->children = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_config_yaml_unref);
  if (kind == REEVE_CONFIG_MAP)
    node->names = g_ptr_array_new_with_free_func (g_free);
  return node;
}

/**
 * reeve_config_yaml_new_scalar:
 * @text: a text
 *
 * Returns: (transfer full): a scalar without quotes that stands in no file
 */
ReeveConfigNode *
reeve_config_yaml_new_scalar (const char *text)
{
  ReeveConfigNode *node = reeve_config_yaml_node_new (REEVE_CONFIG_SCALAR, 0);

  node->text = g_strdup (text);
  node->plain = TRUE;
  return node;
}

/**
 * reeve_config_yaml_new_map:
 *
 * Returns: (transfer full): one without members
 */
ReeveConfigNode *
reeve_config_yaml_new_map (void)
{
  return reeve_config_yaml_node_new (REEVE_CONFIG_MAP, 0);
}

/**
 * reeve_config_yaml_new_list:
 *
 * Returns: (transfer full): a list of nothing that stands in no file
 */
ReeveConfigNode *
reeve_config_yaml_new_list (void)
{
  return reeve_config_yaml_node_new (REEVE_CONFIG_LIST, 0);
}

static ReeveConfigNode *
reeve_config_yaml_ref (ReeveConfigNode *node)
{
  g_ref_count_inc (&node->refs);
  return node;
}

/**
 * reeve_config_yaml_unref:
 * @node: (transfer full): a node
 */
void
reeve_config_yaml_unref (ReeveConfigNode *node)
{
  if (!g_ref_count_dec (&node->refs))
    return;
  g_clear_pointer (&node->children, g_ptr_array_unref);
  g_clear_pointer (&node->names, g_ptr_array_unref);
  g_free (node->text);
  g_free (node);
}

/**
 * reeve_config_yaml_get:
 * @map: a map
 * @name: name of a member
 *
 * Returns: (transfer none) (nullable): the member
 */
ReeveConfigNode *
reeve_config_yaml_get (ReeveConfigNode *map, const char *name)
{
  for (guint i = 0; map->kind == REEVE_CONFIG_MAP && i < map->names->len; i++)
    if (strcmp (map->names->pdata[i], name) == 0)
      return map->children->pdata[i];
  return NULL;
}

static gboolean
reeve_config_yaml_is_named (gconstpointer name, gconstpointer wanted)
{
  return strcmp (name, wanted) == 0;
}

/**
 * reeve_config_yaml_steal:
 * @map: a map
 * @name: name of a member as it is: a dot in it joins nothing
 *
 * Returns: (transfer full) (nullable): the member, which the map has no longer
 */
ReeveConfigNode *
reeve_config_yaml_steal (ReeveConfigNode *map, const char *name)
{
  guint at = 0;

  if (!g_ptr_array_find_with_equal_func (map->names, name, reeve_config_yaml_is_named, &at))
    return NULL;
  g_ptr_array_remove_index (map->names, at);
  return g_ptr_array_steal_index (map->children, at);
}

/**
 * reeve_config_yaml_find:
 * @root: a map
 * @path: names of members, joined by dots
 *
 * Returns: (transfer none) (nullable): the member of a member
 */
ReeveConfigNode *
reeve_config_yaml_find (ReeveConfigNode *root, const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, ".", -1);
  ReeveConfigNode *node = root;

  for (guint i = 0; node != NULL && parts[i] != NULL; i++)
    node = reeve_config_yaml_get (node, parts[i]);
  return node;
}

static ReeveConfigNode *
reeve_config_yaml_take_parts (ReeveConfigNode *map, char **parts)
{
  ReeveConfigNode *inner = reeve_config_yaml_get (map, parts[0]);
  ReeveConfigNode *node = NULL;

  if (inner == NULL || parts[1] == NULL)
    return inner != NULL ? reeve_config_yaml_steal (map, parts[0]) : NULL;
  node = reeve_config_yaml_take_parts (inner, parts + 1);
  if (node != NULL && inner->names->len == 0)
    reeve_config_yaml_unref (reeve_config_yaml_steal (map, parts[0]));
  return node;
}

/**
 * reeve_config_yaml_take:
 * @root: a map
 * @path: names of members, joined by dots
 *
 * Takes a member out, and with it each map that has no other.
 *
 * Returns: (transfer full) (nullable): the member
 */
ReeveConfigNode *
reeve_config_yaml_take (ReeveConfigNode *root, const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, ".", -1);

  return reeve_config_yaml_take_parts (root, parts);
}

/* what aliases share must not come to contain itself */
static gboolean
reeve_config_yaml_contains (ReeveConfigNode *node, ReeveConfigNode *wanted)
{
  if (node == wanted)
    return TRUE;
  for (guint i = 0; node->children != NULL && i < node->children->len; i++)
    if (reeve_config_yaml_contains (node->children->pdata[i], wanted))
      return TRUE;
  return FALSE;
}

/**
 * reeve_config_yaml_add_member:
 * @map: what should be a map
 * @name: name of the member as it is: a dot in it joins nothing
 * @node: (transfer none): what comes there
 *
 * Returns: %FALSE when @map is none, has one of that name, or would contain itself
 */
gboolean
reeve_config_yaml_add_member (ReeveConfigNode *map, const char *name, ReeveConfigNode *node)
{
  if (map->kind != REEVE_CONFIG_MAP || reeve_config_yaml_get (map, name) != NULL
      || reeve_config_yaml_contains (node, map))
    return FALSE;
  g_ptr_array_add (map->names, g_strdup (name));
  g_ptr_array_add (map->children, reeve_config_yaml_ref (node));
  return TRUE;
}

/**
 * reeve_config_yaml_put:
 * @root: a map
 * @path: names of members, joined by dots; maps that are not there are made
 * @node: (transfer none): what comes there
 *
 * Returns: %FALSE when something is there, or would contain itself
 */
gboolean
reeve_config_yaml_put (ReeveConfigNode *root, const char *path, ReeveConfigNode *node)
{
  g_auto (GStrv) parts = g_strsplit (path, ".", -1);
  ReeveConfigNode *map = root;
  guint last = g_strv_length (parts) - 1;

  for (guint i = 0; i < last && map->kind == REEVE_CONFIG_MAP; i++)
    {
      ReeveConfigNode *inner = reeve_config_yaml_get (map, parts[i]);
      if (inner == NULL)
        {
          g_autoptr (ReeveConfigNode) made
              = reeve_config_yaml_node_new (REEVE_CONFIG_MAP, node->line - 1);
          reeve_config_yaml_add_member (map, parts[i], made);
          inner = reeve_config_yaml_get (map, parts[i]);
        }
      map = inner;
    }
  return reeve_config_yaml_add_member (map, parts[last], node);
}

/**
 * reeve_config_yaml_set_line:
 * @node: a value that stands in no file
 * @line: line of what it stands for
 *
 * Has faults of it, and of what is in it, told there.
 */
void
reeve_config_yaml_set_line (ReeveConfigNode *node, guint line)
{
  node->line = line;
  for (guint i = 0; node->children != NULL && i < node->children->len; i++)
    reeve_config_yaml_set_line (node->children->pdata[i], line);
}

static gboolean
reeve_config_yaml_add (ReeveConfigYaml *self, ReeveConfigNode *parent, ReeveConfigNode *child,
                       GError **error)
{
  parent->weight += child->weight;
  g_ptr_array_add (parent->children, child);
  if (parent->weight > self->most)
    return reeve_config_yaml_refuse (self, parent->line - 1, "too much in one file", error);
  return TRUE;
}

static gboolean
reeve_config_yaml_fill_list (ReeveConfigYaml *self, ReeveConfigNode *list, GError **error)
{
  for (;;)
    {
      yaml_event_t event;
      if (!reeve_config_yaml_next (self, &event, error))
        return FALSE;
      if (event.type == YAML_SEQUENCE_END_EVENT)
        {
          yaml_event_delete (&event);
          return TRUE;
        }
      ReeveConfigNode *child = reeve_config_yaml_value (self, &event, error);
      yaml_event_delete (&event);
      if (child == NULL || !reeve_config_yaml_add (self, list, child, error))
        return FALSE;
    }
}

/* Takes the event of a name. @seen: those of the map. Returns: whether it is one and new there. */
static gboolean
reeve_config_yaml_take_name (ReeveConfigYaml *self, ReeveConfigNode *map, GHashTable *seen,
                             yaml_event_t *event, GError **error)
{
  gsize line = event->start_mark.line;

  if (event->type != YAML_SCALAR_EVENT || event->data.scalar.tag != NULL
      || strlen ((const char *) event->data.scalar.value) != event->data.scalar.length)
    return reeve_config_yaml_refuse (self, line, "a key must be a plain word", error);
  const char *name = (const char *) event->data.scalar.value;
  if (g_hash_table_contains (seen, name))
    {
      g_autofree char *what = g_strdup_printf ("key \"%s\" stands here twice", name);
      return reeve_config_yaml_refuse (self, line, what, error);
    }
  g_ptr_array_add (map->names, g_strdup (name));
  g_hash_table_add (seen, map->names->pdata[map->names->len - 1]);
  return TRUE;
}

static gboolean
reeve_config_yaml_fill_map (ReeveConfigYaml *self, ReeveConfigNode *map, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (;;)
    {
      yaml_event_t event;
      if (!reeve_config_yaml_next (self, &event, error))
        return FALSE;
      gboolean end = event.type == YAML_MAPPING_END_EVENT;
      gboolean good = end || reeve_config_yaml_take_name (self, map, seen, &event, error);
      guint line = (guint) event.start_mark.line + 1;
      yaml_event_delete (&event);
      if (end || !good)
        return end;
      if (!reeve_config_yaml_next (self, &event, error))
        return FALSE;
      ReeveConfigNode *child = reeve_config_yaml_value (self, &event, error);
      yaml_event_delete (&event);
      if (child == NULL || !reeve_config_yaml_add (self, map, child, error))
        return FALSE;
      /* what a person looks for is the line of the key */
      if (g_ref_count_compare (&child->refs, 1) && child->line > line)
        child->line = line;
    }
}

static void
reeve_config_yaml_anchor (ReeveConfigYaml *self, const char *anchor, ReeveConfigNode *node)
{
  if (anchor != NULL)
    g_hash_table_replace (self->anchors, g_strdup (anchor), reeve_config_yaml_ref (node));
}

static ReeveConfigNode *
reeve_config_yaml_scalar (ReeveConfigYaml *self, yaml_event_t *event, GError **error)
{
  const char *text = (const char *) event->data.scalar.value;

  if (event->data.scalar.tag != NULL || strlen (text) != event->data.scalar.length)
    {
      reeve_config_yaml_refuse (self, event->start_mark.line, "tags and NUL are not taken", error);
      return NULL;
    }
  ReeveConfigNode *node = reeve_config_yaml_node_new (REEVE_CONFIG_SCALAR, event->start_mark.line);
  node->text = g_strdup (text);
  node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
  reeve_config_yaml_anchor (self, (const char *) event->data.scalar.anchor, node);
  return node;
}

static ReeveConfigNode *
reeve_config_yaml_container (ReeveConfigYaml *self, yaml_event_t *event, GError **error)
{
  gboolean is_map = event->type == YAML_MAPPING_START_EVENT;
  const yaml_char_t *tag = is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag;
  const yaml_char_t *anchor
      = is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;

  if (tag != NULL || self->depth == REEVE_CONFIG_YAML_DEPTH)
    {
      reeve_config_yaml_refuse (self, event->start_mark.line,
                                tag != NULL ? "tags are not taken" : "nested too deeply", error);
      return NULL;
    }
  g_autoptr (ReeveConfigNode) node = reeve_config_yaml_node_new (
      is_map ? REEVE_CONFIG_MAP : REEVE_CONFIG_LIST, event->start_mark.line);
  self->depth++;
  gboolean good = is_map ? reeve_config_yaml_fill_map (self, node, error)
                         : reeve_config_yaml_fill_list (self, node, error);
  self->depth--;
  if (!good)
    return NULL;
  /* only now: so that nothing can contain itself */
  reeve_config_yaml_anchor (self, (const char *) anchor, node);
  return g_steal_pointer (&node);
}

/* the value that begins with @event, which stays the caller's */
static ReeveConfigNode *
reeve_config_yaml_value (ReeveConfigYaml *self, yaml_event_t *event, GError **error)
{
  ReeveConfigNode *node = NULL;

  switch (event->type)
    {
    case YAML_SCALAR_EVENT:
      return reeve_config_yaml_scalar (self, event, error);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
      return reeve_config_yaml_container (self, event, error);
    case YAML_ALIAS_EVENT:
      node = g_hash_table_lookup (self->anchors, event->data.alias.anchor);
      if (node != NULL)
        return reeve_config_yaml_ref (node);
      reeve_config_yaml_refuse (self, event->start_mark.line, "an alias of nothing", error);
      return NULL;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
    default:
      reeve_config_yaml_refuse (self, event->start_mark.line, "a value is missing", error);
      return NULL;
    }
}

/* Reads on to the next event that is not of @skipped, a bit for each type. */
static gboolean
reeve_config_yaml_skip (ReeveConfigYaml *self, yaml_event_t *event, guint skipped, GError **error)
{
  for (;;)
    {
      if (!reeve_config_yaml_next (self, event, error))
        return FALSE;
      if ((skipped & 1u << event->type) == 0)
        return TRUE;
      yaml_event_delete (event);
    }
}

static ReeveConfigNode *
reeve_config_yaml_document (ReeveConfigYaml *self, GError **error)
{
  yaml_event_t event;

  if (!reeve_config_yaml_skip (
          self, &event, 1u << YAML_STREAM_START_EVENT | 1u << YAML_DOCUMENT_START_EVENT, error))
    return NULL;
  if (event.type == YAML_STREAM_END_EVENT)
    {
      yaml_event_delete (&event);
      return NULL;
    }
  g_autoptr (ReeveConfigNode) node = reeve_config_yaml_value (self, &event, error);
  yaml_event_delete (&event);
  if (node == NULL || !reeve_config_yaml_skip (self, &event, 1u << YAML_DOCUMENT_END_EVENT, error))
    return NULL;
  gboolean end = event.type == YAML_STREAM_END_EVENT;
  gsize line = event.start_mark.line;
  yaml_event_delete (&event);
  if (!end)
    {
      reeve_config_yaml_refuse (self, line, "a second document", error);
      return NULL;
    }
  return g_steal_pointer (&node);
}

static ReeveConfigNode *
reeve_config_yaml_read (const char *text, gsize length, const char *name, gsize longest, guint most,
                        GError **error)
{
  g_autoptr (GHashTable) anchors = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                                          (GDestroyNotify) reeve_config_yaml_unref);
  ReeveConfigYaml self = { .name = name, .most = most, .anchors = anchors };

  if (length > longest || !g_utf8_validate (text, (gssize) length, NULL))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                   "%s:1: the file is too large, or not UTF-8", name);
      return NULL;
    }
  if (!yaml_parser_initialize (&self.parser))
    g_error ("libyaml: out of memory");
  yaml_parser_set_encoding (&self.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string (&self.parser, (const unsigned char *) (length > 0 ? text : ""),
                                length);
  ReeveConfigNode *node = reeve_config_yaml_document (&self, error);
  yaml_parser_delete (&self.parser);
  return node;
}

/**
 * reeve_config_yaml_parse:
 * @text: a text, not necessarily terminated
 * @length: its bytes
 * @name: name of the file, for errors
 * @error: return location
 *
 * Returns: (transfer full) (nullable): its document; %NULL without @error when there is none in it;
 * %NULL with %REEVE_ERROR_CONFIGURATION, whose text begins with file and line
 */
ReeveConfigNode *
reeve_config_yaml_parse (const char *text, gsize length, const char *name, GError **error)
{
  return reeve_config_yaml_read (text, length, name, REEVE_CONFIG_YAML_SIZE,
                                 REEVE_CONFIG_YAML_NODES, error);
}

/**
 * reeve_config_yaml_parse_large:
 * @text: a text, not necessarily terminated
 * @length: its bytes
 * @name: name of the file, for errors
 * @error: return location
 *
 * Up to 8 MiB and 250,000 nodes instead of what a configuration takes.
 *
 * Returns: (transfer full) (nullable): as reeve_config_yaml_parse()
 */
ReeveConfigNode *
reeve_config_yaml_parse_large (const char *text, gsize length, const char *name, GError **error)
{
  return reeve_config_yaml_read (text, length, name, REEVE_CONFIG_YAML_LARGE_SIZE,
                                 REEVE_CONFIG_YAML_LARGE_NODES, error);
}
