/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a run's journal looks like as a stream of events. Pure. */
#pragma once

#include "journal.h"

G_BEGIN_DECLS

/* Sequence numbers: entry number times this, plus the bytes of text sent so far while a model
 * answers. So a stream that broke in mid-answer resumes from the journal without a byte lost or
 * sent twice. */
#define REEVE_RUN_EVENTS_STRIDE G_GINT64_CONSTANT (100000000)

typedef void (*ReeveRunEventsFunc) (const char *name, JsonObject *data, gpointer user_data);

/* Sends the events of entry number @seq (from 1) whose sequence is greater than @after. */
void reeve_run_events_send (const char *run_id, JsonObject *entry, gint64 seq, gint64 after,
                            ReeveRunEventsFunc func, gpointer user_data);
/* Sends one piece of text (name: message.delta or thought.delta) that ends at byte @offset of the
 * answer begun by entry @seq. */
void reeve_run_events_send_delta (const char *run_id, const char *name, const char *text,
                                  gint64 seq, gint64 offset, ReeveRunEventsFunc func,
                                  gpointer user_data);

G_END_DECLS
