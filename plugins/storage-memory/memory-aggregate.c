/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Aggregates by groups and a bucket: every row goes to its group, groups are sorted at the end. */
#include "memory-aggregate.h"

#include "memory-query.h"

/* One column of a group: a key or an aggregate. */
typedef struct
{
  const char *name;
  const char *field; /* NULL: count */
  ReeveFieldType type;
  ReeveAggregateKind kind; /* of an aggregate */
  gint64 width;            /* of a bucket, else 0 */
} MemoryAggregateColumn;

typedef struct
{
  GArray *keys;   /* of MemoryAggregateColumn */
  GArray *values; /* of MemoryAggregateColumn */
} MemoryAggregateShape;

typedef struct
{
  GPtrArray *keys;   /* of JsonNode, NULL for null */
  GPtrArray *values; /* of JsonNode, NULL for null */
} MemoryAggregateGroup;

static void
memory_aggregate_clear_node (gpointer node)
{
  if (node != NULL)
    json_node_unref (node);
}

static void
memory_aggregate_group_free (MemoryAggregateGroup *group)
{
  g_ptr_array_unref (group->keys);
  g_ptr_array_unref (group->values);
  g_free (group);
}

static gboolean
memory_aggregate_add_column (MemoryScope *scope, ReeveQuery *query, GArray *columns,
                             MemoryAggregateColumn column, GError **error)
{
  const char *fault = NULL;

  column.type = REEVE_FIELD_INT;
  if (column.field != NULL
      && !memory_schema_find_field (scope->migrations, scope->number,
                                    reeve_query_get_collection (query), column.field, &column.type,
                                    error))
    return FALSE;
  if (column.width > 0 && column.type != REEVE_FIELD_INT)
    fault = "buckets need an integer field";
  if (column.field != NULL && column.kind == REEVE_AGGREGATE_SUM && column.type != REEVE_FIELD_INT
      && column.type != REEVE_FIELD_REAL)
    fault = "a sum needs a field of numbers";
  if (fault != NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, fault);
      return FALSE;
    }
  g_array_append_val (columns, column);
  return TRUE;
}

static gboolean
memory_aggregate_fill (MemoryScope *scope, ReeveQuery *query, MemoryAggregateShape *shape,
                       GError **error)
{
  GPtrArray *groups = reeve_query_get_groups (query);
  GPtrArray *aggregates = reeve_query_get_aggregates (query);
  gint64 width = 0;
  const char *bucket = reeve_query_get_bucket (query, &width);

  if (bucket != NULL
      && !memory_aggregate_add_column (
          scope, query, shape->keys,
          (MemoryAggregateColumn){ .name = bucket, .field = bucket, .width = width }, error))
    return FALSE;
  for (guint i = 0; i < groups->len; i++)
    {
      const char *name = g_ptr_array_index (groups, i);

      if (!memory_aggregate_add_column (scope, query, shape->keys,
                                        (MemoryAggregateColumn){ .name = name, .field = name },
                                        error))
        return FALSE;
    }
  for (guint i = 0; i < aggregates->len; i++)
    {
      const ReeveQueryAggregate *one = g_ptr_array_index (aggregates, i);

      if (!memory_aggregate_add_column (
              scope, query, shape->values,
              (MemoryAggregateColumn){ .name = one->name, .field = one->field, .kind = one->kind },
              error))
        return FALSE;
    }
  return TRUE;
}

static JsonNode *
memory_aggregate_key (const MemoryAggregateColumn *column, const MemoryQueryRow *row)
{
  JsonNode *node = memory_query_get_field (row, column->field, column->type);

  if (node != NULL && column->width > 0)
    {
      gint64 value = json_node_get_int (node);
      gint64 rest = value % column->width;

      json_node_unref (node);
      node = json_node_init_int (json_node_alloc (),
                                 value - (rest < 0 ? rest + column->width : rest));
    }
  return node;
}

static int
memory_aggregate_compare_nodes (ReeveFieldType type, JsonNode *left, JsonNode *right)
{
  if (left == NULL || right == NULL)
    return (left != NULL) - (right != NULL);
  return memory_query_compare (type, left, right);
}

