/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `subjects/<tenant>/<digest of the subject>.<generation>`: 32 random bytes. They seal nothing by
 * themselves: the key is made of them and of the half in the tenant's store, which that store's
 * data key seals. So neither a copy of the stores nor one of this folder opens anything alone, and
 * a change of the master key or of data keys has nothing to do here. `….erased` beside it says that
 * it was destroyed, or is being: it is there before that is begun, and stays. Without it a half
 * that is not whole is damage. */
#include "subject-shares.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <reeve-plugin-1.h>

#include "base/digests.h"
#include "base/ids.h"
#include "key-folder.h"

#define REEVE_SUBJECT_SHARES_FOLDER "subjects"
/* hexadecimal digits of a subject's name: it is no name of a file, and may be anything */
#define REEVE_SUBJECT_SHARES_DIGITS 40
#define REEVE_SUBJECT_SHARES_ERASED ".erased"
#define REEVE_SUBJECT_SHARES_REMEDY                                                                \
  "put it back from a backup of the folder of keys, or erase the user (reevectl compliance "       \
  "erase), "                                                                                       \
  "after which what was kept of him cannot be read"

static char *
reeve_subject_shares_get_folder (const char *folder, const char *scope)
{
  return g_build_filename (folder, REEVE_SUBJECT_SHARES_FOLDER, scope, NULL);
}

static char *
reeve_subject_shares_get_path (const char *folder, const char *scope, const char *subject,
                               guint generation)
{
  g_autofree char *below = reeve_subject_shares_get_folder (folder, scope);
  g_autofree char *digest = reeve_digests_sha256_hex (subject, strlen (subject));
  g_autofree char *name
      = g_strdup_printf ("%.*s.%u", REEVE_SUBJECT_SHARES_DIGITS, digest, generation);

  return g_build_filename (below, name, NULL);
}

/* A scope is a name of a folder in every other place too. */
static gboolean
reeve_subject_shares_check (const char *scope, GError **error)
{
  if (reeve_storage_scope_is_valid (scope) && strcmp (scope, REEVE_SCOPE_PLATFORM) != 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "%s is no tenant", scope);
  return FALSE;
}

static gboolean
reeve_subject_shares_has_tombstone (const char *path)
{
  g_autofree char *tombstone = g_strconcat (path, REEVE_SUBJECT_SHARES_ERASED, NULL);

  return g_file_test (tombstone, G_FILE_TEST_EXISTS);
}

/**
 * reeve_subject_shares_is_erased:
 * @folder: of keys
 * @scope: a tenant
 * @subject: of whom
 * @generation: which one
 *
 * Returns: whether it was destroyed, or is to be
 */
gboolean
reeve_subject_shares_is_erased (const char *folder, const char *scope, const char *subject,
                                guint generation)
{
  g_autofree char *path = reeve_subject_shares_get_path (folder, scope, subject, generation);

  return reeve_subject_shares_has_tombstone (path);
}

/**
 * reeve_subject_shares_exists:
 * @folder: of keys
 * @scope: a tenant
 * @subject: of whom
 * @generation: which one
 *
 * Returns: whether there is anything of it: the half, whole or not, or that it was destroyed
 */
gboolean
reeve_subject_shares_exists (const char *folder, const char *scope, const char *subject,
                             guint generation)
{
  g_autofree char *path = reeve_subject_shares_get_path (folder, scope, subject, generation);

  return g_file_test (path, G_FILE_TEST_EXISTS) || reeve_subject_shares_has_tombstone (path);
}

