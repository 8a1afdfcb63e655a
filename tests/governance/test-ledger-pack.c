/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that are complete are packed: nobody who reads sees a difference, whatever is changed in
 * them is found, and a host goes on with them wherever it stopped. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/ids.h"
#include "governance/ledger-pack.h"
#include "governance/ledger-private.h"
#include "governance/ledger-scanner.h"
#include "ledger-pack-fixture.h"

/* How many files of the log are packed, and how many are not; names in @packed. */
static guint
count_packed (LedgerFixture *fixture, guint *others, GPtrArray *packed)
{
  g_autofree char *folder = ledger_pack_fixture_path_of (fixture, ".");
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name = NULL;
  guint count = 0;

  *others = 0;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = ledger_pack_fixture_path_of (fixture, name);

      if (!g_str_has_suffix (name, ".log"))
        continue;
      if (!ledger_pack_fixture_is_packed (path))
        ++*others;
      else if (++count && packed != NULL)
        g_ptr_array_add (packed, g_steal_pointer (&path));
    }
  return count;
}

static char *
export_all (LedgerFixture *fixture)
{
  GString *all = g_string_new (NULL);
  guint64 size = reeve_ledger_get_size (fixture->ledger, "acme");

  for (guint64 seq = reeve_ledger_get_base (fixture->ledger, "acme") + 1; seq <= size; seq += 7)
    {
      g_autoptr (GError) error = NULL;
      JsonObject *record = reeve_ledger_get (fixture->ledger, "acme", seq, &error);

      g_assert_no_error (error);
      g_assert_cmpint (json_object_get_int_member (record, "seq"), ==, (gint64) seq);
      g_string_append (all, json_object_get_string_member (record, "hash"));
      g_string_append (all, json_object_get_string_member (record, "previous_hash"));
      json_object_unref (record);
    }
  return g_string_free (all, FALSE);
}

/* Everything that reads: each record, newest first, proofs, verification. */
static void
test_pack_read (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *before = export_all (fixture);
  g_autofree char *after = NULL;
  g_autofree char *again = NULL;
  g_autoptr (JsonObject) verdict = NULL;
  ReeveLedgerFilter filter = { .limit = 1000, .action = "agents.get" };
  guint64 next = 0;
  guint found = 0;
  guint others = 0;

  ledger_pack_fixture_pack (fixture);
  g_assert_cmpuint (count_packed (fixture, &others, NULL), >=, 3);
  g_assert_cmpuint (others, ==, 1);
  after = export_all (fixture);
  g_assert_cmpstr (before, ==, after);
  do
    {
      g_autoptr (GPtrArray) list
          = reeve_ledger_list (fixture->ledger, "acme", &filter, &next, NULL);

      found += list->len;
      filter.before = next;
    }
  while (next != 0);
  g_assert_cmpuint (found, ==, 1700);
  for (guint64 seq = 1; seq <= 1700; seq += 83)
    {
      g_autofree char *proof = reeve_ledger_prove (fixture->ledger, "acme", seq, NULL);

      g_assert_nonnull (proof);
    }
  verdict = reeve_ledger_verify (fixture->ledger, "acme", NULL);
  g_assert_true (json_object_get_boolean_member (verdict, "valid"));
  /* it goes on, and so does the next host */
  ledger_pack_fixture_fill (fixture, 700);
  ledger_fixture_close (fixture);
  ledger_fixture_assert_valid (fixture);
  ledger_pack_fixture_open_large (fixture);
  g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger, "acme"), ==, 2400);
  again = export_all (fixture);
  g_assert_true (g_str_has_prefix (again, before));
  ledger_pack_fixture_pack (fixture);
  ledger_pack_fixture_pack (fixture);
  g_clear_pointer (&again, g_free);
  again = export_all (fixture);
  g_assert_true (g_str_has_prefix (again, before));
  ledger_fixture_close (fixture);
  ledger_fixture_assert_valid (fixture);
}

/* What is packed is covered by a checkpoint, whenever the signer came to sign one, and is not the
 * last file. */
static void
assert_signed (LedgerFixture *fixture)
{
  g_autoptr (JsonObject) checkpoint = reeve_ledger_show_checkpoint (fixture->ledger, "acme", NULL);
  g_autoptr (GPtrArray) packed = g_ptr_array_new_with_free_func (g_free);
  guint64 end = 0;
  guint others = 0;

  g_assert_cmpuint (count_packed (fixture, &others, packed), >, 0);
  g_assert_cmpuint (others, >, 0);
  for (guint i = 0; i < packed->len; i++)
    {
      g_autofree char *name = g_path_get_basename (g_ptr_array_index (packed, i));

      /* its first record at least */
      end = MAX (end, g_ascii_strtoull (name, NULL, 10));
    }
  g_assert_cmpuint (end, <=, (guint64) json_object_get_int_member (checkpoint, "size"));
}

