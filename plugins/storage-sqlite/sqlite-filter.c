/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filters of a query as conditions with numbered parameters. Values are compared only with fields
 * of their own type, so that SQLite's conversions never decide anything. */
#include "sqlite-filter.h"

#include <string.h>

/**
 * sqlite_filter_find_field:
 * @collection: a collection
 * @name: of a declared field, or `@id`
 * @error: return location
 *
 * Returns: (transfer none): the field; %NULL with %REEVE_ERROR_INVALID_ARGUMENT
 */
const SqliteField *
sqlite_filter_find_field (const SqliteCollection *collection, const char *name, GError **error)
{
  static char id[] = "id";
  static const SqliteField id_field = { id, id, REEVE_FIELD_TEXT };
  const SqliteField *field = &id_field;

  if (strcmp (name, "@id") != 0)
    field = sqlite_schema_find_field (collection, name);
  if (field == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "field %s of %s is not declared",
                 name, collection->name);
  return field;
}

/**
 * sqlite_filter_accepts:
 * @field: a field
 * @value: a scalar
 *
 * Returns: whether they can be compared
 */
gboolean
sqlite_filter_accepts (const SqliteField *field, JsonNode *value)
{
  GType type = JSON_NODE_HOLDS_VALUE (value) ? json_node_get_value_type (value) : G_TYPE_INVALID;

  switch (field->type)
    {
    case REEVE_FIELD_TEXT:
      return type == G_TYPE_STRING;
    case REEVE_FIELD_INT:
      return type == G_TYPE_INT64;
    case REEVE_FIELD_REAL:
      return type == G_TYPE_INT64 || type == G_TYPE_DOUBLE;
    case REEVE_FIELD_BOOLEAN:
    default:
      return type == G_TYPE_BOOLEAN;
    }
}

static gboolean
sqlite_filter_check (const SqliteField *field, const ReeveQueryFilter *filter, GError **error)
{
  gboolean good = TRUE;

  if (filter->op == REEVE_FILTER_IN)
    {
      JsonArray *array = json_node_get_array (filter->value);

      for (guint i = 0; i < json_array_get_length (array); i++)
        good = good && sqlite_filter_accepts (field, json_array_get_element (array, i));
    }
  else
    {
      good = sqlite_filter_accepts (field, filter->value);
    }
  if (!good)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                 "filter of %s: the value has another type than the field", filter->field);
  return good;
}

/* the least text that is greater than every text with that prefix; no UTF-8 byte is 0xff */
static JsonNode *
sqlite_filter_end_of_prefix (const char *prefix)
{
  g_autofree char *end = g_strdup (prefix);

  end[strlen (end) - 1]++;
  return json_node_init_string (json_node_alloc (), end);
}

static void
sqlite_filter_write_one (const SqliteField *field, const ReeveQueryFilter *filter, GString *sql,
                         GPtrArray *values)
{
  static const char *const ops[] = { "=", "<", "<=", ">", ">=" };
  const char *prefix = NULL;

  if (filter->op == REEVE_FILTER_IN)
    {
      g_autofree char *text = reeve_json_text (filter->value);

      g_ptr_array_add (values, json_node_init_string (json_node_alloc (), text));
      g_string_append_printf (sql, " AND %s IN (SELECT value FROM json_each (?%u))", field->column,
                              values->len);
      return;
    }
  if (filter->op != REEVE_FILTER_PREFIX)
    {
      g_ptr_array_add (values, json_node_copy (filter->value));
      g_string_append_printf (sql, " AND %s %s ?%u", field->column, ops[filter->op], values->len);
      return;
    }
  prefix = json_node_get_string (filter->value);
  if (*prefix == '\0')
    {
      g_string_append_printf (sql, " AND %s IS NOT NULL", field->column);
      return;
    }
  g_ptr_array_add (values, json_node_copy (filter->value));
  g_ptr_array_add (values, sqlite_filter_end_of_prefix (prefix));
  g_string_append_printf (sql, " AND %s >= ?%u AND %s < ?%u", field->column, values->len - 1,
                          field->column, values->len);
}

/**
 * sqlite_filter_write:
 * @collection: a collection
 * @query: a query of valid shape
 * @sql: gets " AND …" for each filter
 * @values: (element-type JsonNode): gets the values of its parameters, in order
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT
 */
gboolean
sqlite_filter_write (const SqliteCollection *collection, ReeveQuery *query, GString *sql,
                     GPtrArray *values, GError **error)
{
  GPtrArray *filters = reeve_query_get_filters (query);

  for (guint i = 0; i < filters->len; i++)
    {
      const ReeveQueryFilter *filter = g_ptr_array_index (filters, i);
      const SqliteField *field = sqlite_filter_find_field (collection, filter->field, error);

      if (field == NULL || !sqlite_filter_check (field, filter, error))
        return FALSE;
      if (filter->op == REEVE_FILTER_PREFIX && field->type != REEVE_FIELD_TEXT)
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                       "filter of %s: only text has a prefix", filter->field);
          return FALSE;
        }
      sqlite_filter_write_one (field, filter, sql, values);
    }
  return TRUE;
}

/**
 * sqlite_filter_bind:
 * @statement: a statement
 * @values: (element-type JsonNode): scalars, which live until the statement is reset
 *
 * Binds them to its first parameters.
 */
void
sqlite_filter_bind (sqlite3_stmt *statement, GPtrArray *values)
{
  for (guint i = 0; i < values->len; i++)
    {
      JsonNode *value = g_ptr_array_index (values, i);
      GType type = json_node_get_value_type (value);
      int position = (int) i + 1;

      if (type == G_TYPE_STRING)
        sqlite_connection_bind_text (statement, position, json_node_get_string (value));
      else if (type == G_TYPE_DOUBLE)
        sqlite3_bind_double (statement, position, json_node_get_double (value));
      else if (type == G_TYPE_BOOLEAN)
        sqlite3_bind_int64 (statement, position, json_node_get_boolean (value) ? 1 : 0);
      else
        sqlite3_bind_int64 (statement, position, json_node_get_int (value));
    }
}
