/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveBatchResult: what the operations of a batch returned, by position. */
#include "reeve-storage.h"

/**
 * ReeveBatchResult:
 *
 * What the operations of a batch returned, by their positions. Immutable once the batch is done.
 *
 * Since: 1.0
 */
struct _ReeveBatchResult
{
  gatomicrefcount refs;
  guint n_ops;
  gint64 *values;
  GPtrArray **leases; /* of ReeveLease; an element is NULL until the first lease is added */
};

static void
reeve_batch_result_lease_free (ReeveLease *lease)
{
  g_free (lease->id);
  g_bytes_unref (lease->payload);
  g_free (lease);
}

/**
 * reeve_batch_result_new:
 * @n_ops: number of operations of the batch
 *
 * Returns: (transfer full): a result, all values 0
 *
 * Since: 1.0
 */
ReeveBatchResult *
reeve_batch_result_new (guint n_ops)
{
  ReeveBatchResult *self = g_new0 (ReeveBatchResult, 1);

  g_atomic_ref_count_init (&self->refs);
  self->n_ops = n_ops;
  self->values = g_new0 (gint64, n_ops);
  self->leases = g_new0 (GPtrArray *, n_ops);
  return self;
}

/**
 * reeve_batch_result_ref:
 * @self: a result
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
ReeveBatchResult *
reeve_batch_result_ref (ReeveBatchResult *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * reeve_batch_result_unref:
 * @self: (transfer full): a result
 *
 * Drops a reference; from any thread.
 *
 * Since: 1.0
 */
void
reeve_batch_result_unref (ReeveBatchResult *self)
{
  g_return_if_fail (self != NULL);
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  for (guint i = 0; i < self->n_ops; i++)
    g_clear_pointer (&self->leases[i], g_ptr_array_unref);
  g_free (self->leases);
  g_free (self->values);
  g_free (self);
}

G_DEFINE_BOXED_TYPE (ReeveBatchResult, reeve_batch_result, reeve_batch_result_ref,
                     reeve_batch_result_unref)

/**
 * reeve_batch_result_set_value:
 * @self: a result that nobody else has yet
 * @position: of the operation
 * @value: what it returned
 *
 * For storage plugins.
 *
 * Since: 1.0
 */
void
reeve_batch_result_set_value (ReeveBatchResult *self, guint position, gint64 value)
{
  g_return_if_fail (self != NULL && position < self->n_ops);
  self->values[position] = value;
}

/**
 * reeve_batch_result_get_value:
 * @self: a result
 * @position: of the operation
 *
 * Returns: what it returned: a revision, a counter, a sequence number, how many were leased or
 * deleted; else 0
 *
 * Since: 1.0
 */
gint64
reeve_batch_result_get_value (ReeveBatchResult *self, guint position)
{
  g_return_val_if_fail (self != NULL && position < self->n_ops, 0);
  return self->values[position];
}

/**
 * reeve_batch_result_add_lease:
 * @self: a result that nobody else has yet
 * @position: of the operation
 * @id: of the item
 * @payload: what was pushed
 * @lease: number of the lease
 * @attempts: how often it was leased, this one included
 *
 * For storage plugins.
 *
 * Since: 1.0
 */
void
reeve_batch_result_add_lease (ReeveBatchResult *self, guint position, const char *id,
                              GBytes *payload, gint64 lease, guint attempts)
{
  ReeveLease *item = NULL;

  g_return_if_fail (self != NULL && position < self->n_ops && id != NULL && payload != NULL);
  item = g_new0 (ReeveLease, 1);
  item->id = g_strdup (id);
  item->payload = g_bytes_ref (payload);
  item->lease = lease;
  item->attempts = attempts;
  if (self->leases[position] == NULL)
    self->leases[position]
        = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_batch_result_lease_free);
  g_ptr_array_add (self->leases[position], item);
}

/**
 * reeve_batch_result_get_leases:
 * @self: a result
 * @position: of the operation
 *
 * Returns: (element-type ReeveLease) (transfer none) (nullable): what was leased; %NULL for nothing
 *
 * Since: 1.0
 */
GPtrArray *
reeve_batch_result_get_leases (ReeveBatchResult *self, guint position)
{
  g_return_val_if_fail (self != NULL && position < self->n_ops, NULL);
  return self->leases[position];
}
