/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A ring of pointers under a lock that is held for as long as a pointer is put in. */
#include "tracer.h"

#include <string.h>

struct _ReeveTracer
{
  gatomicrefcount references;
  guint64 threshold; /* of the last 7 bytes of a trace id */
  guint batch;
  ReeveTracerReady ready; /* (nullable) */
  gpointer ready_data;
  GMutex lock; /* guards what follows */
  ReeveSpan **ring;
  guint most;
  guint first;
  guint length;
  guint64 dropped;
};

/**
 * reeve_tracer_new:
 * @ratio: share of the traces that begin here that are recorded, 0 to 1
 * @most: spans that wait at most
 *
 * Returns: (transfer full): a tracer
 */
ReeveTracer *
reeve_tracer_new (double ratio, guint most)
{
  ReeveTracer *self = g_new0 (ReeveTracer, 1);

  g_atomic_ref_count_init (&self->references);
  g_mutex_init (&self->lock);
  self->threshold = (guint64) (CLAMP (ratio, 0, 1) * (double) (G_GUINT64_CONSTANT (1) << 56));
  self->most = MAX (most, 1);
  self->ring = g_new0 (ReeveSpan *, self->most);
  return self;
}

ReeveTracer *
reeve_tracer_ref (ReeveTracer *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
reeve_tracer_unref (ReeveTracer *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  for (guint i = 0; i < self->length; i++)
    reeve_span_free (self->ring[(self->first + i) % self->most]);
  g_free (self->ring);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/**
 * reeve_tracer_set_ready:
 * @self: a tracer
 * @batch: that many spans are worth sending
 * @ready: (nullable): told when there are
 * @user_data: for @ready
 */
void
reeve_tracer_set_ready (ReeveTracer *self, guint batch, ReeveTracerReady ready, gpointer user_data)
{
  self->batch = MIN (batch, self->most);
  self->ready = ready;
  self->ready_data = user_data;
}

/**
 * reeve_tracer_sample:
 * @self: (nullable): a tracer; %NULL when nothing is recorded
 * @trace: a trace that begins here
 *
 * By the trace id alone, as OpenTelemetry's probability sampling compares, so that everybody who
 * samples with this ratio or a greater one takes the same traces.
 */
void
reeve_tracer_sample (ReeveTracer *self, ReeveTrace *trace)
{
  trace->flags &= (guint8) ~REEVE_TRACE_SAMPLED;
  if (self != NULL && g_ascii_strtoull (trace->trace_id + 18, NULL, 16) < self->threshold)
    trace->flags |= REEVE_TRACE_SAMPLED;
}

/**
 * reeve_tracer_take:
 * @self: a tracer
 * @span: (transfer full): one that has ended
 */
void
reeve_tracer_take (ReeveTracer *self, ReeveSpan *span)
{
  gboolean ready = FALSE;

  g_mutex_lock (&self->lock);
  if (self->length == self->most)
    self->dropped++;
  else
    {
      self->ring[(self->first + self->length) % self->most] = g_steal_pointer (&span);
      self->length++;
      ready = self->length == self->batch;
    }
  g_mutex_unlock (&self->lock);
  if (span != NULL)
    reeve_span_free (span);
  if (ready && self->ready != NULL)
    self->ready (self->ready_data);
}

/**
 * reeve_tracer_drain:
 * @self: a tracer
 * @most: how many
 *
 * Returns: (transfer full) (element-type ReeveSpan): spans that nobody else gets
 */
GPtrArray *
reeve_tracer_drain (ReeveTracer *self, guint most)
{
  GPtrArray *spans
      = g_ptr_array_new_full (MIN (most, self->most), (GDestroyNotify) reeve_span_free);

  g_mutex_lock (&self->lock);
  while (self->length > 0 && spans->len < most)
    {
      g_ptr_array_add (spans, g_steal_pointer (&self->ring[self->first]));
      self->first = (self->first + 1) % self->most;
      self->length--;
    }
  g_mutex_unlock (&self->lock);
  return spans;
}

/**
 * reeve_tracer_get_dropped:
 * @self: a tracer
 *
 * Returns: how many spans found no place since the beginning
 */
guint64
reeve_tracer_get_dropped (ReeveTracer *self)
{
  guint64 dropped = 0;

  g_mutex_lock (&self->lock);
  dropped = self->dropped;
  g_mutex_unlock (&self->lock);
  return dropped;
}
