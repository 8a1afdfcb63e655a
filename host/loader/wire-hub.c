/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The workers are not the host's own: a call of a plugin's holds one of those while the plugin asks
 * for a capability, and must not wait for another of them. */
#include "wire-hub.h"

struct _ReeveWireHub
{
  gatomicrefcount references;
  ReeveWireGate *gate;
  ReeveByteRoom *room;
  ReeveWireAllowance *allowance;
  ReeveWireSharePool *workers;
  void (*ended) (gpointer data); /* (nullable); written before the first wire */
  gpointer ended_data;
};

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
  self->room = reeve_byte_room_new ();
  self->allowance = reeve_wire_allowance_new (reeve_wire_allowance_read_most ());
  self->workers = reeve_wire_share_pool_new ();
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
  reeve_wire_share_pool_unref (self->workers);
  reeve_wire_gate_free (self->gate);
  reeve_byte_room_unref (self->room);
  reeve_wire_allowance_unref (self->allowance);
  g_free (self);
}

ReeveWireGate *
reeve_wire_hub_get_gate (ReeveWireHub *self)
{
  return self->gate;
}

ReeveByteRoom *
reeve_wire_hub_get_room (ReeveWireHub *self)
{
  return self->room;
}

ReeveWireAllowance *
reeve_wire_hub_get_allowance (ReeveWireHub *self)
{
  return self->allowance;
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

ReeveWireShare *
reeve_wire_hub_new_share (ReeveWireHub *self, ReeveHostTime *host_time)
{
  return reeve_wire_share_new (self->workers, host_time);
}
