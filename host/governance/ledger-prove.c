/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveLedger: checkpoints and proofs for those who ask. */
#include "ledger-private.h"

#include <string.h>

#include "base/digests.h"

#include "ledger-proof.h"
#include "ledger-scanner.h"
#include "ledger-witness.h"

typedef struct
{
  GBytes *entry;
  guint8 leaf[REEVE_LEDGER_HASH_SIZE];
} ReeveLedgerProveRecord;

/* The length that is hashed with the text stands in front of it. */
static void
reeve_ledger_prove_take (guint64 seq, const ReeveLedgerEntry *entry, gpointer user_data)
{
  ReeveLedgerProveRecord *record = user_data;

  record->entry = g_bytes_new (entry->json - REEVE_LEDGER_SCANNER_PREFIX,
                               entry->length + REEVE_LEDGER_SCANNER_PREFIX);
  memcpy (record->leaf, entry->leaf, sizeof record->leaf);
}

/* The last that was cosigned, if it covers @seq; else the last; else a new one. */
static char *
reeve_ledger_prove_checkpoint (ReeveLedger *self, ReeveLedgerLog *log, guint64 seq,
                               ReeveCheckpoint *checkpoint, GError **error)
{
  g_autofree char *witnessed
      = reeve_ledger_witness_load (self, reeve_ledger_log_get_scope (log), checkpoint, NULL);
  g_autofree char *note = NULL;

  if (witnessed != NULL && checkpoint->size >= seq)
    return g_steal_pointer (&witnessed);
  note = reeve_ledger_log_read_checkpoint (log, checkpoint, error);
  if (note == NULL || checkpoint->size >= seq)
    return g_steal_pointer (&note);
  if (!reeve_ledger_log_sign_now (log, seq, error))
    return NULL;
  return reeve_ledger_log_read_checkpoint (log, checkpoint, error);
}

/**
 * reeve_ledger_prove:
 * @self: a ledger
 * @scope: whose log
 * @seq: which record
 * @error: return location
 *
 * Makes a proof that anybody can verify with the public key alone. Where the last checkpoint does
 * not cover the record yet, a new one is signed. Blocks.
 *
 * Returns: (transfer full): a C2SP tlog-proof file; %NULL with %REEVE_ERROR_NOT_FOUND,
 * %REEVE_ERROR_BUSY when too many checkpoints were asked for, %REEVE_ERROR_CORRUPT or a file error
 */
char *
reeve_ledger_prove (ReeveLedger *self, const char *scope, guint64 seq, GError **error)
{
  ReeveLedgerLog *log = NULL;
  g_autoptr (ReeveLedgerProof) proof = g_new0 (ReeveLedgerProof, 1);
  ReeveLedgerProveRecord record = { 0 };
  ReeveCheckpoint checkpoint = { 0 };

  reeve_ledger_wait (self);
  log = reeve_ledger_need_log (self, scope, error);
  if (log == NULL)
    return NULL;
  if (seq == 0 || seq > reeve_ledger_log_get_size (log))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no such record");
      return NULL;
    }
  if (seq <= reeve_ledger_log_get_base (log)
      && !reeve_ledger_log_scan (log, seq, 1, reeve_ledger_prove_take, &record, error))
    return NULL;
  proof->index = seq - 1;
  proof->checkpoint = reeve_ledger_prove_checkpoint (self, log, seq, &checkpoint, error);
  if (proof->checkpoint == NULL
      || !reeve_ledger_log_scan (log, seq, 1, reeve_ledger_prove_take, &record, error))
    return NULL;
  proof->entry = record.entry;
  if (!reeve_ledger_log_include (log, seq, record.leaf, &checkpoint, &proof->path, error))
    return NULL;
  return reeve_ledger_proof_format (proof);
}

static void
reeve_ledger_prove_add_witnessed (ReeveLedger *self, const char *scope, JsonObject *shown)
{
  ReeveCheckpoint checkpoint = { 0 };
  g_autofree char *note = reeve_ledger_witness_load (self, scope, &checkpoint, NULL);
  JsonObject *witnessed = NULL;

  if (note == NULL)
    return;
  witnessed = json_object_new ();
  json_object_set_int_member (witnessed, "size", (gint64) checkpoint.size);
  json_object_set_string_member (witnessed, "checkpoint", note);
  json_object_set_object_member (shown, "witnessed", witnessed);
}

/**
 * reeve_ledger_show_checkpoint:
 * @self: a ledger
 * @scope: whose log
 * @error: return location
 *
 * Returns: (transfer full): the last checkpoint: {size, root, checkpoint, witnessed?: {size,
 * checkpoint}}; a new one where there are records behind the last and not too many were asked for;
 * witnessed is the last that was cosigned; where records were dropped also {first, base}: the first
 * that is there, and the signed note about the others; %NULL with %REEVE_ERROR_NOT_FOUND or an
 * error
 */
JsonObject *
reeve_ledger_show_checkpoint (ReeveLedger *self, const char *scope, GError **error)
{
  ReeveLedgerLog *log = NULL;
  g_autofree char *note = NULL;
  g_autofree char *root = NULL;
  g_autofree char *base_note = NULL;
  g_autofree ReeveLedgerBase *base = NULL;
  JsonObject *shown = NULL;
  ReeveCheckpoint checkpoint = { 0 };

  reeve_ledger_wait (self);
  log = reeve_ledger_need_log (self, scope, error);
  if (log == NULL)
    return NULL;
  /* the one before is as true */
  (void) reeve_ledger_log_sign_now (log, reeve_ledger_log_get_size (log), NULL);
  note = reeve_ledger_log_read_checkpoint (log, &checkpoint, error);
  if (note == NULL)
    return NULL;
  root = reeve_digests_hex (checkpoint.root, sizeof checkpoint.root);
  shown = json_object_new ();
  json_object_set_int_member (shown, "size", (gint64) checkpoint.size);
  json_object_set_string_member (shown, "root", root);
  json_object_set_string_member (shown, "checkpoint", note);
  reeve_ledger_prove_add_witnessed (self, scope, shown);
  base = reeve_ledger_log_dup_base (log);
  if (base == NULL)
    return shown;
  base_note = reeve_ledger_base_format (base, scope, self->key, NULL);
  json_object_set_int_member (shown, "first", (gint64) base->frontier.size + 1);
  if (base_note != NULL)
    json_object_set_string_member (shown, "base", base_note);
  return shown;
}
