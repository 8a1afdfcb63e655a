/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The wire at its limits: calls under way each way, bytes a second, memory, and all of them when a
 * runner dies. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "../helpers/test-fds.h"
#include "test-broker.h"
#include "wire-fixture.h"

#define CALLS 64
#define MORE  16

static WireFixture *
new_fixture (const char *name, guint processes, guint64 memory, const ReeveWireLimits *limits)
{
  g_autofree char *module = wire_fixture_get_path (name);
  WireFixture *fixture = wire_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, NULL, NULL, NULL);

  fixture->processes = processes;
  fixture->memory = memory;
  wire_fixture_start (fixture, RUNNER_LAYERS_PROFILE_STRICT, module, NULL, limits);
  g_assert_no_error (fixture->error);
  wire_fixture_set_up (fixture, 0, "{}");
  g_assert_no_error (fixture->error);
  return fixture;
}

static ReeveToolResult *
call_with (WireFixture *fixture, const char *name, ReeveContext *context, GError **error)
{
  g_autoptr (JsonNode) none = wire_fixture_json ("{}");

  return reeve_tool_call (REEVE_TOOL (fixture->plugin), name, json_node_get_object (none), context,
                          error);
}

/* It answers, once there is room for one more call. */
static void
assert_answers (WireFixture *fixture)
{
  for (;;)
    {
      g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveToolResult) result = call_with (fixture, "who", context, &error);

      if (result != NULL)
        return;
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_BUSY);
      g_usleep (1000);
    }
}

/* ---- many at once ---- */

typedef struct
{
  WireFixture *fixture;
  ReeveBroker *broker;
  GCancellable *cancellable;
  GMutex lock;
  GCond changed;
  guint ended;
  guint busy;
  guint cancelled;
  guint dead;
} Crowd;

