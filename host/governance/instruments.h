/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveInstruments: the families of metrics that are counted where things happen. Any thread; no
 * lock and no allocation for what was counted before. Every function takes NULL for self: then
 * nothing is counted. */
#pragma once

#include "base/metrics.h"

#include "ledger.h"
#include "service-levels.h"

G_BEGIN_DECLS

typedef struct _ReeveInstruments ReeveInstruments;

/* One answer of the HTTP door. */
typedef struct
{
  const char *endpoint; /* pattern of the route; NULL: there is none */
  const char *method;
  guint status;
  const char *tenant_id; /* (nullable): nobody was let in */
  gint64 duration_us;
  gboolean probe; /* of the host itself: is not part of service levels */
} ReeveInstrumentsRequest;

/* tenants: how many are told apart. (transfer full) */
ReeveInstruments *reeve_instruments_new (ReeveMetrics *metrics,
                                         guint tenants) G_GNUC_WARN_UNUSED_RESULT;
void reeve_instruments_free (ReeveInstruments *self);
ReeveMetrics *reeve_instruments_get_metrics (ReeveInstruments *self);
ReeveServiceLevels *reeve_instruments_get_levels (ReeveInstruments *self);

void reeve_instruments_note_request (ReeveInstruments *self,
                                     const ReeveInstrumentsRequest *request);
/* Somebody was let in, and how. */
void reeve_instruments_note_entry (ReeveInstruments *self, const char *method,
                                   const char *tenant_id);
/* Credentials were shown and were not good. */
void reeve_instruments_note_failed_login (ReeveInstruments *self, const char *scheme);
/* The gate refused. stage: its word; tenant_id: (nullable) */
void reeve_instruments_note_refusal (ReeveInstruments *self, const char *stage, const char *reason,
                                     const char *tenant_id, const GError *error);
/* An effect has ended; steps: of an execution, else 0. */
void reeve_instruments_note_outcome (ReeveInstruments *self, const ReeveLedgerRecord *record,
                                     gint64 steps);
/* The ledger: a record is durable; a batch was synced. */
void reeve_instruments_note_record (ReeveInstruments *self, ReeveLedgerKind kind, const char *scope,
                                    gsize bytes);
void reeve_instruments_note_sync (ReeveInstruments *self, gint64 duration_us, guint records);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveInstruments, reeve_instruments_free)

G_END_DECLS
