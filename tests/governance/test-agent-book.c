/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What agents may do: every role with every effect, what a record's change does, and what is left
 * in the ledger. */
#include "governance/agent-book.h"

#include "ledger-fixture.h"

typedef struct
{
  LedgerFixture ledger;
  ReeveAdmission *admission;
  ReeveAgentBook *book;
  ReeveCaller *caller;
  guint64 last; /* record */
} Fixture;

static gboolean
allow_tool (const ReeveAdmissionRequest *request, const ReeveSettlement *settlement,
            gpointer user_data, GError **error)
{
  return TRUE;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  const char *const roles[] = { "operator", NULL };
  g_autoptr (ReeveIdentity) identity = reeve_identity_new ("acme", "usr_1", roles, "api_key");

  ledger_fixture_set_up (&fixture->ledger, data);
  fixture->admission = reeve_admission_new (fixture->ledger.ledger);
  reeve_admission_set_tool_check (fixture->admission, allow_tool, NULL);
  fixture->book = reeve_agent_book_new ();
  reeve_agent_book_guard (fixture->book, fixture->admission);
  fixture->caller
      = reeve_caller_new (identity, "acme", FALSE, reeve_roles_union (roles), "rest", NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_object_unref (fixture->admission);
  reeve_agent_book_unref (fixture->book);
  reeve_caller_unref (fixture->caller);
  ledger_fixture_tear_down (&fixture->ledger, data);
}

typedef enum
{
  MODEL,
  TOOL_READS,
  TOOL_WRITES
} Effect;

/* (nullable) the word in the ledger when it is refused, NULL when it is admitted */
static char *
try (Fixture *fixture, const char *agent_id, Effect effect)
{
  ReeveAdmissionRequest request = { .caller = fixture->caller, .agent_id = agent_id };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_FAILED };
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) record = NULL;
  ReeveAdmitted *admitted = NULL;

  request.operation = effect == MODEL ? "model.call" : "tool.call";
  request.model = effect == MODEL ? "local/m" : NULL;
  request.tool_name = effect == MODEL        ? NULL
                      : effect == TOOL_READS ? "semantic_search"
                                             : "http_request";
  request.tool_reads = effect == TOOL_READS;
  request.delegated_user_id = "usr_2";
  admitted = reeve_admission_begin (fixture->admission, &request, &error);
  if (admitted != NULL)
    reeve_admission_settle_async (fixture->admission, admitted, &settlement, NULL, NULL);
  /* nobody waits for the last record: one behind it is there when that one is */
  fixture->last
      = ledger_fixture_append (&fixture->ledger, "acme", REEVE_LEDGER_EVENT, "flush", 0) - 1;
  record = reeve_ledger_get (fixture->ledger.ledger, "acme", fixture->last, NULL);
  g_assert_nonnull (record);
  g_assert_cmpstr (reeve_json_get_string (record, "delegated_user_id", NULL), ==, "usr_2");
  g_assert_cmpstr (reeve_json_get_string (record, "agent_id", NULL), ==, agent_id);
  if (admitted != NULL)
    return NULL;
  g_assert_nonnull (error);
  g_assert_cmpstr (reeve_json_get_string (record, "outcome", NULL), ==, "blocked");
  return g_strdup (reeve_json_get_string (record, "reason", ""));
}

static void
assert_word (Fixture *fixture, const char *agent_id, Effect effect, const char *word)
{
  g_autofree char *found = try (fixture, agent_id, effect);

  g_assert_cmpstr (found, ==, word);
}

static void
test_roles (Fixture *fixture, gconstpointer data)
{
  static const struct
  {
    const char *role;
    const char *words[3]; /* of MODEL, TOOL_READS, TOOL_WRITES */
  } rows[] = {
    { "executor", { NULL, NULL, NULL } },
    { "planner", { NULL, "agent_role", "agent_role" } },
    { "reviewer", { NULL, NULL, "agent_role" } },
    { "admin", { NULL, NULL, NULL } },
    { "of-a-newer-host", { NULL, "agent_role", "agent_role" } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (ReeveAgentHold) hold = reeve_agent_book_hold (fixture->book, "acme", "agt_1");

      reeve_agent_book_set (fixture->book, "acme", "agt_1", 1, rows[i].role, TRUE);
      for (guint effect = MODEL; effect <= TOOL_WRITES; effect++)
        assert_word (fixture, "agt_1", (Effect) effect, rows[i].words[effect]);
      /* deactivated, no role helps */
      reeve_agent_book_set (fixture->book, "acme", "agt_1", 2, rows[i].role, FALSE);
      for (guint effect = MODEL; effect <= TOOL_WRITES; effect++)
        assert_word (fixture, "agt_1", (Effect) effect, "agent_inactive");
    }
}

static void
test_unknown (Fixture *fixture, gconstpointer data)
{
  /* nobody holds it */
  reeve_agent_book_set (fixture->book, "acme", "agt_1", 1, "admin", TRUE);
  assert_word (fixture, "agt_1", MODEL, "agent_inactive");
  {
    g_autoptr (ReeveAgentHold) hold = reeve_agent_book_hold (fixture->book, "acme", "agt_1");

    /* its record was not read */
    g_assert_false (reeve_agent_book_is_active (hold));
    assert_word (fixture, "agt_1", MODEL, "agent_inactive");
    /* another tenant's of the same name */
    reeve_agent_book_set (fixture->book, "other", "agt_1", 1, "admin", TRUE);
    assert_word (fixture, "agt_1", MODEL, "agent_inactive");
    reeve_agent_book_set (fixture->book, "acme", "agt_1", 1, "admin", TRUE);
    g_assert_true (reeve_agent_book_is_active (hold));
    assert_word (fixture, "agt_1", TOOL_WRITES, NULL);
  }
  /* let go */
  assert_word (fixture, "agt_1", MODEL, "agent_inactive");
}

static void
test_newest_wins (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveAgentHold) hold = reeve_agent_book_hold (fixture->book, "acme", "agt_1");
  g_autoptr (ReeveAgentHold) other = reeve_agent_book_hold (fixture->book, "acme", "agt_1");

  /* the change came before what was read earlier */
  reeve_agent_book_set (fixture->book, "acme", "agt_1", 5, "executor", FALSE);
  reeve_agent_book_set (fixture->book, "acme", "agt_1", 4, "executor", TRUE);
  assert_word (fixture, "agt_1", MODEL, "agent_inactive");
  reeve_agent_book_set (fixture->book, "acme", "agt_1", 6, "executor", TRUE);
  assert_word (fixture, "agt_1", MODEL, NULL);
  g_clear_pointer (&other, reeve_agent_book_release);
  assert_word (fixture, "agt_1", MODEL, NULL);
}

