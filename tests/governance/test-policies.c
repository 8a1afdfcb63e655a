/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policies in a store: what is not known is denied, a change holds when it returns, and changes at
 * once each have their number. */
#include "governance/policies.h"

#include <string.h>

#include "governance/policies-snapshot.h"

#include "directory-fixture.h"

#define ALLOWED "{\"tools\":[{\"tool_name\":\"x\",\"effect\":\"allow\"}]}"
#define DENIED  "{\"tools\":[{\"tool_name\":\"x\",\"effect\":\"deny\"}]}"
#define ROUNDS  20

typedef struct
{
  DirectoryFixture host;
  ReevePolicies *policies;
  ReeveCaller *caller;
  gint over;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ReevePolicy) shipped = reeve_policy_new_for_profile ("dev");
  g_autoptr (GError) error = NULL;

  directory_fixture_set_up (&fixture->host, data);
  directory_fixture_bootstrap (&fixture->host, &error);
  g_assert_no_error (error);
  fixture->policies = reeve_policies_new (fixture->host.store, shipped);
  fixture->caller = directory_fixture_admin (&fixture->host, NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_assert_finalize_object (fixture->policies);
  reeve_caller_unref (fixture->caller);
  directory_fixture_tear_down (&fixture->host, data);
}

static ReeveAdmitted *
admit (Fixture *fixture, const char *operation)
{
  ReeveAdmissionRequest request = { .caller = fixture->caller,
                                    .operation = operation,
                                    .permission = "policy:manage",
                                    .resource_type = "policy" };
  g_autoptr (GError) error = NULL;
  ReeveAdmitted *admitted = reeve_admission_begin (fixture->host.admission, &request, &error);

  g_assert_no_error (error);
  return admitted;
}

static void
settle (Fixture *fixture, ReeveAdmitted *admitted, gboolean good)
{
  ReeveSettlement settlement = { .outcome = good ? REEVE_OUTCOME_SUCCEEDED : REEVE_OUTCOME_FAILED };

  reeve_admission_settle_async (fixture->host.admission, admitted, &settlement, NULL, NULL);
}

/* revision that it became; 0: refused */
static gint64
set (Fixture *fixture, const char *agent_id, const char *text, GError **error)
{
  ReeveAdmitted *admitted = admit (fixture, "policies.set");
  g_autoptr (JsonObject) document = directory_fixture_parse (text);
  g_autoptr (JsonObject) policy = reeve_policies_set (fixture->policies, admitted, "policies.set",
                                                      agent_id, document, document, error);

  settle (fixture, admitted, policy != NULL);
  return policy != NULL ? reeve_json_get_int (policy, "revision", 0) : 0;
}

static const char *
reason (Fixture *fixture, const char *agent_id, const char *tool)
{
  ReevePolicyAsk ask = { .tool_name = tool };
  g_auto (ReevePolicyDecision) decision = { 0 };

  reeve_policies_decide (fixture->policies, "default", agent_id, &ask, &decision);
  return decision.reason;
}

static void
prepare (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  reeve_policies_prepare (fixture->policies, "default", &error);
  g_assert_no_error (error);
}

static void
test_policies_known (Fixture *fixture, gconstpointer data)
{
  gint64 tokens = 1;
  gint64 seconds = 1;

  g_assert_cmpstr (reason (fixture, NULL, "calculate"), ==, "policy_unavailable");
  reeve_policies_get_limits (fixture->policies, "default", NULL, &tokens, &seconds);
  g_assert_cmpint (tokens, ==, 0);
  prepare (fixture);
  g_assert_cmpstr (reason (fixture, NULL, "calculate"), ==, "tool_allowed");
  reeve_policies_forget (fixture->policies, "default");
  g_assert_cmpstr (reason (fixture, NULL, "calculate"), ==, "policy_unavailable");
}

