/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread whose loop hands its records over once a turn: none of them is forgotten, whoever waits
 * for it. */
#include "governance/ledger-gather.h"

#include "ledger-fixture.h"

/* more than enough to be held back once there were as many */
#define MANY 20

typedef struct
{
  LedgerFixture *fixture;
  GSourceFunc turn; /* again and again, in the loop */
  GMainLoop *loop;
  GAsyncQueue *there; /* to who looks on */
  GAsyncQueue *back;  /* from him */
  guint turns;
  guint pending;
  guint64 appended;
} Gatherer;

static void
answered (GObject *source, GAsyncResult *result, gpointer data)
{
  Gatherer *self = data;
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (reeve_ledger_append_finish (REEVE_LEDGER (source), result, &error), ==,
                    self->appended - self->pending + 1);
  g_assert_no_error (error);
  self->pending--;
}

static void
append (Gatherer *self, guint count, gboolean ask)
{
  ReeveLedgerRecord record = { .kind = REEVE_LEDGER_READ, .scope = "acme", .action = "agents.get" };

  for (guint i = 0; i < count; i++)
    reeve_ledger_append_async (self->fixture->ledger, &record, ask ? answered : NULL, self);
  self->appended += count;
  self->pending += ask ? count : 0;
}

static gpointer
gather (gpointer data)
{
  Gatherer *self = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (context, FALSE);
  g_autoptr (GSource) source = g_idle_source_new ();

  self->loop = loop;
  g_main_context_push_thread_default (context);
  reeve_ledger_gather_begin (self->fixture->ledger, context);
  g_source_set_callback (source, self->turn, self, NULL);
  g_source_attach (source, context);
  g_main_loop_run (loop);
  reeve_ledger_gather_end (context);
  g_source_destroy (source);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static GThread *
begin (Gatherer *self, LedgerFixture *fixture, GSourceFunc turn)
{
  self->fixture = fixture;
  self->turn = turn;
  self->there = g_async_queue_new ();
  self->back = g_async_queue_new ();
  return g_thread_new ("gatherer", gather, self);
}

static void
end (Gatherer *self, GThread *thread)
{
  g_thread_join (thread);
  g_async_queue_unref (self->there);
  g_async_queue_unref (self->back);
  ledger_fixture_assert_valid (self->fixture);
}

/* Bursts, each behind the answers to the one before, between which the loop sleeps. */
static gboolean
turn_bursts (gpointer data)
{
  static const guint sizes[] = { 1, 2, 7, 40, 1, 1, 3, 300 };
  Gatherer *self = data;

  if (self->turns == 120)
    {
      g_main_loop_quit (self->loop);
      return G_SOURCE_REMOVE;
    }
  append (self, sizes[self->turns++ % G_N_ELEMENTS (sizes)], TRUE);
  while (self->pending > 0)
    g_main_context_iteration (g_main_loop_get_context (self->loop), TRUE);
  return G_SOURCE_CONTINUE;
}

static void
test_gather_bursts (LedgerFixture *fixture, gconstpointer data)
{
  Gatherer self = { 0 };

  end (&self, begin (&self, fixture, turn_bursts));
  g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger, "acme"), ==, self.appended);
}

/* What nobody waits for goes on while nothing else happens, and from the last turn too. */
static gboolean
turn_alone (gpointer data)
{
  Gatherer *self = data;

  append (self, MANY, FALSE);
  if (++self->turns == 3)
    g_main_loop_quit (self->loop);
  return G_SOURCE_CONTINUE;
}

static void
test_gather_end (LedgerFixture *fixture, gconstpointer data)
{
  Gatherer self = { 0 };

  end (&self, begin (&self, fixture, turn_alone));
  reeve_ledger_wait (fixture->ledger);
  g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger, "acme"), ==, 3 * MANY);
}

/* Another waits for what is held back in a turn that does not end before. */
static gboolean
turn_watched (gpointer data)
{
  Gatherer *self = data;

  append (self, MANY, FALSE);
  g_async_queue_push (self->there, self);
  (void) g_async_queue_pop (self->back);
  if (++self->turns == 5)
    g_main_loop_quit (self->loop);
  return G_SOURCE_CONTINUE;
}

static void
test_gather_watched (LedgerFixture *fixture, gconstpointer data)
{
  Gatherer self = { 0 };
  GThread *thread = begin (&self, fixture, turn_watched);

  for (guint i = 1; i <= 5; i++)
    {
      (void) g_async_queue_pop (self.there);
      reeve_ledger_wait (fixture->ledger);
      g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger, "acme"), ==, i * MANY);
      g_async_queue_push (self.back, &self);
    }
  end (&self, thread);
}

/* The thread itself waits behind what it holds back. */
static gboolean
turn_waiting (gpointer data)
{
  Gatherer *self = data;

  append (self, MANY, FALSE);
  g_assert_cmpuint (
      ledger_fixture_append (self->fixture, "acme", REEVE_LEDGER_READ, "agents.get", 0), ==,
      ++self->appended);
  if (++self->turns == 5)
    g_main_loop_quit (self->loop);
  return G_SOURCE_CONTINUE;
}

static void
test_gather_waiting (LedgerFixture *fixture, gconstpointer data)
{
  Gatherer self = { 0 };

  end (&self, begin (&self, fixture, turn_waiting));
}

