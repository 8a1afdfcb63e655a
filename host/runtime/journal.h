/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveJournal: the entries of one run in order, and what they add up to. Pure: it knows no store,
 * clock, model or socket. */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Entry types, member "type" of each entry, and what else it has:
 * started: what is to be done, by which definition, for whom; queued: it waits for its turn
 * begun: its turn has come
 * model.intent: step, intent: the request is about to leave
 * model.outcome: step, outcome, content, thought, tool_calls, usage, error; fallback: {model,
 *   intent}: it failed, and this model is asked in its place, below that intent
 * tool.intent: call_id, name, arguments, intent
 * tool.outcome: call_id, name, outcome, text, data, is_error, error
 * tool.refused: call_id, name, text: no effect was tried; the model is told why
 * given_up: step, or call_id and name: the host stopped while this effect was under way, let go of
 *   it before any of its answer was used, and it does no harm when it is tried again
 * interrupted: reason cancelled, timeout or queue_timeout: somebody, or the clock, ends the run
 * ended: status, answer, citations, error */
#define REEVE_JOURNAL_STARTED       "started"
#define REEVE_JOURNAL_BEGUN         "begun"
#define REEVE_JOURNAL_MODEL_INTENT  "model.intent"
#define REEVE_JOURNAL_MODEL_OUTCOME "model.outcome"
#define REEVE_JOURNAL_TOOL_INTENT   "tool.intent"
#define REEVE_JOURNAL_TOOL_OUTCOME  "tool.outcome"
#define REEVE_JOURNAL_TOOL_REFUSED  "tool.refused"
#define REEVE_JOURNAL_GIVEN_UP      "given_up"
#define REEVE_JOURNAL_INTERRUPTED   "interrupted"
#define REEVE_JOURNAL_ENDED         "ended"

typedef struct _ReeveJournal ReeveJournal;

/* A tool call the model asked for, and what became of it. */
typedef struct
{
  const char *call_id;
  const char *name;
  const char *arguments; /* JSON text as the model wrote it */
  gboolean attempted;    /* an intent stands in the journal */
  JsonObject *result;    /* tool.outcome or tool.refused entry; NULL while open */
} ReeveJournalCall;

ReeveJournal *reeve_journal_new (void);
void reeve_journal_free (ReeveJournal *self);
/* Adds an entry (sealed from then on). FALSE when it cannot stand here: unknown type, an outcome
 * without intent, anything after the end: the journal is then not what this host wrote. */
gboolean reeve_journal_add (ReeveJournal *self, JsonObject *entry, GError **error);
guint reeve_journal_get_length (ReeveJournal *self);
JsonObject *reeve_journal_get_entry (ReeveJournal *self, guint position);

JsonObject *reeve_journal_get_started (ReeveJournal *self);      /* nullable */
JsonObject *reeve_journal_get_ended (ReeveJournal *self);        /* nullable */
const char *reeve_journal_get_interruption (ReeveJournal *self); /* nullable */
gboolean reeve_journal_is_queued (ReeveJournal *self);           /* waits for its turn */
/* model calls that were tried */
guint reeve_journal_get_steps (ReeveJournal *self);
gboolean reeve_journal_is_model_open (ReeveJournal *self);        /* an intent without outcome */
JsonObject *reeve_journal_get_model_outcome (ReeveJournal *self); /* the last one; nullable */
/* The last one failed, and another model is asked in its place: {model, intent}; nullable */
JsonObject *reeve_journal_get_fallback (ReeveJournal *self);
/* (element-type ReeveJournalCall): calls of the last model answer, in its order */
GPtrArray *reeve_journal_get_calls (ReeveJournal *self);
gint64 reeve_journal_get_input_tokens (ReeveJournal *self);
/* What counts for the limit of tokens: those, and what was under way when a call ended. */
gint64 reeve_journal_get_bound_tokens (ReeveJournal *self);
gint64 reeve_journal_get_output_tokens (ReeveJournal *self);
gboolean reeve_journal_is_usage_estimated (ReeveJournal *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveJournal, reeve_journal_free)

G_END_DECLS
