/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveWitnesses: has the checkpoints of all logs cosigned by those who are configured, C2SP
 * tlog-witness. */
#pragma once

#include "governance/admission.h"

#include "http-trust.h"

G_BEGIN_DECLS

#define REEVE_WITNESSES_ACTION_ASK     "audit.witness" /* a witness is asked, from start to stop */
#define REEVE_WITNESSES_ACTION_FAILING "audit.witness_failing" /* it cosigns nothing now */
#define REEVE_WITNESSES_ACTION_RESUMED "audit.witness_resumed"
/* what it has cosigned is not what a log of ours goes on from: put back, or forked */
#define REEVE_WITNESSES_ACTION_CONFLICT "audit.witness_conflict"

#define REEVE_TYPE_WITNESSES (reeve_witnesses_get_type ())
G_DECLARE_FINAL_TYPE (ReeveWitnesses, reeve_witnesses, REEVE, WITNESSES, GObject)

typedef struct
{
  ReeveLedger *ledger;
  ReeveAdmission *admission;
  ReeveHttpTrust *trust;
  guint quorum; /* how many must have cosigned; 0: none must */
} ReeveWitnessesSetup;

/* Pairs of a witness and a log. */
typedef struct
{
  guint witnesses;
  guint conflicting;
  guint failing; /* or refusing */
} ReeveWitnessesTally;

ReeveWitnesses *reeve_witnesses_new (const ReeveWitnessesSetup *setup);
/* Before the start: one row of `audit.witnesses`. *member (out) (static): what is wrong in it. */
gboolean reeve_witnesses_add (ReeveWitnesses *self, JsonObject *row, const char **member,
                              GError **error);
/* After recovery. */
void reeve_witnesses_start (ReeveWitnesses *self);
/* Before the ledger goes; what is under way is cut off. */
void reeve_witnesses_stop (ReeveWitnesses *self);
/* (transfer full) how each stands with the log of @scope. Any thread. */
JsonArray *reeve_witnesses_show (ReeveWitnesses *self, const char *scope);
void reeve_witnesses_count (ReeveWitnesses *self, ReeveWitnessesTally *tally);

G_END_DECLS
