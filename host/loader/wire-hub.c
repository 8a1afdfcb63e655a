/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The workers are not the host's own: a call of a plugin's holds one of those while the plugin asks
 * for a capability, and must not wait for another of them. */
#include "wire-hub.h"

/* what waits for a model or a server needs one each */
#define REEVE_WIRE_HUB_WORKERS 32

struct _ReeveWireHub
{
  gatomicrefcount references;
  ReeveWireGate *gate;
  GThreadPool *workers;
  void (*ended) (gpointer data); /* (nullable); written before the first wire */
  gpointer ended_data;
};

typedef struct
{
  void (*func) (gpointer data);
  gpointer data;
} ReeveWireHubJob;

static void
reeve_wire_hub_work (gpointer data, gpointer user_data)
{
  ReeveWireHubJob *job = data;

  job->func (job->data);
  g_free (job);
}

ReeveWireHub *
reeve_wire_hub_new (GError **error)
{
  g_autoptr (ReeveWireGate) gate = reeve_wire_gate_new (error);
  ReeveWireHub *self = NULL;

  if (gate == NULL)
    return NULL;
  self = g_new0 (ReeveWireHub, 1);
  g_atomic_ref_count_init (&self->references);
  self->gate = g_steal_pointer (&gate);
  self->workers
      = g_thread_pool_new (reeve_wire_hub_work, NULL, REEVE_WIRE_HUB_WORKERS, FALSE, NULL);
  return self;
}

ReeveWireHub *
reeve_wire_hub_ref (ReeveWireHub *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
reeve_wire_hub_unref (ReeveWireHub *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  /* one of them may be where this is said: it goes when its work is done */
  g_thread_pool_free (self->workers, FALSE, FALSE);
  reeve_wire_gate_free (self->gate);
  g_free (self);
}

ReeveWireGate *
reeve_wire_hub_get_gate (ReeveWireHub *self)
{
  return self->gate;
}

void
reeve_wire_hub_set_ended (ReeveWireHub *self, void (*func) (gpointer data), gpointer data)
{
  self->ended = func;
  self->ended_data = data;
}

void
reeve_wire_hub_tell_ended (ReeveWireHub *self)
{
  if (self->ended != NULL)
    self->ended (self->ended_data);
}

void
reeve_wire_hub_push (ReeveWireHub *self, void (*func) (gpointer data), gpointer data)
{
  ReeveWireHubJob *job = g_new (ReeveWireHubJob, 1);

  *job = (ReeveWireHubJob){ func, data };
  g_thread_pool_push (self->workers, job, NULL);
}
