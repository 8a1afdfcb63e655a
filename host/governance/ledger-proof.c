/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Proof files by C2SP tlog-proof: a first line, the record as extra data, its index, the inclusion
 * proof, an empty line, the checkpoint.
 *
 * The extra data is not believed: the leaf hash is computed from it, and the proof is for that
 * hash. Only the one spelling that we write is read. */
#include "ledger-proof.h"

#include <string.h>

#include <reeve-plugin-1.h>

#include "ledger-record.h"
#include "ledger-scanner.h"

#define REEVE_LEDGER_PROOF_HEAD  "c2sp.org/tlog-proof@v1"
#define REEVE_LEDGER_PROOF_EXTRA "extra "
#define REEVE_LEDGER_PROOF_INDEX "index "

/**
 * reeve_ledger_proof_free:
 * @self: a proof
 */
void
reeve_ledger_proof_free (ReeveLedgerProof *self)
{
  g_clear_pointer (&self->entry, g_bytes_unref);
  g_free (self->checkpoint);
  g_free (self);
}

/**
 * reeve_ledger_proof_format:
 * @self: a proof
 *
 * Returns: (transfer full): the file
 */
char *
reeve_ledger_proof_format (const ReeveLedgerProof *self)
{
  gsize length = 0;
  const guint8 *entry = g_bytes_get_data (self->entry, &length);
  g_autofree char *extra = g_base64_encode (entry, length);
  GString *text = g_string_new (REEVE_LEDGER_PROOF_HEAD "\n");

  g_string_append_printf (
      text, REEVE_LEDGER_PROOF_EXTRA "%s\n" REEVE_LEDGER_PROOF_INDEX "%" G_GUINT64_FORMAT "\n",
      extra, self->index);
  for (guint i = 0; i < self->path.count; i++)
    {
      g_autofree char *line = g_base64_encode (self->path.hashes[i], REEVE_LEDGER_HASH_SIZE);

      g_string_append_printf (text, "%s\n", line);
    }
  g_string_append_printf (text, "\n%s", self->checkpoint);
  return g_string_free (text, FALSE);
}

static gboolean
reeve_ledger_proof_malformed (const char *why, GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "the proof %s", why);
  return FALSE;
}

/* Reads the lines in front of the empty one. */
static gboolean
reeve_ledger_proof_parse_head (ReeveLedgerProof *self, char **lines, GError **error)
{
  gsize length = 0;
  guint8 *entry = NULL;

  if (g_strv_length (lines) < 3 || strcmp (lines[0], REEVE_LEDGER_PROOF_HEAD) != 0)
    return reeve_ledger_proof_malformed ("does not begin with " REEVE_LEDGER_PROOF_HEAD, error);
  if (!g_str_has_prefix (lines[1], REEVE_LEDGER_PROOF_EXTRA))
    return reeve_ledger_proof_malformed ("has not the record as extra data", error);
  entry = g_base64_decode (lines[1] + strlen (REEVE_LEDGER_PROOF_EXTRA), &length);
  self->entry = g_bytes_new_take (entry, length);
  if (!g_str_has_prefix (lines[2], REEVE_LEDGER_PROOF_INDEX)
      || !g_ascii_string_to_unsigned (lines[2] + strlen (REEVE_LEDGER_PROOF_INDEX), 10, 0,
                                      REEVE_LEDGER_RECORD_MAX_NUMBER, &self->index, NULL))
    return reeve_ledger_proof_malformed ("has no index", error);
  for (guint i = 3; lines[i] != NULL; i++)
    {
      g_autofree guint8 *hash = g_base64_decode (lines[i], &length);

      if (length != REEVE_LEDGER_HASH_SIZE || self->path.count == REEVE_LEDGER_MERKLE_PATH)
        return reeve_ledger_proof_malformed ("has a malformed path", error);
      memcpy (self->path.hashes[self->path.count++], hash, REEVE_LEDGER_HASH_SIZE);
    }
  return TRUE;
}

/**
 * reeve_ledger_proof_parse:
 * @text: a proof file; needs no terminator
 * @length: bytes of it
 * @error: return location
 *
 * Returns: (transfer full): what it says, not verified; %NULL with %REEVE_ERROR_CORRUPT
 */
ReeveLedgerProof *
reeve_ledger_proof_parse (const char *text, gsize length, GError **error)
{
  g_autoptr (ReeveLedgerProof) self = g_new0 (ReeveLedgerProof, 1);
  g_autofree char *copy = NULL;
  g_autofree char *again = NULL;
  g_auto (GStrv) lines = NULL;
  char *middle = NULL;

  if (length == 0 || length > REEVE_LEDGER_PROOF_MAX_SIZE || memchr (text, 0, length) != NULL)
    {
      reeve_ledger_proof_malformed ("is empty, too long or binary", error);
      return NULL;
    }
  copy = g_strndup (text, length);
  middle = strstr (copy, "\n\n");
  if (middle == NULL)
    {
      reeve_ledger_proof_malformed ("has no checkpoint", error);
      return NULL;
    }
  *middle = 0;
  self->checkpoint = g_strdup (middle + 2);
  lines = g_strsplit (copy, "\n", 4 + REEVE_LEDGER_MERKLE_PATH);
  if (!reeve_ledger_proof_parse_head (self, lines, error))
    return NULL;
  again = reeve_ledger_proof_format (self);
  if (strlen (again) == length && memcmp (again, text, length) == 0)
    return g_steal_pointer (&self);
  reeve_ledger_proof_malformed ("is not in canonical form", error);
  return NULL;
}

