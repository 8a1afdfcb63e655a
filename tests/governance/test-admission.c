/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gate: what each way through it leaves in the ledger, and that a right is used once. */
#include "governance/admission-records.h"
#include "governance/admission.h"

#include <string.h>

#include "ledger-fixture.h"

typedef struct
{
  LedgerFixture ledger;
  ReeveAdmission *admission;
  ReeveCaller *operator;
  gboolean closed;
  ReeveCaller *visitor; /* a platform admin of tenant `default`, acting in `acme` */
} Fixture;

static ReeveCaller *
make_caller (const char *home, const char *tenant, const char *role, gboolean admin)
{
  const char *const roles[] = { role, NULL };
  g_autoptr (ReeveIdentity) identity = reeve_identity_new (home, "usr_1", roles, "api_key");

  reeve_identity_set_key_id (identity, "key_1");
  return reeve_caller_new (identity, tenant, admin,
                           admin ? reeve_roles_all () : reeve_roles_union (roles), "rest", NULL);
}

/* a policy that allows one tool, for as long as it does */
static gboolean
check_tool (const ReeveAdmissionRequest *request, const ReeveSettlement *settlement,
            gpointer user_data, GError **error)
{
  Fixture *fixture = user_data;

  if (request->tool_name == NULL
      || (!fixture->closed && g_strcmp0 (request->tool_name, "calculate") == 0))
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                       "the tool policy does not allow it (tool_denied)");
  return FALSE;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  ledger_fixture_set_up (&fixture->ledger, data);
  fixture->admission = reeve_admission_new (fixture->ledger.ledger);
  reeve_admission_set_tool_check (fixture->admission, check_tool, fixture);
  fixture->operator= make_caller ("acme", "acme", "operator", FALSE);
  fixture->visitor = make_caller ("default", "acme", "admin", TRUE);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_object_unref (fixture->admission);
  reeve_caller_unref (fixture->operator);
  reeve_caller_unref (fixture->visitor);
  ledger_fixture_tear_down (&fixture->ledger, data);
}

static JsonObject *
record_at (Fixture *fixture, const char *scope, guint64 seq)
{
  g_autoptr (GError) error = NULL;
  JsonObject *record = reeve_ledger_get (fixture->ledger.ledger, scope, seq, &error);

  g_assert_no_error (error);
  return record;
}

static void
assert_member (JsonObject *record, const char *name, const char *value)
{
  g_assert_cmpstr (reeve_json_get_string (record, name, NULL), ==, value);
}

typedef struct
{
  ReeveAdmitted *admitted;
  guint64 seq;
  gboolean good;
  GError *error;
  gboolean done;
} Answer;

static void
on_begun (GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->admitted
      = reeve_admission_begin_finish (REEVE_ADMISSION (source), result, &answer->error);
  answer->done = TRUE;
}

static void
on_settled (GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->seq = reeve_admission_settle_finish (REEVE_ADMISSION (source), result, &answer->error);
  answer->done = TRUE;
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->good
      = reeve_admission_read_finish (REEVE_ADMISSION (source), result, &answer->error) != 0;
  answer->done = TRUE;
}

static void
wait_for (Answer *answer)
{
  while (!answer->done)
    g_main_context_iteration (NULL, TRUE);
  answer->done = FALSE;
}

/* Refusals are recorded and nobody waits: append something behind them, and they are there. */
static guint64
flush (Fixture *fixture, const char *scope)
{
  return ledger_fixture_append (&fixture->ledger, scope, REEVE_LEDGER_EVENT, "flush", 0);
}

static void
on_meanwhile (gint64 granted, gpointer data)
{
  g_assert_false (((Answer *) data)->done);
  ((Answer *) data)->good = TRUE;
}