static int
memory_aggregate_compare_keys (const MemoryAggregateShape *shape, GPtrArray *left, GPtrArray *right)
{
  int order = 0;

  for (guint i = 0; i < shape->keys->len && order == 0; i++)
    order = memory_aggregate_compare_nodes (
        g_array_index (shape->keys, MemoryAggregateColumn, i).type, left->pdata[i],
        right->pdata[i]);
  return order;
}

static int
memory_aggregate_compare_groups (gconstpointer a, gconstpointer b, gpointer user_data)
{
  return memory_aggregate_compare_keys (user_data, (*(MemoryAggregateGroup *const *) a)->keys,
                                        (*(MemoryAggregateGroup *const *) b)->keys);
}

static MemoryAggregateGroup *
memory_aggregate_new_group (const MemoryAggregateShape *shape, GPtrArray *keys)
{
  MemoryAggregateGroup *group = g_new0 (MemoryAggregateGroup, 1);

  group->keys = g_ptr_array_ref (keys);
  group->values = g_ptr_array_new_with_free_func (memory_aggregate_clear_node);
  for (guint i = 0; i < shape->values->len; i++)
    {
      const MemoryAggregateColumn *column
          = &g_array_index (shape->values, MemoryAggregateColumn, i);
      JsonNode *start = NULL;

      if (column->kind == REEVE_AGGREGATE_SUM && column->type == REEVE_FIELD_REAL)
        start = json_node_init_double (json_node_alloc (), 0);
      else if (column->kind == REEVE_AGGREGATE_COUNT || column->kind == REEVE_AGGREGATE_SUM)
        start = json_node_init_int (json_node_alloc (), 0);
      g_ptr_array_add (group->values, start);
    }
  return group;
}

/* FALSE: a sum left 64 bits */
static gboolean
memory_aggregate_add_value (const MemoryAggregateColumn *column, JsonNode **value, JsonNode *node)
{
  gint64 sum = 0;
  int order = 0;

  if (column->kind == REEVE_AGGREGATE_COUNT)
    {
      json_node_set_int (*value, json_node_get_int (*value) + 1);
      return TRUE;
    }
  if (node == NULL)
    return TRUE;
  if (column->kind == REEVE_AGGREGATE_SUM && column->type == REEVE_FIELD_INT)
    {
      if (__builtin_add_overflow (json_node_get_int (*value), json_node_get_int (node), &sum))
        return FALSE;
      json_node_set_int (*value, sum);
      return TRUE;
    }
  if (column->kind == REEVE_AGGREGATE_SUM)
    {
      double real = json_node_get_value_type (node) == G_TYPE_INT64
                        ? (double) json_node_get_int (node)
                        : json_node_get_double (node);

      json_node_set_double (*value, json_node_get_double (*value) + real);
      return TRUE;
    }
  order = *value != NULL ? memory_query_compare (column->type, node, *value) : 0;
  if (*value == NULL || (column->kind == REEVE_AGGREGATE_MIN ? order < 0 : order > 0))
    {
      g_clear_pointer (value, json_node_unref);
      *value = json_node_ref (node);
    }
  return TRUE;
}

static gboolean
memory_aggregate_add_row (const MemoryAggregateShape *shape, GPtrArray *groups,
                          const MemoryQueryRow *row)
{
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (memory_aggregate_clear_node);
  MemoryAggregateGroup *group = NULL;

  for (guint i = 0; i < shape->keys->len; i++)
    g_ptr_array_add (
        keys, memory_aggregate_key (&g_array_index (shape->keys, MemoryAggregateColumn, i), row));
  for (guint i = 0; i < groups->len && group == NULL; i++)
    {
      MemoryAggregateGroup *one = g_ptr_array_index (groups, i);

      if (memory_aggregate_compare_keys (shape, one->keys, keys) == 0)
        group = one;
    }
  if (group == NULL)
    {
      group = memory_aggregate_new_group (shape, keys);
      g_ptr_array_add (groups, group);
    }
  for (guint i = 0; i < shape->values->len; i++)
    {
      const MemoryAggregateColumn *column
          = &g_array_index (shape->values, MemoryAggregateColumn, i);
      g_autoptr (JsonNode) node = NULL;

      if (column->field != NULL)
        node = memory_query_get_field (row, column->field, column->type);
      if (!memory_aggregate_add_value (column, (JsonNode **) &group->values->pdata[i], node))
        return FALSE;
    }
  return TRUE;
}