static gboolean
on_time (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

/* The loop sleeps, unless the machine makes it wait for so long that the time is over before. */
static void
rest (Gatherer *self)
{
  GMainContext *context = g_main_loop_get_context (self->loop);
  g_autoptr (GSource) timer = g_timeout_source_new (20);
  gboolean rested = FALSE;

  g_source_set_callback (timer, on_time, &rested, NULL);
  g_source_attach (timer, context);
  while (!rested)
    g_main_context_iteration (context, TRUE);
}

/* Is what is held written before the turn ends, once more comes? */
static gboolean
is_cut (Gatherer *self)
{
  guint64 before = reeve_ledger_get_size (self->fixture->ledger, "acme");
  gint64 end = g_get_monotonic_time () + G_USEC_PER_SEC;

  append (self, 1, FALSE);
  g_usleep (2000);
  append (self, 1, FALSE);
  while (reeve_ledger_get_size (self->fixture->ledger, "acme") == before
         && g_get_monotonic_time () < end)
    g_usleep (500);
  return reeve_ledger_get_size (self->fixture->ledger, "acme") > before;
}

/* A turn behind a rest hands over what it has before it ends. */
static gboolean
turn_pieces (gpointer data)
{
  Gatherer *self = data;
  guint cut = 0;

  while (self->turns++ < 10)
    {
      /* the second time all of them are held until the loop sleeps: one batch */
      for (guint i = 0; i < 2; i++)
        {
          append (self, MANY, TRUE);
          while (self->pending > 0)
            g_main_context_iteration (g_main_loop_get_context (self->loop), TRUE);
        }
      rest (self);
      cut += is_cut (self) ? 1 : 0;
    }
  g_assert_cmpuint (cut, >=, 3);
  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

static void
test_gather_pieces (LedgerFixture *fixture, gconstpointer data)
{
  Gatherer self = { 0 };

  end (&self, begin (&self, fixture, turn_pieces));
}

/* What is handed over at once takes with it what was held back: nothing waits for the turn's end.
 */
static gboolean
turn_mixed (gpointer data)
{
  Gatherer *self = data;
  ReeveLedger *ledger = self->fixture->ledger;
  ReeveLedgerRecord outcome = { .kind = REEVE_LEDGER_OUTCOME,
                                .scope = "acme",
                                .action = "model.call",
                                .outcome = REEVE_OUTCOME_SUCCEEDED,
                                .may_wait = TRUE };

  outcome.intent
      = ledger_fixture_append (self->fixture, "acme", REEVE_LEDGER_INTENT, "model.call", 0);
  g_assert_false (reeve_ledger_holds_back (ledger));
  reeve_ledger_append_async (ledger, &outcome, NULL, NULL);
  g_assert_true (reeve_ledger_holds_back (ledger));
  append (self, 1, FALSE);
  g_assert_false (reeve_ledger_holds_back (ledger));
  /* those that were held are there while the turn goes on */
  while (reeve_ledger_get_size (ledger, "acme") < 3 * (self->turns + 1))
    g_usleep (200);
  if (++self->turns == 3)
    g_main_loop_quit (self->loop);
  return G_SOURCE_CONTINUE;
}

static void
test_gather_mixed (LedgerFixture *fixture, gconstpointer data)
{
  Gatherer self = { 0 };

  end (&self, begin (&self, fixture, turn_mixed));
  g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger, "acme"), ==, 9);
}

/* An outcome that may wait is handed over although nothing follows it, and nothing ever wakes the
 * loop again. */
static gboolean
turn_outcome (gpointer data)
{
  Gatherer *self = data;
  ReeveLedgerRecord outcome = { .kind = REEVE_LEDGER_OUTCOME,
                                .scope = "acme",
                                .action = "model.call",
                                .outcome = REEVE_OUTCOME_SUCCEEDED,
                                .may_wait = TRUE };

  outcome.intent
      = ledger_fixture_append (self->fixture, "acme", REEVE_LEDGER_INTENT, "model.call", 0);
  /* the event that says that the log is new is through */
  reeve_ledger_wait (self->fixture->ledger);
  g_usleep (100 * G_TIME_SPAN_MILLISECOND);
  reeve_ledger_append_async (self->fixture->ledger, &outcome, NULL, NULL);
  g_assert_true (reeve_ledger_holds_back (self->fixture->ledger));
  return G_SOURCE_REMOVE;
}

static gboolean
leave (gpointer data)
{
  g_main_loop_quit (data);
  return G_SOURCE_REMOVE;
}

static void
test_gather_outcome (LedgerFixture *fixture, gconstpointer data)
{
  Gatherer self = { 0 };
  GThread *thread = NULL;
  gint64 until = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;

  /* who signs waits for what was queued; who asks for the size does not */
  reeve_ledger_set_checkpoint_seconds (fixture->ledger, 3600);
  thread = begin (&self, fixture, turn_outcome);
  while (reeve_ledger_get_size (fixture->ledger, "acme") < 2 && g_get_monotonic_time () < until)
    g_usleep (1000);
  g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger, "acme"), ==, 2);
  g_main_context_invoke (g_main_loop_get_context (self.loop), leave, self.loop);
  end (&self, thread);
}

#define ADD(name, func)                                                                            \
  g_test_add ("/ledger-gather/" name, LedgerFixture, NULL, ledger_fixture_set_up, func,            \
              ledger_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("bursts", test_gather_bursts);
  ADD ("end", test_gather_end);
  ADD ("watched", test_gather_watched);
  ADD ("waiting", test_gather_waiting);
  ADD ("mixed", test_gather_mixed);
  ADD ("outcome", test_gather_outcome);
  ADD ("pieces", test_gather_pieces);
  return g_test_run ();
}
