/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A descriptor of a file could not be taken back, would show what is written later, and hold locks:
 * so bytes go both ways. What is written is complete under another name before it has its own. */
#include "plugin-files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/capability-caller.h"
#include "base/ids.h"
#include "base/times.h"
#include "plugin-files-claim.h"
#include "plugin-files-sweep.h"
#include "plugin-folder.h"

#define REEVE_PLUGIN_FILES_PIECE   (1024 * 1024)
#define REEVE_PLUGIN_FILES_MODE    0640
#define REEVE_PLUGIN_FILES_FOLDERS 0750

/* Others may write into the same folder meanwhile. */
#define REEVE_PLUGIN_FILES_TRIES 20

struct _ReevePluginFiles
{
  char *reserved;
  ReevePluginFilesSum *sum;
  ReevePluginFilesSweep *sweep; /* (nullable) */
};

/* one call */
typedef struct
{
  ReevePluginFilesClaim claim;
  ReevePluginFilesSum *sum;
  ReevePluginFolder *folder;
  JsonObject *params;
  const char *path;
  GBytes *bytes;    /* (nullable) */
  GBytes **content; /* (out) (nullable) */
} ReevePluginFilesJob;

static gpointer
reeve_plugin_files_refuse (ReevePluginFilesJob *self, const char *member, const char *why,
                           GError **error)
{
  g_autofree char *pointer = g_strconcat ("/", member, NULL);

  reeve_error_set_member (error, pointer, "%s: %s %s", self->claim.capability, member, why);
  return NULL;
}

static JsonNode *
reeve_plugin_files_answer (JsonObject *answer)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, answer);
  return node;
}

/* ---- reading ---- */

/* (transfer full) (nullable): what there is of @length bytes; it may have become less */
static GBytes *
reeve_plugin_files_copy (ReevePluginFilesJob *self, int fd, gint64 offset, gsize length,
                         GError **error)
{
  g_autofree guint8 *data = g_try_malloc (length);
  gsize done = 0;
  gssize one = 1;

  if (data == NULL && length > 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE, "no memory for \"%s\"", self->path);
      return NULL;
    }
  while (done < length && one > 0)
    {
      if (!reeve_capability_caller_check (self->claim.caller, error))
        return NULL;
      one = pread (fd, data + done, MIN (length - done, REEVE_PLUGIN_FILES_PIECE),
                   (off_t) offset + (off_t) done);
      if (one < 0)
        {
          reeve_plugin_folder_fail (self->path, errno, error);
          return NULL;
        }
      done += (gsize) one;
    }
  return g_bytes_new_take (g_steal_pointer (&data), done);
}

static JsonNode *
reeve_plugin_files_read_open (ReevePluginFilesJob *self, int fd, GError **error)
{
  gint64 offset = reeve_json_get_int (self->params, "offset", 0);
  gint64 length = reeve_json_get_int (self->params, "length", G_MAXINT64);
  struct stat status = { 0 };
  JsonObject *answer = NULL;
  g_autofree char *time = NULL;

  if (fstat (fd, &status) != 0)
    {
      reeve_plugin_folder_fail (self->path, errno, error);
      return NULL;
    }
  if (offset < 0)
    return reeve_plugin_files_refuse (self, "offset", "is a number of bytes", error);
  length = MIN (length, MAX (status.st_size - offset, 0));
  if (length < 0 || length > REEVE_PLUGIN_FILES_BYTES)
    return reeve_plugin_files_refuse (self, "length", "is at most 64 MiB: read it in pieces",
                                      error);
  if (!reeve_plugin_files_claim_file (&self->claim, self->path, status.st_size, error)
      || !reeve_capability_caller_hold (self->claim.caller, (gsize) length, error))
    return NULL;
  *self->content = reeve_plugin_files_copy (self, fd, offset, (gsize) length, error);
  if (*self->content == NULL)
    return NULL;
  time
      = reeve_times_format (status.st_mtim.tv_sec * G_USEC_PER_SEC + status.st_mtim.tv_nsec / 1000);
  answer = json_object_new ();
  json_object_set_int_member (answer, "size", status.st_size);
  json_object_set_string_member (answer, "modified_at", time);
  return reeve_plugin_files_answer (answer);
}