static gpointer
call_in_crowd (gpointer data)
{
  Crowd *self = data;
  g_autoptr (ReeveContext) context = wire_fixture_context (600000, self->broker, self->cancellable);
  g_autoptr (GError) error = NULL;

  g_assert_null (call_with (self->fixture, "sleep", context, &error));
  g_mutex_lock (&self->lock);
  self->ended++;
  self->busy += g_error_matches (error, REEVE_ERROR, REEVE_ERROR_BUSY)
                && strcmp (error->message, "plugin wire: it has 64 calls under way") == 0;
  self->cancelled += g_error_matches (error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  self->dead += g_error_matches (error, REEVE_ERROR, REEVE_ERROR_PLUGIN)
                && strstr (error->message, "its runner was killed by signal 9") != NULL;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
  return NULL;
}

static void
crowd_start (Crowd *self, WireFixture *fixture, GThread **threads, guint count)
{
  *self = (Crowd){ .fixture = fixture,
                   .broker = g_object_new (TEST_TYPE_BROKER, NULL),
                   .cancellable = g_cancellable_new () };
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  for (guint i = 0; i < count; i++)
    threads[i] = g_thread_new ("call", call_in_crowd, self);
}

static void
crowd_end (Crowd *self, GThread **threads, guint count)
{
  for (guint i = 0; i < count; i++)
    g_thread_join (threads[i]);
  g_object_unref (self->broker);
  g_object_unref (self->cancellable);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
}

/* As many as there may be are under way; each one more is told so at once, and all end when they
 * are cancelled. */
static void
test_calls (void)
{
  g_autoptr (WireFixture) fixture = new_fixture ("wire-plugin.so", 0, 0, NULL);
  GThread *threads[CALLS + MORE] = { NULL };
  Crowd crowd = { .ended = 0 };

  crowd_start (&crowd, fixture, threads, CALLS + MORE);
  g_mutex_lock (&crowd.lock);
  while (crowd.ended < MORE)
    g_cond_wait (&crowd.changed, &crowd.lock);
  g_assert_cmpuint (crowd.busy, ==, MORE);
  g_mutex_unlock (&crowd.lock);
  g_cancellable_cancel (crowd.cancellable);
  crowd_end (&crowd, threads, CALLS + MORE);
  g_assert_cmpuint (crowd.busy, ==, MORE);
  g_assert_cmpuint (crowd.cancelled, ==, CALLS);
  assert_answers (fixture);
  g_assert_false (reeve_wire_has_ended (fixture->wire, NULL));
}

/* All that is under way fails when the runner dies, also what waits for a worker there; and so does
 * what comes later. */
static void
test_death (void)
{
  g_autoptr (WireFixture) fixture = new_fixture ("wire-plugin.so", 0, 0, NULL);
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);
  GThread *threads[CALLS] = { NULL };
  Crowd crowd = { .ended = 0 };
  g_autoptr (GError) error = NULL;

  crowd_start (&crowd, fixture, threads, CALLS);
  test_broker_wait (TEST_BROKER (crowd.broker), 1);
  g_assert_cmpint (kill (reeve_wire_get_runner_pid (fixture->wire), SIGKILL), ==, 0);
  crowd_end (&crowd, threads, CALLS);
  g_assert_cmpuint (crowd.dead, ==, CALLS);
  g_assert_null (call_with (fixture, "who", context, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
}

#define BUSY_THREADS 6
#define BUSY_CALLS   150

static gpointer
call_often (gpointer data)
{
  WireFixture *fixture = data;

  for (guint i = 0; i < BUSY_CALLS; i++)
    {
      /* one that is left in its midst leaves what it read with to the others */
      gboolean leaves = i % 25 == 24;
      g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
      g_autoptr (ReeveContext) context = wire_fixture_context (leaves ? 20 : 60000, broker, NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveToolResult) result
          = call_with (fixture, leaves ? "sleep" : "who", context, &error);

      if (leaves)
        g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT);
      else
        g_assert_no_error (error);
    }
  return NULL;
}

/* Of many that wait one reads for all: whoever it is, and whenever it leaves, each gets its reply
 * at once, for a call has a minute and all of them take less. */
static void
test_busy (void)
{
  g_autoptr (WireFixture) fixture = new_fixture ("wire-plugin.so", 0, 0, NULL);
  GThread *threads[BUSY_THREADS] = { NULL };
  gint64 start = g_get_monotonic_time ();

  for (guint i = 0; i < BUSY_THREADS; i++)
    threads[i] = g_thread_new ("call", call_often, fixture);
  for (guint i = 0; i < BUSY_THREADS; i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 50 * G_USEC_PER_SEC);
  assert_answers (fixture);
}

#define CRASH_THREADS 8
#define CRASH_ROUNDS  12

typedef struct
{
  WireFixture *fixture;
  GRand *random; /* its own */
  guint calls;
  guint answered;
} Victim;

/* Calls of each kind until there is no runner any more; each has one end, and soon. */
static gpointer
call_until_death (gpointer data)
{
  Victim *self = data;
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);

  for (;;)
    {
      gboolean leaves = g_rand_int_range (self->random, 0, 8) == 0;
      guint ms = leaves ? (guint) g_rand_int_range (self->random, 1, 10) : 60000;
      g_autoptr (ReeveContext) context = wire_fixture_context (ms, broker, NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveToolResult) result
          = call_with (self->fixture, leaves ? "sleep" : "who", context, &error);

      self->calls++;
      self->answered += result != NULL;
      g_assert_true ((result != NULL) != (error != NULL));
      if (g_error_matches (error, REEVE_ERROR, REEVE_ERROR_PLUGIN))
        return NULL;
      if (error != NULL && !g_error_matches (error, REEVE_ERROR, REEVE_ERROR_BUSY))
        g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT);
    }
}

static guint
count_threads (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/task", 0, NULL);
  guint count = 0;

  g_assert (dir != NULL);
  while (g_dir_read_name (dir) != NULL)
    count++;
  return count;
}

/* (transfer none): of calls; the runner is killed at any moment */
static void
crash_once (WireFixture *fixture, GRand *random, guint *calls, guint *answered)
{
  g_autofree char *module = wire_fixture_get_path ("wire-plugin.so");
  GThread *threads[CRASH_THREADS] = { NULL };
  Victim victims[CRASH_THREADS];
  gint64 start = 0;

  wire_fixture_start (fixture, RUNNER_LAYERS_PROFILE_STRICT, module, NULL, NULL);
  g_assert_no_error (fixture->error);
  wire_fixture_set_up (fixture, 0, "{}");
  g_assert_no_error (fixture->error);
  for (guint i = 0; i < CRASH_THREADS; i++)
    {
      victims[i]
          = (Victim){ .fixture = fixture, .random = g_rand_new_with_seed (g_rand_int (random)) };
      threads[i] = g_thread_new ("call", call_until_death, &victims[i]);
    }
  g_usleep ((gulong) g_rand_int_range (random, 0, 60000));
  start = g_get_monotonic_time ();
  g_assert_cmpint (kill (reeve_wire_get_runner_pid (fixture->wire), SIGKILL), ==, 0);
  for (guint i = 0; i < CRASH_THREADS; i++)
    {
      g_thread_join (threads[i]);
      *calls += victims[i].calls;
      *answered += victims[i].answered;
      g_rand_free (victims[i].random);
    }
  g_assert_cmpint (g_get_monotonic_time () - start, <, 30 * G_USEC_PER_SEC);
  g_clear_object (&fixture->plugin);
  reeve_wire_close (fixture->wire);
  g_clear_pointer (&fixture->wire, reeve_wire_unref);
}

