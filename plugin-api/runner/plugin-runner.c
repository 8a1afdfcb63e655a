/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reeve-plugin-runner: gives up all that a plugin has no business with, then loads one. The host
 * starts it, looks at it from outside between the steps, and says when to go on. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib/gi18n.h>

#include "runner-confine.h"
#include "runner-load.h"
#include "runner-script.h"
#include "runner-serve.h"

#define PLUGIN_RUNNER_MAP_BYTES  (256 * 1024)
#define PLUGIN_RUNNER_KEEP_BYTES (2 * 1024 * 1024)
#define PLUGIN_RUNNER_HEAPS      2

/* Whoever holds the other end says go; an end, or anything else, ends this process. */
static gboolean
plugin_runner_tell (RunnerReport *report, RunnerStage stage)
{
  g_autoptr (GVariant) message = NULL;
  g_autoptr (GVariant) answer = NULL;
  gboolean go = FALSE;
  gboolean sent = FALSE;

  report->stage = stage;
  message = runner_report_to_variant (report);
  sent = runner_plan_send_with (RUNNER_PLAN_CONTROL_FD, message, report->passed);
  /* the host's alone: who has the filter's says what a refused call is answered with */
  if (report->passed >= 0)
    close (report->passed);
  report->passed = -1;
  if (!sent || stage == RUNNER_STAGE_REFUSED)
    return FALSE;
  answer = runner_plan_receive (RUNNER_PLAN_CONTROL_FD, RUNNER_PLAN_GO_TYPE);
  if (answer != NULL)
    g_variant_get (answer, "(b)", &go);
  return go;
}

static int
plugin_runner_refuse (RunnerReport *report)
{
  plugin_runner_tell (report, RUNNER_STAGE_REFUSED);
  return EXIT_FAILURE;
}

static gboolean
plugin_runner_has_module (void)
{
  return lseek (RUNNER_PLAN_MODULE_FD, 0, SEEK_CUR) >= 0;
}

static int
plugin_runner_run (const RunnerPlan *plan, RunnerReport *report)
{
  int module = plugin_runner_has_module () ? RUNNER_PLAN_MODULE_FD : -1;
  const ReevePluginDescriptor *descriptor = NULL;
  gboolean script = module >= 0 && plan->interpreter != NULL;

  if (!runner_confine_apart (plan, report))
    return plugin_runner_refuse (report);
  if (!plugin_runner_tell (report, RUNNER_STAGE_APART))
    return EXIT_FAILURE;
  if (!runner_confine_in (plan, module, report))
    return plugin_runner_refuse (report);
  if (!plugin_runner_tell (report, RUNNER_STAGE_CONFINED))
    return EXIT_FAILURE;
  if (module >= 0 && !script)
    descriptor = runner_load_module (module, report);
  if (module >= 0 && (script ? !runner_script_open (plan, report) : descriptor == NULL))
    return plugin_runner_refuse (report);
  if (!runner_confine_seal (plan, report) && !plan->probe
      && (plan->required & RUNNER_LAYERS_SEALED) != 0)
    return plugin_runner_refuse (report);
  /* it closes the socket when it needs this process no more, which may be now */
  if (!plugin_runner_tell (report, RUNNER_STAGE_LOADED) || module < 0)
    return EXIT_SUCCESS;
  if (script)
    return runner_script_run (plan, report) ? EXIT_SUCCESS : EXIT_FAILURE;
  return runner_serve_wire (plan, descriptor) ? EXIT_SUCCESS : EXIT_FAILURE;
}

#ifdef __SANITIZE_ADDRESS__
/* The leak checker stops its process with ptrace(2), which is refused here, and would end it with a
 * number of its own where it was to end with the plugin's. */
int __lsan_is_turned_off (void);

/* layers: allow prefix: the leak checker asks for it by this name */
int
__lsan_is_turned_off (void)
{
  return 1;
}
#endif

/* GLib ends a process whose memory is used up as it ends one that is wrong: the host is to know. */
static GLogWriterOutput
plugin_runner_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  for (gsize i = 0; (level & G_LOG_LEVEL_ERROR) != 0 && i < n_fields; i++)
    {
      if (strcmp (fields[i].key, "MESSAGE") == 0 && fields[i].length < 0
          && strstr (fields[i].value, ": failed to allocate ") != NULL)
        _exit (RUNNER_PLAN_EXIT_MEMORY);
    }
  return g_log_writer_default (level, fields, n_fields, data);
}

int
main (int argc, char **argv)
{
  g_autoptr (GVariant) message = NULL;
  g_autoptr (RunnerReport) report = runner_report_new ();
  g_auto (RunnerPlan) plan = { 0 };
  int type = 0;
  socklen_t length = sizeof type;

  (void) argv;
  if (argc != 1 || getsockopt (RUNNER_PLAN_CONTROL_FD, SOL_SOCKET, SO_TYPE, &type, &length) != 0
      || type != SOCK_SEQPACKET)
    {
      fputs (_ ("reeve-plugin-runner is started by reeve-host, and by nobody else.\n"), stderr);
      return 2;
    }
  message = runner_plan_receive (RUNNER_PLAN_CONTROL_FD, RUNNER_PLAN_TYPE);
  if (message == NULL || !runner_plan_from_variant (&plan, message))
    return 2;
  g_log_set_writer_func (plugin_runner_log, NULL, NULL);
  /* what one call gave back the next one takes again: without the kernel, and without its pages
   * cleared anew; threads share two heaps, for there are few calls at once */
  mallopt (M_MMAP_THRESHOLD, PLUGIN_RUNNER_MAP_BYTES);
  mallopt (M_TRIM_THRESHOLD, PLUGIN_RUNNER_KEEP_BYTES);
  mallopt (M_ARENA_MAX, PLUGIN_RUNNER_HEAPS);
  return plugin_runner_run (&plan, report);
}
