/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes a store file's tables and moves them between migrations. A migration, its number and its
 * line in the history are one transaction; each step can be undone. The file format itself has a
 * number of its own (user_version): a file of a newer one is refused and never touched. */
#include "sqlite-migration.h"

/* Streams: an entry's key is stream << 32 | seq, so that a stream lies together and needs no index
 * beside the table. Queues: due is when an item may be leased (again); lease 0 means that nobody
 * has it. */
#define MIGRATION_TABLES                                                                           \
  "CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT "    \
  "ROWID;"                                                                                         \
  "CREATE TABLE history (entry INTEGER PRIMARY KEY, number INTEGER NOT NULL, summary TEXT NOT "    \
  "NULL,"                                                                                          \
  " applied_at INTEGER NOT NULL, direction TEXT NOT NULL) STRICT;"                                 \
  "CREATE TABLE counters (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL)"                 \
  " STRICT, WITHOUT ROWID;"                                                                        \
  "CREATE TABLE streams (stream INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"                   \
  " last INTEGER NOT NULL) STRICT;"                                                                \
  "CREATE TABLE stream_entries (entry INTEGER PRIMARY KEY, payload BLOB NOT NULL) STRICT;"         \
  "CREATE TABLE queue_items (item INTEGER PRIMARY KEY, queue TEXT NOT NULL, id TEXT NOT NULL,"     \
  " payload BLOB NOT NULL, due INTEGER NOT NULL, lease INTEGER NOT NULL, attempts INTEGER NOT "    \
  "NULL,"                                                                                          \
  " UNIQUE (queue, id)) STRICT;"                                                                   \
  "CREATE INDEX queue_items_due ON queue_items (queue, due, item);"                                \
  "CREATE TABLE blobs (id TEXT NOT NULL PRIMARY KEY, bytes BLOB NOT NULL) STRICT;"

static const char *
sqlite_migration_column_type (ReeveFieldType type)
{
  switch (type)
    {
    case REEVE_FIELD_TEXT:
      return "TEXT";
    case REEVE_FIELD_REAL:
      return "REAL";
    case REEVE_FIELD_INT:
    case REEVE_FIELD_BOOLEAN:
    default:
      return "INTEGER";
    }
}

/* a member of another type is as good as absent: the record was right when it was written */
static const char *
sqlite_migration_fill_types (ReeveFieldType type)
{
  switch (type)
    {
    case REEVE_FIELD_TEXT:
      return "'text'";
    case REEVE_FIELD_REAL:
      return "'real', 'integer'";
    case REEVE_FIELD_BOOLEAN:
      return "'true', 'false'";
    case REEVE_FIELD_INT:
    default:
      return "'integer'";
    }
}

static void
sqlite_migration_write_collection (GString *sql, const ReeveStep *step, gboolean up)
{
  if (!up)
    {
      g_string_append_printf (sql, "DROP TABLE \"c_%s\"", step->name);
      return;
    }
  g_string_append_printf (sql,
                          "CREATE TABLE \"c_%s\" (id TEXT NOT NULL PRIMARY KEY, "
                          "revision INTEGER NOT NULL, body TEXT NOT NULL",
                          step->name);
  for (const ReeveField *field = step->fields; field->name != NULL; field++)
    g_string_append_printf (sql, ", \"f_%s\" %s", field->name,
                            sqlite_migration_column_type (field->type));
  g_string_append (sql, ") STRICT");
}

static void
sqlite_migration_write_fields (GString *sql, const ReeveStep *step, gboolean up)
{
  for (const ReeveField *field = step->fields; field->name != NULL; field++)
    {
      if (!up)
        {
          g_string_append_printf (sql, "ALTER TABLE \"c_%s\" DROP COLUMN \"f_%s\";", step->name,
                                  field->name);
          continue;
        }
      g_string_append_printf (sql, "ALTER TABLE \"c_%s\" ADD COLUMN \"f_%s\" %s;", step->name,
                              field->name, sqlite_migration_column_type (field->type));
      g_string_append_printf (sql,
                              "UPDATE \"c_%s\" SET \"f_%s\" = json_extract (body, '$.%s') "
                              "WHERE json_type (body, '$.%s') IN (%s);",
                              step->name, field->name, field->name, field->name,
                              sqlite_migration_fill_types (field->type));
    }
}

