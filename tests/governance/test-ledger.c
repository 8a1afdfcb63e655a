/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ledger as its users see it: append, read, list, restart, many at once. */
#include "governance/ledger.h"

#include <glib/gstdio.h>
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>

#include "ledger-fixture.h"

typedef struct
{
  guint pending;
  guint64 last;
  GThread *thread;
} Counter;

static void
counted (GObject *source, GAsyncResult *result, gpointer data)
{
  Counter *counter = data;
  g_autoptr (GError) error = NULL;
  guint64 seq = reeve_ledger_append_finish (REEVE_LEDGER (source), result, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (seq, ==, counter->last + 1);
  g_assert_true (g_thread_self () == counter->thread);
  counter->last = seq;
  counter->pending--;
}

static void
test_ledger_append (LedgerFixture *fixture, gconstpointer data)
{
  ReeveLedgerRecord record = { .kind = REEVE_LEDGER_READ, .scope = "acme", .action = "agents.get" };
  Counter counter = { 100, 0, g_thread_self () };

  for (guint i = 0; i < 100; i++)
    reeve_ledger_append_async (fixture->ledger, &record, counted, &counter);
  /* nobody waits, and it is there all the same */
  reeve_ledger_append_async (fixture->ledger, &record, NULL, NULL);
  while (counter.pending > 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0), ==, 102);
  g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger, "acme"), ==, 102);
  g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger, "other"), ==, 0);
  ledger_fixture_assert_valid (fixture);
}

