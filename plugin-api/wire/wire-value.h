/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The body of a message: a GVariant, and the bytes that stand for it. */
#pragma once

#include "wire-message.h"

G_BEGIN_DECLS

/* (transfer full) (nullable): the body of @message, which was read from @bytes; %NULL with
 * %REEVE_ERROR_PLUGIN: it is not what its signature says. Texts and bytes are not copied. */
GVariant *wire_value_read (GBytes *bytes, const WireMessage *message, GError **error);
/* @out begins with the message: its length is what alignment counts from. */
void wire_value_append (GByteArray *out, GVariant *value);
/* Zeros up to a multiple of @to. */
void wire_value_pad (GByteArray *out, gsize to);

G_END_DECLS
