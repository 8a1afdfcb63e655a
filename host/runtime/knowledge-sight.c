/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where nothing is hidden from somebody, everything is searched. Else only the documents that are
 * seen are, as if there were no others: a store that is told groups counts nothing else, so that
 * neither scores nor order nor what is left out tell of the hidden, and as many results come as
 * there are to be seen. What that costs: reading the list of documents, and no pruning of common
 * words. Each piece says besides in which workspace it lies, and is dropped where that is hidden.
 */
#include "knowledge-sight.h"

static gboolean
reeve_knowledge_sight_is_seen (const ReeveTextHit *hit, const char *const *seen)
{
  const char *workspace_id
      = hit->data != NULL ? reeve_json_get_string (hit->data, "workspace_id", NULL) : NULL;

  return reeve_workspaces_is_seen (seen, workspace_id);
}

static void
reeve_knowledge_sight_filter (GPtrArray *hits, const char *const *seen)
{
  for (guint i = 0; i < hits->len;)
    {
      if (reeve_knowledge_sight_is_seen (g_ptr_array_index (hits, i), seen))
        i++;
      else
        g_ptr_array_remove_index (hits, i);
    }
}

/* (transfer full) (nullable) ids of the documents that are seen */
static char **
reeve_knowledge_sight_list (ReeveStore *store, const char *tenant_id, const char *const *seen,
                            GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *cursor = NULL;

  do
    {
      g_autoptr (ReeveQuery) query = reeve_query_new (tenant_id, REEVE_STORE_DOCUMENTS);
      g_autoptr (ReeveQueryResult) result = NULL;
      GPtrArray *records = NULL;

      reeve_query_order (query, "created_at", FALSE);
      reeve_query_limit (query, REEVE_QUERY_MAX_LIMIT);
      reeve_query_cursor (query, cursor);
      result = reeve_store_query (store, query, error);
      if (result == NULL)
        return NULL;
      g_free (cursor);
      cursor = g_strdup (reeve_query_result_get_cursor (result));
      records = reeve_query_result_get_records (result);
      for (guint i = 0; i < records->len; i++)
        {
          ReeveRecord *record = g_ptr_array_index (records, i);
          JsonObject *fields = reeve_record_get_fields (record);

          if (reeve_workspaces_is_seen (seen, reeve_json_get_string (fields, "workspace_id", NULL)))
            g_strv_builder_add (builder, reeve_record_get_id (record));
        }
    }
  while (cursor != NULL);
  return g_strv_builder_end (builder);
}

static GPtrArray *
reeve_knowledge_sight_find (ReeveStore *store, ReeveWorkspaces *workspaces, const char *tenant_id,
                            const char *const *seen, const char *query, guint limit, GError **error)
{
  g_auto (GStrv) groups = NULL;
  GPtrArray *hits = NULL;
  gboolean all = TRUE;

  if (workspaces != NULL
      && !reeve_workspaces_is_all_seen (workspaces, tenant_id, seen, &all, error))
    return NULL;
  if (!all)
    {
      groups = reeve_knowledge_sight_list (store, tenant_id, seen, error);
      if (groups == NULL)
        return NULL;
    }
  hits = reeve_store_search_text (store, tenant_id, REEVE_STORE_CHUNKS, query,
                                  (const char *const *) groups, limit, error);
  if (hits != NULL)
    reeve_knowledge_sight_filter (hits, seen);
  return hits;
}

static JsonObject *
reeve_knowledge_sight_describe (const ReeveTextHit *hit)
{
  JsonObject *object = json_object_new ();
  gint64 page = hit->data != NULL ? reeve_json_get_int (hit->data, "page", 0) : 0;

  json_object_set_string_member (object, "document_id", hit->group);
  json_object_set_string_member (object, "document_title",
                                 hit->data != NULL ? reeve_json_get_string (hit->data, "title", "")
                                                   : "");
  json_object_set_string_member (
      object, "heading", hit->data != NULL ? reeve_json_get_string (hit->data, "heading", "") : "");
  json_object_set_string_member (object, "content", hit->text);
  json_object_set_double_member (object, "score", hit->score);
  if (page > 0)
    json_object_set_int_member (object, "page_number", page);
  else
    json_object_set_null_member (object, "page_number");
  json_object_set_int_member (object, "version",
                              hit->data != NULL ? reeve_json_get_int (hit->data, "version", 1) : 1);
  return object;
}

/**
 * reeve_knowledge_sight_search:
 * @store: the store
 * @workspaces: (nullable): %NULL: there are none
 * @tenant_id: a tenant
 * @seen: (nullable): workspaces whose documents are seen; %NULL: what lies in none
 * @query: words
 * @limit: most results, 1 to %REEVE_QUERY_MAX_LIMIT
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the best of what is seen, best first: [{document_id,
 * document_title, heading, content, score, page_number, version}]
 */
JsonArray *
reeve_knowledge_sight_search (ReeveStore *store, ReeveWorkspaces *workspaces, const char *tenant_id,
                              const char *const *seen, const char *query, guint limit,
                              GError **error)
{
  g_autoptr (GPtrArray) hits
      = reeve_knowledge_sight_find (store, workspaces, tenant_id, seen, query, limit, error);
  JsonArray *results = NULL;

  if (hits == NULL)
    return NULL;
  results = json_array_new ();
  for (guint i = 0; i < hits->len; i++)
    json_array_add_object_element (results,
                                   reeve_knowledge_sight_describe (g_ptr_array_index (hits, i)));
  return results;
}
