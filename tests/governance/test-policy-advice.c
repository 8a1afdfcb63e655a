/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Advice: what it makes of a decision, what answers of a policy agent are read as, and what the
 * gate does while somebody thinks. */
#include <string.h>

#include "governance/admission.h"
#include "governance/opa-answer.h"
#include "governance/policy-rego.h"

#include "ledger-fixture.h"

/* ---- an adviser that answers when the test says so ---- */

#define ADVISER_TYPE_FAKE (adviser_fake_get_type ())
G_DECLARE_FINAL_TYPE (AdviserFake, adviser_fake, ADVISER, FAKE, GObject)

struct _AdviserFake
{
  GObject parent_instance;

  guint asked;
  ReevePolicyAdviserDone done;
  gpointer user_data;
};

static void
adviser_fake_ask (ReevePolicyAdviser *adviser, const char *tenant_id, GBytes *question,
                  ReevePolicyAdviserDone done, gpointer user_data)
{
  AdviserFake *self = ADVISER_FAKE (adviser);

  g_assert_cmpstr (g_bytes_get_data (question, NULL), ==, "calculate");
  g_assert_cmpstr (tenant_id, ==, "acme");
  self->asked++;
  self->done = done;
  self->user_data = user_data;
}

static void
adviser_fake_check (ReevePolicyAdviser *adviser, ReevePolicyAdviserDone done, gpointer user_data)
{
  done (reeve_policy_advice_new (REEVE_POLICY_ADVICE_ALLOW, NULL), user_data);
}

static void
adviser_fake_adviser_init (ReevePolicyAdviserInterface *iface)
{
  iface->ask = adviser_fake_ask;
  iface->check = adviser_fake_check;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (AdviserFake, adviser_fake, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_POLICY_ADVISER,
                                                      adviser_fake_adviser_init))

static void
adviser_fake_class_init (AdviserFakeClass *klass)
{
}

static void
adviser_fake_init (AdviserFake *self)
{
}

static void
adviser_fake_answer (AdviserFake *self, ReevePolicyAdviceKind kind)
{
  self->done (reeve_policy_advice_new (kind, NULL), self->user_data);
}

/* ---- decisions ---- */

