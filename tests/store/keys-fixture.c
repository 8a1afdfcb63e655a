/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A folder of keys. */
#include "keys-fixture.h"

#include <glib/gstdio.h>

void
keys_fixture_open (KeysFixture *fixture)
{
  g_autoptr (GError) error = NULL;

  fixture->keys = reeve_store_keys_open (fixture->folder, fixture->master, &error);
  g_assert_no_error (error);
}

void
keys_fixture_set_up (KeysFixture *fixture, gconstpointer data)
{
  /* in memory where that can be had: each small file is synced several times */
  fixture->top = g_strdup ("/dev/shm/reeve-keys-XXXXXX");
  if (g_mkdtemp (fixture->top) == NULL)
    {
      g_free (fixture->top);
      fixture->top = g_dir_make_tmp ("reeve-keys-XXXXXX", NULL);
    }
  fixture->folder = g_build_filename (fixture->top, "keys", NULL);
  fixture->master = reeve_master_key_new_random ();
  keys_fixture_open (fixture);
}

static void
keys_fixture_remove (const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);

  for (const char *name = folder != NULL ? g_dir_read_name (folder) : NULL; name != NULL;
       name = g_dir_read_name (folder))
    {
      g_autofree char *inner = g_build_filename (path, name, NULL);

      keys_fixture_remove (inner);
    }
  g_assert_cmpint (g_remove (path), ==, 0);
}

void
keys_fixture_tear_down (KeysFixture *fixture, gconstpointer data)
{
  g_clear_object (&fixture->keys);
  reeve_master_key_unref (fixture->master);
  keys_fixture_remove (fixture->top);
  g_free (fixture->folder);
  g_free (fixture->top);
}

void
keys_fixture_reopen (KeysFixture *fixture)
{
  g_clear_object (&fixture->keys);
  keys_fixture_open (fixture);
}

ReeveStorageKey
keys_fixture_get_current (KeysFixture *fixture, const char *scope)
{
  g_autoptr (GError) error = NULL;
  ReeveStorageKey key = { 0 };

  g_assert_true (
      reeve_storage_keys_get_current (REEVE_STORAGE_KEYS (fixture->keys), scope, &key, &error));
  g_assert_no_error (error);
  return key;
}

void
keys_fixture_assert_same (const ReeveStorageKey *a, const ReeveStorageKey *b)
{
  g_assert_cmpuint (a->id, ==, b->id);
  g_assert_cmpmem (a->bytes, sizeof a->bytes, b->bytes, sizeof b->bytes);
}

char *
keys_fixture_read (KeysFixture *fixture, const char *name, gsize *length)
{
  g_autofree char *path = g_build_filename (fixture->folder, name, NULL);
  char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, length, NULL));
  return text;
}

void
keys_fixture_write (KeysFixture *fixture, const char *name, const char *text, gsize length)
{
  g_autofree char *path = g_build_filename (fixture->folder, name, NULL);

  /* no sync, and no half-new file where a shorter text is written */
  (void) g_unlink (path);
  g_assert_true (
      g_file_set_contents_full (path, text, (gssize) length, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

gboolean
keys_fixture_has (KeysFixture *fixture, const char *name)
{
  g_autofree char *path = g_build_filename (fixture->folder, name, NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

void
keys_fixture_set_mark (KeysFixture *fixture, const char *scope, guint64 sequence, gboolean durable)
{
  ReeveStorageMark mark = { .salt = { 1, 2, 3 }, .sequence = sequence };
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_storage_keys_write_mark (REEVE_STORAGE_KEYS (fixture->keys), scope, &mark,
                                                durable, &error));
  g_assert_no_error (error);
}

guint64
keys_fixture_get_mark (KeysFixture *fixture, const char *scope)
{
  ReeveStorageMark mark = { 0 };

  g_assert_true (
      reeve_storage_keys_read_mark (REEVE_STORAGE_KEYS (fixture->keys), scope, &mark, NULL));
  return mark.sequence;
}
