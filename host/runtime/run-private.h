/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that make up ReeveRun share: run.c (loop and journal), run-model.c and run-tool.c
 * (effects), run-answer.c (the end), run-turn.c (its turn), run-followers.c (readers of its
 * events).
 */
#pragma once

#include "base/log.h"
#include "base/tracer.h"
#include "decide.h"
#include "run-followers.h"
#include "run.h"

G_BEGIN_DECLS

struct _ReeveRun
{
  GObject parent_instance;

  ReeveRunEnvironment env;
  ReeveCaller *caller;
  ReeveAdmitted *admitted; /* of the run as a whole */
  guint64 intent;          /* its sequence number; 0 when unknown */
  char *run_id;
  char *stream;
  char **workspaces; /* whose things its tools see */
  JsonObject *record;
  ReeveAgentHold *hold; /* nullable: no agent */
  ReeveJournal *journal;
  ReeveCitations *citations;
  ReeveRunFollowers *followers;
  ReeveLogContext *log; /* (nullable) until it has begun */
  ReeveSpan *span;      /* (nullable): where it is recorded */
  gboolean traced;      /* it stands in somebody's trace */
  ReeveTrace trace;     /* what its effects stand below */
  char traceparent[REEVE_TRACE_LENGTH + 1];
  GMainContext *context;
  GCancellable *cancellable; /* of the effect under way */
  GSource *timer;
  gint64 deadline;   /* monotonic */
  gint64 live_entry; /* entry with the intent of the answer under way; 0 for none */
  gint64 live_sent;  /* sequence of its last event */
  GString *live_thought;
  GString *live_shown;
  gpointer effect;          /* about to leave, while its intent is appended */
  GDestroyNotify drop;      /* ends @effect where that fails: it never left */
  gint64 entered;           /* monotonic: by this host */
  gint64 began;             /* monotonic: its turn, where it had to wait for it */
  gint64 waited;            /* µs: for that, with this host */
  const char *interruption; /* asked for, not in the journal yet */
  gboolean leaving;         /* the host stops: no further step */
  gboolean ended;
  gboolean aborting; /* its end is being written after its journal failed */
  gboolean waiting;  /* for its turn */
  gboolean parked;   /* nothing is under way until somebody wakes it */
  gboolean restated; /* its record is another one: it goes with the next entry */
  ReeveRunDone done;
  gpointer done_data;
};

typedef void (*ReeveRunNext) (ReeveRun *self);

/* µs: how long it has gone, and how long it has waited for its turn */
gint64 reeve_run_get_duration (ReeveRun *self);
gint64 reeve_run_get_waited (ReeveRun *self);
/* It was begun by an earlier host. */
void reeve_run_recall_turn (ReeveRun *self);
/* Appends entries (transfer full, NULL-terminated) durably and at once, then calls @next; a failure
 * ends the run in memory and leaves the journal as it is. */
void reeve_run_append (ReeveRun *self, JsonObject *const *entries, ReeveRunNext next);
void reeve_run_advance (ReeveRun *self);
/* Its journal failed: ends it as unknown, as durably as can be. */
void reeve_run_abort (ReeveRun *self, const GError *error);
JsonObject *reeve_run_new_entry (const char *type);
/* Fills in what each effect of this run has in common. */
void reeve_run_describe (ReeveRun *self, ReeveAdmissionRequest *request);
void reeve_run_describe_context (ReeveRun *self, ReeveContextInfo *info);
/* failed or unknown */
const char *reeve_run_classify (ReeveAdmitted *admitted, const GError *error);
/* Did it end because the host stops, and not by itself? */
gboolean reeve_run_is_cut (ReeveRun *self, const GError *error);
JsonObject *reeve_run_describe_error (const char *code, const char *message);
/* The journal and the followers take up an entry that is durable. */
gboolean reeve_run_take (ReeveRun *self, JsonObject *entry, GError **error);
void reeve_run_live_clear (ReeveRun *self);
void reeve_run_send_live (ReeveRun *self, const char *name, const char *text);

/* Its span and its log: @started is its first entry. */
void reeve_run_trace_open (ReeveRun *self, JsonObject *started);
void reeve_run_trace_close (ReeveRun *self, JsonObject *result, const GError *error);
void reeve_run_trace_describe (ReeveRun *self, ReeveContextInfo *info);
/* (transfer full) (nullable) */
ReeveSpan *reeve_run_trace_open_tool (ReeveRun *self, const char *name, const char *call_id);

/* Its time runs from now on. */
void reeve_run_arm (ReeveRun *self, JsonObject *started);
/* The time that it may wait. */
void reeve_run_arm_turn (ReeveRun *self);
void reeve_run_take_turn (ReeveRun *self);
/* In its context: something has come from outside. */
void reeve_run_wake (ReeveRun *self);

void reeve_run_model_call (ReeveRun *self, guint step);
void reeve_run_tool_call (ReeveRun *self, const ReeveJournalCall *call);
void reeve_run_answer_finish (ReeveRun *self, const ReeveDecision *decision);
/* Ends the run in memory: tells followers and the one who started it. */
void reeve_run_complete (ReeveRun *self, JsonObject *result);

G_END_DECLS
