/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestThread: one API thread: its own context, libsoup server, sockets. */
#pragma once

#include <libsoup/soup.h>

#include "operations/gate.h"
#include "operations/services.h"

#include "base/address-list.h"

#include "addresses.h"
#include "bounds.h"
#include "cors.h"
#include "poller.h"
#include "router.h"
#include "tls.h"

G_BEGIN_DECLS

typedef struct _ReeveRestThread ReeveRestThread;

/* What all threads share; outlives them. */
typedef struct
{
  ReeveServices *services;
  ReeveRestRouter *router;
  ReeveRestBounds limits;
  ReeveRestAddresses *addresses;
  ReeveRestTls *tls;   /* (nullable): of the listeners that are encrypted */
  ReeveRestCors *cors; /* (nullable) */
  GPtrArray *threads;  /* (element-type ReeveRestThread): all of them, before the first starts */
  ReeveAddressList *proxies; /* that are trusted to say whom they were asked by */
  char *key_header;          /* where API keys are shown */
  guint max_arrivals;        /* of one thread: encrypted, and nothing asked yet */
} ReeveRestShared;

/* listeners: (element-type ReeveRestListener): to accept from; each thread makes its own copies */
ReeveRestThread *reeve_rest_thread_new (const ReeveRestShared *shared, GPtrArray *listeners,
                                        guint number, GError **error);
void reeve_rest_thread_start (ReeveRestThread *self);
/* No more connections are accepted, idle ones are closed. Any thread. */
void reeve_rest_thread_stop_accepting (ReeveRestThread *self);
/* Requests under way. Any thread. */
guint reeve_rest_thread_get_busy (ReeveRestThread *self);
/* Ends the thread and waits for it; what is under way is cut off. */
void reeve_rest_thread_free (ReeveRestThread *self);

/* ---- for its requests ---- */
const ReeveRestShared *reeve_rest_thread_get_shared (ReeveRestThread *self);
GMainContext *reeve_rest_thread_get_context (ReeveRestThread *self);
/* The second that it is, as HTTP writes it (RFC 9110, 5.6.7); until the next call. */
const char *reeve_rest_thread_get_date (ReeveRestThread *self);
void reeve_rest_thread_count (ReeveRestThread *self, int delta);
gsize reeve_rest_thread_count_unread (ReeveRestThread *self, gssize delta);

G_END_DECLS