static gboolean
reeve_subject_shares_read (const char *path, guint8 share[REEVE_SUBJECT_SHARES_SIZE],
                           GError **error)
{
  static const guint8 zeros[REEVE_SUBJECT_SHARES_SIZE] = { 0 };
  g_autoptr (GError) local = NULL;
  g_autoptr (GBytes) bytes = reeve_key_folder_read (path, REEVE_SUBJECT_SHARES_SIZE, &local);
  gsize size = 0;
  gconstpointer data = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;

  if (size == REEVE_SUBJECT_SHARES_SIZE && memcmp (data, zeros, sizeof zeros) != 0)
    {
      memcpy (share, data, REEVE_SUBJECT_SHARES_SIZE);
      explicit_bzero ((gpointer) data, size);
      return TRUE;
    }
  /* looked at last: whoever destroys it in this moment has said so before */
  if (reeve_subject_shares_has_tombstone (path))
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "%s: was destroyed", path);
  else if (local != NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                 "half of a key cannot be read and was never erased: %s: %s", local->message,
                 REEVE_SUBJECT_SHARES_REMEDY);
  else
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                 "half of a key is damaged and was never erased: %s: %s: %s", path,
                 size == REEVE_SUBJECT_SHARES_SIZE ? "nothing but zeros" : "not 32 bytes",
                 REEVE_SUBJECT_SHARES_REMEDY);
  return FALSE;
}

/**
 * reeve_subject_shares_load:
 * @folder: of keys
 * @scope: a tenant
 * @subject: of whom
 * @generation: which one
 * @share: (out caller-allocates): the half
 * @error: return location
 *
 * For a generation that was made.
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND when it was destroyed, %REEVE_ERROR_CORRUPT when it
 * was not and is not whole
 */
gboolean
reeve_subject_shares_load (const char *folder, const char *scope, const char *subject,
                           guint generation, guint8 share[REEVE_SUBJECT_SHARES_SIZE],
                           GError **error)
{
  g_autofree char *path = NULL;

  if (!reeve_subject_shares_check (scope, error))
    return FALSE;
  path = reeve_subject_shares_get_path (folder, scope, subject, generation);
  if (!reeve_subject_shares_has_tombstone (path))
    return reeve_subject_shares_read (path, share, error);
  /* a crash may have left it */
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "%s: was destroyed", path);
  return FALSE;
}

static gboolean
reeve_subject_shares_make_folder (const char *folder, const char *scope, GError **error)
{
  g_autofree char *above = g_build_filename (folder, REEVE_SUBJECT_SHARES_FOLDER, NULL);
  g_autofree char *below = reeve_subject_shares_get_folder (folder, scope);

  return reeve_key_folder_make (above, error) && reeve_key_folder_make (below, error);
}

/**
 * reeve_subject_shares_make:
 * @folder: of keys
 * @scope: a tenant
 * @subject: of whom
 * @generation: which one
 * @share: (out caller-allocates): the half
 * @found: (out): it was there already
 * @error: return location
 *
 * Two who make it at once get the same one.
 *
 * Returns: %FALSE as reeve_subject_shares_load(), or with an error of the file
 */
gboolean
reeve_subject_shares_make (const char *folder, const char *scope, const char *subject,
                           guint generation, guint8 share[REEVE_SUBJECT_SHARES_SIZE],
                           gboolean *found, GError **error)
{
  g_autofree char *path = NULL;
  guint8 random[REEVE_SUBJECT_SHARES_SIZE];
  g_autoptr (GError) local = NULL;
  gboolean made = FALSE;

  *found = FALSE;
  if (!reeve_subject_shares_check (scope, error)
      || !reeve_subject_shares_make_folder (folder, scope, error))
    return FALSE;
  path = reeve_subject_shares_get_path (folder, scope, subject, generation);
  if (reeve_subject_shares_has_tombstone (path))
    return reeve_subject_shares_load (folder, scope, subject, generation, share, error);
  reeve_ids_fill_random (random, sizeof random);
  made = reeve_key_folder_create (path, random, sizeof random, &local);
  if (made)
    memcpy (share, random, sizeof random);
  explicit_bzero (random, sizeof random);
  if (made)
    return TRUE;
  *found = g_error_matches (local, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS);
  if (*found)
    return reeve_subject_shares_load (folder, scope, subject, generation, share, error);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/* What a crash in the making left beside it is another name of the same bytes, and goes first: a
 * file with two names is not overwritten. */
static gboolean
reeve_subject_shares_shred (const char *path, GError **error)
{
  g_autofree char *beside = g_strconcat (path, ".new", NULL);

  return reeve_key_folder_shred (beside, error) && reeve_key_folder_shred (path, error);
}

/* Durable: from now on it counts as destroyed, whatever becomes of it. */
static gboolean
reeve_subject_shares_bury (const char *path, GError **error)
{
  g_autofree char *tombstone = g_strconcat (path, REEVE_SUBJECT_SHARES_ERASED, NULL);
  g_autofree char *above = g_path_get_dirname (path);
  g_autoptr (GError) local = NULL;

  if (reeve_key_folder_create (tombstone, "", 0, &local))
    return TRUE;
  /* by one who may not have come to make its name durable */
  if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS))
    return reeve_key_folder_sync (above, error);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/**
 * reeve_subject_shares_destroy:
 * @folder: of keys
 * @scope: a tenant
 * @subject: of whom
 * @generation: which one
 * @error: return location
 *
 * What was sealed by the key that it is half of cannot be read again. Idempotent.
 *
 * Returns: %FALSE with an error; it is to be tried again then
 */
