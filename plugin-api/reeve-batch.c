/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveBatch: operations on one scope that happen together or not at all. A batch is built on one
 * thread and read on another, and the reference counts of JsonObject are not atomic: so it holds
 * deep copies that nobody else refers to. */
#include "reeve-storage.h"

struct _ReeveBatch
{
  gatomicrefcount refs;
  char *scope;
  GPtrArray *ops; /* of ReeveOp, which own what they point to */
};

static void
reeve_batch_op_free (ReeveOp *op)
{
  g_free ((char *) op->name);
  g_free ((char *) op->id);
  g_free ((char *) op->group);
  g_free ((char *) op->title);
  g_free ((char *) op->text);
  g_clear_pointer (&op->object, json_object_unref);
  g_clear_pointer (&op->bytes, g_bytes_unref);
  g_free (op);
}

/**
 * reeve_batch_new:
 * @scope: a tenant id or %REEVE_SCOPE_PLATFORM
 *
 * Returns: (transfer full): an empty batch
 *
 * Since: 1.0
 */
ReeveBatch *
reeve_batch_new (const char *scope)
{
  ReeveBatch *self = NULL;

  g_return_val_if_fail (scope != NULL, NULL);
  self = g_new0 (ReeveBatch, 1);
  g_atomic_ref_count_init (&self->refs);
  self->scope = g_strdup (scope);
  self->ops = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_batch_op_free);
  return self;
}

/**
 * reeve_batch_ref:
 * @self: a batch
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
ReeveBatch *
reeve_batch_ref (ReeveBatch *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * reeve_batch_unref:
 * @self: (transfer full): a batch
 *
 * Drops a reference; from any thread.
 *
 * Since: 1.0
 */
void
reeve_batch_unref (ReeveBatch *self)
{
  g_return_if_fail (self != NULL);
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_ptr_array_unref (self->ops);
  g_free (self->scope);
  g_free (self);
}

G_DEFINE_BOXED_TYPE (ReeveBatch, reeve_batch, reeve_batch_ref, reeve_batch_unref)

/**
 * reeve_batch_get_scope:
 * @self: a batch
 *
 * Returns: (transfer none): the scope that it is for
 *
 * Since: 1.0
 */
const char *
reeve_batch_get_scope (ReeveBatch *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->scope;
}

static JsonObject *reeve_batch_copy_object (JsonObject *object);

/* json_node_copy() would share the value, whose references are not counted atomically either */
static JsonNode *
reeve_batch_copy_value (JsonNode *node)
{
  JsonNode *copy = json_node_alloc ();

  switch (json_node_get_value_type (node))
    {
    case G_TYPE_STRING:
      return json_node_init_string (copy, json_node_get_string (node));
    case G_TYPE_INT64:
      return json_node_init_int (copy, json_node_get_int (node));
    case G_TYPE_DOUBLE:
      return json_node_init_double (copy, json_node_get_double (node));
    case G_TYPE_BOOLEAN:
      return json_node_init_boolean (copy, json_node_get_boolean (node));
    default:
      return json_node_init_null (copy);
    }
}

static JsonNode *
reeve_batch_copy_node (JsonNode *node)
{
  JsonNode *copy = NULL;

  if (JSON_NODE_HOLDS_OBJECT (node))
    {
      copy = json_node_new (JSON_NODE_OBJECT);
      json_node_take_object (copy, reeve_batch_copy_object (json_node_get_object (node)));
    }
  else if (JSON_NODE_HOLDS_ARRAY (node))
    {
      JsonArray *from = json_node_get_array (node);
      JsonArray *to = json_array_sized_new (json_array_get_length (from));

      for (guint i = 0; i < json_array_get_length (from); i++)
        json_array_add_element (to, reeve_batch_copy_node (json_array_get_element (from, i)));
      copy = json_node_new (JSON_NODE_ARRAY);
      json_node_take_array (copy, to);
    }
  else
    {
      copy = reeve_batch_copy_value (node);
    }
  return copy;
}

static JsonObject *
reeve_batch_copy_object (JsonObject *object)
{
  JsonObject *copy = json_object_new ();
  JsonObjectIter iter = { 0 };
  const char *name = NULL;
  JsonNode *node = NULL;

  json_object_iter_init_ordered (&iter, object);
  while (json_object_iter_next_ordered (&iter, &name, &node))
    json_object_set_member (copy, name, reeve_batch_copy_node (node));
  return copy;
}

