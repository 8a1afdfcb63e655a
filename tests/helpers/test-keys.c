/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveStorageKeys for tests. The record of a scope is one struct, written in place in one call
 * when it lies in a file, as a host would write a mark that has to outlive its process. */
#include "test-keys.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  guint32 first; /* keys from here to @last are there; 0: none yet */
  guint32 last;
  guint32 durable;    /* how often a mark was to be on disk at once */
  guint32 generation; /* of the keys: destroyed ones do not come back */
  ReeveStorageMark mark;
} TestKeysRecord;

struct _TestKeys
{
  GObject parent_instance;

  GMutex mutex;
  char *folder;
  GHashTable *records; /* scope -> TestKeysRecord */
  gboolean wrong;
  gboolean failing;
  TestKeysStep step;
  gpointer step_data;
};

static void test_keys_iface_init (ReeveStorageKeysInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TestKeys, test_keys, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_STORAGE_KEYS,
                                                      test_keys_iface_init))

/* the lock is held */
static TestKeysRecord *
test_keys_find (TestKeys *self, const char *scope)
{
  TestKeysRecord *record = g_hash_table_lookup (self->records, scope);
  g_autofree char *path = NULL;
  int fd = -1;

  if (record != NULL)
    return record;
  record = g_new0 (TestKeysRecord, 1);
  g_hash_table_insert (self->records, g_strdup (scope), record);
  if (self->folder == NULL)
    return record;
  path = g_build_filename (self->folder, scope, NULL);
  fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd >= 0 && pread (fd, record, sizeof *record, 0) != sizeof *record)
    memset (record, 0, sizeof *record);
  if (fd >= 0)
    close (fd);
  return record;
}

/* the lock is held */
static void
test_keys_save (TestKeys *self, const char *scope, const TestKeysRecord *record)
{
  g_autofree char *path = NULL;
  int fd = -1;

  if (self->folder == NULL)
    return;
  path = g_build_filename (self->folder, scope, NULL);
  fd = open (path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (pwrite (fd, record, sizeof *record, 0), ==, sizeof *record);
  close (fd);
}

static void
test_keys_take_step (TestKeys *self)
{
  if (self->step != NULL)
    self->step (self->step_data);
}

static gboolean
test_keys_may_change (TestKeys *self, GError **error)
{
  test_keys_take_step (self);
  if (!self->failing)
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_FAILED, "the keys cannot be written");
  return FALSE;
}

static void
test_keys_compute (TestKeys *self, const char *scope, const TestKeysRecord *record, guint32 id,
                   ReeveStorageKey *key)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree char *text
      = g_strdup_printf ("%s %u %u %d", scope, id, record->generation, self->wrong);
  gsize length = sizeof key->bytes;

  g_checksum_update (sum, (const guchar *) text, -1);
  key->id = id;
  g_checksum_get_digest (sum, key->bytes, &length);
}

static gboolean
test_keys_get_current (ReeveStorageKeys *keys, const char *scope, ReeveStorageKey *key,
                       GError **error)
{
  TestKeys *self = TEST_KEYS (keys);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  TestKeysRecord *record = test_keys_find (self, scope);

  if (record->last == 0)
    {
      record->first = 1;
      record->last = 1;
      test_keys_save (self, scope, record);
    }
  test_keys_compute (self, scope, record, record->last, key);
  return TRUE;
}

static gboolean
test_keys_get (ReeveStorageKeys *keys, const char *scope, guint32 id, ReeveStorageKey *key,
               GError **error)
{
  TestKeys *self = TEST_KEYS (keys);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  TestKeysRecord *record = test_keys_find (self, scope);

  if (id == 0 || id < record->first || id > record->last)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no key %u", id);
      return FALSE;
    }
  test_keys_compute (self, scope, record, id, key);
  return TRUE;
}

static gboolean
test_keys_add (ReeveStorageKeys *keys, const char *scope, ReeveStorageKey *key, GError **error)
{
  TestKeys *self = TEST_KEYS (keys);
  TestKeysRecord *record = NULL;

  if (!test_keys_may_change (self, error))
    return FALSE;
  g_mutex_lock (&self->mutex);
  record = test_keys_find (self, scope);
  record->first = MAX (record->first, 1);
  record->last++;
  test_keys_save (self, scope, record);
  test_keys_compute (self, scope, record, record->last, key);
  g_mutex_unlock (&self->mutex);
  test_keys_take_step (self);
  return TRUE;
}

