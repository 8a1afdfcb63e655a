/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runners that break the rules of the wire. Each ends, with an error that names the rule; another
 * runner is served beside it and after it, and no descriptor is left of it. */
#include "wire-fixture.h"

#include "../helpers/test-fds.h"

#include <string.h>
#include <sys/resource.h>

/* KiB that one message of 1 MiB may take here, with all that is made of it */
#ifdef __SANITIZE_THREAD__ /* whose shadow of it counts too */
#define MOST_KIB (4 * 32 * 1024)
#else
#define MOST_KIB (32 * 1024)
#endif

/* of the host's time, in microseconds: much more than a message costs that is whole */
#define DRIP_US 20000

typedef struct
{
  const char *mode;
  const char *text; /* of the error */
  guint message_ms; /* 0: the usual */
  guint begin_ms;   /* the same */
} Hostile;

static const Hostile hostile[] = {
  { "huge", "1048576 is the most", 0, 0 },
  { "held", "it began a message and did not end it", 200, 0 },
  { "slow", "it began a message and did not end it", 400, 0 },
  { "mute", "it did not begin as a peer of D-Bus does in time", 0, 200 },
  { "noise", "it does not begin as a peer of D-Bus does", 0, 0 },
  { "close", "ended by itself, with code 3", 0, 0 },
  { "flood", "it has too many calls under way", 0, 0 },
  { "twice", "it replied to what nobody asked", 0, 0 },
  { "unasked", "it replied to what nobody asked", 0, 0 },
  { "fds", "it sent descriptors that it must not", 0, 0 },
  { "one-fd", "it sent descriptors that it must not", 0, 0 },
  { "types", "its reply to Hello is of another type", 0, 0 },
  { "swollen", "its reply to Hello is of another type", 0, 0 },
  { "variant", "its signature is none that is used here", 0, 0 },
  { "not-text", "its body is not what its signature says", 0, 0 },
  { "signal", "it sent a signal", 0, 0 },
  { "path", "it called what is no method of the broker", 0, 0 },
  { "machine-id", "it called what is no method of the broker", 0, 0 },
  { "guess", "ended by itself, with code 0", 0, 0 },
  { "deaf", "closed its wire", 0, 0 },
  /* no hostile one: each of its messages is whole in time, though never all that has come */
  { "steady", "ended by itself, with code 0", 1500, 0 },
};

/* A call that waited may have its socket for a little longer. */
static void
assert_fds (guint most, const char *mode)
{
  gint64 end = g_get_monotonic_time () + WIRE_FIXTURE_WAIT_US;

  while (test_fds_count () > most && g_get_monotonic_time () < end)
    g_usleep (1000);
  if (test_fds_count () > most)
    g_error ("%s leaves %u descriptors where there were %u", mode, test_fds_count (), most);
}

/* The most that this process ever had, in KiB. */
static glong
get_peak (void)
{
  struct rusage used = { 0 };

  g_assert_cmpint (getrusage (RUSAGE_SELF, &used), ==, 0);
  return used.ru_maxrss;
}

static void
assert_serves (WireFixture *honest)
{
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);
  g_autoptr (JsonNode) arguments = wire_fixture_json ("{\"expression\": \"6 * 7\"}");
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveToolResult) result = reeve_tool_call (
      REEVE_TOOL (honest->plugin), "calculate", json_node_get_object (arguments), context, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (reeve_tool_result_get_text (result), ==, "42");
}

/* (transfer full): why the wire could not be opened, or ended */
static GError *
run_hostile (WireFixture *honest, const Hostile *one, const char *module)
{
  g_autofree char *program = wire_fixture_get_path ("wire-liar");
  const char *const command[] = { program, one->mode, NULL };
  const ReeveWireLimits limits = { .message_us = (gint64) one->message_ms * 1000,
                                   .begin_us = (gint64) one->begin_ms * 1000 };
  WireFixture other = { .launcher = honest->launcher, .hub = honest->hub };
  gint64 end = g_get_monotonic_time () + WIRE_FIXTURE_WAIT_US;

  wire_fixture_start (&other, RUNNER_LAYERS_PROFILE_STRICT, module, command, &limits);
  if (other.wire == NULL)
    {
      /* whatever it says in the place of hello, it may be a constructor that does */
      g_assert_true (other.fell);
      return other.error;
    }
  while (!reeve_wire_has_ended (other.wire, NULL) && g_get_monotonic_time () < end)
    g_usleep (1000);
  reeve_wire_has_ended (other.wire, &other.error);
  reeve_wire_close (other.wire);
  reeve_wire_unref (other.wire);
  return other.error;
}

static void
test_hostile (void)
{
  g_autofree char *module = wire_fixture_get_plugin ("tool-calculate");
  g_autoptr (WireFixture) honest
      = wire_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, module, NULL, "{}");
  guint before = 0;

  g_assert_no_error (honest->error);
  assert_serves (honest);
  before = test_fds_count ();
  for (guint i = 0; i < G_N_ELEMENTS (hostile); i++)
    {
      glong peak = get_peak ();
      g_autoptr (GError) error = run_hostile (honest, &hostile[i], module);

      if (error == NULL || strstr (error->message, hostile[i].text) == NULL)
        g_error ("%s: %s", hostile[i].mode, error != NULL ? error->message : "nothing happened");
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
      assert_serves (honest);
      assert_fds (before, hostile[i].mode);
      if (get_peak () - peak > MOST_KIB)
        g_error ("%s takes %ld KiB", hostile[i].mode, get_peak () - peak);
    }
}

/* What comes a byte at a time costs the host more than whoever says it, and is counted, though no
 * message of it is ever whole. */
static void
test_drip (void)
{
  g_autofree char *module = wire_fixture_get_plugin ("tool-calculate");
  g_autofree char *program = wire_fixture_get_path ("wire-liar");
  const char *const command[] = { program, "drip", NULL };
  g_autoptr (WireFixture) fixture
      = wire_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, NULL, NULL, NULL);
  gint64 end = g_get_monotonic_time () + WIRE_FIXTURE_WAIT_US;
  ReeveHostTime *host_time = NULL;

  wire_fixture_start (fixture, RUNNER_LAYERS_PROFILE_STRICT, module, command, NULL);
  g_assert_no_error (fixture->error);
  host_time = reeve_wire_get_host_time (fixture->wire);
  while (reeve_host_time_get_used (host_time) < DRIP_US && g_get_monotonic_time () < end)
    g_usleep (1000);
  g_assert_cmpint (reeve_host_time_get_used (host_time), >=, DRIP_US);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wire/hostile", test_hostile);
  g_test_add_func ("/wire/hostile/drip", test_drip);
  return g_test_run ();
}
