/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams and queues: operations on what is kept in an order. An entry of a stream has the key
 * stream << 32 | number; an item of a queue is due at a time, and a lease only moves that time, so
 * that one that is not acknowledged comes back by itself. */
#include "sqlite-queue.h"

#define QUEUE_STREAM_SHIFT 32
#define QUEUE_STREAM_MAX   (((gint64) 1 << 31) - 1)
#define QUEUE_SEQ_MASK     (((gint64) 1 << QUEUE_STREAM_SHIFT) - 1)

static GBytes *
sqlite_queue_column_bytes (sqlite3_stmt *statement, int column)
{
  const void *data = sqlite3_column_blob (statement, column);

  return g_bytes_new (data, (gsize) sqlite3_column_bytes (statement, column));
}

static void
sqlite_queue_bind_bytes (sqlite3_stmt *statement, int position, GBytes *bytes)
{
  gsize length = 0;
  const void *data = g_bytes_get_data (bytes, &length);

  /* no data at all would be null */
  sqlite3_bind_blob64 (statement, position, length > 0 ? data : "", length, SQLITE_STATIC);
}

/* stream 0: there is none */
static gboolean
sqlite_queue_find_stream (SqliteConnection *connection, const char *name, gint64 *stream,
                          gint64 *last, GError **error)
{
  sqlite3_stmt *statement = sqlite_connection_prepare (
      connection, "SELECT stream, last FROM streams WHERE name = ?1", error);
  gboolean row = FALSE;

  *stream = 0;
  *last = 0;
  if (statement == NULL)
    return FALSE;
  sqlite_connection_bind_text (statement, 1, name);
  if (!sqlite_connection_step (connection, statement, &row, error))
    return FALSE;
  if (row)
    {
      *stream = sqlite3_column_int64 (statement, 0);
      *last = sqlite3_column_int64 (statement, 1);
    }
  sqlite3_reset (statement);
  return TRUE;
}

static gboolean
sqlite_queue_write_head (SqliteConnection *connection, const char *name, gint64 *stream,
                         gint64 last, GError **error)
{
  gboolean fresh = *stream == 0;
  sqlite3_stmt *statement
      = sqlite_connection_prepare (connection,
                                   fresh ? "INSERT INTO streams (name, last) VALUES (?1, ?2)"
                                         : "UPDATE streams SET last = ?2 WHERE stream = ?1",
                                   error);

  if (statement == NULL)
    return FALSE;
  if (fresh)
    sqlite_connection_bind_text (statement, 1, name);
  else
    sqlite3_bind_int64 (statement, 1, *stream);
  sqlite3_bind_int64 (statement, 2, last);
  if (!sqlite_connection_run (connection, statement, error))
    return FALSE;
  if (fresh)
    *stream = sqlite3_last_insert_rowid (sqlite_connection_get_db (connection));
  return TRUE;
}

static gboolean
sqlite_queue_append (SqliteConnection *connection, const ReeveOp *op, gint64 *seq, GError **error)
{
  gint64 stream = 0;
  sqlite3_stmt *statement = NULL;

  if (!sqlite_queue_find_stream (connection, op->name, &stream, seq, error))
    return FALSE;
  ++*seq;
  if (op->expected != REEVE_REVISION_ANY && op->expected != *seq)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                   "the next number of stream %s is %" G_GINT64_FORMAT ", not %" G_GINT64_FORMAT,
                   op->name, *seq, op->expected);
      return FALSE;
    }
  if (!sqlite_queue_write_head (connection, op->name, &stream, *seq, error))
    return FALSE;
  if (*seq > QUEUE_SEQ_MASK || stream > QUEUE_STREAM_MAX)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE, "stream %s is full", op->name);
      return FALSE;
    }
  statement = sqlite_connection_prepare (
      connection, "INSERT INTO stream_entries (entry, payload) VALUES (?1, ?2)", error);
  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, stream << QUEUE_STREAM_SHIFT | *seq);
  sqlite_queue_bind_bytes (statement, 2, op->bytes);
  return sqlite_connection_run (connection, statement, error);
}

