/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records of the ledger go when no rule asks for them any more: of those that apply the longest
 * wins. Each dropping is one effect of the host, with intent and outcome; where nothing is old
 * enough there is none. A sink that lacks records holds them for a month longer. Of a tenant that
 * was deleted the log goes as a whole, when all of it is old. */
#include "audit-retention-private.h"

#include <string.h>

#include "base/log.h"
#include "base/times.h"
#include "governance/bootstrap.h"
#include "governance/ledger-end.h"

/* a file holds records of one month */
#define REEVE_AUDIT_RETENTION_MONTH (31 * REEVE_TIMES_DAY)

G_DEFINE_FINAL_TYPE (ReeveAuditRetention, reeve_audit_retention, G_TYPE_OBJECT)

static void
reeve_audit_retention_finalize (GObject *object)
{
  ReeveAuditRetention *self = REEVE_AUDIT_RETENTION (object);

  g_clear_object (&self->ledger);
  g_clear_object (&self->tenants);
  g_clear_object (&self->sinks);
  g_clear_object (&self->admission);
  g_clear_pointer (&self->clock, reeve_ledger_clock_free);
  g_hash_table_unref (self->looks);
  g_mutex_clear (&self->mutex);
  G_OBJECT_CLASS (reeve_audit_retention_parent_class)->finalize (object);
}

static void
reeve_audit_retention_class_init (ReeveAuditRetentionClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_audit_retention_finalize;
}

static void
reeve_audit_retention_init (ReeveAuditRetention *self)
{
  self->looks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                       (GDestroyNotify) reeve_audit_retention_look_free);
  g_mutex_init (&self->mutex);
}

typedef struct
{
  const char *framework;
  const char *rule;
  gint64 days;
} ReeveAuditRetentionLaw;

/* Six years of records of access (HIPAA, 45 CFR 164.316), seven of what an audit rests on (SOX, 17
 * CFR 210.2-06). */
static const ReeveAuditRetentionLaw reeve_audit_retention_laws[] = {
  { "hipaa", "compliance.frameworks[hipaa]", 2190 },
  { "sox", "compliance.frameworks[sox]", 2555 },
};

static void
reeve_audit_retention_take_frameworks (ReeveAuditRetention *self, const char *const *frameworks)
{
  self->law = "compliance.frameworks";
  for (guint i = 0; frameworks != NULL && i < G_N_ELEMENTS (reeve_audit_retention_laws); i++)
    {
      const ReeveAuditRetentionLaw *law = &reeve_audit_retention_laws[i];

      if (law->days <= self->law_days || !g_strv_contains (frameworks, law->framework))
        continue;
      self->law = law->rule;
      self->law_days = law->days;
    }
}

/**
 * reeve_audit_retention_new:
 * @setup: what it works with; referenced
 *
 * Returns: (transfer full): who has looked at nothing yet
 */
ReeveAuditRetention *
reeve_audit_retention_new (const ReeveAuditRetentionSetup *setup)
{
  ReeveAuditRetention *self = g_object_new (REEVE_TYPE_AUDIT_RETENTION, NULL);

  self->ledger = g_object_ref (setup->ledger);
  self->tenants = g_object_ref (setup->tenants);
  self->sinks = setup->sinks != NULL ? g_object_ref (setup->sinks) : NULL;
  self->admission = g_object_ref (setup->admission);
  self->clock = reeve_ledger_clock_new (reeve_ledger_get_folder (setup->ledger));
  self->days = setup->days;
  reeve_audit_retention_take_frameworks (self, setup->frameworks);
  return self;
}

void
reeve_audit_retention_look_free (ReeveAuditRetentionLook *self)
{
  g_free (self->error);
  g_free (self);
}

void
reeve_audit_retention_rule_clear (ReeveAuditRetentionRule *self)
{
  g_clear_pointer (&self->text, g_free);
}

/* The longest rule that applies to a log. That of a tenant outlives it. */
gboolean
reeve_audit_retention_find_rule (ReeveAuditRetention *self, const char *scope,
                                 ReeveAuditRetentionRule *rule, GError **error)
{
  struct
  {
    const char *name;
    gint64 days;
  } rules[] = {
    { "floor", REEVE_AUDIT_RETENTION_FLOOR },
    { "audit.retention_days", self->days },
    { self->law, self->law_days },
    { "tenant." REEVE_TENANTS_AUDIT_RETENTION, 0 },
  };
  gint64 *asked = &rules[G_N_ELEMENTS (rules) - 1].days;
  guint longest = 0;

  if (!reeve_tenants_get_removed (self->tenants, scope, &rule->removed, asked, error))
    return FALSE;
  if (!rule->removed)
    *asked = reeve_tenants_get_limit (self->tenants, scope, REEVE_TENANTS_AUDIT_RETENTION, 0);
  for (guint i = 1; i < G_N_ELEMENTS (rules); i++)
    if (rules[i].days >= rules[longest].days)
      longest = i;
  rule->text = g_strdup_printf ("%s=%" G_GINT64_FORMAT, rules[longest].name, rules[longest].days);
  rule->days = rules[longest].days;
  return TRUE;
}