static void
test_apply (void)
{
  static const struct
  {
    ReevePolicyEffect local;
    ReevePolicyAdviceKind advice;
    gboolean closed;
    const char *answer;
  } rows[] = {
    { REEVE_POLICY_ALLOW, REEVE_POLICY_ADVICE_ALLOW, FALSE, "allow x" },
    { REEVE_POLICY_ALLOW, REEVE_POLICY_ADVICE_APPROVAL_REQUIRED, FALSE,
      "approval_required approval_required" },
    { REEVE_POLICY_ALLOW, REEVE_POLICY_ADVICE_DENY, FALSE, "deny opa_denied" },
    { REEVE_POLICY_ALLOW, REEVE_POLICY_ADVICE_UNDEFINED, FALSE, "deny opa_undefined" },
    { REEVE_POLICY_ALLOW, REEVE_POLICY_ADVICE_UNREADABLE, FALSE, "deny opa_unreadable" },
    { REEVE_POLICY_ALLOW, REEVE_POLICY_ADVICE_UNREACHABLE, FALSE, "allow x" },
    { REEVE_POLICY_ALLOW, REEVE_POLICY_ADVICE_UNREACHABLE, TRUE, "deny opa_unreachable" },
    { REEVE_POLICY_ALLOW, REEVE_POLICY_ADVICE_ALLOW, TRUE, "allow x" },
    { REEVE_POLICY_APPROVAL_REQUIRED, REEVE_POLICY_ADVICE_ALLOW, FALSE, "approval_required x" },
    { REEVE_POLICY_APPROVAL_REQUIRED, REEVE_POLICY_ADVICE_UNREACHABLE, FALSE,
      "approval_required x" },
    { REEVE_POLICY_APPROVAL_REQUIRED, REEVE_POLICY_ADVICE_DENY, FALSE, "deny opa_denied" },
    { REEVE_POLICY_DENY, REEVE_POLICY_ADVICE_ALLOW, FALSE, "deny x" },
    { REEVE_POLICY_DENY, REEVE_POLICY_ADVICE_APPROVAL_REQUIRED, FALSE, "deny x" },
    { REEVE_POLICY_DENY, REEVE_POLICY_ADVICE_UNREACHABLE, FALSE, "deny x" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (ReevePolicyAdvice) advice = reeve_policy_advice_new (rows[i].advice, "why");
      g_auto (ReevePolicyDecision) decision = { .effect = rows[i].local, .reason = "x" };
      g_autofree char *answer = NULL;

      advice->closed = rows[i].closed;
      decision.steps = i % 2 == 0 ? 0 : REEVE_POLICY_DECISION_STEPS;
      reeve_policy_advice_apply (advice, &decision);
      answer = g_strdup_printf ("%s %s", reeve_policy_get_effect_name (decision.effect),
                                decision.reason);
      g_assert_cmpstr (answer, ==, rows[i].answer);
      g_assert_cmpstr (decision.trace[decision.steps - 1].source, ==, "opa");
      g_assert_cmpstr (decision.trace[decision.steps - 1].reason, ==, "why");
      if (reeve_policy_advice_lets (advice))
        g_assert_cmpint (decision.effect, ==, rows[i].local);
    }
}

static void
test_text (void)
{
  g_autofree char *longest = g_strnfill (REEVE_POLICY_ADVICE_LONGEST + 10, 'x');
  g_autoptr (GString) umlauts = g_string_new ("x");
  g_autoptr (ReevePolicyAdvice) cut = reeve_policy_advice_new (REEVE_POLICY_ADVICE_DENY, longest);
  g_autoptr (ReevePolicyAdvice) none = reeve_policy_advice_new (REEVE_POLICY_ADVICE_DENY, "");
  g_autoptr (ReevePolicyAdvice) lines
      = reeve_policy_advice_new (REEVE_POLICY_ADVICE_DENY, "a\n\033[31mb\x7f\xff");
  g_autoptr (ReevePolicyAdvice) whole = NULL;

  for (guint i = 0; i < REEVE_POLICY_ADVICE_LONGEST; i++)
    g_string_append (umlauts, "ü");
  whole = reeve_policy_advice_new (REEVE_POLICY_ADVICE_DENY, umlauts->str);
  g_assert_cmpuint (strlen (cut->text), ==, REEVE_POLICY_ADVICE_LONGEST);
  g_assert_null (none->text);
  g_assert_cmpstr (lines->text, ==, "a  [31mb \xef\xbf\xbd");
  g_assert_true (g_utf8_validate (whole->text, -1, NULL));
  g_assert_cmpuint (strlen (whole->text), <=, REEVE_POLICY_ADVICE_LONGEST);
  g_assert_cmpuint (strlen (whole->text), >=, REEVE_POLICY_ADVICE_LONGEST - 1);
}

static void
test_answers (void)
{
  static const struct
  {
    guint status;
    const char *body;
    ReevePolicyAdviceKind kind;
    const char *text;
  } rows[] = {
    { 200, "{\"result\":true}", REEVE_POLICY_ADVICE_ALLOW, NULL },
    { 200, "{\"result\":false,\"decision_id\":\"x\"}", REEVE_POLICY_ADVICE_DENY, NULL },
    { 200, "{}", REEVE_POLICY_ADVICE_UNDEFINED, "there is no decision at this path" },
    { 200, "{\"result\":{\"allow\":true,\"reason\":\"fine\"}}", REEVE_POLICY_ADVICE_ALLOW, "fine" },
    { 200, "{\"result\":{\"allow\":true,\"reason\":7}}", REEVE_POLICY_ADVICE_ALLOW, NULL },
    { 200, "{\"result\":{\"allow\":false,\"approval_required\":true}}",
      REEVE_POLICY_ADVICE_APPROVAL_REQUIRED, NULL },
    { 200, "{\"result\":{}}", REEVE_POLICY_ADVICE_UNDEFINED, "the decision has no allow" },
    { 200, "{\"result\":{\"allow\":null}}", REEVE_POLICY_ADVICE_UNREADABLE,
      "allow or approval_required is neither true nor false" },
    { 200, "{\"result\":[true]}", REEVE_POLICY_ADVICE_UNREADABLE,
      "the result is neither true, false nor an object" },
    { 200, "[]", REEVE_POLICY_ADVICE_UNREADABLE, "the answer is no object" },
    { 204, "", REEVE_POLICY_ADVICE_UNREADABLE, "it answered with status 204" },
    { 404, "", REEVE_POLICY_ADVICE_UNREADABLE, "it answered with status 404" },
    { 500, "{\"result\":true}", REEVE_POLICY_ADVICE_UNREACHABLE, "it answered with status 500" },
  };
  g_autofree char *blank = g_strnfill (REEVE_OPA_ANSWER_LONGEST + 1, ' ');
  g_autoptr (ReevePolicyAdvice) longer
      = reeve_opa_answer_read (200, blank, REEVE_OPA_ANSWER_LONGEST + 1);
  g_autoptr (ReevePolicyAdvice) cut = reeve_opa_answer_read (200, "{\"result\":true}", 14);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (ReevePolicyAdvice) advice
          = reeve_opa_answer_read (rows[i].status, rows[i].body, strlen (rows[i].body));

      if (advice->kind != rows[i].kind || g_strcmp0 (advice->text, rows[i].text) != 0)
        g_error ("%s is read as %d, %s", rows[i].body, (int) advice->kind, advice->text);
    }
  g_assert_cmpint (longer->kind, ==, REEVE_POLICY_ADVICE_UNREADABLE);
  g_assert_cmpint (cut->kind, ==, REEVE_POLICY_ADVICE_UNREADABLE);
}

