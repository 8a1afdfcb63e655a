/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A document is a record, its bytes a blob, its chunks texts of one group in the index: all three
 * come and go in one batch. */
#include "knowledge.h"

#include <string.h>

#include "base/digests.h"
#include "base/ids.h"
#include "base/times.h"
#include "chunker.h"
#include "knowledge-sight.h"
#include "knowledge-title.h"
#include "listing.h"

#define REEVE_KNOWLEDGE_PREVIEW    3
#define REEVE_KNOWLEDGE_MAX_CHUNKS 20000

struct _ReeveKnowledge
{
  GObject parent_instance;

  ReeveStore *store;
  ReeveExtraction *extraction;
  ReeveWorkspaces *workspaces; /* nullable: there are none */
  ReeveChunkerOptions options;
};

G_DEFINE_FINAL_TYPE (ReeveKnowledge, reeve_knowledge, G_TYPE_OBJECT)

static const char *const reeve_knowledge_classes[]
    = { "PUBLIC", "INTERNAL", "CONFIDENTIAL", "RESTRICTED" };

static void
reeve_knowledge_finalize (GObject *object)
{
  ReeveKnowledge *self = REEVE_KNOWLEDGE (object);

  g_clear_object (&self->store);
  g_clear_object (&self->extraction);
  g_clear_object (&self->workspaces);
  G_OBJECT_CLASS (reeve_knowledge_parent_class)->finalize (object);
}

static void
reeve_knowledge_class_init (ReeveKnowledgeClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_knowledge_finalize;
}

static void
reeve_knowledge_init (ReeveKnowledge *self)
{
}

/**
 * reeve_knowledge_new:
 * @store: the store
 * @extraction: reads documents
 * @chunk_tokens: tokens of a chunk; 0 for the default
 * @overlap_tokens: tokens repeated from the chunk before; counts when @chunk_tokens is given
 *
 * Returns: (transfer full): the documents of all tenants
 */
ReeveKnowledge *
reeve_knowledge_new (ReeveStore *store, ReeveExtraction *extraction, guint chunk_tokens,
                     guint overlap_tokens)
{
  ReeveKnowledge *self = g_object_new (REEVE_TYPE_KNOWLEDGE, NULL);

  self->store = g_object_ref (store);
  self->extraction = g_object_ref (extraction);
  self->options.max_tokens = chunk_tokens != 0 ? chunk_tokens : REEVE_CHUNKER_MAX_TOKENS;
  self->options.overlap_tokens = chunk_tokens != 0 ? overlap_tokens : REEVE_CHUNKER_OVERLAP_TOKENS;
  return self;
}

/**
 * reeve_knowledge_set_workspaces:
 * @self: knowledge
 * @workspaces: workspaces that documents may lie in
 */
void
reeve_knowledge_set_workspaces (ReeveKnowledge *self, ReeveWorkspaces *workspaces)
{
  g_set_object (&self->workspaces, workspaces);
}

static const char *
reeve_knowledge_get_tenant (ReeveAdmitted *admitted)
{
  return reeve_caller_get_tenant_id (reeve_admitted_get_caller (admitted));
}

static char *
reeve_knowledge_blob_id (const char *document_id, gint64 version)
{
  return g_strdup_printf ("document/%s/%" G_GINT64_FORMAT, document_id, version);
}

static JsonObject *
reeve_knowledge_describe (ReeveRecord *record)
{
  static const char *const members[]
      = { "version",  "title",     "chunks",     "classification", "media_type",   "size",
          "metadata", "file_name", "created_at", "updated_at",     "workspace_id", NULL };
  JsonObject *document = json_object_new ();

  json_object_set_string_member (document, "document_id", reeve_record_get_id (record));
  reeve_listing_copy (reeve_record_get_fields (record), document, members);
  reeve_listing_set_time (document, "created_at");
  reeve_listing_set_time (document, "updated_at");
  return document;
}