/* Does an intent without an outcome hold records? (It is itself older than a whole file.) */
static gboolean
reeve_audit_retention_waits_for_outcome (ReeveAuditRetention *self, const char *scope,
                                         gint64 horizon)
{
  g_autoptr (GPtrArray) open = reeve_ledger_list_open_intents (self->ledger, scope, NULL);
  gint64 time = 0;

  return open != NULL && open->len > 0
         && reeve_times_parse (reeve_json_get_string (open->pdata[0], "time", ""), &time, NULL)
         && time < horizon - REEVE_AUDIT_RETENTION_MONTH;
}

/* What goes, with regard to who has not got it yet. */
static gboolean
reeve_audit_retention_plan (ReeveAuditRetention *self, const char *scope, gint64 horizon,
                            ReeveLedgerRetirement *plan, ReeveAuditRetentionLook *look,
                            GError **error)
{
  guint64 delivered
      = self->sinks != NULL ? reeve_sinks_get_delivered (self->sinks, scope) : G_MAXUINT64;
  ReeveLedgerRetirement all = { 0 };
  ReeveLedgerRetirement bound = { 0 };

  if (!reeve_ledger_plan_retirement (self->ledger, scope, horizon, G_MAXUINT64, &all, error)
      || !reeve_ledger_plan_retirement (self->ledger, scope, horizon, delivered, plan, error))
    return FALSE;
  if (reeve_audit_retention_waits_for_outcome (self, scope, horizon))
    look->waits_for = "outcome";
  if (all.last == plan->last)
    return TRUE;
  if (!reeve_ledger_plan_retirement (self->ledger, scope,
                                     horizon - REEVE_AUDIT_RETENTION_SINK * REEVE_TIMES_DAY,
                                     G_MAXUINT64, &bound, error))
    return FALSE;
  plan->last = MAX (plan->last, bound.last);
  if (plan->last == all.last)
    return TRUE;
  look->waits_for = "sink";
  g_message ("old records of %s wait for a sink that lacks them, for %d days at most", scope,
             REEVE_AUDIT_RETENTION_SINK);
  return TRUE;
}

/* The host itself: in the tenant whose log it is, else in tenant `default`. */
static ReeveCaller *
reeve_audit_retention_make_caller (ReeveAuditRetention *self, const char *scope)
{
  static const char *const roles[] = { NULL };
  ReeveTenantStatus status = reeve_tenants_get_status (self->tenants, scope);
  g_autoptr (ReeveIdentity) identity = NULL;

  if (status != REEVE_TENANT_ACTIVE && status != REEVE_TENANT_SUSPENDED)
    return reeve_bootstrap_make_caller ();
  identity = reeve_identity_new (scope, "host", roles, "internal");
  return reeve_caller_new (identity, scope, FALSE, 0, "internal", NULL);
}

/* In a log that the intent does not go to; what is of a tenant that is no more, in that of
 * `default`: nothing is written behind the end of its own. */
static gboolean
reeve_audit_retention_note (ReeveAuditRetention *self, const char *scope, const char *name,
                            const ReeveAuditRetentionRule *rule, GError **error)
{
  const ReeveLedgerRecord record = { .kind = REEVE_LEDGER_EVENT,
                                     .scope = rule->removed ? REEVE_TENANTS_DEFAULT : scope,
                                     .action = REEVE_LEDGER_RETIRE_OPERATION,
                                     .actor_type = "system",
                                     .actor_id = "host",
                                     .resource_type = "ledger",
                                     .resource_id = name,
                                     .reason = rule->text,
                                     .door = "internal" };

  return reeve_ledger_append (self->ledger, &record, error) != 0;
}

/* Is all that is left of the log among it, and does nobody write it any more? */
static gboolean
reeve_audit_retention_is_end (ReeveAuditRetention *self, const char *scope,
                              const ReeveAuditRetentionRule *rule,
                              const ReeveLedgerRetirement *plan)
{
  return rule->removed && plan->last == reeve_ledger_get_size (self->ledger, scope);
}

