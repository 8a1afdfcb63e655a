/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes whose threads run, sleep, come and go, or are where no signal stops them. */
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loader/runner-still.h"

#define TEST_WAIT_US (60 * G_USEC_PER_SEC)

/* entries that a list has before it ends early, once; 0: all */
static gint list_cut; /* atomic */

struct dirent *
readdir (DIR *folder)
{
  static gsize next;

  if (g_once_init_enter (&next))
    g_once_init_leave (&next, (gsize) dlsym (RTLD_NEXT, "readdir64"));
  if (g_atomic_int_get (&list_cut) > 0 && g_atomic_int_dec_and_test (&list_cut))
    return NULL;
  return ((struct dirent * (*) (DIR *) ) next) (folder);
}

typedef struct
{
  GPid pid;
  int pidfd;
  int release; /* an end of a pipe: what waits for the other one's end goes on */
} Process;

static void *
spin (void *data)
{
  for (volatile guint i = 0;; i++)
    {
    }
  return data;
}

static void *
rest (void *data)
{
  for (;;)
    pause ();
  return data;
}

/* Threads that are there for a moment each. */
static void *
come_and_go (void *data)
{
  pthread_t thread;

  for (guint i = 0; i < 1000 * 1000; i++)
    {
      if (pthread_create (&thread, NULL, data, NULL) == 0)
        pthread_join (thread, NULL);
    }
  return rest (NULL);
}

static void *
end (void *data)
{
  return data;
}

/* The kernel holds whoever starts a child so (as vfork(2) does) until that has ended: no signal
 * stops it there. */
static void *
stay_in_kernel (void *data)
{
  char byte = 0;
  long child = syscall (SYS_clone, CLONE_VFORK | SIGCHLD, NULL, NULL, NULL, NULL);

  if (child == 0)
    _exit (read (*(int *) data, &byte, 1) == 0 ? 0 : 1);
  return rest (NULL);
}

static void
be_threads (int gate, gboolean stays)
{
  pthread_t thread;

  prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  pthread_create (&thread, NULL, spin, NULL);
  pthread_create (&thread, NULL, rest, NULL);
  pthread_create (&thread, NULL, come_and_go, (void *) end);
  if (stays)
    pthread_create (&thread, NULL, stay_in_kernel, &gate);
  rest (NULL);
}

static char
get_state (GPid pid, int thread)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/task/%d/stat", pid, thread);
  g_autofree char *text = NULL;
  const char *at = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 'X';
  at = strrchr (text, ')');
  g_assert (at != NULL);
  return at[2];
}

/* Is there a thread in @state? */
static gboolean
has_state (GPid pid, char state)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/task", pid);
  g_autoptr (GDir) tasks = g_dir_open (path, 0, NULL);
  const char *name = NULL;

  while (tasks != NULL && (name = g_dir_read_name (tasks)) != NULL)
    {
      if (get_state (pid, (int) g_ascii_strtoll (name, NULL, 10)) == state)
        return TRUE;
    }
  return FALSE;
}

static Process
start (gboolean stays)
{
  Process process = { 0 };
  int ends[2] = { -1, -1 };

  g_assert_cmpint (pipe (ends), ==, 0);
  process.pid = fork ();
  if (process.pid == 0)
    {
      close (ends[1]);
      be_threads (ends[0], stays);
    }
  g_assert_cmpint (process.pid, >, 0);
  close (ends[0]);
  process.release = ends[1];
  process.pidfd = (int) syscall (SYS_pidfd_open, process.pid, 0);
  g_assert_cmpint (process.pidfd, >=, 0);
  while (stays && !has_state (process.pid, 'D'))
    g_usleep (1000);
  return process;
}

static void
finish (Process *process)
{
  close (process->release);
  kill (process->pid, SIGKILL);
  g_assert_cmpint (waitpid (process->pid, NULL, 0), ==, process->pid);
  close (process->pidfd);
}

static void
test_threads (void)
{
  g_autoptr (GError) error = NULL;
  Process process = start (FALSE);

  for (guint i = 0; i < 50; i++)
    {
      g_assert_true (reeve_runner_still (process.pid, process.pidfd, NULL, TEST_WAIT_US, &error));
      g_assert_no_error (error);
    }
  /* it goes on */
  while (has_state (process.pid, 'T'))
    g_usleep (1000);
  finish (&process);
}

/* What is under way in the kernel is waited for. */
static void
test_in_kernel (void)
{
  g_autoptr (GError) error = NULL;
  Process process = start (TRUE);

  g_assert_false (
      reeve_runner_still (process.pid, process.pidfd, NULL, G_USEC_PER_SEC / 5, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT);
  g_clear_error (&error);
  close (process.release);
  process.release = -1;
  g_assert_true (reeve_runner_still (process.pid, process.pidfd, NULL, TEST_WAIT_US, &error));
  g_assert_no_error (error);
  g_assert_false (has_state (process.pid, 'D'));
  finish (&process);
}

/* Where a thread ends that the kernel's list has come to, those behind it are not in it. */
static void
test_list_cut (void)
{
  g_autoptr (GError) error = NULL;
  Process process = start (TRUE);

  g_atomic_int_set (&list_cut, 4); /* two folders, one thread, and the end */
  g_assert_false (
      reeve_runner_still (process.pid, process.pidfd, NULL, G_USEC_PER_SEC / 5, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT);
  g_assert_cmpint (g_atomic_int_get (&list_cut), ==, 0);
  finish (&process);
}

/* Whoever has used up its share stays stopped. */
static void
test_held (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveThrottle) throttle = reeve_throttle_new (0);
  g_autoptr (ReeveHostTime) host = reeve_host_time_new ();
  Process process = start (FALSE);

  reeve_throttle_add (throttle, process.pid, 1, host);
  /* hours of it */
  reeve_host_time_add (host, reeve_host_time_begin () - G_GINT64_CONSTANT (1000000000000));
  while (!reeve_host_time_is_held (host))
    g_usleep (1000);
  g_assert_true (reeve_runner_still (process.pid, process.pidfd, throttle, TEST_WAIT_US, &error));
  g_assert_no_error (error);
  g_assert_cmpint (get_state (process.pid, process.pid), ==, 'T');
  reeve_throttle_remove (throttle, process.pid);
  while (has_state (process.pid, 'T'))
    g_usleep (1000);
  finish (&process);
}

static void
test_gone (void)
{
  g_autoptr (GError) error = NULL;
  Process process = start (FALSE);

  g_assert_cmpint (kill (process.pid, SIGKILL), ==, 0);
  g_assert_true (reeve_runner_still (process.pid, process.pidfd, NULL, TEST_WAIT_US, &error));
  g_assert_no_error (error);
  g_assert_cmpint (waitpid (process.pid, NULL, 0), ==, process.pid);
  g_assert_true (reeve_runner_still (process.pid, process.pidfd, NULL, TEST_WAIT_US, &error));
  g_assert_no_error (error);
  close (process.pidfd);
  close (process.release);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/runner/still/threads", test_threads);
  g_test_add_func ("/runner/still/in-kernel", test_in_kernel);
  g_test_add_func ("/runner/still/list-cut", test_list_cut);
  g_test_add_func ("/runner/still/held", test_held);
  g_test_add_func ("/runner/still/gone", test_gone);
  return g_test_run ();
}