/* All pages as one text, and where each begins. */
static char *
reeve_knowledge_join (ReeveExtract *extract, GArray *starts)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < reeve_extract_get_n_pages (extract); i++)
    {
      guint number = 0;
      const char *page = reeve_extract_get_page (extract, i, &number);
      gsize start = 0;

      if (text->len > 0)
        g_string_append (text, "\n\n");
      start = text->len;
      if (number != 0)
        g_array_append_val (starts, start);
      g_string_append (text, page);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static JsonObject *
reeve_knowledge_chunk_data (const ReeveChunk *chunk, const char *title, gint64 version,
                            const char *workspace_id)
{
  JsonObject *data = json_object_new ();

  json_object_set_string_member (data, "title", title);
  json_object_set_string_member (data, "heading", chunk->heading);
  json_object_set_int_member (data, "version", version);
  if (workspace_id != NULL)
    json_object_set_string_member (data, "workspace_id", workspace_id);
  if (chunk->page != 0)
    json_object_set_int_member (data, "page", chunk->page);
  return data;
}

/* Adds the chunks of a document to the batch. Returns their number, 0 on error: a document without
 * text is an error too. */
static guint
reeve_knowledge_add_chunks (ReeveKnowledge *self, ReeveBatch *batch, const char *document_id,
                            const char *title, gint64 version, const char *workspace_id,
                            ReeveExtract *extract, GError **error)
{
  g_autoptr (GArray) starts = g_array_new (FALSE, FALSE, sizeof (gsize));
  g_autofree char *text = reeve_knowledge_join (extract, starts);
  g_autoptr (GPtrArray) chunks
      = reeve_chunker_split (text, strlen (text), (const gsize *) (gpointer) starts->data,
                             starts->len, &self->options, error);

  if (chunks == NULL)
    return 0;
  if (chunks->len == 0 || chunks->len > REEVE_KNOWLEDGE_MAX_CHUNKS)
    {
      g_set_error (error, REEVE_ERROR,
                   chunks->len == 0 ? REEVE_ERROR_INVALID_ARGUMENT : REEVE_ERROR_TOO_LARGE,
                   chunks->len == 0 ? "the document holds no text"
                                    : "the document has more than 20000 chunks");
      reeve_error_prefix_member (error, "/file");
      return 0;
    }
  for (guint i = 0; i < chunks->len; i++)
    {
      const ReeveChunk *chunk = g_ptr_array_index (chunks, i);
      g_autofree char *piece = g_strndup (text + chunk->start, chunk->length);
      g_autofree char *key = g_strdup_printf ("%06u", i);
      g_autofree char *heading = g_strconcat (title, " > ", chunk->heading, NULL);
      g_autoptr (JsonObject) data
          = reeve_knowledge_chunk_data (chunk, title, version, workspace_id);

      reeve_batch_text_put (batch, REEVE_STORE_CHUNKS, document_id, key, heading, piece, data);
    }
  return chunks->len;
}

/* ---- upload ---- */

static const char *
reeve_knowledge_classify (const char *classification, GError **error)
{
  if (classification == NULL)
    return "INTERNAL";
  for (guint i = 0; i < G_N_ELEMENTS (reeve_knowledge_classes); i++)
    {
      if (g_ascii_strcasecmp (classification, reeve_knowledge_classes[i]) == 0)
        return reeve_knowledge_classes[i];
    }
  reeve_error_set_member (
      error, "/classification",
      "classification \"%s\" is none of PUBLIC, INTERNAL, CONFIDENTIAL, RESTRICTED",
      classification);
  return NULL;
}

static JsonObject *
reeve_knowledge_new_fields (const char *title, const char *classification, GBytes *bytes,
                            const char *media_type, const char *file_name, JsonObject *metadata)
{
  JsonObject *fields = json_object_new ();
  g_autofree char *digest
      = reeve_digests_sha256_hex (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  gint64 now = reeve_times_now ();

  json_object_set_string_member (fields, "title", title);
  json_object_set_string_member (fields, "classification", classification);
  json_object_set_int_member (fields, "version", 1);
  json_object_set_string_member (fields, "media_type", media_type);
  json_object_set_int_member (fields, "size", (gint64) g_bytes_get_size (bytes));
  json_object_set_string_member (fields, "sha256", digest);
  json_object_set_int_member (fields, "created_at", now);
  json_object_set_int_member (fields, "updated_at", now);
  if (file_name != NULL)
    json_object_set_string_member (fields, "file_name", file_name);
  json_object_set_object_member (
      fields, "metadata", metadata != NULL ? json_object_ref (metadata) : json_object_new ());
  return fields;
}

static gboolean
reeve_knowledge_choose (ReeveKnowledge *self, ReeveAdmitted *admitted, const char *wanted,
                        char **workspace_id, GError **error)
{
  return self->workspaces == NULL
         || reeve_workspaces_choose (self->workspaces, reeve_admitted_get_caller (admitted), wanted,
                                     workspace_id, error);
}

/**
 * reeve_knowledge_upload:
 * @self: knowledge
 * @admitted: the right to `documents.upload`
 * @bytes: the document
 * @media_type: (nullable): what the caller says it is
 * @file_name: (nullable): its name
 * @classification: (nullable): PUBLIC, INTERNAL, CONFIDENTIAL or RESTRICTED in any case; %NULL for
 * INTERNAL
 * @workspace_id: (nullable): where it is to lie; %NULL for in none, or in that of the key
 * @metadata: (nullable): members of the caller's; `title` names the document
 * @error: return location: %REEVE_ERROR_UNSUPPORTED_MEDIA, %REEVE_ERROR_INVALID_ARGUMENT,
 * %REEVE_ERROR_TOO_LARGE
 *
 * Extracts, cuts, stores and indexes a document, all or nothing.
 *
 * Returns: (transfer full) (nullable): the document
 */
JsonObject *
reeve_knowledge_upload (ReeveKnowledge *self, ReeveAdmitted *admitted, GBytes *bytes,
                        const char *media_type, const char *file_name, const char *classification,
                        const char *workspace_id, JsonObject *metadata, GError **error)
{
  const char *label = reeve_knowledge_classify (classification, error);
  const char *tenant_id = reeve_knowledge_get_tenant (admitted);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autofree char *document_id = reeve_ids_new ("doc");
  g_autofree char *blob_id = reeve_knowledge_blob_id (document_id, 1);
  g_autofree char *type = NULL;
  g_autofree char *title = NULL;
  g_autofree char *place = NULL;
  g_autoptr (ReeveExtract) extract = NULL;
  g_autoptr (JsonObject) fields = NULL;
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (ReeveRecord) record = NULL;
  guint chunks = 0;

  if (label != NULL && reeve_knowledge_choose (self, admitted, workspace_id, &place, error))
    {
      extract
          = reeve_extraction_read (self->extraction, bytes, media_type, file_name, &type, error);
      reeve_error_prefix_member (extract == NULL ? error : NULL, "/file");
    }
  if (extract != NULL)
    title = reeve_knowledge_title_choose (metadata, file_name, extract, error);
  if (title != NULL)
    chunks = reeve_knowledge_add_chunks (self, batch, document_id, title, 1, place, extract, error);
  if (chunks == 0)
    return NULL;
  fields = reeve_knowledge_new_fields (title, label, bytes, type, file_name, metadata);
  json_object_set_int_member (fields, "chunks", chunks);
  if (place != NULL)
    json_object_set_string_member (fields, "workspace_id", place);
  reeve_workspaces_count (batch, place, 1);
  reeve_batch_put (batch, REEVE_STORE_DOCUMENTS, document_id, fields, REEVE_REVISION_ABSENT);
  reeve_batch_blob_put (batch, blob_id, bytes);
  reeve_admitted_consume (admitted, "documents.upload");
  result = reeve_store_commit (self->store, batch, error);
  if (result == NULL)
    return NULL;
  record = reeve_record_new (document_id, 1, fields);
  return reeve_knowledge_describe (record);
}

/* ---- reading ---- */

static ReeveRecord *
reeve_knowledge_read (ReeveKnowledge *self, const char *tenant_id, const char *document_id,
                      GError **error)
{
  return reeve_store_get (self->store, tenant_id, REEVE_STORE_DOCUMENTS, document_id, error);
}

static GBytes *
reeve_knowledge_read_blob (ReeveKnowledge *self, const char *tenant_id, ReeveRecord *record,
                           GError **error)
{
  g_autofree char *blob_id = reeve_knowledge_blob_id (
      reeve_record_get_id (record),
      reeve_json_get_int (reeve_record_get_fields (record), "version", 1));

  return reeve_store_get_blob (self->store, tenant_id, blob_id, error);
}

static ReeveExtract *
reeve_knowledge_extract_again (ReeveKnowledge *self, ReeveRecord *record, GBytes *bytes,
                               GError **error)
{
  JsonObject *fields = reeve_record_get_fields (record);
  g_autofree char *type = NULL;

  return reeve_extraction_read (self->extraction, bytes,
                                reeve_json_get_string (fields, "media_type", NULL),
                                reeve_json_get_string (fields, "file_name", NULL), &type, error);
}

/**
 * reeve_knowledge_list:
 * @self: knowledge
 * @tenant_id: a tenant
 * @seen: (nullable): workspaces whose documents are shown
 * @limit: most documents
 * @cursor: (nullable): where the last page ended
 * @error: return location
 *
 * Returns: (transfer full) (nullable): {items, next_cursor}, newest first
 */
JsonObject *
reeve_knowledge_list (ReeveKnowledge *self, const char *tenant_id, const char *const *seen,
                      guint limit, const char *cursor, GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (tenant_id, REEVE_STORE_DOCUMENTS);
  g_autoptr (JsonObject) params = json_object_new ();

  json_object_set_int_member (params, "limit", limit);
  if (cursor != NULL)
    json_object_set_string_member (params, "cursor", cursor);
  return reeve_listing_new (self->store, query, "created_at", params, seen,
                            reeve_knowledge_describe, error);
}

static JsonArray *
reeve_knowledge_preview (ReeveKnowledge *self, ReeveExtract *extract, GError **error)
{
  g_autoptr (GArray) starts = g_array_new (FALSE, FALSE, sizeof (gsize));
  g_autofree char *text = reeve_knowledge_join (extract, starts);
  g_autoptr (GPtrArray) chunks
      = reeve_chunker_split (text, strlen (text), (const gsize *) (gpointer) starts->data,
                             starts->len, &self->options, error);
  JsonArray *preview = NULL;

  if (chunks == NULL)
    return NULL;
  preview = json_array_new ();
  for (guint i = 0; i < MIN (chunks->len, REEVE_KNOWLEDGE_PREVIEW); i++)
    {
      const ReeveChunk *chunk = g_ptr_array_index (chunks, i);
      g_autofree char *piece = g_strndup (text + chunk->start, chunk->length);

      json_array_add_string_element (preview, piece);
    }
  return preview;
}

/**
 * reeve_knowledge_get:
 * @self: knowledge
 * @tenant_id: a tenant
 * @document_id: a document
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the document, with its first chunks as `preview`
 */
JsonObject *
reeve_knowledge_get (ReeveKnowledge *self, const char *tenant_id, const char *document_id,
                     GError **error)
{
  g_autoptr (ReeveRecord) record = reeve_knowledge_read (self, tenant_id, document_id, error);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (ReeveExtract) extract = NULL;
  JsonArray *preview = NULL;
  JsonObject *document = NULL;

  if (record != NULL)
    bytes = reeve_knowledge_read_blob (self, tenant_id, record, error);
  if (bytes != NULL)
    extract = reeve_knowledge_extract_again (self, record, bytes, error);
  if (extract != NULL)
    preview = reeve_knowledge_preview (self, extract, error);
  if (preview == NULL)
    return NULL;
  document = reeve_knowledge_describe (record);
  json_object_set_array_member (document, "preview", preview);
  return document;
}

/* ---- changes ---- */

/**
 * reeve_knowledge_delete:
 * @self: knowledge
 * @admitted: the right to `documents.delete`
 * @document_id: a document
 * @error: return location
 *
 * Deletes a document with its bytes and chunks.
 *
 * Returns: whether it is gone
 */
gboolean
reeve_knowledge_delete (ReeveKnowledge *self, ReeveAdmitted *admitted, const char *document_id,
                        GError **error)
{
  const char *tenant_id = reeve_knowledge_get_tenant (admitted);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveRecord) record = reeve_knowledge_read (self, tenant_id, document_id, error);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autofree char *blob_id = NULL;

  if (record == NULL)
    return FALSE;
  blob_id = reeve_knowledge_blob_id (
      document_id, reeve_json_get_int (reeve_record_get_fields (record), "version", 1));
  reeve_batch_delete (batch, REEVE_STORE_DOCUMENTS, document_id,
                      reeve_record_get_revision (record));
  reeve_batch_blob_delete (batch, blob_id);
  reeve_batch_text_delete (batch, REEVE_STORE_CHUNKS, document_id);
  reeve_workspaces_count (
      batch, reeve_json_get_string (reeve_record_get_fields (record), "workspace_id", NULL), -1);
  reeve_admitted_consume_exactly (admitted, "documents.delete", document_id, NULL);
  result = reeve_store_commit (self->store, batch, error);
  return result != NULL;
}

/**
 * reeve_knowledge_reindex:
 * @self: knowledge
 * @admitted: the right to `documents.reindex`
 * @document_id: a document
 * @error: return location
 *
 * Extracts and cuts a document again and replaces its chunks.
 *
 * Returns: (transfer full) (nullable): the document
 */
JsonObject *
reeve_knowledge_reindex (ReeveKnowledge *self, ReeveAdmitted *admitted, const char *document_id,
                         GError **error)
{
  const char *tenant_id = reeve_knowledge_get_tenant (admitted);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveRecord) record = reeve_knowledge_read (self, tenant_id, document_id, error);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (ReeveExtract) extract = NULL;
  g_autoptr (JsonObject) fields = NULL;
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (ReeveRecord) changed = NULL;
  guint chunks = 0;

  if (record != NULL)
    bytes = reeve_knowledge_read_blob (self, tenant_id, record, error);
  if (bytes != NULL)
    extract = reeve_knowledge_extract_again (self, record, bytes, error);
  if (extract == NULL)
    return NULL;
  fields = reeve_listing_dup (reeve_record_get_fields (record));
  reeve_batch_text_delete (batch, REEVE_STORE_CHUNKS, document_id);
  chunks = reeve_knowledge_add_chunks (
      self, batch, document_id, reeve_json_get_string (fields, "title", ""),
      reeve_json_get_int (fields, "version", 1),
      reeve_json_get_string (fields, "workspace_id", NULL), extract, error);
  if (chunks == 0)
    return NULL;
  json_object_set_int_member (fields, "chunks", chunks);
  json_object_set_int_member (fields, "updated_at", reeve_times_now ());
  reeve_batch_put (batch, REEVE_STORE_DOCUMENTS, document_id, fields,
                   reeve_record_get_revision (record));
  reeve_admitted_consume_exactly (admitted, "documents.reindex", document_id, NULL);
  result = reeve_store_commit (self->store, batch, error);
  if (result == NULL)
    return NULL;
  changed = reeve_record_new (document_id, 1, fields);
  return reeve_knowledge_describe (changed);
}