static void
sqlite_migration_write_index (GString *sql, const ReeveStep *step, gboolean up)
{
  g_autoptr (GString) name = g_string_new (step->name);
  g_autoptr (GString) columns = g_string_new (NULL);

  for (const ReeveField *field = step->fields; field->name != NULL; field++)
    {
      g_string_append_printf (name, "_%s", field->name);
      g_string_append_printf (columns, "\"f_%s\", ", field->name);
    }
  if (up)
    g_string_append_printf (sql, "CREATE INDEX \"i_%s\" ON \"c_%s\" (%sid)", name->str, step->name,
                            columns->str);
  else
    g_string_append_printf (sql, "DROP INDEX \"i_%s\"", name->str);
}

/* The texts lie in a table, the index refers to it and triggers keep it: no text is stored twice.
 */
static void
sqlite_migration_write_text (GString *sql, const ReeveStep *step, gboolean up)
{
  const char *n = step->name;

  if (!up)
    {
      g_string_append_printf (sql,
                              "DROP TABLE \"t_%s_terms\"; DROP TABLE \"t_%s\";"
                              "DROP TABLE \"t_%s_rows\"; DELETE FROM meta WHERE name = 'text:%s'",
                              n, n, n, n);
      return;
    }
  g_string_append_printf (sql,
                          "INSERT INTO meta VALUES ('text:%s', 0);"
                          "CREATE TABLE \"t_%s_rows\" (row INTEGER PRIMARY KEY, grp TEXT NOT NULL, "
                          "key TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL, data TEXT, "
                          "UNIQUE (grp, key)) STRICT;"
                          "CREATE VIRTUAL TABLE \"t_%s\" USING fts5 (title, text, "
                          "content = 't_%s_rows', content_rowid = 'row', "
                          "tokenize = 'unicode61 remove_diacritics 2');"
                          "CREATE VIRTUAL TABLE \"t_%s_terms\" USING fts5vocab ('t_%s', 'row');",
                          n, n, n, n, n, n);
  g_string_append_printf (sql,
                          "CREATE TRIGGER \"t_%s_added\" AFTER INSERT ON \"t_%s_rows\" BEGIN "
                          "INSERT INTO \"t_%s\" (rowid, title, text) "
                          "VALUES (new.row, new.title, new.text); "
                          "UPDATE meta SET value = value + 1 WHERE name = 'text:%s'; END;",
                          n, n, n, n);
  g_string_append_printf (sql,
                          "CREATE TRIGGER \"t_%s_deleted\" AFTER DELETE ON \"t_%s_rows\" BEGIN "
                          "INSERT INTO \"t_%s\" (\"t_%s\", rowid, title, text) "
                          "VALUES ('delete', old.row, old.title, old.text); "
                          "UPDATE meta SET value = value - 1 WHERE name = 'text:%s'; END;",
                          n, n, n, n, n);
  g_string_append_printf (sql,
                          "CREATE TRIGGER \"t_%s_changed\" AFTER UPDATE ON \"t_%s_rows\" BEGIN "
                          "INSERT INTO \"t_%s\" (\"t_%s\", rowid, title, text) "
                          "VALUES ('delete', old.row, old.title, old.text); "
                          "INSERT INTO \"t_%s\" (rowid, title, text) "
                          "VALUES (new.row, new.title, new.text); END",
                          n, n, n, n, n);
}

