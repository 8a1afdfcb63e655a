/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records of the ledger go when no rule asks for them any more: of those that apply the longest
 * wins. Each dropping is one effect of the host, with intent and outcome; where nothing is old
 * enough there is none. A sink that lacks records holds them for a month longer. */
#include "audit-retention.h"

#include <string.h>

#include "base/times.h"
#include "governance/bootstrap.h"
#include "governance/ledger-retire.h"

#define REEVE_AUDIT_RETENTION_SETTING "audit_retention_days"

/* The longest rule that applies to a log; *rule (out): its name and days. */
static gint64
reeve_audit_retention_find_rule (ReeveTenants *tenants, const char *scope, gint64 days, char **rule)
{
  const struct
  {
    const char *name;
    gint64 days;
  } rules[] = {
    { "floor", REEVE_AUDIT_RETENTION_FLOOR },
    { "audit.retention_days", days },
    { "tenant." REEVE_AUDIT_RETENTION_SETTING,
      reeve_tenants_get_limit (tenants, scope, REEVE_AUDIT_RETENTION_SETTING, 0) },
  };
  guint longest = 0;

  for (guint i = 1; i < G_N_ELEMENTS (rules); i++)
    if (rules[i].days >= rules[longest].days)
      longest = i;
  *rule = g_strdup_printf ("%s=%" G_GINT64_FORMAT, rules[longest].name, rules[longest].days);
  return rules[longest].days;
}

/* What goes, with regard to who has not got it yet. */
static gboolean
reeve_audit_retention_plan (ReeveLedger *ledger, ReeveSinks *sinks, const char *scope,
                            gint64 horizon, ReeveLedgerRetirement *plan, GError **error)
{
  guint64 delivered = sinks != NULL ? reeve_sinks_get_delivered (sinks, scope) : G_MAXUINT64;
  ReeveLedgerRetirement all = { 0 };
  ReeveLedgerRetirement bound = { 0 };

  if (!reeve_ledger_plan_retirement (ledger, scope, horizon, G_MAXUINT64, &all, error)
      || !reeve_ledger_plan_retirement (ledger, scope, horizon, delivered, plan, error))
    return FALSE;
  if (all.last == plan->last)
    return TRUE;
  if (!reeve_ledger_plan_retirement (ledger, scope,
                                     horizon - REEVE_AUDIT_RETENTION_SINK * REEVE_TIMES_DAY,
                                     G_MAXUINT64, &bound, error))
    return FALSE;
  plan->last = MAX (plan->last, bound.last);
  g_message ("old records of %s wait for a sink that lacks them, for %d days at most", scope,
             REEVE_AUDIT_RETENTION_SINK);
  return TRUE;
}

/* The host itself: in the tenant whose log it is, else in tenant `default`. */
static ReeveCaller *
reeve_audit_retention_make_caller (ReeveTenants *tenants, const char *scope)
{
  static const char *const roles[] = { NULL };
  ReeveTenantStatus status = reeve_tenants_get_status (tenants, scope);
  g_autoptr (ReeveIdentity) identity = NULL;

  if (status != REEVE_TENANT_ACTIVE && status != REEVE_TENANT_SUSPENDED)
    return reeve_bootstrap_make_caller ();
  identity = reeve_identity_new (scope, "host", roles, "internal");
  return reeve_caller_new (identity, scope, FALSE, 0, "internal", NULL);
}

/* In a log that the intent does not go to. */
static gboolean
reeve_audit_retention_note (ReeveLedger *ledger, const char *scope, const char *name,
                            const char *rule, GError **error)
{
  const ReeveLedgerRecord record = { .kind = REEVE_LEDGER_EVENT,
                                     .scope = scope,
                                     .action = REEVE_LEDGER_RETIRE_OPERATION,
                                     .actor_type = "system",
                                     .actor_id = "host",
                                     .resource_type = "ledger",
                                     .resource_id = name,
                                     .reason = rule,
                                     .door = "internal" };

  return reeve_ledger_append (ledger, &record, error) != 0;
}

static gboolean
reeve_audit_retention_retire (ReeveLedger *ledger, ReeveTenants *tenants, ReeveAdmission *admission,
                              const char *scope, const ReeveLedgerRetirement *plan,
                              const char *rule, GError **error)
{
  g_autofree char *name = reeve_ledger_name_retirement (scope, plan);
  g_autoptr (ReeveCaller) caller = reeve_audit_retention_make_caller (tenants, scope);
  const ReeveAdmissionRequest request = { .caller = caller,
                                          .operation = REEVE_LEDGER_RETIRE_OPERATION,
                                          .resource_type = "ledger",
                                          .resource_id = name };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED };
  ReeveAdmitted *admitted = reeve_admission_begin (admission, &request, error);
  gboolean ok = FALSE;

  if (admitted == NULL)
    return FALSE;
  /* this also begins another file, so that the one before may go */
  ok = reeve_audit_retention_note (ledger, scope, name, rule, error)
       && reeve_ledger_retire (ledger, admitted, scope, plan, rule, error);
  if (!ok)
    {
      settlement.outcome = REEVE_OUTCOME_FAILED;
      settlement.reason = "failed";
    }
  reeve_admission_settle_async (admission, admitted, &settlement, NULL, NULL);
  if (ok)
    g_message ("ledger: records %s were dropped, as %s says", name, rule);
  return ok;
}

/* One log. Returns whether records went. */
static gboolean
reeve_audit_retention_look (ReeveLedger *ledger, ReeveTenants *tenants, ReeveSinks *sinks,
                            ReeveAdmission *admission, const char *scope, gint64 now, gint64 days)
{
  g_autofree char *rule = NULL;
  g_autoptr (GError) error = NULL;
  ReeveLedgerRetirement plan = { 0 };
  gint64 kept = reeve_audit_retention_find_rule (tenants, scope, days, &rule);
  gboolean ok = reeve_audit_retention_plan (ledger, sinks, scope, now - kept * REEVE_TIMES_DAY,
                                            &plan, &error);

  if (ok && plan.last < plan.first)
    return FALSE;
  ok = ok && reeve_audit_retention_retire (ledger, tenants, admission, scope, &plan, rule, &error);
  if (!ok)
    g_message ("%s; tried again later", error->message);
  return ok;
}

/**
 * reeve_audit_retention_run:
 * @ledger: the ledger
 * @tenants: whose settings may ask for longer
 * @sinks: (nullable): who may lack records
 * @admission: the gate
 * @clock: the time that was seen to pass
 * @days: `audit.retention_days`
 *
 * Returns: of how many logs records went
 */
guint
reeve_audit_retention_run (ReeveLedger *ledger, ReeveTenants *tenants, ReeveSinks *sinks,
                           ReeveAdmission *admission, ReeveLedgerClock *clock, gint64 days)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) scopes = reeve_ledger_list_scopes (ledger, &error);
  gint64 wall = g_get_real_time ();
  gint64 now = reeve_ledger_clock_tick (clock, wall, g_get_monotonic_time ());
  guint count = 0;

  if (wall - now > REEVE_LEDGER_CLOCK_LEAP)
    g_warning ("the clock is %" G_GINT64_FORMAT
               " days ahead of what this host has seen pass: the ledger keeps its records longer",
               (wall - now) / REEVE_TIMES_DAY);
  for (guint i = 0; scopes != NULL && scopes[i] != NULL; i++)
    if (reeve_audit_retention_look (ledger, tenants, sinks, admission, scopes[i], now, days))
      count++;
  return count;
}