/* real numbers are always written as such */
static void
memory_aggregate_write (JsonObject *object, const MemoryAggregateColumn *column, JsonNode *node)
{
  if (node == NULL)
    json_object_set_null_member (object, column->name);
  else if (column->type == REEVE_FIELD_REAL && json_node_get_value_type (node) == G_TYPE_INT64)
    json_object_set_double_member (object, column->name, (double) json_node_get_int (node));
  else
    json_object_set_member (object, column->name, json_node_copy (node));
}

static ReeveQueryResult *
memory_aggregate_page (const MemoryAggregateShape *shape, GPtrArray *groups, guint limit,
                       guint64 offset)
{
  ReeveQueryResult *result = reeve_query_result_new ();
  guint64 end = MIN (offset + limit, groups->len);

  for (guint64 i = offset; i < end; i++)
    {
      const MemoryAggregateGroup *group = g_ptr_array_index (groups, i);
      g_autoptr (JsonObject) object = json_object_new ();

      for (guint k = 0; k < shape->keys->len; k++)
        memory_aggregate_write (object, &g_array_index (shape->keys, MemoryAggregateColumn, k),
                                group->keys->pdata[k]);
      for (guint k = 0; k < shape->values->len; k++)
        memory_aggregate_write (object, &g_array_index (shape->values, MemoryAggregateColumn, k),
                                group->values->pdata[k]);
      reeve_query_result_add_group (result, object);
    }
  if (end < groups->len)
    {
      g_autofree char *cursor = g_strdup_printf ("%" G_GUINT64_FORMAT, end);

      reeve_query_result_set_cursor (result, cursor);
    }
  return result;
}

/**
 * memory_aggregate_run:
 * @scope: a scope
 * @query: a query of valid shape with aggregates
 * @rows: (element-type MemoryQueryRow): what passed its filters
 * @error: return location
 *
 * Returns: (transfer full): one page of groups; %NULL on error
 */
ReeveQueryResult *
memory_aggregate_run (MemoryScope *scope, ReeveQuery *query, GPtrArray *rows, GError **error)
{
  g_autoptr (GArray) keys = g_array_new (FALSE, FALSE, sizeof (MemoryAggregateColumn));
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (MemoryAggregateColumn));
  g_autoptr (GPtrArray) groups
      = g_ptr_array_new_with_free_func ((GDestroyNotify) memory_aggregate_group_free);
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  MemoryAggregateShape shape = { keys, values };
  const char *cursor = reeve_query_get_cursor (query);
  guint64 offset = 0;

  if (cursor != NULL && !g_ascii_string_to_unsigned (cursor, 10, 1, G_MAXINT, &offset, NULL))
    {
      reeve_error_set_member (error, "/cursor", "the cursor is not of this query");
      return NULL;
    }
  if (!memory_aggregate_fill (scope, query, &shape, error))
    return NULL;
  /* without keys there is one group, even of nothing */
  if (keys->len == 0)
    g_ptr_array_add (groups, memory_aggregate_new_group (&shape, none));
  for (guint i = 0; i < rows->len; i++)
    if (!memory_aggregate_add_row (&shape, groups, g_ptr_array_index (rows, i)))
      {
        g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE, "a sum leaves 64 bits");
        return NULL;
      }
  g_ptr_array_sort_with_data (groups, memory_aggregate_compare_groups, &shape);
  return memory_aggregate_page (&shape, groups, reeve_query_get_limit (query),
                                MIN (offset, groups->len));
}