static void
test_ledger_get (LedgerFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  for (guint i = 1; i <= 200; i++)
    ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "agents.list", 0);
  for (guint round = 0; round < 2; round++)
    {
      g_autofree char *before = NULL;

      for (guint i = 1; i <= 200; i++)
        {
          g_autoptr (JsonObject) record = reeve_ledger_get (fixture->ledger, "acme", i, &error);

          g_assert_no_error (error);
          g_assert_cmpint (json_object_get_int_member (record, "seq"), ==, i);
          g_assert_true (g_str_has_suffix (json_object_get_string_member (record, "time"), "Z"));
          if (before != NULL)
            g_assert_cmpstr (json_object_get_string_member (record, "previous_hash"), ==, before);
          g_free (before);
          before = g_strdup (json_object_get_string_member (record, "hash"));
        }
      ledger_fixture_close (fixture);
      ledger_fixture_open (fixture);
    }
  g_assert_null (reeve_ledger_get (fixture->ledger, "acme", 201, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (reeve_ledger_get (fixture->ledger, "acme", 0, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (reeve_ledger_get (fixture->ledger, "nobody", 1, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
}

static guint
list_all (LedgerFixture *fixture, ReeveLedgerFilter filter)
{
  guint64 last = G_MAXUINT64;
  guint64 next = 0;
  guint count = 0;

  do
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) page
          = reeve_ledger_list (fixture->ledger, "acme", &filter, &next, &error);

      g_assert_no_error (error);
      g_assert_cmpuint (page->len, <=, filter.limit);
      for (guint i = 0; i < page->len; i++)
        {
          guint64 seq = (guint64) json_object_get_int_member (g_ptr_array_index (page, i), "seq");

          g_assert_cmpuint (seq, <, last);
          last = seq;
        }
      count += page->len;
      filter.before = next;
    }
  while (next != 0);
  return count;
}

static void
test_ledger_list (LedgerFixture *fixture, gconstpointer data)
{
  for (guint i = 0; i < 150; i++)
    {
      ReeveLedgerRecord record = {
        .kind = REEVE_LEDGER_READ,
        .scope = "acme",
        .time = 1000000 * (gint64) (i + 1),
        .action = i % 3 == 0 ? "runs.get" : "agents.get",
        .actor_id = i % 2 == 0 ? "usr_a" : "usr_b",
        .agent_id = i == 77 ? "agt_special" : NULL,
        .run_id = i < 10 ? "run_1" : NULL,
        .outcome = i % 5 == 0 ? REEVE_OUTCOME_BLOCKED : REEVE_OUTCOME_SUCCEEDED,
      };

      g_assert_cmpuint (reeve_ledger_append (fixture->ledger, &record, NULL), ==, i + 1);
    }
  g_assert_cmpuint (list_all (fixture, (ReeveLedgerFilter){ .limit = 7 }), ==, 150);
  g_assert_cmpuint (list_all (fixture, (ReeveLedgerFilter){ .limit = 50, .action = "runs.get" }),
                    ==, 50);
  g_assert_cmpuint (list_all (fixture, (ReeveLedgerFilter){ .limit = 9, .actor = "usr_b" }), ==,
                    75);
  g_assert_cmpuint (
      list_all (fixture, (ReeveLedgerFilter){ .limit = 9, .agent_id = "agt_special" }), ==, 1);
  g_assert_cmpuint (list_all (fixture, (ReeveLedgerFilter){ .limit = 3, .run_id = "run_1" }), ==,
                    10);
  g_assert_cmpuint (list_all (fixture, (ReeveLedgerFilter){ .limit = 9, .outcome = "blocked" }), ==,
                    30);
  g_assert_cmpuint (list_all (fixture, (ReeveLedgerFilter){ .limit = 9, .text = "special" }), ==,
                    1);
  g_assert_cmpuint (list_all (fixture, (ReeveLedgerFilter){ .limit = 9, .text = "nowhere" }), ==,
                    0);
  g_assert_cmpuint (
      list_all (fixture, (ReeveLedgerFilter){ .limit = 9, .from = 11000000, .to = 21000000 }), ==,
      10);
  g_assert_cmpuint (list_all (fixture, (ReeveLedgerFilter){ .limit = 9, .before = 11 }), ==, 10);
}

static void
test_ledger_outcomes (LedgerFixture *fixture, gconstpointer data)
{
  guint64 first = ledger_fixture_append (fixture, "acme", REEVE_LEDGER_INTENT, "tool.call", 0);
  guint64 second = ledger_fixture_append (fixture, "acme", REEVE_LEDGER_INTENT, "model.call", 0);
  ReeveLedgerRecord again
      = { .kind = REEVE_LEDGER_OUTCOME, .scope = "acme", .action = "tool.call", .intent = first };
  g_autoptr (GPtrArray) open = NULL;
  g_autoptr (GError) error = NULL;

  ledger_fixture_append (fixture, "acme", REEVE_LEDGER_OUTCOME, "tool.call", first);
  g_assert_cmpuint (reeve_ledger_append (fixture->ledger, &again, &error), ==, 0);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
  g_clear_error (&error);
  ledger_fixture_close (fixture);
  ledger_fixture_open (fixture);
  open = reeve_ledger_list_open_intents (fixture->ledger, "acme", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (open->len, ==, 1);
  g_assert_cmpint (json_object_get_int_member (g_ptr_array_index (open, 0), "seq"), ==, second);
  g_assert_cmpuint (reeve_ledger_append (fixture->ledger, &again, &error), ==, 0);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
}

static void
test_ledger_scopes (LedgerFixture *fixture, gconstpointer data)
{
  static const char *const bad[]
      = { "", ".", "..", ".hidden", "a/b", "x.idx", "x.lock", "a b", "\xc3\xa4" };
  g_auto (GStrv) scopes = NULL;

  ledger_fixture_append (fixture, "b", REEVE_LEDGER_READ, "x", 0);
  ledger_fixture_append (fixture, "a", REEVE_LEDGER_READ, "x", 0);
  g_assert_cmpuint (ledger_fixture_append (fixture, "b", REEVE_LEDGER_READ, "x", 0), ==, 2);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      ReeveLedgerRecord record = { .kind = REEVE_LEDGER_READ, .scope = bad[i], .action = "x" };
      g_autoptr (GError) error = NULL;

      g_assert_cmpuint (reeve_ledger_append (fixture->ledger, &record, &error), ==, 0);
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
    }
  scopes = reeve_ledger_list_scopes (fixture->ledger, NULL);
  g_assert_cmpstr (scopes[0], ==, "@platform");
  g_assert_cmpstr (scopes[1], ==, "a");
  g_assert_cmpstr (scopes[2], ==, "b");
  g_assert_null (scopes[3]);
}

static void
test_ledger_second_host (LedgerFixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveLedger) second = reeve_ledger_new (fixture->folder, fixture->keys);
  g_autoptr (GError) error = NULL;

  g_assert_false (reeve_ledger_open (second, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_BUSY);
}

static void
test_ledger_closed (LedgerFixture *fixture, gconstpointer data)
{
  ReeveLedgerRecord record = { .kind = REEVE_LEDGER_READ, .scope = "acme", .action = "x" };
  g_autoptr (GError) error = NULL;

  ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0);
  reeve_ledger_close (fixture->ledger);
  g_assert_cmpuint (reeve_ledger_append (fixture->ledger, &record, &error), ==, 0);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);
  /* it can still be read */
  g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger, "acme"), ==, 1);
}

/* The files are cut while the host has them open: it knows better. */
static void
test_ledger_cut_while_open (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *path
      = g_build_filename (fixture->folder, "acme", "00000000000000000001.log", NULL);
  GStatBuf status;

  for (guint i = 0; i < 5; i++)
    ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0);
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  for (guint cut = 0; cut < 300; cut += 30)
    {
      g_autoptr (JsonObject) verdict = NULL;

      g_assert_cmpint (truncate (path, status.st_size - cut), ==, 0);
      verdict = reeve_ledger_verify (fixture->ledger, "acme", NULL);
      g_assert_true (json_object_get_boolean_member (verdict, "valid") == (cut == 0));
    }
}

#define WAITERS 64
#define EACH    60

