/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The canonical JSON (RFC 8785) of a ledger record, written and read by hand from one table.
 *
 * The reader accepts exactly what the writer makes: members in order, no white space, shortest
 * escapes, no member that says nothing. So a text that is read is canonical without being written
 * again, and two texts never mean one record. */
#include "ledger-record.h"

#include <string.h>

#include "ledger-record-text.h"

typedef enum
{
  REEVE_LEDGER_RECORD_STRING,
  REEVE_LEDGER_RECORD_NUMBER,
  REEVE_LEDGER_RECORD_AMOUNT, /* a number that is not written where it is wide … */
  REEVE_LEDGER_RECORD_WIDE,   /* … but here, as decimal text: JSON has no such numbers */
  REEVE_LEDGER_RECORD_KIND,
  REEVE_LEDGER_RECORD_OUTCOME,
  REEVE_LEDGER_RECORD_OBJECT
} ReeveLedgerRecordType;

typedef struct
{
  const char *name;
  const char *opening; /* the name as it is written: a comma, quotes, a colon */
  gsize opening_length;
  ReeveLedgerRecordType type;
  gsize offset; /* of an object: that of the string behind `id` */
  gsize second; /* of an object: that of the string behind `type` */
  gboolean required;
} ReeveLedgerRecordField;

#define AT(member)  G_STRUCT_OFFSET (ReeveLedgerRecord, member)
#define NAMED(name) name, ",\"" name "\":", sizeof (",\"" name "\":") - 1

