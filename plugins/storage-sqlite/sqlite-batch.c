/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Applies the operations of a batch inside a transaction. The first that is refused ends it; the
 * writer then undoes the batch alone. */
#include "sqlite-batch.h"

#include <string.h>

#include "sqlite-queue.h"

typedef struct
{
  SqliteConnection *connection;
  SqliteSchema *schema;
  const ReeveOp *op;
  guint position;
  ReeveBatchResult *result;
} SqliteBatchStep;

/* gives 0 for a record that is not there */
static gboolean
sqlite_batch_find_revision (SqliteBatchStep *step, const SqliteCollection *collection,
                            gint64 *revision, GError **error)
{
  sqlite3_stmt *statement
      = sqlite_connection_prepare (step->connection, collection->revision, error);
  gboolean row = FALSE;

  *revision = 0;
  if (statement == NULL)
    return FALSE;
  sqlite_connection_bind_text (statement, 1, step->op->id);
  if (!sqlite_connection_step (step->connection, statement, &row, error))
    return FALSE;
  if (row)
    *revision = sqlite3_column_int64 (statement, 0);
  sqlite3_reset (statement);
  return TRUE;
}

static gboolean
sqlite_batch_bind_field (sqlite3_stmt *statement, int position, const SqliteField *field,
                         JsonNode *node, GError **error)
{
  GType type = G_TYPE_INVALID;

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return sqlite3_bind_null (statement, position) == SQLITE_OK;
  if (JSON_NODE_HOLDS_VALUE (node))
    type = json_node_get_value_type (node);
  if (field->type == REEVE_FIELD_TEXT && type == G_TYPE_STRING)
    sqlite_connection_bind_text (statement, position, json_node_get_string (node));
  else if (field->type == REEVE_FIELD_INT && type == G_TYPE_INT64)
    sqlite3_bind_int64 (statement, position, json_node_get_int (node));
  else if (field->type == REEVE_FIELD_BOOLEAN && type == G_TYPE_BOOLEAN)
    sqlite3_bind_int64 (statement, position, json_node_get_boolean (node) ? 1 : 0);
  else if (field->type == REEVE_FIELD_REAL && type == G_TYPE_INT64)
    sqlite3_bind_double (statement, position, (double) json_node_get_int (node));
  else if (field->type == REEVE_FIELD_REAL && type == G_TYPE_DOUBLE)
    sqlite3_bind_double (statement, position, json_node_get_double (node));
  else
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "member %s has another type than declared", field->name);
      return FALSE;
    }
  return TRUE;
}

static char *
sqlite_batch_write_object (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  json_node_set_object (node, object);
  return reeve_json_text (node);
}

/* @body lives longer than the statement runs */
static sqlite3_stmt *
sqlite_batch_prepare_put (SqliteBatchStep *step, const SqliteCollection *collection,
                          const char *sql, const char *body, GError **error)
{
  sqlite3_stmt *statement = sqlite_connection_prepare (step->connection, sql, error);

  if (statement == NULL)
    return NULL;
  sqlite_connection_bind_text (statement, 1, step->op->id);
  sqlite_connection_bind_text (statement, 2, body);
  for (guint i = 0; i < collection->fields->len; i++)
    {
      const SqliteField *field = g_ptr_array_index (collection->fields, i);
      JsonNode *node = json_object_get_member (step->op->object, field->name);

      if (!sqlite_batch_bind_field (statement, (int) i + 3, field, node, error))
        return NULL;
    }
  return statement;
}

static gboolean
sqlite_batch_upsert (SqliteBatchStep *step, const SqliteCollection *collection, const char *body,
                     GError **error)
{
  gboolean row = FALSE;
  gint64 revision = 0;
  sqlite3_stmt *statement
      = sqlite_batch_prepare_put (step, collection, collection->upsert, body, error);

  if (statement == NULL || !sqlite_connection_step (step->connection, statement, &row, error))
    return FALSE;
  if (row)
    revision = sqlite3_column_int64 (statement, 0);
  reeve_batch_result_set_value (step->result, step->position, revision);
  return !row || sqlite_connection_run (step->connection, statement, error);
}

