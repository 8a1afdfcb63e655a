/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a record of the gate holds a salted digest of is kept before the record is written. */
#pragma once

#include "base/workers.h"

#include "kept-values.h"

G_BEGIN_DECLS

/* What is to be kept for one record. Zero before, and taken by what keeps it. */
typedef struct
{
  const char *scope;
  const char *caller;   /* whose address it is */
  const char *subject;  /* whom the body is about */
  char *text;           /* (nullable): what is kept of the body */
  char *digest;         /* (nullable): salted */
  char *beside;         /* (nullable): what is kept of a state, or of what was read */
  char *beside_digest;  /* (nullable): salted where that is kept */
  char *address;        /* (nullable): that is not kept yet */
  char *address_digest; /* (nullable): salted */
} ReeveAdmissionKept;

typedef struct
{
  ReeveLedger *ledger;
  ReeveKeptValues *values; /* (nullable): nothing is kept */
  ReeveWorkers *workers;
} ReeveAdmissionKeep;

/* On a worker, when the record is durable; or 0 and (transfer full) error. */
typedef void (*ReeveAdmissionKeepDone) (guint64 seq, GError *error, gpointer data);

gboolean reeve_admission_keep_has_bodies (const ReeveAdmissionKeep *self);
/* What @record, made of @request, leaves to be kept; its strings are borrowed from @request. Any
 * thread; no I/O. */
void reeve_admission_keep_describe (const ReeveAdmissionKeep *self,
                                    const ReeveAdmissionRequest *request, JsonNode *body,
                                    JsonNode *state, const ReeveLedgerRecord *record,
                                    ReeveAdmissionKept *kept);
/* Is there something that is not kept yet? If not, the record can be written at once. */
gboolean reeve_admission_keep_waits (const ReeveAdmissionKept *kept);
/* Takes the digests over into @record; they lie in @kept. What could not be kept is not named. */
void reeve_admission_keep_apply (const ReeveAdmissionKept *kept, ReeveLedgerRecord *record);
void reeve_admission_keep_clear (ReeveAdmissionKept *kept);
/* Blocks: keeps what waits. */
gboolean reeve_admission_keep_store (const ReeveAdmissionKeep *self, ReeveAdmissionKept *kept,
                                     GError **error);
/* Keeps what waits, then writes the record, on a worker. must: without the one there is not to be
 * the other; else the record is written all the same. Takes @kept. FALSE: @done is not called, and
 * @kept is as it was. @self outlives it. */
gboolean reeve_admission_keep_push (const ReeveAdmissionKeep *self, const ReeveLedgerRecord *record,
                                    ReeveAdmissionKept *kept, gboolean must,
                                    ReeveAdmissionKeepDone done, gpointer data, GError **error);

G_END_DECLS