static void
test_policies_changes (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) params = json_object_new ();
  ReeveAdmitted *admitted = NULL;
  g_autoptr (JsonObject) page = NULL;

  g_assert_cmpint (set (fixture, NULL, ALLOWED, &error), ==, 1);
  g_assert_cmpstr (reason (fixture, NULL, "x"), ==, "tool_allowed");
  g_assert_cmpint (set (fixture, "agt_1", DENIED, &error), ==, 2);
  g_assert_cmpstr (reason (fixture, "agt_1", "x"), ==, "tool_denied");
  g_assert_cmpstr (reason (fixture, "agt_2", "x"), ==, "tool_allowed");
  g_assert_cmpint (set (fixture, NULL, "{\"tools\":3}", &error), ==, 0);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  admitted = admit (fixture, "policies.delete_agent");
  g_assert_false (reeve_policies_unset (fixture->policies, admitted, "policies.delete_agent",
                                        "agt_2", params, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_assert_false (reeve_admitted_is_consumed (admitted));
  settle (fixture, admitted, FALSE);
  g_clear_error (&error);
  page = reeve_policies_list_revisions (fixture->policies, "default", params, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (json_array_get_length (reeve_json_get_array (page, "items")), ==, 2);
}

/* ---- all at once ---- */

static JsonObject *
apply (Fixture *fixture, const char *text, gint64 expected, gboolean dry_run, GError **error)
{
  ReeveAdmitted *admitted = admit (fixture, "policies.apply");
  g_autoptr (JsonObject) policies = directory_fixture_parse (text);
  const ReevePoliciesWanted wanted
      = { .policies = policies, .expected_revision = expected, .dry_run = dry_run };
  JsonObject *answer = reeve_policies_apply (fixture->policies, admitted, "policies.apply",
                                             policies, &wanted, error);

  g_assert_true (reeve_admitted_is_consumed (admitted) == (answer != NULL));
  settle (fixture, admitted, answer != NULL);
  return answer;
}

/* revision and number of changes; -1: refused */
static gint64
apply_number (Fixture *fixture, const char *text, gint64 expected, gboolean dry_run, guint *changes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) answer = apply (fixture, text, expected, dry_run, &error);

  *changes = answer != NULL ? json_array_get_length (reeve_json_get_array (answer, "changes")) : 0;
  return answer != NULL ? reeve_json_get_int (answer, "revision", -1) : -1;
}

#define BOTH "{\"org\":" ALLOWED ",\"agents\":{\"agt_1\":" DENIED "}}"

static void
test_policies_apply (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) exported = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *text = NULL;
  guint changes = 0;

  g_assert_cmpint (set (fixture, "agt_1", ALLOWED, &error), ==, 1);
  g_assert_cmpint (apply_number (fixture, BOTH, 1, TRUE, &changes), ==, 1);
  g_assert_cmpuint (changes, ==, 2);
  g_assert_cmpstr (reason (fixture, "agt_1", "x"), ==, "tool_allowed");
  g_assert_cmpint (apply_number (fixture, BOTH, 0, FALSE, &changes), ==, -1);
  g_assert_cmpint (apply_number (fixture, BOTH, 1, FALSE, &changes), ==, 2);
  g_assert_cmpstr (reason (fixture, "agt_1", "x"), ==, "tool_denied");
  g_assert_cmpstr (reason (fixture, "agt_2", "x"), ==, "tool_allowed");
  g_assert_cmpint (apply_number (fixture, BOTH, -1, FALSE, &changes), ==, 2);
  g_assert_cmpuint (changes, ==, 0);
  exported = reeve_policies_export (fixture->policies, "default", &error);
  g_assert_no_error (error);
  node = json_node_init_object (json_node_alloc (), reeve_json_get_object (exported, "document"));
  text = json_to_string (node, FALSE);
  g_assert_cmpint (apply_number (fixture, text, -1, FALSE, &changes), ==, 2);
  g_assert_cmpuint (changes, ==, 0);
  g_assert_null (apply (fixture, "{\"agents\":{\"agt_none\":{}}}", -1, FALSE, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (apply (fixture, "{\"org\":{\"tools\":3}}", -1, FALSE, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  g_assert_cmpstr (reeve_error_get_member (error), ==, "/policies/org/tools");
  g_assert_cmpint (apply_number (fixture, "{}", -1, FALSE, &changes), ==, 3);
  g_assert_cmpuint (changes, ==, 2);
  g_assert_cmpstr (reason (fixture, "agt_1", "x"), ==, "policy_unset");
}

/* The shipped policy is the org's like any other, and taken back unchanged. */
static void
test_policies_apply_shipped (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) exported = reeve_policies_export (fixture->policies, "default", &error);
  JsonObject *document = reeve_json_get_object (exported, "document");
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), document);
  g_autofree char *text = json_to_string (node, FALSE);
  guint changes = 0;

  g_assert_no_error (error);
  g_assert_true (json_object_has_member (document, "org"));
  g_assert_cmpint (apply_number (fixture, text, 0, FALSE, &changes), ==, 0);
  g_assert_cmpuint (changes, ==, 0);
  g_assert_cmpint (apply_number (fixture, "{}", 0, FALSE, &changes), ==, 1);
  g_assert_cmpuint (changes, ==, 1);
  g_assert_cmpint (apply_number (fixture, "{}", 1, FALSE, &changes), ==, 1);
  g_assert_cmpint (apply_number (fixture, text, 1, FALSE, &changes), ==, 2);
  g_assert_cmpuint (changes, ==, 1);
}

static gpointer
apply_many (gpointer data)
{
  Fixture *fixture = data;

  for (guint i = 0; i < ROUNDS; i++)
    {
      guint changes = 0;

      g_assert_cmpint (
          apply_number (fixture, i % 2 == 0 ? "{\"org\":" ALLOWED "}" : "{}", -1, FALSE, &changes),
          >, 0);
    }
  return NULL;
}

/* Every revision is all of one document. */
static void
test_policies_apply_at_once (Fixture *fixture, gconstpointer data)
{
  GThread *threads[3];
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) params = directory_fixture_parse ("{\"limit\":500}");
  g_autoptr (JsonObject) page = NULL;
  JsonArray *items = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("apply", apply_many, fixture);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  page = reeve_policies_list_revisions (fixture->policies, "default", params, &error);
  g_assert_no_error (error);
  items = reeve_json_get_array (page, "items");
  g_assert_cmpuint (json_array_get_length (items), >, 0);
  for (guint i = 1; i < json_array_get_length (items); i++)
    {
      JsonObject *before = json_array_get_object_element (items, i - 1);
      JsonObject *after = json_array_get_object_element (items, i);

      /* one that changes nothing has no number */
      g_assert_true (json_object_has_member (reeve_json_get_object (before, "policies"), "org")
                     != json_object_has_member (reeve_json_get_object (after, "policies"), "org"));
    }
}