/* sorted by name, as RFC 8785 wants them written */
static const ReeveLedgerRecordField reeve_ledger_record_fields[] = {
  { NAMED ("action"), REEVE_LEDGER_RECORD_STRING, AT (action), 0, TRUE },
  { NAMED ("actor"), REEVE_LEDGER_RECORD_OBJECT, AT (actor_id), AT (actor_type), FALSE },
  { NAMED ("address"), REEVE_LEDGER_RECORD_STRING, AT (address), 0, FALSE },
  { NAMED ("agent_id"), REEVE_LEDGER_RECORD_STRING, AT (agent_id), 0, FALSE },
  { NAMED ("bytes_received"), REEVE_LEDGER_RECORD_NUMBER, AT (bytes_received), 0, FALSE },
  { NAMED ("bytes_sent"), REEVE_LEDGER_RECORD_NUMBER, AT (bytes_sent), 0, FALSE },
  { NAMED ("cost"), REEVE_LEDGER_RECORD_AMOUNT, AT (cost), 0, FALSE },
  { NAMED ("cost_center"), REEVE_LEDGER_RECORD_STRING, AT (cost_center), 0, FALSE },
  { NAMED ("cost_wide"), REEVE_LEDGER_RECORD_WIDE, AT (cost), 0, FALSE },
  { NAMED ("count"), REEVE_LEDGER_RECORD_NUMBER, AT (count), 0, FALSE },
  { NAMED ("currency"), REEVE_LEDGER_RECORD_STRING, AT (currency), 0, FALSE },
  { NAMED ("delegated_user_id"), REEVE_LEDGER_RECORD_STRING, AT (delegated_user_id), 0, FALSE },
  { NAMED ("department"), REEVE_LEDGER_RECORD_STRING, AT (department), 0, FALSE },
  { NAMED ("door"), REEVE_LEDGER_RECORD_STRING, AT (door), 0, FALSE },
  { NAMED ("epoch"), REEVE_LEDGER_RECORD_NUMBER, AT (epoch), 0, TRUE },
  { NAMED ("estimated"), REEVE_LEDGER_RECORD_NUMBER, AT (estimated), 0, FALSE },
  { NAMED ("input_digest"), REEVE_LEDGER_RECORD_STRING, AT (input_digest), 0, FALSE },
  { NAMED ("input_tokens"), REEVE_LEDGER_RECORD_NUMBER, AT (input_tokens), 0, FALSE },
  { NAMED ("intent"), REEVE_LEDGER_RECORD_NUMBER, AT (intent), 0, FALSE },
  { NAMED ("kept"), REEVE_LEDGER_RECORD_NUMBER, AT (kept), 0, FALSE },
  { NAMED ("key_id"), REEVE_LEDGER_RECORD_STRING, AT (key_id), 0, FALSE },
  { NAMED ("kind"), REEVE_LEDGER_RECORD_KIND, AT (kind), 0, TRUE },
  { NAMED ("latency_us"), REEVE_LEDGER_RECORD_NUMBER, AT (latency_us), 0, FALSE },
  { NAMED ("model"), REEVE_LEDGER_RECORD_STRING, AT (model), 0, FALSE },
  { NAMED ("outcome"), REEVE_LEDGER_RECORD_OUTCOME, AT (outcome), 0, FALSE },
  { NAMED ("output_digest"), REEVE_LEDGER_RECORD_STRING, AT (output_digest), 0, FALSE },
  { NAMED ("output_tokens"), REEVE_LEDGER_RECORD_NUMBER, AT (output_tokens), 0, FALSE },
  { NAMED ("parent"), REEVE_LEDGER_RECORD_NUMBER, AT (parent), 0, FALSE },
  { NAMED ("plugin_id"), REEVE_LEDGER_RECORD_STRING, AT (plugin_id), 0, FALSE },
  { NAMED ("project"), REEVE_LEDGER_RECORD_STRING, AT (project), 0, FALSE },
  { NAMED ("reason"), REEVE_LEDGER_RECORD_STRING, AT (reason), 0, FALSE },
  { NAMED ("reserved_cost"), REEVE_LEDGER_RECORD_AMOUNT, AT (reserved_cost), 0, FALSE },
  { NAMED ("reserved_cost_wide"), REEVE_LEDGER_RECORD_WIDE, AT (reserved_cost), 0, FALSE },
  { NAMED ("reserved_tokens"), REEVE_LEDGER_RECORD_NUMBER, AT (reserved_tokens), 0, FALSE },
  { NAMED ("resource"), REEVE_LEDGER_RECORD_OBJECT, AT (resource_id), AT (resource_type), FALSE },
  { NAMED ("run_id"), REEVE_LEDGER_RECORD_STRING, AT (run_id), 0, FALSE },
  { NAMED ("scope"), REEVE_LEDGER_RECORD_STRING, AT (scope), 0, TRUE },
  { NAMED ("seq"), REEVE_LEDGER_RECORD_NUMBER, AT (seq), 0, TRUE },
  { NAMED ("session_id"), REEVE_LEDGER_RECORD_STRING, AT (session_id), 0, FALSE },
  { NAMED ("source"), REEVE_LEDGER_RECORD_STRING, AT (source), 0, FALSE },
  { NAMED ("state_digest"), REEVE_LEDGER_RECORD_STRING, AT (state_digest), 0, FALSE },
  { NAMED ("time"), REEVE_LEDGER_RECORD_NUMBER, AT (time), 0, TRUE },
  { NAMED ("tool_name"), REEVE_LEDGER_RECORD_STRING, AT (tool_name), 0, FALSE },
  { NAMED ("trace_id"), REEVE_LEDGER_RECORD_STRING, AT (trace_id), 0, FALSE },
  { NAMED ("workspace_id"), REEVE_LEDGER_RECORD_STRING, AT (workspace_id), 0, FALSE },
};

#undef AT
#undef NAMED

static const char *const reeve_ledger_record_kinds[]
    = { "intent", "outcome", "read", "refusal", "event" };
static const char *const reeve_ledger_record_outcomes[]
    = { "", "succeeded", "failed", "blocked", "unknown" };

/**
 * reeve_ledger_record_kind_name:
 * @kind: a kind
 *
 * Returns: (transfer none): its name in a record
 */
const char *
reeve_ledger_record_kind_name (ReeveLedgerKind kind)
{
  g_return_val_if_fail ((guint) kind < G_N_ELEMENTS (reeve_ledger_record_kinds), "");
  return reeve_ledger_record_kinds[kind];
}

/**
 * reeve_ledger_record_outcome_name:
 * @outcome: an outcome
 *
 * Returns: (transfer none): its name in a record; the empty string for none
 */
const char *
reeve_ledger_record_outcome_name (ReeveOutcome outcome)
{
  g_return_val_if_fail ((guint) outcome < G_N_ELEMENTS (reeve_ledger_record_outcomes), "");
  return reeve_ledger_record_outcomes[outcome];
}

