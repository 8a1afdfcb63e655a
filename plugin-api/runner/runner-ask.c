/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A module's calls have contexts, and these a broker. A script has the wire to itself: it is told
 * of a question by a line on a pipe, and answers on another one, which is its own from then on. */
#include "runner-ask.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runner-plan.h"

/* longer than the host tries */
#define RUNNER_ASK_WAIT_MS 30000

static GMutex runner_ask_lock;
static GPtrArray *runner_ask_calls; /* with the lock (nullable): contexts of calls under way */
static GPrivate runner_ask_call;    /* of this thread */
static int runner_ask_script = -1;  /* written before the script runs */

void
runner_ask_enter (ReeveContext *context)
{
  g_private_set (&runner_ask_call, context);
  g_mutex_lock (&runner_ask_lock);
  if (runner_ask_calls == NULL)
    runner_ask_calls = g_ptr_array_new ();
  g_ptr_array_add (runner_ask_calls, context);
  g_mutex_unlock (&runner_ask_lock);
}

void
runner_ask_leave (ReeveContext *context)
{
  g_private_set (&runner_ask_call, NULL);
  g_mutex_lock (&runner_ask_lock);
  g_ptr_array_remove_fast (runner_ask_calls, context);
  g_mutex_unlock (&runner_ask_lock);
}

/* ---- a module ---- */

/* (transfer full) (nullable): whose connection it is: this thread's call's, or of a thread that a
 * library made, the only call's there is. */
static ReeveContext *
runner_ask_get_context (void)
{
  ReeveContext *context = g_private_get (&runner_ask_call);

  if (context != NULL)
    return g_object_ref (context);
  g_mutex_lock (&runner_ask_lock);
  if (runner_ask_calls != NULL && runner_ask_calls->len == 1)
    context = g_object_ref (g_ptr_array_index (runner_ask_calls, 0));
  g_mutex_unlock (&runner_ask_lock);
  return context;
}

/* What a library makes of a refusal that has a text: one of the errors that it knows. */
static int
runner_ask_get_code (const GError *error)
{
  switch (error->domain == REEVE_ERROR ? error->code : REEVE_ERROR_FAILED)
    {
    case REEVE_ERROR_CAPABILITY:
    case REEVE_ERROR_PERMISSION_DENIED:
    case REEVE_ERROR_CAPABILITY_REVOKED:
      return EACCES;
    case REEVE_ERROR_INVALID_ARGUMENT:
      return EINVAL;
    case REEVE_ERROR_BUSY:
      return ENOBUFS;
    case REEVE_ERROR_TIMEOUT:
      return ETIMEDOUT;
    case REEVE_ERROR_CANCELLED:
      return ECONNABORTED;
    case REEVE_ERROR_TOO_LARGE:
      return EMFILE;
    default:
      return ECONNREFUSED;
    }
}

static int
runner_ask_module (const char *host, guint16 port)
{
  g_autoptr (ReeveContext) context = runner_ask_get_context ();
  g_autoptr (GError) error = NULL;
  int far = -1;

  if (context == NULL)
    {
      g_printerr ("connect () to %s, port %u: on a thread of no call, or of several\n", host, port);
      errno = EACCES;
      return -1;
    }
  far = reeve_context_tcp (context, host, port, &error);
  if (far >= 0)
    return far;
  g_printerr ("connect () to %s, port %u: %s\n", host, port, error->message);
  errno = runner_ask_get_code (error);
  return -1;
}

/* ---- a script ---- */

gboolean
runner_ask_begin_script (void)
{
  int ends[2] = { -1, -1 };

  if (pipe2 (ends, O_CLOEXEC) != 0)
    return FALSE;
  /* whichever of both has that number already is moved away first */
  runner_ask_script = fcntl (ends[1], F_DUPFD_CLOEXEC, RUNNER_PLAN_ASK_FD + 1);
  close (ends[1]);
  if (ends[0] != RUNNER_PLAN_ASK_FD)
    {
      if (dup3 (ends[0], RUNNER_PLAN_ASK_FD, O_CLOEXEC) < 0)
        return FALSE;
      close (ends[0]);
    }
  return runner_ask_script >= 0;
}

/* -1 with errno set: nobody answered in time, or not with a number. */
static int
runner_ask_read (int answer)
{
  struct pollfd one = { .fd = answer, .events = POLLIN };
  char text[16] = "";
  gssize length = 0;
  int ready = 0;
  int number = 0;

  do
    ready = poll (&one, 1, RUNNER_ASK_WAIT_MS);
  while (ready < 0 && errno == EINTR);
  length = ready > 0 ? read (answer, text, sizeof text - 1) : 0;
  number = length > 0 ? atoi (text) : -ETIMEDOUT;
  if (number >= 0 && fcntl (number, F_GETFD) >= 0)
    return number;
  errno = number < 0 ? -number : ECONNREFUSED;
  return -1;
}

static int
runner_ask_a_script (const char *host, guint16 port)
{
  int ends[2] = { -1, -1 };
  g_autofree char *line = NULL;
  gsize length = 0;
  int number = -1;
  int code = 0;

  if (pipe2 (ends, O_CLOEXEC) != 0)
    return -1;
  line = g_strdup_printf ("%ld %d %u %s\n", syscall (SYS_gettid), ends[1], port, host);
  length = strlen (line);
  /* one write of so many bytes is one line, whoever else writes */
  if (length > PIPE_BUF || write (runner_ask_script, line, length) != (gssize) length)
    {
      close (ends[0]);
      close (ends[1]);
      errno = EINVAL;
      return -1;
    }
  number = runner_ask_read (ends[0]);
  code = errno;
  close (ends[0]);
  errno = code;
  return number;
}

int
runner_ask_tcp (const char *host, guint16 port)
{
  return runner_ask_script >= 0 ? runner_ask_a_script (host, port) : runner_ask_module (host, port);
}
