/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attacks that do not come back, or not soon, and those of one plugin on another. Under both
 * profiles, as root and as an ordinary user. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "test-broker.h"
#include "wire-fixture.h"

#include "hostile-world.h"

#define LIFE_DEADLINE_MS 300
#define LIFE_GRACE_US    (2 * G_USEC_PER_SEC) /* the host's, behind a deadline */
#define LIFE_LOG_BYTES   16384                /* a second, before escape codes are spelled out */
#define LIFE_SPELLED     4                    /* \x1b instead of a byte */
#define LIFE_CPU         10                   /* percent of a processor */
#define LIFE_HOST_US     (G_USEC_PER_SEC / 2) /* of the host's time: more than that at once */

typedef void (*LifeFunc) (RunnerLayersProfile profile);

static char *life_module;

/* what runners print, by the thread that reads it */
static GMutex life_lock;
static guint64 life_printed;
static guint64 life_dropped;
static guint life_controls;

static void
life_count (const char *text)
{
  const char *line = strstr (text, " prints: ");
  const char *dropped = strstr (text, " prints too much: ");

  g_mutex_lock (&life_lock);
  if (dropped != NULL)
    life_dropped += g_ascii_strtoull (dropped + strlen (" prints too much: "), NULL, 10);
  for (const char *at = line; at != NULL && *at != '\0'; at++)
    {
      life_printed++;
      life_controls += *at < ' ' || *at > '~';
    }
  g_mutex_unlock (&life_lock);
}

static GLogWriterOutput
life_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  for (gsize i = 0; i < n_fields; i++)
    {
      if (strcmp (fields[i].key, "MESSAGE") == 0 && strstr (fields[i].value, " prints") != NULL)
        {
          life_count (fields[i].value);
          return G_LOG_WRITER_HANDLED;
        }
    }
  return g_log_writer_default (level, fields, n_fields, data);
}

/* Is there a process, and not only what is left of one? */
static gboolean
life_is_there (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/status", pid);
  g_autofree char *status = NULL;

  return g_file_get_contents (path, &status, NULL, NULL) && strstr (status, "State:\tZ") == NULL;
}

static void
life_assert_gone (pid_t pid)
{
  gint64 end = g_get_monotonic_time () + G_USEC_PER_SEC;

  while (life_is_there (pid) && g_get_monotonic_time () < end)
    g_usleep (2000);
  g_assert_false (life_is_there (pid));
}

static WireFixture *
life_start (RunnerLayersProfile profile)
{
  WireFixture *fixture = wire_fixture_new (profile, life_module, NULL, "{}");

  g_assert_no_error (fixture->error);
  return fixture;
}

/* (transfer full): what the plugin answered; %NULL with @error */
static char *
life_call (WireFixture *fixture, const char *name, HostileWorld *world, pid_t victim, guint ms,
           GError **error)
{
  g_autoptr (ReeveContext) context = wire_fixture_context (ms, NULL, NULL);
  g_autoptr (JsonNode) arguments
      = world != NULL ? hostile_world_describe (world, victim, NULL) : wire_fixture_json ("{}");
  g_autoptr (ReeveToolResult) result = reeve_tool_call (
      REEVE_TOOL (fixture->plugin), name, json_node_get_object (arguments), context, error);

  return result != NULL ? g_strdup (reeve_tool_result_get_text (result)) : NULL;
}

/* A process that does not answer ends behind its deadline, and nobody else notices. */
static void
life_check_deadline (RunnerLayersProfile profile, const char *name)
{
  g_autoptr (WireFixture) honest = life_start (profile);
  g_autoptr (WireFixture) fixture = life_start (profile);
  g_autoptr (HostileWorld) world = hostile_world_new (life_module);
  g_autoptr (GError) error = NULL;
  pid_t pid = reeve_wire_get_runner_pid (fixture->wire);
  gint64 start = g_get_monotonic_time ();
  g_autofree char *answer = life_call (fixture, name, NULL, 0, LIFE_DEADLINE_MS, &error);
  g_autofree char *other = NULL;

  /* the first process of a PID namespace cannot stop itself */
  if (answer != NULL && profile == RUNNER_LAYERS_PROFILE_HARDENED && strcmp (name, "stop") == 0)
    return;
  g_assert_null (answer);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT);
  while (!reeve_wire_has_ended (fixture->wire, NULL)
         && g_get_monotonic_time () - start < WIRE_FIXTURE_WAIT_US)
    g_usleep (2000);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, LIFE_GRACE_US);
  life_assert_gone (pid);
  g_clear_error (&error);
  other = life_call (honest, "thread", world, 0, 60000, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (other, ==, "succeeded");
}

static void
life_spin (RunnerLayersProfile profile)
{
  life_check_deadline (profile, "spin");
}

