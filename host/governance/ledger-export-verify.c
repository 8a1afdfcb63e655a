/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An export is read line by line, each of a bounded length. The chain hashes name the first record
 * that was changed by somebody who did not change them too; the root under the signature shows
 * that something was in any case. */
#include "ledger-export-verify.h"

#include <string.h>

#include "base/digests.h"

#include "checkpoint.h"
#include "ledger-event.h"
#include "ledger-export.h"
#include "ledger-range.h"
#include "ledger-root.h"
#include "ledger-scanner.h"

/* a record with its event or the hashes of a range, and what stands around them */
#define REEVE_LEDGER_EXPORT_LINE (REEVE_LEDGER_RECORD_MAX_JSON + REEVE_LEDGER_EVENT_MAX_JSON + 1024)
#define REEVE_LEDGER_EXPORT_HASH "{\"hash\":\""
#define REEVE_LEDGER_EXPORT_TEXT "\",\"record\":"

typedef struct
{
  FILE *file;
  ReeveLedgerKey *key;
  char *line;
  gsize length; /* without its end */
  guint64 number;
  char *scope;
  gboolean eventful; /* of a host that writes events */
  GString *event;    /* of one record, as it should be */
  char *arena;
  guint8 *bytes; /* a record as it stands in a log, with the chain hash before it */
  guint8 chain[REEVE_LEDGER_HASH_SIZE];
  ReeveLedgerFrontier frontier;
  guint64 records;
  gboolean separated; /* the line before ended with a comma: another entry must follow */
  guint64 bad_seq;
} ReeveLedgerExportVerify;

static gboolean
reeve_ledger_export_verify_bad (const char *why, GError **error)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, why);
  return FALSE;
}

static gboolean
reeve_ledger_export_verify_read (ReeveLedgerExportVerify *self, GError **error)
{
  self->number++;
  if (fgets (self->line, REEVE_LEDGER_EXPORT_LINE, self->file) == NULL)
    return reeve_ledger_export_verify_bad ("the export is cut off", error);
  self->length = strlen (self->line);
  if (self->length == 0 || self->line[self->length - 1] != '\n')
    return reeve_ledger_export_verify_bad ("the line is too long, cut off, or holds a zero byte",
                                           error);
  self->line[--self->length] = '\0';
  return TRUE;
}

static gboolean
reeve_ledger_export_verify_head (ReeveLedgerExportVerify *self, GError **error)
{
  if (!reeve_ledger_export_verify_read (self, error))
    return FALSE;
  self->eventful = g_str_has_prefix (self->line, REEVE_LEDGER_EXPORT_HEAD);
  if ((!self->eventful && !g_str_has_prefix (self->line, REEVE_LEDGER_EXPORT_HEAD_OLD))
      || !g_str_has_suffix (self->line, REEVE_LEDGER_EXPORT_OPEN)
      || self->length < strlen (REEVE_LEDGER_EXPORT_HEAD REEVE_LEDGER_EXPORT_OPEN))
    return reeve_ledger_export_verify_bad ("this is no JSON export of a ledger", error);
  self->scope
      = g_strndup (self->line + strlen (REEVE_LEDGER_EXPORT_HEAD),
                   self->length - strlen (REEVE_LEDGER_EXPORT_HEAD REEVE_LEDGER_EXPORT_OPEN));
  return reeve_ledger_root_check_scope (self->scope, error);
}

/* One spelling only: small letters. */
static gboolean
reeve_ledger_export_verify_hex (const char *hex, guint8 hash[REEVE_LEDGER_HASH_SIZE],
                                GError **error)
{
  if (strpbrk (hex, "ABCDEF") != NULL)
    return reeve_ledger_export_verify_bad ("a hash has capital letters", error);
  return reeve_digests_from_hex (hex, hash, REEVE_LEDGER_HASH_SIZE, error);
}

/* ---- a record ---- */

/* Where the record's text ends, and (nullable) where its event begins: within a string of a record
 * quotes are escaped, so what stands between them is found nowhere else. */
