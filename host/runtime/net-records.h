/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveNetRecords: where connections of plugins are recorded, and which of a sink's were within the
 * last hour: what a sink sends are records, and one of each connection would be the next to send.
 * Any thread. */
#pragma once

#include "governance/admission.h"

G_BEGIN_DECLS

/* A sink's connections to one place have one record in so long. */
#define REEVE_NET_RECORDS_SPAN_US G_TIME_SPAN_HOUR
/* Places that one sink connects to in that time. */
#define REEVE_NET_RECORDS_PLACES 64

typedef struct _ReeveNetRecords ReeveNetRecords;

ReeveNetRecords *reeve_net_records_new (ReeveAdmission *admission) G_GNUC_WARN_UNUSED_RESULT;
void reeve_net_records_free (ReeveNetRecords *self);
/* (transfer none) */
ReeveAdmission *reeve_net_records_get_admission (ReeveNetRecords *self);
/* Is a record of @sink's connection to @what (capability and place) due at @now (µs, monotonic)?
 * FALSE with %REEVE_ERROR_RATE_LIMITED: it was at too many others */
gboolean reeve_net_records_check (ReeveNetRecords *self, const char *sink, const char *what,
                                  gint64 now, gboolean *due, GError **error);
/* It has been recorded at @now. */
void reeve_net_records_note (ReeveNetRecords *self, const char *sink, const char *what, gint64 now);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveNetRecords, reeve_net_records_free)

G_END_DECLS
