/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveStorageKeys: what the host keeps for a storage that encrypts, outside of all stores. */
#pragma once

#include <gio/gio.h>

#include "reeve-version.h"

G_BEGIN_DECLS

/**
 * REEVE_STORAGE_KEY_SIZE:
 *
 * Bytes of a data key: AES-256.
 *
 * Since: 1.0
 */
#define REEVE_STORAGE_KEY_SIZE 32
/**
 * REEVE_STORAGE_SALT_SIZE:
 *
 * Bytes of the random salt by which a store's file is told from any other file.
 *
 * Since: 1.0
 */
#define REEVE_STORAGE_SALT_SIZE 16

#define REEVE_TYPE_STORAGE_KEYS (reeve_storage_keys_get_type ())

REEVE_AVAILABLE_IN_1_0
G_DECLARE_INTERFACE (ReeveStorageKeys, reeve_storage_keys, REEVE, STORAGE_KEYS, GObject)

/**
 * ReeveStorageKey:
 * @id: number of the key within its scope, from 1; 0 is no key
 * @bytes: the key; whoever holds a copy wipes it after use
 *
 * A data key of a scope.
 *
 * Since: 1.0
 */
typedef struct
{
  guint32 id;
  guint8 bytes[REEVE_STORAGE_KEY_SIZE];
} ReeveStorageKey;

/**
 * ReeveStorageMark:
 * @salt: of the file that the scope has now; all zero while it has none
 * @sequence: number of the last commit that was acknowledged
 *
 * The high-water mark of a scope. A file with another salt, or whose own number is lower, is not
 * the scope's file or was rolled back.
 *
 * Since: 1.0
 */
typedef struct
{
  guint8 salt[REEVE_STORAGE_SALT_SIZE];
  guint64 sequence;
} ReeveStorageMark;

/**
 * ReeveStorageKeysInterface:
 * @parent_iface: the parent
 * @get_current: the key by which new pages of @scope are sealed; made when it has none
 * @get: a key by number; %REEVE_ERROR_NOT_FOUND when it was destroyed or never was
 * @add: makes a new current key and keeps the others
 * @drop: destroys all keys of @scope but the one with number @keep; nothing is sealed by them any
 * more
 * @read_mark: the mark of @scope, all zero when there is none
 * @write_mark: sets it; durable against a crash of the process at once, against one of the machine
 * soon, and with @durable before it returns
 *
 * Implemented by the host. Thread-safe; may block for a small file.
 *
 * Since: 1.0
 */
struct _ReeveStorageKeysInterface
{
  GTypeInterface parent_iface;

  gboolean (*get_current) (ReeveStorageKeys *self, const char *scope, ReeveStorageKey *key,
                           GError **error);
  gboolean (*get) (ReeveStorageKeys *self, const char *scope, guint32 id, ReeveStorageKey *key,
                   GError **error);
  gboolean (*add) (ReeveStorageKeys *self, const char *scope, ReeveStorageKey *key, GError **error);
  gboolean (*drop) (ReeveStorageKeys *self, const char *scope, guint32 keep, GError **error);
  gboolean (*read_mark) (ReeveStorageKeys *self, const char *scope, ReeveStorageMark *mark,
                         GError **error);
  gboolean (*write_mark) (ReeveStorageKeys *self, const char *scope, const ReeveStorageMark *mark,
                          gboolean durable, GError **error);
  /*< private >*/
  gpointer reserved[6];
};

REEVE_AVAILABLE_IN_1_0
gboolean reeve_storage_keys_get_current (ReeveStorageKeys *self, const char *scope,
                                         ReeveStorageKey *key, GError **error);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_storage_keys_get (ReeveStorageKeys *self, const char *scope, guint32 id,
                                 ReeveStorageKey *key, GError **error);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_storage_keys_add (ReeveStorageKeys *self, const char *scope, ReeveStorageKey *key,
                                 GError **error);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_storage_keys_drop (ReeveStorageKeys *self, const char *scope, guint32 keep,
                                  GError **error);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_storage_keys_read_mark (ReeveStorageKeys *self, const char *scope,
                                       ReeveStorageMark *mark, GError **error);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_storage_keys_write_mark (ReeveStorageKeys *self, const char *scope,
                                        const ReeveStorageMark *mark, gboolean durable,
                                        GError **error);

G_END_DECLS
