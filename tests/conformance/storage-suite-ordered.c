/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The storage suite: streams, queues, blobs, the order of batches. */
#include "storage-suite-private.h"

#include <string.h>

static gint64
append (Suite *suite, const char *stream, const char *payload)
{
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);
  g_autoptr (GBytes) bytes = g_bytes_new (payload, strlen (payload));
  guint position = reeve_batch_append (batch, stream, bytes, REEVE_REVISION_ANY);
  g_autoptr (ReeveBatchResult) result = suite_commit (suite, batch);

  return reeve_batch_result_get_value (result, position);
}

/* "1:a 2:b" */
static char *
read_stream (Suite *suite, const char *stream, gint64 after, guint limit)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) entries
      = reeve_storage_read_stream (suite->storage, SUITE_SCOPE, stream, after, limit, &error);
  g_autoptr (GString) text = g_string_new (NULL);

  g_assert_no_error (error);
  for (guint i = 0; i < entries->len; i++)
    {
      const ReeveStreamEntry *entry = g_ptr_array_index (entries, i);

      g_string_append_printf (text, "%s%" G_GINT64_FORMAT ":%.*s", i == 0 ? "" : " ", entry->seq,
                              (int) g_bytes_get_size (entry->payload),
                              (const char *) g_bytes_get_data (entry->payload, NULL));
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
check_stream (Suite *suite, const char *stream, gint64 after, guint limit, const char *want)
{
  g_autofree char *text = read_stream (suite, stream, after, limit);

  g_assert_cmpstr (text, ==, want);
}

static void
test_streams (Suite *suite)
{
  ReeveBatch *batch = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);

  g_assert_cmpint (append (suite, "run/1", "a"), ==, 1);
  g_assert_cmpint (append (suite, "run/1", "b"), ==, 2);
  g_assert_cmpint (append (suite, "run/2", "other"), ==, 1);
  g_assert_cmpint (append (suite, "run/1", ""), ==, 3);
  check_stream (suite, "run/1", 0, 10, "1:a 2:b 3:");
  check_stream (suite, "run/1", 1, 1, "2:b");
  check_stream (suite, "run/1", 3, 10, "");
  check_stream (suite, "run/1", G_MAXINT64, 10, "");
  check_stream (suite, "run/3", 0, 10, "");

  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_append (batch, "run/1", bytes, 4);
  reeve_batch_append (batch, "run/1", bytes, 5);
  reeve_batch_result_unref (suite_commit (suite, batch));
  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_append (batch, "run/1", bytes, 5);
  suite_refuse (suite, batch, REEVE_ERROR_CONFLICT);
  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_append (batch, "run/1", bytes, 7);
  suite_refuse (suite, batch, REEVE_ERROR_CONFLICT);
  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_append (batch, "run/1", bytes, 0);
  suite_refuse (suite, batch, REEVE_ERROR_INVALID_ARGUMENT);
  check_stream (suite, "run/1", 3, 10, "4:x 5:x");
}

static void
test_truncate (Suite *suite)
{
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);

  append (suite, "s", "a");
  append (suite, "s", "b");
  append (suite, "t", "kept");
  reeve_batch_truncate (batch, "s");
  reeve_batch_truncate (batch, "unknown");
  reeve_batch_result_unref (suite_commit (suite, batch));
  check_stream (suite, "s", 0, 10, "");
  check_stream (suite, "t", 0, 10, "1:kept");
  g_assert_cmpint (append (suite, "s", "new"), ==, 1);
  check_stream (suite, "s", 0, 10, "1:new");
}

static void
push (Suite *suite, const char *id, gint64 not_before)
{
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);
  g_autoptr (GBytes) bytes = g_bytes_new (id, strlen (id));

  reeve_batch_push (batch, "jobs", id, bytes, not_before);
  reeve_batch_result_unref (suite_commit (suite, batch));
}