/* What is not signed may be cut off, and the last is written: they stay as they are. */
static void
test_pack_not_yet (LedgerFixture *fixture, gconstpointer data)
{
  guint others = 0;
  guint packed = 0;

  ledger_pack_fixture_pack (fixture);
  packed = count_packed (fixture, &others, NULL);
  ledger_pack_fixture_fill (fixture, 1700);
  ledger_pack_fixture_pack (fixture);
  assert_signed (fixture);
  ledger_fixture_close (fixture);
  ledger_pack_fixture_open_large (fixture);
  ledger_pack_fixture_pack (fixture);
  g_assert_cmpuint (count_packed (fixture, &others, NULL), >, packed);
  g_assert_cmpuint (others, ==, 1);
}

/* The caches of an earlier moment: the log stood somewhere within what is packed now. */
static void
test_pack_old_state (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *path = ledger_pack_fixture_path_of (fixture, "state.idx");
  g_autofree char *state = NULL;
  g_autofree char *before = NULL;
  gsize length = 0;

  g_assert_true (g_file_get_contents (path, &state, &length, NULL));
  ledger_pack_fixture_fill (fixture, 1000);
  ledger_fixture_close (fixture);
  ledger_pack_fixture_open_large (fixture);
  ledger_pack_fixture_pack (fixture);
  before = export_all (fixture);
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *after = NULL;

      ledger_fixture_close (fixture);
      g_assert_cmpint (g_unlink (path), ==, 0);
      if (i == 0)
        g_assert_true (g_file_set_contents (path, state, (gssize) length, NULL));
      ledger_pack_fixture_open_large (fixture);
      g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger, "acme"), ==, 2700);
      after = export_all (fixture);
      g_assert_cmpstr (before, ==, after);
    }
  ledger_pack_fixture_fill (fixture, 1);
  ledger_fixture_close (fixture);
  ledger_fixture_assert_valid (fixture);
}

typedef struct
{
  LedgerFixture *fixture;
  gint stop; /* atomic */
  gint read; /* atomic */
} Readers;

static gpointer
read_some (gpointer data)
{
  Readers *readers = data;

  for (guint64 seq = 1; g_atomic_int_get (&readers->stop) == 0; seq = seq * 7919 % 1699 + 1)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonObject) record
          = reeve_ledger_get (readers->fixture->ledger, "acme", seq, &error);

      g_assert_no_error (error);
      g_assert_cmpint (json_object_get_int_member (record, "seq"), ==, (gint64) seq);
      g_atomic_int_inc (&readers->read);
    }
  return NULL;
}

/* Files are packed under the hands of those who read, append and sign. */
static void
test_pack_beside (LedgerFixture *fixture, gconstpointer data)
{
  Readers readers = { fixture, 0, 0 };
  GThread *threads[3];
  guint others = 0;

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("reader", read_some, &readers);
  for (guint i = 0; i < 8; i++)
    {
      g_autofree char *proof = NULL;

      ledger_pack_fixture_pack (fixture);
      ledger_pack_fixture_fill (fixture, 200);
      proof = reeve_ledger_prove (fixture->ledger, "acme", 1700 + (i + 1) * 200, NULL);
      g_assert_nonnull (proof);
    }
  ledger_pack_fixture_pack (fixture);
  /* and some behind that */
  for (gint before = g_atomic_int_get (&readers.read);
       g_atomic_int_get (&readers.read) < before + 10;)
    g_thread_yield ();
  g_atomic_int_set (&readers.stop, 1);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (count_packed (fixture, &others, NULL), >=, 8);
  g_assert_cmpuint (others, ==, 1);
  ledger_fixture_close (fixture);
  ledger_fixture_assert_valid (fixture);
}

static gint64
bad_seq_of (LedgerFixture *fixture)
{
  g_autoptr (JsonObject) result = ledger_fixture_verify (fixture);
  JsonArray *logs = json_object_get_array_member (result, "logs");

  for (guint i = 0; i < json_array_get_length (logs); i++)
    {
      JsonObject *log = json_array_get_object_element (logs, i);

      if (strcmp (json_object_get_string_member (log, "scope"), "acme") == 0)
        return json_object_get_boolean_member (log, "valid")
                   ? -1
                   : json_object_get_int_member (log, "bad_seq");
    }
  return 0;
}

