/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records on their way to a sink. */
#include "reeve-sink.h"

typedef struct
{
  char *id;
  gint64 time;
  guint severity;
  char *text;
} ReeveSinkBatchItem;

struct _ReeveSinkBatch
{
  gatomicrefcount refs;
  char *scope;
  GArray *items; /* of ReeveSinkBatchItem */
};

G_DEFINE_BOXED_TYPE (ReeveSinkBatch, reeve_sink_batch, reeve_sink_batch_ref, reeve_sink_batch_unref)

static void
reeve_sink_batch_item_clear (gpointer data)
{
  ReeveSinkBatchItem *item = data;

  g_free (item->id);
  g_free (item->text);
}

static const ReeveSinkBatchItem *
reeve_sink_batch_get (ReeveSinkBatch *self, guint index)
{
  static const ReeveSinkBatchItem none = { .id = (char *) "", .text = (char *) "" };

  g_return_val_if_fail (self != NULL && index < self->items->len, &none);
  return &g_array_index (self->items, ReeveSinkBatchItem, index);
}

/**
 * reeve_sink_batch_new:
 * @scope: whose log
 *
 * Returns: (transfer full): a batch without records
 *
 * Since: 1.0
 */
ReeveSinkBatch *
reeve_sink_batch_new (const char *scope)
{
  ReeveSinkBatch *self = g_new0 (ReeveSinkBatch, 1);

  g_atomic_ref_count_init (&self->refs);
  self->scope = g_strdup (scope);
  self->items = g_array_new (FALSE, FALSE, sizeof (ReeveSinkBatchItem));
  g_array_set_clear_func (self->items, reeve_sink_batch_item_clear);
  return self;
}

/**
 * reeve_sink_batch_ref:
 * @self: a batch
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
ReeveSinkBatch *
reeve_sink_batch_ref (ReeveSinkBatch *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * reeve_sink_batch_unref:
 * @self: (transfer full): a batch
 *
 * Since: 1.0
 */
void
reeve_sink_batch_unref (ReeveSinkBatch *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_array_unref (self->items);
  g_free (self->scope);
  g_free (self);
}

/**
 * reeve_sink_batch_add:
 * @self: a batch
 * @id: name of the record, by which who gets it twice knows it again
 * @time: when it was recorded, µs since 1970
 * @severity: 1, all as it should be, to 10
 * @text: the record in the format that is configured: one line, without its end
 *
 * Adds a record behind the last.
 *
 * Since: 1.0
 */
void
reeve_sink_batch_add (ReeveSinkBatch *self, const char *id, gint64 time, guint severity,
                      const char *text)
{
  ReeveSinkBatchItem item = { .time = time, .severity = severity };

  g_return_if_fail (self != NULL && id != NULL && text != NULL);

  item.id = g_strdup (id);
  item.text = g_strdup (text);
  g_array_append_val (self->items, item);
}

/**
 * reeve_sink_batch_get_scope:
 * @self: a batch
 *
 * Returns: (transfer none): whose log: id of a tenant, or `@platform`
 *
 * Since: 1.0
 */
const char *
reeve_sink_batch_get_scope (ReeveSinkBatch *self)
{
  g_return_val_if_fail (self != NULL, "");

  return self->scope;
}

/**
 * reeve_sink_batch_get_length:
 * @self: a batch
 *
 * Returns: number of records
 *
 * Since: 1.0
 */
guint
reeve_sink_batch_get_length (ReeveSinkBatch *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->items->len;
}

/**
 * reeve_sink_batch_get_id:
 * @self: a batch
 * @index: of a record
 *
 * Returns: (transfer none): its name
 *
 * Since: 1.0
 */
const char *
reeve_sink_batch_get_id (ReeveSinkBatch *self, guint index)
{
  return reeve_sink_batch_get (self, index)->id;
}

/**
 * reeve_sink_batch_get_time:
 * @self: a batch
 * @index: of a record
 *
 * Returns: when it was recorded, µs since 1970
 *
 * Since: 1.0
 */
gint64
reeve_sink_batch_get_time (ReeveSinkBatch *self, guint index)
{
  return reeve_sink_batch_get (self, index)->time;
}

/**
 * reeve_sink_batch_get_severity:
 * @self: a batch
 * @index: of a record
 *
 * Returns: 1 to 10
 *
 * Since: 1.0
 */
guint
reeve_sink_batch_get_severity (ReeveSinkBatch *self, guint index)
{
  return reeve_sink_batch_get (self, index)->severity;
}

/**
 * reeve_sink_batch_get_text:
 * @self: a batch
 * @index: of a record
 *
 * Returns: (transfer none): the record
 *
 * Since: 1.0
 */
const char *
reeve_sink_batch_get_text (ReeveSinkBatch *self, guint index)
{
  return reeve_sink_batch_get (self, index)->text;
}

/**
 * reeve_sink_batch_append_json:
 * @self: a batch
 * @index: of a record
 * @json: gets the record as a JSON value
 *
 * Appends a record as it is where its format is JSON, else as a string.
 *
 * Since: 1.0
 */
void
reeve_sink_batch_append_json (ReeveSinkBatch *self, guint index, GString *json)
{
  const char *text = reeve_sink_batch_get_text (self, index);
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *string = NULL;

  g_return_if_fail (json != NULL);

  if (*text == '{')
    {
      g_string_append (json, text);
      return;
    }
  node = json_node_init_string (json_node_alloc (), text);
  string = reeve_json_canonical (node);
  g_string_append (json, string);
}
