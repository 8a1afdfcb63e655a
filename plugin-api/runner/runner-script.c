/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CPython as a library: what its documentation calls the very high level layer, which has been the
 * same for all versions of Python 3, found by name, so that nothing is linked against it. Modules
 * with machine code are imported before the seal; behind it there is no more machine code for the
 * script, in whatever file. */
#include "runner-script.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner-ask.h"
#include "runner-connect.h"

/* nothing of the environment, of users, of sites; nothing is written; lines come out at once */
static const char *const runner_script_flags[]
    = { "Py_IsolatedFlag", "Py_IgnoreEnvironmentFlag", "Py_NoUserSiteDirectory",
        "Py_NoSiteFlag",   "Py_DontWriteBytecodeFlag", "Py_UnbufferedStdioFlag" };

/* The system's own folders, without those that others than its packages write to. */
static const char runner_script_paths[]
    = "import sys\n"
      "sys.path[:] = [path for path in sys.path if path.startswith('/usr/lib')]\n"
      "sys.path.append('/usr/lib/python3/dist-packages')\n";

/* The descriptor that was hashed, and no path. A name of its own, for what it says of errors. */
static const char runner_script_main[]
    = "exec(compile(open(4, 'rb').read(), 'the plugin', 'exec'), {'__name__': '__main__'})\n";

G_STATIC_ASSERT (RUNNER_PLAN_MODULE_FD == 4);

typedef void (*RunnerScriptInitialize) (int handle_signals);
typedef void (*RunnerScriptSetHome) (const wchar_t *home);
typedef int (*RunnerScriptRun) (const char *text);

static gboolean
runner_script_refuse (RunnerReport *report, char *reason)
{
  g_hash_table_insert (report->notes, g_strdup ("module"), reason);
  return FALSE;
}

/* (out) @function: one of @library's; C has no cast from what dlsym() returns */
static gboolean
runner_script_find (void *library, const char *name, gpointer function, RunnerReport *report)
{
  void *symbol = dlsym (library, name);

  if (symbol == NULL)
    return runner_script_refuse (report, g_strdup_printf ("its interpreter has no %s", name));
  memcpy (function, &symbol, sizeof symbol);
  return TRUE;
}

static gboolean
runner_script_prepare (void *library, RunnerReport *report)
{
  RunnerScriptSetHome set_home = NULL;
  RunnerScriptInitialize initialize = NULL;

  if (!runner_script_find (library, "Py_SetPythonHome", &set_home, report)
      || !runner_script_find (library, "Py_InitializeEx", &initialize, report))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (runner_script_flags); i++)
    {
      int *flag = NULL;

      if (!runner_script_find (library, runner_script_flags[i], &flag, report))
        return FALSE;
      *flag = 1;
    }
  set_home (L"/usr");
  initialize (0);
  return TRUE;
}

static gboolean
runner_script_import (const RunnerPlan *plan, RunnerScriptRun run, RunnerReport *report)
{
  if (run (runner_script_paths) != 0)
    return runner_script_refuse (report, g_strdup ("its interpreter cannot be set up"));
  for (guint i = 0; plan->imports != NULL && plan->imports[i] != NULL; i++)
    {
      /* names, as the host found them in the manifest */
      g_autofree char *line = g_strdup_printf ("import %s\n", plan->imports[i]);

      if (run (line) != 0)
        return runner_script_refuse (
            report, g_strdup_printf ("Imports: %s cannot be imported: the host's log has what its "
                                     "interpreter said",
                                     plan->imports[i]));
    }
  return TRUE;
}

gboolean
runner_script_open (const RunnerPlan *plan, RunnerReport *report)
{
  /* for all: what is imported finds its symbols there */
  void *library = dlopen (plan->interpreter, RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
  RunnerScriptRun run = NULL;

  if (library == NULL)
    return runner_script_refuse (report, g_strdup_printf ("its interpreter: %s", dlerror ()));
  return runner_script_find (library, "PyRun_SimpleString", &run, report)
         && runner_script_prepare (library, report) && runner_script_import (plan, run, report);
}

/* Whoever started this closes the socket when nobody needs it any more. */
static gpointer
runner_script_watch (gpointer data)
{
  struct pollfd control = { .fd = RUNNER_PLAN_CONTROL_FD, .events = POLLIN };

  (void) data;
  while (poll (&control, 1, -1) < 0 && errno == EINTR)
    continue;
  _exit (EXIT_SUCCESS);
}

gboolean
runner_script_run (const RunnerPlan *plan, RunnerReport *report)
{
  void *library = dlopen (plan->interpreter, RTLD_NOW | RTLD_NOLOAD);
  RunnerScriptRun run = NULL;
  GThread *watch = NULL;

  if (library == NULL || !runner_script_find (library, "PyRun_SimpleString", &run, report))
    return FALSE;
  /* nobody reads a stream any more: that is an error of a call, and no end */
  signal (SIGPIPE, SIG_IGN);
  if (plan->tcp)
    {
      if (!runner_ask_begin_script ())
        return FALSE;
      runner_connect_begin ();
    }
  watch = g_thread_try_new ("control", runner_script_watch, NULL, NULL);
  if (watch == NULL)
    return FALSE;
  g_thread_unref (watch);
  return run (runner_script_main) == 0;
}
