/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* W3C Trace Context, https://www.w3.org/TR/trace-context-2/: what breaks a rule is dropped as a
 * whole, and the trace begins anew here. */
#include "trace.h"

#include <string.h>

#include "digests.h"
#include "ids.h"

/* one more is one too many (3.3.1.1) */
#define REEVE_TRACE_MEMBERS 32
#define REEVE_TRACE_KEY     256
#define REEVE_TRACE_VALUE   256
#define REEVE_TRACE_TENANT  241
#define REEVE_TRACE_SYSTEM  14

/* what everybody must be able to pass on; of more, long members go first (3.3.1.5) */
#define REEVE_TRACE_STATE_KEPT 512
#define REEVE_TRACE_STATE_LONG 128

static gboolean
reeve_trace_is_hex (const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isdigit (text[i]) && (text[i] < 'a' || text[i] > 'f'))
      return FALSE;
  return TRUE;
}

static gboolean
reeve_trace_is_id (const char *text, gsize length)
{
  return reeve_trace_is_hex (text, length) && strspn (text, "0") < length;
}

/**
 * reeve_trace_parse:
 * @traceparent: (nullable): value of the header
 * @trace: (out caller-allocates): what it says
 *
 * By section 3.2: version 00 has exactly its four fields, `ff` is none, of a later version the same
 * four are read. Flags that this version does not know are not passed on.
 *
 * Returns: %FALSE when it is malformed, and nothing was written
 */
gboolean
reeve_trace_parse (const char *traceparent, ReeveTrace *trace)
{
  gsize length = traceparent != NULL ? strlen (traceparent) : 0;
  guint8 flags = 0;

  if (length < REEVE_TRACE_LENGTH || !reeve_trace_is_hex (traceparent, 2)
      || strncmp (traceparent, "ff", 2) == 0 || traceparent[2] != '-' || traceparent[35] != '-'
      || traceparent[52] != '-')
    return FALSE;
  if (length > REEVE_TRACE_LENGTH
      && (strncmp (traceparent, "00", 2) == 0 || traceparent[REEVE_TRACE_LENGTH] != '-'))
    return FALSE;
  if (!reeve_trace_is_id (traceparent + 3, 32) || !reeve_trace_is_id (traceparent + 36, 16)
      || !reeve_trace_is_hex (traceparent + 53, 2))
    return FALSE;
  flags = (guint8) (g_ascii_xdigit_value (traceparent[53]) << 4
                    | g_ascii_xdigit_value (traceparent[54]));
  memcpy (trace->trace_id, traceparent + 3, 32);
  memcpy (trace->span_id, traceparent + 36, 16);
  trace->trace_id[32] = trace->span_id[16] = '\0';
  trace->flags = flags & (REEVE_TRACE_SAMPLED | REEVE_TRACE_RANDOM);
  return TRUE;
}

/**
 * reeve_trace_write:
 * @trace: a place
 * @text: (out caller-allocates): its traceparent, of version 00
 */
void
reeve_trace_write (const ReeveTrace *trace, char text[REEVE_TRACE_LENGTH + 1])
{
  text[0] = text[1] = '0';
  text[2] = '-';
  memcpy (text + 3, trace->trace_id, 32);
  text[35] = '-';
  memcpy (text + 36, trace->span_id, 16);
  text[52] = '-';
  reeve_digests_write_hex (&trace->flags, 1, text + 53);
}

/* 0 is no id: once in 2^64 it would be drawn */
static void
reeve_trace_fill (char *hex, gsize length)
{
  guint8 bytes[16] = { 0 };

  do
    {
      reeve_ids_fill_name (bytes, length);
      reeve_digests_write_hex (bytes, length, hex);
    }
  while (strspn (hex, "0") == 2 * length);
}

/**
 * reeve_trace_make:
 * @trace: (out caller-allocates): a place in a trace of its own, not sampled
 */
void
reeve_trace_make (ReeveTrace *trace)
{
  reeve_trace_fill (trace->trace_id, 16);
  reeve_trace_fill (trace->span_id, 8);
  trace->flags = REEVE_TRACE_RANDOM;
}

/**
 * reeve_trace_make_span:
 * @trace: a place, that becomes another one of the same trace
 */
void
reeve_trace_make_span (ReeveTrace *trace)
{
  reeve_trace_fill (trace->span_id, 8);
}

