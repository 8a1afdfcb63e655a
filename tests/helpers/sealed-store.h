/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A storage with sealed stores in a folder of its own, with one tenant, acme. */
#pragma once

#include "sqlite-storage.h"
#include "test-keys.h"

G_BEGIN_DECLS

/* stands in every record and text */
#define SEALED_STORE_WORD "conspicuous"

typedef struct
{
  char *folder;
  char *file; /* of acme */
  TestKeys *keys;
  ReeveStorage *storage;
  gint64 number; /* of the last batch */
} SealedStore;

void sealed_store_set_up (SealedStore *self);
void sealed_store_tear_down (SealedStore *self);
gboolean sealed_store_try_open (SealedStore *self, gboolean with_keys, GError **error);
void sealed_store_open (SealedStore *self);
void sealed_store_close (SealedStore *self);
/* a batch of records, entries, blob and text that belong together */
gboolean sealed_store_write (SealedStore *self, GError **error);
void sealed_store_write_many (SealedStore *self, guint batches);
/* all batches up to @number are there, whole */
void sealed_store_check (SealedStore *self, gint64 number);
/* reading from acme fails: its error */
GError *sealed_store_refuse (SealedStore *self);
void sealed_store_get_protection (SealedStore *self, ReeveStorageProtection *protection);
/* a sum of all files of the tenant but its lock */
char *sealed_store_sum (SealedStore *self);
const ReeveMigration *sealed_store_get_migrations (void);

G_END_DECLS