/* Calls end, and nothing is left of a runner, whenever it dies. */
static void
test_crashes (void)
{
  guint rounds = g_strcmp0 (g_getenv ("REEVE_TEST_SIZE"), "long") == 0 ? 400 : CRASH_ROUNDS;
  g_autoptr (WireFixture) fixture
      = wire_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, NULL, NULL, NULL);
  guint32 seed = g_random_int ();
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  guint fds = 0;
  guint threads = 0;
  guint calls = 0;
  guint answered = 0;

  g_test_message ("seed %u", seed);
  for (guint i = 0; i < rounds; i++)
    {
      crash_once (fixture, random, &calls, &answered);
      if (i == 1)
        {
          fds = test_fds_count ();
          threads = count_threads ();
        }
    }
  g_test_message ("%u calls, %u answered", calls, answered);
  g_assert_cmpuint (calls, >=, rounds * CRASH_THREADS);
  /* workers may have become more, as many as there are at most */
  /* the last end is cleared away by a thread of its own */
  for (guint i = 0; i < 500 && test_fds_count () > fds; i++)
    g_usleep (10000);
  g_assert_cmpuint (test_fds_count (), <=, fds);
  g_assert_cmpuint (count_threads (), <=, threads + 32);
}

/* A plugin that asks for more at once than the host lets it waits in its own process, and is not
 * ended: neither more calls nor more bytes are under way than there may be. */
static void
test_questions (void)
{
  g_autoptr (WireFixture) fixture
      = new_fixture ("wire-plugin.so", geteuid () == 0 ? 200 : 0, 0, NULL);
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
  g_autoptr (ReeveContext) context = wire_fixture_context (600000, broker, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveToolResult) result = NULL;

  /* as many as the host has workers for one wire */
  test_broker_hold (TEST_BROKER (broker), REEVE_WIRE_SHARE_MOST);
  result = call_with (fixture, "ask-much", context, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (reeve_tool_result_get_text (result), ==, "100");
  assert_answers (fixture);
}

/* What is said faster than it may be is read later: bytes over those of the first second take time.
 */
static void
test_rate (void)
{
  const ReeveWireLimits limits = { .per_second = 8 * 1000 * 1000 };
  g_autoptr (WireFixture) fixture = new_fixture ("wire-plugin.so", 0, 0, &limits);
  gint64 start = g_get_monotonic_time ();

  for (guint i = 0; i < 12; i++)
    {
      g_autoptr (ReeveContext) context = wire_fixture_context (600000, NULL, NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveToolResult) result = call_with (fixture, "some", context, &error);

      g_assert_no_error (error);
      g_assert_cmpuint (strlen (reeve_tool_result_get_text (result)), ==, 900 * 1000);
    }
  /* 10,800,000 bytes */
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 280 * 1000);
}

/* ---- memory ---- */

#ifndef __SANITIZE_ADDRESS__ /* which has all of the address space, whatever the limit says */
#define MEMORY (192 << 20)   /* bytes of address space */

static ReeveExtract *
extract_with (WireFixture *fixture, gsize size, GError **error)
{
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);
  g_autofree char *data = g_strnfill (size, 'd');
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_steal_pointer (&data), size);

  return reeve_extractor_extract (REEVE_EXTRACTOR (fixture->plugin), bytes, "text/plain", "a",
                                  context, error);
}

