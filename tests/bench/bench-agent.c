/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Goal 18: an agent's instance ready to run: its opening with definition, tools and mission, its
 * journal, its run, and the first decision. As a ratio to a floor of the same run: one empty
 * GObject of GLib. Usage: bench-agent [COUNT] [ROUNDS] */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/decide.h"
#include "runtime/run-opening.h"

#define GOAL_US    10.0
#define GOAL_BYTES (16 * 1024.0)

typedef struct
{
  double us;
  double bytes;
} Cost;

static ReeveRunEnvironment environment;

static ReeveRun *
make_run (ReeveCaller *caller)
{
  const ReeveRunRequest request = { .operation = "agents.execute",
                                    .mission = "To what torque are the bolts tightened?",
                                    .trace_id = "4bf92f3577b34da6a3ce929d0e0e4736",
                                    .door = "rest" };
  g_autoptr (JsonObject) record = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) started
      = reeve_run_opening_new (&environment, NULL, caller, 7, &request, &record, &error);
  ReeveJournal *journal = reeve_journal_new ();
  g_auto (ReeveDecision) decision = { 0 };

  if (started == NULL || !reeve_journal_add (journal, started, &error))
    g_error ("%s", error->message);
  reeve_decide (journal, &decision);
  if (decision.kind != REEVE_DECISION_CALL_MODEL)
    g_error ("the first decision is another one");
  return reeve_run_new (&environment, caller, NULL, "run_aaaaaaaaaaaaaaaaaaaaaaaaaa", record,
                        journal);
}

static Cost
measure (guint count, gboolean floor)
{
  const char *const roles[] = { "operator", NULL };
  g_autoptr (ReeveIdentity) identity = reeve_identity_new ("default", "usr_a", roles, "api-key");
  g_autoptr (ReeveCaller) caller
      = reeve_caller_new (identity, "default", FALSE, reeve_roles_union (roles), "rest", NULL);
  g_autoptr (GPtrArray) all = g_ptr_array_new_full (count, g_object_unref);
  size_t before = mallinfo2 ().uordblks;
  gint64 start = g_get_monotonic_time ();
  Cost cost = { 0 };

  for (guint i = 0; i < count; i++)
    g_ptr_array_add (all,
                     floor ? g_object_new (G_TYPE_OBJECT, NULL) : (gpointer) make_run (caller));
  cost.us = (double) (g_get_monotonic_time () - start) / count;
  cost.bytes = (double) (mallinfo2 ().uordblks - before) / count;
  return cost;
}

int
main (int argc, char **argv)
{
  guint count = argc > 1 ? (guint) atoi (argv[1]) : 10000;
  guint rounds = argc > 2 ? (guint) atoi (argv[2]) : 5;
  ReeveCapabilities *capabilities = reeve_capabilities_new ();
  const ReeveRegistrySetup setup
      = { .folders = (const char *const[]){ NULL }, .capabilities = capabilities };
  ReeveRegistry *registry = reeve_registry_new (&setup);
  ReeveWorkers *workers = reeve_workers_new ("bench", 8, 8, 256);
  Cost best = { G_MAXDOUBLE, G_MAXDOUBLE };

  environment = (ReeveRunEnvironment){ .tools = reeve_tools_new (registry, workers),
                                       .max_iterations = 15,
                                       .max_tokens = 4096,
                                       .timeout_seconds = 600 };
  measure (count / 10 + 1, FALSE); /* warm-up */
  for (guint round = 0; round < rounds; round++)
    {
      Cost floor = measure (count, TRUE);
      Cost ours = measure (count, FALSE);

      best.us = MIN (best.us, ours.us);
      best.bytes = MIN (best.bytes, ours.bytes);
      printf ("an agent's instance %6.2f us %6.0f B   floor %5.2f us %4.0f B   ratio %.0f\n",
              ours.us, ours.bytes, floor.us, floor.bytes, ours.us / floor.us);
    }
  printf (
      "goal 18  agent instance ready to run: %.2f us (goal <= %.0f) %s, %.1f KiB (goal <= %.0f) "
      "%s\n",
      best.us, GOAL_US, best.us <= GOAL_US ? "met" : "MISSED", best.bytes / 1024, GOAL_BYTES / 1024,
      best.bytes <= GOAL_BYTES ? "met" : "MISSED");
  g_object_unref (environment.tools);
  reeve_workers_shutdown (workers);
  reeve_workers_unref (workers);
  reeve_registry_unref (registry);
  reeve_capabilities_unref (capabilities);
  return 0;
}