static JsonNode *
reeve_plugin_files_read (ReevePluginFilesJob *self, GError **error)
{
  JsonNode *answer = NULL;
  int fd = -1;

  if (self->content == NULL)
    return reeve_plugin_files_refuse (self, "op", "read is asked by reeve_context_transfer ()",
                                      error);
  /* the name first: whether another one is there is nobody's business */
  if (!reeve_plugin_files_claim_file (&self->claim, self->path, 0, error))
    return NULL;
  fd = reeve_plugin_folder_open_file (self->folder, self->path, error);
  if (fd < 0)
    return NULL;
  answer = reeve_plugin_files_read_open (self, fd, error);
  close (fd);
  return answer;
}

/* Files of names that are granted, and folders; links and what else there is are not shown. */
static void
reeve_plugin_files_show (ReevePluginFilesJob *self, int folder, const char *name,
                         JsonArray *entries)
{
  struct stat status = { 0 };
  JsonObject *entry = NULL;
  gboolean file = FALSE;

  if (strcmp (name, ".") == 0 || strcmp (name, "..") == 0
      || g_str_has_prefix (name, REEVE_PLUGIN_FILES_PART) || !g_utf8_validate (name, -1, NULL)
      || fstatat (folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
    return;
  file = S_ISREG (status.st_mode);
  if (!S_ISDIR (status.st_mode)
      && (!file || !reeve_plugin_files_claim_has_name (&self->claim, name)))
    return;
  entry = json_object_new ();
  json_object_set_string_member (entry, "name", name);
  json_object_set_string_member (entry, "type", file ? "file" : "folder");
  json_object_set_int_member (entry, "size", file ? status.st_size : 0);
  json_array_add_object_element (entries, entry);
}

static JsonNode *
reeve_plugin_files_list (ReevePluginFilesJob *self, GError **error)
{
  int fd = reeve_plugin_files_claim_file (&self->claim, NULL, 0, error)
               ? reeve_plugin_folder_open_folder (self->folder, self->path, error)
               : -1;
  DIR *folder = fd >= 0 ? fdopendir (fd) : NULL;
  JsonArray *entries = NULL;
  JsonObject *answer = NULL;
  const struct dirent *found = NULL;
  gboolean goes = TRUE;

  if (folder == NULL)
    {
      if (fd >= 0)
        {
          reeve_plugin_folder_fail (self->path, errno, error);
          close (fd);
        }
      return NULL;
    }
  entries = json_array_new ();
  do
    {
      goes = reeve_capability_caller_check (self->claim.caller, error);
      /* the stream is this call's own: nobody else reads from it */
      found = goes ? readdir (folder) : NULL; /* NOLINT(concurrency-mt-unsafe) */
      if (found != NULL)
        reeve_plugin_files_show (self, fd, found->d_name, entries);
    }
  while (found != NULL && json_array_get_length (entries) < REEVE_PLUGIN_FILES_PAGE);
  closedir (folder);
  if (!goes)
    {
      json_array_unref (entries);
      return NULL;
    }
  answer = json_object_new ();
  json_object_set_array_member (answer, "entries", entries);
  json_object_set_boolean_member (answer, "complete", found == NULL);
  return reeve_plugin_files_answer (answer);
}

/* ---- writing ---- */

static gboolean
reeve_plugin_files_fill (ReevePluginFilesJob *self, int fd, GError **error)
{
  gsize size = 0;
  const guint8 *data = self->bytes != NULL ? g_bytes_get_data (self->bytes, &size) : NULL;

  for (gsize done = 0; done < size;)
    {
      gssize one = 0;

      if (!reeve_capability_caller_check (self->claim.caller, error))
        return FALSE;
      one = write (fd, data + done, MIN (size - done, REEVE_PLUGIN_FILES_PIECE));
      if (one < 0 && errno != EINTR)
        return reeve_plugin_folder_fail (self->path, errno, error);
      done += one > 0 ? (gsize) one : 0;
    }
  return fsync (fd) == 0 || reeve_plugin_folder_fail (self->path, errno, error);
}

/* Gives what is complete its name, durably; what has that name already must be a file. */
static gboolean
reeve_plugin_files_rename (ReevePluginFilesJob *self, int folder, const char *part,
                           const char *name, GError **error)
{
  gboolean replace = reeve_json_get_boolean (self->params, "replace", TRUE);
  struct stat status = { 0 };

  if (!reeve_capability_caller_check (self->claim.caller, error))
    return FALSE;
  if (fstatat (folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG (status.st_mode))
    return reeve_plugin_folder_fail (self->path, EEXIST, error);
  if (renameat2 (folder, part, folder, name, replace ? 0 : RENAME_NOREPLACE) != 0
      || fsync (folder) != 0)
    return reeve_plugin_folder_fail (self->path, errno, error);
  return TRUE;
}

/* Has no name before it is complete, where the file system can do that: then nothing is left of it
 * by a host that is killed. */
static gboolean
reeve_plugin_files_write_into (ReevePluginFilesJob *self, int folder, const char *name,
                               GError **error)
{
  g_autofree char *id = reeve_ids_new ("f");
  g_autofree char *part = g_strconcat (REEVE_PLUGIN_FILES_PART, id, NULL);
  int fd = reeve_plugin_folder_create_nameless (folder, REEVE_PLUGIN_FILES_MODE);
  gboolean named = fd < 0;
  gboolean good = FALSE;

  if (fd < 0)
    fd = reeve_plugin_folder_create (folder, part, REEVE_PLUGIN_FILES_MODE);
  if (fd < 0)
    return reeve_plugin_folder_fail (self->path, errno, error);
  /* whoever tidies up sees that it is somebody's */
  flock (fd, LOCK_EX | LOCK_NB);
  good = reeve_plugin_files_fill (self, fd, error);
  if (good && !named)
    {
      named = reeve_plugin_folder_name_it (folder, fd, part);
      good = named || reeve_plugin_folder_fail (self->path, errno, error);
    }
  good = good && reeve_plugin_files_rename (self, folder, part, name, error);
  close (fd);
  if (!good && named)
    unlinkat (folder, part, 0);
  return good;
}

/* Is there room for @more in the granted folder? Then it is taken, and settled at its end. */
static gboolean
reeve_plugin_files_take (ReevePluginFilesJob *self, const ReevePluginFilesAmount *more,
                         GError **error)
{
  const char *folder = self->claim.folder;

  for (guint i = 0; i < REEVE_PLUGIN_FILES_TRIES; i++)
    {
      ReevePluginFilesAmount now = { 0 };
      ReevePluginFilesAmount limit = { 0 };
      GError *local = NULL;

      if (!reeve_plugin_files_sum_get (self->sum, self->folder, folder, self->claim.caller, i > 0,
                                       &now, error))
        return FALSE;
      now.bytes = more->bytes > 0 ? now.bytes + more->bytes : 0;
      now.files = more->files > 0 ? now.files + more->files : 0;
      if (reeve_plugin_files_claim_folder (&self->claim, &now, &limit, &local)
          && reeve_plugin_files_sum_take (self->sum, folder, more, &limit))
        return TRUE;
      /* a count that is not new may be too much */
      if (local != NULL && (i > 0 || !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_TOO_LARGE)))
        {
          g_propagate_error (error, local);
          return FALSE;
        }
      g_clear_error (&local);
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_BUSY, "too many write into %s at once", folder);
  return FALSE;
}

static gboolean
reeve_plugin_files_write_counted (ReevePluginFilesJob *self, int folder, const char *name,
                                  gsize size, GError **error)
{
  struct stat before = { 0 };
  gboolean there
      = fstatat (folder, name, &before, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG (before.st_mode);
  const ReevePluginFilesAmount more
      = { (gint64) size - (there ? before.st_size : 0), there ? 0 : 1 };
  gboolean good = FALSE;

  if (!reeve_plugin_files_take (self, &more, error))
    return FALSE;
  good = reeve_plugin_files_write_into (self, folder, name, error);
  reeve_plugin_files_sum_settle (self->sum, self->claim.folder, &more, good);
  return good;
}

static JsonNode *
reeve_plugin_files_write (ReevePluginFilesJob *self, GError **error)
{
  gsize size = self->bytes != NULL ? g_bytes_get_size (self->bytes) : 0;
  const char *name = NULL;
  int folder = -1;
  gboolean good = FALSE;
  JsonObject *answer = NULL;

  if (self->content == NULL)
    return reeve_plugin_files_refuse (self, "op", "write is asked by reeve_context_transfer ()",
                                      error);
  if (size > REEVE_PLUGIN_FILES_BYTES)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                   "fs.write: a file of %" G_GSIZE_FORMAT " bytes: %d is the most", size,
                   REEVE_PLUGIN_FILES_BYTES);
      return NULL;
    }
  if (!reeve_plugin_files_claim_file (&self->claim, self->path, (gint64) size, error)
      || !reeve_capability_caller_hold (self->claim.caller, size, error))
    return NULL;
  folder = reeve_plugin_folder_open_parent (self->folder, self->path, &name, error);
  if (folder < 0)
    return NULL;
  good = reeve_plugin_files_write_counted (self, folder, name, size, error);
  close (folder);
  if (!good)
    return NULL;
  answer = json_object_new ();
  json_object_set_int_member (answer, "size", (gint64) size);
  return reeve_plugin_files_answer (answer);
}

/* Removes a file, never a folder or a link. */
static JsonNode *
reeve_plugin_files_delete (ReevePluginFilesJob *self, GError **error)
{
  const char *name = NULL;
  struct stat status = { 0 };
  ReevePluginFilesAmount less = { 0 };
  int code = 0;
  int folder = -1;

  if (!reeve_plugin_files_claim_file (&self->claim, self->path, 0, error))
    return NULL;
  folder = reeve_plugin_folder_open_parent (self->folder, self->path, &name, error);
  if (folder < 0)
    return NULL;
  if (fstatat (folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
    code = errno;
  else if (!S_ISREG (status.st_mode))
    code = EACCES;
  else if (unlinkat (folder, name, 0) != 0 || fsync (folder) != 0)
    code = errno;
  close (folder);
  if (code != 0)
    {
      reeve_plugin_folder_fail (self->path, code, error);
      return NULL;
    }
  less = (ReevePluginFilesAmount){ -status.st_size, -1 };
  reeve_plugin_files_sum_settle (self->sum, self->claim.folder, &less, TRUE);
  return reeve_plugin_files_answer (json_object_new ());
}

static JsonNode *
reeve_plugin_files_make (ReevePluginFilesJob *self, GError **error)
{
  static const ReevePluginFilesAmount one = { 0, 1 };
  const char *name = NULL;
  int folder = -1;
  int code = 0;

  if (!reeve_plugin_files_claim_file (&self->claim, NULL, 0, error)
      || !reeve_plugin_files_take (self, &one, error))
    return NULL;
  folder = reeve_plugin_folder_open_parent (self->folder, self->path, &name, error);
  if (folder < 0)
    {
      reeve_plugin_files_sum_settle (self->sum, self->claim.folder, &one, FALSE);
      return NULL;
    }
  if (mkdirat (folder, name, REEVE_PLUGIN_FILES_FOLDERS) != 0 || fsync (folder) != 0)
    code = errno;
  close (folder);
  reeve_plugin_files_sum_settle (self->sum, self->claim.folder, &one, code == 0);
  if (code == 0)
    return reeve_plugin_files_answer (json_object_new ());
  reeve_plugin_folder_fail (self->path, code, error);
  return NULL;
}

/* ---- all of it ---- */

typedef struct
{
  const char *name;
  gboolean folder; /* the granted folder itself will do */
  JsonNode *(*func) (ReevePluginFilesJob *self, GError **error);
} ReevePluginFilesOp;

static const ReevePluginFilesOp reeve_plugin_files_reading[]
    = { { "read", FALSE, reeve_plugin_files_read },
        { "list", TRUE, reeve_plugin_files_list },
        { NULL, FALSE, NULL } };
static const ReevePluginFilesOp reeve_plugin_files_writing[]
    = { { "write", FALSE, reeve_plugin_files_write },
        { "delete", FALSE, reeve_plugin_files_delete },
        { "make", FALSE, reeve_plugin_files_make },
        { NULL, FALSE, NULL } };

static JsonNode *
reeve_plugin_files_run (ReevePluginFiles *files, ReevePluginFilesJob *self,
                        const ReevePluginFilesOp *ops, GError **error)
{
  const char *word = reeve_json_get_string (self->params, "op", "");
  g_autoptr (ReevePluginFolder) folder = NULL;

  while (ops->name != NULL && strcmp (ops->name, word) != 0)
    ops++;
  if (ops->name == NULL)
    return reeve_plugin_files_refuse (self, "op",
                                      strcmp (self->claim.capability, "fs.read") == 0
                                          ? "is read or list"
                                          : "is write, delete or make",
                                      error);
  self->path = reeve_json_get_string (self->params, "path", "");
  if (!reeve_plugin_folder_is_path (self->path, ops->folder)
      || strstr (self->path, REEVE_PLUGIN_FILES_PART) != NULL)
    return reeve_plugin_files_refuse (
        self, "path", "is names with / between, without . and .., of at most 1000 bytes", error);
  if (self->claim.caller->lease == NULL)
    return reeve_plugin_files_refuse (self, "folder", "is what a grant says: there is none here",
                                      error);
  if (!reeve_plugin_files_claim_begin (&self->claim,
                                       reeve_json_get_string (self->params, "folder", NULL), error))
    return NULL;
  self->sum = files->sum;
  self->folder = folder = reeve_plugin_folder_new (self->claim.folder, files->reserved, error);
  return folder != NULL && reeve_capability_caller_check (self->claim.caller, error)
             ? ops->func (self, error)
             : NULL;
}

static JsonNode *
reeve_plugin_files_on_read (const ReeveCapabilityCaller *caller, JsonNode *params, GBytes *bytes,
                            GBytes **content, gpointer user_data, GError **error)
{
  ReevePluginFilesJob job = { .claim = { .caller = caller, .capability = "fs.read" },
                              .params = json_node_get_object (params),
                              .content = content };

  return reeve_plugin_files_run (user_data, &job, reeve_plugin_files_reading, error);
}

static JsonNode *
reeve_plugin_files_on_write (const ReeveCapabilityCaller *caller, JsonNode *params, GBytes *bytes,
                             GBytes **content, gpointer user_data, GError **error)
{
  ReevePluginFilesJob job = { .claim = { .caller = caller, .capability = "fs.write" },
                              .params = json_node_get_object (params),
                              .bytes = bytes,
                              .content = content };

  return reeve_plugin_files_run (user_data, &job, reeve_plugin_files_writing, error);
}

ReevePluginFiles *
reeve_plugin_files_new (const char *reserved)
{
  ReevePluginFiles *self = g_new0 (ReevePluginFiles, 1);

  self->reserved = g_strdup (reserved);
  self->sum = reeve_plugin_files_sum_new ();
  return self;
}

void
reeve_plugin_files_sweep (ReevePluginFiles *self, const char *const *folders)
{
  if (self->sweep == NULL && *folders != NULL)
    self->sweep = reeve_plugin_files_sweep_new (self->sum, self->reserved, folders);
}

void
reeve_plugin_files_free (ReevePluginFiles *self)
{
  g_clear_pointer (&self->sweep, reeve_plugin_files_sweep_free);
  reeve_plugin_files_sum_free (self->sum);
  g_free (self->reserved);
  g_free (self);
}

/**
 * reeve_plugin_files_provide:
 * @self: files; outlives @capabilities
 * @capabilities: what this host offers to plugins
 *
 * Offers `fs.read` and `fs.write`: see docs/plugin-guide.md.
 */
void
reeve_plugin_files_provide (ReevePluginFiles *self, ReeveCapabilities *capabilities)
{
  reeve_capabilities_provide_transfer (capabilities, "fs.read", reeve_plugin_files_on_read, self);
  reeve_capabilities_provide_transfer (capabilities, "fs.write", reeve_plugin_files_on_write, self);
}
