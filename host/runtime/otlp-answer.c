/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* By the OTLP specification: 200 with or without partial_success; 429, 502, 503 and 504 are to be
 * tried again, by Retry-After where there is one; nothing else is. */
#include "otlp-answer.h"

#include <reeve-json.h>
#include <stdio.h>
#include <string.h>

#include "base/plain.h"

/* (transfer full) (nullable): one short line */
static char *
reeve_otlp_answer_cut (const char *text)
{
  g_autofree char *cut = text != NULL ? g_strndup (text, REEVE_OTLP_ANSWER_TEXT - 4) : NULL;
  g_autofree char *valid = cut != NULL ? g_utf8_make_valid (cut, -1) : NULL;

  if (valid == NULL || *valid == '\0')
    return NULL;
  /* each byte that was no text has become three */
  if (strlen (valid) > REEVE_OTLP_ANSWER_TEXT)
    *g_utf8_find_prev_char (valid, valid + REEVE_OTLP_ANSWER_TEXT) = '\0';
  return reeve_plain_make_line (valid);
}

/* An int64, which proto3's JSON writes as a string, and reads as a number too. */
static guint64
reeve_otlp_answer_read_count (JsonObject *object, const char *member)
{
  const char *text = reeve_json_get_string (object, member, NULL);

  if (text != NULL)
    return g_ascii_isdigit (*text) ? g_ascii_strtoull (text, NULL, 10) : 0;
  return (guint64) MAX (reeve_json_get_int (object, member, 0), 0);
}

static void
reeve_otlp_answer_read_partial (JsonObject *partial, ReeveOtlpAnswer *answer)
{
  answer->rejected = MAX (reeve_otlp_answer_read_count (partial, "rejectedSpans"),
                          reeve_otlp_answer_read_count (partial, "rejectedDataPoints"));
  answer->text = reeve_otlp_answer_cut (reeve_json_get_string (partial, "errorMessage", NULL));
  /* neither is the same as not there; a message alone is a warning, and everything was taken */
  if (answer->rejected > 0 || answer->text != NULL)
    answer->kind = REEVE_OTLP_ANSWER_PARTLY;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7); -1 for anything else */
static gint64
reeve_otlp_answer_read_date (const char *text)
{
  static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  char month[4] = { 0 };
  int day = 0, year = 0, hour = 0, minute = 0, second = 0;
  const char *at = NULL;
  g_autoptr (GDateTime) date = NULL;

  if (strlen (text) != 29
      || sscanf (text + 5, "%2d %3s %4d %2d:%2d:%2d GMT", &day, month, &year, &hour, &minute,
                 &second)
             != 6)
    return -1;
  at = strlen (month) == 3 ? strstr (months, month) : NULL;
  if (at == NULL || (at - months) % 3 != 0)
    return -1;
  date = g_date_time_new_utc (year, (gint) (at - months) / 3 + 1, day, hour, minute, second);
  return date != NULL ? g_date_time_to_unix (date) : -1;
}

static gint
reeve_otlp_answer_read_wait (const char *text, gint64 now)
{
  gint64 date = -1;

  if (text == NULL)
    return -1;
  if (g_ascii_isdigit (*text) && strspn (text, "0123456789") == strlen (text))
    return (gint) MIN (g_ascii_strtoull (text, NULL, 10), REEVE_OTLP_ANSWER_WAIT);
  date = reeve_otlp_answer_read_date (text);
  return date < 0 ? -1 : (gint) CLAMP (date - now / G_USEC_PER_SEC, 0, REEVE_OTLP_ANSWER_WAIT);
}

/**
 * reeve_otlp_answer_read:
 * @status: HTTP status
 * @retry_after: (nullable): value of the header
 * @now: µs since the epoch
 * @body: the answer, not ended by a NUL
 * @length: bytes of @body
 * @answer: (out caller-allocates): what it means
 *
 * Members that it does not know are nothing to it, and neither is a body that it cannot read.
 */
void
reeve_otlp_answer_read (guint status, const char *retry_after, gint64 now, const char *body,
                        gsize length, ReeveOtlpAnswer *answer)
{
  g_autoptr (JsonNode) node = length > 0 && length <= REEVE_OTLP_ANSWER_LONGEST
                                  ? reeve_json_parse_strict (body, length, NULL)
                                  : NULL;
  JsonObject *object
      = node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  JsonObject *partial = object != NULL ? reeve_json_get_object (object, "partialSuccess") : NULL;

  *answer = (ReeveOtlpAnswer){ .kind = REEVE_OTLP_ANSWER_TAKEN, .wait = -1 };
  if (status >= 200 && status < 300)
    {
      if (partial != NULL)
        reeve_otlp_answer_read_partial (partial, answer);
      return;
    }
  answer->kind = status == 429 || (status >= 502 && status <= 504) ? REEVE_OTLP_ANSWER_LATER
                                                                   : REEVE_OTLP_ANSWER_REFUSED;
  answer->wait = reeve_otlp_answer_read_wait (retry_after, now);
  /* google.rpc.Status */
  if (object != NULL)
    answer->text = reeve_otlp_answer_cut (reeve_json_get_string (object, "message", NULL));
}

void
reeve_otlp_answer_clear (ReeveOtlpAnswer *answer)
{
  g_clear_pointer (&answer->text, g_free);
}
