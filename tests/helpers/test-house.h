/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A state folder with one tenant: its store and its ledger, opened and closed as a host does. */
#pragma once

#include "governance/ledger.h"
#include "store/store.h"

#include "sqlite-storage.h"

#define TEST_HOUSE_TENANT "acme"

typedef struct
{
  ReeveStore *store;
  ReeveLedger *ledger;
  char *keys; /* the folder of keys */
} TestHouse;

/* @segment: how large a file of the ledger is; 0: as usual */
static inline void
test_house_open (TestHouse *house, const char *state, guint64 segment)
{
  g_autoptr (ReeveStorage) storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  g_autofree char *store = g_build_filename (state, "store", NULL);
  g_autofree char *ledger = g_build_filename (state, "ledger", NULL);
  g_autoptr (GError) error = NULL;

  house->keys = g_build_filename (state, "keys", NULL);
  house->store = reeve_store_new (storage);
  reeve_store_open (house->store, store, &error);
  g_assert_no_error (error);
  if (!reeve_store_has_scope (house->store, TEST_HOUSE_TENANT))
    g_assert_true (reeve_store_create_scope (house->store, TEST_HOUSE_TENANT, NULL));
  house->ledger = reeve_ledger_new (ledger, house->keys);
  if (segment > 0)
    reeve_ledger_set_segment_size (house->ledger, segment);
  reeve_ledger_open (house->ledger, &error);
  g_assert_no_error (error);
}

/* What works with them is gone by then. */
static inline void
test_house_close (TestHouse *house)
{
  reeve_ledger_close (house->ledger);
  g_object_unref (house->ledger);
  reeve_store_close (house->store);
  g_object_unref (house->store);
  g_free (house->keys);
}
