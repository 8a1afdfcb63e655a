/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A storage with sealed stores in a folder of its own. A batch holds its number in a counter, a
 * stream, a record, a blob and a text, so that a half one is seen. */
#include "sealed-store.h"

#include "test-tree.h"

#include <string.h>

static const ReeveStep sealed_store_steps[] = {
  { REEVE_STEP_COLLECTION, "things",
    (const ReeveField[]){ { "n", REEVE_FIELD_INT }, { NULL, REEVE_FIELD_TEXT } } },
  { REEVE_STEP_TEXT, "notes", NULL },
  { REEVE_STEP_TEXT, NULL, NULL },
};
static const ReeveMigration sealed_store_migrations[]
    = { { 1, "things", sealed_store_steps }, { 0, NULL, NULL } };

const ReeveMigration *
sealed_store_get_migrations (void)
{
  return sealed_store_migrations;
}

gboolean
sealed_store_try_open (SealedStore *self, gboolean with_keys, GError **error)
{
  self->storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  if (with_keys)
    g_assert_true (reeve_storage_set_keys (self->storage, REEVE_STORAGE_KEYS (self->keys), error));
  if (reeve_storage_open (self->storage, self->folder, sealed_store_migrations,
                          sealed_store_migrations, error))
    return TRUE;
  g_clear_object (&self->storage);
  return FALSE;
}

void
sealed_store_open (SealedStore *self)
{
  g_autoptr (GError) error = NULL;

  sealed_store_try_open (self, TRUE, &error);
  g_assert_no_error (error);
}

void
sealed_store_close (SealedStore *self)
{
  if (self->storage != NULL)
    reeve_storage_close (self->storage);
  g_clear_object (&self->storage);
}

void
sealed_store_set_up (SealedStore *self)
{
  g_autoptr (GError) error = NULL;

  self->folder = test_tree_make_quick ();
  self->file = g_build_filename (self->folder, "tenants", "acme.db", NULL);
  self->keys = test_keys_new (NULL);
  sealed_store_open (self);
  g_assert_true (reeve_storage_create_scope (self->storage, "acme", &error));
  g_assert_no_error (error);
}

void
sealed_store_tear_down (SealedStore *self)
{
  sealed_store_close (self);
  test_tree_remove (self->folder);
  g_clear_object (&self->keys);
  g_clear_pointer (&self->folder, g_free);
  g_clear_pointer (&self->file, g_free);
}

gboolean
sealed_store_write (SealedStore *self, GError **error)
{
  gint64 n = self->number + 1;
  g_autoptr (ReeveBatch) batch = reeve_batch_new ("acme");
  g_autoptr (JsonObject) object = json_object_new ();
  g_autofree char *id = g_strdup_printf ("%" G_GINT64_FORMAT, n);
  g_autofree char *filler = g_strnfill (300 + (gsize) (n * 37 % 2000), 'f');
  g_autofree char *text = g_strconcat (SEALED_STORE_WORD " ", id, " ", filler, NULL);
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  g_autoptr (ReeveBatchResult) result = NULL;

  json_object_set_int_member (object, "n", n);
  reeve_batch_count (batch, "n", 1, 0, G_MAXINT64);
  reeve_batch_append (batch, "stream", bytes, n);
  reeve_batch_put (batch, "things", id, object, REEVE_REVISION_ABSENT);
  reeve_batch_blob_put (batch, "last", bytes);
  reeve_batch_text_put (batch, "notes", id, "1", NULL, text, NULL);
  result = reeve_storage_commit (self->storage, batch, error);
  if (result == NULL)
    return FALSE;
  self->number = n;
  return TRUE;
}

void
sealed_store_write_many (SealedStore *self, guint batches)
{
  for (guint i = 0; i < batches; i++)
    {
      g_autoptr (GError) error = NULL;

      sealed_store_write (self, &error);
      g_assert_no_error (error);
    }
}

void
sealed_store_check (SealedStore *self, gint64 number)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) entries
      = reeve_storage_read_stream (self->storage, "acme", "stream", 0, G_MAXUINT, &error);
  g_autofree char *id = g_strdup_printf ("%" G_GINT64_FORMAT, number);
  const char *groups[] = { id, NULL };
  gint64 value = 0;

  g_assert_no_error (error);
  g_assert_cmpint (entries->len, ==, number);
  g_assert_true (reeve_storage_get_counter (self->storage, "acme", "n", &value, &error));
  g_assert_cmpint (value, ==, number);
  if (number > 0)
    {
      g_autoptr (ReeveRecord) record
          = reeve_storage_get (self->storage, "acme", "things", id, &error);
      g_autoptr (GPtrArray) hits = reeve_storage_search_text (
          self->storage, "acme", "notes", SEALED_STORE_WORD, groups, 10, NULL, &error);
      g_autoptr (GBytes) blob = reeve_storage_get_blob (self->storage, "acme", "last", &error);
      const ReeveStreamEntry *last = g_ptr_array_index (entries, number - 1);

      g_assert_no_error (error);
      g_assert_nonnull (record);
      g_assert_cmpuint (hits->len, ==, 1);
      g_assert_true (g_bytes_equal (blob, last->payload));
    }
}

GError *
sealed_store_refuse (SealedStore *self)
{
  g_autoptr (GError) error = NULL;
  gint64 value = 0;

  g_assert_false (reeve_storage_get_counter (self->storage, "acme", "n", &value, &error));
  g_assert_nonnull (error);
  return g_steal_pointer (&error);
}

void
sealed_store_get_protection (SealedStore *self, ReeveStorageProtection *protection)
{
  g_autoptr (GError) error = NULL;

  reeve_storage_get_protection (self->storage, "acme", protection, &error);
  g_assert_no_error (error);
}

char *
sealed_store_sum (SealedStore *self)
{
  static const char *const suffixes[] = { "", "-wal", "-journal", ".copy", ".new" };
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);

  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++)
    {
      g_autofree char *path = g_strconcat (self->file, suffixes[i], NULL);
      g_autofree char *bytes = NULL;
      gsize length = 0;

      g_checksum_update (sum, (const guchar *) suffixes[i], -1);
      if (g_file_get_contents (path, &bytes, &length, NULL))
        g_checksum_update (sum, (const guchar *) bytes, (gssize) length);
    }
  return g_strdup (g_checksum_get_string (sum));
}