static void
test_admission_effect (Fixture *fixture, gconstpointer data)
{
  ReeveAdmissionRequest request = {
    .caller = fixture->operator,
    .operation = "tool.call",
    .permission = "tool:execute",
    .tool_name = "calculate",
    .agent_id = "agt_1",
    .run_id = "run_1",
    .resource_type = "tool",
    .resource_id = "calculate",
    .input_digest = "aa",
    .meanwhile = on_meanwhile,
  };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_FAILED,
                                 .reason = "timeout",
                                 .output_digest = "bb",
                                 .input_tokens = -1,
                                 .output_tokens = 5 };
  Answer answer = { 0 };
  g_autoptr (JsonObject) intent = NULL;
  g_autoptr (JsonObject) outcome = NULL;

  request.meanwhile_data = &answer;
  reeve_admission_begin_async (fixture->admission, &request, on_begun, &answer);
  g_assert_true (answer.good);
  wait_for (&answer);
  g_assert_no_error (answer.error);
  g_assert_cmpuint (reeve_admitted_get_intent (answer.admitted), ==, 1);
  g_assert_true (reeve_admitted_get_caller (answer.admitted) == fixture->operator);
  g_assert_false (reeve_admitted_is_consumed (answer.admitted));
  reeve_admitted_consume (answer.admitted, "tool.call");
  g_assert_true (reeve_admitted_is_consumed (answer.admitted));
  reeve_admission_settle_async (fixture->admission, answer.admitted, &settlement, on_settled,
                                &answer);
  wait_for (&answer);
  g_assert_cmpuint (answer.seq, ==, 2);
  intent = record_at (fixture, "acme", 1);
  assert_member (intent, "kind", "intent");
  assert_member (intent, "action", "tool.call");
  assert_member (intent, "outcome", NULL);
  assert_member (intent, "input_digest", "aa");
  assert_member (intent, "key_id", "key_1");
  assert_member (intent, "tool_name", "calculate");
  assert_member (intent, "door", "rest");
  outcome = record_at (fixture, "acme", 2);
  /* the intent has it */
  assert_member (outcome, "input_digest", NULL);
  assert_member (outcome, "kind", "outcome");
  assert_member (outcome, "outcome", "failed");
  assert_member (outcome, "reason", "timeout");
  assert_member (outcome, "run_id", "run_1");
  g_assert_cmpint (json_object_get_int_member (outcome, "intent"), ==, 1);
  g_assert_cmpint (reeve_json_get_int (outcome, "output_tokens", 0), ==, 5);
  g_assert_cmpint (reeve_json_get_int (outcome, "input_tokens", 0), ==, 0);
  g_assert_cmpint (reeve_json_get_int (outcome, "latency_us", 0), >, 0);
}

static void
test_admission_refused (Fixture *fixture, gconstpointer data)
{
  static const char *const tools[] = { "calculate", NULL };
  ReeveAdmissionRequest requests[] = {
    { .caller = fixture->operator, .operation = "agents.create", .permission = "agent:create" },
    { .caller = fixture->operator, .operation = "tool.call", .tool_name = "shell" },
    { .caller = fixture->operator,
      .operation = "tool.call",
      .tool_name = "http_request",
      .agent_tools = tools },
  };

  for (guint i = 0; i < G_N_ELEMENTS (requests); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonObject) record = NULL;
      Answer answer = { 0 };

      g_assert_null (reeve_admission_begin (fixture->admission, &requests[i], &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
      /* nothing is prepared of what is refused: it has nowhere to put that */
      requests[i].meanwhile = on_meanwhile;
      reeve_admission_begin_async (fixture->admission, &requests[i], on_begun, &answer);
      wait_for (&answer);
      g_assert_null (answer.admitted);
      g_assert_error (answer.error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
      if (i == 0)
        g_assert_nonnull (strstr (answer.error->message, "agent:create"));
      g_clear_error (&answer.error);
      record = record_at (fixture, "acme", flush (fixture, "acme") - 1);
      assert_member (record, "kind", "refusal");
      assert_member (record, "outcome", "blocked");
      assert_member (record, "reason", i == 0 ? "permission_denied" : "tool_denied");
      assert_member (record, "action", requests[i].operation);
    }
  g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger.ledger, "acme"), ==, 9);
}

