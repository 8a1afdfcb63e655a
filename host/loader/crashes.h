/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveCrashes: what follows from the ends of one plugin's processes: how long the next start
 * waits, when it is enough, and which input is not tried again. A value; no lock, no clock of its
 * own. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* so many in so long a time are enough */
#define REEVE_CRASHES_MOST      5
#define REEVE_CRASHES_WINDOW_US (600 * G_USEC_PER_SEC)
/* from the first wait to the longest, before chance shortens it */
#define REEVE_CRASHES_FIRST_US (G_USEC_PER_SEC / 4)
#define REEVE_CRASHES_LAST_US  (30 * G_USEC_PER_SEC)
/* an input that ended so many processes is refused */
#define REEVE_CRASHES_OF_INPUT 2

typedef struct
{
  gint64 times[REEVE_CRASHES_MOST]; /* monotonic; the last ones, in a ring */
  guint n;                          /* of all */
  gint64 wait_us;                   /* of the last one */
  gint64 not_before;                /* no start before this */
  GHashTable *inputs;               /* digest -> ReeveCrashesInput; of bounded size */
} ReeveCrashes;

void reeve_crashes_init (ReeveCrashes *self);
void reeve_crashes_clear (ReeveCrashes *self);
/* A process ended at @now, or none could be started. @chance: 0 to 1. Is it enough? */
gboolean reeve_crashes_add (ReeveCrashes *self, gint64 now, double chance);
/* A process could not be started: the next start waits, and nothing else follows from it. */
void reeve_crashes_delay (ReeveCrashes *self, gint64 now, double chance);
/* A process was of use: the next wait is the first again. */
void reeve_crashes_calm (ReeveCrashes *self, gint64 now);
/* @input was with a plugin when its process, the one of that number (from 1), ended: in however
 * many calls, it ended once. */
void reeve_crashes_blame (ReeveCrashes *self, const char *input, guint process);
gboolean reeve_crashes_is_blamed (const ReeveCrashes *self, const char *input);
/* Is any input worth a digest? */
gboolean reeve_crashes_has_blamed (const ReeveCrashes *self);
guint reeve_crashes_count (const ReeveCrashes *self, gint64 now); /* within the time */

G_END_DECLS
