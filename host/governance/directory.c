/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Helpers of tenants, users and API keys. */
#include "directory.h"

#include "base/times.h"

#define REEVE_DIRECTORY_PAGE 50

/**
 * reeve_directory_list:
 * @store: the store
 * @query: what to look for; order, limit and cursor are added
 * @params: {limit?, cursor?}
 * @show: makes an item of a record
 * @error: return location
 *
 * Returns: (transfer full): {items, next_cursor}, oldest first; %NULL with an error
 */
JsonObject *
reeve_directory_list (ReeveStore *store, ReeveQuery *query, JsonObject *params,
                      ReeveDirectoryShow show, GError **error)
{
  g_autoptr (ReeveQueryResult) result = NULL;
  GPtrArray *records = NULL;
  JsonObject *page = NULL;
  JsonArray *items = NULL;
  const char *cursor = NULL;

  reeve_query_order (query, "created_at", FALSE);
  reeve_query_limit (query,
                     (guint) CLAMP (reeve_json_get_int (params, "limit", REEVE_DIRECTORY_PAGE), 1,
                                    REEVE_QUERY_MAX_LIMIT));
  reeve_query_cursor (query, reeve_json_get_string (params, "cursor", NULL));
  result = reeve_store_query (store, query, error);
  if (result == NULL)
    return NULL;
  page = json_object_new ();
  items = json_array_new ();
  records = reeve_query_result_get_records (result);
  for (guint i = 0; i < records->len; i++)
    json_array_add_object_element (items, show (g_ptr_array_index (records, i)));
  json_object_set_array_member (page, "items", items);
  cursor = reeve_query_result_get_cursor (result);
  if (cursor != NULL)
    json_object_set_string_member (page, "next_cursor", cursor);
  else
    json_object_set_null_member (page, "next_cursor");
  return page;
}

/**
 * reeve_directory_copy:
 * @from: an object
 * @to: another
 * @member: a member, copied when @from has it and it is not null
 */
void
reeve_directory_copy (JsonObject *from, JsonObject *to, const char *member)
{
  JsonNode *node = json_object_get_member (from, member);

  if (node != NULL && !JSON_NODE_HOLDS_NULL (node))
    json_object_set_member (to, member, json_node_ref (node));
}

/**
 * reeve_directory_read_all:
 * @store: the store
 * @scope: where
 * @collection: one that has the field `created_at`
 * @field: (nullable): only records where it is @value
 * @value: (nullable): a text
 * @error: return location
 *
 * Returns: (transfer full) (element-type ReeveRecord): all records, oldest first; %NULL with an
 * error
 */
GPtrArray *
reeve_directory_read_all (ReeveStore *store, const char *scope, const char *collection,
                          const char *field, const char *value, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_record_unref);
  g_autofree char *cursor = NULL;

  do
    {
      g_autoptr (ReeveQuery) query = reeve_query_new (scope, collection);
      g_autoptr (ReeveQueryResult) result = NULL;
      GPtrArray *records = NULL;

      if (field != NULL)
        reeve_query_filter_string (query, field, REEVE_FILTER_EQ, value);
      reeve_query_order (query, "created_at", FALSE);
      reeve_query_limit (query, REEVE_QUERY_MAX_LIMIT);
      reeve_query_cursor (query, cursor);
      result = reeve_store_query (store, query, error);
      if (result == NULL)
        return NULL;
      records = reeve_query_result_get_records (result);
      for (guint i = 0; i < records->len; i++)
        g_ptr_array_add (all, reeve_record_ref (g_ptr_array_index (records, i)));
      g_free (cursor);
      cursor = g_strdup (reeve_query_result_get_cursor (result));
    }
  while (cursor != NULL);
  return g_steal_pointer (&all);
}

/**
 * reeve_directory_get_of_tenant:
 * @store: a store
 * @collection: of the platform, with a field `tenant_id`
 * @id: of the record
 * @tenant_id: whose it must be
 * @error: return location
 *
 * The tenant is part of the question: another tenant's record is never read, so that the time that
 * the answer takes does not tell that there is one. Worker threads only.
 *
 * Returns: (transfer full): the record; %NULL with %REEVE_ERROR_NOT_FOUND, also for another
 * tenant's
 */
ReeveRecord *
reeve_directory_get_of_tenant (ReeveStore *store, const char *collection, const char *id,
                               const char *tenant_id, GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (REEVE_SCOPE_PLATFORM, collection);
  g_autoptr (ReeveQueryResult) result = NULL;
  GPtrArray *records = NULL;

  reeve_query_filter_string (query, "@id", REEVE_FILTER_EQ, id);
  reeve_query_filter_string (query, "tenant_id", REEVE_FILTER_EQ, tenant_id);
  reeve_query_limit (query, 1);
  result = reeve_store_query (store, query, error);
  if (result == NULL)
    return NULL;
  records = reeve_query_result_get_records (result);
  if (records->len > 0)
    return reeve_record_ref (g_ptr_array_index (records, 0));
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, REEVE_STORE_MISSING, collection);
  return NULL;
}

/**
 * reeve_directory_dup:
 * @object: an object
 *
 * Members are shared by their nodes, whose counts are atomic, so that the copy may go to another
 * thread.
 *
 * Returns: (transfer full): a copy that may be changed
 */
JsonObject *
reeve_directory_dup (JsonObject *object)
{
  JsonObject *copy = json_object_new ();
  g_autoptr (GList) members = json_object_get_members (object);

  for (GList *l = members; l != NULL; l = l->next)
    json_object_set_member (copy, l->data,
                            json_node_ref (json_object_get_member (object, l->data)));
  return copy;
}

/**
 * reeve_directory_show_time:
 * @from: a record's fields
 * @to: what is shown
 * @member: a time: µs since the epoch in @from, text in @to, left out when @from has none
 */
void
reeve_directory_show_time (JsonObject *from, JsonObject *to, const char *member)
{
  gint64 time = reeve_json_get_int (from, member, 0);
  g_autofree char *text = NULL;

  if (time == 0)
    return;
  text = reeve_times_format (time);
  json_object_set_string_member (to, member, text);
}

/**
 * reeve_directory_get_strings:
 * @object: an object
 * @member: an array of strings in it
 *
 * Returns: (transfer full): the strings; none when it is absent
 */
char **
reeve_directory_get_strings (JsonObject *object, const char *member)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  JsonArray *array = reeve_json_get_array (object, member);

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);

      if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
        g_strv_builder_add (builder, json_node_get_string (node));
    }
  return g_strv_builder_end (builder);
}

/**
 * reeve_directory_set_strings:
 * @object: an object
 * @member: a member
 * @strings: its new value
 */
void
reeve_directory_set_strings (JsonObject *object, const char *member, const char *const *strings)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; strings[i] != NULL; i++)
    json_array_add_string_element (array, strings[i]);
  json_object_set_array_member (object, member, array);
}
