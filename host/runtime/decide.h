/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* decide (journal) -> next step: the whole of an agent's control flow, as a pure function. */
#pragma once

#include "journal.h"

G_BEGIN_DECLS

typedef enum
{
  REEVE_DECISION_CALL_MODEL, /* ask the model, without tools when final_step */
  REEVE_DECISION_CALL_TOOL,  /* make one call */
  REEVE_DECISION_FINISH,     /* write the end */
  REEVE_DECISION_WAIT,       /* for its turn */
  REEVE_DECISION_NOTHING     /* it has ended */
} ReeveDecisionKind;

typedef struct
{
  ReeveDecisionKind kind;
  guint step;                   /* model: its number, from 1 */
  const ReeveJournalCall *call; /* tool */
  /* finish */
  const char *status;     /* succeeded, failed, cancelled, unknown */
  const char *answer;     /* never NULL; borrowed from the journal */
  const char *error_code; /* NULL when it succeeded */
  char *error_message;    /* owned */
} ReeveDecision;

/* For a journal whose effects are all settled or lost: an open intent counts as unknown. */
void reeve_decide (ReeveJournal *journal, ReeveDecision *decision);
void reeve_decide_clear (ReeveDecision *decision);
/* (transfer full) the conversation for the next model call: system prompt, history, mission,
 * answers, tool results */
JsonArray *reeve_decide_messages (ReeveJournal *journal);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ReeveDecision, reeve_decide_clear)

G_END_DECLS