/* Any bit, any length: found, and the first record of the block is named. */
static void
test_pack_bits (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *path = ledger_pack_fixture_path_of (fixture, SEGMENT);
  g_autofree char *text = NULL;
  ReeveLedgerPackHead head = { 0 };
  gsize length = 0;

  ledger_pack_fixture_pack (fixture);
  ledger_fixture_close (fixture);
  g_assert_cmpint (bad_seq_of (fixture), ==, -1);
  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  g_assert_true (reeve_ledger_pack_read_head ((const guint8 *) text, &head, NULL));
  g_assert_cmpuint (head.count, ==, REEVE_LEDGER_PACK_WIDTH);
  g_assert_cmpuint (head.size, <, length);
  for (gsize bit = 0; bit < length * 8; bit += bit < 128 ? 1 : 397)
    {
      gint64 bad = 0;

      text[bit / 8] = (char) ((guchar) text[bit / 8] ^ (1u << (bit % 8)));
      g_assert_true (g_file_set_contents_full (path, text, (gssize) length,
                                               G_FILE_SET_CONTENTS_NONE, 0600, NULL));
      text[bit / 8] = (char) ((guchar) text[bit / 8] ^ (1u << (bit % 8)));
      bad = bad_seq_of (fixture);
      g_assert_cmpint (bad, ==, bit / 8 < head.size ? 1 : bad);
      g_assert_cmpint (bad % REEVE_LEDGER_PACK_WIDTH, ==, 1);
    }
  g_assert_true (g_file_set_contents (path, text, (gssize) length, NULL));
  for (gsize cut = length; cut-- > 0; cut -= MIN (cut, 109))
    {
      g_assert_cmpint (truncate (path, (off_t) cut), ==, 0);
      g_assert_cmpint (bad_seq_of (fixture), >, 0);
    }
}

/* A host does not go on with one that is damaged, and does not read it. */
static void
test_pack_bits_refused (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *path = ledger_pack_fixture_path_of (fixture, SEGMENT);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  gsize length = 0;

  ledger_pack_fixture_pack (fixture);
  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  text[200] ^= 1;
  g_assert_true (g_file_set_contents (path, text, (gssize) length, NULL));
  g_assert_null (reeve_ledger_get (fixture->ledger, "acme", 3, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, "checksum"));
}