/* What was admitted and taken away before its turn came is recorded as blocked, with that word. */
static void
test_admission_confirmed (Fixture *fixture, gconstpointer data)
{
  ReeveAdmissionRequest request
      = { .caller = fixture->operator, .operation = "tool.call", .tool_name = "calculate" };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_FAILED, .reason = "permission_denied" };
  ReeveAdmitted *admitted = reeve_admission_begin (fixture->admission, &request, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) outcome = NULL;
  Answer answer = { 0 };

  g_assert_true (reeve_admitted_confirm (admitted, NULL, &error));
  g_assert_no_error (error);
  fixture->closed = TRUE;
  g_assert_false (reeve_admitted_confirm (admitted, NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
  g_assert_false (reeve_admitted_is_consumed (admitted));
  reeve_admission_settle_async (fixture->admission, admitted, &settlement, on_settled, &answer);
  wait_for (&answer);
  outcome = record_at (fixture, "acme", 2);
  assert_member (outcome, "kind", "outcome");
  assert_member (outcome, "outcome", "blocked");
  assert_member (outcome, "reason", "tool_denied");
}

static void
test_admission_refusal_without_caller (Fixture *fixture, gconstpointer data)
{
  ReeveAdmissionRequest request = { .operation = "agents.get" };
  g_autoptr (GError) error
      = g_error_new_literal (REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED, "no credentials");
  g_autoptr (JsonObject) record = NULL;

  reeve_admission_refuse (fixture->admission, &request, error);
  record = record_at (fixture, "@platform", flush (fixture, "@platform") - 1);
  assert_member (record, "kind", "refusal");
  assert_member (record, "reason", "unauthenticated");
  g_assert_false (json_object_has_member (record, "actor"));
}

/* A flood of bad keys: the first of each source and action, then one record with their number. All
 * addresses of a client's IPv6 network are one source. */
static void
test_admission_refused_often (Fixture *fixture, gconstpointer data)
{
  static const char *const addresses[]
      = { "192.0.2.1", "2001:db8:0:7::1", "192.0.2.1", "2001:db8:0:7:8::2" };
  ReeveAdmissionRequest request = { .operation = "me.get", .door = "rest" };
  g_autoptr (GError) error
      = g_error_new_literal (REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED, "no credentials");
  guint64 before = flush (fixture, "@platform");
  g_autoptr (JsonObject) first = NULL;
  g_autoptr (JsonObject) counted = NULL;

  for (guint i = 0; i < 2000; i++)
    {
      request.peer_address = addresses[i % G_N_ELEMENTS (addresses)];
      reeve_admission_refuse (fixture->admission, &request, error);
    }
  g_assert_cmpuint (flush (fixture, "@platform"), ==, before + 3); /* this one's own too */
  reeve_admission_flush_refusals (fixture->admission);
  g_assert_cmpuint (flush (fixture, "@platform"), ==, before + 6);
  first = record_at (fixture, "@platform", before + 1);
  counted = record_at (fixture, "@platform", before + 4);
  g_assert_false (json_object_has_member (first, "count"));
  assert_member (first, "door", "rest");
  g_assert_true (g_str_has_prefix (reeve_json_get_string (first, "source", ""), "src_"));
  assert_member (counted, "kind", "refusal");
  assert_member (counted, "action", "me.get");
  assert_member (counted, "reason", "unauthenticated");
  g_assert_cmpint (reeve_json_get_int (counted, "count", 0), ==, 999);
  /* nothing more, nothing recorded */
  reeve_admission_flush_refusals (fixture->admission);
  g_assert_cmpuint (flush (fixture, "@platform"), ==, before + 7);
}

/* Sources without end are counted together. */
static void
test_admission_refused_from_everywhere (Fixture *fixture, gconstpointer data)
{
  ReeveAdmissionRequest request = { .operation = "me.get", .door = "rest" };
  g_autoptr (GError) error
      = g_error_new_literal (REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED, "no credentials");
  guint64 before = flush (fixture, "@platform");
  g_autoptr (JsonObject) counted = NULL;
  guint64 size = 0;

  for (guint i = 0; i < 3000; i++)
    {
      g_autofree char *address = g_strdup_printf ("2001:db8:0:%x::1", i);

      request.peer_address = address;
      reeve_admission_refuse (fixture->admission, &request, error);
    }
  reeve_admission_flush_refusals (fixture->admission);
  size = flush (fixture, "@platform");
  g_assert_cmpuint (size, <=, before + 1030);
  counted = record_at (fixture, "@platform", size - 1);
  g_assert_false (json_object_has_member (counted, "source"));
  g_assert_cmpint (reeve_json_get_int (counted, "count", 0), >, 1900);
}

static void
test_admission_read (Fixture *fixture, gconstpointer data)
{
  ReeveAdmissionRequest request = { .caller = fixture->operator,
                                    .operation = "agents.get",
                                    .permission = "agent:read",
                                    .resource_type = "agent",
                                    .resource_id = "agt_1" };
  g_autoptr (JsonObject) record = NULL;
  Answer answer = { 0 };

  reeve_admission_read_async (fixture->admission, &request, on_read, &answer);
  wait_for (&answer);
  g_assert_no_error (answer.error);
  g_assert_true (answer.good);
  record = record_at (fixture, "acme", 1);
  assert_member (record, "kind", "read");
  assert_member (record, "outcome", "succeeded");
  request.permission = "audit:read";
  reeve_admission_read_async (fixture->admission, &request, on_read, &answer);
  wait_for (&answer);
  g_assert_false (answer.good);
  g_assert_error (answer.error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
  g_clear_error (&answer.error);
}

/* Acting in another tenant shows in both logs. */
static void
test_admission_visitor (Fixture *fixture, gconstpointer data)
{
  ReeveAdmissionRequest request = { .caller = fixture->visitor,
                                    .operation = "agents.delete",
                                    .permission = "agent:delete",
                                    .resource_type = "agent",
                                    .resource_id = "agt_1" };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED };
  ReeveAdmitted *admitted = reeve_admission_begin (fixture->admission, &request, NULL);
  g_autoptr (JsonObject) home = NULL;
  g_autoptr (JsonObject) there = NULL;

  g_assert_nonnull (admitted);
  reeve_admitted_consume (admitted, "agents.delete");
  reeve_admission_settle_async (fixture->admission, admitted, &settlement, NULL, NULL);
  there = record_at (fixture, "acme", 1);
  assert_member (there, "kind", "intent");
  g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger.ledger, "default"), ==, 1);
  home = record_at (fixture, "default", 1);
  assert_member (home, "kind", "event");
  assert_member (home, "action", "agents.delete");
  assert_member (home, "reason", "acting_in_tenant");
  assert_member (json_object_get_object_member (home, "resource"), "id", "acme");
}

