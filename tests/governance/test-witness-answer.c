/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys of witnesses, cosignatures and answers. The cosignatures were made by another program. */
#include "governance/witness-answer.h"

#include <reeve-plugin-1.h>
#include <string.h>

#define KEY  "witness.example/w1+aa4a09d1+BOpKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs"
#define BODY "reeve-ledger/acme\n42\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
#define NOTE BODY "\n\xe2\x80\x94 reeve-ledger AAAA\n"
#define GOOD                                                                                       \
  "\xe2\x80\x94 witness.example/w1 "                                                               \
  "qkoJ0QAAAABlU/EAq4INAtXx74oWuKozSP1g3zn/"                                                       \
  "BcS6bLH2Ssp8gbH8yFm0H62SRTg4cPa1vV6HRO9mG9kwte2FANHdWc8oHX1DDg=="
/* over 43 records; by another key under this name and id; at no time */
#define OTHER                                                                                      \
  "\xe2\x80\x94 witness.example/w1 "                                                               \
  "qkoJ0QAAAABlU/"                                                                                 \
  "EAh29NUiaB+vt18mP7qEpU8qX91zMa3Ilo8hdR5Un6i4H9mJb7ekMi8j0h0WaiOZrhaYtloix5lzP44uiWbH+mDg=="
#define FORGED                                                                                     \
  "\xe2\x80\x94 witness.example/w1 "                                                               \
  "qkoJ0QAAAABlU/"                                                                                 \
  "EA3W++b+VUHm+iBTEQiLw9W8hoRAt7PfdH5sVmLz+c3jKTOBCG+mTX4Ihi7M4bIylY3QqXZOjs1yRNAYrjfI1+AA=="
#define TIMELESS                                                                                   \
  "\xe2\x80\x94 witness.example/w1 "                                                               \
  "qkoJ0QAAAAAAAAAAHfwl01W+FSSUHJdKBS7YpFvd/BYHxWk+iyIQpMpCPIG2MM0TtSVzAFF+vYOTeeEEA+MWxhzYuPis/"  \
  "hf+dBglAA=="

static ReeveCosigners *
make_keys (void)
{
  const char *const vkeys[] = { KEY, NULL };
  g_autoptr (GError) error = NULL;
  ReeveCosigners *keys = reeve_cosigners_new (vkeys, &error);

  g_assert_no_error (error);
  return keys;
}

static void
test_keys (void)
{
  static const char *const wrong[]
      = { "", "a", "a+b+c", KEY "x", "x" KEY, " " KEY,
          /* a ledger's */
          "reeve-ledger+e20f508f+AUktkZ7Csdch3NQkvRKr3iM2bFjWYjk5KMSUoRuLz8mn" };
  const char *const twice[] = { KEY, KEY, NULL };
  g_autoptr (ReeveCosigners) keys = make_keys ();
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (reeve_cosigners_count (keys), ==, 1);
  g_assert_cmpstr (reeve_cosigners_get_name (keys, 0), ==, "witness.example/w1");
  g_assert_null (reeve_cosigners_new (twice, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      const char *const vkeys[] = { wrong[i], NULL };

      g_clear_error (&error);
      g_assert_null (reeve_cosigners_new (vkeys, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
    }
}

static void
test_notes (void)
{
  g_autoptr (ReeveCosigners) keys = make_keys ();
  g_autoptr (GError) error = NULL;
  guint64 times[REEVE_COSIGNERS_MAX] = { 0 };

  g_assert_true (reeve_cosigners_check (keys, NOTE, times, &error));
  g_assert_cmpuint (times[0], ==, 0);
  g_assert_true (reeve_cosigners_check (keys, NOTE GOOD "\n", times, &error));
  g_assert_cmpuint (times[0], ==, 1700000000);
  g_assert_true (reeve_cosigners_check (keys, "", times, &error));
  g_assert_cmpuint (times[0], ==, 0);
  g_assert_false (reeve_cosigners_check (keys, NOTE OTHER "\n", times, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
}

static const struct
{
  guint status;
  const char *body;
  ReeveWitnessVerdict verdict;
  guint64 size;
} answers[] = {
  { 200, GOOD "\n", REEVE_WITNESS_COSIGNED, 0 },
  { 200, FORGED "\n" GOOD "\n", REEVE_WITNESS_COSIGNED, 0 },
  { 200, "\xe2\x80\x94 unknown AAAA\n" GOOD "\n", REEVE_WITNESS_COSIGNED, 0 },
  { 200, GOOD, REEVE_WITNESS_FAILED, 0 },
  { 200, OTHER "\n", REEVE_WITNESS_FAILED, 0 },
  { 200, FORGED "\n", REEVE_WITNESS_FAILED, 0 },
  { 200, TIMELESS "\n", REEVE_WITNESS_FAILED, 0 },
  { 200, "", REEVE_WITNESS_FAILED, 0 },
  { 204, "", REEVE_WITNESS_FAILED, 0 },
  { 301, "", REEVE_WITNESS_FAILED, 0 },
  { 400, "", REEVE_WITNESS_REFUSED, 0 },
  { 403, "", REEVE_WITNESS_REFUSED, 0 },
  { 404, "", REEVE_WITNESS_REFUSED, 0 },
  { 409, "41\n", REEVE_WITNESS_ELSEWHERE, 41 },
  { 409, "0\n", REEVE_WITNESS_ELSEWHERE, 0 },
  { 409, "41", REEVE_WITNESS_FAILED, 0 },
  { 409, "041\n", REEVE_WITNESS_FAILED, 0 },
  { 409, "-1\n", REEVE_WITNESS_FAILED, 0 },
  { 409, "9223372036854775808\n", REEVE_WITNESS_FAILED, 0 },
  { 409, "", REEVE_WITNESS_FAILED, 0 },
  { 422, "", REEVE_WITNESS_DISAGREES, 0 },
  { 500, GOOD "\n", REEVE_WITNESS_FAILED, 0 },
};

static void
test_answers (void)
{
  g_autoptr (ReeveCosigners) keys = make_keys ();
  g_autofree char *large = g_strnfill (REEVE_WITNESS_ANSWER_LONGEST + 1, 'x');

  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      g_auto (ReeveWitnessAnswer) answer = { 0 };

      reeve_witness_answer_read (&answer, keys, 0, NOTE, answers[i].status, answers[i].body,
                                 strlen (answers[i].body));
      g_test_message ("answer %u", i);
      g_assert_cmpint (answer.verdict, ==, answers[i].verdict);
      g_assert_cmpuint (answer.size, ==, answers[i].size);
      g_assert_cmpstr (answer.line, ==, answer.verdict == REEVE_WITNESS_COSIGNED ? GOOD : NULL);
    }
  for (guint i = 0; i < 2; i++)
    {
      g_auto (ReeveWitnessAnswer) answer = { 0 };

      reeve_witness_answer_read (&answer, keys, 0, NOTE, 200, i == 0 ? large : "a\0b",
                                 i == 0 ? strlen (large) : 3);
      g_assert_cmpint (answer.verdict, ==, REEVE_WITNESS_FAILED);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/witness-answer/keys", test_keys);
  g_test_add_func ("/witness-answer/notes", test_notes);
  g_test_add_func ("/witness-answer/answers", test_answers);
  return g_test_run ();
}
