/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's admin-guide/cgroup-v2, and systemd's CGROUP_DELEGATION: who got a group delegated
 * writes below it and nowhere else, and a group that gives controllers to those below has no
 * process of its own: so the host moves into one of these. Files of the kernel's alone. */
#include "runner-groups.h"

#include <errno.h>
#include <linux/magic.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cgroup.h"

/* the host's own, below the one that it divides up */
#define REEVE_RUNNER_GROUPS_HOST "host.reeve"
/* and that of all plugins together, with theirs below it */
#define REEVE_RUNNER_GROUPS_PLUGINS "plugins.reeve"

static const char *const reeve_runner_groups_controllers[] = { "memory", "pids", "cpu" };

struct _ReeveRunnerGroups
{
  char *top;    /* (nullable): there is no place */
  char *folder; /* of all plugins, in there; (nullable) the same */
  char *note;   /* (nullable) */
  guint controllers;
  guint numbers; /* atomic */
};

/* ---- where ---- */

/* systemd says so by an attribute, and gives an ordinary user the folder besides. */
static gboolean
reeve_runner_groups_is_delegated (const char *folder)
{
  static const char *const names[] = { "user.delegate", "trusted.delegate" };
  struct stat status = { 0 };
  char value[2] = "";

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      if (getxattr (folder, names[i], value, sizeof value) == 1 && value[0] == '1')
        return TRUE;
    }
  return geteuid () != 0 && stat (folder, &status) == 0 && status.st_uid == geteuid ();
}

/* (transfer full) (nullable): the group that this process is in, or divides up already */
static char *
reeve_runner_groups_find_own (void)
{
  g_autofree char *mount = NULL;
  g_autofree char *folder = NULL;

  if (!reeve_cgroup_locate_own (&mount, &folder))
    return NULL;
  return g_str_has_suffix (folder, "/" REEVE_RUNNER_GROUPS_HOST) ? g_path_get_dirname (folder)
                                                                 : g_steal_pointer (&folder);
}

static void
reeve_runner_groups_find (ReeveRunnerGroups *self, const char *place)
{
  g_autofree char *own = NULL;
  struct statfs status = { 0 };

  if (place == NULL || strcmp (place, "none") == 0)
    self->note = g_strdup ("plugins.cgroup is none");
  else if (strcmp (place, "auto") != 0)
    {
      if (statfs (place, &status) != 0 || status.f_type != CGROUP2_SUPER_MAGIC)
        self->note = g_strdup_printf ("%s is no control group of version 2", place);
      else
        self->top = g_strdup (place);
    }
  else
    {
      own = reeve_runner_groups_find_own ();
      if (own == NULL)
        self->note = g_strdup ("no hierarchy of version 2 is mounted here");
      else if (!reeve_runner_groups_is_delegated (own))
        self->note = g_strdup_printf ("%s is not delegated to this host", own);
      else
        self->top = g_steal_pointer (&own);
    }
}

/* ---- what those below can be limited by ---- */

/* This process is the only one in there? Then it moves down. */
static gboolean
reeve_runner_groups_move (ReeveRunnerGroups *self)
{
  g_autofree char *text = reeve_cgroup_read (self->top, "cgroup.procs");
  g_autofree char *host = g_build_filename (self->top, REEVE_RUNNER_GROUPS_HOST, NULL);
  g_autofree char *pid = g_strdup_printf ("%d", getpid ());

  if (text == NULL || strcmp (g_strstrip (text), pid) != 0)
    {
      errno = EBUSY;
      return FALSE;
    }
  return (mkdir (host, 0755) == 0 || errno == EEXIST)
         && reeve_cgroup_write (host, "cgroup.procs", pid);
}