static const char *
reeve_ledger_export_verify_find_event (ReeveLedgerExportVerify *self, const char **text,
                                       gsize *length)
{
  const char *end = self->line + self->length - 1;
  const char *found = self->eventful ? memmem (*text, *length, REEVE_LEDGER_EXPORT_EVENT,
                                               strlen (REEVE_LEDGER_EXPORT_EVENT))
                                     : NULL;

  if (found != NULL)
    *length = (gsize) (found - *text);
  return found != NULL ? found + strlen (REEVE_LEDGER_EXPORT_EVENT) : end;
}

/* It says what the record says and nothing else. */
static gboolean
reeve_ledger_export_verify_event (ReeveLedgerExportVerify *self, const ReeveLedgerRecord *record,
                                  const guint8 *leaf, const char *event, GError **error)
{
  gsize length = (gsize) (self->line + self->length - 1 - event);

  g_string_truncate (self->event, 0);
  if (self->eventful)
    reeve_ledger_event_write (record, leaf, self->event);
  return (self->event->len == length && memcmp (self->event->str, event, length) == 0)
         || reeve_ledger_export_verify_bad ("the event is not that of the record", error);
}

/* Finds text and event in the line; *text ends where *length says, *event where the line does. */
static gboolean
reeve_ledger_export_verify_cut (ReeveLedgerExportVerify *self, const char **text, gsize *length,
                                const char **event, guint8 *hash, GError **error)
{
  const char *p = self->line + strlen (REEVE_LEDGER_EXPORT_HASH);
  char hex[2 * REEVE_LEDGER_HASH_SIZE + 1] = { 0 };

  if (self->length <= strlen (REEVE_LEDGER_EXPORT_HASH REEVE_LEDGER_EXPORT_TEXT) + sizeof hex
      || self->line[self->length - 1] != '}')
    return reeve_ledger_export_verify_bad ("the entry is not complete", error);
  memcpy (hex, p, sizeof hex - 1);
  p += sizeof hex - 1;
  if (!reeve_ledger_export_verify_hex (hex, hash, error))
    return FALSE;
  if (!g_str_has_prefix (p, REEVE_LEDGER_EXPORT_TEXT))
    return reeve_ledger_export_verify_bad ("the entry has no record", error);
  *text = p + strlen (REEVE_LEDGER_EXPORT_TEXT);
  *length = (gsize) (self->line + self->length - 1 - *text);
  *event = reeve_ledger_export_verify_find_event (self, text, length);
  return *length <= REEVE_LEDGER_RECORD_MAX_JSON
         || reeve_ledger_export_verify_bad ("the record is too long", error);
}

static gboolean
reeve_ledger_export_verify_record (ReeveLedgerExportVerify *self, GError **error)
{
  guint8 hash[REEVE_LEDGER_HASH_SIZE];
  guint8 leaf[REEVE_LEDGER_HASH_SIZE];
  ReeveLedgerRecord record;
  const char *text = NULL;
  const char *event = NULL;
  gsize length = 0;
  guint32 prefix = 0;

  self->bad_seq = self->frontier.size + 1;
  if (!reeve_ledger_export_verify_cut (self, &text, &length, &event, hash, error)
      || !reeve_ledger_record_parse (&record, self->arena, text, length, error))
    return FALSE;
  if (record.seq != self->bad_seq || g_strcmp0 (record.scope, self->scope) != 0)
    return reeve_ledger_export_verify_bad ("another record stands in its place", error);
  prefix = GUINT32_TO_BE ((guint32) length);
  memcpy (self->bytes, self->chain, REEVE_LEDGER_HASH_SIZE);
  memcpy (self->bytes + REEVE_LEDGER_HASH_SIZE, &prefix, sizeof prefix);
  memcpy (self->bytes + REEVE_LEDGER_SCANNER_OVERHEAD, text, length);
  reeve_ledger_scanner_seal (self->bytes + REEVE_LEDGER_HASH_SIZE, length, self->chain, leaf);
  if (memcmp (self->chain, hash, sizeof hash) != 0)
    return reeve_ledger_export_verify_bad ("the record does not follow from the one before", error);
  if (!reeve_ledger_export_verify_event (self, &record, leaf, event, error))
    return FALSE;
  self->records++;
  return reeve_ledger_frontier_add (&self->frontier, leaf)
         || reeve_ledger_export_verify_bad ("the log is too long", error);
}