static guint
reeve_batch_add (ReeveBatch *self, const ReeveOp *op)
{
  ReeveOp *copy = g_new0 (ReeveOp, 1);

  *copy = *op;
  copy->struct_size = sizeof *copy;
  copy->name = g_strdup (op->name);
  copy->id = g_strdup (op->id);
  copy->group = g_strdup (op->group);
  copy->title = g_strdup (op->title);
  copy->text = g_strdup (op->text);
  copy->object = op->object != NULL ? reeve_batch_copy_object (op->object) : NULL;
  copy->bytes = op->bytes != NULL ? g_bytes_ref (op->bytes) : NULL;
  g_ptr_array_add (self->ops, copy);
  return self->ops->len - 1;
}

/**
 * reeve_batch_put:
 * @self: a batch
 * @collection: a declared collection
 * @id: of the record
 * @fields: (transfer none): the whole record; copied
 * @expected_revision: the revision that it must have, %REEVE_REVISION_ABSENT or %REEVE_REVISION_ANY
 *
 * Creates or replaces a record. Its result is the new revision (1, 2, …). Refusals:
 * %REEVE_ERROR_CONFLICT, %REEVE_ERROR_ALREADY_EXISTS for %REEVE_REVISION_ABSENT,
 * %REEVE_ERROR_NOT_FOUND where a revision was expected of nothing, %REEVE_ERROR_INVALID_ARGUMENT
 * for a member whose type is not the declared one.
 *
 * Returns: the position of the operation, by which its result is read
 *
 * Since: 1.0
 */
guint
reeve_batch_put (ReeveBatch *self, const char *collection, const char *id, JsonObject *fields,
                 gint64 expected_revision)
{
  g_return_val_if_fail (self != NULL && collection != NULL && id != NULL && fields != NULL,
                        G_MAXUINT);
  return reeve_batch_add (self, &(ReeveOp){ .kind = REEVE_OP_PUT,
                                            .name = collection,
                                            .id = id,
                                            .object = fields,
                                            .expected = expected_revision });
}

/**
 * reeve_batch_delete:
 * @self: a batch
 * @collection: a declared collection
 * @id: of the record
 * @expected_revision: the revision that it must have, %REEVE_REVISION_ABSENT or %REEVE_REVISION_ANY
 *
 * Deletes a record. Refusals: as for a put, and %REEVE_ERROR_NOT_FOUND when absent unless
 * %REEVE_REVISION_ANY.
 *
 * Returns: the position of the operation, by which its result is read
 *
 * Since: 1.0
 */
guint
reeve_batch_delete (ReeveBatch *self, const char *collection, const char *id,
                    gint64 expected_revision)
{
  g_return_val_if_fail (self != NULL && collection != NULL && id != NULL, G_MAXUINT);
  return reeve_batch_add (self, &(ReeveOp){ .kind = REEVE_OP_DELETE,
                                            .name = collection,
                                            .id = id,
                                            .expected = expected_revision });
}

/**
 * reeve_batch_check:
 * @self: a batch
 * @collection: a declared collection
 * @id: of the record
 * @expected_revision: the revision that it must have, %REEVE_REVISION_ABSENT or
 * %REEVE_REVISION_ANY; the last means that it must exist
 *
 * Only the precondition, with the refusals of a put. Its result is the revision found.
 *
 * Returns: the position of the operation, by which its result is read
 *
 * Since: 1.0
 */
guint
reeve_batch_check (ReeveBatch *self, const char *collection, const char *id,
                   gint64 expected_revision)
{
  g_return_val_if_fail (self != NULL && collection != NULL && id != NULL, G_MAXUINT);
  return reeve_batch_add (self, &(ReeveOp){ .kind = REEVE_OP_CHECK,
                                            .name = collection,
                                            .id = id,
                                            .expected = expected_revision });
}

/**
 * reeve_batch_count:
 * @self: a batch
 * @counter: name of the counter
 * @delta: what to add
 * @min: least value allowed after it
 * @max: greatest value allowed after it
 *
 * Adds to a counter (0 when absent) if the result stays within bounds, else
 * %REEVE_ERROR_OUT_OF_RANGE. Its result is the new value.
 *
 * Returns: the position of the operation, by which its result is read
 *
 * Since: 1.0
 */
guint
reeve_batch_count (ReeveBatch *self, const char *counter, gint64 delta, gint64 min, gint64 max)
{
  g_return_val_if_fail (self != NULL && counter != NULL, G_MAXUINT);
  return reeve_batch_add (
      self, &(ReeveOp){
                .kind = REEVE_OP_COUNT, .name = counter, .delta = delta, .min = min, .max = max });
}

/**
 * reeve_batch_append:
 * @self: a batch
 * @stream: name of the stream
 * @payload: what to append
 * @expected_seq: the number that it must get (1, 2, …), or %REEVE_REVISION_ANY
 *
 * Appends to a stream; %REEVE_ERROR_CONFLICT where the number would be another. Its result is the
 * number.
 *
 * Returns: the position of the operation, by which its result is read
 *
 * Since: 1.0
 */
