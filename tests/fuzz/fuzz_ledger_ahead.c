/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A write-ahead file of anybody's: each input is what stands in it, and each frame may ask to be
 * signed with its digest, so that more is reached than that. A start ends, records that were there
 * are there, and nothing is written elsewhere. */
/* covers: host/governance/ledger-ahead.c
 * host/governance/ledger-ahead-replay.c */
#include "governance/ledger-ahead.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../helpers/test-tree.h"
#include "base/digests.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* three records, for all that a replay knows: their chain hash is what it looks at */
#define LENGTH 300

static char *state;
static char *folder;
static char *ahead;
static char *segment;
static char *victim;
static char records[LENGTH];

static void
clean_up (void)
{
  test_tree_remove (state);
}

static void
set_up (void)
{
  g_autofree char *log = NULL;
  g_autofree char *keys = NULL;

  state = test_tree_make_quick ();
  atexit (clean_up);
  folder = g_build_filename (state, "ledger", NULL);
  log = g_build_filename (folder, "acme", NULL);
  keys = g_build_filename (state, "keys", NULL);
  if (g_mkdir_with_parents (log, 0700) != 0 || g_mkdir_with_parents (keys, 0700) != 0)
    abort ();
  ahead = g_build_filename (folder, REEVE_LEDGER_AHEAD_FILE, NULL);
  segment = g_build_filename (log, "00000000000000000001.log", NULL);
  victim = g_build_filename (keys, "00000000000000000001.log", NULL);
  for (guint i = 0; i < LENGTH; i++)
    records[i] = (char) (1 + i % 100);
  if (!g_file_set_contents (victim, records, LENGTH, NULL))
    abort ();
}

/* Where the first byte says so, the frame that follows gets the digest that it needs. */
static void
sign (GByteArray *bytes)
{
  for (gsize at = 0; bytes->len - at >= REEVE_LEDGER_AHEAD_FRAME;)
    {
      guint8 *frame = bytes->data + at;
      gsize size = REEVE_LEDGER_AHEAD_HEAD;

      for (guint i = 0; i < 2; i++)
        size += (gsize) frame[40 + 4 * i] << 24 | (gsize) frame[41 + 4 * i] << 16
                | (gsize) frame[42 + 4 * i] << 8 | frame[43 + 4 * i];
      if (size > bytes->len - at - REEVE_LEDGER_HASH_SIZE)
        return;
      reeve_digests_sha256 (frame, size, frame + size);
      at = reeve_ledger_ahead_go_on (bytes->data, bytes->len, at + size + REEVE_LEDGER_HASH_SIZE);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *after = NULL;
  g_autofree char *other = NULL;
  gsize length = 0;

  if (state == NULL)
    set_up ();
  if (size == 0 || size > REEVE_LEDGER_AHEAD_SIZE)
    return 0;
  g_byte_array_append (bytes, data + 1, (guint) size - 1);
  if (data[0] % 2 == 1)
    sign (bytes);
  if (!g_file_set_contents (segment, records, LENGTH, NULL)
      || !g_file_set_contents (ahead, (char *) bytes->data, (gssize) bytes->len, NULL))
    abort ();
  if (!reeve_ledger_ahead_replay (folder, &error))
    g_error ("%s", error->message);
  if (g_file_test (ahead, G_FILE_TEST_EXISTS)
      || !g_file_get_contents (segment, &after, &length, NULL) || length < LENGTH
      || memcmp (after, records, LENGTH) != 0)
    g_error ("records of %s were changed", segment);
  if (!g_file_get_contents (victim, &other, &length, NULL) || length != LENGTH
      || memcmp (other, records, LENGTH) != 0)
    g_error ("%s was written", victim);
  return 0;
}