/* The record in a proof, looked at as verification looks at one in a file. */
static gboolean
reeve_ledger_proof_read_record (const ReeveLedgerProof *self, const char *scope, GError **error)
{
  g_autofree char *arena = g_malloc (REEVE_LEDGER_RECORD_MAX_JSON);
  ReeveLedgerRecord record;
  guint32 length = 0;
  gsize size = 0;
  const guint8 *entry = g_bytes_get_data (self->entry, &size);

  if (size > sizeof length)
    memcpy (&length, entry, sizeof length);
  length = GUINT32_FROM_BE (length);
  if (length == 0 || length > REEVE_LEDGER_RECORD_MAX_JSON || length != size - sizeof length)
    return reeve_ledger_proof_malformed ("holds no record", error);
  if (!reeve_ledger_record_parse (&record, arena, (const char *) entry + sizeof length, length,
                                  error))
    return FALSE;
  if (record.seq != self->index + 1)
    return reeve_ledger_proof_malformed ("holds a record of another number", error);
  if (strcmp (record.scope, scope) != 0)
    return reeve_ledger_proof_malformed ("holds a record of another scope", error);
  return TRUE;
}

/* SHA-256 (0x00 | entry) */
static void
reeve_ledger_proof_hash (GBytes *entry, guint8 leaf[REEVE_LEDGER_HASH_SIZE])
{
  g_autoptr (ReeveDigests) digest = reeve_digests_begin ();
  guint8 zero = 0x00;
  gsize size = 0;
  const guint8 *data = g_bytes_get_data (entry, &size);

  reeve_digests_update (digest, &zero, sizeof zero);
  reeve_digests_update (digest, data, size);
  reeve_digests_finish (digest, leaf);
}

static JsonObject *
reeve_ledger_proof_describe (const ReeveLedgerProof *self, const char *scope,
                             const ReeveCheckpoint *checkpoint, GError **error)
{
  gsize size = 0;
  const char *entry = g_bytes_get_data (self->entry, &size);
  g_autoptr (JsonNode) record = reeve_json_parse_strict (entry + 4, size - 4, error);
  g_autofree char *root = reeve_digests_hex (checkpoint->root, sizeof checkpoint->root);
  JsonObject *verdict = NULL;

  if (record == NULL)
    return NULL;
  verdict = json_object_new ();
  json_object_set_boolean_member (verdict, "valid", TRUE);
  json_object_set_string_member (verdict, "scope", scope);
  json_object_set_int_member (verdict, "seq", (gint64) self->index + 1);
  json_object_set_int_member (verdict, "size", (gint64) checkpoint->size);
  json_object_set_string_member (verdict, "root", root);
  json_object_set_member (verdict, "record", g_steal_pointer (&record));
  return verdict;
}

/**
 * reeve_ledger_proof_verify:
 * @self: a proof
 * @key: the ledger's public key
 * @quorum: (nullable): witnesses that must have cosigned
 * @error: return location
 *
 * Needs nothing but the proof and the keys.
 *
 * Returns: (transfer full): {valid, scope, seq, size, root, witnesses?, record}; %NULL with
 * %REEVE_ERROR_CORRUPT when it proves nothing
 */
JsonObject *
reeve_ledger_proof_verify (const ReeveLedgerProof *self, ReeveLedgerKey *key,
                           const ReeveLedgerQuorum *quorum, GError **error)
{
  JsonObject *verdict = NULL;
  guint witnesses = 0;
  g_autofree char *scope = NULL;
  ReeveCheckpoint checkpoint = { 0 };
  guint8 leaf[REEVE_LEDGER_HASH_SIZE];

  if (!reeve_checkpoint_parse_any (&checkpoint, self->checkpoint, strlen (self->checkpoint), &scope,
                                   key, error)
      || (quorum != NULL
          && !reeve_ledger_witnessed_count (quorum, self->checkpoint, &witnesses, error))
      || !reeve_ledger_proof_read_record (self, scope, error))
    return NULL;
  reeve_ledger_proof_hash (self->entry, leaf);
  if (!reeve_ledger_merkle_check_inclusion (&self->path, self->index, checkpoint.size, leaf,
                                            checkpoint.root))
    {
      reeve_ledger_proof_malformed ("does not lead from the record to the root that was signed",
                                    error);
      return NULL;
    }
  verdict = reeve_ledger_proof_describe (self, scope, &checkpoint, error);
  if (verdict != NULL && quorum != NULL)
    json_object_set_int_member (verdict, "witnesses", witnesses);
  return verdict;
}