guint
reeve_batch_append (ReeveBatch *self, const char *stream, GBytes *payload, gint64 expected_seq)
{
  g_return_val_if_fail (self != NULL && stream != NULL && payload != NULL, G_MAXUINT);
  return reeve_batch_add (self, &(ReeveOp){ .kind = REEVE_OP_APPEND,
                                            .name = stream,
                                            .bytes = payload,
                                            .expected = expected_seq });
}

/**
 * reeve_batch_truncate:
 * @self: a batch
 * @stream: name of the stream
 *
 * Removes a whole stream; numbers start at 1 again.
 *
 * Returns: the position of the operation, by which its result is read
 *
 * Since: 1.0
 */
guint
reeve_batch_truncate (ReeveBatch *self, const char *stream)
{
  g_return_val_if_fail (self != NULL && stream != NULL, G_MAXUINT);
  return reeve_batch_add (self, &(ReeveOp){ .kind = REEVE_OP_TRUNCATE, .name = stream });
}

/**
 * reeve_batch_push:
 * @self: a batch
 * @queue: name of the queue
 * @id: of the item
 * @payload: what is handed out with it
 * @not_before: earliest time of a lease, µs since the epoch
 *
 * Puts an item in a queue; %REEVE_ERROR_ALREADY_EXISTS for an id that is in it.
 *
 * Returns: the position of the operation, by which its result is read
 *
 * Since: 1.0
 */
guint
reeve_batch_push (ReeveBatch *self, const char *queue, const char *id, GBytes *payload,
                  gint64 not_before)
{
  g_return_val_if_fail (self != NULL && queue != NULL && id != NULL && payload != NULL, G_MAXUINT);
  return reeve_batch_add (
      self,
      &(ReeveOp){
          .kind = REEVE_OP_PUSH, .name = queue, .id = id, .bytes = payload, .time = not_before });
}

/**
 * reeve_batch_lease:
 * @self: a batch
 * @queue: name of the queue
 * @max: most items to lease
 * @now: the time, µs since the epoch
 * @lease_us: how long the leases last, µs
 *
 * Leases the items that are due, in the order of their times. Its result is their number, the items
 * themselves are read by reeve_batch_result_get_leases().
 *
 * Returns: the position of the operation, by which its result is read
 *
 * Since: 1.0
 */
guint
reeve_batch_lease (ReeveBatch *self, const char *queue, guint max, gint64 now, gint64 lease_us)
{
  g_return_val_if_fail (self != NULL && queue != NULL, G_MAXUINT);
  return reeve_batch_add (
      self,
      &(ReeveOp){
          .kind = REEVE_OP_LEASE, .name = queue, .max = max, .time = now, .delta = lease_us });
}

/**
 * reeve_batch_acknowledge:
 * @self: a batch
 * @queue: name of the queue
 * @id: of the item
 * @lease: number of its lease
 *
 * Removes a leased item; %REEVE_ERROR_CONFLICT when the lease is not the current one.
 *
 * Returns: the position of the operation, by which its result is read
 *
 * Since: 1.0
 */
guint
reeve_batch_acknowledge (ReeveBatch *self, const char *queue, const char *id, gint64 lease)
{
  g_return_val_if_fail (self != NULL && queue != NULL && id != NULL, G_MAXUINT);
  return reeve_batch_add (
      self, &(ReeveOp){ .kind = REEVE_OP_ACKNOWLEDGE, .name = queue, .id = id, .expected = lease });
}

/**
 * reeve_batch_release:
 * @self: a batch
 * @queue: name of the queue
 * @id: of the item
 * @lease: number of its lease
 * @not_before: earliest time of its next lease, µs since the epoch
 *
 * Gives a leased item back; %REEVE_ERROR_CONFLICT when the lease is not the current one.
 *
 * Returns: the position of the operation, by which its result is read
 *
 * Since: 1.0
 */
guint
reeve_batch_release (ReeveBatch *self, const char *queue, const char *id, gint64 lease,
                     gint64 not_before)
{
  g_return_val_if_fail (self != NULL && queue != NULL && id != NULL, G_MAXUINT);
  return reeve_batch_add (self, &(ReeveOp){ .kind = REEVE_OP_RELEASE,
                                            .name = queue,
                                            .id = id,
                                            .expected = lease,
                                            .time = not_before });
}

/**
 * reeve_batch_blob_put:
 * @self: a batch
 * @id: of the blob
 * @bytes: its content
 *
 * Creates or replaces a blob.
 *
 * Returns: the position of the operation, by which its result is read
 *
 * Since: 1.0
 */
