/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A test program that runs itself as a child. Where the faults' library lies, meson says:
 * FAULT_PRELOAD. */
#include "fault-child.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct _FaultChild
{
  char *root;
  char *file;
  FaultControl *control;
};

/* Returns: (transfer full): with no fault armed */
FaultChild *
fault_child_new (const char *root)
{
  FaultChild *self = g_new0 (FaultChild, 1);
  int fd = -1;

  if (root == NULL)
    return self;
  self->root = g_strdup (root);
  fd = g_file_open_tmp ("reeve-fault-XXXXXX", &self->file, NULL);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (ftruncate (fd, sizeof *self->control), ==, 0);
  self->control = mmap (NULL, sizeof *self->control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  g_assert_true (self->control != MAP_FAILED);
  close (fd);
  return self;
}

void
fault_child_free (FaultChild *self)
{
  if (self->control != NULL)
    munmap (self->control, sizeof *self->control);
  if (self->file != NULL)
    (void) g_unlink (self->file);
  g_free (self->file);
  g_free (self->root);
  g_free (self);
}

void
fault_child_arm (FaultChild *self, FaultKind kind, guint calls, const char *path, guint first,
                 guint last)
{
  FaultControl *control = self->control;

  control->kind = FAULT_NONE;
  control->calls = calls;
  control->first = first;
  control->last = last;
  control->seen = control->failed = 0;
  g_strlcpy (control->path, path != NULL ? path : "", sizeof control->path);
  memset (control->hit, 0, sizeof control->hit);
  __atomic_store_n (&control->kind, (uint32_t) kind, __ATOMIC_SEQ_CST);
}

const FaultControl *
fault_child_get_control (FaultChild *self)
{
  return self->control;
}

static GPid
fault_child_spawn (FaultChild *self, const char *const *arguments, int *out, int *errors)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_auto (GStrv) environment = g_get_environ ();
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autoptr (GError) error = NULL;
  GPid pid = 0;

  g_ptr_array_add (argv, program);
  for (guint i = 0; arguments[i] != NULL; i++)
    g_ptr_array_add (argv, (gpointer) arguments[i]);
  g_ptr_array_add (argv, NULL);
  if (self->file != NULL)
    {
      environment = g_environ_setenv (environment, "LD_PRELOAD", FAULT_PRELOAD, TRUE);
      environment = g_environ_setenv (environment, "REEVE_FAULT_FILE", self->file, TRUE);
      environment = g_environ_setenv (environment, "REEVE_FAULT_ROOT", self->root, TRUE);
    }
  g_spawn_async_with_pipes (NULL, (char **) argv->pdata, environment, G_SPAWN_DO_NOT_REAP_CHILD,
                            NULL, NULL, &pid, NULL, out, errors, &error);
  g_assert_no_error (error);
  return pid;
}

/* Appends one read(); FALSE at the end. */
static gboolean
fault_child_read (int fd, GString *text)
{
  char buffer[4096];
  gssize got = 0;

  do
    got = read (fd, buffer, sizeof buffer);
  while (got < 0 && errno == EINTR);
  if (got > 0)
    g_string_append_len (text, buffer, got);
  return got > 0;
}

static void
fault_child_drain (int fd, GString *text)
{
  while (fault_child_read (fd, text))
    continue;
  close (fd);
}

static gpointer
fault_child_drain_errors (gpointer data)
{
  GString *text = g_string_new (NULL);

  fault_child_drain (GPOINTER_TO_INT (data), text);
  return text;
}

char *
fault_child_run (FaultChild *self, const char *const *arguments, int *status, char **errors)
{
  g_autoptr (GString) text = g_string_new (NULL);
  int out = -1;
  int wrong = -1;
  GPid pid = fault_child_spawn (self, arguments, &out, &wrong);
  GThread *reader = g_thread_new ("errors", fault_child_drain_errors, GINT_TO_POINTER (wrong));

  fault_child_drain (out, text);
  *errors = g_string_free (g_thread_join (reader), FALSE);
  g_assert_cmpint (waitpid (pid, status, 0), ==, pid);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

char *
fault_child_run_and_kill (FaultChild *self, const char *const *arguments, guint delay_us)
{
  g_autoptr (GString) text = g_string_new (NULL);
  int status = 0;
  int out = -1;
  GPid pid = fault_child_spawn (self, arguments, &out, NULL);

  g_assert_true (fault_child_read (out, text));
  g_usleep (delay_us);
  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  fault_child_drain (out, text);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status));
  return g_string_free (g_steal_pointer (&text), FALSE);
}
