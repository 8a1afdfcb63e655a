/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveKeeper: one plugin that runs in a process of its own: starts that when somebody calls, ends
 * it when nobody does, and decides what follows where it ends by itself. Any thread but a main
 * context's. */
#pragma once

#include "term.h"

G_BEGIN_DECLS

typedef struct _ReeveKeeper ReeveKeeper;

typedef enum
{
  REEVE_KEEPER_STOPPED, /* starts at the next call */
  REEVE_KEEPER_STARTING,
  REEVE_KEEPER_RUNNING,
  REEVE_KEEPER_WAITING,    /* it crashed, and starts again later */
  REEVE_KEEPER_QUARANTINED /* it crashed too often */
} ReeveKeeperState;

/* How it stands; a snapshot. */
typedef struct
{
  ReeveKeeperState state;
  ReeveConfinedPolicy policy;
  GPid pid;            /* 0: none */
  RunnerLayers layers; /* in force; of the last process */
  gboolean scratch;    /* that one was granted a folder to write in */
  gboolean known;      /* @layers is known: there was a process */
  guint crashes;       /* of the last ten minutes */
  char *reason;        /* (nullable) of the last trouble */
} ReeveKeeperStatus;

/* @plugin: its pin outlives this. Blocks (reads what is kept of it). */
ReeveKeeper *reeve_keeper_new (ReeveConfined *confined,
                               const ReeveTermPlugin *plugin) G_GNUC_WARN_UNUSED_RESULT;
ReeveKeeper *reeve_keeper_ref (ReeveKeeper *self);
void reeve_keeper_unref (ReeveKeeper *self);
/* (transfer full): of the version that new calls go to */
ReeveManifest *reeve_keeper_get_manifest (ReeveKeeper *self);
ReeveConfined *reeve_keeper_get_confined (ReeveKeeper *self);
/* (transfer full) (nullable): a process for one call, started where there is none; waits a short
 * back-off out. Blocks. %REEVE_ERROR_UNAVAILABLE: a longer one; %REEVE_ERROR_PLUGIN: quarantined,
 * or it cannot be started; and what the context says. */
ReeveTerm *reeve_keeper_enter (ReeveKeeper *self, ReeveContext *context,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* (transfer full): the call is over. @input: (nullable): digest of what the plugin had, where it
 * failed. Returns whether the process ended in it. Blocks. */
gboolean reeve_keeper_leave (ReeveKeeper *self, ReeveTerm *term, const char *input);
/* Are there inputs that are not tried again? Is this one? */
gboolean reeve_keeper_has_blamed (ReeveKeeper *self);
gboolean reeve_keeper_is_blamed (ReeveKeeper *self, const char *input);
/* Forgets all that went wrong, also for good, and lets the next call start a new process. Calls
 * under way end in the old one. Blocks. */
void reeve_keeper_restart (ReeveKeeper *self);
/* It was disabled: its process ends, behind the calls that are in it. Blocks. */
void reeve_keeper_retire (ReeveKeeper *self);
gboolean reeve_keeper_is_off (ReeveKeeper *self);
/* Something to do in a new process before any call gets there. */
typedef gboolean (*ReeveKeeperReadyFunc) (ReeveTerm *term, gpointer user_data, GError **error);

/* Another version: its process is started, @ready is called, and from then on calls go there; those
 * under way end in the old one. Where anything fails, nothing changes. Blocks. */
gboolean reeve_keeper_upgrade (ReeveKeeper *self, const ReevePin *pin, ReeveManifest *manifest,
                               ReeveKeeperReadyFunc ready, gpointer user_data, GError **error);
/* An instance that nobody calls any more. Blocks. */
void reeve_keeper_drop (ReeveKeeper *self, gconstpointer key);
/* The host ends: no call is let in, and what is under way fails, whatever the plugin does. */
void reeve_keeper_cut (ReeveKeeper *self);
/* Ends its process; none is started after that. Blocks. */
void reeve_keeper_close (ReeveKeeper *self);
void reeve_keeper_get_status (ReeveKeeper *self, ReeveKeeperStatus *status);
void reeve_keeper_status_clear (ReeveKeeperStatus *status);
const char *reeve_keeper_state_get_name (ReeveKeeperState state);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveKeeper, reeve_keeper_unref)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ReeveKeeperStatus, reeve_keeper_status_clear)

G_END_DECLS