/* "id*attempts", and the number of the last lease */
static char *
lease (Suite *suite, guint max, gint64 now, gint64 *number)
{
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);
  guint position = reeve_batch_lease (batch, "jobs", max, now, 100);
  g_autoptr (ReeveBatchResult) result = suite_commit (suite, batch);
  GPtrArray *leases = reeve_batch_result_get_leases (result, position);
  g_autoptr (GString) text = g_string_new (NULL);

  g_assert_cmpint (reeve_batch_result_get_value (result, position), ==,
                   leases != NULL ? (gint64) leases->len : 0);
  for (guint i = 0; leases != NULL && i < leases->len; i++)
    {
      const ReeveLease *item = g_ptr_array_index (leases, i);

      g_assert_cmpmem (g_bytes_get_data (item->payload, NULL), g_bytes_get_size (item->payload),
                       item->id, strlen (item->id));
      g_string_append_printf (text, "%s%s*%u", i == 0 ? "" : " ", item->id, item->attempts);
      if (number != NULL)
        *number = item->lease;
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
check_lease (Suite *suite, guint max, gint64 now, gint64 *number, const char *want)
{
  g_autofree char *text = lease (suite, max, now, number);

  g_assert_cmpstr (text, ==, want);
}

static void
end_lease (Suite *suite, const char *id, gint64 number, gboolean good)
{
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);

  reeve_batch_acknowledge (batch, "jobs", id, number);
  if (good)
    reeve_batch_result_unref (suite_commit (suite, batch));
  else
    suite_refuse (suite, batch, REEVE_ERROR_CONFLICT);
}

static void
test_queue_order (Suite *suite)
{
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);
  gint64 number = 0;

  push (suite, "late", 500);
  push (suite, "b", 20);
  push (suite, "a", 10);
  push (suite, "c", 20);
  reeve_batch_push (batch, "jobs", "a", bytes, 0);
  suite_refuse (suite, batch, REEVE_ERROR_ALREADY_EXISTS);
  check_lease (suite, 10, 9, NULL, "");
  check_lease (suite, 2, 30, &number, "a*1 b*1");
  check_lease (suite, 10, 30, NULL, "c*1");
  check_lease (suite, 10, 31, NULL, "");
  end_lease (suite, "b", number, TRUE);
  end_lease (suite, "b", number, FALSE);
  /* an item that was done may come again */
  push (suite, "b", 40);
  check_lease (suite, 10, 40, NULL, "b*1");
}

static void
test_leases_expire (Suite *suite)
{
  gint64 first = 0;
  gint64 second = 0;

  push (suite, "job", 0);
  check_lease (suite, 1, 1000, &first, "job*1");
  check_lease (suite, 1, 1099, NULL, "");
  check_lease (suite, 1, 1100, &second, "job*2");
  g_assert_cmpint (first, !=, second);
  end_lease (suite, "job", first, FALSE);
  end_lease (suite, "job", 0, FALSE);
  /* late, but nobody else has it */
  end_lease (suite, "job", second, TRUE);
  check_lease (suite, 1, 9999, NULL, "");
}

static void
test_release (Suite *suite)
{
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);
  gint64 number = 0;

  push (suite, "job", 0);
  check_lease (suite, 1, 1000, &number, "job*1");
  reeve_batch_release (batch, "jobs", "job", number + 1, 0);
  suite_refuse (suite, batch, REEVE_ERROR_CONFLICT);
  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_release (batch, "jobs", "job", number, 1050);
  reeve_batch_result_unref (suite_commit (suite, batch));
  end_lease (suite, "job", number, FALSE);
  check_lease (suite, 1, 1049, NULL, "");
  check_lease (suite, 1, 1050, NULL, "job*2");
}