static gpointer
waiter (gpointer data)
{
  LedgerFixture *fixture = data;
  guint64 last = 0;

  for (guint i = 0; i < EACH; i++)
    {
      guint64 seq = ledger_fixture_append (fixture, i % 4 == 0 ? "other" : "acme",
                                           REEVE_LEDGER_READ, "x", 0);

      if (i % 4 != 0)
        {
          g_assert_cmpuint (seq, >, last);
          last = seq;
        }
    }
  return NULL;
}

static void
test_ledger_waiters (LedgerFixture *fixture, gconstpointer data)
{
  GThread *threads[WAITERS];

  for (guint i = 0; i < WAITERS; i++)
    threads[i] = g_thread_new ("waiter", waiter, fixture);
  /* while they append */
  for (guint i = 0; i < 5; i++)
    ledger_fixture_assert_valid (fixture);
  for (guint i = 0; i < WAITERS; i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger, "acme"), ==, WAITERS * EACH * 3 / 4);
  g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger, "other"), ==, WAITERS * EACH / 4);
  ledger_fixture_assert_valid (fixture);
}

static void
failed (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  gboolean *done = data;

  g_assert_cmpuint (reeve_ledger_append_finish (REEVE_LEDGER (source), result, &error), ==, 0);
  g_assert_nonnull (error);
  *done = TRUE;
}

/* A disk that takes nothing: everybody hears of it, and nothing is said to be done; when it takes
 * something again the log goes on by itself, behind an event that says so. */
static void
test_ledger_full_disk (LedgerFixture *fixture, gconstpointer data)
{
  ReeveLedgerRecord record = { .kind = REEVE_LEDGER_READ, .scope = "acme", .action = "x" };
  gint64 deadline = g_get_monotonic_time () + 60 * G_TIME_SPAN_SECOND;
  struct rlimit before;
  struct rlimit none = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) event = NULL;
  gboolean done = FALSE;

  for (guint i = 0; i < 10; i++)
    ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0);
  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &before), ==, 0);
  none.rlim_max = before.rlim_max;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &none), ==, 0);
  g_assert_cmpuint (reeve_ledger_append (fixture->ledger, &record, &error), ==, 0);
  reeve_ledger_append_async (fixture->ledger, &record, failed, &done);
  while (!done)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_READ_ONLY);
  g_assert_cmpint (reeve_ledger_get_health (fixture->ledger), ==, REEVE_LEDGER_FAILED);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &before), ==, 0);
  g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger, "acme"), ==, 10);
  while (reeve_ledger_get_size (fixture->ledger, "acme") < 11 && g_get_monotonic_time () < deadline)
    g_usleep (10000);
  g_assert_cmpint (reeve_ledger_get_health (fixture->ledger), !=, REEVE_LEDGER_FAILED);
  event = reeve_ledger_get (fixture->ledger, "acme", 11, NULL);
  g_assert_cmpstr (json_object_get_string_member (event, "action"), ==, "ledger.resumed");
  g_assert_cmpuint (ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0), ==, 12);
  ledger_fixture_close (fixture);
  ledger_fixture_assert_valid (fixture);
}

static void
test_ledger_lost_index (LedgerFixture *fixture, gconstpointer data)
{
  static const char *const names[] = { "state.idx", "00000000000000000001.idx" };

  for (guint i = 0; i < 100; i++)
    ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0);
  ledger_fixture_append (fixture, "acme", REEVE_LEDGER_INTENT, "x", 0);
  for (guint i = 0; i < 2 * G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (fixture->folder, "acme", names[i / 2], NULL);
      g_autoptr (JsonObject) record = NULL;
      g_autoptr (GPtrArray) open = NULL;

      ledger_fixture_close (fixture);
      if (i % 2 == 0)
        g_assert_cmpint (g_unlink (path), ==, 0);
      else
        g_assert_true (g_file_set_contents (path, "no index", -1, NULL));
      ledger_fixture_assert_valid (fixture);
      ledger_fixture_open (fixture);
      record = reeve_ledger_get (fixture->ledger, "acme", 1, NULL);
      g_assert_nonnull (record);
      open = reeve_ledger_list_open_intents (fixture->ledger, "acme", NULL);
      g_assert_cmpuint (open->len, ==, 1);
      g_assert_cmpuint (ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "x", 0), ==,
                        102 + i);
    }
  ledger_fixture_assert_valid (fixture);
}

#define ADD(name, func)                                                                            \
  g_test_add ("/ledger/" name, LedgerFixture, NULL, ledger_fixture_set_up, func,                   \
              ledger_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("append", test_ledger_append);
  ADD ("get", test_ledger_get);
  ADD ("list", test_ledger_list);
  ADD ("outcomes", test_ledger_outcomes);
  ADD ("scopes", test_ledger_scopes);
  ADD ("second-host", test_ledger_second_host);
  ADD ("closed", test_ledger_closed);
  ADD ("cut-while-open", test_ledger_cut_while_open);
  ADD ("waiters", test_ledger_waiters);
  ADD ("full-disk", test_ledger_full_disk);
  ADD ("lost-index", test_ledger_lost_index);
  return g_test_run ();
}
