/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host's side of the control socket. A runner is told to go on only after it was looked at;
 * what it is told to load it loads behind all of it, constructors included. */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner/runner-plan.h"

#include "runner-group.h"
#include "runner-read.h"
#include "runner-still.h"
#include "runner-verify.h"

#define REEVE_RUNNER_GRACE_US G_USEC_PER_SEC

struct _ReeveRunner
{
  ReeveRunnerLauncher *launcher;
  int control;
  int wire; /* the host's end, until it is taken; -1 */
  int pidfd;
  int inner;    /* the same of @pid, while its module is loaded; -1 */
  GPid started; /* what was started; the runner itself where there is no PID namespace */
  GPid pid;     /* what confined itself */
  RunnerReport *report;
  ReeveRunnerGroup *group;   /* (nullable) */
  ReeveRunnerFolder *folder; /* (nullable) on the disk, to write in */
  char *group_note;          /* (nullable): why it has none, or not all its limits */
  ReeveThrottle *throttle;   /* (nullable): it is in there */
  ReeveHostTime *host_time;
  ReeveRunnerVerify verify;
  gboolean in_service;
  guint32 processes;
  ReeveRunnerWatch *watch; /* (nullable) */
};

/* @cancellable: (nullable): somebody gives it up */
static gboolean
reeve_runner_poll (int fd, gint64 wait_us, GCancellable *cancellable)
{
  gint64 end = g_get_monotonic_time () + wait_us;
  GPollFD wake = { .fd = -1 };
  gboolean wakes = g_cancellable_make_pollfd (cancellable, &wake);
  struct pollfd both[] = { { .fd = fd, .events = POLLIN }, { .fd = wake.fd, .events = POLLIN } };
  int ready = 0;

  do
    {
      gint64 left = MAX (end - g_get_monotonic_time (), 0);
      ready = poll (both, G_N_ELEMENTS (both), (int) MIN (left / 1000 + 1, G_MAXINT));
    }
  while (ready < 0 && errno == EINTR);
  if (wakes)
    g_cancellable_release_fd (cancellable);
  return ready > 0 && both[1].revents == 0;
}

gboolean
reeve_runner_is_over (ReeveRunner *self, gint64 wait_us)
{
  return self->pidfd < 0 || reeve_runner_poll (self->pidfd, wait_us, NULL);
}

gboolean
reeve_runner_wait (ReeveRunner *self, gint64 wait_us)
{
  siginfo_t info = { 0 };

  if (self->pidfd < 0)
    return TRUE;
  if (!reeve_runner_poll (self->pidfd, wait_us, NULL))
    return FALSE;
  /* not before: what it does at its end counts as all else does */
  if (self->throttle != NULL)
    reeve_throttle_remove (self->throttle, self->pid);
  self->throttle = NULL;
  waitid ((idtype_t) P_PIDFD, (id_t) self->pidfd, &info, WEXITED);
  close (self->pidfd);
  self->pidfd = -1;
  return TRUE;
}

void
reeve_runner_kill (ReeveRunner *self)
{
  if (self->pidfd >= 0)
    syscall (SYS_pidfd_send_signal, self->pidfd, SIGKILL, NULL, 0);
}

int
reeve_runner_copy_pidfd (ReeveRunner *self)
{
  return self->pidfd >= 0 ? fcntl (self->pidfd, F_DUPFD_CLOEXEC, 0) : -1;
}

/* Which limit a signal tells of. */
static const char *
reeve_runner_hint (int number)
{
  switch (number)
    {
    case SIGSYS:
      /* all else is answered with an error */
      return ": seccomp, for a system call of another architecture";
    case SIGXFSZ:
      return ": limit of a file's size";
    case SIGXCPU:
      return ": limit of the processor's time";
    default:
      return "";
    }
}

