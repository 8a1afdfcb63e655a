/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes the effective configuration as YAML, each value with where it came from as a comment.
 * Nothing secret is shown: neither what the schema marks, nor what a name like "api_key" gives away
 * in a plugin's settings, nor what "env:NAME" stands for, nor a password or the values of a query
 * inside an address. */
#include "config-print.h"

#include <string.h>

#define REEVE_CONFIG_PRINT_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define REEVE_CONFIG_PRINT_DIGITS  "0123456789"

typedef struct
{
  GString *out;
  GHashTable *origins;
} ReeveConfigPrint;

static void reeve_config_print_value (ReeveConfigPrint *self, JsonNode *node,
                                      const ReeveSchemaNode *schema, const char *pointer,
                                      guint indent, gboolean secret);

/**
 * reeve_config_print_is_secret:
 * @name: name of a setting
 *
 * Returns: whether it sounds like a credential
 */
gboolean
reeve_config_print_is_secret (const char *name)
{
  static const char *const words[]
      = { "password",   "passwd",  "secret",     "token",      "api_key",       "apikey", "api-key",
          "credential", "private", "access_key", "passphrase", "authorization", "pwd" };
  g_autofree char *lower = g_ascii_strdown (name, -1);

  /* tokens that are counted are no token that is shown */
  if (g_str_has_suffix (lower, "_tokens") || g_str_has_prefix (lower, "max_tokens")
      || g_str_has_suffix (lower, "_limit"))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (strstr (lower, words[i]) != NULL)
      return TRUE;
  /* what goes along with each request, under whatever name a server asks for */
  return strcmp (lower, "key") == 0 || strcmp (lower, "pin") == 0 || strcmp (lower, "headers") == 0;
}

/**
 * reeve_config_print_hides:
 * @schema: (nullable): schema of an object
 * @name: a member
 *
 * Returns: whether the member's value is secret: by its schema, or where there is none by its name
 */
gboolean
reeve_config_print_hides (const ReeveSchemaNode *schema, const char *name)
{
  const ReeveSchemaNode *member = reeve_config_values_member_schema (schema, name);

  return member != NULL ? member->secret : reeve_config_print_is_secret (name);
}

static void
reeve_config_print_indent (ReeveConfigPrint *self, guint indent)
{
  for (guint i = 0; i < indent; i++)
    g_string_append (self->out, "  ");
}

/* what is nearest above a value that has no origin of its own */
static const ReeveConfigOrigin *
reeve_config_print_origin (ReeveConfigPrint *self, const char *pointer)
{
  return g_hash_table_lookup (self->origins, pointer);
}

static void
reeve_config_print_origin_comment (ReeveConfigPrint *self, const ReeveConfigOrigin *origin)
{
  if (origin == NULL)
    g_string_append (self->out, "  # default\n");
  else if (origin->variable != NULL)
    g_string_append_printf (self->out, "  # environment %s (%s)\n", origin->variable, origin->text);
  else
    g_string_append_printf (self->out, "  # %s\n", origin->text);
}

/* A number, a date, a version, a switch: nothing that lets anybody in, under a name that does not
 * say otherwise. */
static gboolean
reeve_config_print_is_harmless (const char *name, const char *value)
{
  static const char *const words[] = { "", "true", "false", "yes", "no", "on", "off", NULL };

  return !reeve_config_print_is_secret (name)
         && (g_strv_contains (words, value)
             || (strlen (value) <= 10 && strspn (value, "0123456789.-") == strlen (value)));
}

/* What comes behind the first ? or # of an address, pair by pair. */
static void
reeve_config_print_mask_query (GString *out, const char *query)
{
  while (*query != '\0')
    {
      gsize length = strcspn (query + 1, "&;?#");
      g_autofree char *pair = g_strndup (query + 1, length);
      char *equals = strchr (pair, '=');
      g_autofree char *name = NULL;

      if (equals != NULL)
        *equals = '\0';
      name = equals != NULL ? g_uri_unescape_string (pair, NULL) : g_strdup ("");
      g_string_append_c (out, *query);
      if (equals != NULL)
        g_string_append_printf (out, "%s=", pair);
      /* one that cannot be read, or has no name, is told by nothing */
      g_string_append (
          out,
          name != NULL && reeve_config_print_is_harmless (name, equals != NULL ? equals + 1 : pair)
              ? (equals != NULL ? equals + 1 : pair)
              : "***");
      query += 1 + length;
    }
}