static gboolean
test_keys_drop (ReeveStorageKeys *keys, const char *scope, guint32 keep, GError **error)
{
  TestKeys *self = TEST_KEYS (keys);
  TestKeysRecord *record = NULL;
  gboolean dropped = FALSE;

  if (!test_keys_may_change (self, error))
    return FALSE;
  g_mutex_lock (&self->mutex);
  record = test_keys_find (self, scope);
  dropped = keep == record->last;
  if (dropped)
    record->first = keep;
  test_keys_save (self, scope, record);
  g_mutex_unlock (&self->mutex);
  if (!dropped)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no key %u to keep", keep);
  test_keys_take_step (self);
  return dropped;
}

static gboolean
test_keys_read_mark (ReeveStorageKeys *keys, const char *scope, ReeveStorageMark *mark,
                     GError **error)
{
  test_keys_get_mark (TEST_KEYS (keys), scope, mark);
  return TRUE;
}

static gboolean
test_keys_write_mark (ReeveStorageKeys *keys, const char *scope, const ReeveStorageMark *mark,
                      gboolean durable, GError **error)
{
  TestKeys *self = TEST_KEYS (keys);
  TestKeysRecord *record = NULL;

  if (!test_keys_may_change (self, error))
    return FALSE;
  g_mutex_lock (&self->mutex);
  record = test_keys_find (self, scope);
  record->mark = *mark;
  record->durable += durable ? 1 : 0;
  test_keys_save (self, scope, record);
  g_mutex_unlock (&self->mutex);
  test_keys_take_step (self);
  return TRUE;
}

static void
test_keys_iface_init (ReeveStorageKeysInterface *iface)
{
  iface->get_current = test_keys_get_current;
  iface->get = test_keys_get;
  iface->add = test_keys_add;
  iface->drop = test_keys_drop;
  iface->read_mark = test_keys_read_mark;
  iface->write_mark = test_keys_write_mark;
}

static void
test_keys_finalize (GObject *object)
{
  TestKeys *self = TEST_KEYS (object);

  g_hash_table_unref (self->records);
  g_free (self->folder);
  g_mutex_clear (&self->mutex);
  G_OBJECT_CLASS (test_keys_parent_class)->finalize (object);
}

static void
test_keys_class_init (TestKeysClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_keys_finalize;
}

static void
test_keys_init (TestKeys *self)
{
  g_mutex_init (&self->mutex);
  self->records = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

/* @folder: (nullable): where records lie; it exists */
TestKeys *
test_keys_new (const char *folder)
{
  TestKeys *self = g_object_new (TEST_TYPE_KEYS, NULL);

  self->folder = g_strdup (folder);
  return self;
}

void
test_keys_set_wrong (TestKeys *self, gboolean wrong)
{
  self->wrong = wrong;
}

void
test_keys_set_failing (TestKeys *self, gboolean failing)
{
  self->failing = failing;
}

void
test_keys_set_step (TestKeys *self, TestKeysStep step, gpointer data)
{
  self->step = step;
  self->step_data = data;
}

void
test_keys_destroy (TestKeys *self, const char *scope)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  TestKeysRecord *record = test_keys_find (self, scope);
  const TestKeysRecord none = { .generation = record->generation + 1 };

  *record = none;
  test_keys_save (self, scope, record);
}

void
test_keys_set_mark (TestKeys *self, const char *scope, const ReeveStorageMark *mark)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  TestKeysRecord *record = test_keys_find (self, scope);

  record->mark = *mark;
  test_keys_save (self, scope, record);
}

void
test_keys_get_mark (TestKeys *self, const char *scope, ReeveStorageMark *mark)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  *mark = test_keys_find (self, scope)->mark;
}

/* how often a mark was to be on disk at once */
guint
test_keys_get_durable (TestKeys *self, const char *scope)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);

  return test_keys_find (self, scope)->durable;
}
