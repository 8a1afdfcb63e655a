/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRun: one run under way: takes decision after decision, performs it, appends what came of it.
 */
#pragma once

#include "base/workers.h"
#include "citations.h"
#include "conversations.h"
#include "governance/authentication.h"
#include "governance/policies.h"
#include "governance/prices.h"
#include "governance/tenants.h"
#include "governance/workspaces.h"
#include "journal.h"
#include "models.h"
#include "runs.h"
#include "store/store.h"
#include "tools.h"

G_BEGIN_DECLS

#define REEVE_TYPE_RUN (reeve_run_get_type ())
G_DECLARE_FINAL_TYPE (ReeveRun, reeve_run, REEVE, RUN, GObject)

/* What runs work with; outlives them. */
typedef struct _ReeveRunEnvironment
{
  ReeveStore *store;
  ReeveAdmission *admission;
  ReeveModels *models;
  ReeveTools *tools;
  ReeveConversations *conversations;
  ReeveWorkers *workers;
  /* for agents whose definition does not say; 0: the built-in values */
  gint64 max_iterations;
  gint64 max_tokens;
  gint64 timeout_seconds;
  gint64 tool_seconds;                 /* longest call of a tool; 0: as long as the run */
  gint64 queue_length;                 /* runs of an agent that may wait for their turn */
  gint64 queue_seconds;                /* how long each of them */
  ReeveAuthentication *authentication; /* nullable: who began a run may always go on */
  ReeveTenants *tenants;               /* nullable: no tenant has a limit */
  ReevePolicies *policies;     /* nullable: no execution has a limit, and all tools are shown */
  ReeveWorkspaces *workspaces; /* nullable: there are none */
  ReevePrices *prices;         /* nullable: no model has one */
  ReeveTracer *tracer;         /* nullable: no traces are sent */
} ReeveRunEnvironment;

/* Called once in the run's context. error: the journal could not be written; result is NULL then.
 */
typedef void (*ReeveRunDone) (ReeveRun *self, JsonObject *result, const GError *error,
                              gpointer user_data);

/* Lives in the thread-default context of its maker; all functions but reeve_run_interrupt(),
 * reeve_run_leave(), reeve_run_release(), reeve_run_follow() and reeve_run_unfollow() are called
 * there. admitted: (transfer full) (nullable) the intent of the whole run; NULL when it is settled
 * already. journal: (transfer full) what was appended so far. record: fields of the run's record.
 */
ReeveRun *reeve_run_new (const ReeveRunEnvironment *environment, ReeveCaller *caller,
                         ReeveAdmitted *admitted, const char *run_id, JsonObject *record,
                         ReeveJournal *journal);
/* (transfer full) (nullable): kept until the run is gone */
void reeve_run_take_hold (ReeveRun *self, ReeveAgentHold *hold);
/* Appends @started when the journal is empty, then goes on from where the journal stands. */
void reeve_run_start (ReeveRun *self, JsonObject *started, ReeveRunDone done, gpointer user_data);
/* Before reeve_run_start(): it waits for reeve_run_release(), and for no longer than may be.
 * @started (nullable): its first entry, when there is no journal yet */
void reeve_run_wait_for_turn (ReeveRun *self, JsonObject *started);
/* Its turn has come. Any thread. */
void reeve_run_release (ReeveRun *self);
/* Instead of reeve_run_start(): its intent ends without effect. reason: for the record */
void reeve_run_dismiss (ReeveRun *self, const GError *error);
/* reason: `cancelled`, `timeout` or `queue_timeout`. Any thread. */
void reeve_run_interrupt (ReeveRun *self, const char *reason);
/* The host stops: its effect under way is cut, and it stays journaled where it stands, for the next
 * start. done() is called with %REEVE_ERROR_UNAVAILABLE. Any thread. */
void reeve_run_leave (ReeveRun *self);

/* Any thread: sends what the journal holds behind @after, then events as they come, in @context;
 * @ended once at the end. Returns a number for unfollow. */
guint reeve_run_follow (ReeveRun *self, GMainContext *context, gint64 after,
                        ReeveRunEventFunc events, void (*ended) (gpointer user_data),
                        gpointer user_data, GDestroyNotify destroy);
void reeve_run_unfollow (ReeveRun *self, guint follower);

const char *reeve_run_get_id (ReeveRun *self);
const char *reeve_run_get_tenant_id (ReeveRun *self);
const char *reeve_run_get_agent_id (ReeveRun *self); /* nullable: the built-in assistant */
const char *reeve_run_get_user_id (ReeveRun *self);  /* who asked */

G_END_DECLS
