/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tree of path segments: a literal wins over a parameter, and a path that exists only for other
 * methods is told apart from one that does not exist. Segments are compared before they are
 * decoded, so an encoded slash stays inside its segment. */
#include "router.h"

#include <string.h>

typedef struct _ReeveRestRouterNode ReeveRestRouterNode;

struct _ReeveRestRouterNode
{
  GHashTable *literals;           /* (element-type utf8 ReeveRestRouterNode) */
  ReeveRestRouterNode *parameter; /* {anything} */
  GPtrArray *rows;                /* (element-type ReeveRestRouterRow) */
};

typedef struct
{
  const ReeveOperation *operation;
  const char *names[REEVE_REST_ROUTER_MAX_MEMBERS]; /* interned */
  guint length;
} ReeveRestRouterRow;

struct _ReeveRestRouter
{
  ReeveRestRouterNode *root;
};

static void
reeve_rest_router_node_free (gpointer data)
{
  ReeveRestRouterNode *node = data;

  g_hash_table_unref (node->literals);
  g_clear_pointer (&node->parameter, reeve_rest_router_node_free);
  g_ptr_array_unref (node->rows);
  g_free (node);
}

static ReeveRestRouterNode *
reeve_rest_router_node_new (void)
{
  ReeveRestRouterNode *node = g_new0 (ReeveRestRouterNode, 1);

  node->literals
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, reeve_rest_router_node_free);
  node->rows = g_ptr_array_new_with_free_func (g_free);
  return node;
}

static ReeveRestRouterNode *
reeve_rest_router_step (ReeveRestRouterNode *node, const char *segment, ReeveRestRouterRow *row)
{
  ReeveRestRouterNode *next = NULL;
  gsize length = strlen (segment);

  if (*segment == '{')
    {
      g_autofree char *name = g_strndup (segment + 1, length - 2);

      g_assert (row->length < REEVE_REST_ROUTER_MAX_MEMBERS);
      row->names[row->length++] = g_intern_string (name);
      if (node->parameter == NULL)
        node->parameter = reeve_rest_router_node_new ();
      return node->parameter;
    }
  next = g_hash_table_lookup (node->literals, segment);
  if (next == NULL)
    {
      next = reeve_rest_router_node_new ();
      g_hash_table_insert (node->literals, g_strdup (segment), next);
    }
  return next;
}

static void
reeve_rest_router_add (ReeveRestRouter *self, const ReeveOperation *operation, const char *path)
{
  g_auto (GStrv) segments = g_strsplit (path + 1, "/", -1);
  ReeveRestRouterRow *row = g_new0 (ReeveRestRouterRow, 1);
  ReeveRestRouterNode *node = self->root;

  row->operation = operation;
  for (guint i = 0; segments[i] != NULL; i++)
    node = reeve_rest_router_step (node, segments[i], row);
  g_ptr_array_add (node->rows, row);
}

/**
 * reeve_rest_router_new:
 * @operations: the table, ended by a %NULL name
 *
 * Returns: (transfer full): a router over all paths and aliases
 */
ReeveRestRouter *
reeve_rest_router_new (const ReeveOperation *operations)
{
  ReeveRestRouter *self = g_new0 (ReeveRestRouter, 1);

  self->root = reeve_rest_router_node_new ();
  for (const ReeveOperation *row = operations; row->name != NULL; row++)
    {
      reeve_rest_router_add (self, row, row->path);
      for (guint i = 0; row->aliases != NULL && row->aliases[i] != NULL; i++)
        reeve_rest_router_add (self, row, row->aliases[i]);
    }
  return self;
}

void
reeve_rest_router_free (ReeveRestRouter *self)
{
  reeve_rest_router_node_free (self->root);
  g_free (self);
}

void
reeve_rest_router_clear_match (ReeveRestMatch *match)
{
  for (guint i = 0; i < match->length; i++)
    g_free (match->values[i]);
  match->length = 0;
  g_clear_pointer (&match->allow, g_free);
}

static char *
reeve_rest_router_list_methods (ReeveRestRouterNode *node)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < node->rows->len; i++)
    {
      const ReeveRestRouterRow *row = node->rows->pdata[i];

      g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", row->operation->method);
      if (strcmp (row->operation->method, "GET") == 0)
        g_string_append (text, ", HEAD");
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* HEAD is GET without a body, which the server leaves out itself. */
static gboolean
reeve_rest_router_is_method (const ReeveOperation *operation, const char *method)
{
  return strcmp (operation->method, method) == 0
         || (strcmp (method, "HEAD") == 0 && strcmp (operation->method, "GET") == 0);
}

static void
reeve_rest_router_pick (ReeveRestRouterNode *node, const char *method, ReeveRestMatch *match)
{
  for (guint i = 0; i < node->rows->len; i++)
    {
      const ReeveRestRouterRow *row = node->rows->pdata[i];

      if (!reeve_rest_router_is_method (row->operation, method))
        continue;
      match->operation = row->operation;
      memcpy (match->names, row->names, sizeof match->names);
      return;
    }
  match->allow = reeve_rest_router_list_methods (node);
}

/**
 * reeve_rest_router_match:
 * @self: a router
 * @method: of the request
 * @path: of the request, undecoded, without the query
 * @match: (out caller-allocates): to be cleared
 *
 * Returns: is there such a path
 */
gboolean
reeve_rest_router_match (ReeveRestRouter *self, const char *method, const char *path,
                         ReeveRestMatch *match)
{
  ReeveRestRouterNode *node = self->root;
  char segment[256] = { 0 };

  memset (match, 0, sizeof *match);
  if (*path != '/')
    return FALSE;
  for (const char *at = path + 1; node != NULL; at++)
    {
      gsize length = strcspn (at, "/");
      ReeveRestRouterNode *next = NULL;

      if (length < sizeof segment)
        {
          memcpy (segment, at, length);
          segment[length] = '\0';
          next = g_hash_table_lookup (node->literals, segment);
        }
      if (next == NULL && node->parameter != NULL && length > 0)
        {
          char *value = g_uri_unescape_segment (at, at + length, NULL);

          if (value == NULL || !g_utf8_validate (value, -1, NULL)
              || match->length == REEVE_REST_ROUTER_MAX_MEMBERS)
            {
              g_free (value);
              return FALSE;
            }
          match->values[match->length++] = value;
          next = node->parameter;
        }
      node = next;
      at += length;
      if (*at == '\0')
        break;
    }
  if (node == NULL || node->rows->len == 0)
    return FALSE;
  reeve_rest_router_pick (node, method, match);
  return TRUE;
}