/* A record that is no policy denies all: what it said is not known. */
static void
test_policies_damaged (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new ("default");
  g_autoptr (JsonObject) fields
      = directory_fixture_parse ("{\"kind\":\"agent\",\"agent_id\":\"agt_1\",\"revision\":1,"
                                 "\"document\":{\"tool\":[]}}");
  g_autofree char *key = reeve_policies_snapshot_agent_key ("agt_1");
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveBatchResult) result = NULL;

  prepare (fixture);
  reeve_batch_put (batch, REEVE_STORE_POLICIES, key, fields, REEVE_REVISION_ABSENT);
  result = reeve_store_commit (fixture->host.store, batch, &error);
  g_assert_no_error (error);
  reeve_policies_forget (fixture->policies, "default");
  g_assert_false (reeve_policies_prepare (fixture->policies, "default", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, "policy agent-agt_1: tool: unknown member"));
  g_clear_error (&error);
  g_assert_cmpstr (reason (fixture, NULL, "calculate"), ==, "policy_unavailable");
  /* a change is kept, and does not open what is not known */
  g_assert_cmpint (set (fixture, NULL, ALLOWED, &error), ==, 0);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  g_assert_cmpstr (reason (fixture, NULL, "x"), ==, "policy_unavailable");
  g_clear_error (&error);
  g_assert_cmpint (set (fixture, "agt_1", "{}", &error), ==, 2);
  g_assert_no_error (error);
  g_assert_cmpstr (reason (fixture, NULL, "x"), ==, "tool_allowed");
}

static gpointer
change_agents (gpointer data)
{
  Fixture *fixture = data;

  for (guint i = 0; i < ROUNDS; i++)
    {
      g_autoptr (GError) error = NULL;

      set (fixture, "agt_1", i % 2 == 0 ? DENIED : ALLOWED, &error);
      g_assert_no_error (error);
      if (i % 2 == 0) /* else the org's, which another changes */
        g_assert_cmpstr (reason (fixture, "agt_1", "x"), ==, "tool_denied");
    }
  return NULL;
}

static gpointer
decide_all_the_time (gpointer data)
{
  Fixture *fixture = data;

  while (g_atomic_int_get (&fixture->over) == 0)
    g_assert_cmpstr (reason (fixture, NULL, "y"), ==, "tool_not_allowed");
  return NULL;
}

/* Two that change at once and one that decides: when a change returns, it holds. */
static void
test_policies_at_once (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  GThread *threads[2] = { NULL, NULL };
  g_autoptr (JsonObject) effective = NULL;

  set (fixture, NULL, ALLOWED, &error);
  g_assert_no_error (error);
  threads[0] = g_thread_new ("agents", change_agents, fixture);
  threads[1] = g_thread_new ("decide", decide_all_the_time, fixture);
  for (guint i = 0; i < ROUNDS; i++)
    {
      set (fixture, NULL, i % 2 == 0 ? DENIED : ALLOWED, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (reason (fixture, NULL, "x"), ==,
                       i % 2 == 0 ? "tool_denied" : "tool_allowed");
    }
  g_thread_join (threads[0]);
  g_atomic_int_set (&fixture->over, 1);
  g_thread_join (threads[1]);
  effective = reeve_policies_get_effective (fixture->policies, "default", "agt_1", &error);
  g_assert_no_error (error);
  g_assert_cmpint (reeve_json_get_int (effective, "policy_revision", 0), ==, 2 * ROUNDS + 1);
}

#define ADD(name, function)                                                                        \
  g_test_add ("/policies/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("known", test_policies_known);
  ADD ("changes", test_policies_changes);
  ADD ("damaged", test_policies_damaged);
  ADD ("at-once", test_policies_at_once);
  ADD ("apply", test_policies_apply);
  ADD ("apply-shipped", test_policies_apply_shipped);
  ADD ("apply-at-once", test_policies_apply_at_once);
  return g_test_run ();
}