/* (transfer full): @how, and which system call was refused just before */
static char *
reeve_runner_add_refusal (ReeveRunner *self, char *how)
{
  g_autofree char *before = how;
  g_autofree char *refused = self->watch != NULL ? reeve_runner_watch_describe (self->watch) : NULL;

  return refused != NULL ? g_strdup_printf ("%s (%s)", before, refused) : g_steal_pointer (&before);
}

char *
reeve_runner_describe_end (ReeveRunner *self)
{
  siginfo_t info = { 0 };

  if (self->pidfd < 0
      || waitid ((idtype_t) P_PIDFD, (id_t) self->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) != 0
      || info.si_pid == 0)
    return g_strdup ("closed its wire");
  if (info.si_code == CLD_EXITED && info.si_status == RUNNER_PLAN_EXIT_MEMORY)
    return g_strdup ("ran out of memory (memory limit)");
  if (info.si_status == SIGKILL && self->group != NULL && reeve_runner_group_ran_out (self->group))
    return g_strdup ("was killed for its memory (memory limit of its control group)");
  if (self->folder != NULL && reeve_runner_folder_get_fault (self->folder) != NULL)
    return g_strdup_printf ("was ended: %s (scratch limit)",
                            reeve_runner_folder_get_fault (self->folder));
  if (info.si_code == CLD_EXITED)
    return reeve_runner_add_refusal (
        self, g_strdup_printf ("ended by itself, with code %d", info.si_status));
  return reeve_runner_add_refusal (
      self, g_strdup_printf ("was killed by signal %d (%s)%s", info.si_status,
                             g_strsignal (info.si_status), reeve_runner_hint (info.si_status)));
}

/**
 * reeve_runner_free:
 * @self: (transfer full): a runner
 */
void
reeve_runner_free (ReeveRunner *self)
{
  if (self->control >= 0)
    close (self->control);
  if (self->wire >= 0)
    close (self->wire);
  if (self->inner >= 0)
    close (self->inner);
  /* who never was in service has nothing to finish */
  if (!reeve_runner_wait (self, self->in_service ? REEVE_RUNNER_GRACE_US : 0))
    {
      reeve_runner_kill (self);
      reeve_runner_wait (self, G_MAXINT64 / 2);
    }
  g_clear_pointer (&self->report, runner_report_free);
  g_clear_pointer (&self->group, reeve_runner_group_free);
  g_clear_pointer (&self->watch, reeve_runner_watch_free);
  reeve_runner_launcher_unref (self->launcher);
  g_clear_pointer (&self->folder, reeve_runner_folder_unref);
  reeve_host_time_unref (self->host_time);
  g_free (self->group_note);
  g_free (self);
}

/* Before any code of the plugin ran its maps and its filter's listener are given away. What comes
 * later is the plugin's, and neither. */
static void
reeve_runner_take_passed (ReeveRunner *self, const ReeveRunnerSetup *setup, RunnerStage stage,
                          int passed)
{
  /* who speaks now is who spoke at the step before (runner-verify.h) */
  const ReeveRunnerWatched watched = { .name = setup->name,
                                       .locks = setup->scratch != 0 ? self->pid : 0,
                                       .host_time = self->host_time };

  if (passed < 0)
    return;
  if (stage == RUNNER_STAGE_CONFINED && self->watch == NULL)
    self->watch = reeve_runner_launcher_watch (self->launcher, passed, &watched);
  else if (stage == RUNNER_STAGE_APART && setup->folder != NULL)
    reeve_runner_folder_take_maps (setup->folder, passed);
  else
    close (passed);
}

/* Names what is missing, what the kernel said of it, and what can be done. */
static void
reeve_runner_set_refused (const RunnerReport *report, RunnerLayers required, GError **error)
{
  const char *module = g_hash_table_lookup (report->notes, "module");
  RunnerLayers missing = required & ~report->layers;

  if (module != NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "its module: %s", module);
      return;
    }
  /* the first of them: without user namespaces there are no others */
  for (guint i = 0; i < RUNNER_LAYERS_COUNT; i++)
    {
      RunnerLayers layer = (RunnerLayers) (1u << i);
      const char *note = g_hash_table_lookup (report->notes, runner_layers_get_name (layer));

      if ((layer & missing) == 0 || note == NULL)
        continue;
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                   "layer %s of its confinement is missing (%s): %s",
                   runner_layers_get_name (layer), note, runner_layers_get_remedy (layer));
      return;
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
               "its runner gave up, and did not say which layer is missing");
}

