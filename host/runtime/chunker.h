/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cuts a document's text into overlapping chunks for search, at the borders its author drew. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REEVE_CHUNKER_MAX_TOKENS     512
#define REEVE_CHUNKER_OVERLAP_TOKENS 50

typedef struct
{
  guint max_tokens;     /* most tokens in one chunk, at least 16 */
  guint overlap_tokens; /* tokens repeated from the chunk before, at most half of max_tokens */
} ReeveChunkerOptions;

typedef struct
{
  gsize start;    /* byte offset into the text */
  gsize length;   /* bytes; the chunk is text[start .. start + length) */
  guint tokens;   /* by reeve_chunker_count_tokens */
  guint page;     /* from 1; 0 when the text has no pages */
  gchar *heading; /* path of headings above it, joined with " > "; "" when there is none */
} ReeveChunk;

void reeve_chunker_chunk_free (ReeveChunk *chunk);
guint reeve_chunker_count_tokens (const gchar *text, gsize length);
GPtrArray *reeve_chunker_split (const gchar *text, gsize length, const gsize *page_starts,
                                guint n_pages, const ReeveChunkerOptions *options, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveChunk, reeve_chunker_chunk_free)

G_END_DECLS