/* A runner with less memory than a document has: the call fails, and all goes on. */
static void
test_blob (void)
{
  g_autoptr (WireFixture) fixture = new_fixture ("wire-sink.so", 0, MEMORY, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveExtract) extract = NULL;

  g_assert_null (extract_with (fixture, 200 << 20, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE);
  g_assert_cmpstr (error->message, ==, "no memory for a blob of 209715200 bytes");
  g_clear_error (&error);
  extract = extract_with (fixture, 1000, &error);
  g_assert_no_error (error);
}

/* A plugin that takes all there is ends, and whoever called it learns why. */
static void
test_memory (void)
{
  g_autoptr (WireFixture) free_one = new_fixture ("wire-plugin.so", 0, 0, NULL);
  g_autoptr (WireFixture) fixture = new_fixture ("wire-plugin.so", 0, MEMORY, NULL);
  g_autoptr (ReeveContext) context = wire_fixture_context (600000, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (call_with (fixture, "gorge", context, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  g_assert_cmpstr (error->message, ==, "plugin wire: its runner ran out of memory (memory limit)");
  assert_answers (free_one);
}
#endif

/* ---- what the host uses for it ---- */

typedef struct
{
  WireFixture *fixture;
  ReeveBroker *broker;
  GError *error;
} Asker;

static gpointer
ask_run (gpointer data)
{
  Asker *self = data;
  g_autoptr (ReeveContext) context = wire_fixture_context (600000, self->broker, NULL);
  g_autoptr (ReeveToolResult) result = call_with (self->fixture, "ask", context, &self->error);

  return NULL;
}

/* What it asks costs the host something, which is counted; what it is asked is not. While its share
 * is used up nothing is read from it, others are served, and then it goes on. */
static void
test_held (void)
{
  g_autoptr (WireFixture) held = new_fixture ("wire-plugin.so", 0, 0, NULL);
  g_autoptr (WireFixture) other = new_fixture ("wire-plugin.so", 0, 0, NULL);
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
  Asker asker = { held, broker, NULL };
  ReeveHostTime *host_time = reeve_wire_get_host_time (held->wire);
  GThread *thread = NULL;
  gint64 before = 0;

  assert_answers (held);
  before = reeve_host_time_get_used (host_time);
  assert_answers (held);
  g_assert_cmpint (reeve_host_time_get_used (host_time), ==, before);
  ask_run (&asker);
  g_assert_no_error (asker.error);
  g_assert_cmpint (reeve_host_time_get_used (host_time), >, before);
  for (guint i = 0; i < 3; i++)
    {
      reeve_host_time_set_held (host_time, TRUE);
      thread = g_thread_new ("ask", ask_run, &asker);
      for (guint j = 0; j < 100; j++)
        assert_answers (other);
      g_assert_cmpuint (test_broker_get_echoes (TEST_BROKER (broker)), ==, i + 1);
      reeve_host_time_set_held (host_time, FALSE);
      g_thread_join (thread);
      g_assert_no_error (asker.error);
    }
}

/* One that ends while nothing is read from it is noticed at once. */
static void
test_held_ends (void)
{
  g_autoptr (WireFixture) held = new_fixture ("wire-plugin.so", 0, 0, NULL);
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
  Asker asker = { held, broker, NULL };
  GThread *thread = NULL;

  reeve_host_time_set_held (reeve_wire_get_host_time (held->wire), TRUE);
  thread = g_thread_new ("ask", ask_run, &asker);
  g_assert_cmpint (kill (reeve_wire_get_runner_pid (held->wire), SIGKILL), ==, 0);
  g_thread_join (thread);
  g_assert_error (asker.error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  g_assert_true (strstr (asker.error->message, "signal 9") != NULL);
  g_clear_error (&asker.error);
}

/* A call that is left while the runner may not go on ends in time; the runner is not ended for what
 * it could not do: it has its grace from when it goes on. */
static void
test_held_leaves (void)
{
  g_autoptr (WireFixture) held = new_fixture ("wire-plugin.so", 0, 0, NULL);
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
  g_autoptr (ReeveContext) context = wire_fixture_context (100, broker, NULL);
  ReeveHostTime *host_time = reeve_wire_get_host_time (held->wire);
  g_autoptr (GError) error = NULL;

  reeve_host_time_set_held (host_time, TRUE);
  g_assert_null (call_with (held, "sleep", context, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT);
  g_usleep (REEVE_WIRE_GRACE_US + G_USEC_PER_SEC);
  g_assert_false (reeve_wire_has_ended (held->wire, NULL));
  reeve_host_time_set_held (host_time, FALSE);
  assert_answers (held);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* the race checker does not see how GLib hands a class to the thread that comes second */
  g_type_class_ref (TEST_TYPE_BROKER);
  g_test_add_func ("/wire/load/calls", test_calls);
  g_test_add_func ("/wire/load/death", test_death);
  g_test_add_func ("/wire/load/busy", test_busy);
  g_test_add_func ("/wire/load/crashes", test_crashes);
  g_test_add_func ("/wire/load/questions", test_questions);
  g_test_add_func ("/wire/load/rate", test_rate);
  g_test_add_func ("/wire/load/held", test_held);
  g_test_add_func ("/wire/load/held/ends", test_held_ends);
  g_test_add_func ("/wire/load/held/leaves", test_held_leaves);
#ifndef __SANITIZE_ADDRESS__
  g_test_add_func ("/wire/load/blob", test_blob);
  g_test_add_func ("/wire/load/memory", test_memory);
#endif
  return g_test_run ();
}
