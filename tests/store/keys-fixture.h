/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A folder of keys of its own for each test. */
#pragma once

#include "store/store-keys.h"

G_BEGIN_DECLS

typedef struct
{
  char *folder; /* of keys */
  char *top;
  ReeveMasterKey *master;
  ReeveStoreKeys *keys;
} KeysFixture;

void keys_fixture_open (KeysFixture *fixture);
void keys_fixture_set_up (KeysFixture *fixture, gconstpointer data);
void keys_fixture_tear_down (KeysFixture *fixture, gconstpointer data);
void keys_fixture_reopen (KeysFixture *fixture);
ReeveStorageKey keys_fixture_get_current (KeysFixture *fixture, const char *scope);
void keys_fixture_assert_same (const ReeveStorageKey *a, const ReeveStorageKey *b);
char *keys_fixture_read (KeysFixture *fixture, const char *name, gsize *length);
void keys_fixture_write (KeysFixture *fixture, const char *name, const char *text, gsize length);
gboolean keys_fixture_has (KeysFixture *fixture, const char *name);
void keys_fixture_set_mark (KeysFixture *fixture, const char *scope, guint64 sequence,
                            gboolean durable);
guint64 keys_fixture_get_mark (KeysFixture *fixture, const char *scope);

G_END_DECLS
