/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every list of this room has in common. */
#include "listing.h"

#include "base/times.h"

#define REEVE_LISTING_DEFAULT_LIMIT 50

/**
 * reeve_listing_new:
 * @store: the store
 * @query: filters, without order and limit
 * @order: field it is ordered by, newest first
 * @params: (nullable): `limit` and `cursor`
 * @describe: makes the shown form of a record
 * @error: return location
 *
 * Returns: (transfer full) (nullable): {items, next_cursor}
 */
JsonObject *
reeve_listing_new (ReeveStore *store, ReeveQuery *query, const char *order, JsonObject *params,
                   ReeveListingDescribe describe, GError **error)
{
  g_autoptr (ReeveQueryResult) result = NULL;
  JsonObject *list = NULL;
  JsonArray *items = NULL;
  GPtrArray *records = NULL;

  reeve_query_order (query, order, TRUE);
  reeve_query_limit (query, REEVE_LISTING_DEFAULT_LIMIT);
  if (params != NULL)
    {
      reeve_query_limit (query,
                         (guint) reeve_json_get_int (params, "limit", REEVE_LISTING_DEFAULT_LIMIT));
      reeve_query_cursor (query, reeve_json_get_string (params, "cursor", NULL));
    }
  result = reeve_store_query (store, query, error);
  if (result == NULL)
    return NULL;
  list = json_object_new ();
  items = json_array_new ();
  records = reeve_query_result_get_records (result);
  for (guint i = 0; i < records->len; i++)
    json_array_add_object_element (items, describe (g_ptr_array_index (records, i)));
  json_object_set_array_member (list, "items", items);
  if (reeve_query_result_get_cursor (result) != NULL)
    json_object_set_string_member (list, "next_cursor", reeve_query_result_get_cursor (result));
  else
    json_object_set_null_member (list, "next_cursor");
  return list;
}

/**
 * reeve_listing_set_time:
 * @object: an object
 * @member: name of a member that may hold µs since the epoch
 *
 * Replaces it by RFC 3339 text.
 */
void
reeve_listing_set_time (JsonObject *object, const char *member)
{
  g_autofree char *text = NULL;

  if (!json_object_has_member (object, member))
    return;
  text = reeve_times_format (reeve_json_get_int (object, member, 0));
  json_object_set_string_member (object, member, text);
}

/**
 * reeve_listing_copy:
 * @from: an object
 * @to: another
 * @members: names, ended by %NULL
 *
 * Copies those members that are there and not null.
 */
void
reeve_listing_copy (JsonObject *from, JsonObject *to, const char *const *members)
{
  for (guint i = 0; members[i] != NULL; i++)
    {
      if (json_object_has_member (from, members[i])
          && !json_object_get_null_member (from, members[i]))
        json_object_set_member (to, members[i],
                                json_node_ref (json_object_get_member (from, members[i])));
    }
}

/**
 * reeve_listing_dup:
 * @object: an object
 *
 * Members are shared by their nodes, whose reference counts are atomic, so that the copy may go to
 * another thread: the counts of JsonObject and JsonArray are not.
 *
 * Returns: (transfer full): a copy that may be changed
 */
JsonObject *
reeve_listing_dup (JsonObject *object)
{
  JsonObject *copy = json_object_new ();
  g_autoptr (GList) members = json_object_get_members (object);

  for (GList *l = members; l != NULL; l = l->next)
    json_object_set_member (copy, l->data,
                            json_node_ref (json_object_get_member (object, l->data)));
  return copy;
}
