/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The data keys of one scope while its store is open, and how often the current one sealed. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* A key may seal 2^32 pages before random nonces could meet; half of that, and a new one is due. */
#define SQLITE_KEYRING_SEALS (G_GUINT64_CONSTANT (1) << 31)

typedef struct _SqliteKeyring SqliteKeyring;

SqliteKeyring *sqlite_keyring_new (ReeveStorageKeys *keys, const char *scope, GError **error);
SqliteKeyring *sqlite_keyring_ref (SqliteKeyring *self);
void sqlite_keyring_unref (SqliteKeyring *self);

guint32 sqlite_keyring_get_current (SqliteKeyring *self);
guint sqlite_keyring_get_generation (SqliteKeyring *self);
gboolean sqlite_keyring_get (SqliteKeyring *self, guint32 id, ReeveStorageKey *key, GError **error);
gboolean sqlite_keyring_add (SqliteKeyring *self, GError **error);
gboolean sqlite_keyring_drop_others (SqliteKeyring *self, GError **error);

gboolean sqlite_keyring_count (SqliteKeyring *self);
guint64 sqlite_keyring_get_seals (SqliteKeyring *self);
void sqlite_keyring_set_seals (SqliteKeyring *self, guint64 seals);

gboolean sqlite_keyring_read_mark (SqliteKeyring *self, ReeveStorageMark *mark, GError **error);
gboolean sqlite_keyring_write_mark (SqliteKeyring *self, const ReeveStorageMark *mark,
                                    gboolean durable, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SqliteKeyring, sqlite_keyring_unref)

G_END_DECLS
