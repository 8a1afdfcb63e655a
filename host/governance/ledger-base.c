/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The base of a log, a C2SP signed note with the body of a C2SP checkpoint over what was dropped
 * and more lines: the chain hash, when and why, and all that the Merkle tree needs to go on, so
 * that what stays verifies without what went.
 *
 * Only the one spelling that we write is read: whatever differs by a byte is malformed. */
#include "ledger-base.h"

#include <string.h>

#include <reeve-plugin-1.h>

#include "checkpoint.h"
#include "ledger-file.h"
#include "ledger-record.h"
#include "ledger-tiles.h"

#define REEVE_LEDGER_BASE_CHAIN   "chain "
#define REEVE_LEDGER_BASE_TIME    "time "
#define REEVE_LEDGER_BASE_KEYS    "keys "
#define REEVE_LEDGER_BASE_RULE    "rule "
#define REEVE_LEDGER_BASE_SUBTREE "subtree "
#define REEVE_LEDGER_BASE_LEAF    "leaf "
/* lines in front of the hashes, and behind them: empty, signature, what follows the last line end
 */
#define REEVE_LEDGER_BASE_HEAD 7
#define REEVE_LEDGER_BASE_TAIL 3
#define REEVE_LEDGER_BASE_MAX_LINES                                                                \
  (REEVE_LEDGER_BASE_HEAD + REEVE_LEDGER_FRONTIER_LEVELS + REEVE_LEDGER_BASE_LEAVES                \
   + REEVE_LEDGER_BASE_TAIL)

/**
 * reeve_ledger_base_count_leaves:
 * @self: a base
 *
 * Returns: how many records were dropped behind the last full tile
 */
guint
reeve_ledger_base_count_leaves (const ReeveLedgerBase *self)
{
  return (guint) (self->frontier.size % REEVE_LEDGER_TILES_WIDTH);
}

static void
reeve_ledger_base_add_hash (GString *body, const char *name,
                            const guint8 hash[REEVE_LEDGER_HASH_SIZE])
{
  g_autofree char *text = g_base64_encode (hash, REEVE_LEDGER_HASH_SIZE);

  g_string_append_printf (body, "%s%s\n", name, text);
}

static char *
reeve_ledger_base_body (const ReeveLedgerBase *self, const char *scope)
{
  GString *body = g_string_new (REEVE_LEDGER_BASE_ORIGIN);
  guint8 root[REEVE_LEDGER_HASH_SIZE];

  reeve_ledger_frontier_root (&self->frontier, root);
  g_string_append_printf (body, "%s\n%" G_GUINT64_FORMAT "\n", scope, self->frontier.size);
  reeve_ledger_base_add_hash (body, "", root);
  reeve_ledger_base_add_hash (body, REEVE_LEDGER_BASE_CHAIN, self->chain);
  g_string_append_printf (body,
                          REEVE_LEDGER_BASE_TIME "%" G_GINT64_FORMAT "\n" REEVE_LEDGER_BASE_KEYS
                                                 "%u\n" REEVE_LEDGER_BASE_RULE "%s\n",
                          self->time, self->keys, self->rule);
  for (guint level = REEVE_LEDGER_FRONTIER_LEVELS; level > REEVE_LEDGER_TILES_HEIGHT; level--)
    if ((self->frontier.size >> (level - 1) & 1) != 0)
      reeve_ledger_base_add_hash (body, REEVE_LEDGER_BASE_SUBTREE, self->frontier.nodes[level - 1]);
  for (guint i = 0; i < reeve_ledger_base_count_leaves (self); i++)
    reeve_ledger_base_add_hash (body, REEVE_LEDGER_BASE_LEAF, self->leaves[i]);
  return g_string_free (body, FALSE);
}

/**
 * reeve_ledger_base_format:
 * @self: a base
 * @scope: whose log
 * @key: key that signs
 * @error: return location
 *
 * Returns: (transfer full): the signed note, or %NULL with an error of signing
 */
char *
reeve_ledger_base_format (const ReeveLedgerBase *self, const char *scope, ReeveLedgerKey *key,
                          GError **error)
{
  g_autofree char *body = reeve_ledger_base_body (self, scope);

  return reeve_checkpoint_sign_note (body, key, error);
}

static gboolean
reeve_ledger_base_malformed (const char *why, GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "the base of the log %s", why);
  return FALSE;
}

