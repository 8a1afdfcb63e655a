/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One structure becomes the other: runner-plan.h is what both sides have. */
#include "runner-setup.h"

#include <unistd.h>

#include "runner/runner-plan.h"

RunnerLayers
reeve_runner_setup_get_required (const ReeveRunnerSetup *self)
{
  RunnerLayers layers = runner_layers_get_required (self->profile, geteuid () == 0);
  RunnerLayers without = self->accept_weaker;

  if (self->jit)
    without |= RUNNER_LAYERS_MDWE | RUNNER_LAYERS_SEALED;
  if (self->scratch != 0 && self->profile == RUNNER_LAYERS_PROFILE_HARDENED)
    layers |= RUNNER_LAYERS_SCRATCH;
  return layers & ~without;
}

GVariant *
reeve_runner_setup_make_plan (const ReeveRunnerSetup *self, gboolean probe)
{
  const RunnerPlan plan = {
    .profile = self->profile,
    .required = reeve_runner_setup_get_required (self),
    .probe = probe,
    .uid = self->uid,
    .memory = self->memory,
    .processes = self->processes,
    .files = self->files,
    .file_size = self->file_size,
    .scratch = self->scratch,
    .folder = self->folder != NULL ? (char *) reeve_runner_folder_get_path (self->folder) : NULL,
    .jit = self->jit,
    .tcp = self->tcp,
    .folders = (char **) self->folders,
    .interpreter = (char *) self->interpreter,
    .imports = (char **) self->imports,
  };

  return runner_plan_to_variant (&plan);
}
