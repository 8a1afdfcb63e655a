/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRunner: a process that confined itself and holds one plugin, from its start to its end. */
#pragma once

#include <reeve-plugin-1.h>

#include "runner-launcher.h"
#include "runner-setup.h"

G_BEGIN_DECLS

typedef struct _ReeveRunner ReeveRunner;

/* Starts a runner, looks at it from outside at each step, and lets it load @module_fd (-1: none, a
 * probe, which misses nothing and says what there is). (transfer full) (nullable). Blocks.
 * %REEVE_ERROR_PLUGIN names the layer that is missing, what the kernel answered, and the remedy;
 * %REEVE_ERROR_TIMEOUT. */
ReeveRunner *reeve_runner_new (ReeveRunnerLauncher *launcher, const ReeveRunnerSetup *setup,
                               int module_fd, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Ends the process, by force where it does not go within a second. Blocks. */
void reeve_runner_free (ReeveRunner *self);

RunnerLayers reeve_runner_get_layers (ReeveRunner *self); /* in force */
/* (nullable): on the disk, where the layer `scratch` is not in force */
ReeveRunnerFolder *reeve_runner_get_folder (ReeveRunner *self);
guint reeve_runner_get_landlock_abi (ReeveRunner *self); /* 0: none */
/* (nullable) why a layer is not in force */
const char *reeve_runner_get_note (ReeveRunner *self, RunnerLayers layer);
const char *reeve_runner_get_plugin_id (ReeveRunner *self); /* of the descriptor; "": a probe */
/* calls that it performs at once */
guint reeve_runner_get_n_workers (ReeveRunner *self);
const char *reeve_runner_get_version (ReeveRunner *self);
GPid reeve_runner_get_pid (ReeveRunner *self); /* that confined itself */
/* It is about to end, and has saved up for that what it can of its share of the processors. Of one
 * that was waited for: nothing. */
void reeve_runner_refill_cpu (ReeveRunner *self);
/* (transfer none): what the host uses of the processors for it */
ReeveHostTime *reeve_runner_get_host_time (ReeveRunner *self);
/* Lets it serve its wire, and hands out the host's end of that, the caller's; once. -1 with
 * %REEVE_ERROR_PLUGIN */
int reeve_runner_take_wire (ReeveRunner *self, GError **error);
/* Another descriptor that stands for its process; -1: it was waited for already */
int reeve_runner_copy_pidfd (ReeveRunner *self);
/* SIGKILL; does not wait. */
void reeve_runner_kill (ReeveRunner *self);
/* (transfer full): how it ended, as the rest of a sentence: `was killed by signal 11 (Segmentation
 * fault)` */
char *reeve_runner_describe_end (ReeveRunner *self);
/* Has the process ended? Waits for @wait_us at most; how it ended can be asked still. */
gboolean reeve_runner_is_over (ReeveRunner *self, gint64 wait_us);
/* The same, and takes the process away. */
gboolean reeve_runner_wait (ReeveRunner *self, gint64 wait_us);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRunner, reeve_runner_free)

G_END_DECLS
