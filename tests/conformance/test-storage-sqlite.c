/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storage-sqlite against the storage suite. */
#include "sqlite-storage.h"
#include "storage-suite.h"

#include "../helpers/test-keys.h"

static ReeveStorage *
make (gpointer data, GError **error)
{
  return g_object_new (SQLITE_TYPE_STORAGE, NULL);
}

/* a storage whose stores are sealed by the keys at @data, which outlive it as a host's do */
static ReeveStorage *
make_sealed (gpointer data, GError **error)
{
  g_autoptr (ReeveStorage) storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  TestKeys **keys = data;

  return reeve_storage_set_keys (storage, REEVE_STORAGE_KEYS (*keys), error)
             ? g_steal_pointer (&storage)
             : NULL;
}

static void
renew_keys (gpointer data)
{
  TestKeys **keys = data;

  g_clear_object (keys);
  *keys = test_keys_new (NULL);
}

int
main (int argc, char **argv)
{
  g_autoptr (TestKeys) keys = NULL;
  const StorageSuiteFactory factory = { make, NULL, TRUE, NULL };
  const StorageSuiteFactory sealed = { make_sealed, &keys, TRUE, renew_keys };

  g_test_init (&argc, &argv, NULL);
  storage_suite_add ("storage-sqlite", &factory);
  storage_suite_add ("storage-sqlite-sealed", &sealed);
  return g_test_run ();
}
