/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* D-Bus specification 0.41, "Message Format". Header fields that are not used here, sender and
 * destination, are neither written nor read. */
#include "wire-marshal.h"

#include <string.h>

#include <gio/gunixfdlist.h>

#include "wire-message.h"
#include "wire-value.h"

#define WIRE_MARSHAL_ORDER (G_BYTE_ORDER == G_LITTLE_ENDIAN ? 'l' : 'B')

/* ---- writing ---- */

static void
wire_marshal_put_number (GByteArray *out, guint at, guint32 number)
{
  memcpy (out->data + at, &number, sizeof number);
}

/* The beginning of a field, and, of a text, its length. */
static void
wire_marshal_begin_field (GByteArray *out, GDBusMessageHeaderField field, char type)
{
  const guint8 head[] = { (guint8) field, 1, (guint8) type, 0 };

  wire_value_pad (out, 8);
  g_byte_array_append (out, head, sizeof head);
}

static void
wire_marshal_append_number (GByteArray *out, GDBusMessageHeaderField field, guint32 number)
{
  if (number == 0)
    return;
  wire_marshal_begin_field (out, field, 'u');
  g_byte_array_append (out, (const guint8 *) &number, sizeof number);
}

static void
wire_marshal_append_text (GByteArray *out, GDBusMessageHeaderField field, char type,
                          const char *text)
{
  guint32 length = text != NULL ? (guint32) strlen (text) : 0;

  if (text == NULL)
    return;
  wire_marshal_begin_field (out, field, type);
  g_byte_array_append (out, (const guint8 *) &length, sizeof length);
  g_byte_array_append (out, (const guint8 *) text, length + 1);
}

/* Without the brackets of its tuple. */
static void
wire_marshal_append_signature (GByteArray *out, GVariant *body)
{
  const char *type = body != NULL ? g_variant_get_type_string (body) : "()";
  guint8 length = (guint8) (strlen (type) - 2);
  static const guint8 zero = 0;

  if (length == 0)
    return;
  wire_marshal_begin_field (out, G_DBUS_MESSAGE_HEADER_FIELD_SIGNATURE, 'g');
  g_byte_array_append (out, &length, 1);
  g_byte_array_append (out, (const guint8 *) type + 1, length);
  g_byte_array_append (out, &zero, 1);
}

guint8 *
wire_marshal_write (GDBusMessage *message, gsize *length)
{
  GVariant *body = g_dbus_message_get_body (message);
  GUnixFDList *fds = g_dbus_message_get_unix_fd_list (message);
  GByteArray *out
      = g_byte_array_sized_new (512 + (body != NULL ? (guint) g_variant_get_size (body) : 0));
  const guint8 head[WIRE_MESSAGE_HEAD]
      = { WIRE_MARSHAL_ORDER, (guint8) g_dbus_message_get_message_type (message),
          (guint8) g_dbus_message_get_flags (message), 1 };
  guint start = 0;

  g_byte_array_append (out, head, sizeof head);
  wire_marshal_put_number (out, 8, g_dbus_message_get_serial (message));
  wire_marshal_append_text (out, G_DBUS_MESSAGE_HEADER_FIELD_PATH, 'o',
                            g_dbus_message_get_path (message));
  wire_marshal_append_text (out, G_DBUS_MESSAGE_HEADER_FIELD_INTERFACE, 's',
                            g_dbus_message_get_interface (message));
  wire_marshal_append_text (out, G_DBUS_MESSAGE_HEADER_FIELD_MEMBER, 's',
                            g_dbus_message_get_member (message));
  wire_marshal_append_text (out, G_DBUS_MESSAGE_HEADER_FIELD_ERROR_NAME, 's',
                            g_dbus_message_get_error_name (message));
  wire_marshal_append_number (out, G_DBUS_MESSAGE_HEADER_FIELD_REPLY_SERIAL,
                              g_dbus_message_get_reply_serial (message));
  wire_marshal_append_number (out, G_DBUS_MESSAGE_HEADER_FIELD_NUM_UNIX_FDS,
                              fds != NULL ? (guint32) g_unix_fd_list_get_length (fds) : 0);
  wire_marshal_append_signature (out, body);
  wire_marshal_put_number (out, 12, out->len - WIRE_MESSAGE_HEAD);
  wire_value_pad (out, 8);
  start = out->len;
  for (gsize i = 0; body != NULL && i < g_variant_n_children (body); i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (body, i);
      wire_value_append (out, child);
    }
  wire_marshal_put_number (out, 4, out->len - start);
  *length = out->len;
  return g_byte_array_free (out, FALSE);
}

/* ---- reading ---- */

GDBusMessage *
wire_marshal_read (GBytes *bytes, GError **error)
{
  gsize length = 0;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  g_autoptr (GDBusMessage) message = NULL;
  g_autoptr (GVariant) body = NULL;
  WireMessage head = { 0 };

  if (length < WIRE_MESSAGE_HEAD || wire_message_measure (data, WIRE_MARSHAL_MAX, error) != length)
    {
      if (error != NULL && *error == NULL)
        g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "not a message: it is cut");
      return NULL;
    }
  if (!wire_message_read (&head, data, length, error))
    return NULL;
  body = wire_value_read (bytes, &head, error);
  if (body == NULL)
    return NULL;
  message = g_dbus_message_new ();
  g_dbus_message_set_message_type (message, (GDBusMessageType) head.type);
  g_dbus_message_set_flags (message, (GDBusMessageFlags) data[2]);
  g_dbus_message_set_serial (message, head.serial);
  if (head.path != NULL)
    g_dbus_message_set_path (message, head.path);
  if (head.interface != NULL)
    g_dbus_message_set_interface (message, head.interface);
  if (head.member != NULL)
    g_dbus_message_set_member (message, head.member);
  if (head.error_name != NULL)
    g_dbus_message_set_error_name (message, head.error_name);
  if (head.reply_serial != 0)
    g_dbus_message_set_reply_serial (message, head.reply_serial);
  if (head.n_fds != 0)
    g_dbus_message_set_num_unix_fds (message, head.n_fds);
  if (head.body_length > 0)
    g_dbus_message_set_body (message, body);
  return g_steal_pointer (&message);
}
