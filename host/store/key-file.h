/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveKeyFile: sealed keys as text, each `key_id:algorithm:ciphertext`, by one or two master keys.
 */
#pragma once

#include <glib.h>

#include "master-key.h"

G_BEGIN_DECLS

/* more is not read */
#define REEVE_KEY_FILE_MAX_SIZE  65536
#define REEVE_KEY_FILE_ALGORITHM "aes-256-gcm"

typedef struct
{
  char *master;   /* id of the master key that sealed it */
  guint32 number; /* n of the key id `<label>:v<n>` */
  char *sealed;   /* base64 */
} ReeveKeyFileEntry;

typedef struct
{
  char *label;        /* `tenant:acme`, `host:ledger` */
  GPtrArray *entries; /* ReeveKeyFileEntry, by master key, then by number */
} ReeveKeyFile;

ReeveKeyFile *reeve_key_file_new (const char *label);
ReeveKeyFile *reeve_key_file_parse (const char *label, const char *text, gsize length,
                                    GError **error);
void reeve_key_file_free (ReeveKeyFile *self);
char *reeve_key_file_format (ReeveKeyFile *self);

/* newest key under that master key; 0 when there is none */
guint32 reeve_key_file_get_newest (ReeveKeyFile *self, const char *master);
gboolean reeve_key_file_seal (ReeveKeyFile *self, ReeveMasterKey *master, guint32 number,
                              gconstpointer data, gsize length, GError **error);
gssize reeve_key_file_unseal (ReeveKeyFile *self, ReeveMasterKey *master, guint32 number,
                              gpointer data, gsize size, GError **error);
void reeve_key_file_keep_number (ReeveKeyFile *self, guint32 number);
gboolean reeve_key_file_keep_master (ReeveKeyFile *self, const char *master);
/* Seals by @to what @from has sealed; both stay. */
gboolean reeve_key_file_rewrap (ReeveKeyFile *self, ReeveMasterKey *from, ReeveMasterKey *to,
                                GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveKeyFile, reeve_key_file_free)

G_END_DECLS