static gboolean
sqlite_queue_truncate (SqliteConnection *connection, const ReeveOp *op, gint64 *last,
                       GError **error)
{
  gint64 stream = 0;
  sqlite3_stmt *statement = NULL;

  if (!sqlite_queue_find_stream (connection, op->name, &stream, last, error))
    return FALSE;
  if (stream == 0)
    return TRUE;
  statement = sqlite_connection_prepare (
      connection, "DELETE FROM stream_entries WHERE entry BETWEEN ?1 AND ?2", error);
  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, stream << QUEUE_STREAM_SHIFT);
  sqlite3_bind_int64 (statement, 2, stream << QUEUE_STREAM_SHIFT | QUEUE_SEQ_MASK);
  if (!sqlite_connection_run (connection, statement, error))
    return FALSE;
  statement
      = sqlite_connection_prepare (connection, "DELETE FROM streams WHERE stream = ?1", error);
  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, stream);
  return sqlite_connection_run (connection, statement, error);
}

/**
 * sqlite_queue_read_stream:
 * @connection: to a store
 * @stream: name of a stream
 * @after: number of the last entry known
 * @limit: most entries
 * @error: return location
 *
 * Returns: (element-type ReeveStreamEntry) (transfer full): the entries; %NULL on error
 */
GPtrArray *
sqlite_queue_read_stream (SqliteConnection *connection, const char *stream, gint64 after,
                          guint limit, GError **error)
{
  g_autoptr (GPtrArray) entries
      = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_stream_entry_free);
  sqlite3_stmt *statement = sqlite_connection_prepare (
      connection,
      "SELECT e.entry & 4294967295, e.payload FROM streams s JOIN stream_entries e "
      "ON e.entry > (s.stream << 32) + ?2 AND e.entry <= (s.stream << 32) + 4294967295 "
      "WHERE s.name = ?1 ORDER BY e.entry LIMIT ?3",
      error);
  gboolean row = FALSE;

  if (statement == NULL)
    return NULL;
  sqlite_connection_bind_text (statement, 1, stream);
  sqlite3_bind_int64 (statement, 2, CLAMP (after, 0, QUEUE_SEQ_MASK));
  sqlite3_bind_int64 (statement, 3, limit);
  if (!sqlite_connection_step (connection, statement, &row, error))
    return NULL;
  while (row)
    {
      g_autoptr (GBytes) payload = sqlite_queue_column_bytes (statement, 1);

      g_ptr_array_add (entries,
                       reeve_stream_entry_new (sqlite3_column_int64 (statement, 0), payload));
      if (!sqlite_connection_step (connection, statement, &row, error))
        return NULL;
    }
  return g_steal_pointer (&entries);
}

static gboolean
sqlite_queue_push (SqliteConnection *connection, const ReeveOp *op, GError **error)
{
  sqlite3_stmt *statement = sqlite_connection_prepare (
      connection,
      "INSERT INTO queue_items (queue, id, payload, due, lease, attempts) "
      "VALUES (?1, ?2, ?3, ?4, 0, 0) ON CONFLICT DO NOTHING",
      error);

  if (statement == NULL)
    return FALSE;
  sqlite_connection_bind_text (statement, 1, op->name);
  sqlite_connection_bind_text (statement, 2, op->id);
  sqlite_queue_bind_bytes (statement, 3, op->bytes);
  sqlite3_bind_int64 (statement, 4, op->time);
  if (!sqlite_connection_run (connection, statement, error))
    return FALSE;
  if (sqlite3_changes (sqlite_connection_get_db (connection)) == 1)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS, "%s is already in queue %s", op->id,
               op->name);
  return FALSE;
}

/* numbers of leases are never used twice in a store */
static gboolean
sqlite_queue_draw_leases (SqliteConnection *connection, guint n, gint64 *first, GError **error)
{
  sqlite3_stmt *statement = sqlite_connection_prepare (
      connection, "UPDATE meta SET value = value + ?1 WHERE name = 'lease'", error);
  gint64 last = 0;

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, n);
  if (!sqlite_connection_run (connection, statement, error)
      || !sqlite_connection_get_int (connection, "SELECT value FROM meta WHERE name = 'lease'",
                                     &last, error))
    return FALSE;
  *first = last - n + 1;
  return TRUE;
}