static gboolean
sqlite_migration_run_step (SqliteConnection *connection, const ReeveStep *step, gboolean up,
                           GError **error)
{
  g_autoptr (GString) sql = g_string_new (NULL);

  switch (step->kind)
    {
    case REEVE_STEP_COLLECTION:
      sqlite_migration_write_collection (sql, step, up);
      break;
    case REEVE_STEP_FIELD:
      sqlite_migration_write_fields (sql, step, up);
      break;
    case REEVE_STEP_INDEX:
      sqlite_migration_write_index (sql, step, up);
      break;
    case REEVE_STEP_TEXT:
    default:
      sqlite_migration_write_text (sql, step, up);
      break;
    }
  if (sqlite_connection_exec (connection, sql->str, error))
    return TRUE;
  g_prefix_error (error, "%s of %s: ", up ? "making" : "removing", step->name);
  return FALSE;
}

static gboolean
sqlite_migration_run_steps (SqliteConnection *connection, const ReeveStep *steps, gboolean up,
                            GError **error)
{
  guint n = 0;

  while (steps[n].name != NULL)
    n++;
  for (guint i = 0; i < n; i++)
    if (!sqlite_migration_run_step (connection, &steps[up ? i : n - 1 - i], up, error))
      return FALSE;
  return TRUE;
}

static gboolean
sqlite_migration_note (SqliteConnection *connection, const ReeveMigration *migration, gboolean up,
                       GError **error)
{
  sqlite3_stmt *statement = sqlite_connection_prepare (
      connection,
      "INSERT INTO history (number, summary, applied_at, direction) VALUES (?1, ?2, ?3, ?4)",
      error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, migration->number);
  sqlite_connection_bind_text (statement, 2, migration->summary);
  sqlite3_bind_int64 (statement, 3, g_get_real_time ());
  sqlite_connection_bind_text (statement, 4, up ? "up" : "down");
  if (!sqlite_connection_run (connection, statement, error))
    return FALSE;
  statement = sqlite_connection_prepare (connection,
                                         "UPDATE meta SET value = ?1 WHERE name = 'schema'", error);
  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, migration->number - (up ? 0 : 1));
  return sqlite_connection_run (connection, statement, error);
}

static gboolean
sqlite_migration_move (SqliteConnection *connection, const ReeveMigration *migration, gboolean up,
                       GError **error)
{
  if (!sqlite_connection_begin (connection, error))
    return FALSE;
  if (sqlite_migration_run_steps (connection, migration->steps, up, error)
      && sqlite_migration_note (connection, migration, up, error))
    return sqlite_connection_commit (connection, error);
  sqlite_connection_rollback (connection);
  return FALSE;
}

/**
 * sqlite_migration_create:
 * @connection: to a new file
 * @error: return location
 *
 * Makes the tables of the format, in one transaction with its number. No migration is applied yet.
 *
 * Returns: %FALSE on error
 */
gboolean
sqlite_migration_create (SqliteConnection *connection, GError **error)
{
  g_autofree char *stamp = g_strdup_printf ("PRAGMA application_id = %d; PRAGMA user_version = %d;"
                                            "INSERT INTO meta VALUES ('schema', 0), ('lease', 0)",
                                            SQLITE_SCHEMA_APPLICATION, SQLITE_SCHEMA_FORMAT);

  if (!sqlite_connection_begin (connection, error))
    return FALSE;
  if (sqlite_connection_exec (connection, MIGRATION_TABLES, error)
      && sqlite_connection_exec (connection, stamp, error))
    return sqlite_connection_commit (connection, error);
  sqlite_connection_rollback (connection);
  return FALSE;
}

/**
 * sqlite_migration_check_format:
 * @connection: to a file that is there
 * @error: return location
 *
 * Looks whether the file is a store of a format that this version knows.
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT (no store of ours) or %REEVE_ERROR_FORMAT_TOO_NEW
 */
