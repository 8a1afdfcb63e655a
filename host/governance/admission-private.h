/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gate in itself: for its own files alone, which tests/governance/test_admission_symbols.py
 * names. A right is made in admission-begin.c and nowhere else; the others read one, or end it. */
#pragma once

#include "admission-keep.h"
#include "admission-orphans.h"
#include "admission-refusals.h"
#include "admission.h"
#include "budgets.h"
#include "instruments.h"

G_BEGIN_DECLS

/* A stage of the gate; what a host has no checks for passes. */
typedef struct
{
  ReeveAdmissionStage stage;
  const char *word; /* label of metrics */
  const char *name;
  gboolean (*check) (ReeveAdmission *self, const ReeveAdmissionRequest *request, GError **error);
} ReeveAdmissionRow;

typedef struct
{
  ReeveAdmissionStage stage;
  const char *reason; /* (nullable): else that of the error */
  ReeveAdmissionCheck check;
  gpointer user_data;
} ReeveAdmissionAdded;

/* Who refused, and by which word. */
typedef struct
{
  ReeveAdmissionStage stage;
  const char *reason; /* (nullable): the check has none of its own, and the error's is taken */
} ReeveAdmissionRefused;

struct _ReeveAdmission
{
  GObject parent_instance;

  ReeveLedger *ledger;
  ReeveAdmissionCheck tool_check;
  gpointer tool_check_data;
  ReeveAdmissionGrant grant; /* (nullable) */
  gpointer grant_data;
  ReeveBudgets *budgets;       /* (nullable) */
  ReevePolicyAdviser *adviser; /* (nullable) */
  ReeveAdmissionQuestion question;
  gpointer question_data;
  GArray *added;
  ReeveTracer *tracer;     /* (nullable) */
  ReeveAdmissionKeep keep; /* its ledger is that of the gate */
  ReeveAdmissionOrphans *orphans;
  ReeveAdmissionRefusals *refusals;
  ReevePseudonyms pseudonyms;
  ReeveAdmissionKnown known; /* (nullable): of models */
  gpointer known_data;
  ReeveInstruments *instruments; /* (nullable): not owned */
};

struct _ReeveAdmitted
{
  ReeveAdmission *gate;          /* not owned: it outlives all rights */
  ReeveAdmissionRequest request; /* strings lie in @strings */
  GStringChunk *strings;
  guint64 intent;
  gint64 started;                /* monotonic µs */
  ReeveReservation *reservation; /* (nullable): no budget bounds it */
  int consumed;
  const char *refused; /* (nullable): the word of what took it away before the effect */
};

/* admission.c */

gboolean reeve_admission_is_model (const char *model);

/* admission-stages.c */

extern const ReeveAdmissionRow reeve_admission_rows[]; /* by their stages */

/* @refused: filled in where it refuses. */
gboolean reeve_admission_run_row (ReeveAdmission *self, const ReeveAdmissionRow *row,
                                  const ReeveAdmissionRequest *request,
                                  const ReeveSettlement *settlement, ReeveAdmissionRefused *refused,
                                  GError **error);
/* Goes through the stages @from to before @to. */
gboolean reeve_admission_run_stages (ReeveAdmission *self, ReeveAdmissionStage from,
                                     ReeveAdmissionStage to, const ReeveAdmissionRequest *request,
                                     const ReeveSettlement *settlement,
                                     ReeveAdmissionRefused *refused, GError **error);
/* The word of the record. */
const char *reeve_admission_get_reason (const ReeveAdmissionRefused *refused, const GError *error);

/* admission-note.c */

/* What the record of @request leaves to be kept; TRUE: there is something that is not kept yet. */
gboolean reeve_admission_describe_kept (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                                        const ReeveLedgerRecord *record, ReeveAdmissionKept *kept);
/* The event in the own log of who acts elsewhere; what it is done with is told there alone. */
void reeve_admission_note_home (ReeveAdmission *self, const ReeveAdmissionRequest *request);
void reeve_admission_count_refusal (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                                    const char *stage, const char *reason, const GError *error);
/* A stage of the gate refused. */
void reeve_admission_note_refused (ReeveAdmission *self, const ReeveAdmissionRequest *request,
                                   const ReeveAdmissionRefused *refused, const GError *error);

/* admitted.c */

/* (transfer full) admitted. What is reserved still goes back: there is no intent. */
void reeve_admitted_free (ReeveAdmitted *admitted);

G_END_DECLS
