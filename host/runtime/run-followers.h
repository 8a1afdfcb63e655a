/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRunFollowers: who reads a run's events, each in a context of his own. Thread-safe. */
#pragma once

#include "journal.h"
#include "runs.h"

G_BEGIN_DECLS

typedef struct _ReeveRunFollowers ReeveRunFollowers;

ReeveRunFollowers *reeve_run_followers_new (void);
void reeve_run_followers_free (ReeveRunFollowers *self);
guint reeve_run_followers_add (ReeveRunFollowers *self, GMainContext *context,
                               ReeveRunEventFunc events, void (*ended) (gpointer user_data),
                               gpointer user_data, GDestroyNotify destroy);
void reeve_run_followers_remove (ReeveRunFollowers *self, guint follower);
/* A new follower is sent the past first, then it is live. */
void reeve_run_followers_set_live (ReeveRunFollowers *self, guint follower);
/* @follower 0: all that are live. Events reach a follower in the order of these calls, in his
 * context. */
void reeve_run_followers_send (ReeveRunFollowers *self, guint follower, const char *name,
                               JsonObject *data);
/* No event comes any more, for one or for all that are live. */
void reeve_run_followers_end (ReeveRunFollowers *self, guint follower);
gboolean reeve_run_followers_is_empty (ReeveRunFollowers *self);

G_END_DECLS