/* ---- search ---- */

/**
 * reeve_knowledge_search:
 * @self: knowledge
 * @tenant_id: a tenant
 * @seen: (nullable): workspaces whose documents are searched; %NULL: what lies in none
 * @query: words
 * @limit: most results
 * @error: return location
 *
 * Returns: (transfer full) (nullable): results, best first
 */
JsonArray *
reeve_knowledge_search (ReeveKnowledge *self, const char *tenant_id, const char *const *seen,
                        const char *query, guint limit, GError **error)
{
  return reeve_knowledge_sight_search (self->store, self->workspaces, tenant_id, seen, query, limit,
                                       error);
}

static JsonNode *
reeve_knowledge_on_search (const ReeveCapabilityCaller *caller, JsonNode *params,
                           gpointer user_data, GError **error)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (params) ? json_node_get_object (params) : NULL;
  const char *tenant_id = reeve_context_get_tenant_id (caller->context);
  const char *query = object != NULL ? reeve_json_get_string (object, "query", NULL) : NULL;
  gint64 limit = object != NULL ? reeve_json_get_int (object, "limit", 5) : 5;
  JsonArray *results = NULL;
  JsonObject *answer = NULL;
  JsonNode *node = NULL;

  if (tenant_id == NULL || query == NULL || limit < 1 || limit > 100)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "knowledge.search needs a tenant, a query and a limit from 1 to 100");
      return NULL;
    }
  results = reeve_knowledge_search (user_data, tenant_id,
                                    reeve_context_get_workspaces (caller->context), query,
                                    (guint) limit, error);
  if (results == NULL)
    return NULL;
  answer = json_object_new ();
  json_object_set_array_member (answer, "results", results);
  node = json_node_new (JSON_NODE_OBJECT);
  json_node_take_object (node, answer);
  return node;
}

/**
 * reeve_knowledge_provide:
 * @self: knowledge; outlives @capabilities
 * @capabilities: what this host offers to plugins
 *
 * Offers `knowledge.search`: {query, limit} to {results}, in the tenant of the call.
 */
void
reeve_knowledge_provide (ReeveKnowledge *self, ReeveCapabilities *capabilities)
{
  reeve_capabilities_provide (capabilities, "knowledge.search", reeve_knowledge_on_search, self);
}
