/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a witness answers. Nothing counts as cosigned but the text that its key has signed, and what
 * is told of the rest is one short line. The first byte picks the status.
 * covers: host/governance/witness-answer.c host/governance/cosigners.c */
#include <string.h>

#include "governance/witness-answer.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* the key that signed the seed `good`, and what it signed */
static const char *const witness_key
    = "witness.example/w1+aa4a09d1+BOpKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs";
static const char *const witness_note = "reeve-ledger/acme\n42\n"
                                        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n"
                                        "\xe2\x80\x94 reeve-ledger AAAA\n";

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const guint statuses[] = { 200, 409, 422, 404, 403, 400, 500, 0 };
  static ReeveCosigners *keys;
  const char *const vkeys[] = { witness_key, NULL };
  guint status = statuses[size > 0 ? data[0] % G_N_ELEMENTS (statuses) : 0];
  gsize length = size > 0 ? size - 1 : 0;
  g_autofree char *body = g_strndup ((const char *) data + (size > 0), length);
  g_auto (ReeveWitnessAnswer) answer = { 0 };

  if (keys == NULL)
    keys = reeve_cosigners_new (vkeys, NULL);
  g_assert_nonnull (keys);
  reeve_witness_answer_read (&answer, keys, 0, witness_note, status, body, length);
  if (answer.verdict == REEVE_WITNESS_COSIGNED)
    {
      if (status != 200 || strstr (body, answer.line) == NULL || answer.time != 1700000000)
        g_error ("cosigned by %s", body);
    }
  else if (answer.verdict == REEVE_WITNESS_ELSEWHERE)
    {
      if (status != 409 || answer.size > G_MAXINT64)
        g_error ("another size by %s", body);
    }
  else if (answer.text == NULL || strlen (answer.text) > 200
           || strpbrk (answer.text, "\n\r") != NULL)
    g_error ("what is told is no line: %s", answer.text);
  return 0;
}
