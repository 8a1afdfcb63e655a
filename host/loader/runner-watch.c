/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A source on the thread that starts runners. What is refused is written down before it is
 * answered: so the last call that an end can have to do with is known when the process is gone. */
#include "runner-watch.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <glib-unix.h>
#include <linux/seccomp.h>

#include "runner/runner-refusals.h"

#include "runner-locks.h"

#define REEVE_RUNNER_WATCH_UNKNOWN (-1)
/* how many locks are as much as what is refused */
#define REEVE_RUNNER_WATCH_LOCKS                                                                   \
  (REEVE_RUNNER_WATCH_LOCKS_PER_SECOND / REEVE_RUNNER_WATCH_PER_SECOND)
#define REEVE_RUNNER_WATCH_SECOND_MS 1000
/* behind a look at all locks that there are */
#define REEVE_RUNNER_WATCH_LOOK_MS 20

struct _ReeveRunnerWatch
{
  gatomicrefcount references; /* of who asks, and of the source */
  char *name;
  int listener;
  struct seccomp_notif *request;
  struct seccomp_notif_resp *response;
  gint64 second; /* when what is counted began */
  guint count;   /* in it, as locks */
  int told[REEVE_RUNNER_WATCH_TOLD];
  guint n_told;
  gint sealed; /* atomic */
  ReeveRunnerLocks locks;
  ReeveHostTime *host_time;
  GMutex lock;
  int last; /* with lock: number of a call */
  gint64 when;
};

static void reeve_runner_watch_follow (ReeveRunnerWatch *self, GMainContext *context);

static void
reeve_runner_watch_unref (gpointer data)
{
  ReeveRunnerWatch *self = data;

  if (!g_atomic_ref_count_dec (&self->references))
    return;
  seccomp_notify_free (self->request, self->response);
  close (self->listener);
  g_mutex_clear (&self->lock);
  reeve_host_time_unref (self->host_time);
  g_free (self->name);
  g_free (self);
}

/* (transfer full): its name, or its number where this library knows none */
static char *
reeve_runner_watch_get_name (int number)
{
  char *known = seccomp_syscall_resolve_num_arch (SCMP_ARCH_NATIVE, number);
  char *name = known != NULL ? g_strdup (known) : g_strdup_printf ("call %d", number);

  free (known);
  return name;
}

/* What a plugin was refused is of use to whoever finds out why it does not work. */
static void
reeve_runner_watch_tell (ReeveRunnerWatch *self, int number)
{
  g_autofree char *name = NULL;

  for (guint i = 0; i < self->n_told; i++)
    {
      if (self->told[i] == number)
        return;
    }
  if (self->n_told == G_N_ELEMENTS (self->told))
    return;
  self->told[self->n_told++] = number;
  name = reeve_runner_watch_get_name (number);
  g_info ("plugin %s: its system call %s was refused (seccomp)", self->name, name);
}

/* Is it what a loader of modules does, while there is something to be loaded? What decides it are
 * numbers, which nobody changes behind this look: mmap(2), protection. */
static gboolean
reeve_runner_watch_is_loading (ReeveRunnerWatch *self)
{
  const struct seccomp_data *data = &self->request->data;

  return !g_atomic_int_get (&self->sealed)
         && (data->nr == SCMP_SYS (mmap) || data->nr == SCMP_SYS (mmap2))
         && (data->args[2] & (PROT_WRITE | PROT_EXEC)) == PROT_EXEC;
}

/* Is it what the kernel keeps as many of as one asks for? fcntl(2), command. */
static gboolean
reeve_runner_watch_is_locking (ReeveRunnerWatch *self)
{
  const struct seccomp_data *data = &self->request->data;
  int command = (int) data->args[1];

  return self->locks.pid != 0 && (data->nr == SCMP_SYS (fcntl) || data->nr == SCMP_SYS (fcntl64))
         && (command == F_SETLK || command == F_SETLKW);
}

/* @code: an errno; 0: it is let through. It fails where the process is gone. */
static void
reeve_runner_watch_respond (ReeveRunnerWatch *self, int code)
{
  memset (self->response, 0, sizeof *self->response);
  self->response->id = self->request->id;
  self->response->error = -code;
  self->response->flags = code == 0 ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
  seccomp_notify_respond (self->listener, self->response);
}

static void
reeve_runner_watch_refuse (ReeveRunnerWatch *self)
{
  int number = self->request->data.nr;
  char *known = seccomp_syscall_resolve_num_arch (SCMP_ARCH_NATIVE, number);

  g_mutex_lock (&self->lock);
  self->last = number;
  self->when = g_get_monotonic_time ();
  g_mutex_unlock (&self->lock);
  reeve_runner_watch_tell (self, number);
  reeve_runner_watch_respond (self, runner_refusals_get_code (known));
  free (known);
}

/* Returns milliseconds until it may ask for more. */
static guint
reeve_runner_watch_lock_file (ReeveRunnerWatch *self)
{
  gboolean costly = FALSE;
  gboolean good = reeve_runner_locks_take (&self->locks, &costly);

  self->count++;
  reeve_runner_watch_respond (self, good ? 0 : ENOLCK);
  return costly ? REEVE_RUNNER_WATCH_LOOK_MS : 0;
}

