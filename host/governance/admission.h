/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one gate: nothing has an effect except with a ReeveAdmitted, and only admission-begin.c makes
 * one.
 */
#pragma once

#include "base/tracer.h"
#include "base/workers.h"
#include "caller.h"
#include "ledger.h"
#include "policy-adviser.h"

G_BEGIN_DECLS

#define REEVE_TYPE_ADMISSION (reeve_admission_get_type ())
G_DECLARE_FINAL_TYPE (ReeveAdmission, reeve_admission, REEVE, ADMISSION, GObject)

/* The right to one effect: names operation, argument digest and intent. The structure is in
 * admission-private.h. */
typedef struct _ReeveAdmitted ReeveAdmitted;
typedef struct _ReeveBudgets ReeveBudgets;
typedef struct _ReeveKeptValues ReeveKeptValues;

/* While the intent waits for its sync, on the caller's thread: time to prepare what is to be done.
 * Nothing may leave, for the intent may still fail. @granted: as reeve_admitted_get_granted() will
 * tell. Not called where the thread has other work that the ledger waits for. */
typedef void (*ReeveAdmissionMeanwhile) (gint64 granted, gpointer user_data);

/* What is to be done, by whom. Strings are copied. */
typedef struct
{
  ReeveCaller *caller;
  const char *operation;  /* agents.execute, model.call, tool.call, … */
  const char *permission; /* needed of the caller; NULL: none beyond authentication */
  const char *resource_type;
  const char *resource_id;
  const char *resource_told; /* (nullable): stands for resource_id in records */
  gboolean narrowed;         /* of a list: only what lies where the caller holds the permission */
  const char *agent_id;
  const char *delegated_user_id; /* on whose behalf the agent acts; NULL: the caller's own */
  const char *delegated_told; /* (nullable): begins_run: who stands there in records, and no more */
  const char *run_id;
  gboolean begins_run;            /* a run of that name is begun by it: there is none, if refused */
  const char *tool_name;          /* tool.call: the tool policy decides */
  const char *tool_told;          /* (nullable): stands for tool_name in records */
  gboolean tool_reads;            /* tool.call: the tool says that it only reads */
  const char *const *agent_tools; /* tool.call: tools of the agent's definition */
  JsonObject *tool_arguments;     /* tool.call: with what; not kept */
  gboolean tool_known;            /* tool.call: the tool exists and says of itself: */
  ReeveToolHints tool_hints;
  const char *sandbox_level;       /* tool.call: of the agent's definition */
  gint64 estimated_tokens;         /* tool.call, model.call: of the execution, this call included */
  gboolean confirming;             /* set by the gate: rates are not counted, nobody is asked */
  const ReevePolicyAdvice *advice; /* set by the gate, tool.call: (nullable): of the adviser */
  gint64 reserve_input;            /* model.call under budgets: tokens, an upper estimate */
  gint64 reserve_output;           /* the same: how long the answer may be; 0: there is none */
  const char *report_what;         /* usage.report: (nullable): what it tells besides; static */
  const char *report_model;        /* the same: (nullable): of which model */
  const char *report_session;      /* the same: (nullable): the session that it was used in */
  const char *report_department;   /* the same: (nullable): whom it is charged to */
  const char *report_cost_center;  /* the same */
  const char *report_project;      /* the same */
  gint64 report_amount;            /* the same: how many of it */
  gint64 report_cost;              /* the same: 10^-9 units */
  const char *report_currency;     /* the same: (nullable): no cost is told; interned */
  guint refills;                   /* set by the gate: how often the platform was asked for more */
  const char *workspace_id;
  const char *model;
  const char *model_told; /* (nullable): stands for model in records */
  const char *input_digest;
  const char *output_digest; /* (nullable): of a read: what is answered */
  const char *reason;        /* (nullable): of a read: what it is besides; static */
  JsonNode *state;           /* (nullable): what it changes, as it was before */
  JsonNode *body;            /* (nullable), where bodies are kept; else those of the tool */
  gboolean secret; /* its arguments are no one else's to guess: nor is what an error says of them */
  guint64 parent;  /* intent of the enclosing effect */
  const char *plugin_id; /* (nullable): the plugin that asks for it, in the effect of @parent */
  const char *trace_id;
  const ReeveTrace *trace;           /* (nullable): where who asks stands; not kept */
  ReeveSpan *span;                   /* set by the gate: (nullable): of the question */
  const char *door;                  /* of a caller that is not known */
  const char *peer_address;          /* (nullable): the same */
  ReeveAdmissionMeanwhile meanwhile; /* (nullable): not of reeve_admission_begin() */
  gpointer meanwhile_data;           /* lives until the answer comes */
} ReeveAdmissionRequest;

