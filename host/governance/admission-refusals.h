/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveAdmissionRefusals: who is refused again and again without being known gets one record an
 * interval, with a count. Any thread. */
#pragma once

#include "ledger.h"
#include "pseudonyms.h"

G_BEGIN_DECLS

typedef struct _ReeveAdmissionRefusals ReeveAdmissionRefusals;

/* @pseudonyms outlive it */
ReeveAdmissionRefusals *reeve_admission_refusals_new (ReeveLedger *ledger,
                                                      const ReevePseudonyms *pseudonyms);
void reeve_admission_refusals_free (ReeveAdmissionRefusals *self);
/* Records a refusal, at once or counted with others. address: (nullable): where it came from */
void reeve_admission_refusals_add (ReeveAdmissionRefusals *self, const ReeveLedgerRecord *record,
                                   const char *address);
/* Records what was counted so far. */
void reeve_admission_refusals_flush (ReeveAdmissionRefusals *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveAdmissionRefusals, reeve_admission_refusals_free)

G_END_DECLS