static gboolean
reeve_runner_groups_enable (ReeveRunnerGroups *self, const char *controller)
{
  g_autofree char *word = g_strconcat ("+", controller, NULL);

  return (reeve_cgroup_write (self->top, "cgroup.subtree_control", word)
          || (errno == EBUSY && reeve_runner_groups_move (self)
              && reeve_cgroup_write (self->top, "cgroup.subtree_control", word)))
         && reeve_cgroup_write (self->folder, "cgroup.subtree_control", word);
}

/* Where that cannot be, the processors are not for groups to divide up. FALSE: errno */
static gboolean
reeve_runner_groups_bound (ReeveRunnerGroups *self, guint32 cpu)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT " 100000", (guint64) cpu * 1000);

  return cpu == 0 || reeve_cgroup_write (self->folder, "cpu.max", text);
}

static void
reeve_runner_groups_open (ReeveRunnerGroups *self, guint32 cpu)
{
  g_autofree char *text = reeve_cgroup_read (self->top, "cgroup.controllers");
  g_auto (GStrv) there = g_strsplit (text != NULL ? g_strstrip (text) : "", " ", -1);
  g_autoptr (GString) note = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (reeve_runner_groups_controllers); i++)
    {
      const char *name = reeve_runner_groups_controllers[i];
      const char *why = NULL;

      if (!g_strv_contains ((const char *const *) there, name))
        why = "is not there";
      else if (reeve_runner_groups_enable (self, name)
               && (1u << i != REEVE_RUNNER_GROUPS_CPU || reeve_runner_groups_bound (self, cpu)))
        self->controllers |= 1u << i;
      else
        why = g_strerror (errno);
      if (why != NULL)
        g_string_append_printf (note, "%s%s: %s", note->len > 0 ? ", " : "", name, why);
    }
  if (note->len > 0)
    self->note = g_strdup_printf ("controllers of %s: %s", self->top, note->str);
}

/* Those of a host that is gone are empty: the kernel ended what was in them. */
static void
reeve_runner_groups_sweep (ReeveRunnerGroups *self)
{
  g_autoptr (GDir) folder = g_dir_open (self->folder, 0, NULL);
  const char *name = NULL;

  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL)
    {
      g_auto (GStrv) words = g_strsplit (name, ".", -1);
      g_autofree char *path = g_build_filename (self->folder, name, NULL);
      guint64 pid = 0;

      if (g_strv_length (words) == 4 && strcmp (words[3], "plugin") == 0
          && g_ascii_string_to_unsigned (words[1], 10, 1, G_MAXINT32, &pid, NULL)
          && kill ((pid_t) pid, 0) != 0 && errno == ESRCH)
        rmdir (path);
    }
}

ReeveRunnerGroups *
reeve_runner_groups_new (const char *place, guint32 cpu)
{
  ReeveRunnerGroups *self = g_new0 (ReeveRunnerGroups, 1);
  g_autofree char *folder = NULL;

  reeve_runner_groups_find (self, place);
  if (self->top == NULL)
    return self;
  folder = g_build_filename (self->top, REEVE_RUNNER_GROUPS_PLUGINS, NULL);
  if (mkdir (folder, 0755) != 0 && errno != EEXIST)
    {
      self->note = g_strdup_printf ("mkdir (%s): %s", folder, g_strerror (errno));
      return self;
    }
  self->folder = g_steal_pointer (&folder);
  reeve_runner_groups_sweep (self);
  reeve_runner_groups_open (self, cpu);
  return self;
}

void
reeve_runner_groups_free (ReeveRunnerGroups *self)
{
  g_free (self->top);
  g_free (self->folder);
  g_free (self->note);
  g_free (self);
}

const char *
reeve_runner_groups_get_note (ReeveRunnerGroups *self)
{
  return self->note;
}

const char *
reeve_runner_groups_get_folder (ReeveRunnerGroups *self)
{
  return self->folder;
}

guint
reeve_runner_groups_get_controllers (ReeveRunnerGroups *self)
{
  return self->controllers;
}

guint
reeve_runner_groups_next_number (ReeveRunnerGroups *self)
{
  return g_atomic_int_add (&self->numbers, 1);
}
