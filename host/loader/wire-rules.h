/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveWireRules: which messages may pass between the host and one runner, and which are awaited.
 * Any thread; no I/O. */
#pragma once

#include "wire/wire-message.h"

G_BEGIN_DECLS

typedef struct _ReeveWireRules ReeveWireRules;

/* Limits of one runner; 0 stands for the usual. */
typedef struct
{
  gsize message;      /* bytes of a message from the runner: 1 MiB */
  guint calls;        /* under way each way: 64 */
  gsize asked_bytes;  /* of the runner's calls that are under way: 16 MiB */
  guint64 per_second; /* bytes from the runner: 64 MiB; more is read later */
  gint64 message_us;  /* from a message's first byte to its last: 30 s */
  gint64 begin_us;    /* to the first message: 30 s */
} ReeveWireLimits;

ReeveWireRules *reeve_wire_rules_new (const ReeveWireLimits *limits) G_GNUC_WARN_UNUSED_RESULT;
void reeve_wire_rules_free (ReeveWireRules *self);
const ReeveWireLimits *reeve_wire_rules_get_limits (ReeveWireRules *self);
/* The host asks, and awaits one reply: said before the message's first byte goes. */
void reeve_wire_rules_ask (ReeveWireRules *self, guint32 serial);
/* The host answers a call of the runner's: said in the same place. */
void reeve_wire_rules_answer (ReeveWireRules *self, guint32 serial);
/* A whole message from the runner. @message: (out): what it says; %REEVE_ERROR_PLUGIN names the
 * rule that it breaks. */
gboolean reeve_wire_rules_receive (ReeveWireRules *self, const guint8 *data, gsize length,
                                   WireMessage *message, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveWireRules, reeve_wire_rules_free)

G_END_DECLS
