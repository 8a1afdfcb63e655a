/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveHostTime: what the host itself uses of the processors for one runner: reading what that
 * asks, looking at it, performing it. It is part of what the runner may use (ReeveThrottle), which
 * also says here when that is used up: nothing is read from it then. Any thread. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

typedef struct _ReeveHostTime ReeveHostTime;

ReeveHostTime *reeve_host_time_new (void) G_GNUC_WARN_UNUSED_RESULT;
ReeveHostTime *reeve_host_time_ref (ReeveHostTime *self);
void reeve_host_time_unref (ReeveHostTime *self);
/* What this thread has used of a processor until now and was counted for nobody, in nanoseconds;
 * waiting is nothing. */
gint64 reeve_host_time_begin (void);
/* Counts what this thread has used since @begun, but for what was counted meanwhile, for whomever.
 * Returns from where to count on. */
gint64 reeve_host_time_add (ReeveHostTime *self, gint64 begun);
/* All that was counted, in microseconds. */
gint64 reeve_host_time_get_used (ReeveHostTime *self);
/* The runner's share is used up, or is not any more. */
void reeve_host_time_set_held (ReeveHostTime *self, gboolean held);
gboolean reeve_host_time_is_held (ReeveHostTime *self);
/* Since when it may go on, monotonic; 0: always; %G_MAXINT64: it may not now. */
gint64 reeve_host_time_get_free_since (ReeveHostTime *self);

/* What goes on for the call of @context on threads of nobody's, as its connections, is counted for
 * @self. */
void reeve_host_time_set_payer (ReeveContext *context, ReeveHostTime *self);
/* (transfer none) (nullable) */
ReeveHostTime *reeve_host_time_get_payer (ReeveContext *context);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveHostTime, reeve_host_time_unref)

G_END_DECLS
