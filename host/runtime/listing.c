/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every list of this room has in common. */
#include "listing.h"

#include "base/times.h"
#include "governance/workspaces.h"

#define REEVE_LISTING_DEFAULT_LIMIT 50

/* Adds a page's records to @items, those that pass. */
static void
reeve_listing_add (JsonArray *items, GPtrArray *records, const char *const *seen,
                   ReeveListingMatch match, JsonObject *params, ReeveListingDescribe describe)
{
  for (guint i = 0; i < records->len; i++)
    {
      ReeveRecord *record = g_ptr_array_index (records, i);
      const char *workspace_id
          = reeve_json_get_string (reeve_record_get_fields (record), "workspace_id", NULL);

      if (!reeve_workspaces_is_seen (seen, workspace_id))
        continue;
      if (match == NULL || match (record, params))
        json_array_add_object_element (items, describe (record));
    }
}

/**
 * reeve_listing_new_matching:
 * @store: the store
 * @query: filters, without order and limit
 * @order: field it is ordered by, newest first
 * @params: (nullable): `limit` and `cursor`
 * @seen: (nullable): workspaces whose things are shown
 * @match: (nullable): whether a record belongs to the list, for what the store cannot ask: members
 * that older records lack
 * @describe: makes the shown form of a record
 * @error: return location
 *
 * A page is filled up to its limit: never more records are read than may still be shown, so that
 * the store's cursor is the list's.
 *
 * Returns: (transfer full) (nullable): {items, next_cursor}
 */
JsonObject *
reeve_listing_new_matching (ReeveStore *store, ReeveQuery *query, const char *order,
                            JsonObject *params, const char *const *seen, ReeveListingMatch match,
                            ReeveListingDescribe describe, GError **error)
{
  guint limit = params != NULL
                    ? (guint) reeve_json_get_int (params, "limit", REEVE_LISTING_DEFAULT_LIMIT)
                    : REEVE_LISTING_DEFAULT_LIMIT;
  g_autofree char *cursor
      = g_strdup (params != NULL ? reeve_json_get_string (params, "cursor", NULL) : NULL);
  g_autoptr (JsonObject) list = json_object_new ();
  JsonArray *items = json_array_new ();

  json_object_set_array_member (list, "items", items);
  reeve_query_order (query, order, TRUE);
  do
    {
      g_autoptr (ReeveQueryResult) result = NULL;

      reeve_query_limit (query, limit - json_array_get_length (items));
      reeve_query_cursor (query, cursor);
      result = reeve_store_query (store, query, error);
      if (result == NULL)
        return NULL;
      reeve_listing_add (items, reeve_query_result_get_records (result), seen, match, params,
                         describe);
      g_free (cursor);
      cursor = g_strdup (reeve_query_result_get_cursor (result));
    }
  while (cursor != NULL && json_array_get_length (items) < limit);
  if (cursor != NULL)
    json_object_set_string_member (list, "next_cursor", cursor);
  else
    json_object_set_null_member (list, "next_cursor");
  return g_steal_pointer (&list);
}

/**
 * reeve_listing_new:
 * @store: the store
 * @query: filters, without order and limit
 * @order: field it is ordered by, newest first
 * @params: (nullable): `limit` and `cursor`
 * @seen: (nullable): workspaces whose things are shown
 * @describe: makes the shown form of a record
 * @error: return location
 *
 * Returns: (transfer full) (nullable): {items, next_cursor}
 */
JsonObject *
reeve_listing_new (ReeveStore *store, ReeveQuery *query, const char *order, JsonObject *params,
                   const char *const *seen, ReeveListingDescribe describe, GError **error)
{
  return reeve_listing_new_matching (store, query, order, params, seen, NULL, describe, error);
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