static gboolean
refuse_stage (const ReeveAdmissionRequest *request, const ReeveSettlement *settlement,
              gpointer user_data, GError **error)
{
  GString *order = user_data;

  g_string_append (order, settlement != NULL ? "after " : "before ");
  if (request->model == NULL)
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_BUDGET_EXCEEDED, "none left");
  return FALSE;
}

/* Stages run in their order, whatever order their checks were added in. */
static void
test_admission_stages (Fixture *fixture, gconstpointer data)
{
  ReeveAdmissionRequest request = { .caller = fixture->operator, .operation = "model.call" };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED };
  g_autoptr (GString) order = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  ReeveAdmitted *admitted = NULL;

  reeve_admission_add_check (fixture->admission, REEVE_STAGE_SETTLE, refuse_stage, order);
  reeve_admission_add_check (fixture->admission, REEVE_STAGE_RESERVE, refuse_stage, order);
  reeve_admission_add_check (fixture->admission, REEVE_STAGE_APPROVE, refuse_stage, order);
  admitted = reeve_admission_begin (fixture->admission, &request, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (order->str, ==, "before before ");
  reeve_admitted_consume (admitted, "model.call");
  reeve_admission_settle_async (fixture->admission, admitted, &settlement, NULL, NULL);
  g_assert_cmpstr (order->str, ==, "before before after ");
  request.model = "m";
  g_assert_null (reeve_admission_begin (fixture->admission, &request, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_BUDGET_EXCEEDED);
  g_assert_true (g_str_has_prefix (error->message, "reserving budget: "));
}

/* A host that ended in the middle: what is resumed is settled by its room, the rest is unknown. */
static void
test_admission_recovery (Fixture *fixture, gconstpointer data)
{
  ReeveAdmissionRequest requests[] = {
    { .caller = fixture->operator, .operation = "agents.execute", .run_id = "run_1" },
    { .caller = fixture->operator, .operation = "model.call", .run_id = "run_1", .model = "m" },
  };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED };
  g_autoptr (GPtrArray) open = NULL;
  g_autoptr (JsonObject) unknown = NULL;
  g_autoptr (GError) error = NULL;
  ReeveAdmitted *admitted[2] = { NULL };
  ReeveAdmitted *resumed = NULL;
  ReeveAdmitted *young = NULL;

  for (guint i = 0; i < 2; i++)
    {
      admitted[i] = reeve_admission_begin (fixture->admission, &requests[i], &error);
      g_assert_no_error (error);
    }
  g_clear_object (&fixture->admission);
  ledger_fixture_close (&fixture->ledger);
  ledger_fixture_open (&fixture->ledger);
  fixture->admission = reeve_admission_new (fixture->ledger.ledger);
  g_assert_null (
      reeve_admission_resume (fixture->admission, fixture->operator, "model.call", 1, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
  g_clear_error (&error);
  resumed
      = reeve_admission_resume (fixture->admission, fixture->operator, "agents.execute", 1, &error);
  g_assert_no_error (error);
  g_assert_true (reeve_admitted_is_consumed (resumed));
  g_assert_null (
      reeve_admission_resume (fixture->admission, fixture->operator, "agents.execute", 1, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
  g_clear_error (&error);
  young = reeve_admission_begin (fixture->admission, &requests[1], &error);
  g_assert_true (reeve_admission_recover (fixture->admission, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger.ledger, "acme"), ==, 4);
  unknown = record_at (fixture, "acme", 4);
  assert_member (unknown, "outcome", "unknown");
  assert_member (unknown, "action", "model.call");
  assert_member (unknown, "reason", "host_restarted");
  g_assert_cmpint (json_object_get_int_member (unknown, "intent"), ==, 2);
  reeve_admission_settle_async (fixture->admission, resumed, &settlement, NULL, NULL);
  reeve_admitted_consume (young, "model.call");
  reeve_admission_settle_async (fixture->admission, young, &settlement, NULL, NULL);
  flush (fixture, "acme");
  open = reeve_ledger_list_open_intents (fixture->ledger.ledger, "acme", NULL);
  g_assert_cmpuint (open->len, ==, 0);
  /* those of the host that ended are gone with it; here they are let go of */
  for (guint i = 0; i < 2; i++)
    {
      reeve_admitted_consume (admitted[i], requests[i].operation);
      reeve_admission_settle_async (fixture->admission, admitted[i], &settlement, NULL, NULL);
    }
  flush (fixture, "acme");
}

static void
consume_twice (Fixture *fixture, gconstpointer data)
{
  ReeveAdmissionRequest request = { .caller = fixture->operator, .operation = "model.call" };
  ReeveAdmitted *admitted = reeve_admission_begin (fixture->admission, &request, NULL);

  reeve_admitted_consume (admitted, data != NULL ? data : "model.call");
  reeve_admitted_consume (admitted, "model.call");
}

static void
test_admission_second_use (void)
{
  g_test_trap_subprocess ("/admission/subprocess/second-use", 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*is used a second time*");
}

/* @data: what is different: the tool, or its arguments */
static void
consume_another (Fixture *fixture, gconstpointer data)
{
  g_autoptr (JsonObject) arguments = json_object_new ();
  g_autofree char *digest = reeve_admission_records_digest (arguments);
  const char *const tools[] = { "calculate", NULL };
  ReeveAdmissionRequest request = {
    .caller = fixture->operator,
    .operation = "tool.call",
    .tool_name = "calculate",
    .agent_tools = tools,
    .input_digest = digest,
  };
  ReeveAdmitted *admitted = reeve_admission_begin (fixture->admission, &request, NULL);
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED };

  if (g_str_equal (data, "arguments"))
    json_object_set_string_member (arguments, "expression", "6*7");
  reeve_admitted_consume_exactly (
      admitted, "tool.call", g_str_equal (data, "tool") ? "http_request" : "calculate", arguments);
  reeve_admission_settle_async (fixture->admission, admitted, &settlement, NULL, NULL);
}

static void
expect_another_model (Fixture *fixture, gconstpointer data)
{
  ReeveAdmissionRequest request
      = { .caller = fixture->operator, .operation = "model.call", .model = "local/small" };
  ReeveAdmitted *admitted = reeve_admission_begin (fixture->admission, &request, NULL);

  reeve_admitted_expect (admitted, "model.call", "local/small", NULL);
  reeve_admitted_expect (admitted, "model.call", "local/large", NULL);
}

static void
test_admission_exact_use (void)
{
  g_test_trap_subprocess ("/admission/subprocess/exact-use", 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_subprocess ("/admission/subprocess/other-tool", 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*tool.call of calculate was admitted, it is being done to http_req*");
  g_test_trap_subprocess ("/admission/subprocess/other-arguments", 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*tool.call was admitted with other arguments*");
  g_test_trap_subprocess ("/admission/subprocess/other-model", 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr (
      "*model.call of local/small was admitted, it is being done to local/l*");
}

static void
test_admission_other_use (void)
{
  g_test_trap_subprocess ("/admission/subprocess/other-use", 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*model.call was admitted, tool.call is being done*");
}

#define ADD(name, data, func)                                                                      \
  g_test_add ("/admission/" name, Fixture, data, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("effect", NULL, test_admission_effect);
  ADD ("refused", NULL, test_admission_refused);
  ADD ("confirmed", NULL, test_admission_confirmed);
  ADD ("refusal-without-caller", NULL, test_admission_refusal_without_caller);
  ADD ("refused-often", NULL, test_admission_refused_often);
  ADD ("refused-from-everywhere", NULL, test_admission_refused_from_everywhere);
  ADD ("read", NULL, test_admission_read);
  ADD ("visitor", NULL, test_admission_visitor);
  ADD ("stages", NULL, test_admission_stages);
  ADD ("recovery", NULL, test_admission_recovery);
  ADD ("subprocess/second-use", NULL, consume_twice);
  ADD ("subprocess/other-use", "tool.call", consume_twice);
  ADD ("subprocess/exact-use", "nothing", consume_another);
  ADD ("subprocess/other-tool", "tool", consume_another);
  ADD ("subprocess/other-arguments", "arguments", consume_another);
  ADD ("subprocess/other-model", NULL, expect_another_model);
  g_test_add_func ("/admission/exact-use", test_admission_exact_use);
  g_test_add_func ("/admission/second-use", test_admission_second_use);
  g_test_add_func ("/admission/other-use", test_admission_other_use);
  return g_test_run ();
}
