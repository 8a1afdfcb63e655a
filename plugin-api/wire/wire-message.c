/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* D-Bus specification 0.41, "Message Format" and "Marshaling". Stricter than that where nobody
 * needs more: the machine's byte order, no field twice, padding of zeros, signatures short and
 * without variants. Nothing is allocated. */
#include "wire-message.h"

#include <string.h>

#include <gio/gio.h>

#include "wire-reader.h"

#define WIRE_MESSAGE_MAX_SIGNATURE 64
#define WIRE_MESSAGE_MAX_DEPTH     8
#define WIRE_MESSAGE_ORDER         (G_BYTE_ORDER == G_LITTLE_ENDIAN ? 'l' : 'B')

static gboolean
wire_message_fail (GError **error, const char *what)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "not a message: %s", what);
  return FALSE;
}

/* ---- header ---- */

gsize
wire_message_measure (const guint8 *head, gsize most, GError **error)
{
  guint32 body = 0;
  guint32 fields = 0;
  guint64 length = 0;

  memcpy (&body, head + 4, sizeof body);
  memcpy (&fields, head + 12, sizeof fields);
  length = WIRE_MESSAGE_HEAD + (((guint64) fields + 7) & ~(guint64) 7) + body;
  if (head[0] != WIRE_MESSAGE_ORDER)
    wire_message_fail (error, "its byte order is not this machine's");
  else if (head[1] < G_DBUS_MESSAGE_TYPE_METHOD_CALL || head[1] > G_DBUS_MESSAGE_TYPE_SIGNAL)
    wire_message_fail (error, "its type is unknown");
  else if (head[3] != 1)
    wire_message_fail (error, "its protocol version is not 1");
  else if (length > most)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                 "a message of %" G_GUINT64_FORMAT " bytes: %" G_GSIZE_FORMAT " is the most",
                 length, most);
  else
    return (gsize) length;
  return 0;
}

/* One field: its code, the signature of its value, the value. */
static gboolean
wire_message_read_field (WireMessage *self, WireReader *reader, guint *seen)
{
  static const char types[] = " osssussgu";
  const char **const texts[]
      = { NULL, &self->path,        &self->interface, &self->member,    &self->error_name,
          NULL, &self->destination, &self->sender,    &self->signature, NULL };
  guint8 code = 0;
  const char *type = NULL;

  if (!wire_reader_align (reader, 8) || reader->at >= reader->end)
    return FALSE;
  code = reader->data[reader->at++];
  type = wire_reader_read_signature (reader);
  if (code < 1 || code > 9 || (*seen & (1u << code)) != 0 || type == NULL || type[0] != types[code]
      || type[1] != '\0')
    return FALSE;
  *seen |= 1u << code;
  if (types[code] == 'u')
    return wire_reader_read_number (reader, code == 5 ? &self->reply_serial : &self->n_fds);
  if (types[code] == 'g')
    return (*texts[code] = wire_reader_read_signature (reader)) != NULL;
  *texts[code]
      = types[code] == 'o' ? wire_reader_read_path (reader) : wire_reader_read_string (reader);
  return *texts[code] != NULL;
}

static gboolean
wire_message_has_names (const WireMessage *self)
{
  return (self->interface == NULL || g_dbus_is_interface_name (self->interface))
         && (self->member == NULL || g_dbus_is_member_name (self->member))
         && (self->error_name == NULL || g_dbus_is_interface_name (self->error_name))
         && (self->destination == NULL || g_dbus_is_name (self->destination))
         && (self->sender == NULL || g_dbus_is_name (self->sender));
}

/* What each type of message must have. */
static gboolean
wire_message_is_whole (const WireMessage *self)
{
  switch (self->type)
    {
    case G_DBUS_MESSAGE_TYPE_METHOD_CALL:
      return self->path != NULL && self->member != NULL && self->reply_serial == 0;
    case G_DBUS_MESSAGE_TYPE_METHOD_RETURN:
      return self->reply_serial != 0;
    case G_DBUS_MESSAGE_TYPE_ERROR:
      return self->reply_serial != 0 && self->error_name != NULL;
    default:
      return self->path != NULL && self->interface != NULL && self->member != NULL;
    }
}

