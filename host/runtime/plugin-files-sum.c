/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A folder is counted by walking through it, and between two walks by what is written: others may
 * put and take what they like. What is finished during a walk counts besides it: rather too much,
 * until the next walk, than too little. */
#include "plugin-files-sum.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/capability-caller.h"

/* How long a count holds. */
#define REEVE_PLUGIN_FILES_SUM_US (30 * G_USEC_PER_SEC)
/* A part that is older, and that nobody has locked, is nobody's. */
#define REEVE_PLUGIN_FILES_SUM_OLD_S 10

typedef struct
{
  ReevePluginFilesAmount there;
  ReevePluginFilesAmount coming;
  ReevePluginFilesAmount finished; /* since the beginning: what became more */
  gint64 counted;                  /* monotonic; 0: not yet */
} ReevePluginFilesSumEntry;

struct _ReevePluginFilesSum
{
  GMutex lock;
  GHashTable *folders; /* with lock: name -> ReevePluginFilesSumEntry */
};

/* one walk */
typedef struct
{
  ReevePluginFolder *folder;
  const ReeveCapabilityCaller *caller;
  GQueue *left; /* paths of folders that are still to be counted, owned */
  ReevePluginFilesAmount found;
} ReevePluginFilesSumWalk;

ReevePluginFilesSum *
reeve_plugin_files_sum_new (void)
{
  ReevePluginFilesSum *self = g_new0 (ReevePluginFilesSum, 1);

  g_mutex_init (&self->lock);
  self->folders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

void
reeve_plugin_files_sum_free (ReevePluginFilesSum *self)
{
  g_hash_table_unref (self->folders);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* Under the lock. */
static ReevePluginFilesSumEntry *
reeve_plugin_files_sum_find (ReevePluginFilesSum *self, const char *name)
{
  ReevePluginFilesSumEntry *entry = g_hash_table_lookup (self->folders, name);

  if (entry == NULL)
    {
      entry = g_new0 (ReevePluginFilesSumEntry, 1);
      g_hash_table_insert (self->folders, g_strdup (name), entry);
    }
  return entry;
}

/* ---- one walk ---- */

/* Whoever writes a part holds a lock on it: one that can be locked is of a host that was killed. */
static gboolean
reeve_plugin_files_sum_is_left (int folder, const char *name, const struct stat *status)
{
  int fd = -1;
  gboolean left = FALSE;

  if (!g_str_has_prefix (name, REEVE_PLUGIN_FILES_PART) || !S_ISREG (status->st_mode)
      || status->st_mtim.tv_sec
             > g_get_real_time () / G_USEC_PER_SEC - REEVE_PLUGIN_FILES_SUM_OLD_S)
    return FALSE;
  fd = reeve_plugin_folder_look (folder, name);
  left = fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) == 0;
  if (fd >= 0)
    close (fd);
  return left;
}

static void
reeve_plugin_files_sum_add (ReevePluginFilesSumWalk *walk, const char *path, int folder,
                            const char *name)
{
  struct stat status = { 0 };

  if (strcmp (name, ".") == 0 || strcmp (name, "..") == 0
      || fstatat (folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0
      || (reeve_plugin_files_sum_is_left (folder, name, &status)
          && unlinkat (folder, name, 0) == 0))
    return;
  walk->found.files++;
  walk->found.bytes += S_ISREG (status.st_mode) ? status.st_size : 0;
  if (S_ISDIR (status.st_mode))
    g_queue_push_tail (walk->left,
                       *path != '\0' ? g_strconcat (path, "/", name, NULL) : g_strdup (name));
}

/* %FALSE: the call is over */
static gboolean
reeve_plugin_files_sum_count (ReevePluginFilesSumWalk *walk, const char *path, int fd,
                              GError **error)
{
  DIR *stream = fdopendir (fd);
  const struct dirent *found = NULL;
  gboolean goes = TRUE;

  if (stream == NULL)
    {
      close (fd);
      return reeve_plugin_folder_fail (path, errno, error);
    }
  do
    {
      goes = reeve_capability_caller_check (walk->caller, error);
      /* the stream is this call's own: nobody else reads from it */
      found = goes ? readdir (stream) : NULL; /* NOLINT(concurrency-mt-unsafe) */
      if (found != NULL)
        reeve_plugin_files_sum_add (walk, path, fd, found->d_name);
    }
  while (found != NULL);
  closedir (stream);
  return goes;
}

/* What cannot be opened, or is on another file system, no plugin reaches either. */
static gboolean
reeve_plugin_files_sum_walk (ReevePluginFilesSumWalk *walk, GError **error)
{
  g_autoptr (GQueue) left = g_queue_new ();
  gboolean goes = TRUE;

  walk->left = left;
  g_queue_push_tail (left, g_strdup (""));
  while (goes && !g_queue_is_empty (left))
    {
      g_autofree char *path = g_queue_pop_head (left);
      int fd = reeve_plugin_folder_open_folder (walk->folder, path, *path == '\0' ? error : NULL);

      if (fd >= 0)
        goes = reeve_plugin_files_sum_count (walk, path, fd, error);
      else
        goes = *path != '\0';
    }
  g_queue_clear_full (left, g_free);
  return goes;
}

/* ---- all of it ---- */

gboolean
reeve_plugin_files_sum_get (ReevePluginFilesSum *self, ReevePluginFolder *folder, const char *name,
                            const ReeveCapabilityCaller *caller, gboolean anew,
                            ReevePluginFilesAmount *now, GError **error)
{
  ReevePluginFilesSumWalk walk = { .folder = folder, .caller = caller };
  ReevePluginFilesSumEntry *entry = NULL;
  ReevePluginFilesAmount before = { 0 };
  gint64 begun = g_get_monotonic_time ();
  gboolean known = FALSE;

  g_mutex_lock (&self->lock);
  entry = reeve_plugin_files_sum_find (self, name);
  known = !anew && entry->counted != 0 && begun - entry->counted < REEVE_PLUGIN_FILES_SUM_US;
  before = entry->finished;
  g_mutex_unlock (&self->lock);
  if (!known && !reeve_plugin_files_sum_walk (&walk, error))
    return FALSE;
  g_mutex_lock (&self->lock);
  entry = reeve_plugin_files_sum_find (self, name);
  if (!known)
    {
      entry->there.bytes = walk.found.bytes + entry->finished.bytes - before.bytes;
      entry->there.files = walk.found.files + entry->finished.files - before.files;
      entry->counted = begun;
    }
  now->bytes = entry->there.bytes + entry->coming.bytes;
  now->files = entry->there.files + entry->coming.files;
  g_mutex_unlock (&self->lock);
  return TRUE;
}

gboolean
reeve_plugin_files_sum_take (ReevePluginFilesSum *self, const char *name,
                             const ReevePluginFilesAmount *more,
                             const ReevePluginFilesAmount *limit)
{
  ReevePluginFilesSumEntry *entry = NULL;
  gboolean fits = FALSE;

  g_mutex_lock (&self->lock);
  entry = reeve_plugin_files_sum_find (self, name);
  fits
      = (more->bytes <= 0 || entry->there.bytes + entry->coming.bytes + more->bytes <= limit->bytes)
        && (more->files <= 0
            || entry->there.files + entry->coming.files + more->files <= limit->files);
  if (fits)
    {
      entry->coming.bytes += MAX (more->bytes, 0);
      entry->coming.files += MAX (more->files, 0);
    }
  g_mutex_unlock (&self->lock);
  return fits;
}

void
reeve_plugin_files_sum_settle (ReevePluginFilesSum *self, const char *name,
                               const ReevePluginFilesAmount *more, gboolean done)
{
  ReevePluginFilesSumEntry *entry = NULL;

  g_mutex_lock (&self->lock);
  entry = reeve_plugin_files_sum_find (self, name);
  entry->coming.bytes -= MAX (more->bytes, 0);
  entry->coming.files -= MAX (more->files, 0);
  if (done)
    {
      entry->there.bytes += more->bytes;
      entry->there.files += more->files;
      entry->finished.bytes += MAX (more->bytes, 0);
      entry->finished.files += MAX (more->files, 0);
    }
  g_mutex_unlock (&self->lock);
}
