/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A ReeveContext on the wire: a dictionary of what is known. */
#pragma once

#include "wire-letter.h"

G_BEGIN_DECLS

/* @out begins with the body of a message. @deadline: monotonic, microseconds; 0: none */
void wire_context_append (GByteArray *out, ReeveContext *context, gint64 deadline);
/* (transfer full) (nullable): of a call that wire_letter_read_call() read, with a broker and a
 * cancellable of the receiver's. %REEVE_ERROR_PLUGIN: it is none */
ReeveContext *wire_context_read (const WireLetter *letter, ReeveBroker *broker,
                                 GCancellable *cancellable, GError **error);

G_END_DECLS
