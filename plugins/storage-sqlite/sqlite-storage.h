/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SqliteStorage: a store file for the platform and one for each tenant. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define SQLITE_TYPE_STORAGE (sqlite_storage_get_type ())
G_DECLARE_FINAL_TYPE (SqliteStorage, sqlite_storage, SQLITE, STORAGE, ReevePlugin)

/* What tests and benchmarks look at. */
typedef struct
{
  guint open_stores;
  guint open_files;
  guint64 batches;
  guint64 transactions;
} SqliteStorageStatus;

/* A key seals that often, then there is a new one. Before it is opened; for tests. */
void sqlite_storage_set_seal_limit (SqliteStorage *self, guint64 seals);
void sqlite_storage_get_status (SqliteStorage *self, SqliteStorageStatus *status);

G_END_DECLS
