/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* D-Bus specification 0.41, "Message Format". GDBusMessage keeps each field of the header as a
 * GVariant in a table, which took longer than all else. Sender and destination, which are not used
 * here, are neither written nor read. */
#include "wire-letter.h"

#include <string.h>

#include <gio/gio.h>

#include "wire-value.h"

#define WIRE_LETTER_ORDER (G_BYTE_ORDER == G_LITTLE_ENDIAN ? 'l' : 'B')
/* bytes of a header, mostly; from 1,024 on malloc() joins all small free pieces first */
#define WIRE_LETTER_FIELDS 256

static WireLetter *
wire_letter_new (guint8 type, GVariant *body)
{
  WireLetter *self = g_new0 (WireLetter, 1);

  g_atomic_ref_count_init (&self->references);
  self->head.type = type;
  self->body = body != NULL ? g_variant_ref_sink (body) : NULL;
  return self;
}

WireLetter *
wire_letter_new_call (const char *path, const char *interface, const char *member, GVariant *body)
{
  WireLetter *self = wire_letter_new (G_DBUS_MESSAGE_TYPE_METHOD_CALL, body);

  self->head.path = path;
  self->head.interface = interface;
  self->head.member = member;
  return self;
}

WireLetter *
wire_letter_new_call_of (const char *path, const char *interface, const char *member,
                         const char *signature, GByteArray *written)
{
  WireLetter *self = wire_letter_new_call (path, interface, member, NULL);

  self->name = g_strdup (signature);
  self->head.signature = self->name;
  self->written = g_byte_array_ref (written);
  return self;
}

WireLetter *
wire_letter_new_reply (guint32 reply_serial, GVariant *body)
{
  WireLetter *self = wire_letter_new (G_DBUS_MESSAGE_TYPE_METHOD_RETURN, body);

  self->head.no_reply = TRUE;
  self->head.reply_serial = reply_serial;
  return self;
}

WireLetter *
wire_letter_new_error (guint32 reply_serial, const char *name, GVariant *body)
{
  WireLetter *self = wire_letter_new (G_DBUS_MESSAGE_TYPE_ERROR, body);

  self->head.no_reply = TRUE;
  self->head.reply_serial = reply_serial;
  self->name = g_strdup (name);
  self->head.error_name = self->name;
  return self;
}

