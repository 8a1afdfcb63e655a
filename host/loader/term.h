/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveTerm: one process of a plugin from its start to its end, and the instances that were set up
 * in it. Any thread but a main context's. */
#pragma once

#include "confined.h"
#include "manifest.h"
#include "pins.h"
#include "plugin-limits.h"
#include "wire.h"

G_BEGIN_DECLS

typedef struct _ReeveTerm ReeveTerm;

typedef struct
{
  ReeveManifest *manifest;
  const ReevePin *pin;
  ReeveConfinedPolicy policy;
  guint32 uid;                     /* where the host is root */
  ReeveCapabilities *capabilities; /* (nullable): as usual; outlives it */
  GCancellable *ending;            /* (nullable): the host ends: starts and setups are given up */
} ReeveTermPlugin;

/* An instance as it is set up in each term anew. */
typedef struct
{
  gconstpointer key;   /* whose it is */
  ReeveWireKinds kind; /* what its type offers */
  const char *settings;
  gboolean plain; /* it has no settings: then it is held against the manifest */
  ReeveBroker *broker;
} ReeveTermInstance;

/* Starts the process and loads the plugin there. @fell: (out) (nullable): code of the plugin ended
 * it, or had to be ended, before its hello. (nullable). Blocks.
 * %REEVE_ERROR_PLUGIN, %REEVE_ERROR_TIMEOUT */
ReeveTerm *reeve_term_new (ReeveConfined *confined, const ReeveTermPlugin *plugin, gboolean *fell,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
ReeveTerm *reeve_term_ref (ReeveTerm *self);
void reeve_term_unref (ReeveTerm *self);
/* (transfer full) (nullable): that instance, which is set up at the first time. @context:
 * (nullable): of a call that waits while another one sets it up. Blocks. */
ReevePlugin *reeve_term_get_instance (ReeveTerm *self, const ReeveTermInstance *instance,
                                      ReeveContext *context,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Shuts that one instance down, if it was set up. Blocks. */
void reeve_term_drop_instance (ReeveTerm *self, gconstpointer key);
/* Is the process gone? @error: why */
/* Ends what is under way. */
void reeve_term_cut (ReeveTerm *self);
gboolean reeve_term_has_ended (ReeveTerm *self, GError **error);
/* Shuts its instances down, and ends the process. Once. Blocks. */
void reeve_term_close (ReeveTerm *self);
GPid reeve_term_get_pid (ReeveTerm *self);
guint reeve_term_get_number (ReeveTerm *self); /* from 1; no other has it */
RunnerLayers reeve_term_get_layers (ReeveTerm *self);
const ReevePluginLimits *reeve_term_get_limits (ReeveTerm *self); /* it was started with */
/* Calls under way, counted by whoever keeps it, under his lock */
void reeve_term_enter (ReeveTerm *self);
guint reeve_term_leave (ReeveTerm *self); /* how many are left */
guint reeve_term_count (ReeveTerm *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveTerm, reeve_term_unref)

G_END_DECLS
