/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cache of open stores: any number of scopes costs what a few hundred do. */
#pragma once

#include "sqlite-store.h"

G_BEGIN_DECLS

typedef struct _SqliteCache SqliteCache;

SqliteCache *sqlite_cache_new (const char *path, SqliteVfs *vfs, const SqliteStoreKind *platform,
                               const SqliteStoreKind *tenant, guint max_open);
void sqlite_cache_free (SqliteCache *self);

SqliteStore *sqlite_cache_acquire (SqliteCache *self, const char *scope, GError **error);
void sqlite_cache_release (SqliteCache *self, const char *scope);
void sqlite_cache_seize (SqliteCache *self, const char *scope);
void sqlite_cache_unseize (SqliteCache *self, const char *scope);
void sqlite_cache_pin_number (SqliteCache *self, const char *scope, guint number);
void sqlite_cache_close_idle (SqliteCache *self, gint64 idle_us);

char *sqlite_cache_get_file (SqliteCache *self, const char *scope);
const SqliteStoreKind *sqlite_cache_get_kind (SqliteCache *self, const char *scope);
guint sqlite_cache_get_open (SqliteCache *self);
void sqlite_cache_show (SqliteCache *self, ReeveStorageCache *cache);

G_END_DECLS