static void
reeve_ledger_record_keep_at (ReeveLedgerRecord *self, gsize offset, GStringChunk *strings)
{
  const char **text = &G_STRUCT_MEMBER (const char *, self, offset);

  if (*text != NULL)
    *text = g_string_chunk_insert (strings, *text);
}

/**
 * reeve_ledger_record_keep:
 * @self: a record, whose strings are borrowed
 * @strings: where they lie from now on
 */
void
reeve_ledger_record_keep (ReeveLedgerRecord *self, GStringChunk *strings)
{
  for (guint i = 0; i < G_N_ELEMENTS (reeve_ledger_record_fields); i++)
    {
      const ReeveLedgerRecordField *field = &reeve_ledger_record_fields[i];

      if (field->type == REEVE_LEDGER_RECORD_STRING || field->type == REEVE_LEDGER_RECORD_OBJECT)
        reeve_ledger_record_keep_at (self, field->offset, strings);
      if (field->type == REEVE_LEDGER_RECORD_OBJECT)
        reeve_ledger_record_keep_at (self, field->second, strings);
    }
}

/* writer */

/* `,"name":` or `{"name":`. */
static void
reeve_ledger_record_write_name (GString *json, const ReeveLedgerRecordField *field, gsize start)
{
  gsize at = json->len;

  reeve_ledger_record_write_bytes (json, field->opening, field->opening_length);
  if (at == start)
    json->str[at] = '{';
}

/* The same inside an object. */
static void
reeve_ledger_record_write_inner (GString *json, const char *name, gsize start)
{
  reeve_ledger_record_write_bytes (json, json->len == start ? "{\"" : ",\"", 2);
  reeve_ledger_record_write_bytes (json, name, strlen (name));
  reeve_ledger_record_write_bytes (json, "\":", 2);
}

static gboolean
reeve_ledger_record_write_object (GString *json, const ReeveLedgerRecordField *field,
                                  const char *id, const char *type, gsize start, GError **error)
{
  gsize inner = 0;
  gsize plain = 0;

  if ((id == NULL || *id == 0) && (type == NULL || *type == 0))
    return TRUE;
  reeve_ledger_record_write_name (json, field, start);
  inner = json->len;
  if (id != NULL && *id != 0)
    {
      if (!reeve_ledger_record_check_string (field->name, id, &plain, error))
        return FALSE;
      reeve_ledger_record_write_inner (json, "id", inner);
      reeve_ledger_record_write_string (json, id, plain);
    }
  if (type != NULL && *type != 0)
    {
      if (!reeve_ledger_record_check_string (field->name, type, &plain, error))
        return FALSE;
      reeve_ledger_record_write_inner (json, "type", inner);
      reeve_ledger_record_write_string (json, type, plain);
    }
  g_string_append_c (json, '}');
  return TRUE;
}

/* The text of a string-like field; NULL or empty when it is not to be written. */
static const char *
reeve_ledger_record_text (const ReeveLedgerRecord *self, const ReeveLedgerRecordField *field)
{
  if (field->type == REEVE_LEDGER_RECORD_KIND)
    return reeve_ledger_record_kind_name (self->kind);
  if (field->type == REEVE_LEDGER_RECORD_OUTCOME)
    return reeve_ledger_record_outcome_name (self->outcome);
  return G_STRUCT_MEMBER (const char *, self, field->offset);
}

static gboolean
reeve_ledger_record_write_text (const ReeveLedgerRecord *self, const ReeveLedgerRecordField *field,
                                GString *json, gsize start, GError **error)
{
  const char *value = reeve_ledger_record_text (self, field);
  gsize plain = 0;

  if (value == NULL || *value == 0)
    {
      if (!field->required)
        return TRUE;
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "a ledger record needs its member %s", field->name);
      return FALSE;
    }
  if (!reeve_ledger_record_check_string (field->name, value, &plain, error))
    return FALSE;
  reeve_ledger_record_write_name (json, field, start);
  reeve_ledger_record_write_string (json, value, plain);
  return TRUE;
}