static gboolean
reeve_ledger_base_parse_hash (const char *line, const char *name, guint8 *hash)
{
  g_autofree guint8 *bytes = NULL;
  gsize size = 0;

  if (!g_str_has_prefix (line, name))
    return FALSE;
  bytes = g_base64_decode (line + strlen (name), &size);
  if (size != REEVE_LEDGER_HASH_SIZE)
    return FALSE;
  memcpy (hash, bytes, REEVE_LEDGER_HASH_SIZE);
  return TRUE;
}

static gboolean
reeve_ledger_base_parse_number (const char *line, const char *name, guint64 max, guint64 *number)
{
  return g_str_has_prefix (line, name)
         && g_ascii_string_to_unsigned (line + strlen (name), 10, 0, max, number, NULL);
}

/* The lines in front of the hashes. */
static gboolean
reeve_ledger_base_parse_head (ReeveLedgerBase *self, char **lines, guint64 *size, GError **error)
{
  guint64 time = 0;
  guint64 keys = 0;

  if (!reeve_ledger_base_parse_number (
          lines[1], "", (G_GUINT64_CONSTANT (1) << REEVE_LEDGER_FRONTIER_LEVELS) - 2, size)
      || *size == 0)
    return reeve_ledger_base_malformed ("has no size", error);
  if (!reeve_ledger_base_parse_hash (lines[3], REEVE_LEDGER_BASE_CHAIN, self->chain))
    return reeve_ledger_base_malformed ("has no chain hash", error);
  if (!reeve_ledger_base_parse_number (lines[4], REEVE_LEDGER_BASE_TIME,
                                       REEVE_LEDGER_RECORD_MAX_NUMBER, &time)
      || !reeve_ledger_base_parse_number (lines[5], REEVE_LEDGER_BASE_KEYS, G_MAXUINT16, &keys))
    return reeve_ledger_base_malformed ("says neither when nor by which key", error);
  self->time = (gint64) time;
  self->keys = (guint) keys;
  if (!g_str_has_prefix (lines[6], REEVE_LEDGER_BASE_RULE)
      || strlen (lines[6]) > strlen (REEVE_LEDGER_BASE_RULE) + REEVE_LEDGER_BASE_MAX_RULE)
    return reeve_ledger_base_malformed ("names no rule", error);
  g_strlcpy (self->rule, lines[6] + strlen (REEVE_LEDGER_BASE_RULE), sizeof self->rule);
  for (const char *p = self->rule; *p != 0; p++)
    if (*p < '!' || *p > '~')
      return reeve_ledger_base_malformed ("names a rule that is none", error);
  return *self->rule != 0 || reeve_ledger_base_malformed ("names no rule", error);
}

/* The hashes of the tree; as many as the size says. Returns the line behind them. */
static char **
reeve_ledger_base_parse_tree (ReeveLedgerBase *self, char **lines, guint64 size, GError **error)
{
  guint64 tiles = size / REEVE_LEDGER_TILES_WIDTH;
  guint leaves = (guint) (size % REEVE_LEDGER_TILES_WIDTH);
  guint8 hash[REEVE_LEDGER_HASH_SIZE];

  for (guint level = REEVE_LEDGER_FRONTIER_LEVELS; level > REEVE_LEDGER_TILES_HEIGHT; level--)
    {
      if ((size >> (level - 1) & 1) == 0)
        continue;
      if (*lines == NULL
          || !reeve_ledger_base_parse_hash (*lines++, REEVE_LEDGER_BASE_SUBTREE, hash))
        {
          reeve_ledger_base_malformed ("has not the subtrees of its size", error);
          return NULL;
        }
      memcpy (self->frontier.nodes[level - 1], hash, sizeof hash);
    }
  self->frontier.size = tiles * REEVE_LEDGER_TILES_WIDTH;
  for (guint i = 0; i < leaves; i++)
    if (*lines == NULL
        || !reeve_ledger_base_parse_hash (*lines++, REEVE_LEDGER_BASE_LEAF, self->leaves[i])
        || !reeve_ledger_frontier_add (&self->frontier, self->leaves[i]))
      {
        reeve_ledger_base_malformed ("has not the leaves of its size", error);
        return NULL;
      }
  return lines;
}

