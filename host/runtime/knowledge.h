/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveKnowledge: a tenant's documents: extract, cut, index, search. Blocks: worker threads. */
#pragma once

#include <reeve-plugin-1.h>

#include "extraction.h"
#include "governance/admission.h"
#include "governance/workspaces.h"
#include "loader/capabilities.h"
#include "store/store.h"

G_BEGIN_DECLS

#define REEVE_TYPE_KNOWLEDGE (reeve_knowledge_get_type ())
G_DECLARE_FINAL_TYPE (ReeveKnowledge, reeve_knowledge, REEVE, KNOWLEDGE, GObject)

/* chunk_tokens 0: the defaults of both */
ReeveKnowledge *reeve_knowledge_new (ReeveStore *store, ReeveExtraction *extraction,
                                     guint chunk_tokens, guint overlap_tokens);
/* Offers capability knowledge.search to plugins; @self outlives @capabilities. */
void reeve_knowledge_provide (ReeveKnowledge *self, ReeveCapabilities *capabilities);

/* Before the first call: where documents may lie. */
void reeve_knowledge_set_workspaces (ReeveKnowledge *self, ReeveWorkspaces *workspaces);

/* Consumes @admitted (operation "documents.upload"). workspace_id: (nullable) where it is to lie.
 * metadata: (nullable) object; classification: PUBLIC, INTERNAL, CONFIDENTIAL or RESTRICTED in any
 * case, NULL for INTERNAL. Answers the document: {document_id, version, title, chunks,
 * classification, …}. */
JsonObject *reeve_knowledge_upload (ReeveKnowledge *self, ReeveAdmitted *admitted, GBytes *bytes,
                                    const char *media_type, const char *file_name,
                                    const char *classification, const char *workspace_id,
                                    JsonObject *metadata, GError **error);
/* {items: […], next_cursor}; seen: workspaces whose documents are shown */
JsonObject *reeve_knowledge_list (ReeveKnowledge *self, const char *tenant_id,
                                  const char *const *seen, guint limit, const char *cursor,
                                  GError **error);
/* with `preview`, the first chunks */
JsonObject *reeve_knowledge_get (ReeveKnowledge *self, const char *tenant_id,
                                 const char *document_id, GError **error);
/* Consumes @admitted (operation "documents.delete"). */
gboolean reeve_knowledge_delete (ReeveKnowledge *self, ReeveAdmitted *admitted,
                                 const char *document_id, GError **error);
/* Consumes @admitted (operation "documents.reindex"). */
JsonObject *reeve_knowledge_reindex (ReeveKnowledge *self, ReeveAdmitted *admitted,
                                     const char *document_id, GError **error);
/* [{document_id, document_title, content, score, page_number, version}], best first */
JsonArray *reeve_knowledge_search (ReeveKnowledge *self, const char *tenant_id,
                                   const char *const *seen, const char *query, guint limit,
                                   GError **error);

G_END_DECLS