static gboolean
reeve_ledger_record_write_count (const ReeveLedgerRecord *self, const ReeveLedgerRecordField *field,
                                 GString *json, gsize start, GError **error)
{
  guint64 value = G_STRUCT_MEMBER (guint64, self, field->offset);

  if (value > (guint64) REEVE_LEDGER_RECORD_MAX_NUMBER)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "%s of a ledger record is out of range", field->name);
      return FALSE;
    }
  if (value == 0 && !field->required)
    return TRUE;
  reeve_ledger_record_write_name (json, field, start);
  reeve_ledger_record_write_number (json, value);
  return TRUE;
}

/* One of the two says it, as it is wide or not. */
static gboolean
reeve_ledger_record_write_amount (const ReeveLedgerRecord *self,
                                  const ReeveLedgerRecordField *field, GString *json, gsize start,
                                  GError **error)
{
  gint64 value = G_STRUCT_MEMBER (gint64, self, field->offset);

  if ((value > REEVE_LEDGER_RECORD_MAX_NUMBER) != (field->type == REEVE_LEDGER_RECORD_WIDE))
    return TRUE;
  if (field->type == REEVE_LEDGER_RECORD_AMOUNT)
    return reeve_ledger_record_write_count (self, field, json, start, error);
  reeve_ledger_record_write_name (json, field, start);
  g_string_append_c (json, '"');
  reeve_ledger_record_write_number (json, (guint64) value);
  g_string_append_c (json, '"');
  return TRUE;
}

/**
 * reeve_ledger_record_format:
 * @self: a record
 * @json: where the text is appended
 * @seq_at: (out) (optional): when given, the number behind `"seq":` is left out, and this is its
 * place in @json
 * @error: return location
 *
 * Writes the canonical JSON of a record. The writer thread alone knows the number of a record, the
 * caller's thread has the time to write the rest.
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT when a member is missing, out of range, too
 * long or not UTF-8
 */
gboolean
reeve_ledger_record_format (const ReeveLedgerRecord *self, GString *json, gsize *seq_at,
                            GError **error)
{
  gsize start = json->len;

  for (guint i = 0; i < G_N_ELEMENTS (reeve_ledger_record_fields); i++)
    {
      const ReeveLedgerRecordField *field = &reeve_ledger_record_fields[i];
      gboolean ok = TRUE;

      if (seq_at != NULL && field->offset == G_STRUCT_OFFSET (ReeveLedgerRecord, seq))
        {
          reeve_ledger_record_write_name (json, field, start);
          *seq_at = json->len;
        }
      else if (field->type == REEVE_LEDGER_RECORD_NUMBER)
        ok = reeve_ledger_record_write_count (self, field, json, start, error);
      else if (field->type == REEVE_LEDGER_RECORD_AMOUNT || field->type == REEVE_LEDGER_RECORD_WIDE)
        ok = reeve_ledger_record_write_amount (self, field, json, start, error);
      else if (field->type == REEVE_LEDGER_RECORD_OBJECT)
        ok = reeve_ledger_record_write_object (
            json, field, G_STRUCT_MEMBER (const char *, self, field->offset),
            G_STRUCT_MEMBER (const char *, self, field->second), start, error);
      else
        ok = reeve_ledger_record_write_text (self, field, json, start, error);
      if (!ok)
        return FALSE;
    }
  g_string_append_c (json, '}');
  return TRUE;
}

/* reader */

typedef struct
{
  const char *at;
  const char *end;
  char *arena;
} ReeveLedgerRecordReader;

static gboolean
reeve_ledger_record_literal (ReeveLedgerRecordReader *reader, const char *text, gsize length)
{
  if ((gsize) (reader->end - reader->at) < length || memcmp (reader->at, text, length) != 0)
    return FALSE;
  reader->at += length;
  return TRUE;
}

