/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* First each file gets every key sealed by the new master key beside the old one, then `master` is
 * replaced, then what the old one sealed is taken out. So at every instant the master key that the
 * file `master` names opens everything: the old one until it is replaced, the new one from then. */
#include "master-rotation.h"

#include <string.h>

#include <reeve-plugin-1.h>

#include "key-file.h"
#include "key-folder.h"
#include "key-paths.h"

typedef struct
{
  ReeveMasterKey *from; /* NULL while only cleaning */
  ReeveMasterKey *to;   /* NULL while only cleaning */
  const char *keep;     /* while cleaning: whose seals stay */
  ReeveMasterRotationFunc func;
  gpointer user_data;
  guint done;
  guint total;
} ReeveMasterRotation;

/* file: NULL when it is a secret that is not sealed yet */
static gboolean
reeve_master_rotation_read (const ReeveKeyPath *path, ReeveKeyFile **file, GError **error)
{
  g_autoptr (GBytes) bytes = reeve_key_folder_read (path->path, REEVE_KEY_FILE_MAX_SIZE, error);
  const char *data = NULL;
  gsize size = 0;

  *file = NULL;
  if (bytes == NULL)
    return FALSE;
  data = g_bytes_get_data (bytes, &size);
  if (size > 0 && g_str_has_prefix (path->label, "host:")
      && (size < 11 || memcmp (data, "reeve-keys ", 11) != 0))
    return TRUE;
  *file = reeve_key_file_parse (path->label, data, size, error);
  if (*file == NULL)
    g_prefix_error (error, "%s: ", path->path);
  return *file != NULL;
}

static gboolean
reeve_master_rotation_write (const ReeveKeyPath *path, ReeveKeyFile *file, GError **error)
{
  g_autofree char *text = reeve_key_file_format (file);

  return reeve_key_folder_replace (path->path, text, strlen (text), error);
}

static gboolean
reeve_master_rotation_change (ReeveMasterRotation *self, const ReeveKeyPath *path, GError **error)
{
  g_autoptr (ReeveKeyFile) file = NULL;
  gboolean changed = TRUE;

  if (!reeve_master_rotation_read (path, &file, error))
    return FALSE;
  if (file == NULL)
    return TRUE;
  if (self->keep != NULL)
    changed = reeve_key_file_keep_master (file, self->keep);
  else if (!reeve_key_file_rewrap (file, self->from, self->to, error))
    {
      g_prefix_error (error, "%s: ", path->path);
      return FALSE;
    }
  if (file->entries->len == 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                   "%s: none of its keys is sealed by master key %s", path->path, self->keep);
      return FALSE;
    }
  return !changed || reeve_master_rotation_write (path, file, error);
}

static gboolean
reeve_master_rotation_proceed (ReeveMasterRotation *self, GError **error)
{
  if (self->func == NULL || self->func (self->done, self->total, self->user_data))
    {
      self->done++;
      return TRUE;
    }
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CANCELLED, "stopped");
  return FALSE;
}

static gboolean
reeve_master_rotation_change_all (ReeveMasterRotation *self, GPtrArray *paths, GError **error)
{
  for (guint i = 0; i < paths->len; i++)
    if (!reeve_master_rotation_proceed (self, error)
        || !reeve_master_rotation_change (self, g_ptr_array_index (paths, i), error))
      return FALSE;
  return TRUE;
}

static gboolean
reeve_master_rotation_mark (const char *folder, gboolean changing, GError **error)
{
  g_autofree char *path = g_build_filename (folder, REEVE_KEY_PATHS_CHANGING, NULL);

  return changing ? reeve_key_folder_replace (path, "", 0, error)
                  : reeve_key_folder_shred (path, error);
}

/* 0: refused, 1: to be done, 2: done already but for cleaning */
static guint
reeve_master_rotation_check (const char *folder, ReeveMasterKey *from, ReeveMasterKey *to,
                             GError **error)
{
  g_autofree char *sealer = NULL;

  if (!reeve_key_paths_read_master (folder, &sealer, error))
    return 0;
  if (g_strcmp0 (sealer, reeve_master_key_get_id (to)) == 0)
    return 2;
  if (g_strcmp0 (sealer, reeve_master_key_get_id (from)) == 0)
    return 1;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
               "the keys in %s are sealed by master key %s, neither by the present one (%s) nor by "
               "the new one (%s)",
               folder, sealer != NULL ? sealer : "(none)", reeve_master_key_get_id (from),
               reeve_master_key_get_id (to));
  return 0;
}

static gboolean
reeve_master_rotation_work (ReeveMasterRotation *self, const char *folder, GPtrArray *paths,
                            GError **error)
{
  const char *id = reeve_master_key_get_id (self->to);

  if (!reeve_master_rotation_mark (folder, TRUE, error)
      || !reeve_master_rotation_change_all (self, paths, error)
      || !reeve_master_rotation_proceed (self, error)
      || !reeve_key_paths_write_master (folder, id, error))
    return FALSE;
  self->keep = id;
  return reeve_master_rotation_change_all (self, paths, error)
         && reeve_master_rotation_mark (folder, FALSE, error);
}

/**
 * reeve_master_rotation_run:
 * @folder: of keys, that no host uses
 * @from: the present master key
 * @to: the new one, which is kept in its place already
 * @func: (nullable): told before each file
 * @user_data: for @func
 * @error: return location
 *
 * Changes the master key. Wherever it stops, the master key that the folder names opens all keys;
 * running it again ends it.
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFIGURATION when the folder is sealed by neither,
 * %REEVE_ERROR_CORRUPT when a key cannot be unsealed, %REEVE_ERROR_CANCELLED
 */
gboolean
reeve_master_rotation_run (const char *folder, ReeveMasterKey *from, ReeveMasterKey *to,
                           ReeveMasterRotationFunc func, gpointer user_data, GError **error)
{
  ReeveMasterRotation self = { .from = from, .to = to, .func = func, .user_data = user_data };
  guint state = reeve_master_rotation_check (folder, from, to, error);
  g_autoptr (GPtrArray) paths = NULL;

  if (state == 0)
    return FALSE;
  if (state == 2)
    return reeve_master_rotation_clean (folder, reeve_master_key_get_id (to), error);
  paths = reeve_key_paths_list (folder, error);
  if (paths == NULL)
    return FALSE;
  self.total = 2 * paths->len + 1;
  return reeve_master_rotation_work (&self, folder, paths, error);
}

/**
 * reeve_master_rotation_clean:
 * @folder: of keys
 * @id: of the master key that has sealed everything
 * @error: return location
 *
 * Takes out what other master keys have sealed, where a rotation was cut off.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_master_rotation_clean (const char *folder, const char *id, GError **error)
{
  g_autofree char *path = g_build_filename (folder, REEVE_KEY_PATHS_CHANGING, NULL);
  ReeveMasterRotation self = { .keep = id };
  g_autoptr (GPtrArray) paths = NULL;

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  paths = reeve_key_paths_list (folder, error);
  return paths != NULL && reeve_master_rotation_change_all (&self, paths, error)
         && reeve_master_rotation_mark (folder, FALSE, error);
}