/* A line that says the same in other words, or more than the verifier reads, is none: whoever reads
 * the export reads all of it. */
static gboolean
reeve_ledger_export_verify_spelling (ReeveLedgerExportVerify *self, const GString *expected,
                                     GError **error)
{
  return strcmp (self->line, expected->str) == 0
         || reeve_ledger_export_verify_bad ("the line is not in the one form that it has", error);
}

/* ---- records left out ---- */

static gboolean
reeve_ledger_export_verify_nodes (JsonArray *nodes, ReeveLedgerRange *range, GError **error)
{
  if (nodes == NULL || json_array_get_length (nodes) != range->length)
    return reeve_ledger_export_verify_bad ("the hashes of what was left out are not as many",
                                           error);
  for (guint i = 0; i < range->length; i++)
    {
      JsonNode *node = json_array_get_element (nodes, i);
      const char *hex
          = json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node) : "";

      if (!reeve_ledger_export_verify_hex (hex, range->nodes[i], error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
reeve_ledger_export_verify_skipped (ReeveLedgerExportVerify *self, GError **error)
{
  g_autoptr (JsonNode) node = reeve_json_parse_strict (self->line, self->length, error);
  JsonObject *skipped = node != NULL && JSON_NODE_HOLDS_OBJECT (node)
                            ? reeve_json_get_object (json_node_get_object (node), "skipped")
                            : NULL;
  g_autoptr (GString) expected = g_string_new (NULL);
  ReeveLedgerRange range;
  const char *hash = NULL;
  gint64 count = 0;

  self->bad_seq = self->frontier.size + 1;
  if (node == NULL)
    return FALSE;
  if (skipped == NULL)
    return reeve_ledger_export_verify_bad ("the line is no entry", error);
  count = reeve_json_get_int (skipped, "count", 0);
  if (count < 1 || !reeve_ledger_range_describe (&range, self->frontier.size, (guint64) count))
    return reeve_ledger_export_verify_bad ("so many records cannot have been left out", error);
  if (!reeve_ledger_export_verify_nodes (reeve_json_get_array (skipped, "nodes"), &range, error))
    return FALSE;
  hash = reeve_json_get_string (skipped, "hash", NULL);
  if (hash == NULL && self->separated)
    return reeve_ledger_export_verify_bad ("the hash of what was left out is missing", error);
  if (hash != NULL && !self->separated)
    return reeve_ledger_export_verify_bad ("a record is missing behind what was left out", error);
  if (hash != NULL && !reeve_ledger_export_verify_hex (hash, self->chain, error))
    return FALSE;
  reeve_ledger_export_format_skipped (&range, hash != NULL ? self->chain : NULL, expected);
  return reeve_ledger_export_verify_spelling (self, expected, error)
         && (reeve_ledger_range_apply (&range, &self->frontier)
             || reeve_ledger_export_verify_bad ("the log is too long", error));
}

/* ---- the end ---- */

static gboolean
reeve_ledger_export_verify_end (ReeveLedgerExportVerify *self, GError **error)
{
  g_autofree char *text = g_strconcat ("{\"entries\":[", self->line, NULL);
  g_autoptr (JsonNode) node = reeve_json_parse_strict (text, strlen (text), error);
  g_autoptr (GString) expected = g_string_new (NULL);
  guint8 root[REEVE_LEDGER_HASH_SIZE];
  ReeveCheckpoint checkpoint = { 0 };
  const char *note = NULL;

  self->bad_seq = 0;
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return FALSE;
  if (fgetc (self->file) != EOF)
    return reeve_ledger_export_verify_bad ("something stands behind the end", error);
  note = reeve_json_get_string (json_node_get_object (node), "checkpoint", "");
  if (!reeve_checkpoint_parse (&checkpoint, note, strlen (note), self->scope, self->key, error))
    return FALSE;
  self->bad_seq = self->frontier.size + 1;
  if (checkpoint.size != self->frontier.size
      || reeve_json_get_int (json_node_get_object (node), "size", -1) != (gint64) checkpoint.size)
    return reeve_ledger_export_verify_bad ("the number of records is not the one that was signed",
                                           error);
  self->bad_seq = 0;
  reeve_ledger_export_format_end (checkpoint.size, note, expected);
  if (!reeve_ledger_export_verify_spelling (self, expected, error))
    return FALSE;
  reeve_ledger_frontier_root (&self->frontier, root);
  return memcmp (root, checkpoint.root, sizeof root) == 0
         || reeve_ledger_export_verify_bad (
             "the root over the records is not the one that was signed", error);
}

static gboolean
reeve_ledger_export_verify_entry (ReeveLedgerExportVerify *self, gboolean *ended, GError **error)
{
  if (!reeve_ledger_export_verify_read (self, error))
    return FALSE;
  *ended = self->line[0] == ']';
  if (*ended != !self->separated && (!*ended || self->frontier.size > 0))
    return reeve_ledger_export_verify_bad ("an entry is missing", error);
  if (*ended)
    return reeve_ledger_export_verify_end (self, error);
  self->separated = self->length > 0 && self->line[self->length - 1] == ',';
  if (self->separated)
    self->line[--self->length] = '\0';
  return g_str_has_prefix (self->line, REEVE_LEDGER_EXPORT_HASH)
             ? reeve_ledger_export_verify_record (self, error)
             : reeve_ledger_export_verify_skipped (self, error);
}

static gboolean
reeve_ledger_export_verify_all (ReeveLedgerExportVerify *self, GError **error)
{
  gboolean ended = FALSE;

  if (!reeve_ledger_export_verify_head (self, error))
    return FALSE;
  self->separated = TRUE;
  while (!ended)
    if (!reeve_ledger_export_verify_entry (self, &ended, error))
      return FALSE;
  return TRUE;
}

/**
 * reeve_ledger_export_verify:
 * @file: a JSON export
 * @key: the public key of the ledger
 *
 * Returns: (transfer full): {scope?, valid, size, records, root} and, when it is not valid, {error,
 * line, bad_seq?}: the first record that is bad, where that can be told
 */
JsonObject *
reeve_ledger_export_verify (FILE *file, ReeveLedgerKey *key)
{
  ReeveLedgerExportVerify self = { .file = file, .key = key };
  g_autofree char *line = self.line = g_malloc (REEVE_LEDGER_EXPORT_LINE);
  g_autofree char *arena = self.arena = g_malloc (REEVE_LEDGER_RECORD_MAX_JSON);
  g_autofree guint8 *bytes = self.bytes
      = g_malloc (REEVE_LEDGER_RECORD_MAX_JSON + REEVE_LEDGER_SCANNER_OVERHEAD);
  g_autoptr (GString) event = self.event = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  gboolean valid = reeve_ledger_export_verify_all (&self, &error);
  g_autofree char *root = NULL;
  guint8 digest[REEVE_LEDGER_HASH_SIZE];
  JsonObject *verdict = json_object_new ();

  reeve_ledger_frontier_root (&self.frontier, digest);
  root = reeve_digests_hex (digest, sizeof digest);
  if (self.scope != NULL)
    json_object_set_string_member (verdict, "scope", self.scope);
  json_object_set_boolean_member (verdict, "valid", valid);
  json_object_set_int_member (verdict, "size", (gint64) self.frontier.size);
  json_object_set_int_member (verdict, "records", (gint64) self.records);
  json_object_set_string_member (verdict, "root", root);
  if (!valid)
    {
      json_object_set_string_member (verdict, "error",
                                     error != NULL ? error->message : "unreadable");
      json_object_set_int_member (verdict, "line", (gint64) self.number);
    }
  if (!valid && self.bad_seq != 0)
    json_object_set_int_member (verdict, "bad_seq", (gint64) self.bad_seq);
  g_free (self.scope);
  return verdict;
}
