/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* posix_spawn(3) on a thread with a main loop of its own. What a runner inherits is said here one
 * by one; the rest it closes itself. */
#include "runner-launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <glib-unix.h>

#include "runner/runner-plan.h"

#include "runner-output.h"

/* numbers below belong to what a runner is given */
#define REEVE_RUNNER_LAUNCHER_ABOVE 16

struct _ReeveRunnerLauncher
{
  gatomicrefcount references;
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
};

/* One start, told from the thread that asks to the one that does. */
typedef struct
{
  const ReeveRunnerLaunch *launch;
  GMutex lock;
  GCond done;
  gboolean is_done;
  GPid pid;
  int pidfd;
  int output;
  int code; /* errno */
} ReeveRunnerLauncherJob;

static gpointer
reeve_runner_launcher_main (gpointer data)
{
  ReeveRunnerLauncher *self = data;

  g_main_context_push_thread_default (self->context);
  g_main_loop_run (self->loop);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

ReeveRunnerLauncher *
reeve_runner_launcher_new (void)
{
  ReeveRunnerLauncher *self = g_new0 (ReeveRunnerLauncher, 1);

  g_atomic_ref_count_init (&self->references);
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->thread = g_thread_new ("runners", reeve_runner_launcher_main, self);
  return self;
}

ReeveRunnerLauncher *
reeve_runner_launcher_ref (ReeveRunnerLauncher *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

static gboolean
reeve_runner_launcher_quit (gpointer data)
{
  g_main_loop_quit (data);
  return G_SOURCE_REMOVE;
}

void
reeve_runner_launcher_unref (ReeveRunnerLauncher *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_main_context_invoke (self->context, reeve_runner_launcher_quit, self->loop);
  g_thread_join (self->thread);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  g_free (self);
}

static int
reeve_runner_launcher_copy (int fd)
{
  return fcntl (fd, F_DUPFD_CLOEXEC, REEVE_RUNNER_LAUNCHER_ABOVE);
}

/* What the runner gets as number @to: @fd, or something that is of no use. */
static void
reeve_runner_launcher_give (posix_spawn_file_actions_t *actions, int fd, int to)
{
  if (fd >= 0)
    posix_spawn_file_actions_adddup2 (actions, fd, to);
  else
    posix_spawn_file_actions_addopen (actions, to, "/dev/null", O_RDONLY | O_PATH, 0);
}

/* Control, module, wire (-1: none) and output are numbers that no other takes. */
static int
reeve_runner_launcher_spawn_with (ReeveRunnerLauncherJob *job, const int *fds)
{
  static char *const environment[] = { NULL };
  const char *const *command = job->launch->command;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none;
  sigset_t all;
  int code = 0;

  sigemptyset (&none);
  sigfillset (&all);
  posix_spawn_file_actions_init (&actions);
  posix_spawnattr_init (&attributes);
  posix_spawnattr_setflags (&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setsigmask (&attributes, &none);
  posix_spawnattr_setsigdefault (&attributes, &all);
  posix_spawn_file_actions_addopen (&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2 (&actions, fds[3], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2 (&actions, fds[3], STDERR_FILENO);
  reeve_runner_launcher_give (&actions, fds[0], RUNNER_PLAN_CONTROL_FD);
  reeve_runner_launcher_give (&actions, fds[1], RUNNER_PLAN_MODULE_FD);
  reeve_runner_launcher_give (&actions, fds[2], RUNNER_PLAN_WIRE_FD);
  code = posix_spawn (&job->pid, command[0], &actions, &attributes, (char *const *) command,
                      environment);
  posix_spawn_file_actions_destroy (&actions);
  posix_spawnattr_destroy (&attributes);
  return code;
}

static int
reeve_runner_launcher_spawn (ReeveRunnerLauncherJob *job)
{
  const int given[] = { job->launch->control_fd, job->launch->module_fd, job->launch->wire_fd };
  int ends[2] = { -1, -1 };
  int fds[4] = { -1, -1, -1, -1 };
  int code = 0;

  for (guint i = 0; i < G_N_ELEMENTS (given) && code == 0; i++)
    {
      fds[i] = given[i] >= 0 ? reeve_runner_launcher_copy (given[i]) : -1;
      code = given[i] >= 0 && fds[i] < 0 ? errno : 0;
    }
  if (code == 0 && pipe2 (ends, O_CLOEXEC) != 0)
    code = errno;
  if (code == 0)
    {
      fds[3] = reeve_runner_launcher_copy (ends[1]);
      code = fds[3] < 0 ? errno : reeve_runner_launcher_spawn_with (job, fds);
      close (ends[1]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    {
      if (fds[i] >= 0)
        close (fds[i]);
    }
  job->output = ends[0];
  return code;
}

static gboolean
reeve_runner_launcher_do (gpointer data)
{
  ReeveRunnerLauncherJob *job = data;

  job->code = reeve_runner_launcher_spawn (job);
  if (job->code == 0)
    {
      job->pidfd = (int) syscall (SYS_pidfd_open, job->pid, 0);
      job->code = job->pidfd < 0 ? errno : 0;
      g_unix_set_fd_nonblocking (job->output, TRUE, NULL);
      reeve_runner_output_follow (g_main_context_get_thread_default (), job->output,
                                  job->launch->name, job->launch->host_time);
    }
  else if (job->output >= 0)
    close (job->output);
  g_mutex_lock (&job->lock);
  job->is_done = TRUE;
  g_cond_signal (&job->done);
  g_mutex_unlock (&job->lock);
  return G_SOURCE_REMOVE;
}

/**
 * reeve_runner_launcher_start:
 * @self: a launcher
 * @launch: what with
 * @pid: (out): its process
 * @pidfd: (out): stands for it; the caller's
 * @error: return location for %REEVE_ERROR_PLUGIN
 *
 * Returns: whether the program runs
 */
gboolean
reeve_runner_launcher_start (ReeveRunnerLauncher *self, const ReeveRunnerLaunch *launch, GPid *pid,
                             int *pidfd, GError **error)
{
  ReeveRunnerLauncherJob job = { .launch = launch, .pidfd = -1, .output = -1 };

  g_mutex_init (&job.lock);
  g_cond_init (&job.done);
  g_main_context_invoke (self->context, reeve_runner_launcher_do, &job);
  g_mutex_lock (&job.lock);
  while (!job.is_done)
    g_cond_wait (&job.done, &job.lock);
  g_mutex_unlock (&job.lock);
  g_mutex_clear (&job.lock);
  g_cond_clear (&job.done);
  *pid = job.pid;
  *pidfd = job.pidfd;
  if (job.code == 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "starting %s: %s", launch->command[0],
               g_strerror (job.code));
  return FALSE;
}

/**
 * reeve_runner_launcher_watch:
 * @self: a launcher
 * @listener: (transfer full): of a runner's filter
 * @watched: whose
 *
 * Returns: (transfer full) (nullable): what it is refused, from now on
 */
ReeveRunnerWatch *
reeve_runner_launcher_watch (ReeveRunnerLauncher *self, int listener,
                             const ReeveRunnerWatched *watched)
{
  return reeve_runner_watch_new (self->context, listener, watched);
}