/* How it ended. */
typedef struct
{
  ReeveOutcome outcome;
  const char *reason;
  const char *output_digest; /* (nullable): %NULL: of @error, or of nothing */
  const GError *error;       /* (nullable): what is told in the place of an answer */
  JsonNode *state;           /* (nullable): what was changed, as it is now */
  JsonNode *body;            /* (nullable): the result, where bodies are kept */
  const char *resource_id; /* (nullable): what was made, of the request's type, if it named none */
  gint64 input_tokens;
  gint64 output_tokens;
  gint64 bytes_sent;             /* of a connection */
  gint64 bytes_received;         /* the same */
  gboolean estimated;            /* the service did not count, the host did */
  gint64 steps;                  /* of an execution: model calls that it took */
  gint64 waited_us;              /* of it: for its turn, which is no part of the effect */
  const char *delegated_user_id; /* (nullable): known only now; else as it was admitted */
  gboolean may_wait; /* nothing rests on its outcome: the next sync of the log will do */
} ReeveSettlement;

/* The order of the gate. An effect goes through all of them, one after the other. */
typedef enum
{
  REEVE_STAGE_AUTHORISE,    /* permission, tool policy */
  REEVE_STAGE_RESERVE,      /* budgets */
  REEVE_STAGE_GUARD_INPUT,  /* guards look at what goes in */
  REEVE_STAGE_APPROVE,      /* a human where a rule says so */
  REEVE_STAGE_INTENT,       /* durable in the ledger */
  REEVE_STAGE_EFFECT,       /* the caller's: it consumes the ReeveAdmitted */
  REEVE_STAGE_GUARD_OUTPUT, /* guards look at what came out */
  REEVE_STAGE_SETTLE,       /* budgets */
  REEVE_STAGE_OUTCOME       /* in the ledger */
} ReeveAdmissionStage;

/* One more check of a stage; settlement is NULL before the effect. Does not block; any thread. */
typedef gboolean (*ReeveAdmissionCheck) (const ReeveAdmissionRequest *request,
                                         const ReeveSettlement *settlement, gpointer user_data,
                                         GError **error);

ReeveAdmission *reeve_admission_new (ReeveLedger *ledger);
/* Before the first request: what counts refusals and outcomes; outlives the gate. */
void reeve_admission_set_instruments (ReeveAdmission *self, ReeveInstruments *instruments);
/* Before the first request; for every stage but intent, effect and outcome. */
void reeve_admission_add_check (ReeveAdmission *self, ReeveAdmissionStage stage,
                                ReeveAdmissionCheck check, gpointer user_data);
/* The same; what it refuses is recorded with @reason (static), a word of its own. */
void reeve_admission_add_named_check (ReeveAdmission *self, ReeveAdmissionStage stage,
                                      const char *reason, ReeveAdmissionCheck check,
                                      gpointer user_data);
/* Does something give the caller the permission that it lacks, for this request alone? Does not
 * block; any thread. */
typedef gboolean (*ReeveAdmissionGrant) (const ReeveAdmissionRequest *request, gpointer user_data);
/* Before the first request. */
void reeve_admission_set_grant (ReeveAdmission *self, ReeveAdmissionGrant grant,
                                gpointer user_data);
/* Before the first request: decides about tool calls, and about the tokens of model calls; without
 * one every tool is denied. */
void reeve_admission_set_tool_check (ReeveAdmission *self, ReeveAdmissionCheck check,
                                     gpointer user_data);

/* Before the first request: what reserves and settles; without it nothing is bounded. */
void reeve_admission_set_budgets (ReeveAdmission *self, ReeveBudgets *budgets);
/* Before the first request: where bodies and addresses are kept, on @workers. */
void reeve_admission_set_kept_values (ReeveAdmission *self, ReeveKeptValues *values,
                                      ReeveWorkers *workers);
/* Records have ids and no texts that callers chose: (transfer full) what stands for one. Any
 * thread. */
char *reeve_admission_name_told (ReeveAdmission *self, const char *text) G_GNUC_WARN_UNUSED_RESULT;
/* The same for a name that somebody made up: how long it was, besides. */
char *reeve_admission_name_unknown (ReeveAdmission *self,
                                    const char *text) G_GNUC_WARN_UNUSED_RESULT;
/* How many bytes at the front of a model's name are known here: all of them, those of its provider
 * with the slash, or none. Any thread; does not block. */
typedef gsize (*ReeveAdmissionKnown) (const char *model, gpointer user_data);
/* Before the first request: what of models is known by name; without it every text that can be a
 * name is. */
void reeve_admission_set_known_models (ReeveAdmission *self, ReeveAdmissionKnown known,
                                       gpointer user_data);
/* The same for a model; (nullable): it may stand as it is. */
char *reeve_admission_name_model (ReeveAdmission *self,
                                  const char *model) G_GNUC_WARN_UNUSED_RESULT;
/* The same for a model that somebody reports of, which no service here has to know. */
char *reeve_admission_name_report (ReeveAdmission *self,
                                   const char *model) G_GNUC_WARN_UNUSED_RESULT;
/* Are requests and settlements to say what is asked and answered? Any thread. */
gboolean reeve_admission_keeps_bodies (ReeveAdmission *self);
/* Must model calls of this tenant say what they may take? Any thread, no I/O. */
/* Do the budgets of who asks, of agent and workspace (nullable) leave enough for a run of this
 * model (nullable: it is not known) to begin? %REEVE_ERROR_BUDGET_EXCEEDED */