gboolean
reeve_subject_shares_destroy (const char *folder, const char *scope, const char *subject,
                              guint generation, GError **error)
{
  g_autofree char *path = NULL;

  if (!reeve_subject_shares_check (scope, error)
      || !reeve_subject_shares_make_folder (folder, scope, error))
    return FALSE;
  path = reeve_subject_shares_get_path (folder, scope, subject, generation);
  return reeve_subject_shares_bury (path, error) && reeve_subject_shares_shred (path, error);
}

/* What a crash left behind its tombstone. */
static gboolean
reeve_subject_shares_recover_scope (const char *below, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (below, 0, NULL);
  gboolean ok = TRUE;

  for (const char *name = dir != NULL ? g_dir_read_name (dir) : NULL; ok && name != NULL;
       name = g_dir_read_name (dir))
    {
      g_autofree char *path = NULL;

      if (!g_str_has_suffix (name, REEVE_SUBJECT_SHARES_ERASED))
        continue;
      path = g_strdup_printf ("%s/%.*s", below,
                              (int) (strlen (name) - strlen (REEVE_SUBJECT_SHARES_ERASED)), name);
      ok = reeve_subject_shares_shred (path, error);
    }
  return ok;
}

/**
 * reeve_subject_shares_recover:
 * @folder: of keys
 * @error: return location
 *
 * At the start: destroys what an erasure that was cut off had said it would.
 *
 * Returns: %FALSE with an error of a file
 */
gboolean
reeve_subject_shares_recover (const char *folder, GError **error)
{
  g_autofree char *above = g_build_filename (folder, REEVE_SUBJECT_SHARES_FOLDER, NULL);
  g_autoptr (GDir) dir = g_dir_open (above, 0, NULL);

  for (const char *name = dir != NULL ? g_dir_read_name (dir) : NULL; name != NULL;
       name = g_dir_read_name (dir))
    {
      g_autofree char *below = g_build_filename (above, name, NULL);

      if (!reeve_subject_shares_recover_scope (below, error))
        {
          g_prefix_error (error, "ending an erasure: ");
          return FALSE;
        }
    }
  return TRUE;
}

/**
 * reeve_subject_shares_destroy_scope:
 * @folder: of keys
 * @scope: a tenant that is erased
 * @error: return location
 *
 * Returns: %FALSE with an error; it is to be tried again then
 */
gboolean
reeve_subject_shares_destroy_scope (const char *folder, const char *scope, GError **error)
{
  g_autofree char *below = NULL;
  g_autoptr (GDir) dir = NULL;

  if (!reeve_subject_shares_check (scope, error))
    return FALSE;
  below = reeve_subject_shares_get_folder (folder, scope);
  if (!reeve_key_folder_clean (below, error))
    return FALSE;
  dir = g_dir_open (below, 0, NULL);
  for (const char *name = dir != NULL ? g_dir_read_name (dir) : NULL; name != NULL;
       name = g_dir_read_name (dir))
    {
      g_autofree char *path = g_build_filename (below, name, NULL);

      if (!reeve_key_folder_shred (path, error))
        return FALSE;
    }
  if (dir == NULL || rmdir (below) == 0 || errno == ENOENT)
    return TRUE;
  reeve_key_folder_set_error (error, errno, "removing", below);
  return FALSE;
}