/* Addresses of webhooks carry their secret in the path: a part of twenty and more of what keys are
 * made of, with letters and digits among them, is shown as little as one that is named. */
static void
reeve_config_print_mask_path (GString *out, const char *path, const char *end)
{
  while (path < end)
    {
      const char *slash = memchr (path, '/', (gsize) (end - path));
      gsize length = (gsize) ((slash != NULL ? slash : end) - path);
      gsize of_keys = strspn (path, REEVE_CONFIG_PRINT_LETTERS REEVE_CONFIG_PRINT_DIGITS "-_~.%=:");

      if (length >= 20 && of_keys >= length && strcspn (path, REEVE_CONFIG_PRINT_DIGITS) < length
          && strcspn (path, REEVE_CONFIG_PRINT_LETTERS) < length)
        g_string_append (out, "***");
      else
        g_string_append_len (out, path, (gssize) length);
      if (slash != NULL)
        g_string_append_c (out, '/');
      path += length + 1;
    }
}

/* "https://user:password@host/?api_key=x" without what stands before the @, and without what of the
 * path and the query may be a secret */
static char *
reeve_config_print_masked_text (const char *text)
{
  const char *start = strstr (text, "://");
  const char *end = start != NULL ? start + 3 + strcspn (start + 3, "/?#") : NULL;
  const char *at = end != NULL ? memrchr (start + 3, '@', (gsize) (end - start - 3)) : NULL;
  const char *query = end != NULL ? end + strcspn (end, "?#") : NULL;
  GString *out = NULL;

  if (start == NULL)
    return g_strdup (text);
  out = g_string_new_len (text, start + 3 - text);
  if (at != NULL)
    g_string_append (out, "***");
  else
    at = start + 3;
  g_string_append_len (out, at, end - at);
  reeve_config_print_mask_path (out, end, query);
  reeve_config_print_mask_query (out, query);
  return g_string_free (out, FALSE);
}

static JsonNode *
reeve_config_print_mask_scalar (JsonNode *node, const ReeveConfigOrigin *origin, gboolean secret)
{
  const char *text
      = JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING
            ? json_node_get_string (node)
            : NULL;

  if (origin != NULL && origin->shown != NULL)
    return json_node_init_string (json_node_alloc (), origin->shown);
  if (secret && !JSON_NODE_HOLDS_NULL (node))
    return json_node_init_string (json_node_alloc (), "***");
  if (text == NULL)
    return json_node_copy (node);
  g_autofree char *masked = reeve_config_print_masked_text (text);
  return json_node_init_string (json_node_alloc (), masked);
}

/**
 * reeve_config_print_mask:
 * @node: a value
 * @schema: (nullable): its schema
 * @pointer: where it stands
 * @origins: JSON pointer to ReeveConfigOrigin
 * @secret: whether it is, or stands in something that is
 *
 * Returns: (transfer full): the value as it may be shown
 */
JsonNode *
reeve_config_print_mask (JsonNode *node, const ReeveSchemaNode *schema, const char *pointer,
                         GHashTable *origins, gboolean secret)
{
  secret |= schema != NULL && schema->secret;
  if (JSON_NODE_HOLDS_ARRAY (node))
    {
      g_autoptr (JsonArray) shown = json_array_new ();
      for (guint i = 0; i < json_array_get_length (json_node_get_array (node)); i++)
        {
          g_autofree char *at = g_strdup_printf ("%s/%u", pointer, i);
          json_array_add_element (
              shown, reeve_config_print_mask (
                         json_array_get_element (json_node_get_array (node), i),
                         schema != NULL && schema->array != NULL ? schema->array->items : NULL, at,
                         origins, secret));
        }
      return json_node_init_array (json_node_alloc (), shown);
    }
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return reeve_config_print_mask_scalar (node, g_hash_table_lookup (origins, pointer), secret);
  g_autoptr (JsonObject) shown = json_object_new ();
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *value = NULL;
  json_object_iter_init_ordered (&iter, json_node_get_object (node));
  while (json_object_iter_next_ordered (&iter, &name, &value))
    {
      g_autofree char *at = reeve_config_values_join (pointer, name);
      json_object_set_member (
          shown, name,
          reeve_config_print_mask (value, reeve_config_values_member_schema (schema, name), at,
                                   origins, secret || reeve_config_print_hides (schema, name)));
    }
  return json_node_init_object (json_node_alloc (), shown);
}

