/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* proc_pid_cgroup(5), proc_pid_mountinfo(5), and cpu.max of the kernel's admin-guide/cgroup-v2. */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

/* (transfer full) (nullable): the path behind `0::`; of a group that is gone, or outside of what
 * this namespace sees, there is none */
static char *
reeve_cgroup_read_membership (const char *membership)
{
  g_auto (GStrv) lines = g_strsplit (membership, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *path = g_str_has_prefix (lines[i], "0::/") ? lines[i] + strlen ("0::") : NULL;

      if (path != NULL && !g_str_has_prefix (path, "/..") && !g_str_has_suffix (path, " (deleted)"))
        return g_strdup (path);
    }
  return NULL;
}

/* (transfer full) (nullable): where the whole of the hierarchy is mounted */
static char *
reeve_cgroup_read_mount (const char *mounts)
{
  g_auto (GStrv) lines = g_strsplit (mounts, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *type = strstr (lines[i], " - cgroup2 ");
      g_auto (GStrv) words = type != NULL ? g_strsplit (lines[i], " ", 6) : NULL;

      /* id, parent, device, root, place; a place is written with octal escapes */
      if (words != NULL && g_strv_length (words) == 6 && strcmp (words[3], "/") == 0)
        return g_strcompress (words[4]);
    }
  return NULL;
}

gboolean
reeve_cgroup_locate (const char *membership, const char *mounts, char **mount, char **folder)
{
  g_autofree char *path = reeve_cgroup_read_membership (membership);
  g_autofree char *place = path != NULL ? reeve_cgroup_read_mount (mounts) : NULL;

  if (place == NULL)
    return FALSE;
  *folder = strcmp (path, "/") == 0 ? g_strdup (place) : g_strconcat (place, path, NULL);
  *mount = g_steal_pointer (&place);
  return TRUE;
}

gboolean
reeve_cgroup_locate_own (char **mount, char **folder)
{
  g_autofree char *membership = NULL;
  g_autofree char *mounts = NULL;

  return g_file_get_contents ("/proc/self/cgroup", &membership, NULL, NULL)
         && g_file_get_contents ("/proc/self/mountinfo", &mounts, NULL, NULL)
         && reeve_cgroup_locate (membership, mounts, mount, folder);
}

char *
reeve_cgroup_read (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? text : NULL;
}

gboolean
reeve_cgroup_write (const char *folder, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  gssize written = fd >= 0 ? write (fd, text, strlen (text)) : -1;
  int code = errno;

  if (fd >= 0)
    close (fd);
  errno = code;
  return written == (gssize) strlen (text);
}

/* `max 100000`, or two numbers in microseconds */
static guint
reeve_cgroup_read_quota (const char *folder, guint most)
{
  g_autofree char *text = reeve_cgroup_read (folder, "cpu.max");
  g_auto (GStrv) words = NULL;
  guint64 quota = 0;
  guint64 period = 0;

  if (text == NULL)
    return most;
  words = g_strsplit (g_strstrip (text), " ", 2);
  if (g_strv_length (words) != 2
      || !g_ascii_string_to_unsigned (words[0], 10, 1, G_MAXUINT32, &quota, NULL)
      || !g_ascii_string_to_unsigned (words[1], 10, 1, G_MAXUINT32, &period, NULL))
    return most;
  return (guint) MIN ((guint64) most, (quota + period - 1) / period);
}

guint
reeve_cgroup_bound_processors (const char *mount, const char *folder, guint most)
{
  g_autofree char *at = g_strdup (folder);
  guint left = most;

  while (g_str_has_prefix (at, mount))
    {
      char *slash = NULL;

      left = reeve_cgroup_read_quota (at, left);
      slash = strrchr (at, '/');
      if (slash == NULL || strlen (at) <= strlen (mount))
        break;
      *slash = '\0';
    }
  return MAX (left, 1);
}

guint
reeve_cgroup_count_processors (void)
{
  g_autofree char *mount = NULL;
  g_autofree char *folder = NULL;
  cpu_set_t ours;
  guint count = g_get_num_processors ();

  CPU_ZERO (&ours);
  /* GLib counts those too that we are kept from; on a machine with more than the set has room for
   * it fails */
  if (sched_getaffinity (0, sizeof ours, &ours) == 0)
    count = (guint) CPU_COUNT (&ours);
  return reeve_cgroup_locate_own (&mount, &folder)
             ? reeve_cgroup_bound_processors (mount, folder, count)
             : MAX (count, 1);
}
