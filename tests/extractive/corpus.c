/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A searchable set of texts: chunked like documents, kept in an FTS5 table in memory.
 *
 * The texts are those of the machine it runs on: the licences in /usr/share/common-licenses and,
 * for the commands of packages that every Debian system has, the manual page as man renders it, or,
 * where the image leaves manual pages out, the help text that those pages are generated from. */
#include "corpus.h"

#include "runtime/chunker.h"

#include <string.h>

#define LICENSES "/usr/share/common-licenses"

static const gchar *const commands[]
    = { "base64", "basename", "cat",   "chmod", "cp",    "cut",   "date", "dd",    "df",
        "du",     "echo",     "grep",  "head",  "id",    "ln",    "ls",   "mkdir", "mktemp",
        "mv",     "nl",       "nproc", "paste", "rm",    "rmdir", "sed",  "seq",   "sha256sum",
        "shred",  "shuf",     "sleep", "sort",  "split", "stat",  "tail", "tee",   "timeout",
        "touch",  "tr",       "uniq",  "wc",    NULL };

/**
 * corpus_new:
 * @tokenizer: FTS5 tokenizer, such as "unicode61" or "porter unicode61"
 *
 * Returns: (transfer full): an empty corpus
 */
Corpus *
corpus_new (const gchar *tokenizer)
{
  Corpus *self = g_new0 (Corpus, 1);
  g_autofree gchar *sql = g_strdup_printf (
      "CREATE VIRTUAL TABLE chunk USING fts5 (title, text, tokenize = '%s')", tokenizer);

  g_assert_cmpint (sqlite3_open (":memory:", &self->db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (self->db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  return self;
}

void
corpus_free (Corpus *self)
{
  if (self == NULL)
    return;
  sqlite3_close (self->db);
  g_free (self);
}

/**
 * corpus_add:
 * @self: a corpus
 * @title: of the document
 * @text: of the document
 *
 * Chunks a document and indexes its chunks.
 */
void
corpus_add (Corpus *self, const gchar *title, const gchar *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) chunks = reeve_chunker_split (text, strlen (text), NULL, 0, NULL, &error);
  sqlite3_stmt *insert = NULL;

  g_assert_no_error (error);
  g_assert_cmpint (
      sqlite3_prepare_v2 (self->db, "INSERT INTO chunk VALUES (?1, ?2)", -1, &insert, NULL), ==,
      SQLITE_OK);
  for (guint i = 0; i < chunks->len; i++)
    {
      const ReeveChunk *chunk = g_ptr_array_index (chunks, i);

      sqlite3_bind_text (insert, 1, title, -1, SQLITE_STATIC);
      sqlite3_bind_text (insert, 2, text + chunk->start, (int) chunk->length, SQLITE_STATIC);
      g_assert_cmpint (sqlite3_step (insert), ==, SQLITE_DONE);
      sqlite3_reset (insert);
      self->n_chunks++;
    }
  sqlite3_finalize (insert);
}

static gchar *
corpus_run (const gchar *const *argv)
{
  g_autofree gchar *out = NULL;
  g_auto (GStrv) environment = g_get_environ ();
  gint status = 0;

  environment = g_environ_setenv (environment, "LC_ALL", "C.UTF-8", TRUE);
  environment = g_environ_setenv (environment, "MANWIDTH", "80", TRUE);
  environment = g_environ_unsetenv (environment, "MAN_KEEP_FORMATTING");
  if (!g_spawn_sync (NULL, (gchar **) argv, environment,
                     G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out, NULL,
                     &status, NULL)
      || status != 0 || out == NULL || strlen (out) < 200 || !g_utf8_validate (out, -1, NULL))
    return NULL;
  return g_steal_pointer (&out);
}

static void
corpus_add_command (Corpus *self, const gchar *command, gboolean manuals)
{
  const gchar *const man[] = { "man", "-P", "cat", "--nh", "--nj", "1", command, NULL };
  const gchar *const help[] = { command, "--help", NULL };
  g_autofree gchar *text = manuals ? corpus_run (man) : NULL;

  if (text == NULL)
    text = corpus_run (help);
  if (text == NULL)
    g_error ("%s has neither manual page nor help text", command);
  corpus_add (self, command, text);
}

static gint
corpus_compare (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const gchar *const *) a, *(const gchar *const *) b);
}