static void
life_stop (RunnerLayersProfile profile)
{
  life_check_deadline (profile, "stop");
}

/* A gigabyte of escape codes: what is written down is bounded, has none of them, and the rest is
 * counted. */
static void
life_shout (RunnerLayersProfile profile)
{
  g_autoptr (WireFixture) fixture = life_start (profile);
  g_autoptr (GError) error = NULL;
  gint64 start = g_get_monotonic_time ();
  g_autofree char *answer = NULL;
  gint64 seconds = 0;

  g_mutex_lock (&life_lock);
  life_printed = 0;
  life_dropped = 0;
  g_mutex_unlock (&life_lock);
  answer = life_call (fixture, "shout", NULL, 0, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (answer, ==, "succeeded");
  g_clear_pointer (&fixture, wire_fixture_free);
  seconds = (g_get_monotonic_time () - start) / G_USEC_PER_SEC + 2;
  g_mutex_lock (&life_lock);
  g_assert_cmpuint (life_printed, >, 0);
  g_assert_cmpuint (life_printed, <=, (guint64) seconds * LIFE_LOG_BYTES * (LIFE_SPELLED + 1));
  g_assert_cmpuint (life_controls, ==, 0);
  g_assert_cmpuint (life_dropped, >, (guint64) 900 << 20);
  g_mutex_unlock (&life_lock);
}

/* ---- the host's own time ---- */

/* A plugin that asks what it may ask, without end, with @throttle or nobody to hold it up. */
typedef struct
{
  WireFixture *fixture;
  ReeveBroker *broker;
  GCancellable *cancellable;
  GThread *thread;
} LifeAsk;

static WireFixture *
life_start_in (RunnerLayersProfile profile, ReeveThrottle *throttle)
{
  WireFixture *fixture = wire_fixture_new (profile, NULL, NULL, NULL);

  fixture->throttle = throttle;
  fixture->cpu = LIFE_CPU;
  wire_fixture_start (fixture, profile, life_module, NULL, NULL);
  g_assert_no_error (fixture->error);
  g_assert_true (wire_fixture_set_up (fixture, 0, "{}"));
  return fixture;
}

static gpointer
life_ask_run (gpointer data)
{
  LifeAsk *self = data;
  g_autoptr (ReeveContext) context = wire_fixture_context (600000, self->broker, self->cancellable);
  g_autoptr (JsonNode) none = wire_fixture_json ("{}");
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveToolResult) result = reeve_tool_call (
      REEVE_TOOL (self->fixture->plugin), "ask", json_node_get_object (none), context, &error);

  g_assert (result == NULL);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  return NULL;
}

static void
life_ask_start (LifeAsk *self, RunnerLayersProfile profile, ReeveThrottle *throttle)
{
  self->fixture = life_start_in (profile, throttle);
  self->broker = g_object_new (TEST_TYPE_BROKER, NULL);
  self->cancellable = g_cancellable_new ();
  self->thread = g_thread_new ("ask", life_ask_run, self);
}

static void
life_ask_end (LifeAsk *self)
{
  g_cancellable_cancel (self->cancellable);
  g_thread_join (self->thread);
  g_object_unref (self->cancellable);
  wire_fixture_free (self->fixture);
  g_object_unref (self->broker);
}

/* Asks a little, by all rules; is answered, and never held up. */
static void
life_ask_some (WireFixture *fixture)
{
  ReeveHostTime *host_time = reeve_wire_get_host_time (fixture->wire);
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, broker, NULL);
  g_autoptr (JsonNode) none = wire_fixture_json ("{}");
  g_autoptr (GError) error = NULL;
  gint64 before = reeve_host_time_get_used (host_time);
  g_autoptr (ReeveToolResult) result = reeve_tool_call (
      REEVE_TOOL (fixture->plugin), "ask-some", json_node_get_object (none), context, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (reeve_tool_result_get_text (result), ==, "succeeded");
  g_assert_cmpint (reeve_host_time_get_used (host_time), >, before);
}

/* What the host does for a plugin is in that one's share: one that asks without end, and uses
 * little itself, is held up. Free it costs the host as much as it likes (control); who asks a
 * little beside it is answered (twin). */
static void
life_ask (RunnerLayersProfile profile)
{
  g_autoptr (ReeveThrottle) throttle = reeve_throttle_new (0);
  g_autoptr (WireFixture) honest = life_start_in (profile, throttle);
  LifeAsk free = { 0 };
  LifeAsk bound = { 0 };
  ReeveHostTime *host_time = NULL;

  life_ask_start (&free, profile, NULL);
  host_time = reeve_wire_get_host_time (free.fixture->wire);
  while (reeve_host_time_get_used (host_time) < LIFE_HOST_US)
    g_usleep (1000);
  g_assert_false (reeve_host_time_is_held (host_time));
  life_ask_end (&free);
  life_ask_start (&bound, profile, throttle);
  host_time = reeve_wire_get_host_time (bound.fixture->wire);
  for (guint i = 0; i < 3; i++)
    {
      while (!reeve_host_time_is_held (host_time))
        g_usleep (1000);
      life_ask_some (honest);
      while (reeve_host_time_is_held (host_time))
        g_usleep (1000);
    }
  life_ask_end (&bound);
}

