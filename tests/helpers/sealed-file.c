/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A sealed SQLite file through the product's file layer alone. Keys are computed, so that a copy of
 * the file opens with a keyring of its own. */
#include "sealed-file.h"

#include "test-tree.h"

#include <fcntl.h>
#include <unistd.h>

static void
sealed_file_begin (SealedFile *self)
{
  g_autoptr (GError) error = NULL;

  self->keyring = sqlite_keyring_new (REEVE_STORAGE_KEYS (self->keys), "acme", &error);
  g_assert_no_error (error);
  self->vfs = sqlite_vfs_new (TRUE, &error);
  g_assert_no_error (error);
  self->node = sqlite_vfs_add_file (self->vfs, self->path, self->keyring);
}

static void
sealed_file_end (SealedFile *self)
{
  g_clear_pointer (&self->node, sqlite_node_unref);
  g_assert_cmpuint (sqlite_vfs_get_open_files (self->vfs), ==, 0);
  g_clear_pointer (&self->vfs, sqlite_vfs_free);
  g_clear_pointer (&self->keyring, sqlite_keyring_unref);
}

void
sealed_file_set_up (SealedFile *self)
{
  self->folder = test_tree_make_quick ();
  self->path = g_build_filename (self->folder, "file.db", NULL);
  self->keys = test_keys_new (NULL);
  sealed_file_begin (self);
}

void
sealed_file_tear_down (SealedFile *self)
{
  sealed_file_end (self);
  test_tree_remove (self->folder);
  g_clear_object (&self->keys);
  g_clear_pointer (&self->path, g_free);
  g_clear_pointer (&self->folder, g_free);
}

void
sealed_file_forget (SealedFile *self)
{
  sealed_file_end (self);
  sealed_file_begin (self);
}

static SqliteConnection *
sealed_file_connect (SealedFile *self, SqliteConnectionMode mode)
{
  g_autoptr (GError) error = NULL;
  SqliteConnection *connection = sqlite_connection_new (self->vfs, self->path, mode, &error);

  g_assert_no_error (error);
  return connection;
}

SqliteConnection *
sealed_file_create (SealedFile *self)
{
  return sealed_file_connect (self, SQLITE_CONNECTION_CREATE);
}

SqliteConnection *
sealed_file_open (SealedFile *self)
{
  return sealed_file_connect (self, SQLITE_CONNECTION_OPEN);
}

void
sealed_file_exec (SqliteConnection *connection, const char *sql)
{
  g_autoptr (GError) error = NULL;

  sqlite_connection_exec (connection, sql, &error);
  g_assert_no_error (error);
}

gint64
sealed_file_get_int (SqliteConnection *connection, const char *sql)
{
  g_autoptr (GError) error = NULL;
  gint64 value = 0;

  sqlite_connection_get_int (connection, sql, &value, &error);
  g_assert_no_error (error);
  return value;
}

static void
sealed_file_copy_one (const char *from, const char *to, const char *suffix)
{
  g_autofree char *source = g_strconcat (from, suffix, NULL);
  g_autofree char *target = g_strconcat (to, suffix, NULL);

  if (g_file_test (source, G_FILE_TEST_EXISTS))
    test_tree_copy (source, target);
  else
    (void) g_remove (target);
}

void
sealed_file_copy (SealedFile *from, SealedFile *to)
{
  sealed_file_forget (to);
  sealed_file_copy_one (from->path, to->path, "");
  sealed_file_copy_one (from->path, to->path, "-wal");
  sealed_file_copy_one (from->path, to->path, "-journal");
}

/* one bit of that byte, from the end where @offset is negative */
void
sealed_file_flip (const char *path, gint64 offset)
{
  int fd = open (path, O_RDWR | O_CLOEXEC);
  gint64 at = offset < 0 ? sealed_file_get_size (path) + offset : offset;
  guint8 byte = 0;

  g_assert_cmpint (pread (fd, &byte, 1, at), ==, 1);
  byte ^= 0x10;
  g_assert_cmpint (pwrite (fd, &byte, 1, at), ==, 1);
  close (fd);
}

gint64
sealed_file_get_size (const char *path)
{
  GStatBuf info = { 0 };

  return g_stat (path, &info) == 0 ? (gint64) info.st_size : -1;
}