/**
 * corpus_add_folder:
 * @self: a corpus
 * @path: of a folder
 *
 * Adds the texts of a folder, each under its file's name. Links are left out: those of the licences
 * name a text again.
 */
void
corpus_add_folder (Corpus *self, const gchar *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const gchar *name;

  g_assert_nonnull (folder);
  while ((name = g_dir_read_name (folder)) != NULL)
    {
      g_autofree gchar *file = g_build_filename (path, name, NULL);

      if (!g_file_test (file, G_FILE_TEST_IS_SYMLINK) && g_file_test (file, G_FILE_TEST_IS_REGULAR)
          && strcmp (name, "README.md") != 0)
        g_ptr_array_add (names, g_strdup (name));
    }
  g_ptr_array_sort (names, corpus_compare);
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree gchar *file = g_build_filename (path, g_ptr_array_index (names, i), NULL);
      g_autofree gchar *text = NULL;

      g_assert_true (g_file_get_contents (file, &text, NULL, NULL));
      if (g_utf8_validate (text, -1, NULL))
        corpus_add (self, g_ptr_array_index (names, i), text);
    }
}

/**
 * corpus_add_machine:
 * @self: a corpus
 * @manuals: whether to prefer manual pages to help texts
 *
 * Adds the texts that every Debian machine has.
 */
void
corpus_add_machine (Corpus *self, gboolean manuals)
{
  corpus_add_folder (self, LICENSES);
  for (guint i = 0; commands[i] != NULL; i++)
    corpus_add_command (self, commands[i], manuals);
}

/* words joined by OR, as the knowledge search does it */
static gchar *
corpus_match (const gchar *query)
{
  g_autoptr (GString) match = g_string_new (NULL);
  g_auto (GStrv) words = g_strsplit_set (query, " -.,;:'\"/()", -1);

  for (guint i = 0; words[i] != NULL; i++)
    if (*words[i] != '\0')
      g_string_append_printf (match, "%s\"%s\"", match->len > 0 ? " OR " : "", words[i]);
  return g_string_free (g_steal_pointer (&match), FALSE);
}

/**
 * corpus_search:
 * @self: a corpus
 * @query: plain words
 * @limit: most passages
 *
 * Returns: (transfer full): passages as the host's search gives them, best first
 */
JsonArray *
corpus_search (Corpus *self, const gchar *query, guint limit)
{
  JsonArray *hits = json_array_new ();
  g_autofree gchar *match = corpus_match (query);
  sqlite3_stmt *select = NULL;

  if (*match == '\0')
    return hits;
  g_assert_cmpint (
      sqlite3_prepare_v2 (self->db,
                          "SELECT title, text, -bm25 (chunk, 3.0, 1.0) AS score FROM chunk"
                          " WHERE chunk MATCH ?1 ORDER BY score DESC, rowid LIMIT ?2",
                          -1, &select, NULL),
      ==, SQLITE_OK);
  sqlite3_bind_text (select, 1, match, -1, SQLITE_STATIC);
  sqlite3_bind_int (select, 2, (int) limit);
  while (sqlite3_step (select) == SQLITE_ROW)
    {
      JsonObject *hit = json_object_new ();
      const gchar *title = (const gchar *) sqlite3_column_text (select, 0);
      g_autofree gchar *id = g_strconcat ("doc_", title, NULL);

      json_object_set_string_member (hit, "document_id", id);
      json_object_set_string_member (hit, "document_title", title);
      json_object_set_string_member (hit, "content",
                                     (const gchar *) sqlite3_column_text (select, 1));
      json_object_set_double_member (hit, "score", sqlite3_column_double (select, 2));
      json_object_set_null_member (hit, "page_number");
      json_array_add_object_element (hits, hit);
    }
  sqlite3_finalize (select);
  return hits;
}
