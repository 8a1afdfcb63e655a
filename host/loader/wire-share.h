/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveWireShare: what one wire has of the workers that perform what runners ask of the host. Each
 * has a few that nobody else can take, and as many more as there are for all of them, up to a
 * bound: whatever one runner asks for, and however long that takes, the others are served.
 *
 * Jobs have a level. One may wait for jobs of deeper levels, never for those of its own or above:
 * each level has workers of its own, so none of them waits for itself. */
#pragma once

#include "host-time.h"

G_BEGIN_DECLS

#define REEVE_WIRE_SHARE_LEVELS 9  /* 0 to REEVE_CAPABILITY_LEVEL_MAX */
#define REEVE_WIRE_SHARE_OWN    4  /* workers of a level that a wire always has */
#define REEVE_WIRE_SHARE_MOST   20 /* that it may have */
#define REEVE_WIRE_SHARE_COMMON 32 /* that all may have beyond their own */

/* The workers of all wires. */
typedef struct _ReeveWireSharePool ReeveWireSharePool;
typedef struct _ReeveWireShare ReeveWireShare;

ReeveWireSharePool *reeve_wire_share_pool_new (void) G_GNUC_WARN_UNUSED_RESULT;
/* What is under way goes on, and has its own right to it. */
void reeve_wire_share_pool_unref (ReeveWireSharePool *self);

/* @host_time: what its jobs use is counted there */
ReeveWireShare *reeve_wire_share_new (ReeveWireSharePool *pool,
                                      ReeveHostTime *host_time) G_GNUC_WARN_UNUSED_RESULT;
void reeve_wire_share_unref (ReeveWireShare *self);
/* Lets a worker call @func, in the order of the share's level. How many wait is bounded by who
 * pushes: the rules of the wire. Any thread; does not block. */
void reeve_wire_share_push (ReeveWireShare *self, guint level, void (*func) (gpointer data),
                            gpointer data);

G_END_DECLS
