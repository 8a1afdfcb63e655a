/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One scope: applies batches to its content, goes up and down its migrations. */
#include "memory-scope.h"

#include <string.h>

typedef struct
{
  MemoryScope *scope;
  const ReeveOp *op;
  guint position;
  ReeveBatchResult *result;
} MemoryScopeStep;

/**
 * memory_scope_new:
 * @migrations: checked migrations
 *
 * Returns: (transfer full): an empty scope, up to date
 */
MemoryScope *
memory_scope_new (const ReeveMigration *migrations)
{
  MemoryScope *self = g_new0 (MemoryScope, 1);

  self->map = memory_map_new ();
  self->migrations = migrations;
  self->history = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  memory_scope_migrate (self, memory_schema_count (migrations));
  return self;
}

/**
 * memory_scope_free:
 * @self: (transfer full): a scope
 *
 * Frees it.
 */
void
memory_scope_free (MemoryScope *self)
{
  memory_map_free (self->map);
  g_ptr_array_unref (self->history);
  g_free (self);
}

static void
memory_scope_take_down (MemoryScope *self, const ReeveMigration *migration)
{
  for (const ReeveStep *step = migration->steps; step->name != NULL; step++)
    if (step->kind == REEVE_STEP_COLLECTION || step->kind == REEVE_STEP_TEXT)
      {
        g_autofree char *prefix
            = memory_map_key (step->kind == REEVE_STEP_TEXT ? 't' : 'r', step->name, NULL, NULL);

        memory_map_remove_prefix (self->map, prefix);
      }
}

/**
 * memory_scope_migrate:
 * @self: a scope
 * @number: of a migration that there is
 *
 * Goes up or down to it. Going down loses what the migrations made; fields are looked at where they
 * stand, so that they need nothing.
 */
void
memory_scope_migrate (MemoryScope *self, guint number)
{
  while (self->number != number)
    {
      gboolean up = self->number < number;
      const ReeveMigration *migration = &self->migrations[up ? self->number : self->number - 1];
      JsonObject *entry = json_object_new ();

      if (!up)
        memory_scope_take_down (self, migration);
      json_object_set_int_member (entry, "number", migration->number);
      json_object_set_string_member (entry, "summary", migration->summary);
      json_object_set_int_member (entry, "applied_at", g_get_real_time ());
      json_object_set_string_member (entry, "direction", up ? "up" : "down");
      g_ptr_array_add (self->history, entry);
      self->number = up ? self->number + 1 : self->number - 1;
    }
}

/**
 * memory_scope_copy_history:
 * @self: a scope
 *
 * Returns: (element-type JsonObject) (transfer full): a copy that shares nothing
 */
GPtrArray *
memory_scope_copy_history (MemoryScope *self)
{
  GPtrArray *copy = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);

  for (guint i = 0; i < self->history->len; i++)
    {
      JsonObject *from = g_ptr_array_index (self->history, i);
      JsonObject *to = json_object_new ();

      json_object_set_int_member (to, "number", json_object_get_int_member (from, "number"));
      json_object_set_string_member (to, "summary",
                                     json_object_get_string_member (from, "summary"));
      json_object_set_int_member (to, "applied_at",
                                  json_object_get_int_member (from, "applied_at"));
      json_object_set_string_member (to, "direction",
                                     json_object_get_string_member (from, "direction"));
      g_ptr_array_add (copy, to);
    }
  return copy;
}

static char *
memory_scope_write_object (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  json_node_set_object (node, object);
  return reeve_json_text (node);
}

/* put, delete and check */
static gboolean
memory_scope_run_record (MemoryScopeStep *step, GError **error)
{
  MemoryScope *self = step->scope;
  const ReeveOp *op = step->op;
  g_autofree char *key = memory_map_key ('r', op->name, op->id, NULL);
  const MemoryValue *before = memory_map_get (self->map, key);
  gint64 revision = before != NULL ? before->number : 0;
  g_autoptr (MemoryValue) value = NULL;

  if (!memory_schema_has (self->migrations, self->number, REEVE_STEP_COLLECTION, op->name, error))
    return FALSE;
  if (op->kind == REEVE_OP_PUT
      && !memory_schema_check_record (self->migrations, self->number, op->name, op->object, error))
    return FALSE;
  if ((op->kind == REEVE_OP_CHECK || op->expected != REEVE_REVISION_ANY)
      && !reeve_batch_check_revision (op, revision, error))
    return FALSE;
  if (op->kind == REEVE_OP_CHECK)
    {
      reeve_batch_result_set_value (step->result, step->position, revision);
      return TRUE;
    }
  if (op->kind == REEVE_OP_DELETE)
    {
      reeve_batch_result_set_value (step->result, step->position, before != NULL ? 1 : 0);
      memory_map_set (self->map, key, NULL);
      return TRUE;
    }
  value = memory_map_value_new ();
  value->number = revision + 1;
  value->id = g_strdup (op->id);
  value->text = memory_scope_write_object (op->object);
  memory_map_set (self->map, key, value);
  reeve_batch_result_set_value (step->result, step->position, value->number);
  return TRUE;
}