/* ---- the gate ---- */

typedef struct
{
  LedgerFixture ledger;
  ReeveAdmission *admission;
  AdviserFake *adviser;
  ReeveCaller *caller;
  gboolean closed; /* the tool policy says no now */
  guint counted;
  ReeveAdmitted *admitted;
  GError *error;
  gboolean done;
} Fixture;

/* As reeve_policies_check(): without an advice there is no call. */
static gboolean
check_tool (const ReeveAdmissionRequest *request, const ReeveSettlement *settlement,
            gpointer user_data, GError **error)
{
  Fixture *fixture = user_data;
  const ReevePolicyAdvice *advice = request->advice;
  const char *word = NULL;

  if (fixture->closed)
    word = "tool_denied";
  else if (advice == NULL && !request->confirming)
    word = "policy_unavailable";
  else if (advice != NULL && !reeve_policy_advice_lets (advice))
    word = reeve_policy_advice_get_word (advice);
  g_assert_cmpstr (request->tool_name, ==, "calculate");
  fixture->counted += !request->confirming && word == NULL;
  if (word != NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED, "no (%s)", word);
  return word == NULL;
}

static GBytes *
make_question (const ReeveAdmissionRequest *request, gpointer user_data)
{
  return g_bytes_new (request->tool_name, strlen (request->tool_name) + 1);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  const char *const roles[] = { "operator", NULL };
  g_autoptr (ReeveIdentity) identity = reeve_identity_new ("acme", "usr_1", roles, "api_key");

  ledger_fixture_set_up (&fixture->ledger, data);
  fixture->admission = reeve_admission_new (fixture->ledger.ledger);
  fixture->adviser = g_object_new (ADVISER_TYPE_FAKE, NULL);
  fixture->caller
      = reeve_caller_new (identity, "acme", FALSE, reeve_roles_union (roles), "rest", NULL);
  reeve_admission_set_tool_check (fixture->admission, check_tool, fixture);
  reeve_admission_set_adviser (fixture->admission, REEVE_POLICY_ADVISER (fixture->adviser),
                               make_question, fixture);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_object_unref (fixture->admission);
  g_object_unref (fixture->adviser);
  reeve_caller_unref (fixture->caller);
  g_clear_error (&fixture->error);
  ledger_fixture_tear_down (&fixture->ledger, data);
}

