/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The body of a message: a GVariant, and the bytes that stand for it. */
#pragma once

#include "wire-message.h"
#include "wire-reader.h"

G_BEGIN_DECLS

/* What the body of a call to a runner begins with, and what stands behind that; all of it points
 * into the message. */
typedef struct
{
  guint64 number;
  WireReader context; /* its entries */
  WireReader arguments;
} WireValueCall;

/* Finds these in @message, which was read from @data; where its signature does not begin so there
 * are none. Nothing else is looked at. FALSE: they are not what it says */
gboolean wire_value_find_call (const guint8 *data, const WireMessage *message, WireValueCall *call);
/* (transfer full) (nullable): the body of @message, which was read from @bytes; %NULL with
 * %REEVE_ERROR_PLUGIN: it is not what its signature says. Texts and bytes are not copied.
 * @call: (nullable): what wire_value_find_call() found: in the body the context is empty */
GVariant *wire_value_read (GBytes *bytes, const WireMessage *message, const WireValueCall *call,
                           GError **error);
/* The same of one that wire_message_check_body() let through: texts are not looked at again. */
GVariant *wire_value_read_known (GBytes *bytes, const WireMessage *message, GError **error);
/* Passes over the value of the one complete @type, part of @bytes. %FALSE: it is wrong */
gboolean wire_value_pass (WireReader *reader, GBytes *bytes, const char *type);
/* @out begins with the message: its length is what alignment counts from. */
void wire_value_append (GByteArray *out, GVariant *value);
/* The same without a GVariant. @text: UTF-8 of @length bytes, and the zero behind it */
void wire_value_append_number (GByteArray *out, guint32 number);
void wire_value_append_number64 (GByteArray *out, guint64 number);
void wire_value_append_string (GByteArray *out, const char *text, gsize length);
void wire_value_append_signature (GByteArray *out, const char *text);
/* An array whose values are of a type that begins with @type; the place of its length, which is
 * written when all values are. */
guint wire_value_begin_array (GByteArray *out, char type);
void wire_value_end_array (GByteArray *out, char type, guint at);
/* Zeros up to a multiple of @to. */
void wire_value_pad (GByteArray *out, gsize to);

G_END_DECLS
