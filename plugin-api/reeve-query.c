/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveQuery: a question to one collection in a bounded language, so that every storage can answer
 * it from an index and no text of a caller ever becomes a statement. */
#include "reeve-storage.h"

#define QUERY_DEFAULT_LIMIT  50
#define QUERY_MAX_AGGREGATES 8

struct _ReeveQuery
{
  gatomicrefcount refs;
  char *scope;
  char *collection;
  GPtrArray *filters;
  char *order;
  gboolean descending;
  guint limit;
  char *cursor;
  GPtrArray *aggregates;
  GPtrArray *groups;
  char *bucket;
  gint64 bucket_width;
};

static void
reeve_query_filter_free (ReeveQueryFilter *filter)
{
  g_free (filter->field);
  json_node_unref (filter->value);
  g_free (filter);
}

static void
reeve_query_aggregate_free (ReeveQueryAggregate *aggregate)
{
  g_free (aggregate->field);
  g_free (aggregate->name);
  g_free (aggregate);
}

/**
 * reeve_query_new:
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 * @collection: a declared collection
 *
 * A query for the first 50 records in the order of their ids.
 *
 * Returns: (transfer full): a query
 *
 * Since: 1.0
 */
ReeveQuery *
reeve_query_new (const char *scope, const char *collection)
{
  ReeveQuery *self = NULL;

  g_return_val_if_fail (scope != NULL && collection != NULL, NULL);
  self = g_new0 (ReeveQuery, 1);
  g_atomic_ref_count_init (&self->refs);
  self->scope = g_strdup (scope);
  self->collection = g_strdup (collection);
  self->filters = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_query_filter_free);
  self->aggregates = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_query_aggregate_free);
  self->groups = g_ptr_array_new_with_free_func (g_free);
  self->limit = QUERY_DEFAULT_LIMIT;
  return self;
}

/**
 * reeve_query_ref:
 * @self: a query
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
ReeveQuery *
reeve_query_ref (ReeveQuery *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * reeve_query_unref:
 * @self: (transfer full): a query
 *
 * Drops a reference; from any thread.
 *
 * Since: 1.0
 */
void
reeve_query_unref (ReeveQuery *self)
{
  g_return_if_fail (self != NULL);
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_ptr_array_unref (self->filters);
  g_ptr_array_unref (self->aggregates);
  g_ptr_array_unref (self->groups);
  g_free (self->scope);
  g_free (self->collection);
  g_free (self->order);
  g_free (self->cursor);
  g_free (self->bucket);
  g_free (self);
}

G_DEFINE_BOXED_TYPE (ReeveQuery, reeve_query, reeve_query_ref, reeve_query_unref)

/**
 * reeve_query_filter:
 * @self: a query
 * @field: a declared field, or `@id`
 * @op: how
 * @value: (transfer none): a string, number or boolean; an array of them for %REEVE_FILTER_IN; not
 * changed again
 *
 * Adds a filter; all of them must hold. A record without the field does not pass.
 *
 * Since: 1.0
 */
void
reeve_query_filter (ReeveQuery *self, const char *field, ReeveFilterOp op, JsonNode *value)
{
  ReeveQueryFilter *filter = NULL;

  g_return_if_fail (self != NULL && field != NULL && value != NULL);
  filter = g_new0 (ReeveQueryFilter, 1);
  filter->field = g_strdup (field);
  filter->op = op;
  filter->value = json_node_ref (value);
  g_ptr_array_add (self->filters, filter);
}

/**
 * reeve_query_filter_string:
 * @self: a query
 * @field: a declared field, or `@id`
 * @op: how
 * @value: with what
 *
 * Adds a filter by a string.
 *
 * Since: 1.0
 */
void
reeve_query_filter_string (ReeveQuery *self, const char *field, ReeveFilterOp op, const char *value)
{
  g_autoptr (JsonNode) node = NULL;

  g_return_if_fail (self != NULL && field != NULL && value != NULL);
  node = json_node_init_string (json_node_alloc (), value);
  reeve_query_filter (self, field, op, node);
}