static gboolean
sqlite_batch_put (SqliteBatchStep *step, GError **error)
{
  const ReeveOp *op = step->op;
  const SqliteCollection *collection
      = sqlite_schema_find_collection (step->schema, op->name, error);
  g_autofree char *body = NULL;
  sqlite3_stmt *statement = NULL;
  gboolean fresh = op->expected == REEVE_REVISION_ABSENT;
  gint64 revision = 0;

  if (collection == NULL)
    return FALSE;
  body = sqlite_batch_write_object (op->object);
  if (op->expected == REEVE_REVISION_ANY)
    return sqlite_batch_upsert (step, collection, body, error);
  statement = sqlite_batch_prepare_put (
      step, collection, fresh ? collection->insert : collection->update, body, error);
  if (statement == NULL)
    return FALSE;
  if (!fresh)
    sqlite3_bind_int64 (statement, (int) collection->fields->len + 3, op->expected);
  if (!sqlite_connection_run (step->connection, statement, error))
    return FALSE;
  reeve_batch_result_set_value (step->result, step->position, op->expected + 1);
  if (sqlite3_changes (sqlite_connection_get_db (step->connection)) == 1)
    return TRUE;
  return sqlite_batch_find_revision (step, collection, &revision, error)
         && reeve_batch_check_revision (op, revision, error);
}

static gboolean
sqlite_batch_delete (SqliteBatchStep *step, GError **error)
{
  const ReeveOp *op = step->op;
  const SqliteCollection *collection
      = sqlite_schema_find_collection (step->schema, op->name, error);
  sqlite3_stmt *statement = NULL;
  gint64 revision = 0;

  if (collection == NULL)
    return FALSE;
  if (op->expected != REEVE_REVISION_ANY
      && (!sqlite_batch_find_revision (step, collection, &revision, error)
          || !reeve_batch_check_revision (op, revision, error)))
    return FALSE;
  statement = sqlite_connection_prepare (step->connection, collection->delete, error);
  if (statement == NULL)
    return FALSE;
  sqlite_connection_bind_text (statement, 1, op->id);
  if (!sqlite_connection_run (step->connection, statement, error))
    return FALSE;
  reeve_batch_result_set_value (step->result, step->position,
                                sqlite3_changes (sqlite_connection_get_db (step->connection)));
  return TRUE;
}

static gboolean
sqlite_batch_check (SqliteBatchStep *step, GError **error)
{
  const SqliteCollection *collection
      = sqlite_schema_find_collection (step->schema, step->op->name, error);
  gint64 revision = 0;

  if (collection == NULL || !sqlite_batch_find_revision (step, collection, &revision, error))
    return FALSE;
  reeve_batch_result_set_value (step->result, step->position, revision);
  return reeve_batch_check_revision (step->op, revision, error);
}

static gboolean
sqlite_batch_count (SqliteBatchStep *step, GError **error)
{
  const ReeveOp *op = step->op;
  sqlite3_stmt *statement = sqlite_connection_prepare (
      step->connection, "SELECT value FROM counters WHERE name = ?1", error);
  gboolean row = FALSE;
  gint64 value = 0;

  if (statement == NULL)
    return FALSE;
  sqlite_connection_bind_text (statement, 1, op->name);
  if (!sqlite_connection_step (step->connection, statement, &row, error))
    return FALSE;
  if (row)
    value = sqlite3_column_int64 (statement, 0);
  sqlite3_reset (statement);
  if (__builtin_add_overflow (value, op->delta, &value) || value < op->min || value > op->max)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE,
                   "counter %s would leave its bounds", op->name);
      return FALSE;
    }
  statement = sqlite_connection_prepare (step->connection,
                                         "INSERT INTO counters (name, value) VALUES (?1, ?2) "
                                         "ON CONFLICT (name) DO UPDATE SET value = ?2",
                                         error);
  if (statement == NULL)
    return FALSE;
  sqlite_connection_bind_text (statement, 1, op->name);
  sqlite3_bind_int64 (statement, 2, value);
  reeve_batch_result_set_value (step->result, step->position, value);
  return sqlite_connection_run (step->connection, statement, error);
}

static void
sqlite_batch_bind_bytes (sqlite3_stmt *statement, int position, GBytes *bytes)
{
  gsize length = 0;
  const void *data = g_bytes_get_data (bytes, &length);

  /* no data at all would be null */
  sqlite3_bind_blob64 (statement, position, length > 0 ? data : "", length, SQLITE_STATIC);
}

