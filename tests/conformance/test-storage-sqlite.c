/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storage-sqlite against the storage suite. */
#include "sqlite-storage.h"
#include "storage-suite.h"

static ReeveStorage *
make (gpointer data, GError **error)
{
  return g_object_new (SQLITE_TYPE_STORAGE, NULL);
}

int
main (int argc, char **argv)
{
  const StorageSuiteFactory factory = { make, NULL, TRUE };

  g_test_init (&argc, &argv, NULL);
  storage_suite_add ("storage-sqlite", &factory);
  return g_test_run ();
}
