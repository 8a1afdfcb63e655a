/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checkpoints by C2SP tlog-checkpoint on C2SP signed-note: origin, size, root, an empty line, one
 * Ed25519 signature.
 *
 * Only the one spelling that we write is read: whatever differs by a byte is malformed. */
#include "checkpoint.h"

#include <string.h>

#include <reeve-plugin-1.h>

#include "ledger-file.h"

/* em dash and space, the start of every signature line of a signed note */
#define REEVE_CHECKPOINT_DASH "\xe2\x80\x94 "

/* key id and signature, as they stand in base64 behind the key's name */
#define REEVE_CHECKPOINT_BLOB (4 + REEVE_LEDGER_KEY_SIGNATURE_SIZE)

static char *
reeve_checkpoint_body (const ReeveCheckpoint *self, const char *scope)
{
  g_autofree char *root = g_base64_encode (self->root, sizeof self->root);

  return g_strdup_printf (REEVE_CHECKPOINT_ORIGIN "%s\n%" G_GUINT64_FORMAT "\n%s\n", scope,
                          self->size, root);
}

/**
 * reeve_checkpoint_sign_note:
 * @body: text of a note; ends with a line end
 * @key: key that signs
 * @error: return location
 *
 * Returns: (transfer full): a C2SP signed note, or %NULL with an error of signing
 */
char *
reeve_checkpoint_sign_note (const char *body, ReeveLedgerKey *key, GError **error)
{
  g_autofree char *signature = NULL;
  guint8 blob[REEVE_CHECKPOINT_BLOB];
  guint32 id = 0;

  if (!reeve_ledger_key_sign (key, body, strlen (body), &id, blob + sizeof id, error))
    return NULL;
  id = GUINT32_TO_BE (id);
  memcpy (blob, &id, sizeof id);
  signature = g_base64_encode (blob, sizeof blob);
  return g_strconcat (body, "\n", REEVE_CHECKPOINT_DASH, REEVE_LEDGER_KEY_NAME, " ", signature,
                      "\n", NULL);
}

/**
 * reeve_checkpoint_format:
 * @self: a checkpoint
 * @scope: the scope whose ledger it speaks of; no line ends
 * @key: key that signs
 * @error: return location
 *
 * Returns: (transfer full): the signed note, or %NULL with an error of signing
 */
char *
reeve_checkpoint_format (const ReeveCheckpoint *self, const char *scope, ReeveLedgerKey *key,
                         GError **error)
{
  g_autofree char *body = reeve_checkpoint_body (self, scope);

  return reeve_checkpoint_sign_note (body, key, error);
}

static gboolean
reeve_checkpoint_malformed (const char *why, GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "the checkpoint %s", why);
  return FALSE;
}

/* Reads size and root out of the three lines of the body. */
static gboolean
reeve_checkpoint_parse_body (ReeveCheckpoint *self, char **lines, GError **error)
{
  g_autofree guint8 *root = NULL;
  gsize root_size = 0;

  if (!g_ascii_string_to_unsigned (lines[1], 10, 0, G_MAXINT64, &self->size, NULL))
    return reeve_checkpoint_malformed ("has no size", error);
  root = g_base64_decode (lines[2], &root_size);
  if (root_size != sizeof self->root)
    return reeve_checkpoint_malformed ("has no root", error);
  memcpy (self->root, root, sizeof self->root);
  return TRUE;
}

/**
 * reeve_checkpoint_parse_signature:
 * @line: a signature line of a note
 * @key: the keys of which it must be
 * @id: (out): of which it is
 * @signature: (out caller-allocates): the signature, not verified
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT
 */
gboolean
reeve_checkpoint_parse_signature (const char *line, ReeveLedgerKey *key, guint32 *id,
                                  guint8 signature[REEVE_LEDGER_KEY_SIGNATURE_SIZE], GError **error)
{
  const char *start = REEVE_CHECKPOINT_DASH REEVE_LEDGER_KEY_NAME " ";
  g_autofree guint8 *blob = NULL;
  g_autofree char *again = NULL;
  gsize blob_size = 0;

  if (!g_str_has_prefix (line, start))
    return reeve_checkpoint_malformed ("is not signed", error);
  line += strlen (start);
  blob = g_base64_decode (line, &blob_size);
  again = g_base64_encode (blob, blob_size);
  if (blob_size != REEVE_CHECKPOINT_BLOB || strcmp (again, line) != 0)
    return reeve_checkpoint_malformed ("has a malformed signature", error);
  memcpy (id, blob, sizeof *id);
  *id = GUINT32_FROM_BE (*id);
  if (!reeve_ledger_key_knows (key, *id))
    return reeve_checkpoint_malformed ("is signed by another key", error);
  memcpy (signature, blob + sizeof *id, REEVE_LEDGER_KEY_SIGNATURE_SIZE);
  return TRUE;
}

