/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The self-test of the gate: that a gate which holds passes, and every one that does not is found
 * out. A stage is replaced by one that lets through what it must not. */
#include "governance/self-test.h"

#include "ledger-fixture.h"

typedef struct
{
  LedgerFixture ledger;
  ReeveAdmission *admission;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  ledger_fixture_set_up (&fixture->ledger, data);
  fixture->admission = reeve_admission_new (fixture->ledger.ledger);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_object_unref (fixture->admission);
  ledger_fixture_tear_down (&fixture->ledger, data);
}

static gboolean
let_tool (const ReeveAdmissionRequest *request, const ReeveSettlement *settlement,
          gpointer user_data, GError **error)
{
  return TRUE;
}

static gboolean
grant_all (const ReeveAdmissionRequest *request, gpointer user_data)
{
  return TRUE;
}

static gboolean
fail (const ReeveAdmissionRequest *request, const ReeveSettlement *settlement, gpointer user_data,
      GError **error)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "policies cannot be read");
  return FALSE;
}

static void
assert_fails (Fixture *fixture, const char *with)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (reeve_self_test_run (fixture->admission, fixture->ledger.ledger, NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
  g_assert_nonnull (strstr (error->message, with));
  /* nothing is left open */
  g_clear_error (&error);
  g_assert_cmpuint (
      ledger_fixture_append (&fixture->ledger, REEVE_SCOPE_PLATFORM, REEVE_LEDGER_EVENT, "test", 0),
      >, 0);
  g_autoptr (GPtrArray) open
      = reeve_ledger_list_open_intents (fixture->ledger.ledger, REEVE_SCOPE_PLATFORM, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (open->len, ==, 0);
}

/* again and again, with two refusals and one event each time */
static void
test_holds (Fixture *fixture, gconstpointer data)
{
  static const char *const actions[]
      = { REEVE_SELF_TEST_DONE, REEVE_SELF_TEST_POLICY, REEVE_SELF_TEST_PERMISSION };

  for (guint round = 1; round <= 3; round++)
    {
      guint64 before = reeve_ledger_get_size (fixture->ledger.ledger, REEVE_SCOPE_PLATFORM);
      guint64 next = 0;
      gint64 took = -1;
      g_autoptr (GError) error = NULL;
      const ReeveLedgerFilter filter = { .after = before, .limit = 10 };
      g_autoptr (GPtrArray) records = NULL;

      g_assert_true (
          reeve_self_test_run (fixture->admission, fixture->ledger.ledger, &took, &error));
      g_assert_no_error (error);
      g_assert_cmpint (took, >=, 0);
      records = reeve_ledger_list (fixture->ledger.ledger, REEVE_SCOPE_PLATFORM, &filter, &next,
                                   &error);
      /* the first also begins the log */
      g_assert_cmpuint (records->len, >=, 3);
      for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
        g_assert_cmpstr (reeve_json_get_string (records->pdata[i], "action", NULL), ==, actions[i]);
      g_assert_cmpstr (reeve_json_get_string (records->pdata[2], "reason", NULL), ==,
                       "permission_denied");
    }
}

static void
test_permission_let_through (Fixture *fixture, gconstpointer data)
{
  reeve_admission_set_grant (fixture->admission, grant_all, NULL);
  assert_fails (fixture, "lets through an execution by a caller without the permission");
}

static void
test_tool_let_through (Fixture *fixture, gconstpointer data)
{
  reeve_admission_set_tool_check (fixture->admission, let_tool, NULL);
  assert_fails (fixture, "lets through a call of a tool that no agent has");
}

/* a check that does not work is no refusal */
static void
test_check_fails (Fixture *fixture, gconstpointer data)
{
  reeve_admission_set_tool_check (fixture->admission, fail, NULL);
  assert_fails (fixture, "policies cannot be read");
}

/* the gate records elsewhere than where it is looked for */
static void
test_no_record (Fixture *fixture, gconstpointer data)
{
  LedgerFixture other = { 0 };
  g_autoptr (GError) error = NULL;

  ledger_fixture_set_up (&other, NULL);
  g_assert_false (reeve_self_test_run (fixture->admission, other.ledger, NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
  g_assert_nonnull (strstr (error->message, "is not in the ledger"));
  ledger_fixture_tear_down (&other, NULL);
}

#define ADD(name) g_test_add ("/self-test/" #name, Fixture, NULL, set_up, test_##name, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (holds);
  ADD (permission_let_through);
  ADD (tool_let_through);
  ADD (check_fails);
  ADD (no_record);
  return g_test_run ();
}
