/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveAuditRetention: how long the ledger keeps records. Blocks: worker threads. */
#pragma once

#include "governance/ledger-clock.h"
#include "governance/tenants.h"

#include "sinks.h"

G_BEGIN_DECLS

/* nothing asks for less */
#define REEVE_AUDIT_RETENTION_FLOOR 365
/* so many days longer a sink may hold records that it lacks */
#define REEVE_AUDIT_RETENTION_SINK 31

#define REEVE_AUDIT_RETENTION_OPERATION "audit.apply_retention"

/**
 * ReeveAuditRetentionSetup:
 * @ledger: the ledger
 * @tenants: whose settings may ask for longer
 * @sinks: (nullable): who may lack records
 * @admission: the gate
 * @days: `audit.retention_days`
 * @frameworks: (nullable): `compliance.frameworks`, of which some have a time of their own
 */
typedef struct
{
  ReeveLedger *ledger;
  ReeveTenants *tenants;
  ReeveSinks *sinks;
  ReeveAdmission *admission;
  gint64 days;
  const char *const *frameworks;
} ReeveAuditRetentionSetup;

/**
 * ReeveAuditRetentionTally:
 * @looked_at: when the last look ended, µs; 0: there was none
 * @failed: logs on which it failed
 * @held: logs whose old records wait for somebody
 * @ahead: days that the clock is ahead of what was seen to pass
 * @text: (nullable): says which, and why
 *
 * What the last look at all logs came to.
 */
typedef struct
{
  gint64 looked_at;
  guint failed;
  guint held;
  gint64 ahead;
  char *text;
} ReeveAuditRetentionTally;

#define REEVE_TYPE_AUDIT_RETENTION (reeve_audit_retention_get_type ())
G_DECLARE_FINAL_TYPE (ReeveAuditRetention, reeve_audit_retention, REEVE, AUDIT_RETENTION, GObject)

ReeveAuditRetention *reeve_audit_retention_new (const ReeveAuditRetentionSetup *setup);
/* One look at every log; %REEVE_ERROR_BUSY while another is under way. */
gboolean reeve_audit_retention_run (ReeveAuditRetention *self, GError **error);
/* The same, because somebody asks: consumes @admitted. {looked_at, items: [{tenant_log, …}]} of
 * logs that lost records, wait, or failed. */
JsonObject *reeve_audit_retention_apply (ReeveAuditRetention *self, ReeveAdmitted *admitted,
                                         GError **error);
/* {tenant_log, first, size, days, rule, looked_at?, dropped?, ended?, waits_for?, last_error?} */
JsonObject *reeve_audit_retention_show (ReeveAuditRetention *self, const char *scope,
                                        GError **error);
void reeve_audit_retention_count (ReeveAuditRetention *self, ReeveAuditRetentionTally *tally);
void reeve_audit_retention_tally_clear (ReeveAuditRetentionTally *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ReeveAuditRetentionTally, reeve_audit_retention_tally_clear)

G_END_DECLS