static void
on_begun (GObject *source, GAsyncResult *result, gpointer data)
{
  Fixture *fixture = data;

  g_clear_error (&fixture->error);
  fixture->admitted
      = reeve_admission_begin_finish (REEVE_ADMISSION (source), result, &fixture->error);
  fixture->done = TRUE;
}

/* Everything that the request borrows is gone while somebody thinks. */
static void
begin (Fixture *fixture)
{
  g_autofree char *tool = g_strdup ("calculate");
  g_autofree char *agent = g_strdup ("agt_1");
  g_auto (GStrv) tools = g_strsplit ("calculate other", " ", -1);
  g_autoptr (JsonObject) arguments = json_object_new ();
  const ReeveAdmissionRequest request = { .caller = fixture->caller,
                                          .operation = "tool.call",
                                          .permission = "tool:execute",
                                          .agent_id = agent,
                                          .tool_name = tool,
                                          .tool_arguments = arguments,
                                          .agent_tools = (const char *const *) tools };

  fixture->done = FALSE;
  reeve_admission_begin_async (fixture->admission, &request, on_begun, fixture);
  memset (tool, 'x', strlen (tool));
  memset (agent, 'x', strlen (agent));
}

static void
finish (Fixture *fixture)
{
  while (!fixture->done)
    g_main_context_iteration (NULL, TRUE);
}

/* The last record before this one. */
static JsonObject *
last_record (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  guint64 seq = ledger_fixture_append (&fixture->ledger, "acme", REEVE_LEDGER_EVENT, "flush", 0);
  JsonObject *record = reeve_ledger_get (fixture->ledger.ledger, "acme", seq - 1, &error);

  g_assert_no_error (error);
  return record;
}

static void
assert_refused (Fixture *fixture, const char *word)
{
  g_autoptr (JsonObject) record = NULL;

  finish (fixture);
  g_assert_null (fixture->admitted);
  g_assert_error (fixture->error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
  record = last_record (fixture);
  g_assert_cmpstr (reeve_json_get_string (record, "kind", NULL), ==, "refusal");
  g_assert_cmpstr (reeve_json_get_string (record, "reason", NULL), ==, word);
  g_assert_cmpstr (reeve_json_get_string (record, "agent_id", NULL), ==, "agt_1");
  g_assert_cmpuint (fixture->counted, ==, 0);
}

static void
test_gate_allows (Fixture *fixture, gconstpointer data)
{
  static const struct
  {
    ReevePolicyAdviceKind advice;
    const char *word;
  } rows[] = { { REEVE_POLICY_ADVICE_ALLOW, "opa_allowed" },
               { REEVE_POLICY_ADVICE_UNREACHABLE, "opa_unreachable" } };
  const ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_FAILED, .reason = "cancelled" };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (JsonObject) intent = NULL;
      g_autoptr (JsonObject) outcome = NULL;

      begin (fixture);
      g_assert_cmpuint (fixture->adviser->asked, ==, i + 1);
      g_assert_cmpuint (fixture->counted, ==, i);
      adviser_fake_answer (fixture->adviser, rows[i].advice);
      finish (fixture);
      g_assert_no_error (fixture->error);
      g_assert_cmpuint (fixture->counted, ==, i + 1);
      intent = last_record (fixture);
      g_assert_cmpstr (reeve_json_get_string (intent, "kind", NULL), ==, "intent");
      g_assert_cmpstr (reeve_json_get_string (intent, "reason", NULL), ==, rows[i].word);
      g_assert_cmpstr (reeve_json_get_string (intent, "tool_name", NULL), ==, "calculate");
      /* before the effect nobody is asked again */
      g_assert_true (reeve_admitted_confirm (fixture->admitted, NULL, &fixture->error));
      g_assert_cmpuint (fixture->adviser->asked, ==, i + 1);
      reeve_admission_settle_async (fixture->admission, g_steal_pointer (&fixture->admitted),
                                    &settlement, NULL, NULL);
      outcome = last_record (fixture);
      g_assert_cmpstr (reeve_json_get_string (outcome, "reason", NULL), ==, "cancelled");
    }
}

