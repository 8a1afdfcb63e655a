/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveQueryResult: one page of records, or of groups with their aggregates. */
#include "reeve-storage.h"

/**
 * ReeveQueryResult:
 *
 * What a query found: records, or groups with their aggregates. Immutable once returned.
 *
 * Since: 1.0
 */
struct _ReeveQueryResult
{
  gatomicrefcount refs;
  GPtrArray *records;
  GPtrArray *groups;
  char *cursor;
};

/**
 * reeve_query_result_new:
 *
 * Returns: (transfer full): an empty result
 *
 * Since: 1.0
 */
ReeveQueryResult *
reeve_query_result_new (void)
{
  ReeveQueryResult *self = g_new0 (ReeveQueryResult, 1);

  g_atomic_ref_count_init (&self->refs);
  self->records = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_record_unref);
  self->groups = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  return self;
}

/**
 * reeve_query_result_ref:
 * @self: a result
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
ReeveQueryResult *
reeve_query_result_ref (ReeveQueryResult *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * reeve_query_result_unref:
 * @self: (transfer full): a result
 *
 * Drops a reference; from any thread.
 *
 * Since: 1.0
 */
void
reeve_query_result_unref (ReeveQueryResult *self)
{
  g_return_if_fail (self != NULL);
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_ptr_array_unref (self->records);
  g_ptr_array_unref (self->groups);
  g_free (self->cursor);
  g_free (self);
}

G_DEFINE_BOXED_TYPE (ReeveQueryResult, reeve_query_result, reeve_query_result_ref,
                     reeve_query_result_unref)

/**
 * reeve_query_result_add:
 * @self: a result that nobody else has yet
 * @record: (transfer none): the next record
 *
 * For storage plugins.
 *
 * Since: 1.0
 */
void
reeve_query_result_add (ReeveQueryResult *self, ReeveRecord *record)
{
  g_return_if_fail (self != NULL && record != NULL);
  g_ptr_array_add (self->records, reeve_record_ref (record));
}

/**
 * reeve_query_result_add_group:
 * @self: a result that nobody else has yet
 * @group: (transfer none): the next group
 *
 * For storage plugins.
 *
 * Since: 1.0
 */
void
reeve_query_result_add_group (ReeveQueryResult *self, JsonObject *group)
{
  g_return_if_fail (self != NULL && group != NULL);
  g_ptr_array_add (self->groups, json_object_ref (group));
}

/**
 * reeve_query_result_set_cursor:
 * @self: a result that nobody else has yet
 * @cursor: (nullable): where the next page begins
 *
 * For storage plugins.
 *
 * Since: 1.0
 */
void
reeve_query_result_set_cursor (ReeveQueryResult *self, const char *cursor)
{
  g_return_if_fail (self != NULL);
  g_free (self->cursor);
  self->cursor = g_strdup (cursor);
}

/**
 * reeve_query_result_get_records:
 * @self: a result
 *
 * Returns: (element-type ReeveRecord) (transfer none): its records, in order
 *
 * Since: 1.0
 */
GPtrArray *
reeve_query_result_get_records (ReeveQueryResult *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->records;
}

/**
 * reeve_query_result_get_groups:
 * @self: a result
 *
 * Returns: (element-type JsonObject) (transfer none): its groups, in order
 *
 * Since: 1.0
 */
GPtrArray *
reeve_query_result_get_groups (ReeveQueryResult *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->groups;
}

/**
 * reeve_query_result_get_cursor:
 * @self: a result
 *
 * Returns: (transfer none) (nullable): where the next page begins; %NULL at the end
 *
 * Since: 1.0
 */
const char *
reeve_query_result_get_cursor (ReeveQueryResult *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->cursor;
}
