/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Intents that a host which has ended left without an outcome. */
#pragma once

#include "admission.h"

G_BEGIN_DECLS

typedef struct _ReeveAdmissionOrphans ReeveAdmissionOrphans;

ReeveAdmissionOrphans *reeve_admission_orphans_new (ReeveLedger *ledger);
void reeve_admission_orphans_free (ReeveAdmissionOrphans *self);
JsonObject *reeve_admission_orphans_take (ReeveAdmissionOrphans *self, const char *scope,
                                          const char *operation, guint64 intent, GError **error);
gboolean reeve_admission_orphans_settle (ReeveAdmissionOrphans *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveAdmissionOrphans, reeve_admission_orphans_free)

G_END_DECLS