gboolean
wire_message_read (WireMessage *self, const guint8 *data, gsize length, GError **error)
{
  WireReader reader = { .data = data, .at = WIRE_MESSAGE_HEAD };
  guint32 fields = 0;
  guint32 body = 0;
  guint seen = 0;

  *self = (WireMessage){ .type = data[1], .no_reply = (data[2] & 1) != 0, .signature = "" };
  memcpy (&body, data + 4, sizeof body);
  memcpy (&self->serial, data + 8, sizeof self->serial);
  memcpy (&fields, data + 12, sizeof fields);
  if (self->serial == 0 || (guint64) fields + body > length)
    return wire_message_fail (error, "its header is wrong");
  reader.end = WIRE_MESSAGE_HEAD + fields;
  while (reader.at < reader.end)
    {
      if (!wire_message_read_field (self, &reader, &seen))
        return wire_message_fail (error, "a field of its header is wrong");
    }
  reader.end = length - body;
  if (!wire_reader_align (&reader, 8) || reader.at != reader.end)
    return wire_message_fail (error, "its header has a wrong length");
  self->body = data + reader.at;
  self->body_length = body;
  if (!wire_message_has_names (self) || !wire_message_is_whole (self))
    return wire_message_fail (error, "its header is not what its type needs");
  if ((self->signature[0] == '\0') != (body == 0))
    return wire_message_fail (error, "its body has no signature, or the other way round");
  return TRUE;
}

/* ---- body ---- */

static gboolean wire_message_check_value (WireReader *reader, const char *type, guint depth);

static gboolean
wire_message_check_array (WireReader *reader, const char *type, guint depth)
{
  WireReader items = { .data = reader->data };
  guint32 length = 0;

  if (!wire_reader_read_number (reader, &length)
      || !wire_reader_align (reader, wire_reader_get_alignment (*type)))
    return FALSE;
  items.at = reader->at;
  if (!wire_reader_skip (reader, length))
    return FALSE;
  items.end = reader->at;
  if (*type == 'y')
    return TRUE;
  while (items.at < items.end)
    {
      if (!wire_message_check_value (&items, type, depth + 1))
        return FALSE;
    }
  return TRUE;
}

static gboolean
wire_message_check_struct (WireReader *reader, const char *type, guint depth)
{
  if (!wire_reader_align (reader, 8))
    return FALSE;
  for (; *type != ')' && *type != '}'; type = wire_reader_skip_type (type))
    {
      if (!wire_message_check_value (reader, type, depth + 1))
        return FALSE;
    }
  return TRUE;
}

/* @type is part of a valid signature; each value takes a byte at least. */
static gboolean
wire_message_check_value (WireReader *reader, const char *type, guint depth)
{
  guint32 number = 0;
  gsize size = wire_reader_get_alignment (*type);

  if (depth > WIRE_MESSAGE_MAX_DEPTH)
    return FALSE;
  switch (*type)
    {
    case 'y':
    case 'n':
    case 'q':
    case 'i':
    case 'u':
    case 'x':
    case 't':
    case 'd':
      return wire_reader_align (reader, size) && wire_reader_skip (reader, size);
    case 'b':
      return wire_reader_read_number (reader, &number) && number <= 1;
    case 's':
      return wire_reader_read_string (reader) != NULL;
    case 'o':
      return wire_reader_read_path (reader) != NULL;
    case 'g':
      return wire_reader_read_signature (reader) != NULL;
    case 'a':
      return wire_message_check_array (reader, type + 1, depth);
    case '(':
    case '{':
      return wire_message_check_struct (reader, type + 1, depth);
    default:
      return FALSE;
    }
}

gboolean
wire_message_check_body (const WireMessage *self, GError **error)
{
  WireReader reader = { .data = self->body, .end = self->body_length };
  const char *type = self->signature;

  /* "()" is a type of GVariant's, and none of D-Bus's */
  if (strlen (type) > WIRE_MESSAGE_MAX_SIGNATURE || strpbrk (type, "vh") != NULL
      || strstr (type, "()") != NULL)
    return wire_message_fail (error, "its signature is none that is used here");
  for (; *type != '\0'; type = wire_reader_skip_type (type))
    {
      if (!wire_message_check_value (&reader, type, 0))
        return wire_message_fail (error, "its body is not what its signature says");
    }
  if (reader.at != reader.end)
    return wire_message_fail (error, "its body is longer than its signature says");
  return TRUE;
}
