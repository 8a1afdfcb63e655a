/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CheckRun: what the checks of every kind share: the loaded plugin, its contexts, what the author
 * gave on the command line. */
#pragma once

#include <reeve-plugin-1.h>

#include "loader/registry.h"

#include "check-report.h"

G_BEGIN_DECLS

/* What the command line says. */
typedef struct
{
  char *folder;     /* of the plugin */
  char *settings;   /* (nullable) JSON */
  char *samples;    /* (nullable) folder with sample responses */
  char **arguments; /* (nullable) TOOL=JSON */
  char **answers;   /* (nullable) CAPABILITY=JSON */
  gboolean destructive;
  int seconds;
} CheckOptions;

typedef struct _CheckRun CheckRun;

CheckRun *check_run_new (const CheckOptions *options, CheckReport *report);
void check_run_free (CheckRun *self);
CheckReport *check_run_get_report (CheckRun *self);
const CheckOptions *check_run_get_options (CheckRun *self);
ReeveManifest *check_run_get_manifest (CheckRun *self);
gboolean check_run_is_script (CheckRun *self);
/* FALSE when what follows cannot be checked */
gboolean check_run_load (CheckRun *self);
/* (nullable): an instance that offers the interface; says why there is none when it is wanted */
ReevePlugin *check_run_make (CheckRun *self, GType iface, gboolean wanted);
void check_run_shutdown (CheckRun *self);

/* (transfer full) */
ReeveContext *check_run_new_context (CheckRun *self, ReevePlugin *plugin,
                                     GCancellable *cancellable);
/* (transfer full): its deadline passed already */
ReeveContext *check_run_new_late_context (CheckRun *self, ReevePlugin *plugin);
/* (transfer full) (nullable): of --arguments for that tool */
JsonNode *check_run_get_arguments (CheckRun *self, const char *tool);
/* func in four threads at once, with data */
void check_run_parallel (GThreadFunc func, gpointer data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CheckRun, check_run_free)

G_END_DECLS
