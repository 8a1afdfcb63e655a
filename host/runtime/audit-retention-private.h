/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of ReeveAuditRetention share: audit-retention.c (what goes),
 * audit-retention-show.c (what is said of it). */
#pragma once

#include "audit-retention.h"

G_BEGIN_DECLS

/* The rule that holds for a log. */
typedef struct
{
  char *text; /* its name and days */
  gint64 days;
  gboolean removed; /* the log of a tenant that is no more */
} ReeveAuditRetentionRule;

/* What came of the last look at a log. */
typedef struct
{
  guint64 dropped; /* the last record that went; 0: none did */
  gboolean ended;
  const char *waits_for; /* (nullable) (static) */
  char *error;           /* (nullable) */
} ReeveAuditRetentionLook;

struct _ReeveAuditRetention
{
  GObject parent_instance;

  ReeveLedger *ledger;
  ReeveTenants *tenants;
  ReeveSinks *sinks;
  ReeveAdmission *admission;
  ReeveLedgerClock *clock; /* of who is busy */
  gint64 days;
  const char *law; /* (static) name of the rule that a framework brings */
  gint64 law_days; /* 0: none */
  gint busy;       /* atomic: one look at a time */

  GMutex mutex;
  GHashTable *looks; /* scope -> ReeveAuditRetentionLook: under the mutex; of the last look */
  gint64 looked_at;  /* under the mutex: µs */
  gint64 ahead;      /* the same: days */
};

void reeve_audit_retention_look_free (ReeveAuditRetentionLook *self);
void reeve_audit_retention_rule_clear (ReeveAuditRetentionRule *self);
/* The longest rule that applies to a log. */
gboolean reeve_audit_retention_find_rule (ReeveAuditRetention *self, const char *scope,
                                          ReeveAuditRetentionRule *rule, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ReeveAuditRetentionRule, reeve_audit_retention_rule_clear)

G_END_DECLS