WireLetter *
wire_letter_ref (WireLetter *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
wire_letter_unref (WireLetter *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_clear_pointer (&self->body, g_variant_unref);
  g_clear_object (&self->fds);
  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_clear_pointer (&self->written, g_byte_array_unref);
  g_free (self->name);
  g_free (self);
}

/* ---- writing ---- */

static void
wire_letter_put_number (GByteArray *out, guint at, guint32 number)
{
  memcpy (out->data + at, &number, sizeof number);
}

/* The beginning of a field, and, of a text, its length. */
static void
wire_letter_begin_field (GByteArray *out, GDBusMessageHeaderField field, char type)
{
  const guint8 head[] = { (guint8) field, 1, (guint8) type, 0 };

  wire_value_pad (out, 8);
  g_byte_array_append (out, head, sizeof head);
}

static void
wire_letter_append_number (GByteArray *out, GDBusMessageHeaderField field, guint32 number)
{
  if (number == 0)
    return;
  wire_letter_begin_field (out, field, 'u');
  g_byte_array_append (out, (const guint8 *) &number, sizeof number);
}

static void
wire_letter_append_text (GByteArray *out, GDBusMessageHeaderField field, char type,
                         const char *text)
{
  guint32 length = text != NULL ? (guint32) strlen (text) : 0;

  if (text == NULL)
    return;
  wire_letter_begin_field (out, field, type);
  g_byte_array_append (out, (const guint8 *) &length, sizeof length);
  g_byte_array_append (out, (const guint8 *) text, length + 1);
}

static void
wire_letter_append_signature (GByteArray *out, const WireLetter *self)
{
  const char *type = self->body != NULL ? g_variant_get_type_string (self->body) : "()";
  /* without the brackets of its tuple */
  const char *text = self->written != NULL ? self->head.signature : type + 1;
  guint8 length = (guint8) (strlen (text) - (self->written != NULL ? 0 : 1));
  static const guint8 zero = 0;

  if (length == 0)
    return;
  wire_letter_begin_field (out, G_DBUS_MESSAGE_HEADER_FIELD_SIGNATURE, 'g');
  g_byte_array_append (out, &length, 1);
  g_byte_array_append (out, (const guint8 *) text, length);
  g_byte_array_append (out, &zero, 1);
}

guint8 *
wire_letter_write (const WireLetter *self, gsize *length)
{
  GVariant *body = self->body;
  const guint size = body != NULL            ? (guint) g_variant_get_size (body)
                     : self->written != NULL ? self->written->len
                                             : 0;
  GByteArray *out = g_byte_array_sized_new (WIRE_LETTER_FIELDS + size);
  const guint8 head[WIRE_MESSAGE_HEAD]
      = { WIRE_LETTER_ORDER, self->head.type, self->head.no_reply ? 1 : 0, 1 };
  guint start = 0;

  g_byte_array_append (out, head, sizeof head);
  wire_letter_put_number (out, 8, self->head.serial);
  wire_letter_append_text (out, G_DBUS_MESSAGE_HEADER_FIELD_PATH, 'o', self->head.path);
  wire_letter_append_text (out, G_DBUS_MESSAGE_HEADER_FIELD_INTERFACE, 's', self->head.interface);
  wire_letter_append_text (out, G_DBUS_MESSAGE_HEADER_FIELD_MEMBER, 's', self->head.member);
  wire_letter_append_text (out, G_DBUS_MESSAGE_HEADER_FIELD_ERROR_NAME, 's', self->head.error_name);
  wire_letter_append_number (out, G_DBUS_MESSAGE_HEADER_FIELD_REPLY_SERIAL,
                             self->head.reply_serial);
  wire_letter_append_number (out, G_DBUS_MESSAGE_HEADER_FIELD_NUM_UNIX_FDS, self->head.n_fds);
  wire_letter_append_signature (out, self);
  wire_letter_put_number (out, 12, out->len - WIRE_MESSAGE_HEAD);
  wire_value_pad (out, 8);
  start = out->len;
  if (self->written != NULL)
    g_byte_array_append (out, self->written->data, self->written->len);
  for (gsize i = 0; body != NULL && i < g_variant_n_children (body); i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (body, i);
      wire_value_append (out, child);
    }
  wire_letter_put_number (out, 4, out->len - start);
  *length = out->len;
  return g_byte_array_free (out, FALSE);
}

/* ---- reading ---- */

WireLetter *
wire_letter_read_head (GBytes *bytes, GError **error)
{
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  g_autoptr (WireLetter) self = wire_letter_new (0, NULL);

  if (length < WIRE_MESSAGE_HEAD || wire_message_measure (data, WIRE_LETTER_MAX, error) != length)
    {
      if (error != NULL && *error == NULL)
        g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "not a message: it is cut");
      return NULL;
    }
  if (!wire_message_read (&self->head, data, length, error))
    return NULL;
  self->bytes = g_bytes_ref (bytes);
  return g_steal_pointer (&self);
}

gboolean
wire_letter_read_body (WireLetter *self, GError **error)
{
  if (self->head.body_length == 0 || self->body != NULL)
    return TRUE;
  self->body = wire_value_read (self->bytes, &self->head, NULL, error);
  return self->body != NULL;
}

gboolean
wire_letter_read_known_body (WireLetter *self, GError **error)
{
  if (self->head.body_length == 0 || self->body != NULL)
    return TRUE;
  self->body = wire_value_read_known (self->bytes, &self->head, error);
  return self->body != NULL;
}

WireLetter *
wire_letter_read (GBytes *bytes, GError **error)
{
  g_autoptr (WireLetter) self = wire_letter_read_head (bytes, error);

  return self != NULL && wire_letter_read_body (self, error) ? g_steal_pointer (&self) : NULL;
}

WireLetter *
wire_letter_read_call (GBytes *bytes, GError **error)
{
  g_autoptr (WireLetter) self = wire_letter_read_head (bytes, error);

  if (self == NULL
      || wire_value_find_call (g_bytes_get_data (bytes, NULL), &self->head, &self->call))
    return g_steal_pointer (&self);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
               "not a message: its body does not begin as its signature says");
  return NULL;
}

gboolean
wire_letter_read_call_body (WireLetter *self, GError **error)
{
  if (self->head.body_length == 0 || self->body != NULL)
    return TRUE;
  self->body = wire_value_read (self->bytes, &self->head, &self->call, error);
  return self->body != NULL;
}

WireReader
wire_letter_get_reader (const WireLetter *self, gboolean known)
{
  const guint8 *data = g_bytes_get_data (self->bytes, NULL);
  const gsize at = (gsize) (self->head.body - data);

  return (WireReader){ data, at, at + self->head.body_length, known };
}
