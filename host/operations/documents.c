/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Documents, over runtime/knowledge.h. */
#include "operation-functions.h"

#include <string.h>

#define REEVE_OP_DOCUMENTS_PAGE 50
#define REEVE_OP_DOCUMENTS_HITS 5

void
reeve_op_documents_upload (ReeveCall *call, ReeveServices *services)
{
  const ReeveCallPart *file = reeve_call_get_part (call, "file");
  const char *text = reeve_call_get_string (call, "file");
  g_autoptr (GBytes) bytes = file != NULL ? g_bytes_ref (file->bytes)
                                          : g_bytes_new (text, text != NULL ? strlen (text) : 0);
  GError *error = NULL;
  JsonObject *document = NULL;

  /* a door without forms gives the text itself */
  document = reeve_knowledge_upload (
      services->knowledge, reeve_call_get_admitted (call), bytes,
      file != NULL ? file->media_type : "text/plain", file != NULL ? file->file_name : NULL,
      reeve_call_get_string (call, "classification"), reeve_call_get_string (call, "workspace_id"),
      reeve_json_get_object (reeve_call_get_params (call), "metadata"), &error);
  reeve_call_answer (call, document, error);
}

void
reeve_op_documents_list (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  g_auto (GStrv) seen
      = reeve_workspaces_list_seen (services->workspaces, reeve_call_get_caller (call),
                                    reeve_call_get_operation (call)->permission, &error);
  JsonObject *page = NULL;

  if (seen != NULL)
    page = reeve_knowledge_list (
        services->knowledge, reeve_call_get_tenant_id (call), (const char *const *) seen,
        (guint) reeve_call_get_int (call, "limit", REEVE_OP_DOCUMENTS_PAGE),
        reeve_call_get_string (call, "cursor"), &error);

  reeve_call_answer (call, page, error);
}

void
reeve_op_documents_get (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *document = reeve_knowledge_get (services->knowledge, reeve_call_get_tenant_id (call),
                                              reeve_call_get_string (call, "document_id"), &error);

  reeve_call_answer (call, document, error);
}

void
reeve_op_documents_delete (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;

  if (reeve_knowledge_delete (services->knowledge, reeve_call_get_admitted (call),
                              reeve_call_get_string (call, "document_id"), &error))
    reeve_call_complete (call, 0, NULL);
  else
    reeve_call_fail (call, error);
}

void
reeve_op_documents_reindex (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *document
      = reeve_knowledge_reindex (services->knowledge, reeve_call_get_admitted (call),
                                 reeve_call_get_string (call, "document_id"), &error);

  reeve_call_answer (call, document, error);
}

/* Whatever mode was asked for: there are no vectors, so the words decide, and the answer says so.
 */
void
reeve_op_documents_search (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  g_auto (GStrv) seen
      = reeve_workspaces_list_seen (services->workspaces, reeve_call_get_caller (call),
                                    reeve_call_get_operation (call)->permission, &error);
  JsonArray *hits = NULL;
  JsonObject *result = NULL;

  if (seen != NULL)
    hits = reeve_knowledge_search (
        services->knowledge, reeve_call_get_tenant_id (call), (const char *const *) seen,
        reeve_call_get_string (call, "query"),
        (guint) reeve_call_get_int (call, "limit", REEVE_OP_DOCUMENTS_HITS), &error);

  if (hits == NULL)
    {
      reeve_call_fail (call, error);
      return;
    }
  result = json_object_new ();
  json_object_set_string_member (result, "mode", "keyword");
  json_object_set_array_member (result, "results", hits);
  reeve_call_answer (call, result, NULL);
}