guint
reeve_batch_blob_put (ReeveBatch *self, const char *id, GBytes *bytes)
{
  g_return_val_if_fail (self != NULL && id != NULL && bytes != NULL, G_MAXUINT);
  return reeve_batch_add (
      self, &(ReeveOp){ .kind = REEVE_OP_BLOB_PUT, .name = "blob", .id = id, .bytes = bytes });
}

/**
 * reeve_batch_blob_delete:
 * @self: a batch
 * @id: of the blob
 *
 * Deletes a blob, if it is there.
 *
 * Returns: the position of the operation, by which its result is read
 *
 * Since: 1.0
 */
guint
reeve_batch_blob_delete (ReeveBatch *self, const char *id)
{
  g_return_val_if_fail (self != NULL && id != NULL, G_MAXUINT);
  return reeve_batch_add (self,
                          &(ReeveOp){ .kind = REEVE_OP_BLOB_DELETE, .name = "blob", .id = id });
}

/**
 * reeve_batch_text_put:
 * @self: a batch
 * @index: a declared text index
 * @group: what is replaced and deleted together, such as a document
 * @key: names the text within its group
 * @title: (nullable): weighs more than the text
 * @text: what is searched
 * @data: (nullable) (transfer none): handed back with hits; copied
 *
 * Adds a text to a full-text index, or replaces the one of that group and key.
 *
 * Returns: the position of the operation, by which its result is read
 *
 * Since: 1.0
 */
guint
reeve_batch_text_put (ReeveBatch *self, const char *index, const char *group, const char *key,
                      const char *title, const char *text, JsonObject *data)
{
  g_return_val_if_fail (
      self != NULL && index != NULL && group != NULL && key != NULL && text != NULL, G_MAXUINT);
  return reeve_batch_add (self, &(ReeveOp){ .kind = REEVE_OP_TEXT_PUT,
                                            .name = index,
                                            .group = group,
                                            .id = key,
                                            .title = title,
                                            .text = text,
                                            .object = data });
}

/**
 * reeve_batch_text_delete:
 * @self: a batch
 * @index: a declared text index
 * @group: whose texts to delete
 *
 * Deletes all texts of a group.
 *
 * Returns: the position of the operation, by which its result is read
 *
 * Since: 1.0
 */
guint
reeve_batch_text_delete (ReeveBatch *self, const char *index, const char *group)
{
  g_return_val_if_fail (self != NULL && index != NULL && group != NULL, G_MAXUINT);
  return reeve_batch_add (
      self, &(ReeveOp){ .kind = REEVE_OP_TEXT_DELETE, .name = index, .group = group });
}

/**
 * reeve_batch_get_length:
 * @self: a batch
 *
 * Returns: the number of its operations
 *
 * Since: 1.0
 */
guint
reeve_batch_get_length (ReeveBatch *self)
{
  g_return_val_if_fail (self != NULL, 0);
  return self->ops->len;
}

/**
 * reeve_batch_get_op:
 * @self: a batch
 * @position: of the operation, less than reeve_batch_get_length()
 *
 * The JsonObject in it may be read on any thread as long as the batch lives, but never be
 * referenced: its reference count is not atomic.
 *
 * Returns: (transfer none): the operation
 *
 * Since: 1.0
 */
const ReeveOp *
reeve_batch_get_op (ReeveBatch *self, guint position)
{
  g_return_val_if_fail (self != NULL && position < self->ops->len, NULL);
  return g_ptr_array_index (self->ops, position);
}

/**
 * reeve_batch_check_revision:
 * @op: a put or delete that expects something, or a check
 * @revision: of the record as it is; 0 when there is none
 * @error: return location: %REEVE_ERROR_NOT_FOUND, %REEVE_ERROR_ALREADY_EXISTS,
 * %REEVE_ERROR_CONFLICT
 *
 * For storage plugins: whether the record is as the operation expects it. A check of
 * %REEVE_REVISION_ANY expects that there is one.
 *
 * Returns: %FALSE with an error that names record and collection
 *
 * Since: 1.0
 */
gboolean
reeve_batch_check_revision (const ReeveOp *op, gint64 revision, GError **error)
{
  g_return_val_if_fail (op != NULL, FALSE);

  if (revision == 0 && op->expected != REEVE_REVISION_ABSENT)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no %s in %s", op->id, op->name);
  else if (revision != 0 && op->expected == REEVE_REVISION_ABSENT)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS, "%s is already in %s", op->id,
                 op->name);
  else if (op->expected > 0 && revision != op->expected)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                 "%s in %s has revision %" G_GINT64_FORMAT ", not %" G_GINT64_FORMAT, op->id,
                 op->name, revision, op->expected);
  else
    return TRUE;
  return FALSE;
}