/* ---- tracestate ---- */

static gboolean
reeve_trace_is_key_part (const char *text, gsize length, gsize most, gboolean digit)
{
  if (length == 0 || length > most
      || !(g_ascii_islower (*text) || (digit && g_ascii_isdigit (*text))))
    return FALSE;
  for (gsize i = 1; i < length; i++)
    if (!g_ascii_islower (text[i]) && !g_ascii_isdigit (text[i])
        && (text[i] == '\0' || strchr ("_-*/", text[i]) == NULL))
      return FALSE;
  return TRUE;
}

/* simple-key, or tenant-id "@" system-id */
static gboolean
reeve_trace_is_key (const char *text, gsize length)
{
  const char *at = memchr (text, '@', length);
  gsize tenant = at != NULL ? (gsize) (at - text) : 0;

  if (at == NULL)
    return reeve_trace_is_key_part (text, length, REEVE_TRACE_KEY, FALSE);
  return reeve_trace_is_key_part (text, tenant, REEVE_TRACE_TENANT, TRUE)
         && reeve_trace_is_key_part (at + 1, length - tenant - 1, REEVE_TRACE_SYSTEM, FALSE);
}

static gboolean
reeve_trace_is_value (const char *text, gsize length)
{
  if (length == 0 || length > REEVE_TRACE_VALUE || text[length - 1] == ' ')
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (text[i] < 0x20 || text[i] > 0x7e || text[i] == ',' || text[i] == '=')
      return FALSE;
  return TRUE;
}

/* One member with white space around it taken off: FALSE when it is none. */
static gboolean
reeve_trace_add_member (GPtrArray *members, GHashTable *keys, const char *text)
{
  const char *equals = strchr (text, '=');
  gsize length = equals != NULL ? (gsize) (equals - text) : 0;

  if (equals == NULL || !reeve_trace_is_key (text, length)
      || !reeve_trace_is_value (equals + 1, strlen (equals + 1))
      || !g_hash_table_add (keys, g_strndup (text, length)))
    return FALSE;
  g_ptr_array_add (members, g_strdup (text));
  return members->len <= REEVE_TRACE_MEMBERS;
}

static gsize
reeve_trace_measure (GPtrArray *members)
{
  gsize total = members->len > 0 ? members->len - 1 : 0;

  for (guint i = 0; i < members->len; i++)
    total += strlen (members->pdata[i]);
  return total;
}

/* Members are taken away whole: long ones first, then the oldest, which stand at the end. */
static void
reeve_trace_shorten (GPtrArray *members)
{
  for (guint i = members->len; i > 0 && reeve_trace_measure (members) > REEVE_TRACE_STATE_KEPT; i--)
    if (strlen (members->pdata[i - 1]) > REEVE_TRACE_STATE_LONG)
      g_ptr_array_remove_index (members, i - 1);
  while (reeve_trace_measure (members) > REEVE_TRACE_STATE_KEPT)
    g_ptr_array_remove_index (members, members->len - 1);
}

/**
 * reeve_trace_read_state:
 * @tracestate: (nullable): value of the header, several of them joined by commas
 *
 * By section 3.3: one malformed member, a key that comes twice or more than 32 members make it
 * worth nothing. Empty members are left out.
 *
 * Returns: (transfer full) (nullable): at most 512 bytes that may be passed on
 */
char *
reeve_trace_read_state (const char *tracestate)
{
  g_autoptr (GPtrArray) members = NULL;
  g_autoptr (GHashTable) keys = NULL;
  g_auto (GStrv) parts = NULL;

  if (tracestate == NULL || *tracestate == '\0'
      || strnlen (tracestate, REEVE_TRACE_STATE_LONGEST + 1) > REEVE_TRACE_STATE_LONGEST)
    return NULL;
  members = g_ptr_array_new_with_free_func (g_free);
  keys = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  parts = g_strsplit (tracestate, ",", -1);
  for (char **part = parts; *part != NULL; part++)
    {
      char *text = *part + strspn (*part, " \t");
      gsize length = strlen (text);

      while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        text[--length] = '\0';
      if (length > 0 && !reeve_trace_add_member (members, keys, text))
        return NULL;
    }
  reeve_trace_shorten (members);
  if (members->len == 0)
    return NULL;
  g_ptr_array_add (members, NULL);
  return g_strjoinv (",", (char **) members->pdata);
}