/* What is done to an agent is not done by it, and what no agent does is not asked about. */
static void
test_others (Fixture *fixture, gconstpointer data)
{
  ReeveAdmissionRequest request = { .caller = fixture->caller,
                                    .operation = "agents.execute",
                                    .permission = "agent:execute",
                                    .agent_id = "agt_1" };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_FAILED, .delegated_user_id = "usr_2" };
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) intent = NULL;
  g_autoptr (JsonObject) outcome = NULL;
  ReeveAdmitted *admitted = reeve_admission_begin (fixture->admission, &request, &error);
  guint64 seq = 0;

  g_assert_no_error (error);
  seq = reeve_admitted_get_intent (admitted);
  reeve_admission_settle_async (fixture->admission, admitted, &settlement, NULL, NULL);
  ledger_fixture_append (&fixture->ledger, "acme", REEVE_LEDGER_EVENT, "flush", 0);
  intent = reeve_ledger_get (fixture->ledger.ledger, "acme", seq, NULL);
  outcome = reeve_ledger_get (fixture->ledger.ledger, "acme", seq + 1, NULL);
  g_assert_false (json_object_has_member (intent, "delegated_user_id"));
  g_assert_cmpstr (reeve_json_get_string (outcome, "delegated_user_id", NULL), ==, "usr_2");

  request = (ReeveAdmissionRequest){ .caller = fixture->caller,
                                     .operation = "model.call",
                                     .model = "local/m",
                                     .delegated_user_id = "usr_1" };
  admitted = reeve_admission_begin (fixture->admission, &request, &error);
  g_assert_no_error (error);
  g_clear_pointer (&intent, json_object_unref);
  intent = reeve_ledger_get (fixture->ledger.ledger, "acme", reeve_admitted_get_intent (admitted),
                             NULL);
  g_assert_cmpstr (reeve_json_get_string (intent, "delegated_user_id", NULL), ==, "usr_1");
  settlement.delegated_user_id = NULL;
  reeve_admission_settle_async (fixture->admission, admitted, &settlement, NULL, NULL);
}

typedef struct
{
  Fixture *fixture;
  int stop;
} Changes;

static gpointer
change (gpointer data)
{
  Changes *changes = data;

  for (gint64 revision = 2; !g_atomic_int_get (&changes->stop); revision++)
    reeve_agent_book_set (changes->fixture->book, "acme", "agt_1", revision, "executor", TRUE);
  return NULL;
}

/* Holds come and go on many threads while records change. */
static void
test_threads (Fixture *fixture, gconstpointer data)
{
  Changes changes = { fixture, 0 };
  g_autoptr (ReeveAgentHold) kept = reeve_agent_book_hold (fixture->book, "acme", "agt_1");
  GThread *thread = g_thread_new ("change", change, &changes);

  for (guint i = 0; i < 20000; i++)
    {
      g_autoptr (ReeveAgentHold) hold = reeve_agent_book_hold (fixture->book, "acme", "agt_1");
      g_autoptr (ReeveAgentHold) other = reeve_agent_book_hold (fixture->book, "acme", "agt_2");

      g_assert_false (reeve_agent_book_is_active (other));
    }
  g_atomic_int_set (&changes.stop, 1);
  g_thread_join (thread);
  reeve_agent_book_set (fixture->book, "acme", "agt_1", G_MAXINT64, NULL, FALSE);
  g_assert_false (reeve_agent_book_is_active (kept));
}

#define ADD(name, func) g_test_add ("/agent-book/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("roles", test_roles);
  ADD ("unknown", test_unknown);
  ADD ("newest-wins", test_newest_wins);
  ADD ("others", test_others);
  ADD ("threads", test_threads);
  return g_test_run ();
}