static gboolean
memory_scope_run_count (MemoryScopeStep *step, GError **error)
{
  const ReeveOp *op = step->op;
  g_autofree char *key = memory_map_key ('c', op->name, NULL, NULL);
  const MemoryValue *before = memory_map_get (step->scope->map, key);
  gint64 value = before != NULL ? before->number : 0;
  g_autoptr (MemoryValue) after = memory_map_value_new ();

  if (__builtin_add_overflow (value, op->delta, &value) || value < op->min || value > op->max)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE,
                   "counter %s would leave its bounds", op->name);
      return FALSE;
    }
  after->number = value;
  memory_map_set (step->scope->map, key, after);
  reeve_batch_result_set_value (step->result, step->position, value);
  return TRUE;
}

/* append and truncate */
static gboolean
memory_scope_run_stream (MemoryScopeStep *step, GError **error)
{
  MemoryMap *map = step->scope->map;
  const ReeveOp *op = step->op;
  g_autofree char *head_key = memory_map_key ('s', op->name, NULL, NULL);
  const MemoryValue *head = memory_map_get (map, head_key);
  gint64 last = head != NULL ? head->number : 0;
  g_autoptr (MemoryValue) entry = NULL;
  g_autofree char *number = g_strdup_printf ("%020" G_GINT64_FORMAT, last + 1);
  g_autofree char *key = memory_map_key ('e', op->name, number, NULL);

  if (op->kind == REEVE_OP_TRUNCATE)
    {
      g_autofree char *prefix = memory_map_key ('e', op->name, NULL, NULL);

      memory_map_remove_prefix (map, prefix);
      memory_map_set (map, head_key, NULL);
      reeve_batch_result_set_value (step->result, step->position, last);
      return TRUE;
    }
  if (op->expected != REEVE_REVISION_ANY && op->expected != last + 1)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                   "the next number of stream %s is %" G_GINT64_FORMAT ", not %" G_GINT64_FORMAT,
                   op->name, last + 1, op->expected);
      return FALSE;
    }
  /* an entry serves as the head too: both say its number */
  entry = memory_map_value_new ();
  entry->number = last + 1;
  entry->bytes = g_bytes_ref (op->bytes);
  memory_map_set (map, key, entry);
  memory_map_set (map, head_key, entry);
  reeve_batch_result_set_value (step->result, step->position, last + 1);
  return TRUE;
}

static MemoryValue *
memory_scope_copy_item (const MemoryValue *item)
{
  MemoryValue *copy = memory_map_value_new ();

  copy->number = item->number;
  copy->due = item->due;
  copy->order = item->order;
  copy->attempts = item->attempts;
  copy->id = g_strdup (item->id);
  copy->bytes = g_bytes_ref (item->bytes);
  return copy;
}

typedef struct
{
  gint64 now;
  GPtrArray *items;
} MemoryScopeDue;

static gboolean
memory_scope_collect_due (const char *key, MemoryValue *value, gpointer user_data)
{
  MemoryScopeDue *due = user_data;

  if (value->due <= due->now)
    g_ptr_array_add (due->items, value);
  return FALSE;
}

static int
memory_scope_compare_items (gconstpointer a, gconstpointer b)
{
  const MemoryValue *left = *(MemoryValue *const *) a;
  const MemoryValue *right = *(MemoryValue *const *) b;

  if (left->due != right->due)
    return left->due < right->due ? -1 : 1;
  return left->order < right->order ? -1 : left->order > right->order;
}

static void
memory_scope_run_lease (MemoryScopeStep *step)
{
  MemoryScope *self = step->scope;
  const ReeveOp *op = step->op;
  g_autoptr (GPtrArray) items = g_ptr_array_new ();
  g_autofree char *prefix = memory_map_key ('q', op->name, NULL, NULL);
  MemoryScopeDue due = { op->time, items };

  memory_map_each (self->map, prefix, memory_scope_collect_due, &due);
  g_ptr_array_sort (items, memory_scope_compare_items);
  if (items->len > op->max)
    g_ptr_array_set_size (items, (int) op->max);
  for (guint i = 0; i < items->len; i++)
    {
      g_autoptr (MemoryValue) leased = memory_scope_copy_item (g_ptr_array_index (items, i));
      g_autofree char *key = memory_map_key ('q', op->name, leased->id, NULL);

      leased->due = op->time + op->delta;
      leased->number = ++self->leases;
      leased->attempts++;
      memory_map_set (self->map, key, leased);
      reeve_batch_result_add_lease (step->result, step->position, leased->id, leased->bytes,
                                    leased->number, leased->attempts);
    }
  reeve_batch_result_set_value (step->result, step->position, items->len);
}

