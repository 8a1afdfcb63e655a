/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* storage-memory against the storage suite. */
#include "memory-storage.h"
#include "storage-suite.h"

static ReeveStorage *
make (gpointer data, GError **error)
{
  return g_object_new (MEMORY_TYPE_STORAGE, NULL);
}

int
main (int argc, char **argv)
{
  const StorageSuiteFactory factory = { make, NULL, FALSE, NULL };

  g_test_init (&argc, &argv, NULL);
  storage_suite_add ("storage-memory", &factory);
  return g_test_run ();
}
