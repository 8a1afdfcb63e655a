/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveHostTime: what the host itself uses of the processors for one runner: reading what that
 * asks, looking at it, performing it. It is part of what the runner may use (ReeveThrottle), which
 * also says here when that is used up: nothing is read from it then. Any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ReeveHostTime ReeveHostTime;

ReeveHostTime *reeve_host_time_new (void) G_GNUC_WARN_UNUSED_RESULT;
ReeveHostTime *reeve_host_time_ref (ReeveHostTime *self);
void reeve_host_time_unref (ReeveHostTime *self);
/* What this thread has used of a processor until now, in nanoseconds; waiting is nothing. */
gint64 reeve_host_time_begin (void);
/* Counts what this thread has used since @begun. Returns what it has used now. */
gint64 reeve_host_time_add (ReeveHostTime *self, gint64 begun);
/* All that was counted, in microseconds. */
gint64 reeve_host_time_get_used (ReeveHostTime *self);
/* The runner's share is used up, or is not any more. */
void reeve_host_time_set_held (ReeveHostTime *self, gboolean held);
gboolean reeve_host_time_is_held (ReeveHostTime *self);
/* Since when it may go on, monotonic; 0: always; %G_MAXINT64: it may not now. */
gint64 reeve_host_time_get_free_since (ReeveHostTime *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveHostTime, reeve_host_time_unref)

G_END_DECLS
