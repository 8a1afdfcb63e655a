/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveConfined: what all plugins share that run in processes of their own: who starts those, who
 * speaks with them, who ends the idle ones, and where it is kept which of them are quarantined. Any
 * thread. */
#pragma once

#include <reeve-plugin-1.h>

#include "runner/runner-layers.h"

#include "runner-groups.h"
#include "runner-launcher.h"
#include "switches.h"
#include "throttle.h"
#include "wire-hub.h"

G_BEGIN_DECLS

typedef struct _ReeveConfined ReeveConfined;

/* What happened to a plugin's process that an administrator should know. @word: `quarantined`,
 * `restarted`. Any thread; no lock is held. */
typedef void (*ReeveConfinedEventFunc) (const char *plugin_id, const char *word, const char *reason,
                                        gpointer user_data);

typedef struct
{
  const char *runner;  /* (nullable): full path; %NULL: the one beside this program */
  const char *folder;  /* (nullable): where quarantine is kept; %NULL: it ends with the process */
  const char *scratch; /* (nullable): where folders to write in lie; %NULL: on no disk */
  gint64 idle_us;      /* how long a process stays without a call; 0: 5 minutes */
  gint64 setup_us;     /* how long each step of a start may take; 0: 30 s */
  const char
      *cgroup;     /* (nullable): where plugins get control groups; as reeve_runner_groups_new() */
  guint cpu_share; /* percent of the processors that all of them may use together; 0: the usual */
  guint32 first_uid;            /* of those that a root host gives to plugins; 0: the usual */
  ReeveSwitches *switches;      /* (nullable): none is disabled */
  ReeveConfinedEventFunc event; /* (nullable) */
  gpointer user_data;
} ReeveConfinedSetup;

/* What an administrator decided for one plugin. */
typedef struct
{
  gboolean trusted; /* runs in the host's process */
  RunnerLayersProfile profile;
  RunnerLayers accept_weaker;
} ReeveConfinedPolicy;

/* Whoever has something to do when time has passed. @now: monotonic. Returns when next; 0: never.
 */
typedef gint64 (*ReeveConfinedTickFunc) (gpointer user_data, gint64 now);

ReeveConfined *reeve_confined_new (const ReeveConfinedSetup *setup) G_GNUC_WARN_UNUSED_RESULT;
ReeveConfined *reeve_confined_ref (ReeveConfined *self);
void reeve_confined_unref (ReeveConfined *self);
/* Before plugins are looked at. */
void reeve_confined_set_policy (ReeveConfined *self, const char *plugin_id,
                                const ReeveConfinedPolicy *policy);
ReeveConfinedPolicy reeve_confined_get_policy (ReeveConfined *self, const char *plugin_id);
const ReeveConfinedSetup *reeve_confined_get_setup (ReeveConfined *self);
/* Of a process: from 1, each once. */
guint reeve_confined_next_number (ReeveConfined *self);
/* All four are made when one is needed first. (transfer none) (nullable); blocks */
ReeveWireHub *reeve_confined_get_hub (ReeveConfined *self, GError **error);
ReeveRunnerLauncher *reeve_confined_get_launcher (ReeveConfined *self);
ReeveThrottle *reeve_confined_get_throttle (ReeveConfined *self);
ReeveRunnerGroups *reeve_confined_get_groups (ReeveConfined *self);
/* Calls @func on a thread of its own, soon and whenever it is due. The closure outlives the watch.
 */
void reeve_confined_watch (ReeveConfined *self, ReeveConfinedTickFunc func, gpointer user_data);
/* Waits for a call that is under way. */
void reeve_confined_unwatch (ReeveConfined *self, gpointer user_data);
/* Looks at all of them anew. */
void reeve_confined_kick (ReeveConfined *self);
void reeve_confined_tell (ReeveConfined *self, const char *plugin_id, const char *word,
                          const char *reason);
/* (transfer full) (nullable): why the plugin of that module is quarantined. Blocks. */
char *reeve_confined_read_quarantine (ReeveConfined *self, const char *plugin_id,
                                      const char *module);
/* Durable, or a warning. @reason: (nullable): lifts it. Blocks. */
void reeve_confined_write_quarantine (ReeveConfined *self, const char *plugin_id,
                                      const char *module, const char *reason);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveConfined, reeve_confined_unref)

G_END_DECLS
