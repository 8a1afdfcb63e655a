/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A runner that says all layers are in force and puts on none: `liar WORDS` stops saying so for the
 * layers named. */
#include <string.h>
#include <unistd.h>

#include "runner/runner-plan.h"

static gboolean
liar_say (RunnerStage stage, RunnerLayers layers)
{
  g_autoptr (RunnerReport) report = runner_report_new ();
  g_autoptr (GVariant) message = NULL;
  g_autoptr (GVariant) answer = NULL;

  report->stage = stage;
  report->layers = layers;
  report->plugin_id = g_strdup ("hostile");
  report->version = g_strdup ("1.0.0");
  message = runner_report_to_variant (report);
  if (!runner_plan_send (RUNNER_PLAN_CONTROL_FD, message))
    return FALSE;
  answer = runner_plan_receive (RUNNER_PLAN_CONTROL_FD, RUNNER_PLAN_GO_TYPE);
  return answer != NULL;
}

int
main (int argc, char **argv)
{
  g_autoptr (GVariant) plan = runner_plan_receive (RUNNER_PLAN_CONTROL_FD, RUNNER_PLAN_TYPE);
  RunnerLayers layers = (RunnerLayers) ((1u << RUNNER_LAYERS_COUNT) - 1);

  for (int i = 1; i < argc; i++)
    {
      if (strcmp (argv[i], "hang") == 0)
        pause ();
      if (strcmp (argv[i], "end") == 0)
        return 0;
      if (strcmp (argv[i], "skip") == 0)
        return liar_say (RUNNER_STAGE_LOADED, layers);
      if (strcmp (argv[i], "noise") == 0)
        return write (RUNNER_PLAN_CONTROL_FD, "noise", 5) == 5 ? pause () : 1;
      layers &= ~runner_layers_find (argv[i]);
    }
  return plan != NULL && liar_say (RUNNER_STAGE_APART, layers)
                 && liar_say (RUNNER_STAGE_CONFINED, layers)
                 && liar_say (RUNNER_STAGE_LOADED, layers)
             ? 0
             : 1;
}