static void
test_blobs (Suite *suite)
{
  ReeveBatch *batch = reeve_batch_new (SUITE_SCOPE);
  g_autofree guint8 *data = g_malloc (3 * 1024 * 1024);
  g_autoptr (GBytes) big = NULL;
  g_autoptr (GBytes) empty = g_bytes_new (NULL, 0);
  g_autoptr (GBytes) got = NULL;
  g_autoptr (GBytes) got_empty = NULL;
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < 3 * 1024 * 1024; i++)
    data[i] = (guint8) (i * 31 + (i >> 12));
  big = g_bytes_new (data, 3 * 1024 * 1024);
  reeve_batch_blob_put (batch, "document/1", empty);
  reeve_batch_blob_put (batch, "document/1", big);
  reeve_batch_blob_put (batch, "empty", empty);
  reeve_batch_result_unref (suite_commit (suite, batch));
  got = reeve_storage_get_blob (suite->storage, SUITE_SCOPE, "document/1", &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (got, big));
  got_empty = reeve_storage_get_blob (suite->storage, SUITE_SCOPE, "empty", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (got_empty), ==, 0);
  batch = reeve_batch_new (SUITE_SCOPE);
  reeve_batch_blob_delete (batch, "document/1");
  reeve_batch_blob_delete (batch, "unknown");
  reeve_batch_result_unref (suite_commit (suite, batch));
  g_assert_null (reeve_storage_get_blob (suite->storage, SUITE_SCOPE, "document/1", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
}

#define BURST 400

typedef struct
{
  GMutex mutex;
  GCond cond;
  guint calls;
  gint64 last;
  guint disorder;
  guint refused;
} Burst;

static void
burst_done (ReeveBatchResult *result, const GError *error, gpointer user_data)
{
  Burst *burst = user_data;

  g_mutex_lock (&burst->mutex);
  burst->calls++;
  if (result == NULL)
    burst->refused++;
  else if (reeve_batch_result_get_value (result, 0) != burst->last + 1)
    burst->disorder++;
  else
    burst->last++;
  g_cond_signal (&burst->cond);
  g_mutex_unlock (&burst->mutex);
}

/* batches of one thread to one scope happen in its order, each is answered once, and one that is
 * refused takes no other with it */
static void
test_burst (Suite *suite)
{
  Burst burst = { .calls = 0 };
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);
  g_autofree char *last = NULL;
  g_autofree char *want = g_strdup_printf ("%d:x", BURST - BURST / 4);

  for (guint i = 0; i < BURST; i++)
    {
      g_autoptr (ReeveBatch) batch = reeve_batch_new (SUITE_SCOPE);

      reeve_batch_append (batch, "burst", bytes, REEVE_REVISION_ANY);
      if (i % 4 == 3)
        reeve_batch_check (batch, "things", "missing", 1);
      reeve_storage_submit (suite->storage, batch, burst_done, &burst);
    }
  g_mutex_lock (&burst.mutex);
  while (burst.calls < BURST)
    g_cond_wait (&burst.cond, &burst.mutex);
  g_mutex_unlock (&burst.mutex);
  g_assert_cmpuint (burst.refused, ==, BURST / 4);
  g_assert_cmpuint (burst.disorder, ==, 0);
  last = read_stream (suite, "burst", BURST - BURST / 4 - 1, 10);
  g_assert_cmpstr (last, ==, want);
}

/* closing answers what was submitted */
static void
test_close_finishes (Suite *suite)
{
  Burst burst = { .calls = 0 };
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);

  for (guint i = 0; i < 50; i++)
    {
      g_autoptr (ReeveBatch) batch = reeve_batch_new (SUITE_SCOPE);

      reeve_batch_append (batch, "closing", bytes, REEVE_REVISION_ANY);
      reeve_storage_submit (suite->storage, batch, burst_done, &burst);
    }
  suite_close (suite);
  g_assert_cmpuint (burst.calls, ==, 50);
  g_assert_cmpint (burst.last, ==, 50);
}

const SuiteCase suite_ordered[] = {
  { "streams/append-and-read", test_streams, FALSE },
  { "streams/truncate", test_truncate, FALSE },
  { "queues/order", test_queue_order, FALSE },
  { "queues/leases-expire", test_leases_expire, FALSE },
  { "queues/release", test_release, FALSE },
  { "blobs", test_blobs, FALSE },
  { "batches/burst", test_burst, FALSE },
  { "batches/close-finishes", test_close_finishes, FALSE },
  { NULL, NULL, FALSE },
};