/**
 * reeve_query_filter_int:
 * @self: a query
 * @field: a declared field
 * @op: how
 * @value: with what
 *
 * Adds a filter by a number.
 *
 * Since: 1.0
 */
void
reeve_query_filter_int (ReeveQuery *self, const char *field, ReeveFilterOp op, gint64 value)
{
  g_autoptr (JsonNode) node = json_node_init_int (json_node_alloc (), value);

  g_return_if_fail (self != NULL && field != NULL);
  reeve_query_filter (self, field, op, node);
}

/**
 * reeve_query_order:
 * @self: a query
 * @field: a declared field, or `@id`
 * @descending: greatest first
 *
 * Sets the order; ties are broken by the id in the same direction. Records without the field come
 * last in either direction.
 *
 * Since: 1.0
 */
void
reeve_query_order (ReeveQuery *self, const char *field, gboolean descending)
{
  g_return_if_fail (self != NULL && field != NULL);
  g_free (self->order);
  self->order = g_strdup (field);
  self->descending = descending;
}

/**
 * reeve_query_limit:
 * @self: a query
 * @limit: most records or groups of one result, 1 to %REEVE_QUERY_MAX_LIMIT
 *
 * Sets the limit.
 *
 * Since: 1.0
 */
void
reeve_query_limit (ReeveQuery *self, guint limit)
{
  g_return_if_fail (self != NULL);
  self->limit = limit;
}

/**
 * reeve_query_cursor:
 * @self: a query
 * @cursor: (nullable): from an earlier result of the same query
 *
 * Goes on where that result ended.
 *
 * Since: 1.0
 */
void
reeve_query_cursor (ReeveQuery *self, const char *cursor)
{
  g_return_if_fail (self != NULL);
  g_free (self->cursor);
  self->cursor = g_strdup (cursor);
}

/**
 * reeve_query_aggregate:
 * @self: a query
 * @kind: which
 * @field: (nullable): of what; %NULL for %REEVE_AGGREGATE_COUNT
 * @name: member of the result objects
 *
 * Adds an aggregate: the result is groups instead of records. A sum of nothing is 0, least and
 * greatest of nothing are null.
 *
 * Since: 1.0
 */
void
reeve_query_aggregate (ReeveQuery *self, ReeveAggregateKind kind, const char *field,
                       const char *name)
{
  ReeveQueryAggregate *aggregate = NULL;

  g_return_if_fail (self != NULL && name != NULL);
  aggregate = g_new0 (ReeveQueryAggregate, 1);
  aggregate->kind = kind;
  aggregate->field = g_strdup (field);
  aggregate->name = g_strdup (name);
  g_ptr_array_add (self->aggregates, aggregate);
}

/**
 * reeve_query_group_by:
 * @self: a query with aggregates
 * @field: a declared field
 *
 * One group for each value of the field (null for records without it). Groups come in the order of
 * bucket and fields.
 *
 * Since: 1.0
 */
void
reeve_query_group_by (ReeveQuery *self, const char *field)
{
  g_return_if_fail (self != NULL && field != NULL);
  g_ptr_array_add (self->groups, g_strdup (field));
}

/**
 * reeve_query_bucket:
 * @self: a query with aggregates
 * @field: a declared integer field, such as a time
 * @width: of a bucket
 *
 * Groups by floor (field / width) * width as well, under the name of the field.
 *
 * Since: 1.0
 */
void
reeve_query_bucket (ReeveQuery *self, const char *field, gint64 width)
{
  g_return_if_fail (self != NULL && field != NULL);
  g_free (self->bucket);
  self->bucket = g_strdup (field);
  self->bucket_width = width;
}