/* It said nothing, or nothing that can be read. */
static void
reeve_runner_set_fallen (ReeveRunner *self, GError **error)
{
  gboolean ended = reeve_runner_is_over (self, REEVE_RUNNER_GRACE_US / 4);
  g_autofree char *how = ended ? reeve_runner_describe_end (self) : NULL;

  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "its runner ended before it was ready%s%s",
               ended ? ": it " : "", ended ? how : "");
}

/* A script says who it is when it says hello, and is held against this. */
static void
reeve_runner_name_script (RunnerReport *report, const ReeveRunnerSetup *setup)
{
  g_free (report->plugin_id);
  g_free (report->version);
  report->plugin_id = g_strdup (setup->name);
  report->version = g_strdup (setup->version);
}

/* Its control group is the host's matter: what the runner says of it is nothing. */
static void
reeve_runner_look_at_group (ReeveRunner *self)
{
  const char *note = self->group_note != NULL ? self->group_note : "it has none";

  self->report->layers |= RUNNER_LAYERS_CGROUP;
  if (self->group == NULL || !reeve_runner_group_is_whole (self->group))
    runner_report_note (self->report, RUNNER_LAYERS_CGROUP, 0, note);
  else if (!reeve_runner_group_holds (self->group, self->pid))
    runner_report_note (self->report, RUNNER_LAYERS_CGROUP, 0, "the kernel has it in another one");
}

/* Waits for the runner to reach @stage, and looks at it. */
static gboolean
reeve_runner_reach (ReeveRunner *self, const ReeveRunnerSetup *setup, RunnerStage stage,
                    RunnerLayers required, GError **error)
{
  g_autoptr (RunnerReport) report = NULL;
  GPid sender = 0;
  int passed = -1;

  if (!reeve_runner_poll (self->control, setup->wait_us, setup->cancellable))
    {
      if (g_cancellable_set_error_if_cancelled (setup->cancellable, error))
        return FALSE;
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT, "its runner does not answer");
      return FALSE;
    }
  report = reeve_runner_read_report (self->control, &sender, &passed);
  reeve_runner_take_passed (self, setup, stage, passed);
  if (report == NULL)
    {
      reeve_runner_set_fallen (self, error);
      return FALSE;
    }
  if (report->stage == RUNNER_STAGE_REFUSED)
    {
      reeve_runner_set_refused (report, required, error);
      return FALSE;
    }
  if (report->stage != stage)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "its runner left out a step");
      return FALSE;
    }
  g_clear_pointer (&self->report, runner_report_free);
  self->report = g_steal_pointer (&report);
  self->pid = sender;
  if (setup->interpreter != NULL)
    reeve_runner_name_script (self->report, setup);
  reeve_runner_look_at_group (self);
  return reeve_runner_verify_step (&self->verify, sender, self->report, error);
}

static gboolean
reeve_runner_say (ReeveRunner *self, GVariant *message, GError **error)
{
  g_autoptr (GVariant) sunk = g_variant_take_ref (message);

  if (runner_plan_send (self->control, sunk))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "telling its runner to go on: %s",
               g_strerror (errno));
  return FALSE;
}

static gboolean
reeve_runner_go (ReeveRunner *self, GError **error)
{
  return reeve_runner_say (self, g_variant_new ("(b)", TRUE), error);
}

/* Before it has any code of the plugin's, constructors and imports included. Also where its group
 * keeps it from using too much: what the host uses for it is in no group of its. */
static gboolean
reeve_runner_bound_cpu (ReeveRunner *self, const ReeveRunnerSetup *setup)
{
  self->inner = (int) syscall (SYS_pidfd_open, self->pid, 0);
  self->throttle = setup->throttle;
  if (self->throttle != NULL)
    reeve_throttle_add (self->throttle, self->pid, setup->cpu, self->host_time);
  return TRUE;
}