/* All that is tried on the host is tried on another plugin's process of the same user. */
static void
life_plugin_on_plugin (RunnerLayersProfile profile)
{
  static const char *const attacks[]
      = { "victim-mem", "victim-maps",     "victim-environ", "victim-command", "victim-fd-list",
          "vm-read",    "victim-fd-open",  "victim-fd-link", "vm-write",       "ptrace",
          "kill",       "tgkill",          "queue-signal",   "pidfd-open",     "pidfd-signal",
          "owner",      "victim-priority", "victim-limits",  "pidfd-getfd" };
  g_autoptr (WireFixture) victim = life_start (profile);
  g_autoptr (WireFixture) fixture = life_start (profile);
  g_autoptr (HostileWorld) world = hostile_world_new (life_module);
  g_autofree char *after = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (attacks); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *answer = life_call (fixture, attacks[i], world,
                                           reeve_wire_get_runner_pid (victim->wire), 60000, &error);

      g_assert_no_error (error);
      g_assert (answer != NULL);
      if (strcmp (answer, "EACCES") != 0 && strcmp (answer, "EPERM") != 0
          && (profile == RUNNER_LAYERS_PROFILE_STRICT || strcmp (answer, "ENOENT") != 0))
        g_error ("%s on another plugin: %s", attacks[i], answer);
    }
  after = life_call (victim, "thread", world, 0, 60000, NULL);
  g_assert_cmpstr (after, ==, "succeeded");
}

/* Nothing is let through but what is meant to be. */
static void
life_sweep (RunnerLayersProfile profile)
{
  g_autoptr (WireFixture) fixture = life_start (profile);
  g_autoptr (GError) error = NULL;
  g_autofree char *found = life_call (fixture, "sweep", NULL, 0, 60000, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (found, ==, "");
}

/* The same with a folder to write in: what that takes, and no more. */
static void
life_sweep_scratch (RunnerLayersProfile profile)
{
  g_autoptr (WireFixture) fixture = wire_fixture_new (profile, NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *found = NULL;
  g_autofree char *without = NULL;

  if (!wire_fixture_offers (RUNNER_LAYERS_PROFILE_HARDENED))
    {
      g_test_message ("this machine has no namespaces: nobody gets a folder");
      return;
    }
  fixture->scratch = 1 << 20;
  wire_fixture_start (fixture, profile, life_module, NULL, NULL);
  g_assert_no_error (fixture->error);
  g_assert_true (wire_fixture_set_up (fixture, 0, "{}"));
  found = life_call (fixture, "sweep-scratch", NULL, 0, 60000, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (found, ==, "");
  /* these are let through indeed */
  without = life_call (fixture, "sweep", NULL, 0, 60000, &error);
  g_assert_no_error (error);
  g_assert (without != NULL && strstr (without, ": EFAULT; ") != NULL);
}

static void
life_test (gconstpointer data)
{
  LifeFunc make = *(const LifeFunc *) data;

  make (RUNNER_LAYERS_PROFILE_STRICT);
  if (wire_fixture_offers (RUNNER_LAYERS_PROFILE_HARDENED))
    make (RUNNER_LAYERS_PROFILE_HARDENED);
  else
    g_test_message ("this machine does not offer the profile hardened: tests/hostile says so too");
}

int
main (int argc, char **argv)
{
  static const LifeFunc spin = life_spin;
  static const LifeFunc stop = life_stop;
  static const LifeFunc sweep = life_sweep;
  static const LifeFunc sweep_scratch = life_sweep_scratch;
  static const LifeFunc shout = life_shout;
  static const LifeFunc plugin_on_plugin = life_plugin_on_plugin;
  static const LifeFunc ask = life_ask;
  int code = 0;

  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (life_log, NULL, NULL);
  life_module = wire_fixture_find (argv[0], "tests/hostile/attacker.so");
  g_test_add_data_func ("/life/spin", &spin, life_test);
  g_test_add_data_func ("/life/stop", &stop, life_test);
  g_test_add_data_func ("/life/shout", &shout, life_test);
  g_test_add_data_func ("/life/sweep", &sweep, life_test);
  g_test_add_data_func ("/life/ask", &ask, life_test);
  g_test_add_data_func ("/life/sweep/scratch", &sweep_scratch, life_test);
  g_test_add_data_func ("/life/plugin-on-plugin", &plugin_on_plugin, life_test);
  code = g_test_run ();
  g_free (life_module);
  return code;
}