/**
 * reeve_query_get_scope:
 * @self: a query
 *
 * Returns: (transfer none): its scope
 *
 * Since: 1.0
 */
const char *
reeve_query_get_scope (ReeveQuery *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->scope;
}

/**
 * reeve_query_get_collection:
 * @self: a query
 *
 * Returns: (transfer none): its collection
 *
 * Since: 1.0
 */
const char *
reeve_query_get_collection (ReeveQuery *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->collection;
}

/**
 * reeve_query_get_filters:
 * @self: a query
 *
 * Returns: (element-type ReeveQueryFilter) (transfer none): its filters
 *
 * Since: 1.0
 */
GPtrArray *
reeve_query_get_filters (ReeveQuery *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->filters;
}

/**
 * reeve_query_get_order:
 * @self: a query
 * @descending: (out) (optional): greatest first
 *
 * Returns: (transfer none): the field that it is ordered by, `@id` when none was set
 *
 * Since: 1.0
 */
const char *
reeve_query_get_order (ReeveQuery *self, gboolean *descending)
{
  g_return_val_if_fail (self != NULL, NULL);
  if (descending != NULL)
    *descending = self->descending;
  return self->order != NULL ? self->order : "@id";
}

/**
 * reeve_query_get_limit:
 * @self: a query
 *
 * Returns: its limit
 *
 * Since: 1.0
 */
guint
reeve_query_get_limit (ReeveQuery *self)
{
  g_return_val_if_fail (self != NULL, 0);
  return self->limit;
}

/**
 * reeve_query_get_cursor:
 * @self: a query
 *
 * Returns: (transfer none) (nullable): its cursor
 *
 * Since: 1.0
 */
const char *
reeve_query_get_cursor (ReeveQuery *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->cursor;
}

/**
 * reeve_query_get_aggregates:
 * @self: a query
 *
 * Returns: (element-type ReeveQueryAggregate) (transfer none): its aggregates
 *
 * Since: 1.0
 */
GPtrArray *
reeve_query_get_aggregates (ReeveQuery *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->aggregates;
}

/**
 * reeve_query_get_groups:
 * @self: a query
 *
 * Returns: (element-type utf8) (transfer none): the fields that it groups by
 *
 * Since: 1.0
 */
GPtrArray *
reeve_query_get_groups (ReeveQuery *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->groups;
}

/**
 * reeve_query_get_bucket:
 * @self: a query
 * @width: (out) (optional): width of a bucket
 *
 * Returns: (transfer none) (nullable): the field whose buckets it groups by
 *
 * Since: 1.0
 */
const char *
reeve_query_get_bucket (ReeveQuery *self, gint64 *width)
{
  g_return_val_if_fail (self != NULL, NULL);
  if (width != NULL)
    *width = self->bucket_width;
  return self->bucket;
}

static gboolean
reeve_query_is_scalar (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node);
}

static gboolean
reeve_query_validate_in (const ReeveQueryFilter *filter, GError **error)
{
  JsonArray *array = NULL;

  if (JSON_NODE_HOLDS_ARRAY (filter->value))
    array = json_node_get_array (filter->value);
  if (array == NULL || json_array_get_length (array) > REEVE_QUERY_MAX_IN)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "filter of %s: \"one of\" needs an array of at most %d values", filter->field,
                   REEVE_QUERY_MAX_IN);
      return FALSE;
    }
  for (guint i = 0; i < json_array_get_length (array); i++)
    if (!reeve_query_is_scalar (json_array_get_element (array, i)))
      {
        g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                     "filter of %s: value %u is no string, number or boolean", filter->field, i);
        return FALSE;
      }
  return TRUE;
}