/* Retention drops them as any other, and what stays is read and verified behind the base. */
static void
test_pack_retired (LedgerFixture *fixture, gconstpointer data)
{
  ReeveLedgerLog *log = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *after = NULL;
  g_autofree char *path = NULL;
  guint64 last = 0;
  guint others = 0;
  guint packed = 0;

  ledger_pack_fixture_pack (fixture);
  packed = count_packed (fixture, &others, NULL);
  log = reeve_ledger_need_log (fixture->ledger, "acme", &error);
  g_assert_no_error (error);
  /* the last file of all stays */
  g_assert_true (reeve_ledger_log_plan_retire (log, G_MAXINT64, 1000, &last, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (last, >, 0);
  g_assert_true (reeve_ledger_log_retire (log, last, 0, "audit.retention_days=365", 1, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (count_packed (fixture, &others, NULL), <, packed);
  after = export_all (fixture);
  g_assert_nonnull (after);
  ledger_fixture_close (fixture);
  ledger_fixture_assert_valid (fixture);
  /* from the base on, without caches */
  path = ledger_pack_fixture_path_of (fixture, "state.idx");
  g_assert_cmpint (g_unlink (path), ==, 0);
  ledger_pack_fixture_open_large (fixture);
  g_assert_cmpuint (reeve_ledger_get_base (fixture->ledger, "acme"), ==, last);
  g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger, "acme"), ==, 1700);
}

/* Bytes of all files below. */
static guint64
measure (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name = NULL;
  guint64 sum = 0;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      GStatBuf status;

      g_assert_cmpint (g_lstat (path, &status), ==, 0);
      sum += S_ISDIR (status.st_mode) ? measure (path) : (guint64) status.st_size;
    }
  return sum;
}

/* One of what a call of a model within a run leaves, and of what agrees with nothing: ids, digests
 * and traces are as good as random. */
static void
append_busy (LedgerFixture *fixture, guint number)
{
  g_autofree char *run = reeve_ids_new ("run");
  g_autofree char *trace = g_compute_checksum_for_string (G_CHECKSUM_MD5, run, -1);
  g_autofree char *input = g_compute_checksum_for_string (G_CHECKSUM_SHA256, run, -1);
  g_autofree char *output = g_compute_checksum_for_string (G_CHECKSUM_SHA256, input, -1);
  ReeveLedgerRecord record = { .scope = "acme",
                               .kind = REEVE_LEDGER_READ,
                               .action = number % 2 == 0 ? "model.call" : "chat.create",
                               .actor_type = "user",
                               .actor_id = run,
                               .key_id = "key_7n5c2q4x6z3a7k9m2p5r8t4v6y",
                               .agent_id = "agt_7n5c2q4x6z3a7k9m2p5r8t4v6y",
                               .workspace_id = "wsp_7n5c2q4x6z3a7k9m2p5r8t4v6y",
                               .resource_type = "run",
                               .resource_id = run,
                               .run_id = run,
                               .input_digest = input,
                               .output_digest = output,
                               .outcome = REEVE_OUTCOME_SUCCEEDED,
                               .model = "extractive",
                               .latency_us = 1000 + number % 977,
                               .input_tokens = 300 + number % 89,
                               .output_tokens = 40 + number % 61,
                               .trace_id = trace,
                               .door = "rest" };

  if (number % 200 != 0)
    reeve_ledger_append_async (fixture->ledger, &record, NULL, NULL);
  else
    g_assert_cmpuint (reeve_ledger_append (fixture->ledger, &record, NULL), >, 0);
}

/* What a record takes on the disk, all told: at the size of files that hosts have, of records that
 * are larger than theirs, with a tail that is not packed. */
static void
test_pack_size (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *folder = ledger_pack_fixture_path_of (fixture, ".");
  guint64 before = 0;
  guint64 after = 0;
  guint64 size = 0;

  ledger_fixture_close (fixture);
  ledger_pack_fixture_open_of_size (fixture, 2 * 1024 * 1024);
  for (guint i = 1; i <= 20000; i++)
    append_busy (fixture, i);
  ledger_fixture_close (fixture);
  before = measure (folder);
  ledger_pack_fixture_open_of_size (fixture, 2 * 1024 * 1024);
  ledger_pack_fixture_pack (fixture);
  ledger_fixture_close (fixture);
  after = measure (folder);
  size = 21700;
  g_test_message ("%" G_GUINT64_FORMAT " records: %.0f bytes each, packed %.0f", size,
                  (double) before / (double) size, (double) after / (double) size);
  g_assert_cmpuint (after, <=, 400 * size);
}

/* A block is what its head says, or it is nothing. */
static void
test_pack_block (void)
{
  static const guint8 zeros[REEVE_LEDGER_HASH_SIZE];
  g_autoptr (GByteArray) entries = g_byte_array_new ();
  g_autoptr (GByteArray) block = g_byte_array_new ();
  g_autoptr (GByteArray) records = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  gboolean chained = TRUE;

  /* far more than 256 records can be, in few bytes */
  g_byte_array_set_size (entries, 64 * 1024 * 1024);
  memset (entries->data, 0, entries->len);
  g_assert_true (reeve_ledger_pack_close (entries, 1, zeros, block, NULL));
  g_assert_cmpuint (block->len, <, entries->len / 100);
  g_assert_false (
      reeve_ledger_pack_open (block->data, block->len, zeros, records, &chained, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  g_clear_error (&error);
  /* one record, in good order, whose chain hash is another */
  g_byte_array_set_size (entries, 0);
  g_byte_array_set_size (block, 0);
  g_byte_array_append (entries, (const guint8 *) "\0\0\0\2{}", 6);
  g_assert_true (reeve_ledger_pack_close (entries, 1, zeros, block, NULL));
  g_assert_true (
      reeve_ledger_pack_open (block->data, block->len, zeros, records, &chained, &error));
  g_assert_no_error (error);
  g_assert_false (chained);
  g_assert_cmpuint (records->len, ==, 2 * REEVE_LEDGER_HASH_SIZE + 6);
  /* a count that is not theirs */
  block->data[7] = 2;
  g_assert_false (reeve_ledger_pack_open (block->data, block->len, zeros, records, &chained, NULL));
}

#define ADD(name, func)                                                                            \
  g_test_add ("/ledger-pack/" name, LedgerFixture, NULL, ledger_pack_fixture_set_up, func,         \
              ledger_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("read", test_pack_read);
  ADD ("not-yet", test_pack_not_yet);
  ADD ("old-state", test_pack_old_state);
  ADD ("beside", test_pack_beside);
  ADD ("bits", test_pack_bits);
  ADD ("bits-refused", test_pack_bits_refused);
  ADD ("retired", test_pack_retired);
  ADD ("size", test_pack_size);
  g_test_add_func ("/ledger-pack/block", test_pack_block);
  return g_test_run ();
}
