/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one spelling of a ReeveLedgerRecord as JSON. */
#pragma once

#include "ledger.h"

G_BEGIN_DECLS

/* longest string of a record and longest JSON text of one, in bytes */
#define REEVE_LEDGER_RECORD_MAX_STRING 1024
#define REEVE_LEDGER_RECORD_MAX_JSON   16384
/* largest integer that RFC 8785 can write exactly */
#define REEVE_LEDGER_RECORD_MAX_NUMBER G_GINT64_CONSTANT (9007199254740991)

gboolean reeve_ledger_record_format (const ReeveLedgerRecord *self, GString *json, gsize *seq_at,
                                     GError **error);
/* Its strings lie in @strings from now on. */
void reeve_ledger_record_keep (ReeveLedgerRecord *self, GStringChunk *strings);
gboolean reeve_ledger_record_parse (ReeveLedgerRecord *self, char *arena, const char *json,
                                    gsize length, GError **error);
/* An amount of money is in one of two members: a number, or where JSON has none, a text. */
gint64 reeve_ledger_record_get_amount (JsonObject *record, const char *member, const char *wide);
const char *reeve_ledger_record_kind_name (ReeveLedgerKind kind);
const char *reeve_ledger_record_outcome_name (ReeveOutcome outcome);

G_END_DECLS