gboolean reeve_admission_can_begin_run (ReeveAdmission *self, ReeveCaller *caller,
                                        const char *agent_id, const char *workspace_id,
                                        const char *model, GError **error);
gboolean reeve_admission_has_budgets (ReeveAdmission *self, const char *tenant_id);
/* What an adviser is asked about a request; NULL: he is not asked, which the tool check refuses. */
typedef GBytes *(*ReeveAdmissionQuestion) (const ReeveAdmissionRequest *request,
                                           gpointer user_data);
/* Before the first request: who is asked about calls of tools that the checks let through, before
 * they are asked for good. */
void reeve_admission_set_adviser (ReeveAdmission *self, ReevePolicyAdviser *adviser,
                                  ReeveAdmissionQuestion question, gpointer user_data);

/* Before the first request: (nullable): records what is asked, and what became of it. */
void reeve_admission_set_tracer (ReeveAdmission *self, ReeveTracer *tracer);

/* Runs the stages and records the intent durably. Refused: %REEVE_ERROR_PERMISSION_DENIED and so
 * on, and a record of the refusal. The callback comes in the caller's thread-default context. */
void reeve_admission_begin_async (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                                  GAsyncReadyCallback callback, gpointer user_data);
ReeveAdmitted *reeve_admission_begin_finish (ReeveAdmission *self, GAsyncResult *result,
                                             GError **error);
/* The same, blocking; worker threads. */
ReeveAdmitted *reeve_admission_begin (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                                      GError **error);

/* At the point of effect: aborts the process on a second use or another operation. */
void reeve_admitted_consume (ReeveAdmitted *self, const char *operation);
/* The same where the function knows more of what it does: aborts on another tool, model or
 * resource (@name) and on other arguments than were admitted. Both are nullable. The first only
 * compares. */
void reeve_admitted_expect (ReeveAdmitted *self, const char *operation, const char *name,
                            JsonObject *arguments);
void reeve_admitted_consume_exactly (ReeveAdmitted *self, const char *operation, const char *name,
                                     JsonObject *arguments);
/* Just before an effect that had to wait for its turn: authorises again, by what holds now. FALSE:
 * it may no more, and nothing is consumed. Any thread; does not block. */
gboolean reeve_admitted_confirm (ReeveAdmitted *self, JsonObject *tool_arguments, GError **error);
/* A stored answer is to be given again: may the caller still ask for it? Nothing is recorded and no
 * rate is counted. Any thread; does not block. */
gboolean reeve_admission_allows_again (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                                       GError **error);
gboolean reeve_admitted_is_consumed (ReeveAdmitted *self);
/* How an effect ended, by its error (nullable): one that was cut off after it left may have
 * happened. */
ReeveOutcome reeve_admitted_judge (ReeveAdmitted *self, const GError *error);
guint64 reeve_admitted_get_intent (ReeveAdmitted *self);
/* model.call: how many tokens the answer may have; 0: no budget bounds it. */
gint64 reeve_admitted_get_granted (ReeveAdmitted *self);
ReeveCaller *reeve_admitted_get_caller (ReeveAdmitted *self);
/* The host stops and its effect goes on after the next start: (transfer full) self. The intent
 * stays open in the ledger, for reeve_admission_resume(). */
void reeve_admitted_leave (ReeveAdmitted *self);

/* Ends it: writes the outcome record. (transfer full) admitted. callback may be NULL: then nobody
 * waits for the disk. */
void reeve_admission_settle_async (ReeveAdmission *self, ReeveAdmitted *admitted,
                                   const ReeveSettlement *settlement, GAsyncReadyCallback callback,
                                   gpointer user_data);
/* Sequence number of the outcome, 0 on error. */
guint64 reeve_admission_settle_finish (ReeveAdmission *self, GAsyncResult *result, GError **error);

/* Recovery at start only: takes up an intent that the ledger holds open, for an effect that was
 * consumed before the host ended and whose run goes on. NULL with %REEVE_ERROR_CONFLICT when the
 * intent is not open. Blocks. */
ReeveAdmitted *reeve_admission_resume (ReeveAdmission *self, ReeveCaller *caller,
                                       const char *operation, guint64 intent, GError **error);
/* After every room resumed what it could: records the outcome `unknown` for all other open intents.
 * Blocks. */
gboolean reeve_admission_recover (ReeveAdmission *self, GError **error);

/* Class read: authorises and writes one record; the answer goes out after it is durable. */
void reeve_admission_read_async (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                                 GAsyncReadyCallback callback, gpointer user_data);
/* Its sequence number, 0 on error. */
guint64 reeve_admission_read_finish (ReeveAdmission *self, GAsyncResult *result, GError **error);

/* Records a refusal that was decided elsewhere (bad credentials, unknown identifier, bad body);
 * nobody waits. request->caller may be NULL: then it goes to the platform's log, and what one
 * address does again and again is counted there. */
void reeve_admission_refuse (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                             const GError *reason);
/* Before the ledger is closed: records what was only counted. */
void reeve_admission_flush_refusals (ReeveAdmission *self);

G_END_DECLS
