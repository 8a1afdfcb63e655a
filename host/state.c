/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lock is on an open file, so it ends with the process however that ends. */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <reeve-error.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct _ReeveState
{
  char *folder;
  char *address; /* path of the file, once written */
  int lock;
};

static gboolean
reeve_state_make (const char *folder, GError **error)
{
  if (g_mkdir_with_parents (folder, 0700) == 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "making %s: %s", folder,
               g_strerror (errno));
  return FALSE;
}

static gboolean
reeve_state_take_lock (ReeveState *self, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, "reeve.lock", NULL);
  g_autofree char *pid = g_strdup_printf ("%d\n", (int) getpid ());
  int code = 0;

  self->lock = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (self->lock < 0 || flock (self->lock, LOCK_EX | LOCK_NB) != 0)
    {
      code = errno;
      g_set_error (error, REEVE_ERROR,
                   self->lock >= 0 && code == EWOULDBLOCK ? REEVE_ERROR_BUSY
                                                          : REEVE_ERROR_UNAVAILABLE,
                   "locking %s: %s", path,
                   code == EWOULDBLOCK ? "another host uses this state folder" : g_strerror (code));
      return FALSE;
    }
  /* only for people: who has it */
  if (ftruncate (self->lock, 0) != 0 || pwrite (self->lock, pid, strlen (pid), 0) < 0)
    g_debug ("writing %s: %s", path, g_strerror (errno));
  return TRUE;
}

/**
 * reeve_state_open:
 * @folder: path
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the folder, locked
 */
ReeveState *
reeve_state_open (const char *folder, GError **error)
{
  g_autoptr (ReeveState) self = g_new0 (ReeveState, 1);

  self->folder = g_strdup (folder);
  self->lock = -1;
  if (!reeve_state_make (folder, error) || !reeve_state_take_lock (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
reeve_state_close (ReeveState *self)
{
  if (self->address != NULL)
    unlink (self->address);
  if (self->lock >= 0)
    close (self->lock);
  g_free (self->address);
  g_free (self->folder);
  g_free (self);
}

const char *
reeve_state_get_folder (ReeveState *self)
{
  return self->folder;
}

char *
reeve_state_make_folder (ReeveState *self, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, name, NULL);

  return reeve_state_make (path, error) ? g_steal_pointer (&path) : NULL;
}

gboolean
reeve_state_write_address (ReeveState *self, const char *url, GError **error)
{
  g_autofree char *path = g_build_filename (self->folder, "address", NULL);
  g_autofree char *fresh = g_strconcat (path, ".new", NULL);
  g_autofree char *text = g_strconcat (url, "\n", NULL);

  /* Whole or not there for whoever reads it; but it means nothing once the host has gone, so the
   * disk is not waited for. */
  if (!g_file_set_contents_full (fresh, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, error))
    {
      g_prefix_error (error, "writing the address: ");
      return FALSE;
    }
  if (g_rename (fresh, path) != 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "writing the address: %s: %s", path,
                   g_strerror (errno));
      return FALSE;
    }
  self->address = g_steal_pointer (&path);
  return TRUE;
}
