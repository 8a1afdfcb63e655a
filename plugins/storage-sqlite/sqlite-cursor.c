/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a page of a query ended: the order, the last value and the last id, as base64 of a JSON
 * array. Callers send it back to us, so it is read as strictly as everything from outside; it can
 * only choose a place in what the query may see anyway. */
#include "sqlite-cursor.h"

#include "sqlite-filter.h"

#include <string.h>

#define CURSOR_MAX 8192

static JsonNode *
sqlite_cursor_column (sqlite3_stmt *statement, int column)
{
  JsonNode *node = json_node_alloc ();

  switch (sqlite3_column_type (statement, column))
    {
    case SQLITE_INTEGER:
      return json_node_init_int (node, sqlite3_column_int64 (statement, column));
    case SQLITE_FLOAT:
      return json_node_init_double (node, sqlite3_column_double (statement, column));
    case SQLITE_TEXT:
      return json_node_init_string (node, (const char *) sqlite3_column_text (statement, column));
    default:
      return json_node_init_null (node);
    }
}

/**
 * sqlite_cursor_write:
 * @query: the query
 * @statement: on the last row of the page: column 0 is the id, column 3 the field of the order
 * @absent: whether the rows lack that field
 *
 * Returns: (transfer full): a cursor
 */
char *
sqlite_cursor_write (ReeveQuery *query, sqlite3_stmt *statement, gboolean absent)
{
  g_autoptr (JsonArray) array = json_array_new ();
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);
  g_autofree char *text = NULL;
  gboolean descending = FALSE;

  json_array_add_string_element (array, reeve_query_get_order (query, &descending));
  json_array_add_boolean_element (array, descending);
  json_array_add_boolean_element (array, absent);
  json_array_add_element (array, sqlite_cursor_column (statement, 3));
  json_array_add_string_element (array, (const char *) sqlite3_column_text (statement, 0));
  json_node_set_array (node, array);
  text = reeve_json_text (node);
  return g_base64_encode ((const guchar *) text, strlen (text));
}

static JsonArray *
sqlite_cursor_parse (const char *cursor)
{
  gsize length = 0;
  g_autofree guchar *text = NULL;
  g_autoptr (JsonNode) node = NULL;

  if (strlen (cursor) > CURSOR_MAX)
    return NULL;
  text = g_base64_decode (cursor, &length);
  node = reeve_json_parse_strict ((const char *) text, length, NULL);
  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node)
      || json_array_get_length (json_node_get_array (node)) != 5)
    return NULL;
  return json_array_ref (json_node_get_array (node));
}

static gboolean
sqlite_cursor_holds (JsonArray *array, guint position, GType type)
{
  JsonNode *node = json_array_get_element (array, position);

  return JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == type;
}

/* the value of the order's column as the statement compares it: booleans lie there as 0 and 1 */
static gboolean
sqlite_cursor_value_fits (const SqliteField *order, JsonNode *value)
{
  if (order->type == REEVE_FIELD_BOOLEAN)
    return JSON_NODE_HOLDS_VALUE (value) && json_node_get_value_type (value) == G_TYPE_INT64;
  return sqlite_filter_accepts (order, value);
}

/**
 * sqlite_cursor_read:
 * @query: a query with a cursor
 * @order: the field that it is ordered by
 * @error: return location
 *
 * Returns: (transfer full): its cursor; %NULL with %REEVE_ERROR_INVALID_ARGUMENT when it is none,
 * or of another order
 */
SqliteCursor *
sqlite_cursor_read (ReeveQuery *query, const SqliteField *order, GError **error)
{
  g_autoptr (JsonArray) array = sqlite_cursor_parse (reeve_query_get_cursor (query));
  gboolean descending = FALSE;
  const char *name = reeve_query_get_order (query, &descending);

  if (array != NULL && sqlite_cursor_holds (array, 0, G_TYPE_STRING)
      && sqlite_cursor_holds (array, 1, G_TYPE_BOOLEAN)
      && sqlite_cursor_holds (array, 2, G_TYPE_BOOLEAN)
      && sqlite_cursor_holds (array, 4, G_TYPE_STRING)
      && g_str_equal (json_array_get_string_element (array, 0), name)
      && json_array_get_boolean_element (array, 1) == descending)
    {
      gboolean absent = json_array_get_boolean_element (array, 2);
      JsonNode *value = json_array_get_element (array, 3);

      if (absent || sqlite_cursor_value_fits (order, value))
        {
          SqliteCursor *self = g_new0 (SqliteCursor, 1);

          self->absent = absent;
          self->value = absent ? NULL : json_node_copy (value);
          self->id = g_strdup (json_array_get_string_element (array, 4));
          return self;
        }
    }
  reeve_error_set_member (error, "/cursor", "the cursor is not of this query");
  return NULL;
}

/**
 * sqlite_cursor_free:
 * @self: (transfer full): a cursor
 *
 * Frees it.
 */
void
sqlite_cursor_free (SqliteCursor *self)
{
  g_clear_pointer (&self->value, json_node_unref);
  g_free (self->id);
  g_free (self);
}