gboolean
sqlite_migration_check_format (SqliteConnection *connection, GError **error)
{
  gint64 application = 0;
  gint64 format = 0;
  int reserve = -1;

  if (!sqlite_connection_get_int (connection, "PRAGMA application_id", &application, error)
      || !sqlite_connection_get_int (connection, "PRAGMA user_version", &format, error))
    return FALSE;
  sqlite3_file_control (sqlite_connection_get_db (connection), "main", SQLITE_FCNTL_RESERVE_BYTES,
                        &reserve);
  if (application != SQLITE_SCHEMA_APPLICATION || format < 1 || reserve != SQLITE_VFS_RESERVE)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                           "the file is no store of reeve");
      return FALSE;
    }
  if (format > SQLITE_SCHEMA_FORMAT)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_FORMAT_TOO_NEW,
                   "the store has format %" G_GINT64_FORMAT ", this version knows up to %d", format,
                   SQLITE_SCHEMA_FORMAT);
      return FALSE;
    }
  return TRUE;
}

/**
 * sqlite_migration_get_number:
 * @connection: to a store
 * @number: (out): of the last migration applied
 * @error: return location
 *
 * Returns: %FALSE on error
 */
gboolean
sqlite_migration_get_number (SqliteConnection *connection, guint *number, GError **error)
{
  gint64 value = 0;

  if (!sqlite_connection_get_int (connection, "SELECT value FROM meta WHERE name = 'schema'",
                                  &value, error))
    return FALSE;
  *number = (guint) CLAMP (value, 0, G_MAXINT);
  return TRUE;
}

/**
 * sqlite_migration_run:
 * @connection: to a store
 * @migrations: checked migrations, ended by number 0
 * @number: of the last one that is to stand
 * @error: return location
 *
 * Moves up or down, one transaction for each migration.
 *
 * Returns: %FALSE with %REEVE_ERROR_FORMAT_TOO_NEW where the store has a migration that is not
 * among @migrations; the store is then at the last migration that succeeded
 */
gboolean
sqlite_migration_run (SqliteConnection *connection, const ReeveMigration *migrations, guint number,
                      GError **error)
{
  guint known = 0;
  guint have = 0;

  while (migrations[known].number != 0)
    known++;
  if (!sqlite_migration_get_number (connection, &have, error))
    return FALSE;
  if (have > known)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_FORMAT_TOO_NEW,
                   "the store has migration %u, this version knows up to %u", have, known);
      return FALSE;
    }
  while (have != number)
    {
      gboolean up = have < number;
      const ReeveMigration *migration = &migrations[up ? have : have - 1];

      if (!sqlite_migration_move (connection, migration, up, error))
        {
          g_prefix_error (error, "migration %u %s: ", migration->number, up ? "up" : "down");
          return FALSE;
        }
      have = up ? have + 1 : have - 1;
    }
  return TRUE;
}

/**
 * sqlite_migration_get_history:
 * @connection: to a store
 * @error: return location
 *
 * Returns: (element-type JsonObject) (transfer full): what was applied when, oldest first; %NULL on
 * error
 */
GPtrArray *
sqlite_migration_get_history (SqliteConnection *connection, GError **error)
{
  g_autoptr (GPtrArray) history
      = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  sqlite3_stmt *statement = sqlite_connection_prepare (
      connection, "SELECT number, summary, applied_at, direction FROM history ORDER BY entry",
      error);
  gboolean row = FALSE;

  if (statement == NULL || !sqlite_connection_step (connection, statement, &row, error))
    return NULL;
  while (row)
    {
      JsonObject *entry = json_object_new ();

      json_object_set_int_member (entry, "number", sqlite3_column_int64 (statement, 0));
      json_object_set_string_member (entry, "summary",
                                     (const char *) sqlite3_column_text (statement, 1));
      json_object_set_int_member (entry, "applied_at", sqlite3_column_int64 (statement, 2));
      json_object_set_string_member (entry, "direction",
                                     (const char *) sqlite3_column_text (statement, 3));
      g_ptr_array_add (history, entry);
      if (!sqlite_connection_step (connection, statement, &row, error))
        return NULL;
    }
  return g_steal_pointer (&history);
}
