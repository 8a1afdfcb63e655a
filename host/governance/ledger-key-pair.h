/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One Ed25519 key pair of the ledger, or its public half. */
#pragma once

#include <gnutls/abstract.h>

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define REEVE_LEDGER_KEY_PUBLIC_SIZE    32
#define REEVE_LEDGER_KEY_SIGNATURE_SIZE 64

/**
 * ReeveLedgerKeyPair:
 * @private_key: %NULL where only the public half is known
 * @public_key: for GnuTLS
 * @public_bytes: the same as it is
 * @id: key id of C2SP signed notes
 *
 * Immutable and reference-counted.
 */
typedef struct
{
  gatomicrefcount refs;
  gnutls_privkey_t private_key;
  gnutls_pubkey_t public_key;
  guint8 public_bytes[REEVE_LEDGER_KEY_PUBLIC_SIZE];
  guint32 id;
} ReeveLedgerKeyPair;

ReeveLedgerKeyPair *reeve_ledger_key_pair_new (void);
ReeveLedgerKeyPair *reeve_ledger_key_pair_new_from_vkey (const char *vkey, GError **error);
ReeveLedgerKeyPair *reeve_ledger_key_pair_new_from_public (
    const guint8 bytes[REEVE_LEDGER_KEY_PUBLIC_SIZE], GError **error);
ReeveLedgerKeyPair *reeve_ledger_key_pair_ref (ReeveLedgerKeyPair *pair);
void reeve_ledger_key_pair_unref (ReeveLedgerKeyPair *pair);
gboolean reeve_ledger_key_pair_generate (gnutls_datum_t *pem, GError **error);
void reeve_ledger_key_pair_wipe (gnutls_datum_t *pem);
gboolean reeve_ledger_key_pair_parse (ReeveLedgerKeyPair *self, GBytes *pem, GError **error);
char *reeve_ledger_key_pair_to_vkey (const ReeveLedgerKeyPair *pair);
gboolean reeve_ledger_key_pair_sign (ReeveLedgerKeyPair *pair, gconstpointer data, gsize length,
                                     guint8 signature[REEVE_LEDGER_KEY_SIGNATURE_SIZE],
                                     GError **error);
gboolean reeve_ledger_key_pair_verify (ReeveLedgerKeyPair *pair, gconstpointer data, gsize length,
                                       const guint8 signature[REEVE_LEDGER_KEY_SIGNATURE_SIZE]);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerKeyPair, reeve_ledger_key_pair_unref)

G_END_DECLS