static void
reeve_config_print_scalar (ReeveConfigPrint *self, JsonNode *node, const char *pointer,
                           gboolean secret)
{
  const ReeveConfigOrigin *origin = reeve_config_print_origin (self, pointer);
  g_autoptr (JsonNode) shown = reeve_config_print_mask_scalar (node, origin, secret);
  g_autofree char *json = reeve_json_canonical (shown);

  g_string_append_printf (self->out, " %s", json);
  reeve_config_print_origin_comment (self, origin);
}

static void
reeve_config_print_object (ReeveConfigPrint *self, JsonObject *object,
                           const ReeveSchemaNode *schema, const char *pointer, guint indent,
                           gboolean secret)
{
  /* by name: which layer brought what is no order to read in */
  g_autoptr (GList) names
      = g_list_sort (json_object_get_members (object), (GCompareFunc) g_strcmp0);

  for (GList *at = names; at != NULL; at = at->next)
    {
      const char *name = at->data;
      g_autofree char *inner = reeve_config_values_join (pointer, name);
      g_autoptr (JsonNode) key = json_node_init_string (json_node_alloc (), name);
      g_autofree char *quoted = reeve_json_canonical (key);
      gboolean plain = strspn (name, "abcdefghijklmnopqrstuvwxyz_") == strlen (name);
      reeve_config_print_indent (self, indent);
      g_string_append_printf (self->out, "%s:", plain && *name != '\0' ? name : quoted);
      reeve_config_print_value (self, json_object_get_member (object, name),
                                reeve_config_values_member_schema (schema, name), inner, indent + 1,
                                secret || reeve_config_print_hides (schema, name));
    }
}

static void
reeve_config_print_value (ReeveConfigPrint *self, JsonNode *node, const ReeveSchemaNode *schema,
                          const char *pointer, guint indent, gboolean secret)
{
  const ReeveConfigOrigin *origin = reeve_config_print_origin (self, pointer);

  secret |= schema != NULL && schema->secret;
  if (JSON_NODE_HOLDS_OBJECT (node) && json_object_get_size (json_node_get_object (node)) > 0)
    {
      g_string_append_c (self->out, '\n');
      reeve_config_print_object (self, json_node_get_object (node), schema, pointer, indent,
                                 secret);
    }
  else if (JSON_NODE_HOLDS_ARRAY (node) && json_array_get_length (json_node_get_array (node)) > 0)
    {
      JsonArray *array = json_node_get_array (node);
      reeve_config_print_origin_comment (self, origin);
      for (guint i = 0; i < json_array_get_length (array); i++)
        {
          g_autofree char *inner = g_strdup_printf ("%s/%u", pointer, i);
          reeve_config_print_indent (self, indent);
          g_string_append_c (self->out, '-');
          reeve_config_print_value (self, json_array_get_element (array, i),
                                    schema != NULL && schema->array != NULL ? schema->array->items
                                                                            : NULL,
                                    inner, indent + 1, secret);
        }
    }
  else
    reeve_config_print_scalar (self, node, pointer, secret);
}

/**
 * reeve_config_print_tree:
 * @root: an object
 * @schema: its schema
 * @origins: JSON pointer to ReeveConfigOrigin
 *
 * Returns: (transfer full): YAML with comments
 */
char *
reeve_config_print_tree (JsonNode *root, const ReeveSchemaNode *schema, GHashTable *origins)
{
  ReeveConfigPrint self = { g_string_new (NULL), origins };

  reeve_config_print_object (&self, json_node_get_object (root), schema, "", 0, FALSE);
  return g_string_free (self.out, FALSE);
}
