/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveAdmissionSent: what is sent while it is made, of which nothing is known when its read is
 * recorded. Not thread-safe. */
#pragma once

#include "admission-keep.h"
#include "admission.h"

G_BEGIN_DECLS

typedef struct _ReeveAdmissionSent ReeveAdmissionSent;

/* @read: number of the record of the read; (transfer full) */
ReeveAdmissionSent *reeve_admission_begin_sent (ReeveAdmission *gate,
                                                const ReeveAdmissionRequest *request, guint64 read);
/* The same, for the gate: @keep is a part of it. */
ReeveAdmissionSent *reeve_admission_sent_new (ReeveAdmission *gate, const ReeveAdmissionKeep *keep,
                                              const ReeveAdmissionRequest *request, guint64 read);
void reeve_admission_sent_add (ReeveAdmissionSent *self, gconstpointer data, gsize length);
/* (transfer full) self; @error: (nullable): why it ended before it was whole. Nobody waits. */
void reeve_admission_sent_end (ReeveAdmissionSent *self, const GError *error);

G_END_DECLS
