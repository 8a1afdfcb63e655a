/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A searchable set of texts: chunked like documents, kept in an FTS5 table in memory. */
#pragma once

#include <json-glib/json-glib.h>
#include <sqlite3.h>

G_BEGIN_DECLS

typedef struct
{
  sqlite3 *db;
  guint n_chunks;
} Corpus;

Corpus *corpus_new (const gchar *tokenizer);
void corpus_free (Corpus *self);
void corpus_add (Corpus *self, const gchar *title, const gchar *text);
void corpus_add_folder (Corpus *self, const gchar *path);
void corpus_add_machine (Corpus *self, gboolean manuals);
JsonArray *corpus_search (Corpus *self, const gchar *query, guint limit);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Corpus, corpus_free)

G_END_DECLS
