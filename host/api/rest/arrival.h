/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestArrival: a client of an encrypted listener before it is one of ours: from accept() to
 * the first byte after its handshake. One thread only. */
#pragma once

#include "channel.h"
#include "fault.h"
#include "handshakes.h"
#include "poller.h"
#include "tls.h"

G_BEGIN_DECLS

/* (transfer full) fd, channel, remote */
typedef void (*ReeveRestArrivalFunc) (int fd, ReeveRestChannel *channel, GSocketAddress *remote,
                                      gpointer user_data);

/* What all arrivals of a thread share; outlives them. */
typedef struct
{
  ReeveRestPoller *poller;
  ReeveRestHandshakes *handshakes;
  ReeveRestTls *tls;
  gint64 silent_us; /* between handshake and first byte */
  ReeveRestArrivalFunc ready;
  void (*lost) (GSocketAddress *remote, gpointer user_data); /* its socket is closed */
  ReeveRestFaultFunc fault;                                  /* it came to nothing */
  gpointer user_data;
} ReeveRestArrivalHome;

/* Takes over fd and remote, and takes care of itself from then on. */
void reeve_rest_arrival_begin (const ReeveRestArrivalHome *home, int fd, GSocketAddress *remote);

G_END_DECLS