/* push, acknowledge and release */
static gboolean
memory_scope_run_item (MemoryScopeStep *step, GError **error)
{
  MemoryScope *self = step->scope;
  const ReeveOp *op = step->op;
  g_autofree char *key = memory_map_key ('q', op->name, op->id, NULL);
  const MemoryValue *item = memory_map_get (self->map, key);
  g_autoptr (MemoryValue) value = NULL;

  if (op->kind == REEVE_OP_PUSH)
    {
      if (item != NULL)
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS, "%s is already in queue %s",
                       op->id, op->name);
          return FALSE;
        }
      value = memory_map_value_new ();
      value->id = g_strdup (op->id);
      value->bytes = g_bytes_ref (op->bytes);
      value->due = op->time;
      value->order = ++self->pushes;
      memory_map_set (self->map, key, value);
      return TRUE;
    }
  if (item == NULL || op->expected <= 0 || item->number != op->expected)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                   "lease %" G_GINT64_FORMAT " of %s in queue %s is not the current one",
                   op->expected, op->id, op->name);
      return FALSE;
    }
  if (op->kind == REEVE_OP_RELEASE)
    {
      value = memory_scope_copy_item (item);
      value->number = 0;
      value->due = op->time;
    }
  memory_map_set (self->map, key, value);
  return TRUE;
}

static void
memory_scope_run_blob (MemoryScopeStep *step)
{
  g_autofree char *key = memory_map_key ('b', step->op->id, NULL, NULL);
  g_autoptr (MemoryValue) value = NULL;

  if (step->op->kind == REEVE_OP_BLOB_PUT)
    {
      value = memory_map_value_new ();
      value->bytes = g_bytes_ref (step->op->bytes);
    }
  else
    {
      reeve_batch_result_set_value (step->result, step->position,
                                    memory_map_get (step->scope->map, key) != NULL ? 1 : 0);
    }
  memory_map_set (step->scope->map, key, value);
}

static gboolean
memory_scope_run_text (MemoryScopeStep *step, GError **error)
{
  MemoryScope *self = step->scope;
  const ReeveOp *op = step->op;
  g_autofree char *key = memory_map_key ('t', op->name, op->group, op->id);
  g_autoptr (MemoryValue) value = NULL;

  if (!memory_schema_has (self->migrations, self->number, REEVE_STEP_TEXT, op->name, error))
    return FALSE;
  if (op->kind == REEVE_OP_TEXT_DELETE)
    {
      reeve_batch_result_set_value (step->result, step->position,
                                    memory_map_remove_prefix (self->map, key));
      return TRUE;
    }
  value = memory_map_value_new ();
  value->group = g_strdup (op->group);
  value->id = g_strdup (op->id);
  value->title = g_strdup (op->title);
  value->text = g_strdup (op->text);
  value->data = op->object != NULL ? memory_scope_write_object (op->object) : NULL;
  memory_map_set (self->map, key, value);
  return TRUE;
}

static gboolean
memory_scope_run (MemoryScopeStep *step, GError **error)
{
  switch (step->op->kind)
    {
    case REEVE_OP_PUT:
    case REEVE_OP_DELETE:
    case REEVE_OP_CHECK:
      return memory_scope_run_record (step, error);
    case REEVE_OP_COUNT:
      return memory_scope_run_count (step, error);
    case REEVE_OP_APPEND:
    case REEVE_OP_TRUNCATE:
      return memory_scope_run_stream (step, error);
    case REEVE_OP_LEASE:
      memory_scope_run_lease (step);
      return TRUE;
    case REEVE_OP_PUSH:
    case REEVE_OP_ACKNOWLEDGE:
    case REEVE_OP_RELEASE:
      return memory_scope_run_item (step, error);
    case REEVE_OP_BLOB_PUT:
    case REEVE_OP_BLOB_DELETE:
      memory_scope_run_blob (step);
      return TRUE;
    case REEVE_OP_TEXT_PUT:
    case REEVE_OP_TEXT_DELETE:
      return memory_scope_run_text (step, error);
    default:
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED, "unknown operation %d",
                   (int) step->op->kind);
      return FALSE;
    }
}

/**
 * memory_scope_apply:
 * @self: a scope
 * @batch: what to do
 * @error: return location
 *
 * Does all of a batch or nothing.
 *
 * Returns: (transfer full): what the operations returned; %NULL where one is refused
 */
ReeveBatchResult *
memory_scope_apply (MemoryScope *self, ReeveBatch *batch, GError **error)
{
  guint n = reeve_batch_get_length (batch);
  g_autoptr (ReeveBatchResult) result = reeve_batch_result_new (n);
  gboolean good = reeve_batch_validate (batch, error);

  memory_map_begin (self->map);
  for (guint i = 0; i < n && good; i++)
    {
      MemoryScopeStep step = { self, reeve_batch_get_op (batch, i), i, result };

      good = memory_scope_run (&step, error);
    }
  memory_map_end (self->map, good);
  return good ? g_steal_pointer (&result) : NULL;
}
