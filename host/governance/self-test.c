/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two calls that nobody may make: an execution by a caller without a permission, and a call of a
 * tool that no agent has, by one with every permission. Neither has anything behind it that could
 * be done. Each must come back with %REEVE_ERROR_PERMISSION_DENIED and stand in the ledger.
 *
 * They are asked in the platform's scope, where no tenant's policy, override or budget can answer
 * for the gate. */
#include "self-test.h"

#include <string.h>

#include "roles.h"

#define REEVE_SELF_TEST_TOOL  "self-test.tool-that-is-not"
#define REEVE_SELF_TEST_ACTOR "self-test"

static ReeveCaller *
reeve_self_test_make_caller (ReevePermissions permissions)
{
  static const char *const roles[] = { NULL };
  g_autoptr (ReeveIdentity) identity
      = reeve_identity_new (REEVE_SCOPE_PLATFORM, REEVE_SELF_TEST_ACTOR, roles, "internal");

  return reeve_caller_new (identity, REEVE_SCOPE_PLATFORM, FALSE, permissions, "internal", NULL);
}

/* What was let through is ended at once: nothing has been done. */
static void
reeve_self_test_give_back (ReeveAdmission *admission, ReeveAdmitted *admitted)
{
  const ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_BLOCKED, .reason = "self_test" };

  reeve_admission_settle_async (admission, admitted, &settlement, NULL, NULL);
}

static gboolean
reeve_self_test_is_refused (ReeveAdmission *admission, const ReeveAdmissionRequest *request,
                            const char *what, GError **error)
{
  g_autoptr (GError) refusal = NULL;
  ReeveAdmitted *admitted = reeve_admission_begin (admission, request, &refusal);

  if (admitted != NULL)
    {
      reeve_self_test_give_back (admission, admitted);
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                   "self-test: the gate lets through %s: this host serves nobody", what);
      return FALSE;
    }
  if (g_error_matches (refusal, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
               "self-test: the gate was asked about %s, and failed: %s", what, refusal->message);
  return FALSE;
}

static gboolean
reeve_self_test_ask_permission (ReeveAdmission *admission, GError **error)
{
  g_autoptr (ReeveCaller) caller = reeve_self_test_make_caller (0);
  const ReeveAdmissionRequest request = { .caller = caller,
                                          .operation = REEVE_SELF_TEST_PERMISSION,
                                          .permission = "agent:execute",
                                          .resource_type = "agent" };

  return reeve_self_test_is_refused (admission, &request,
                                     "an execution by a caller without the permission", error);
}

static gboolean
reeve_self_test_ask_policy (ReeveAdmission *admission, GError **error)
{
  static const char *const none[] = { NULL };
  g_autoptr (ReeveCaller) caller = reeve_self_test_make_caller (reeve_roles_all ());
  const ReeveAdmissionRequest request = { .caller = caller,
                                          .operation = REEVE_SELF_TEST_POLICY,
                                          .permission = "agent:execute",
                                          .resource_type = "tool",
                                          .resource_id = REEVE_SELF_TEST_TOOL,
                                          .tool_name = REEVE_SELF_TEST_TOOL,
                                          .agent_tools = none };

  return reeve_self_test_is_refused (admission, &request, "a call of a tool that no agent has",
                                     error);
}

/* Newest first, so among the last few. */
static gboolean
reeve_self_test_find_record (ReeveLedger *ledger, const char *action, guint64 after, GError **error)
{
  const ReeveLedgerFilter filter
      = { .action = action, .kind = "refusal", .outcome = "blocked", .after = after, .limit = 1 };
  guint64 next = 0;
  g_autoptr (GPtrArray) found
      = reeve_ledger_list (ledger, REEVE_SCOPE_PLATFORM, &filter, &next, error);

  if (found == NULL)
    return FALSE;
  if (found->len == 1)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
               "self-test: the refusal of %s is not in the ledger: this host serves nobody",
               action);
  return FALSE;
}

/* The record of this comes behind those of the refusals: when it is durable, so are they. */
static gboolean
reeve_self_test_record (ReeveLedger *ledger, GError **error)
{
  const ReeveLedgerRecord record = {
    .kind = REEVE_LEDGER_EVENT,
    .scope = REEVE_SCOPE_PLATFORM,
    .action = REEVE_SELF_TEST_DONE,
    .actor_type = "system",
    .outcome = REEVE_OUTCOME_SUCCEEDED,
  };

  if (reeve_ledger_append (ledger, &record, error) != 0)
    return TRUE;
  g_prefix_error (error, "self-test: ");
  return FALSE;
}

/**
 * reeve_self_test_run:
 * @admission: the gate, with all its checks
 * @ledger: where it records
 * @took_us: (out) (nullable): how long it took
 * @error: return location
 *
 * Costs one write to the disk. Blocks.
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFIGURATION when the gate does not hold, or with an error of
 * the ledger
 */
gboolean
reeve_self_test_run (ReeveAdmission *admission, ReeveLedger *ledger, gint64 *took_us,
                     GError **error)
{
  gint64 began = g_get_monotonic_time ();
  guint64 size = reeve_ledger_get_size (ledger, REEVE_SCOPE_PLATFORM);
  gboolean good = reeve_self_test_ask_permission (admission, error)
                  && reeve_self_test_ask_policy (admission, error)
                  && reeve_self_test_record (ledger, error)
                  && reeve_self_test_find_record (ledger, REEVE_SELF_TEST_PERMISSION, size, error)
                  && reeve_self_test_find_record (ledger, REEVE_SELF_TEST_POLICY, size, error);

  if (took_us != NULL)
    *took_us = g_get_monotonic_time () - began;
  return good;
}