void
reeve_runner_refill_cpu (ReeveRunner *self)
{
  if (self->throttle != NULL)
    reeve_throttle_refill (self->throttle, self->pid);
}

ReeveHostTime *
reeve_runner_get_host_time (ReeveRunner *self)
{
  return self->host_time;
}

/* What was asked for is there: a runner that says less than it must is one that lies. */
static gboolean
reeve_runner_is_whole (ReeveRunner *self, const ReeveRunnerSetup *setup, GError **error)
{
  RunnerLayers missing = reeve_runner_setup_get_required (setup) & ~self->report->layers;
  g_autofree char *names = runner_layers_describe (missing);

  if (missing == 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "its runner went on without %s", names);
  return FALSE;
}

/* Whatever goes wrong here has code of the plugin's in it, or may have: also where its runner gives
 * up, or seems to. */
static gboolean
reeve_runner_load (ReeveRunner *self, const ReeveRunnerSetup *setup, gboolean probe, GError **error)
{
  gboolean loaded = reeve_runner_reach (self, setup, RUNNER_STAGE_LOADED,
                                        reeve_runner_setup_get_required (setup), error)
                    && (probe || reeve_runner_is_whole (self, setup, error));

  if (loaded && self->watch != NULL)
    reeve_runner_watch_seal (self->watch);
  /* what was let through before ends before it gets anything that could become code */
  if (loaded)
    loaded = reeve_runner_still (self->pid, self->inner, self->throttle, setup->wait_us, error);
  if (self->inner >= 0)
    close (self->inner);
  self->inner = -1;
  if (!loaded && setup->fell != NULL)
    *setup->fell = !g_cancellable_is_cancelled (setup->cancellable);
  return loaded;
}

static gboolean
reeve_runner_confine (ReeveRunner *self, const ReeveRunnerSetup *setup, gboolean probe,
                      GError **error)
{
  RunnerLayers required = reeve_runner_setup_get_required (setup);

  return reeve_runner_say (self, reeve_runner_setup_make_plan (setup, probe), error)
         && reeve_runner_reach (self, setup, RUNNER_STAGE_APART, required, error)
         && reeve_runner_go (self, error)
         && reeve_runner_reach (self, setup, RUNNER_STAGE_CONFINED, required, error)
         && reeve_runner_bound_cpu (self, setup) && reeve_runner_go (self, error)
         && reeve_runner_load (self, setup, probe, error);
}

/* Behind the seal, with which nothing that is in it becomes code. One in memory needs none. */
static gboolean
reeve_runner_open_folder (ReeveRunner *self, const ReeveRunnerSetup *setup, GError **error)
{
  if (setup->folder == NULL || (self->report->layers & RUNNER_LAYERS_SCRATCH) != 0)
    return TRUE;
  self->folder = reeve_runner_folder_ref (setup->folder);
  if (reeve_runner_folder_open (self->folder, setup->uid, self->pid,
                                reeve_runner_copy_pidfd (self)))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "scratch: opening %s: %s",
               reeve_runner_folder_get_path (self->folder), g_strerror (errno));
  return FALSE;
}

/* Before it is told anything, and so before it can have a child. */
static void
reeve_runner_put_into_group (ReeveRunner *self, const ReeveRunnerSetup *setup)
{
  const ReeveRunnerGroupLimits limits
      = { .name = setup->name,
          .memory = setup->memory != 0 ? setup->memory + setup->scratch : 0,
          .threads = setup->threads,
          .cpu = setup->cpu };

  if (setup->groups == NULL)
    return;
  self->group = reeve_runner_group_new (setup->groups, &limits, &self->group_note);
  if (self->group == NULL || reeve_runner_group_take (self->group, self->started))
    return;
  g_free (self->group_note);
  self->group_note = g_strdup_printf ("cgroup.procs: %s", g_strerror (errno));
  g_clear_pointer (&self->group, reeve_runner_group_free);
}

