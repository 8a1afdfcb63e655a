/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveUsageEvent: what one record of the ledger says was used. */
#pragma once

#include "ledger.h"
#include "prices.h"
#include "usage-table.h"

G_BEGIN_DECLS

/* action of what others tell that they used */
#define REEVE_USAGE_ACTION_REPORT "usage.report"

/* What it is summed up by; each has the model besides. */
typedef enum
{
  REEVE_USAGE_BY_MODEL, /* by nothing else */
  REEVE_USAGE_BY_AGENT,
  REEVE_USAGE_BY_USER,
  REEVE_USAGE_BY_WORKSPACE,
  REEVE_USAGE_BY_KEY,
  REEVE_USAGE_BY_DEPARTMENT,
  REEVE_USAGE_BY_COST_CENTER,
  REEVE_USAGE_BY_PROJECT,
  REEVE_USAGE_N_SERIES
} ReeveUsageSeries;

/* Is known what it costs? */
typedef enum
{
  REEVE_USAGE_PRICED_NOTHING, /* nothing is due */
  REEVE_USAGE_PRICED_YES,
  REEVE_USAGE_PRICED_NO /* tokens were used, and their price is not known */
} ReeveUsagePriced;

/* What an outcome leaves to its intent. */
typedef struct _ReeveUsageIntent ReeveUsageIntent;

/**
 * ReeveUsageEvent:
 * @time: of the record
 * @type: (nullable): model_call, tool_call, run, report; %NULL: a call of the API alone
 * @action: what was done
 * @values: by #ReeveUsageSeries; %NULL: none. Labels are those that a
 * report tells; others are not filled in.
 * @run_id: (nullable): of which run
 * @session_id: (nullable): of a report: the session it tells; that of a run is the run's
 * @tool_name: (nullable): of which tool
 * @told: (nullable): of a report: what it tells
 * @amount: the same: how many of it; 0: tokens
 * @priced: whether its cost is known
 * @row: the sums
 *
 * Strings are borrowed of record and intent.
 */
typedef struct
{
  gint64 time;
  const char *type;
  const char *action;
  const char *values[REEVE_USAGE_N_SERIES];
  const char *run_id;
  const char *session_id;
  const char *tool_name;
  const char *told;
  gint64 amount;
  ReeveUsagePriced priced;
  ReeveUsageRow row;
} ReeveUsageEvent;

const char *reeve_usage_series_name (ReeveUsageSeries series);
gboolean reeve_usage_series_find (const char *name, ReeveUsageSeries *series);
/* tool_invocations, execution_duration_ms, executions, api_calls, rag_queries */
gboolean reeve_usage_told_find (const char *what, ReeveUsageCounter *counter);

ReeveUsageIntent *reeve_usage_intent_new (const ReeveLedgerRecord *record)
    G_GNUC_WARN_UNUSED_RESULT;
void reeve_usage_intent_free (ReeveUsageIntent *self);
/* FALSE: it counts for nothing. @intent (nullable): the outcome's */
gboolean reeve_usage_event_read (ReeveUsageEvent *self, const ReeveLedgerRecord *record,
                                 const ReeveUsageIntent *intent, ReevePrices *prices);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveUsageIntent, reeve_usage_intent_free)

G_END_DECLS
