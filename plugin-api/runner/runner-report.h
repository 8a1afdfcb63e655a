/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a runner answers to its plan, step by step. */
#pragma once

#include "runner-layers.h"

G_BEGIN_DECLS

/* How far the runner is. */
typedef enum
{
  RUNNER_STAGE_APART,    /* in its namespaces, still seen by /proc: the host looks, and says go */
  RUNNER_STAGE_CONFINED, /* all but the seal: the host looks again, and says go */
  RUNNER_STAGE_LOADED,   /* module loaded, its descriptor as said, sealed */
  RUNNER_STAGE_REFUSED   /* a required layer, or the module: see the notes */
} RunnerStage;

/* What the runner answers. */
typedef struct
{
  RunnerStage stage;
  RunnerLayers layers; /* in force */
  guint landlock_abi;  /* 0: none */
  gboolean on_disk;    /* the runner's own: it stands in the folder that it may write in */
  GHashTable *notes;   /* (owned) name of a layer, or `module`: why not */
  char *plugin_id;     /* (nullable) (owned) of the descriptor, once loaded */
  char *version;       /* (nullable) (owned) */
  int passed; /* goes with the message of one stage, by itself; -1: none: where all of it is mapped
                 (/proc/self/maps), before that is hidden, of who has a folder on the disk; the
                 filter's listener, whose owner answers what the filter refuses */
} RunnerReport;

RunnerReport *runner_report_new (void);
void runner_report_free (RunnerReport *self);
void runner_report_note (RunnerReport *self, RunnerLayers layer, int code, const char *what);
GVariant *runner_report_to_variant (RunnerReport *self);
/* (transfer full) (nullable): %NULL where @variant is no report */
RunnerReport *runner_report_from_variant (GVariant *variant);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RunnerReport, runner_report_free)

#define RUNNER_REPORT_TYPE G_VARIANT_TYPE ("(uuua{ss}ss)")

G_END_DECLS