static ReeveRunner *
reeve_runner_start (ReeveRunnerLauncher *launcher, const ReeveRunnerSetup *setup, int module_fd,
                    GError **error)
{
  ReeveRunner *self = g_new0 (ReeveRunner, 1);
  ReeveRunnerLaunch launch
      = { .command = setup->command, .name = setup->name, .module_fd = module_fd };
  int ends[2] = { -1, -1 };
  int wires[2] = { -1, -1 };
  const int on = 1;
  gboolean started = FALSE;

  self->launcher = reeve_runner_launcher_ref (launcher);
  self->host_time = reeve_host_time_new ();
  self->processes = setup->processes;
  self->pidfd = -1;
  self->inner = -1;
  self->control = -1;
  self->wire = -1;
  self->verify.uid = setup->uid;
  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0
      || setsockopt (ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0
      || (module_fd >= 0 && socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, wires) != 0)
      /* before the first byte can be written: the kernel names the sender of each */
      || (wires[0] >= 0 && setsockopt (wires[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0))
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "socketpair (): %s", g_strerror (errno));
  else
    {
      launch.control_fd = ends[1];
      launch.wire_fd = wires[1];
      launch.host_time = self->host_time;
      started
          = reeve_runner_launcher_start (launcher, &launch, &self->started, &self->pidfd, error);
    }
  self->control = ends[0];
  self->wire = wires[0];
  self->verify.starter = self->started;
  if (ends[1] >= 0)
    close (ends[1]);
  if (wires[1] >= 0)
    close (wires[1]);
  if (started)
    {
      reeve_runner_put_into_group (self, setup);
      return self;
    }
  reeve_runner_free (self);
  return NULL;
}

/**
 * reeve_runner_new:
 * @launcher: starts it
 * @setup: what it is confined to
 * @module_fd: the plugin's module, open for reading; -1: a probe
 * @error: return location
 *
 * Returns: (transfer full) (nullable): a runner that holds the plugin, or a probe that ended
 */
ReeveRunner *
reeve_runner_new (ReeveRunnerLauncher *launcher, const ReeveRunnerSetup *setup, int module_fd,
                  GError **error)
{
  g_autoptr (ReeveRunner) self = reeve_runner_start (launcher, setup, module_fd, error);
  gboolean probe = module_fd < 0;

  if (self != NULL && reeve_runner_confine (self, setup, probe, error)
      && reeve_runner_open_folder (self, setup, error))
    {
      self->in_service = TRUE;
      return g_steal_pointer (&self);
    }
  g_prefix_error (error, "plugin %s: ", setup->name);
  return NULL;
}

int
reeve_runner_take_wire (ReeveRunner *self, GError **error)
{
  int wire = self->wire;

  if (wire < 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "its runner has no wire, or it is taken");
  else if (!reeve_runner_go (self, error))
    return -1;
  self->wire = -1;
  return wire;
}

RunnerLayers
reeve_runner_get_layers (ReeveRunner *self)
{
  return self->report->layers;
}

ReeveRunnerFolder *
reeve_runner_get_folder (ReeveRunner *self)
{
  return self->folder;
}

guint
reeve_runner_get_landlock_abi (ReeveRunner *self)
{
  return self->report->landlock_abi;
}

const char *
reeve_runner_get_note (ReeveRunner *self, RunnerLayers layer)
{
  return g_hash_table_lookup (self->report->notes, runner_layers_get_name (layer));
}

const char *
reeve_runner_get_plugin_id (ReeveRunner *self)
{
  return self->report->plugin_id;
}

guint
reeve_runner_get_n_workers (ReeveRunner *self)
{
  return runner_plan_get_n_workers (self->processes);
}

const char *
reeve_runner_get_version (ReeveRunner *self)
{
  return self->report->version;
}

GPid
reeve_runner_get_pid (ReeveRunner *self)
{
  return self->pid;
}