static gboolean
reeve_query_validate_filter (const ReeveQueryFilter *filter, GError **error)
{
  if (filter->op == REEVE_FILTER_IN)
    return reeve_query_validate_in (filter, error);
  if ((guint) filter->op > REEVE_FILTER_IN)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "filter of %s: unknown comparison", filter->field);
      return FALSE;
    }
  if (!reeve_query_is_scalar (filter->value)
      || (filter->op == REEVE_FILTER_PREFIX
          && json_node_get_value_type (filter->value) != G_TYPE_STRING))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "filter of %s: the value is %s", filter->field,
                   filter->op == REEVE_FILTER_PREFIX ? "no string"
                                                     : "no string, number or boolean");
      return FALSE;
    }
  return TRUE;
}

static gboolean
reeve_query_validate_filters (ReeveQuery *self, GError **error)
{
  g_autoptr (GHashTable) fields = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < self->filters->len; i++)
    {
      const ReeveQueryFilter *filter = g_ptr_array_index (self->filters, i);

      g_hash_table_add (fields, filter->field);
      if (!reeve_query_validate_filter (filter, error))
        return FALSE;
    }
  if (g_hash_table_size (fields) > REEVE_QUERY_MAX_FIELDS
      || self->filters->len > 2 * REEVE_QUERY_MAX_FIELDS)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "a query filters by at most %d fields", REEVE_QUERY_MAX_FIELDS);
      return FALSE;
    }
  return TRUE;
}

static gboolean
reeve_query_validate_name (GHashTable *names, const char *name, GError **error)
{
  if (*name != '\0' && g_hash_table_add (names, (gpointer) name))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
               "a member of the groups is named \"%s\" twice or not at all", name);
  return FALSE;
}

static gboolean
reeve_query_validate_groups (ReeveQuery *self, GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < self->groups->len; i++)
    if (!reeve_query_validate_name (names, g_ptr_array_index (self->groups, i), error))
      return FALSE;
  if (self->bucket != NULL && !reeve_query_validate_name (names, self->bucket, error))
    return FALSE;
  for (guint i = 0; i < self->aggregates->len; i++)
    {
      const ReeveQueryAggregate *aggregate = g_ptr_array_index (self->aggregates, i);

      if (!reeve_query_validate_name (names, aggregate->name, error))
        return FALSE;
      if ((guint) aggregate->kind > REEVE_AGGREGATE_MAX
          || (aggregate->kind == REEVE_AGGREGATE_COUNT) != (aggregate->field == NULL))
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                       "aggregate %s: a count has no field, every other has one", aggregate->name);
          return FALSE;
        }
    }
  return TRUE;
}

static const char *
reeve_query_fault (ReeveQuery *self)
{
  gboolean aggregates = self->aggregates->len > 0;

  if (self->limit < 1 || self->limit > REEVE_QUERY_MAX_LIMIT)
    return "the limit is not 1 to 500";
  if (!aggregates && (self->groups->len > 0 || self->bucket != NULL))
    return "groups need an aggregate";
  if (aggregates && self->order != NULL)
    return "aggregates have an order of their own";
  if (self->aggregates->len > QUERY_MAX_AGGREGATES)
    return "too many aggregates";
  if (self->groups->len > REEVE_QUERY_MAX_GROUPS)
    return "a query groups by at most 3 fields";
  if (self->bucket != NULL && self->bucket_width <= 0)
    return "the width of a bucket is not positive";
  return NULL;
}

/**
 * reeve_query_validate:
 * @self: a query
 * @error: return location
 *
 * Checks the bounds of the language, not whether fields are declared. Storage plugins call it
 * first.
 *
 * Returns: %TRUE, or %FALSE with %REEVE_ERROR_INVALID_ARGUMENT
 *
 * Since: 1.0
 */
gboolean
reeve_query_validate (ReeveQuery *self, GError **error)
{
  const char *fault = NULL;

  g_return_val_if_fail (self != NULL, FALSE);
  fault = reeve_query_fault (self);
  if (fault != NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, fault);
      return FALSE;
    }
  return reeve_query_validate_filters (self, error) && reeve_query_validate_groups (self, error);
}
