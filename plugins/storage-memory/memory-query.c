/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers queries by looking at every record: slow, and plain enough to be believed. */
#include "memory-query.h"

#include "memory-aggregate.h"

#include <string.h>

typedef struct
{
  MemoryScope *scope;
  ReeveQuery *query;
  GPtrArray *rows; /* of MemoryQueryRow */
  GError *error;
} MemoryQueryScan;

typedef struct
{
  const char *field;
  ReeveFieldType type;
  gboolean descending;
} MemoryQueryOrder;

static void
memory_query_row_free (MemoryQueryRow *row)
{
  memory_map_value_unref (row->value);
  json_object_unref (row->fields);
  g_free (row);
}

/**
 * memory_query_parse:
 * @text: a stored object
 * @error: return location
 *
 * Returns: (transfer full): it, shared with nobody; %NULL with %REEVE_ERROR_CORRUPT
 */
JsonObject *
memory_query_parse (const char *text, GError **error)
{
  g_autoptr (JsonNode) node = reeve_json_parse_strict (text, strlen (text), NULL);

  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    return json_node_dup_object (node);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "a stored object cannot be read");
  return NULL;
}

/**
 * memory_query_get_field:
 * @row: a record
 * @name: of a declared field, or `@id`
 * @type: its type
 *
 * Returns: (transfer full) (nullable): its value; %NULL when absent, null, or of another type
 * (written before the field was declared)
 */
JsonNode *
memory_query_get_field (const MemoryQueryRow *row, const char *name, ReeveFieldType type)
{
  JsonNode *node = NULL;

  if (strcmp (name, "@id") == 0)
    return json_node_init_string (json_node_alloc (), row->value->id);
  node = json_object_get_member (row->fields, name);
  return node != NULL && memory_schema_accepts (type, node) ? json_node_ref (node) : NULL;
}

static double
memory_query_get_real (JsonNode *node)
{
  return json_node_get_value_type (node) == G_TYPE_INT64 ? (double) json_node_get_int (node)
                                                         : json_node_get_double (node);
}

/**
 * memory_query_compare:
 * @type: of both
 * @left: a value
 * @right: another
 *
 * Returns: less than, equal to or greater than 0; text by its bytes, false before true
 */
int
memory_query_compare (ReeveFieldType type, JsonNode *left, JsonNode *right)
{
  if (type == REEVE_FIELD_TEXT)
    return strcmp (json_node_get_string (left), json_node_get_string (right));
  if (type == REEVE_FIELD_BOOLEAN)
    return (int) json_node_get_boolean (left) - (int) json_node_get_boolean (right);
  if (type == REEVE_FIELD_INT)
    {
      gint64 a = json_node_get_int (left);
      gint64 b = json_node_get_int (right);

      return a < b ? -1 : a > b;
    }
  else
    {
      double a = memory_query_get_real (left);
      double b = memory_query_get_real (right);

      return a < b ? -1 : a > b;
    }
}

