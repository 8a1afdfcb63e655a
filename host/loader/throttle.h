/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveThrottle: keeps processes from using more of the processors than they may, with what the
 * host uses for them: one that has used up what it may is stopped (SIGSTOP) for a while, as long as
 * it takes to have something again; and where all of them together have used up what they may,
 * those that use most. Any thread. */
#pragma once

#include "host-time.h"

G_BEGIN_DECLS

typedef struct _ReeveThrottle ReeveThrottle;

/* How much a process has saved up, in microseconds of a processor, and whether it is stopped. */
typedef struct
{
  guint32 percent; /* of a processor */
  gint64 saved;
  gint64 looked; /* monotonic */
  gint64 used;   /* at that moment, since its start */
  gboolean stopped;
} ReeveThrottleRation;

void reeve_throttle_ration_init (ReeveThrottleRation *self, guint32 percent, gint64 now,
                                 gint64 used);
/* Counts what was used since the last look, decides whether it is stopped, and returns when to look
 * again. @processors: how many it can use at most. */
gint64 reeve_throttle_ration_look (ReeveThrottleRation *self, gint64 now, gint64 used,
                                   guint processors);

/* @share: what all of them may use together: percent of a processor; 0: no bound */
ReeveThrottle *reeve_throttle_new (guint32 share) G_GNUC_WARN_UNUSED_RESULT;
/* No process is left in it. */
void reeve_throttle_free (ReeveThrottle *self);
/* @pid: it lives. @host: (nullable): what the host uses for it, which counts too */
void reeve_throttle_add (ReeveThrottle *self, GPid pid, guint32 percent, ReeveHostTime *host);
/* It has saved up all that it can, as at its beginning; it goes on, if it was stopped. Of one that
 * is not there: nothing. */
void reeve_throttle_refill (ReeveThrottle *self, GPid pid);
/* Whoever else stopped it (SIGSTOP) lets it go on, if this does not hold it. FALSE: it is not
 * there.
 */
gboolean reeve_throttle_go_on (ReeveThrottle *self, GPid pid);
/* It goes on, if it was stopped. Of one that is not there: nothing. */
void reeve_throttle_remove (ReeveThrottle *self, GPid pid);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveThrottle, reeve_throttle_free)

G_END_DECLS
