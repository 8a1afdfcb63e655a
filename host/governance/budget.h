/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveBudget: what one scope of a tenant may spend in a period, and what it has spent. No lock and
 * no I/O of its own: it belongs to a ReeveBudgetBook. */
#pragma once

#include <reeve-plugin-1.h>

#include "budget-money.h"
#include "budget-pool.h"

G_BEGIN_DECLS

#define REEVE_BUDGET_NONE        (-1) /* no limit */
#define REEVE_BUDGET_ORG         "org"
#define REEVE_BUDGET_PLATFORM    "platform" /* a slice of what all tenants share */
#define REEVE_BUDGET_STATE       "state"    /* id of the record that says how far the log is read */
#define REEVE_BUDGET_CONFIGURED  "configured" /* id of the tenant's that the configuration sets */
#define REEVE_BUDGET_LEAST       16           /* tokens: a shorter answer is none */
#define REEVE_BUDGET_PERIOD_DAYS 30
#define REEVE_BUDGET_ALERT       800              /* thousandths of the limit */
#define REEVE_BUDGET_MOST        (G_MAXINT64 / 2) /* a counter that is there stays there */
#define REEVE_BUDGET_NEW         (-1)             /* from_seq: about to be set */

/* what was told of a budget in its period */
#define REEVE_BUDGET_TOLD_ALERT     1
#define REEVE_BUDGET_TOLD_EXHAUSTED 2

/* A budget bounds the tokens of its period, and besides, where it says so, those of each day and
 * each month of the calendar in UTC: each of them is a budget within it, with the same key. */
typedef enum
{
  REEVE_BUDGET_WINDOW_NONE, /* the period that was set */
  REEVE_BUDGET_WINDOW_DAY,
  REEVE_BUDGET_WINDOW_MONTH
} ReeveBudgetWindow;

#define REEVE_BUDGET_WINDOWS 2

typedef struct _ReeveBudget ReeveBudget;

struct _ReeveBudget
{
  int references; /* under the book's lock */
  char *key;      /* org, agents/ID, users/ID, keys/ID, workspaces/ID */
  char *id;       /* another one each time it is made: names its counters */
  gint64 token_limit;
  gint64 cost_limit;  /* nano-units */
  char currency[4];   /* of the limit, or of the last one that there was; empty: never one */
  gint64 period_days; /* 0: it never begins again */
  gint64 anchor;      /* µs: when period number @base began */
  gint64 base;
  gint64 alert_at; /* thousandths of the limit; 0: nothing is told */
  char *set_by;    /* NULL: the configuration */
  gint64 revision;
  gint64 created_at;
  gint64 from_seq; /* of the log: intents from here on are its own; 0: those since created_at */
  gint64 updated_at;
  ReeveBudget *heir;     /* (nullable): what is about to take its place */
  gboolean coming;       /* the store does not have it yet: nobody is shown it */
  ReeveBudgetPool *pool; /* (nullable): the limits are a slice of the platform's */
  gint64 request_limit;  /* tokens of one call */
  ReeveBudgetWindow window;
  gint64 ends;                                /* µs: of a window, when its period ends */
  ReeveBudget *windows[REEVE_BUDGET_WINDOWS]; /* (nullable): of a day, of a month */

  gint64 period; /* never goes back, whatever a clock says */
  gint64 tokens_used;
  gint64 tokens_reserved;
  ReeveBudgetMoney money; /* in each currency; of a window nothing: it bounds tokens alone */
  /* µs: when the period began, while no record says that it did; 0: one does */
  gint64 unrecorded;
  guint told;
  gint64 touched; /* monotonic µs: a slice was last used */
};

ReeveBudget *reeve_budget_new (const char *key, const char *id) G_GNUC_WARN_UNUSED_RESULT;
ReeveBudget *reeve_budget_ref (ReeveBudget *self);
void reeve_budget_unref (ReeveBudget *self);
/* {token_limit?, cost_limit?, reset_period_days?, alert_at?}; what is not there is as by default.
 */
gboolean reeve_budget_set_limits (ReeveBudget *self, JsonObject *limits, gint64 now,
                                  GError **error);
/* What is more than REEVE_BUDGET_MOST is that: nothing wraps around. Neither is negative. */
gint64 reeve_budget_sum (gint64 a, gint64 b);
/* Those of it that are new are in force from number @seq of the log on. */
void reeve_budget_begin_at (ReeveBudget *self, guint64 seq);
/* Is the intent of this number, made at @time, its own? */
gboolean reeve_budget_owns (const ReeveBudget *self, guint64 seq, gint64 time);
/* Goes on to the period that @now lies in. */
void reeve_budget_roll (ReeveBudget *self, gint64 now);
/* A period begins, nothing spent; no earlier one than the present. */
void reeve_budget_go_on (ReeveBudget *self, gint64 period);
/* Number of the period that @now lies in; no less than the present one. */
gint64 reeve_budget_find_period (const ReeveBudget *self, gint64 now);
/* What may still be reserved; G_MAXINT64: no limit. */
gint64 reeve_budget_get_tokens_left (const ReeveBudget *self);
gint64 reeve_budget_get_cost_left (const ReeveBudget *self);
/* Money in the currency that it counts, in nano-units; that of the others is no part of it. */
gint64 reeve_budget_get_cost_used (const ReeveBudget *self);
gint64 reeve_budget_get_cost_reserved (const ReeveBudget *self);
/* The same with what the platform has not given to anybody; the limits as they were set. */
gint64 reeve_budget_get_tokens_open (const ReeveBudget *self);
gint64 reeve_budget_get_cost_open (const ReeveBudget *self);
gint64 reeve_budget_get_token_limit (const ReeveBudget *self);
gint64 reeve_budget_get_cost_limit (const ReeveBudget *self);
/* (transfer full) a copy with references of its own */
ReeveBudget *reeve_budget_dup (const ReeveBudget *self) G_GNUC_WARN_UNUSED_RESULT;
/* Takes over what @from says of limits and periods; what is spent and reserved stays. */
void reeve_budget_adopt (ReeveBudget *self, ReeveBudget *from);
/* Which limits were just reached: REEVE_BUDGET_TOLD_…; they are told from now on. */
guint reeve_budget_notice (ReeveBudget *self);
/* (transfer full) as it is shown outside, and as it is kept */
JsonObject *reeve_budget_show (const ReeveBudget *self, const char *tenant_id);
JsonObject *reeve_budget_save (const ReeveBudget *self);
ReeveBudget *reeve_budget_load (const char *key, JsonObject *fields) G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveBudget, reeve_budget_unref)

G_END_DECLS
