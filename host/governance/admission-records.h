/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the gate writes into the ledger. */
#pragma once

#include "admission.h"

G_BEGIN_DECLS

void reeve_admission_records_fill (const ReeveAdmissionRequest *request, ReeveLedgerKind kind,
                                   ReeveLedgerRecord *record);
void reeve_admission_records_delegate (ReeveLedgerRecord *record, const char *user_id);
void reeve_admission_records_label_report (const ReeveAdmissionRequest *request,
                                           ReeveLedgerRecord *record);
void reeve_admission_records_note_home (ReeveLedger *ledger, const ReeveAdmissionRequest *request);
const char *reeve_admission_records_reason (const GError *error);
const char *reeve_admission_records_code (const GError *error);
/* (transfer full): what is told of an error, as output digests are made of it. @detail (nullable)
 */
JsonNode *reeve_admission_records_error (const char *code, const char *detail);
char *reeve_admission_records_error_digest (const char *code,
                                            const char *detail) G_GNUC_WARN_UNUSED_RESULT;

char *reeve_admission_records_digest_node (JsonNode *node) G_GNUC_WARN_UNUSED_RESULT;
char *reeve_admission_records_digest (JsonObject *arguments) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
