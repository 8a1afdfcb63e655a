/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveCallQueue: carries what a call says from any thread to the door's context, in order. */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct _ReeveCallQueue ReeveCallQueue;

typedef struct
{
  char *event; /* NULL: raw, or the end */
  JsonNode *data;
  GBytes *raw;
  gboolean end; /* nothing comes after it */
} ReeveCallItem;

/* In the context; the item is freed afterwards. */
typedef void (*ReeveCallQueueFunc) (const ReeveCallItem *item, gpointer user_data);

ReeveCallQueue *reeve_call_queue_new (GMainContext *context, ReeveCallQueueFunc func,
                                      GDestroyNotify release, gpointer user_data);
void reeve_call_queue_free (ReeveCallQueue *self);
/* Any thread. (transfer full) item. The caller holds user_data once for it, which release undoes.
 */
void reeve_call_queue_push (ReeveCallQueue *self, ReeveCallItem *item);

G_END_DECLS
