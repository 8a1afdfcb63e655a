/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRuns: starts, follows, cancels and recovers runs. A run is a fold over its journal. */
#pragma once

#include <reeve-plugin-1.h>

#include "agents.h"
#include "governance/admission.h"

G_BEGIN_DECLS

#define REEVE_TYPE_RUNS (reeve_runs_get_type ())
G_DECLARE_FINAL_TYPE (ReeveRuns, reeve_runs, REEVE, RUNS, GObject)

/* name: run.started, step.started, thought.delta, message.delta, tool.call, tool.result,
 * approval.required, run.completed, run.failed; data has run_id and a strictly increasing sequence.
 * Called in the context that started the run. */
typedef void (*ReeveRunEventFunc) (const char *name, JsonObject *data, gpointer user_data);

typedef struct
{
  const char *operation; /* agents.execute or chat.create: what was admitted */
  const char *run_id;    /* nullable: a new one */
  const char *agent_id;  /* nullable: the built-in assistant */
  const char *mission;
  JsonObject *context;         /* nullable */
  const char *session_id;      /* nullable: a new one */
  const char *conversation_id; /* nullable: history of that conversation goes before the mission */
  gboolean new_conversation;   /* conversation_id is a fresh one; else it must exist */
  gint max_iterations;         /* 0: the agent's */
  gboolean stream;             /* ask models for pieces as they come */
  const char *trace_id;
  const char *request_id;  /* (nullable): for the log */
  const char *traceparent; /* (nullable): what the run stands below */
  const char *tracestate;  /* (nullable) */
  const char *door;
} ReeveRunRequest;

struct _ReeveRunEnvironment;

/* Made on the main thread: what is recovered goes on in its context. */
ReeveRuns *reeve_runs_new (const struct _ReeveRunEnvironment *environment, ReeveAgents *agents);

/* Takes over @admitted (operation "agents.execute" or "chat.create"; transfer full): consumes and
 * settles it. Ends in the caller's thread-default context when the run has ended. events may be
 * NULL. The run goes on if the caller goes away; end it by reeve_runs_cancel(). */
void reeve_runs_execute_async (ReeveRuns *self, ReeveAdmitted *admitted,
                               const ReeveRunRequest *request, ReeveRunEventFunc events,
                               gpointer events_data, GDestroyNotify events_destroy,
                               GAsyncReadyCallback callback, gpointer user_data);
/* (transfer full) the answer as interfaces say: {run_id, session_id, status, success, answer,
 * citations[], tool_calls[], steps, usage{}, duration_ms, audit{tenant_log, first, last}, error?}.
 * An error only when the run did not start. */
JsonObject *reeve_runs_execute_finish (ReeveRuns *self, GAsyncResult *result, GError **error);
/* Is there a place in the agent's queue, for a run that has not come yet? Any thread, no I/O. */
gboolean reeve_runs_has_place (ReeveRuns *self, ReeveCaller *caller, const char *agent_id);
/* There was none: %REEVE_ERROR_RATE_LIMITED. */
void reeve_runs_refuse_place (ReeveRuns *self, ReeveCaller *caller, const char *agent_id,
                              gboolean *first, GError **error);
/* Has the caller run it, so that it is there? Any thread, no I/O. user_id: (out) (transfer full)
 * (nullable): whom its record has it act for. */
gboolean reeve_runs_knows (ReeveRuns *self, ReeveCaller *caller, const char *agent_id,
                           char **user_id);
/* FALSE: it is not there for the caller, and no run of it would begin. Blocks. */
gboolean reeve_runs_has_agent (ReeveRuns *self, ReeveCaller *caller, const char *agent_id,
                               char **user_id);
/* An agent was changed or deleted: all are looked up anew. */
void reeve_runs_forget_known (ReeveRuns *self);
/* How a run of @user_id (nullable: of somebody who has none waiting) would fare that came now:
 * {max_concurrent_runs, running, waiting, place, queue_length, max_concurrent_sessions, sessions}.
 * *refused is set to what it would be refused with. Blocks. */
JsonObject *reeve_runs_look (ReeveRuns *self, const char *tenant_id, const char *agent_id,
                             const char *user_id, GError **refused);
/* Sends every event after a sequence number, from the journal and then as they happen; ends when
 * the run has ended. */
void reeve_runs_follow_async (ReeveRuns *self, const char *tenant_id, const char *run_id,
                              gint64 after, ReeveRunEventFunc events, gpointer events_data,
                              GDestroyNotify events_destroy, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
gboolean reeve_runs_follow_finish (ReeveRuns *self, GAsyncResult *result, GError **error);

/* Worker threads from here on. */
JsonObject *reeve_runs_list (ReeveRuns *self, const char *tenant_id, const char *const *seen,
                             JsonObject *params, GError **error);
/* with `journal` */
JsonObject *reeve_runs_get (ReeveRuns *self, const char *tenant_id, const char *run_id,
                            GError **error);
/* Consumes @admitted ("runs.cancel", "runs.resume"). %REEVE_ERROR_CONFLICT in a state that forbids
 * it. */
JsonObject *reeve_runs_cancel (ReeveRuns *self, ReeveAdmitted *admitted, const char *run_id,
                               GError **error);
JsonObject *reeve_runs_resume (ReeveRuns *self, ReeveAdmitted *admitted, const char *run_id,
                               GError **error);
/* Ends all runs of a tenant and waits for a while. */
void reeve_runs_end_tenant (ReeveRuns *self, const char *tenant_id);
/* At start: resumes or ends every unfinished run of every tenant, truthfully. */
gboolean reeve_runs_recover (ReeveRuns *self, GError **error);
/* At the end, on the thread that made it, whose context is iterated: no new runs; those under way
 * may end until @timeout_us passed, the rest is cut (2 s more at most) and stays journaled where it
 * stands. */
void reeve_runs_stop (ReeveRuns *self, gint64 timeout_us);
/* A setting of the tenant or of an agent of its may have changed: whose turn has come goes. */
void reeve_runs_review (ReeveRuns *self, const char *tenant_id);
guint reeve_runs_get_active (ReeveRuns *self, const char *tenant_id);
/* How many of them wait for their turn. */
guint reeve_runs_get_waiting (ReeveRuns *self, const char *tenant_id);

G_END_DECLS
