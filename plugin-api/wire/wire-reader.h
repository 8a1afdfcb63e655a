/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* WireReader: values of D-Bus as they stand in bytes, of which nothing is believed. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* What is still to be read; offsets count from a place that is aligned to 8. */
typedef struct
{
  const guint8 *data;
  gsize at;
  gsize end;
  gboolean known; /* wire_message_check_body() let it through: its texts are UTF-8 */
} WireReader;

/* Each returns %FALSE or %NULL where there is none; texts point into the bytes. */

/* Padding is of zeros. */
gboolean wire_reader_align (WireReader *self, gsize to);
gboolean wire_reader_skip (WireReader *self, gsize length);
gboolean wire_reader_read_number (WireReader *self, guint32 *number);
gboolean wire_reader_read_number64 (WireReader *self, guint64 *number);
/* @length: (out): its bytes, without the zero behind it */
const char *wire_reader_read_text (WireReader *self, gsize *length);
const char *wire_reader_read_string (WireReader *self);
const char *wire_reader_read_signature (WireReader *self);
const char *wire_reader_read_path (WireReader *self);
/* An array of bytes. @length: (out) */
gconstpointer wire_reader_read_array (WireReader *self, gsize *length);

/* Of a value whose type begins so. */
gsize wire_reader_get_alignment (char type);
/* Behind the complete type that begins at @type, part of a valid signature. */
const char *wire_reader_skip_type (const char *type);

G_END_DECLS
