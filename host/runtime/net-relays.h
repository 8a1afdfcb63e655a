/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveNetRelays: the thread that carries all relays. */
#pragma once

#include "net-relay.h"

G_BEGIN_DECLS

ReeveNetRelays *reeve_net_relays_new (void) G_GNUC_WARN_UNUSED_RESULT;
/* Ends all there are and refuses what comes; waits for that. Twice is as once. */
void reeve_net_relays_shutdown (ReeveNetRelays *self);
void reeve_net_relays_free (ReeveNetRelays *self);

/* For relays alone: one begins, one has ended. */
gboolean reeve_net_relays_add (ReeveNetRelays *self, ReeveNetRelay *relay, GSource *source,
                               GError **error);
void reeve_net_relays_remove (ReeveNetRelays *self, ReeveNetRelay *relay);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveNetRelays, reeve_net_relays_free)

G_END_DECLS