/* What stands behind the body: an empty line, one signature, nothing. */
static gboolean
reeve_ledger_base_parse_end (ReeveLedgerBase *self, char **lines, const char *body, gsize length,
                             const char *text, ReeveLedgerKey *key, GError **error)
{
  guint8 signature[REEVE_LEDGER_KEY_SIGNATURE_SIZE];

  if (g_strv_length (lines) != REEVE_LEDGER_BASE_TAIL || *lines[0] != 0 || *lines[2] != 0
      || !reeve_checkpoint_parse_signature (lines[1], key, &self->key_id, signature, NULL))
    return reeve_ledger_base_malformed ("is not signed by a key of this ledger", error);
  /* covers origin, root, leading zeros and base64's spare bits at once */
  if (strlen (body) > length || memcmp (body, text, strlen (body)) != 0)
    return reeve_ledger_base_malformed ("is not in canonical form or of another scope", error);
  if (!reeve_ledger_key_verify (key, body, strlen (body), self->key_id, signature))
    return reeve_ledger_base_malformed ("has a bad signature", error);
  return TRUE;
}

/**
 * reeve_ledger_base_parse:
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
reeve_ledger_base_parse (ReeveLedgerBase *self, const char *text, gsize length, const char *scope,
                         ReeveLedgerKey *key, GError **error)
{
  g_autofree char *copy = NULL;
  g_autofree char *body = NULL;
  g_auto (GStrv) lines = NULL;
  char **rest = NULL;
  guint64 size = 0;

  memset (self, 0, sizeof *self);
  if (length == 0 || length > REEVE_LEDGER_BASE_MAX_SIZE || memchr (text, 0, length) != NULL)
    return reeve_ledger_base_malformed ("is empty, too long or binary", error);
  copy = g_strndup (text, length);
  lines = g_strsplit (copy, "\n", REEVE_LEDGER_BASE_MAX_LINES + 1);
  if (g_strv_length (lines) < REEVE_LEDGER_BASE_HEAD + REEVE_LEDGER_BASE_TAIL)
    return reeve_ledger_base_malformed ("has not the lines of a base", error);
  if (!reeve_ledger_base_parse_head (self, lines, &size, error))
    return FALSE;
  rest = reeve_ledger_base_parse_tree (self, lines + REEVE_LEDGER_BASE_HEAD, size, error);
  if (rest == NULL)
    return FALSE;
  body = reeve_ledger_base_body (self, scope);
  return reeve_ledger_base_parse_end (self, rest, body, length, text, key, error);
}

/**
 * reeve_ledger_base_write:
 * @self: a base
 * @folder: folder of the log
 * @scope: its scope
 * @key: key that signs
 * @error: return location
 *
 * Signs and replaces the file. When it returns, all that is durable.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_ledger_base_write (const ReeveLedgerBase *self, const char *folder, const char *scope,
                         ReeveLedgerKey *key, GError **error)
{
  g_autofree char *path = g_build_filename (folder, REEVE_LEDGER_BASE_FILE, NULL);
  g_autofree char *text = reeve_ledger_base_format (self, scope, key, error);

  if (text != NULL && reeve_ledger_file_replace (path, text, strlen (text), 0644, error))
    return TRUE;
  g_prefix_error (error, "writing the base of %s: ", scope);
  return FALSE;
}

/**
 * reeve_ledger_base_load:
 * @base: (out) (transfer full) (nullable): what the file says, to be freed with g_free(); %NULL
 * where there is none
 * @folder: folder of the log
 * @scope: its scope
 * @key: key that must have signed it
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT or a file error
 */
gboolean
reeve_ledger_base_load (ReeveLedgerBase **base, const char *folder, const char *scope,
                        ReeveLedgerKey *key, GError **error)
{
  g_autofree char *path = g_build_filename (folder, REEVE_LEDGER_BASE_FILE, NULL);
  g_autofree ReeveLedgerBase *found = g_new (ReeveLedgerBase, 1);
  g_autoptr (GError) local = NULL;
  g_autoptr (GBytes) bytes = reeve_ledger_file_read (path, REEVE_LEDGER_BASE_MAX_SIZE, &local);
  const char *text = NULL;
  gsize length = 0;

  *base = NULL;
  if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    return TRUE;
  if (bytes == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  text = g_bytes_get_data (bytes, &length);
  if (!reeve_ledger_base_parse (found, text, length, scope, key, error))
    return FALSE;
  *base = g_steal_pointer (&found);
  return TRUE;
}