/* FALSE: the process has ended. @rest: (out): milliseconds until it may ask for more */
static gboolean
reeve_runner_watch_answer (ReeveRunnerWatch *self, guint *rest)
{
  memset (self->request, 0, sizeof *self->request);
  /* whoever was killed while it waited does not ask any more */
  if (seccomp_notify_receive (self->listener, self->request) != 0)
    return errno == ENOENT || errno == EINTR;
  if (reeve_runner_watch_is_locking (self))
    {
      *rest = reeve_runner_watch_lock_file (self);
      return TRUE;
    }
  self->count += REEVE_RUNNER_WATCH_LOCKS;
  if (reeve_runner_watch_is_loading (self))
    reeve_runner_watch_respond (self, 0);
  else
    reeve_runner_watch_refuse (self);
  return TRUE;
}

static gboolean
reeve_runner_watch_on_time (gpointer data)
{
  reeve_runner_watch_follow (data, g_main_context_get_thread_default ());
  return G_SOURCE_REMOVE;
}

/* Whoever makes refused calls and nothing else does not keep the host busy with them. */
static gboolean
reeve_runner_watch_is_full (ReeveRunnerWatch *self)
{
  gint64 now = g_get_monotonic_time ();

  if (now - self->second >= G_USEC_PER_SEC)
    {
      self->second = now;
      self->count = 0;
    }
  return self->count >= REEVE_RUNNER_WATCH_LOCKS_PER_SECOND;
}

/* Goes on in so many milliseconds, on the thread of @context. */
static void
reeve_runner_watch_rest (ReeveRunnerWatch *self, guint ms, GMainContext *context)
{
  g_autoptr (GSource) source = g_timeout_source_new (ms);

  g_atomic_ref_count_inc (&self->references);
  g_source_set_callback (source, reeve_runner_watch_on_time, self, reeve_runner_watch_unref);
  g_source_attach (source, context);
}

static gboolean
reeve_runner_watch_on_ready (int fd, GIOCondition condition, gpointer data)
{
  ReeveRunnerWatch *self = data;
  gint64 begun = reeve_host_time_begin ();
  guint rest = 0;

  (void) fd;
  if ((condition & G_IO_IN) == 0)
    return G_SOURCE_REMOVE;
  if (reeve_runner_watch_is_full (self))
    rest = REEVE_RUNNER_WATCH_SECOND_MS;
  else if (!reeve_runner_watch_answer (self, &rest))
    return G_SOURCE_REMOVE;
  reeve_host_time_add (self->host_time, begun);
  if (rest > 0)
    reeve_runner_watch_rest (self, rest, g_main_context_get_thread_default ());
  return rest == 0;
}

static void
reeve_runner_watch_follow (ReeveRunnerWatch *self, GMainContext *context)
{
  g_autoptr (GSource) source = g_unix_fd_source_new (self->listener, G_IO_IN | G_IO_HUP | G_IO_ERR);

  g_atomic_ref_count_inc (&self->references);
  g_source_set_callback (source, G_SOURCE_FUNC (reeve_runner_watch_on_ready), self,
                         reeve_runner_watch_unref);
  g_source_attach (source, context);
}

/**
 * reeve_runner_watch_new:
 * @context: of the thread that answers
 * @listener: (transfer full): of the filter
 * @watched: whose
 *
 * Returns: (transfer full) (nullable): %NULL where the kernel has no such listeners
 */
ReeveRunnerWatch *
reeve_runner_watch_new (GMainContext *context, int listener, const ReeveRunnerWatched *watched)
{
  g_autofree ReeveRunnerWatch *self = g_new0 (ReeveRunnerWatch, 1);

  if (seccomp_notify_alloc (&self->request, &self->response) != 0)
    {
      close (listener);
      return NULL;
    }
  g_atomic_ref_count_init (&self->references);
  g_mutex_init (&self->lock);
  self->listener = listener;
  self->name = g_strdup (watched->name);
  self->locks.pid = watched->locks;
  self->host_time = reeve_host_time_ref (watched->host_time);
  self->last = REEVE_RUNNER_WATCH_UNKNOWN;
  reeve_runner_watch_rest (self, 0, context);
  return g_steal_pointer (&self);
}

void
reeve_runner_watch_free (ReeveRunnerWatch *self)
{
  reeve_runner_watch_unref (self);
}

void
reeve_runner_watch_seal (ReeveRunnerWatch *self)
{
  g_atomic_int_set (&self->sealed, TRUE);
}

/**
 * reeve_runner_watch_describe:
 * @self: a watch
 *
 * Returns: (transfer full) (nullable): the call that was refused last, where that was just now
 */
char *
reeve_runner_watch_describe (ReeveRunnerWatch *self)
{
  g_autofree char *name = NULL;
  int last = REEVE_RUNNER_WATCH_UNKNOWN;

  g_mutex_lock (&self->lock);
  if (g_get_monotonic_time () - self->when <= REEVE_RUNNER_WATCH_RECENT_US)
    last = self->last;
  g_mutex_unlock (&self->lock);
  if (last == REEVE_RUNNER_WATCH_UNKNOWN)
    return NULL;
  name = reeve_runner_watch_get_name (last);
  return g_strconcat ("seccomp: ", name, NULL);
}
