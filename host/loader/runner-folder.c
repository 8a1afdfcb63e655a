/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file system of the folder executes what lies there: so nothing may, and nothing does, lie
 * there before the process is sealed. What a process holds open or mapped without a name is its own
 * where the host may look (runner-hidden.h); where it may not, what is open is not found, which is
 * as many files as it has descriptors: so the disk itself is looked at too. */
#include "runner-folder.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runner/runner-tree.h"

#include "runner-hidden.h"

#define REEVE_RUNNER_FOLDER_LOOK_US     (G_USEC_PER_SEC / 2)
#define REEVE_RUNNER_FOLDER_FILES       1024 /* and one for each so many bytes */
#define REEVE_RUNNER_FOLDER_INODE_BYTES (16 * 1024)
/* its process stands in it, and nobody else gets there: what is above it is closed */
#define REEVE_RUNNER_FOLDER_CLOSED 0511

struct _ReeveRunnerFolder
{
  gatomicrefcount references;
  char *path;
  char *real; /* as the kernel names it */
  char *name;
  guint64 bytes;
  guint64 kept;
  GPid pid;
  int maps;         /* of its process; -1: they are opened at each look */
  int pidfd;        /* -1: not open, or its process was ended */
  const char *over; /* (nullable): why its process was ended; changed once */
};

/* Has the disk of @path @bytes for whoever else writes there? One that does not say has. */
static gboolean
reeve_runner_folder_leaves (const char *path, guint64 bytes)
{
  struct statvfs disk = { 0 };

  return statvfs (path, &disk) != 0 || disk.f_frsize == 0 || disk.f_bavail >= bytes / disk.f_frsize;
}

ReeveRunnerFolder *
reeve_runner_folder_new (const char *parent, const char *name, guint64 bytes, guint64 kept,
                         GError **error)
{
  g_autofree char *pattern = g_strdup_printf ("%s/%s.XXXXXX", parent, name);
  ReeveRunnerFolder *self = NULL;

  if (g_mkdir_with_parents (parent, 0700) != 0 || g_mkdtemp (pattern) == NULL
      || g_chmod (pattern, REEVE_RUNNER_FOLDER_CLOSED) != 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "scratch: making %s: %s", pattern,
                   g_strerror (errno));
      return NULL;
    }
  if (!reeve_runner_folder_leaves (pattern, kept))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                   "scratch: %s: less than %" G_GUINT64_FORMAT " MiB are left on its disk", parent,
                   kept >> 20);
      g_rmdir (pattern);
      return NULL;
    }
  self = g_new0 (ReeveRunnerFolder, 1);
  g_atomic_ref_count_init (&self->references);
  self->real = realpath (pattern, NULL);
  self->path = g_steal_pointer (&pattern);
  self->name = g_strdup (name);
  self->bytes = bytes;
  self->kept = kept;
  self->maps = -1;
  self->pidfd = -1;
  return self;
}

ReeveRunnerFolder *
reeve_runner_folder_ref (ReeveRunnerFolder *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
reeve_runner_folder_unref (ReeveRunnerFolder *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  if (self->maps >= 0)
    close (self->maps);
  if (self->pidfd >= 0)
    close (self->pidfd);
  if (!runner_tree_remove (self->path))
    g_warning ("plugin %s: %s is not removed: %s", self->name, self->path, g_strerror (errno));
  g_free (self->path);
  free (self->real);
  g_free (self->name);
  g_free (self);
}

const char *
reeve_runner_folder_get_path (ReeveRunnerFolder *self)
{
  return self->path;
}

void
reeve_runner_folder_take_maps (ReeveRunnerFolder *self, int maps)
{
  if (self->maps >= 0)
    close (self->maps);
  self->maps = maps;
}

gboolean
reeve_runner_folder_open (ReeveRunnerFolder *self, guint32 uid, GPid pid, int pidfd)
{
  self->pid = pid;
  self->pidfd = pidfd;
  return (uid == 0 || chown (self->path, uid, uid) == 0) && g_chmod (self->path, 0700) == 0;
}

/* (nullable): what is against its going on */
static const char *
reeve_runner_folder_find_fault (ReeveRunnerFolder *self)
{
  guint64 most = REEVE_RUNNER_FOLDER_FILES + self->bytes / REEVE_RUNNER_FOLDER_INODE_BYTES;
  RunnerTreeSize size = { 0 };

  if (!runner_tree_measure (self->path, most, &size)
      || size.bytes + reeve_runner_hidden_measure (self->pid, self->maps, self->real) > self->bytes)
    return "it had more in scratch than was granted";
  return reeve_runner_folder_leaves (self->path, self->kept)
             ? NULL
             : "the disk that it has scratch on is nearly full";
}

gint64
reeve_runner_folder_look (gpointer data, gint64 now)
{
  ReeveRunnerFolder *self = data;
  const char *fault = NULL;

  if (self->pidfd < 0 || g_atomic_pointer_get (&self->over) != NULL)
    return 0;
  fault = reeve_runner_folder_find_fault (self);
  if (fault == NULL)
    return now + REEVE_RUNNER_FOLDER_LOOK_US;
  g_message ("plugin %s: its process is ended: %s", self->name, fault);
  g_atomic_pointer_set (&self->over, (char *) fault);
  syscall (SYS_pidfd_send_signal, self->pidfd, SIGKILL, NULL, 0);
  return 0;
}

const char *
reeve_runner_folder_get_fault (ReeveRunnerFolder *self)
{
  return g_atomic_pointer_get (&self->over);
}