/* An escape sequence behind its backslash, in its only canonical form; -1 when it is none. */
static int
reeve_ledger_record_read_escape (ReeveLedgerRecordReader *reader)
{
  static const char letters[] = "\"\\bfnrt";
  static const char values[] = "\"\\\b\f\n\r\t";
  const char *letter = NULL;
  int value = 0;

  if (reader->at == reader->end || *reader->at == 0)
    return -1;
  letter = strchr (letters, *reader->at);
  if (letter != NULL)
    {
      reader->at++;
      return values[letter - letters];
    }
  if (!reeve_ledger_record_literal (reader, "u00", 3) || reader->end - reader->at < 2)
    return -1;
  for (int i = 0; i < 2; i++, reader->at++)
    {
      if (!g_ascii_isxdigit (*reader->at) || g_ascii_isupper (*reader->at))
        return -1;
      value = value * 16 + g_ascii_xdigit_value (*reader->at);
    }
  /* NUL never is in a record, and what has a shorter form must use it */
  if (value == 0 || value >= 0x20 || reeve_ledger_record_short_escape ((guchar) value) != 0)
    return -1;
  return value;
}

/* A string, unescaped into the arena; NULL when it is malformed, empty or too long. */
static const char *
reeve_ledger_record_read_string (ReeveLedgerRecordReader *reader)
{
  char *start = reader->arena;
  char *to = start; /* not the reader's, which each byte that is written might be */
  const char *at = NULL;
  gsize plain = 0;
  int all = 0;

  if (!reeve_ledger_record_literal (reader, "\"", 1))
    return NULL;
  plain = reeve_ledger_record_measure_plain (reader->at, (gsize) (reader->end - reader->at));
  memcpy (to, reader->at, plain);
  to += plain;
  for (at = reader->at + plain; at < reader->end && *at != '"';)
    {
      int c = (guchar) *at++;

      if (c == '\\')
        {
          reader->at = at;
          c = reeve_ledger_record_read_escape (reader);
          at = reader->at;
        }
      else if (c < 0x20)
        return NULL;
      if (c < 0)
        return NULL;
      all |= c;
      *to++ = (char) c;
    }
  reader->at = at;
  if (!reeve_ledger_record_literal (reader, "\"", 1) || to == start
      || to - start > REEVE_LEDGER_RECORD_MAX_STRING
      || (all >= 0x80 && !g_utf8_validate_len (start, (gsize) (to - start), NULL)))
    return NULL;
  *to++ = 0;
  reader->arena = to;
  return start;
}

static gboolean
reeve_ledger_record_read_number (ReeveLedgerRecordReader *reader, guint64 *value)
{
  const char *start = reader->at;

  *value = 0;
  for (; reader->at < reader->end && g_ascii_isdigit (*reader->at); reader->at++)
    {
      if (reader->at - start >= 16)
        return FALSE;
      *value = *value * 10 + (guint64) (*reader->at - '0');
    }
  return reader->at > start && (*start != '0' || reader->at - start == 1)
         && *value <= (guint64) REEVE_LEDGER_RECORD_MAX_NUMBER;
}

/* What was not read as a number, and could not have been written as one. */
static gboolean
reeve_ledger_record_read_wide (ReeveLedgerRecordReader *reader, gint64 *value)
{
  const char *text = *value == 0 ? reeve_ledger_record_read_string (reader) : NULL;

  return text != NULL && reeve_ledger_record_parse_wide (text, value);
}

/* One of @names, from the @from-th on. */
static gboolean
reeve_ledger_record_read_name (ReeveLedgerRecordReader *reader, const char *const *names,
                               guint from, guint count, guint *value)
{
  const char *text = reeve_ledger_record_read_string (reader);

  for (guint i = from; text != NULL && i < count; i++)
    if (strcmp (names[i], text) == 0)
      {
        *value = i;
        return TRUE;
      }
  return FALSE;
}

/* `{"id":…,"type":…}` with one of both or both. */
static gboolean
reeve_ledger_record_read_object (ReeveLedgerRecordReader *reader, const char **id,
                                 const char **type)
{
  gboolean first = TRUE;

  if (reeve_ledger_record_literal (reader, "{\"id\":", 6))
    {
      *id = reeve_ledger_record_read_string (reader);
      if (*id == NULL)
        return FALSE;
      first = FALSE;
    }
  if (reeve_ledger_record_literal (reader, first ? "{\"type\":" : ",\"type\":", 8))
    {
      *type = reeve_ledger_record_read_string (reader);
      if (*type == NULL)
        return FALSE;
      first = FALSE;
    }
  return !first && reeve_ledger_record_literal (reader, "}", 1);
}