/**
 * reeve_checkpoint_parse:
 * @self: (out caller-allocates): what the note says
 * @text: a signed note; needs no terminator
 * @length: bytes of it
 * @scope: the scope it must speak of
 * @key: the key it must be signed with
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT when anything at all is amiss
 */
gboolean
reeve_checkpoint_parse (ReeveCheckpoint *self, const char *text, gsize length, const char *scope,
                        ReeveLedgerKey *key, GError **error)
{
  g_autofree char *copy = NULL;
  g_auto (GStrv) lines = NULL;
  g_autofree char *body = NULL;
  guint8 signature[REEVE_LEDGER_KEY_SIGNATURE_SIZE];
  gsize signature_line = 0;

  if (length == 0 || length > REEVE_CHECKPOINT_MAX_SIZE || memchr (text, 0, length) != NULL)
    return reeve_checkpoint_malformed ("is empty, too long or binary", error);
  copy = g_strndup (text, length);
  /* origin, size, root, empty, signature, and the empty string behind the last line end */
  lines = g_strsplit (copy, "\n", 7);
  if (g_strv_length (lines) != 6 || *lines[3] != 0 || *lines[5] != 0)
    return reeve_checkpoint_malformed ("has not the lines of a signed note", error);
  if (!reeve_checkpoint_parse_body (self, lines, error)
      || !reeve_checkpoint_parse_signature (lines[4], key, &self->key_id, signature, error))
    return FALSE;
  /* comparing with what we would write covers origin, leading zeros and base64's spare bits at once
   */
  body = reeve_checkpoint_body (self, scope);
  signature_line = strlen (body) + 1;
  if (signature_line > length || memcmp (body, text, strlen (body)) != 0)
    return reeve_checkpoint_malformed ("is not in canonical form or of another scope", error);
  if (!reeve_ledger_key_verify (key, body, strlen (body), self->key_id, signature))
    return reeve_checkpoint_malformed ("has a bad signature", error);
  return TRUE;
}

/* Signature lines of others behind ours: a name, and at least a key id in the one spelling that
 * base64 has. */
static gboolean
reeve_checkpoint_check_others (const char *text, gsize length, GError **error)
{
  g_autofree char *copy = g_strndup (text, length);
  g_auto (GStrv) lines = g_strsplit (copy, "\n", -1);
  guint count = g_strv_length (lines);

  /* behind the last line end is nothing */
  for (guint i = 0; i + 1 < count; i++)
    {
      g_auto (GStrv) words = g_strsplit (lines[i], " ", 4);
      gboolean good = g_str_has_prefix (lines[i], REEVE_CHECKPOINT_DASH)
                      && g_strv_length (words) == 3 && *words[1] != '\0';
      gsize size = 0;
      g_autofree guint8 *blob = good ? g_base64_decode (words[2], &size) : NULL;
      g_autofree char *again = good ? g_base64_encode (blob, size) : NULL;

      if (!good || size <= sizeof (guint32) || strcmp (again, words[2]) != 0)
        return reeve_checkpoint_malformed ("has a malformed cosignature", error);
    }
  return count == 0 || *lines[count - 1] == '\0'
         || reeve_checkpoint_malformed ("does not end with a line", error);
}

/* (nullable) the end of our signature line */
static const char *
reeve_checkpoint_find_end (const char *text, gsize length)
{
  const char *empty = g_strstr_len (text, (gssize) length, "\n\n");
  const char *end
      = empty != NULL ? memchr (empty + 2, '\n', length - (gsize) (empty + 2 - text)) : NULL;

  return end != NULL ? end + 1 : NULL;
}