static gboolean
memory_query_is_in (ReeveFieldType type, JsonNode *value, JsonArray *array)
{
  for (guint i = 0; i < json_array_get_length (array); i++)
    if (memory_query_compare (type, value, json_array_get_element (array, i)) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
memory_query_passes (const ReeveQueryFilter *filter, ReeveFieldType type, JsonNode *value)
{
  int order = 0;

  if (filter->op == REEVE_FILTER_IN)
    return memory_query_is_in (type, value, json_node_get_array (filter->value));
  if (filter->op == REEVE_FILTER_PREFIX)
    return g_str_has_prefix (json_node_get_string (value), json_node_get_string (filter->value));
  order = memory_query_compare (type, value, filter->value);
  switch (filter->op)
    {
    case REEVE_FILTER_EQ:
      return order == 0;
    case REEVE_FILTER_LT:
      return order < 0;
    case REEVE_FILTER_LE:
      return order <= 0;
    case REEVE_FILTER_GT:
      return order > 0;
    default:
      return order >= 0;
    }
}

static gboolean
memory_query_check_filter (const ReeveQueryFilter *filter, ReeveFieldType type, GError **error)
{
  gboolean good = TRUE;

  if (filter->op == REEVE_FILTER_IN)
    {
      JsonArray *array = json_node_get_array (filter->value);

      for (guint i = 0; i < json_array_get_length (array); i++)
        good = good && memory_schema_accepts (type, json_array_get_element (array, i));
    }
  else
    {
      good = memory_schema_accepts (type, filter->value)
             && (filter->op != REEVE_FILTER_PREFIX || type == REEVE_FIELD_TEXT);
    }
  if (!good)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                 "filter of %s: the value has another type than the field", filter->field);
  return good;
}

static gboolean
memory_query_check_filters (MemoryScope *scope, ReeveQuery *query, GError **error)
{
  GPtrArray *filters = reeve_query_get_filters (query);

  for (guint i = 0; i < filters->len; i++)
    {
      const ReeveQueryFilter *filter = g_ptr_array_index (filters, i);
      ReeveFieldType type = REEVE_FIELD_TEXT;

      if (!memory_schema_find_field (scope->migrations, scope->number,
                                     reeve_query_get_collection (query), filter->field, &type,
                                     error)
          || !memory_query_check_filter (filter, type, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
memory_query_row_passes (MemoryQueryScan *scan, const MemoryQueryRow *row)
{
  GPtrArray *filters = reeve_query_get_filters (scan->query);

  for (guint i = 0; i < filters->len; i++)
    {
      const ReeveQueryFilter *filter = g_ptr_array_index (filters, i);
      ReeveFieldType type = REEVE_FIELD_TEXT;
      g_autoptr (JsonNode) value = NULL;

      memory_schema_find_field (scan->scope->migrations, scan->scope->number,
                                reeve_query_get_collection (scan->query), filter->field, &type,
                                NULL);
      value = memory_query_get_field (row, filter->field, type);
      if (value == NULL || !memory_query_passes (filter, type, value))
        return FALSE;
    }
  return TRUE;
}

static gboolean
memory_query_scan_one (const char *key, MemoryValue *value, gpointer user_data)
{
  MemoryQueryScan *scan = user_data;
  JsonObject *fields = memory_query_parse (value->text, &scan->error);
  MemoryQueryRow *row = NULL;

  if (fields == NULL)
    return TRUE;
  row = g_new0 (MemoryQueryRow, 1);
  row->value = memory_map_value_ref (value);
  row->fields = fields;
  if (memory_query_row_passes (scan, row))
    g_ptr_array_add (scan->rows, row);
  else
    memory_query_row_free (row);
  return FALSE;
}

/* records without the field come last in either direction, ties are broken by the id */
static int
memory_query_compare_rows (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const MemoryQueryOrder *order = user_data;
  const MemoryQueryRow *left = *(MemoryQueryRow *const *) a;
  const MemoryQueryRow *right = *(MemoryQueryRow *const *) b;
  g_autoptr (JsonNode) x = memory_query_get_field (left, order->field, order->type);
  g_autoptr (JsonNode) y = memory_query_get_field (right, order->field, order->type);
  int result = 0;

  if ((x == NULL) != (y == NULL))
    return x == NULL ? 1 : -1;
  if (x != NULL)
    result = memory_query_compare (order->type, x, y);
  if (result == 0)
    result = strcmp (left->value->id, right->value->id);
  return order->descending ? -result : result;
}

/* a cursor is a row that need not exist any more: the value of the order's field and the id */
static char *
memory_query_write_cursor (const MemoryQueryOrder *order, const MemoryQueryRow *row)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);
  JsonArray *array = json_array_new ();
  JsonNode *value = memory_query_get_field (row, order->field, order->type);
  g_autofree char *text = NULL;

  json_node_take_array (node, array);
  json_array_add_string_element (array, order->field);
  json_array_add_boolean_element (array, order->descending);
  if (value != NULL)
    json_array_add_element (array, value);
  else
    json_array_add_null_element (array);
  json_array_add_string_element (array, row->value->id);
  text = reeve_json_text (node);
  return g_base64_encode ((const guchar *) text, strlen (text));
}

static gboolean
memory_query_cursor_is_ours (const MemoryQueryOrder *order, JsonNode *node)
{
  JsonArray *array = NULL;
  JsonNode *parts[4] = { NULL };

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    return FALSE;
  array = json_node_get_array (node);
  if (json_array_get_length (array) != G_N_ELEMENTS (parts))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    parts[i] = json_array_get_element (array, i);
  return memory_schema_accepts (REEVE_FIELD_TEXT, parts[0])
         && strcmp (json_node_get_string (parts[0]), order->field) == 0
         && memory_schema_accepts (REEVE_FIELD_BOOLEAN, parts[1])
         && json_node_get_boolean (parts[1]) == order->descending
         && (JSON_NODE_HOLDS_NULL (parts[2]) || memory_schema_accepts (order->type, parts[2]))
         && memory_schema_accepts (REEVE_FIELD_TEXT, parts[3]);
}

static MemoryQueryRow *
memory_query_read_cursor (const MemoryQueryOrder *order, const char *cursor, GError **error)
{
  gsize length = 0;
  g_autofree guchar *text = g_base64_decode (cursor, &length);
  g_autoptr (JsonNode) node = reeve_json_parse_strict ((const char *) text, length, NULL);
  MemoryQueryRow *row = NULL;
  JsonArray *array = NULL;

  if (!memory_query_cursor_is_ours (order, node))
    {
      reeve_error_set_member (error, "/cursor", "the cursor is not of this query");
      return NULL;
    }
  array = json_node_get_array (node);
  row = g_new0 (MemoryQueryRow, 1);
  row->value = memory_map_value_new ();
  row->value->id = g_strdup (json_array_get_string_element (array, 3));
  row->fields = json_object_new ();
  if (!json_array_get_null_element (array, 2))
    json_object_set_member (row->fields, order->field, json_array_dup_element (array, 2));
  return row;
}

static gboolean
memory_query_drop_before (GPtrArray *rows, MemoryQueryOrder *order, const char *cursor,
                          GError **error)
{
  MemoryQueryRow *from = NULL;
  guint n = 0;

  if (cursor == NULL)
    return TRUE;
  from = memory_query_read_cursor (order, cursor, error);
  if (from == NULL)
    return FALSE;
  while (n < rows->len && memory_query_compare_rows (&rows->pdata[n], &from, order) <= 0)
    n++;
  if (n > 0)
    g_ptr_array_remove_range (rows, 0, n);
  memory_query_row_free (from);
  return TRUE;
}

static ReeveQueryResult *
memory_query_page (MemoryScope *scope, ReeveQuery *query, GPtrArray *rows, GError **error)
{
  g_autoptr (ReeveQueryResult) result = reeve_query_result_new ();
  guint limit = reeve_query_get_limit (query);
  MemoryQueryOrder order = { NULL, REEVE_FIELD_TEXT, FALSE };

  order.field = reeve_query_get_order (query, &order.descending);
  if (!memory_schema_find_field (scope->migrations, scope->number,
                                 reeve_query_get_collection (query), order.field, &order.type,
                                 error))
    return NULL;
  g_ptr_array_sort_with_data (rows, memory_query_compare_rows, &order);
  if (!memory_query_drop_before (rows, &order, reeve_query_get_cursor (query), error))
    return NULL;
  for (guint i = 0; i < MIN (limit, rows->len); i++)
    {
      const MemoryQueryRow *row = g_ptr_array_index (rows, i);
      g_autoptr (ReeveRecord) record
          = reeve_record_new (row->value->id, row->value->number, row->fields);

      reeve_query_result_add (result, record);
    }
  if (rows->len > limit)
    {
      g_autofree char *cursor
          = memory_query_write_cursor (&order, g_ptr_array_index (rows, limit - 1));

      reeve_query_result_set_cursor (result, cursor);
    }
  return g_steal_pointer (&result);
}

/**
 * memory_query_run:
 * @scope: a scope
 * @query: what to ask
 * @error: return location
 *
 * Returns: (transfer full): one page; %NULL on error
 */
ReeveQueryResult *
memory_query_run (MemoryScope *scope, ReeveQuery *query, GError **error)
{
  const char *collection = reeve_query_get_collection (query);
  g_autoptr (GPtrArray) rows
      = g_ptr_array_new_with_free_func ((GDestroyNotify) memory_query_row_free);
  MemoryQueryScan scan = { scope, query, rows, NULL };
  g_autofree char *prefix = memory_map_key ('r', collection, NULL, NULL);

  if (!reeve_query_validate (query, error)
      || !memory_schema_has (scope->migrations, scope->number, REEVE_STEP_COLLECTION, collection,
                             error)
      || !memory_query_check_filters (scope, query, error))
    return NULL;
  memory_map_each (scope->map, prefix, memory_query_scan_one, &scan);
  if (scan.error != NULL)
    {
      g_propagate_error (error, scan.error);
      return NULL;
    }
  if (reeve_query_get_aggregates (query)->len > 0)
    return memory_aggregate_run (scope, query, rows, error);
  return memory_query_page (scope, query, rows, error);
}