static gboolean
reeve_ledger_record_read_value (ReeveLedgerRecord *self, const ReeveLedgerRecordField *field,
                                ReeveLedgerRecordReader *reader)
{
  guint choice = 0;
  guint64 *number = NULL;

  switch (field->type)
    {
    case REEVE_LEDGER_RECORD_WIDE:
      return reeve_ledger_record_read_wide (reader, &G_STRUCT_MEMBER (gint64, self, field->offset));
    case REEVE_LEDGER_RECORD_AMOUNT:
    case REEVE_LEDGER_RECORD_NUMBER:
      number = &G_STRUCT_MEMBER (guint64, self, field->offset);
      return reeve_ledger_record_read_number (reader, number) && (*number != 0 || field->required);
    case REEVE_LEDGER_RECORD_OBJECT:
      return reeve_ledger_record_read_object (reader,
                                              &G_STRUCT_MEMBER (const char *, self, field->offset),
                                              &G_STRUCT_MEMBER (const char *, self, field->second));
    case REEVE_LEDGER_RECORD_KIND:
      if (!reeve_ledger_record_read_name (reader, reeve_ledger_record_kinds, 0,
                                          G_N_ELEMENTS (reeve_ledger_record_kinds), &choice))
        return FALSE;
      self->kind = (ReeveLedgerKind) choice;
      return TRUE;
    case REEVE_LEDGER_RECORD_OUTCOME:
      if (!reeve_ledger_record_read_name (reader, reeve_ledger_record_outcomes, 1,
                                          G_N_ELEMENTS (reeve_ledger_record_outcomes), &choice))
        return FALSE;
      self->outcome = (ReeveOutcome) choice;
      return TRUE;
    case REEVE_LEDGER_RECORD_STRING:
    default:
      G_STRUCT_MEMBER (const char *, self, field->offset)
          = reeve_ledger_record_read_string (reader);
      return G_STRUCT_MEMBER (const char *, self, field->offset) != NULL;
    }
}

/* Does the member come next? Moves behind its colon if so. Most are not there: the letter in
 * front says so of nearly all. */
static gboolean
reeve_ledger_record_next_is (ReeveLedgerRecordReader *reader, const ReeveLedgerRecordField *field,
                             gboolean first)
{
  if ((gsize) (reader->end - reader->at) < field->opening_length
      || reader->at[2] != field->opening[2] || *reader->at != (first ? '{' : ',')
      || memcmp (reader->at + 1, field->opening + 1, field->opening_length - 1) != 0)
    return FALSE;
  reader->at += field->opening_length;
  return TRUE;
}

/**
 * reeve_ledger_record_parse:
 * @self: (out caller-allocates): the record; its strings lie in @arena
 * @arena: (out caller-allocates): room for at least @length bytes
 * @json: a text; needs no terminator
 * @length: bytes of it
 * @error: return location
 *
 * Reads one record. Allocates nothing, so that verification runs at the speed of the hash.
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT, naming the place, when @json is anything but the
 * canonical text of a record
 */
gboolean
reeve_ledger_record_parse (ReeveLedgerRecord *self, char *arena, const char *json, gsize length,
                           GError **error)
{
  ReeveLedgerRecordReader reader = { json, json + length, arena };
  gboolean first = TRUE;
  gboolean ok = length <= REEVE_LEDGER_RECORD_MAX_JSON;

  memset (self, 0, sizeof *self);
  for (guint i = 0; ok && i < G_N_ELEMENTS (reeve_ledger_record_fields); i++)
    {
      const ReeveLedgerRecordField *field = &reeve_ledger_record_fields[i];

      if (reeve_ledger_record_next_is (&reader, field, first))
        {
          ok = reeve_ledger_record_read_value (self, field, &reader);
          first = FALSE;
        }
      else
        ok = !field->required;
    }
  if (ok && reeve_ledger_record_literal (&reader, "}", 1) && reader.at == reader.end)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
               "the record is not canonical at byte %" G_GSIZE_FORMAT, (gsize) (reader.at - json));
  return FALSE;
}