/**
 * reeve_checkpoint_parse_any:
 * @self: (out caller-allocates): what the note says
 * @text: a signed note; needs no terminator
 * @length: bytes of it
 * @scope: (out) (transfer full): the scope it speaks of
 * @key: the key it must be signed with
 * @error: return location
 *
 * As reeve_checkpoint_parse(), for a note of any scope, and one that witnesses have cosigned: whose
 * the further signatures are is not looked at.
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT
 */
gboolean
reeve_checkpoint_parse_any (ReeveCheckpoint *self, const char *text, gsize length, char **scope,
                            ReeveLedgerKey *key, GError **error)
{
  gsize prefix = strlen (REEVE_CHECKPOINT_ORIGIN);
  const char *end = length > prefix ? memchr (text, '\n', length) : NULL;
  g_autofree char *found = NULL;
  gsize own = 0;

  if (end == NULL || memcmp (text, REEVE_CHECKPOINT_ORIGIN, prefix) != 0)
    return reeve_checkpoint_malformed ("is of no ledger of a Reeve host", error);
  if (length > REEVE_CHECKPOINT_MAX_SIZE || memchr (text, 0, length) != NULL)
    return reeve_checkpoint_malformed ("is too long or binary", error);
  found = g_strndup (text + prefix, (gsize) (end - text) - prefix);
  end = reeve_checkpoint_find_end (text, length);
  own = end != NULL ? (gsize) (end - text) : length;
  if (!reeve_checkpoint_parse (self, text, own, found, key, error)
      || !reeve_checkpoint_check_others (text + own, length - own, error))
    return FALSE;
  *scope = g_steal_pointer (&found);
  return TRUE;
}

/**
 * reeve_checkpoint_write:
 * @self: a checkpoint
 * @folder: folder of the scope's ledger
 * @scope: the scope
 * @key: key that signs
 * @error: return location
 *
 * Signs and replaces the checkpoint file. Its content is durable, its name is with the next sync of
 * the folder: until then a loss of power brings the checkpoint before back, which is as true.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_checkpoint_write (const ReeveCheckpoint *self, const char *folder, const char *scope,
                        ReeveLedgerKey *key, GError **error)
{
  g_autofree char *path = g_build_filename (folder, REEVE_CHECKPOINT_FILE, NULL);
  g_autofree char *text = reeve_checkpoint_format (self, scope, key, error);

  if (text == NULL || !reeve_ledger_file_rewrite (path, text, strlen (text), error))
    {
      g_prefix_error (error, "writing the checkpoint of %s: ", scope);
      return FALSE;
    }
  return TRUE;
}

/**
 * reeve_checkpoint_load:
 * @self: (out caller-allocates): what the file says
 * @folder: folder of the scope's ledger
 * @scope: the scope
 * @key: key that must have signed it
 * @error: return location
 *
 * Returns: (transfer full): the signed note as it stands in the file; %NULL with
 * %REEVE_ERROR_NOT_FOUND when there is none, %REEVE_ERROR_CORRUPT when it is damaged
 */
char *
reeve_checkpoint_load (ReeveCheckpoint *self, const char *folder, const char *scope,
                       ReeveLedgerKey *key, GError **error)
{
  g_autofree char *path = g_build_filename (folder, REEVE_CHECKPOINT_FILE, NULL);
  g_autoptr (GBytes) bytes = reeve_ledger_file_read (path, REEVE_CHECKPOINT_MAX_SIZE, error);
  const char *text = NULL;
  gsize length = 0;

  if (bytes == NULL)
    return NULL;
  text = g_bytes_get_data (bytes, &length);
  if (!reeve_checkpoint_parse (self, text, length, scope, key, error))
    return NULL;
  return g_strndup (text, length);
}

/**
 * reeve_checkpoint_read:
 * @self: (out caller-allocates): what the file says
 * @folder: folder of the scope's ledger
 * @scope: the scope
 * @key: key that must have signed it
 * @error: return location
 *
 * Returns: %FALSE as reeve_checkpoint_load()
 */
gboolean
reeve_checkpoint_read (ReeveCheckpoint *self, const char *folder, const char *scope,
                       ReeveLedgerKey *key, GError **error)
{
  g_autofree char *text = reeve_checkpoint_load (self, folder, scope, key, error);

  return text != NULL;
}
