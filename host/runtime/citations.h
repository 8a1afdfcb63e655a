/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveCitations: numbers the passages a run has found and follows which of them an answer cites.
 */
#pragma once

#include <reeve-json.h>

G_BEGIN_DECLS

typedef struct _ReeveCitations ReeveCitations;

ReeveCitations *reeve_citations_new (guint max_citations);
void reeve_citations_free (ReeveCitations *self);

/* Takes the hits of a tool result. (transfer full) (nullable) the text a model reads for it: each
 * hit with its number; NULL when the data holds none. */
char *reeve_citations_add (ReeveCitations *self, JsonNode *data);

/* A new answer begins: nothing is cited yet. */
void reeve_citations_restart (ReeveCitations *self);
/* Maps markers [n] of a piece of an answer to 1, 2, 3 … in order of first use; what may be the
 * beginning of a marker is held back until the next piece or the flush. */
void reeve_citations_feed (ReeveCitations *self, const char *text, gsize length, GString *out);
void reeve_citations_flush (ReeveCitations *self, GString *out);

/* (transfer full) the cited passages in order: [{document_id, title, snippet, score, page_number}]
 */
JsonArray *reeve_citations_list (ReeveCitations *self);
/* (transfer full) (nullable) list of references to append; style inline or appendix; NULL for
 * another style or without citations */
char *reeve_citations_format (ReeveCitations *self, const char *style, gboolean include_score,
                              gboolean include_page);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveCitations, reeve_citations_free)

G_END_DECLS