/* rows of items that are due; results are added by position in @items */
static gboolean
sqlite_queue_find_due (SqliteConnection *connection, const ReeveOp *op, GArray *items,
                       GError **error)
{
  sqlite3_stmt *statement
      = sqlite_connection_prepare (connection,
                                   "SELECT item FROM queue_items WHERE queue = ?1 AND due <= ?2 "
                                   "ORDER BY due, item LIMIT ?3",
                                   error);
  gboolean row = FALSE;

  if (statement == NULL)
    return FALSE;
  sqlite_connection_bind_text (statement, 1, op->name);
  sqlite3_bind_int64 (statement, 2, op->time);
  sqlite3_bind_int64 (statement, 3, op->max);
  if (!sqlite_connection_step (connection, statement, &row, error))
    return FALSE;
  while (row)
    {
      gint64 item = sqlite3_column_int64 (statement, 0);

      g_array_append_val (items, item);
      if (!sqlite_connection_step (connection, statement, &row, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
sqlite_queue_lease_item (SqliteConnection *connection, const ReeveOp *op, gint64 item, gint64 lease,
                         ReeveBatchResult *result, guint position, GError **error)
{
  sqlite3_stmt *statement = sqlite_connection_prepare (
      connection,
      "UPDATE queue_items SET due = ?2, lease = ?3, attempts = attempts + 1 WHERE item = ?1 "
      "RETURNING id, payload, attempts",
      error);
  gboolean row = FALSE;

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, item);
  sqlite3_bind_int64 (statement, 2, op->time + op->delta);
  sqlite3_bind_int64 (statement, 3, lease);
  if (!sqlite_connection_step (connection, statement, &row, error))
    return FALSE;
  if (row)
    {
      g_autoptr (GBytes) payload = sqlite_queue_column_bytes (statement, 1);

      reeve_batch_result_add_lease (result, position,
                                    (const char *) sqlite3_column_text (statement, 0), payload,
                                    lease, (guint) sqlite3_column_int (statement, 2));
    }
  return sqlite_connection_run (connection, statement, error);
}

static gboolean
sqlite_queue_lease (SqliteConnection *connection, const ReeveOp *op, ReeveBatchResult *result,
                    guint position, GError **error)
{
  g_autoptr (GArray) items = g_array_new (FALSE, FALSE, sizeof (gint64));
  gint64 first = 0;

  if (!sqlite_queue_find_due (connection, op, items, error))
    return FALSE;
  if (items->len == 0)
    return TRUE;
  if (!sqlite_queue_draw_leases (connection, items->len, &first, error))
    return FALSE;
  for (guint i = 0; i < items->len; i++)
    if (!sqlite_queue_lease_item (connection, op, g_array_index (items, gint64, i), first + i,
                                  result, position, error))
      return FALSE;
  reeve_batch_result_set_value (result, position, items->len);
  return TRUE;
}

static gboolean
sqlite_queue_end_lease (SqliteConnection *connection, const ReeveOp *op, GError **error)
{
  gboolean release = op->kind == REEVE_OP_RELEASE;
  sqlite3_stmt *statement = sqlite_connection_prepare (
      connection,
      release
          ? "UPDATE queue_items SET due = ?4, lease = 0 WHERE queue = ?1 AND id = ?2 AND lease = ?3"
          : "DELETE FROM queue_items WHERE queue = ?1 AND id = ?2 AND lease = ?3",
      error);

  if (statement == NULL)
    return FALSE;
  sqlite_connection_bind_text (statement, 1, op->name);
  sqlite_connection_bind_text (statement, 2, op->id);
  sqlite3_bind_int64 (statement, 3, op->expected);
  if (release)
    sqlite3_bind_int64 (statement, 4, op->time);
  if (!sqlite_connection_run (connection, statement, error))
    return FALSE;
  if (op->expected > 0 && sqlite3_changes (sqlite_connection_get_db (connection)) == 1)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
               "lease %" G_GINT64_FORMAT " of %s in queue %s is not the current one", op->expected,
               op->id, op->name);
  return FALSE;
}

/**
 * sqlite_queue_run:
 * @connection: in a transaction
 * @op: an operation on a stream or queue
 * @position: of it in its batch
 * @result: gets what it returns
 * @error: return location
 *
 * Returns: %FALSE where it is refused or fails
 */
gboolean
sqlite_queue_run (SqliteConnection *connection, const ReeveOp *op, guint position,
                  ReeveBatchResult *result, GError **error)
{
  gint64 value = 0;
  gboolean done = FALSE;

  switch (op->kind)
    {
    case REEVE_OP_APPEND:
      done = sqlite_queue_append (connection, op, &value, error);
      break;
    case REEVE_OP_TRUNCATE:
      done = sqlite_queue_truncate (connection, op, &value, error);
      break;
    case REEVE_OP_PUSH:
      return sqlite_queue_push (connection, op, error);
    case REEVE_OP_LEASE:
      return sqlite_queue_lease (connection, op, result, position, error);
    case REEVE_OP_ACKNOWLEDGE:
    case REEVE_OP_RELEASE:
    default:
      return sqlite_queue_end_lease (connection, op, error);
    }
  if (done)
    reeve_batch_result_set_value (result, position, value);
  return done;
}
