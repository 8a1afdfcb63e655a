/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveAuthenticationLane: the few threads that one auth provider has to itself, and the bounded
 * queue before them: a provider that hangs holds up nobody but those who wait for it. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ReeveAuthenticationLane ReeveAuthenticationLane;
typedef struct _ReeveAuthenticationLaneJob ReeveAuthenticationLaneJob;

/* First member of what is queued. */
struct _ReeveAuthenticationLaneJob
{
  /* on a thread of the lane, which does not look at the job any more; closed: the lane is being
   * shut down, so the job is to be ended */
  void (*run) (ReeveAuthenticationLaneJob *job, gboolean closed);
  gint64 due; /* monotonic µs: not before; 0: now */
};

ReeveAuthenticationLane *reeve_authentication_lane_new (const char *name, guint threads,
                                                        guint limit);
/* After the shutdown. */
void reeve_authentication_lane_free (ReeveAuthenticationLane *self);
/* Any thread. %REEVE_ERROR_BUSY when as many jobs as may be are waiting, %REEVE_ERROR_UNAVAILABLE
 * after the shutdown; the job is the caller's still. */
gboolean reeve_authentication_lane_push (ReeveAuthenticationLane *self,
                                         ReeveAuthenticationLaneJob *job, GError **error);
/* Ends what waits, joins the threads. Not from a job. Idempotent. */
void reeve_authentication_lane_shutdown (ReeveAuthenticationLane *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveAuthenticationLane, reeve_authentication_lane_free)

G_END_DECLS