static gboolean
reeve_audit_retention_retire (ReeveAuditRetention *self, const char *scope,
                              const ReeveLedgerRetirement *plan,
                              const ReeveAuditRetentionRule *rule, ReeveAuditRetentionLook *look,
                              GError **error)
{
  g_autofree char *name = reeve_ledger_name_retirement (scope, plan);
  g_autoptr (ReeveCaller) caller = reeve_audit_retention_make_caller (self, scope);
  const ReeveAdmissionRequest request = { .caller = caller,
                                          .operation = REEVE_LEDGER_RETIRE_OPERATION,
                                          .resource_type = "ledger",
                                          .resource_id = name };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED };
  ReeveAdmitted *admitted = reeve_admission_begin (self->admission, &request, error);
  gboolean ok = FALSE;

  if (admitted == NULL)
    return FALSE;
  look->ended = reeve_audit_retention_is_end (self, scope, rule, plan);
  /* this also begins another file, so that the one before may go */
  ok = reeve_audit_retention_note (self, scope, name, rule, error);
  if (ok && look->ended)
    ok = reeve_ledger_end (self->ledger, admitted, scope, plan, error);
  else if (ok)
    ok = reeve_ledger_retire (self->ledger, admitted, scope, plan, rule->text, error);
  if (!ok)
    {
      settlement.outcome = REEVE_OUTCOME_FAILED;
      settlement.reason = "failed";
    }
  reeve_admission_settle_async (self->admission, admitted, &settlement, NULL, NULL);
  if (ok)
    g_message ("ledger: records %s were dropped%s, as %s says", name,
               look->ended ? ", and the log with them" : "", rule->text);
  return ok;
}

/* One log. */
static gboolean
reeve_audit_retention_look (ReeveAuditRetention *self, const char *scope, gint64 now,
                            ReeveAuditRetentionLook *look, GError **error)
{
  g_auto (ReeveAuditRetentionRule) rule = { 0 };
  ReeveLedgerRetirement plan = { 0 };

  if (!reeve_audit_retention_find_rule (self, scope, &rule, error)
      || !reeve_audit_retention_plan (self, scope, now - rule.days * REEVE_TIMES_DAY, &plan, look,
                                      error))
    return FALSE;
  if (plan.last < plan.first)
    return TRUE;
  if (!reeve_audit_retention_retire (self, scope, &plan, &rule, look, error))
    {
      look->ended = FALSE;
      return FALSE;
    }
  look->dropped = plan.last;
  return TRUE;
}

/* What sinks know of logs that have ended. */
static gboolean
reeve_audit_retention_has_ended (const char *scope, gpointer data)
{
  ReeveAuditRetention *self = data;
  g_auto (GStrv) scopes = NULL;
  gboolean removed = FALSE;
  gint64 days = 0;

  if (!reeve_tenants_get_removed (self->tenants, scope, &removed, &days, NULL) || !removed)
    return FALSE;
  scopes = reeve_ledger_list_scopes (self->ledger, NULL);
  return scopes != NULL && !g_strv_contains ((const char *const *) scopes, scope);
}

static void
reeve_audit_retention_look_at_all (ReeveAuditRetention *self, gint64 now, GHashTable *looks)
{
  g_auto (GStrv) scopes = reeve_ledger_list_scopes (self->ledger, NULL);

  for (guint i = 0; scopes != NULL && scopes[i] != NULL; i++)
    {
      g_auto (ReeveLogScope) about = reeve_log_scope_tenant (scopes[i]);
      ReeveAuditRetentionLook *look = g_new0 (ReeveAuditRetentionLook, 1);
      g_autoptr (GError) error = NULL;

      if (!reeve_audit_retention_look (self, scopes[i], now, look, &error))
        {
          look->error = g_strdup (error->message);
          g_message ("%s; tried again later", error->message);
        }
      g_hash_table_insert (looks, g_strdup (scopes[i]), look);
    }
  if (self->sinks != NULL)
    reeve_sinks_forget (self->sinks, reeve_audit_retention_has_ended, self);
}

/**
 * reeve_audit_retention_run:
 * @self: who keeps records
 * @error: return location
 *
 * Drops what no rule asks for. What fails with one log keeps nothing from the others, and is shown.
 *
 * Returns: %FALSE with %REEVE_ERROR_BUSY while another thread does that
 */
gboolean
reeve_audit_retention_run (ReeveAuditRetention *self, GError **error)
{
  GHashTable *looks = NULL;
  gint64 wall = g_get_real_time ();
  gint64 now = 0;
  gint64 ahead = 0;

  if (!g_atomic_int_compare_and_exchange (&self->busy, 0, 1))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_BUSY,
                           "old records of the ledger are being dropped already");
      return FALSE;
    }
  now = reeve_ledger_clock_tick (self->clock, wall, g_get_monotonic_time ());
  if (wall - now > REEVE_LEDGER_CLOCK_LEAP)
    {
      ahead = (wall - now) / REEVE_TIMES_DAY;
      g_warning ("the clock is %" G_GINT64_FORMAT
                 " days ahead of what this host has seen pass: the ledger keeps its records longer",
                 ahead);
    }
  looks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                 (GDestroyNotify) reeve_audit_retention_look_free);
  reeve_audit_retention_look_at_all (self, now, looks);
  g_mutex_lock (&self->mutex);
  g_hash_table_unref (self->looks);
  self->looks = looks;
  self->looked_at = g_get_real_time ();
  self->ahead = ahead;
  g_mutex_unlock (&self->mutex);
  g_atomic_int_set (&self->busy, 0);
  return TRUE;
}
