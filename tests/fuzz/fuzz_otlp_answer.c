/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a collector answers: the first byte picks the status, the first line is Retry-After, the
 * rest the body. It never asks for a longer wait than is granted, and what is told of it is one
 * short line. */
/* covers: host/runtime/otlp-answer.c */
#include <string.h>

#include "runtime/otlp-answer.h"

/* 2026-11-22T00:00:00Z */
#define NOW (G_GINT64_CONSTANT (1795305600) * G_USEC_PER_SEC)

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const guint statuses[] = { 200, 202, 400, 404, 429, 500, 502, 503, 504, 0 };
  guint status = statuses[size > 0 ? data[0] % G_N_ELEMENTS (statuses) : 0];
  g_autofree char *text = size > 0 ? g_strndup ((const char *) data + 1, size - 1) : g_strdup ("");
  char *body = strchr (text, '\n');
  g_auto (ReeveOtlpAnswer) answer = { 0 };

  if (body != NULL)
    *body++ = '\0';
  reeve_otlp_answer_read (status, text, NOW, body != NULL ? body : "",
                          body != NULL ? strlen (body) : 0, &answer);
  g_assert_cmpint (answer.wait, >=, -1);
  g_assert_cmpint (answer.wait, <=, REEVE_OTLP_ANSWER_WAIT);
  if (status == 200 || status == 202)
    g_assert_cmpint (answer.kind, <=, REEVE_OTLP_ANSWER_PARTLY);
  else
    g_assert_cmpint (answer.kind, >=, REEVE_OTLP_ANSWER_LATER);
  if (answer.text != NULL)
    {
      g_assert_cmpuint (strlen (answer.text), <=, REEVE_OTLP_ANSWER_TEXT);
      g_assert_true (g_utf8_validate (answer.text, -1, NULL));
      g_assert_null (strpbrk (answer.text, "\r\n"));
    }
  return 0;
}