static gboolean
sqlite_batch_blob_put (SqliteBatchStep *step, GError **error)
{
  sqlite3_stmt *statement = sqlite_connection_prepare (
      step->connection,
      "INSERT INTO blobs (id, bytes) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET bytes = ?2",
      error);

  if (statement == NULL)
    return FALSE;
  sqlite_connection_bind_text (statement, 1, step->op->id);
  sqlite_batch_bind_bytes (statement, 2, step->op->bytes);
  return sqlite_connection_run (step->connection, statement, error);
}

/* statements with one text parameter that delete; the result is how many rows went */
static gboolean
sqlite_batch_remove (SqliteBatchStep *step, const char *sql, const char *what, GError **error)
{
  sqlite3_stmt *statement = sqlite_connection_prepare (step->connection, sql, error);

  if (statement == NULL)
    return FALSE;
  sqlite_connection_bind_text (statement, 1, what);
  if (!sqlite_connection_run (step->connection, statement, error))
    return FALSE;
  reeve_batch_result_set_value (step->result, step->position,
                                sqlite3_changes (sqlite_connection_get_db (step->connection)));
  return TRUE;
}

static gboolean
sqlite_batch_text_put (SqliteBatchStep *step, GError **error)
{
  const ReeveOp *op = step->op;
  const SqliteTextIndex *index = sqlite_schema_find_text (step->schema, op->name, error);
  g_autofree char *data = op->object != NULL ? sqlite_batch_write_object (op->object) : NULL;
  sqlite3_stmt *statement = NULL;

  if (index == NULL)
    return FALSE;
  statement = sqlite_connection_prepare (step->connection, index->put, error);
  if (statement == NULL)
    return FALSE;
  sqlite_connection_bind_text (statement, 1, op->group);
  sqlite_connection_bind_text (statement, 2, op->id);
  sqlite_connection_bind_text (statement, 3, op->title != NULL ? op->title : "");
  sqlite_connection_bind_text (statement, 4, op->text);
  sqlite_connection_bind_text (statement, 5, data);
  return sqlite_connection_run (step->connection, statement, error);
}

static gboolean
sqlite_batch_text_delete (SqliteBatchStep *step, GError **error)
{
  const SqliteTextIndex *index = sqlite_schema_find_text (step->schema, step->op->name, error);

  return index != NULL && sqlite_batch_remove (step, index->delete, step->op->group, error);
}

static gboolean
sqlite_batch_run (SqliteBatchStep *step, GError **error)
{
  switch (step->op->kind)
    {
    case REEVE_OP_PUT:
      return sqlite_batch_put (step, error);
    case REEVE_OP_DELETE:
      return sqlite_batch_delete (step, error);
    case REEVE_OP_CHECK:
      return sqlite_batch_check (step, error);
    case REEVE_OP_COUNT:
      return sqlite_batch_count (step, error);
    case REEVE_OP_BLOB_PUT:
      return sqlite_batch_blob_put (step, error);
    case REEVE_OP_BLOB_DELETE:
      return sqlite_batch_remove (step, "DELETE FROM blobs WHERE id = ?1", step->op->id, error);
    case REEVE_OP_TEXT_PUT:
      return sqlite_batch_text_put (step, error);
    case REEVE_OP_TEXT_DELETE:
      return sqlite_batch_text_delete (step, error);
    case REEVE_OP_APPEND:
    case REEVE_OP_TRUNCATE:
    case REEVE_OP_PUSH:
    case REEVE_OP_LEASE:
    case REEVE_OP_ACKNOWLEDGE:
    case REEVE_OP_RELEASE:
      return sqlite_queue_run (step->connection, step->op, step->position, step->result, error);
    default:
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED, "unknown operation %d",
                   (int) step->op->kind);
      return FALSE;
    }
}

/**
 * sqlite_batch_apply:
 * @connection: in a transaction
 * @schema: what is declared in the store
 * @batch: what to do
 * @error: return location
 *
 * Returns: (transfer full): what the operations returned; %NULL where one is refused: what was done
 * before it in this batch is then the caller's to undo
 */
ReeveBatchResult *
sqlite_batch_apply (SqliteConnection *connection, SqliteSchema *schema, ReeveBatch *batch,
                    GError **error)
{
  guint n = reeve_batch_get_length (batch);
  g_autoptr (ReeveBatchResult) result = reeve_batch_result_new (n);

  for (guint i = 0; i < n; i++)
    {
      SqliteBatchStep step = { connection, schema, reeve_batch_get_op (batch, i), i, result };

      if (!sqlite_batch_run (&step, error))
        return NULL;
    }
  return g_steal_pointer (&result);
}