static void
test_gate_refuses (Fixture *fixture, gconstpointer data)
{
  begin (fixture);
  adviser_fake_answer (fixture->adviser, REEVE_POLICY_ADVICE_DENY);
  assert_refused (fixture, "opa_denied");
  begin (fixture);
  adviser_fake_answer (fixture->adviser, REEVE_POLICY_ADVICE_UNDEFINED);
  assert_refused (fixture, "opa_undefined");
}

/* What was taken away while somebody thought is taken away. */
static void
test_gate_late (Fixture *fixture, gconstpointer data)
{
  begin (fixture);
  fixture->closed = TRUE;
  adviser_fake_answer (fixture->adviser, REEVE_POLICY_ADVICE_ALLOW);
  assert_refused (fixture, "tool_denied");
  g_assert_cmpuint (fixture->adviser->asked, ==, 1);
  begin (fixture);
  assert_refused (fixture, "tool_denied");
  g_assert_cmpuint (fixture->adviser->asked, ==, 1);
}

/* Whoever blocks is not asked for, and not let by. */
static void
test_gate_blocking (Fixture *fixture, gconstpointer data)
{
  const ReeveAdmissionRequest request = { .caller = fixture->caller,
                                          .operation = "tool.call",
                                          .agent_id = "agt_1",
                                          .tool_name = "calculate" };

  fixture->admitted = reeve_admission_begin (fixture->admission, &request, &fixture->error);
  fixture->done = TRUE;
  assert_refused (fixture, "policy_unavailable");
  g_assert_cmpuint (fixture->adviser->asked, ==, 0);
  g_clear_error (&fixture->error);
}

static void
test_check (void)
{
  g_autoptr (AdviserFake) adviser = g_object_new (ADVISER_TYPE_FAKE, NULL);
  g_autoptr (ReevePolicyAdvice) advice
      = reeve_policy_adviser_check (REEVE_POLICY_ADVISER (adviser));

  g_assert_cmpint (advice->kind, ==, REEVE_POLICY_ADVICE_ALLOW);
}

static void
test_packages (void)
{
  static const char *const rows[][2] = { { "acme", "agent_platform.policy.acme" },
                                         { "a_1", "agent_platform.policy.a_1" },
                                         { "my-org", "agent_platform.policy[\"my-org\"]" },
                                         { "1st", "agent_platform.policy[\"1st\"]" },
                                         { "default", "agent_platform.policy[\"default\"]" },
                                         { "some", "agent_platform.policy[\"some\"]" },
                                         { "something", "agent_platform.policy.something" } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *package = reeve_policy_rego_name_package (rows[i][0]);

      g_assert_cmpstr (package, ==, rows[i][1]);
    }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/policy-advice/apply", test_apply);
  g_test_add_func ("/policy-advice/text", test_text);
  g_test_add_func ("/policy-advice/answers", test_answers);
  g_test_add_func ("/policy-advice/check", test_check);
  g_test_add ("/policy-advice/gate/allows", Fixture, NULL, set_up, test_gate_allows, tear_down);
  g_test_add ("/policy-advice/gate/refuses", Fixture, NULL, set_up, test_gate_refuses, tear_down);
  g_test_add ("/policy-advice/gate/late", Fixture, NULL, set_up, test_gate_late, tear_down);
  g_test_add ("/policy-advice/gate/blocking", Fixture, NULL, set_up, test_gate_blocking, tear_down);
  g_test_add_func ("/policy-advice/packages", test_packages);
  return g_test_run ();
}
