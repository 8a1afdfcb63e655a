/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveNetRelay: a connection whose bytes the host carries between a plugin and a server. A
 * descriptor that was passed cannot be taken back; what lies between two can be closed. What one
 * side does not take waits at the other: nothing is gathered here. */
#pragma once

#include "loader/host-time.h"

G_BEGIN_DECLS

/* What was written to an end that is closed goes out for so long behind the call's end. */
#define REEVE_NET_RELAY_LINGER_US (2 * G_USEC_PER_SEC)

typedef struct _ReeveNetRelays ReeveNetRelays; /* net-relays.h */
typedef struct _ReeveNetRelay ReeveNetRelay;   /* reference-counted */

/* It ended, on the thread of the relays: bytes from the plugin and to it; digest: hexadecimal
 * SHA-256 of the latter. Holds no lock. */
typedef void (*ReeveNetRelayFunc) (guint64 sent, guint64 received, const char *digest,
                                   gpointer user_data);

/* (transfer full) A relay between two stream sockets, which it closes: also where it cannot begin.
 * It carries nothing before reeve_net_relay_begin(). @deadline: monotonic µs at which it is cut; 0:
 * none. @payer: (nullable): whom its time is counted for */
ReeveNetRelay *reeve_net_relay_new (int near, int far, gint64 deadline,
                                    ReeveHostTime *payer) G_GNUC_WARN_UNUSED_RESULT;
ReeveNetRelay *reeve_net_relay_ref (ReeveNetRelay *self);
void reeve_net_relay_unref (ReeveNetRelay *self);
/* @ended is called once, whatever happens. %FALSE, without it, with %REEVE_ERROR_CANCELLED after
 * the shutdown. */
gboolean reeve_net_relay_begin (ReeveNetRelay *self, ReeveNetRelays *relays,
                                ReeveNetRelayFunc ended, gpointer user_data, GError **error);
/* Closes both ends, the server's with a reset. Any thread, any time, does not block. */
void reeve_net_relay_cut (ReeveNetRelay *self);
/* The same, unless the plugin has closed its end: then what it wrote still goes out. */
void reeve_net_relay_leave (ReeveNetRelay *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveNetRelay, reeve_net_relay_unref)

G_END_DECLS
