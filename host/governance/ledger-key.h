/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Ed25519 key that signs checkpoints, and its public half, which is all a verifier needs. */
#pragma once

#include <glib.h>

#include "store/store-keys.h"

#include "ledger-key-pair.h"

G_BEGIN_DECLS

#define REEVE_LEDGER_KEY_NAME        "reeve-ledger"
#define REEVE_LEDGER_KEY_SECRET      "ledger" /* as a secret of ReeveStoreKeys */
#define REEVE_LEDGER_KEY_FILE        "ledger.key"
#define REEVE_LEDGER_KEY_PUBLIC_FILE "ledger.pub"

typedef struct _ReeveLedgerKey ReeveLedgerKey;
/* a key that is to come */
typedef struct _ReeveLedgerKeyNext ReeveLedgerKeyNext;

/* keys: by which the private half is sealed; NULL: it is not */
ReeveLedgerKey *reeve_ledger_key_open (const char *folder, ReeveStoreKeys *keys, GError **error);
ReeveLedgerKey *reeve_ledger_key_load_public (const char *folder, GError **error);
ReeveLedgerKey *reeve_ledger_key_load_public_file (const char *path, GError **error);
ReeveLedgerKey *reeve_ledger_key_new_from_vkey (const char *vkey, GError **error);
void reeve_ledger_key_free (ReeveLedgerKey *self);

char *reeve_ledger_key_to_vkey (ReeveLedgerKey *self);
char **reeve_ledger_key_list (ReeveLedgerKey *self);
/* (transfer none) (nullable) */
const char *reeve_ledger_key_get_folder (ReeveLedgerKey *self);
guint reeve_ledger_key_count (ReeveLedgerKey *self);
gboolean reeve_ledger_key_knows (ReeveLedgerKey *self, guint32 id);
guint32 reeve_ledger_key_get_id (ReeveLedgerKey *self);
gboolean reeve_ledger_key_sign (ReeveLedgerKey *self, gconstpointer data, gsize length, guint32 *id,
                                guint8 signature[REEVE_LEDGER_KEY_SIGNATURE_SIZE], GError **error);
gboolean reeve_ledger_key_verify (ReeveLedgerKey *self, gconstpointer data, gsize length,
                                  guint32 id,
                                  const guint8 signature[REEVE_LEDGER_KEY_SIGNATURE_SIZE]);

ReeveLedgerKeyNext *reeve_ledger_key_next_new (ReeveLedgerKey *self, GError **error);
void reeve_ledger_key_next_free (ReeveLedgerKeyNext *self);
const char *reeve_ledger_key_next_get_statement (ReeveLedgerKeyNext *self);
gboolean reeve_ledger_key_next_adopt (ReeveLedgerKey *self, ReeveLedgerKeyNext *next,
                                      const char *folder, ReeveStoreKeys *keys, GError **error);
gboolean reeve_ledger_key_next_check (ReeveLedgerKey *self, guint *number, const char *statement);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerKey, reeve_ledger_key_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerKeyNext, reeve_ledger_key_next_free)

G_END_DECLS
