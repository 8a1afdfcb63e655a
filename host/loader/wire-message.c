/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* D-Bus specification 0.41, "Message Format" and "Marshaling". Stricter than that where nobody
 * needs more: the machine's byte order, no field twice, padding of zeros, signatures short and
 * without variants. Nothing is allocated. */
#include "wire-message.h"

#include <string.h>

#include <gio/gio.h>

#define REEVE_WIRE_MESSAGE_MAX_SIGNATURE 64
#define REEVE_WIRE_MESSAGE_MAX_DEPTH     8
#define REEVE_WIRE_MESSAGE_ORDER         (G_BYTE_ORDER == G_LITTLE_ENDIAN ? 'l' : 'B')

/* What is still to be read; offsets count from a place that is aligned to 8. */
typedef struct
{
  const guint8 *data;
  gsize at;
  gsize end;
} ReeveWireMessageReader;

static gboolean
reeve_wire_message_fail (GError **error, const char *what)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "not a message: %s", what);
  return FALSE;
}

static gboolean
reeve_wire_message_align (ReeveWireMessageReader *self, gsize to)
{
  for (; self->at % to != 0; self->at++)
    {
      if (self->at >= self->end || self->data[self->at] != 0)
        return FALSE;
    }
  return TRUE;
}

static gboolean
reeve_wire_message_skip (ReeveWireMessageReader *self, gsize length)
{
  if (self->end - self->at < length)
    return FALSE;
  self->at += length;
  return TRUE;
}

static gboolean
reeve_wire_message_read_number (ReeveWireMessageReader *self, guint32 *number)
{
  if (!reeve_wire_message_align (self, sizeof *number)
      || !reeve_wire_message_skip (self, sizeof *number))
    return FALSE;
  memcpy (number, self->data + self->at - sizeof *number, sizeof *number);
  return TRUE;
}

/* A text of @length bytes with its zero behind it, and none within. */
static const char *
reeve_wire_message_read_bytes (ReeveWireMessageReader *self, gsize length)
{
  const char *text = (const char *) self->data + self->at;

  if (self->end - self->at <= length || text[length] != '\0' || memchr (text, 0, length) != NULL)
    return NULL;
  self->at += length + 1;
  return g_utf8_validate (text, (gssize) length, NULL) ? text : NULL;
}

static const char *
reeve_wire_message_read_string (ReeveWireMessageReader *self)
{
  guint32 length = 0;

  return reeve_wire_message_read_number (self, &length)
             ? reeve_wire_message_read_bytes (self, length)
             : NULL;
}

static const char *
reeve_wire_message_read_signature (ReeveWireMessageReader *self)
{
  guint8 length = 0;
  const char *text = NULL;

  if (self->at >= self->end)
    return NULL;
  length = self->data[self->at++];
  text = reeve_wire_message_read_bytes (self, length);
  return text != NULL && g_variant_is_signature (text) ? text : NULL;
}

static const char *
reeve_wire_message_read_path (ReeveWireMessageReader *self)
{
  const char *text = reeve_wire_message_read_string (self);

  return text != NULL && g_variant_is_object_path (text) ? text : NULL;
}

/* ---- header ---- */

gsize
reeve_wire_message_measure (const guint8 *head, gsize most, GError **error)
{
  guint32 body = 0;
  guint32 fields = 0;
  guint64 length = 0;

  memcpy (&body, head + 4, sizeof body);
  memcpy (&fields, head + 12, sizeof fields);
  length = REEVE_WIRE_MESSAGE_HEAD + (((guint64) fields + 7) & ~(guint64) 7) + body;
  if (head[0] != REEVE_WIRE_MESSAGE_ORDER)
    reeve_wire_message_fail (error, "its byte order is not this machine's");
  else if (head[1] < G_DBUS_MESSAGE_TYPE_METHOD_CALL || head[1] > G_DBUS_MESSAGE_TYPE_SIGNAL)
    reeve_wire_message_fail (error, "its type is unknown");
  else if (head[3] != 1)
    reeve_wire_message_fail (error, "its protocol version is not 1");
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
reeve_wire_message_read_field (ReeveWireMessage *self, ReeveWireMessageReader *reader, guint *seen)
{
  static const char types[] = " osssussgu";
  const char **const texts[]
      = { NULL, &self->path,        &self->interface, &self->member,    &self->error_name,
          NULL, &self->destination, &self->sender,    &self->signature, NULL };
  guint8 code = 0;
  const char *type = NULL;

  if (!reeve_wire_message_align (reader, 8) || reader->at >= reader->end)
    return FALSE;
  code = reader->data[reader->at++];
  type = reeve_wire_message_read_signature (reader);
  if (code < 1 || code > 9 || (*seen & (1u << code)) != 0 || type == NULL || type[0] != types[code]
      || type[1] != '\0')
    return FALSE;
  *seen |= 1u << code;
  if (types[code] == 'u')
    return reeve_wire_message_read_number (reader, code == 5 ? &self->reply_serial : &self->n_fds);
  if (types[code] == 'g')
    return (*texts[code] = reeve_wire_message_read_signature (reader)) != NULL;
  *texts[code] = types[code] == 'o' ? reeve_wire_message_read_path (reader)
                                    : reeve_wire_message_read_string (reader);
  return *texts[code] != NULL;
}

static gboolean
reeve_wire_message_has_names (const ReeveWireMessage *self)
{
  return (self->interface == NULL || g_dbus_is_interface_name (self->interface))
         && (self->member == NULL || g_dbus_is_member_name (self->member))
         && (self->error_name == NULL || g_dbus_is_interface_name (self->error_name))
         && (self->destination == NULL || g_dbus_is_name (self->destination))
         && (self->sender == NULL || g_dbus_is_name (self->sender));
}

/* What each type of message must have. */
static gboolean
reeve_wire_message_is_whole (const ReeveWireMessage *self)
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
reeve_wire_message_read (ReeveWireMessage *self, const guint8 *data, gsize length, GError **error)
{
  ReeveWireMessageReader reader = { .data = data, .at = REEVE_WIRE_MESSAGE_HEAD };
  guint32 fields = 0;
  guint32 body = 0;
  guint seen = 0;

  *self = (ReeveWireMessage){ .type = data[1], .no_reply = (data[2] & 1) != 0, .signature = "" };
  memcpy (&body, data + 4, sizeof body);
  memcpy (&self->serial, data + 8, sizeof self->serial);
  memcpy (&fields, data + 12, sizeof fields);
  if (self->serial == 0 || (guint64) fields + body > length)
    return reeve_wire_message_fail (error, "its header is wrong");
  reader.end = REEVE_WIRE_MESSAGE_HEAD + fields;
  while (reader.at < reader.end)
    {
      if (!reeve_wire_message_read_field (self, &reader, &seen))
        return reeve_wire_message_fail (error, "a field of its header is wrong");
    }
  reader.end = length - body;
  if (!reeve_wire_message_align (&reader, 8) || reader.at != reader.end)
    return reeve_wire_message_fail (error, "its header has a wrong length");
  self->body = data + reader.at;
  self->body_length = body;
  if (!reeve_wire_message_has_names (self) || !reeve_wire_message_is_whole (self))
    return reeve_wire_message_fail (error, "its header is not what its type needs");
  if ((self->signature[0] == '\0') != (body == 0))
    return reeve_wire_message_fail (error, "its body has no signature, or the other way round");
  return TRUE;
}

/* ---- body ---- */

static gsize
reeve_wire_message_get_alignment (char type)
{
  switch (type)
    {
    case 'y':
    case 'g':
      return 1;
    case 'n':
    case 'q':
      return 2;
    case 'x':
    case 't':
    case 'd':
    case '(':
    case '{':
      return 8;
    default:
      return 4;
    }
}

/* Behind the complete type that begins at @type. */
static const char *
reeve_wire_message_next_type (const char *type)
{
  guint depth = 0;

  while (*type == 'a')
    type++;
  do
    {
      if (*type == '(' || *type == '{')
        depth++;
      if (*type == ')' || *type == '}')
        depth--;
      type++;
    }
  while (depth > 0);
  return type;
}

static gboolean reeve_wire_message_check_value (ReeveWireMessageReader *reader, const char *type,
                                                guint depth);

static gboolean
reeve_wire_message_check_array (ReeveWireMessageReader *reader, const char *type, guint depth)
{
  ReeveWireMessageReader items = { .data = reader->data };
  guint32 length = 0;

  if (!reeve_wire_message_read_number (reader, &length)
      || !reeve_wire_message_align (reader, reeve_wire_message_get_alignment (*type)))
    return FALSE;
  items.at = reader->at;
  if (!reeve_wire_message_skip (reader, length))
    return FALSE;
  items.end = reader->at;
  if (*type == 'y')
    return TRUE;
  while (items.at < items.end)
    {
      if (!reeve_wire_message_check_value (&items, type, depth + 1))
        return FALSE;
    }
  return TRUE;
}

static gboolean
reeve_wire_message_check_struct (ReeveWireMessageReader *reader, const char *type, guint depth)
{
  if (!reeve_wire_message_align (reader, 8))
    return FALSE;
  for (; *type != ')' && *type != '}'; type = reeve_wire_message_next_type (type))
    {
      if (!reeve_wire_message_check_value (reader, type, depth + 1))
        return FALSE;
    }
  return TRUE;
}

/* @type is part of a valid signature; each value takes a byte at least. */
static gboolean
reeve_wire_message_check_value (ReeveWireMessageReader *reader, const char *type, guint depth)
{
  guint32 number = 0;
  gsize size = reeve_wire_message_get_alignment (*type);

  if (depth > REEVE_WIRE_MESSAGE_MAX_DEPTH)
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
      return reeve_wire_message_align (reader, size) && reeve_wire_message_skip (reader, size);
    case 'b':
      return reeve_wire_message_read_number (reader, &number) && number <= 1;
    case 's':
      return reeve_wire_message_read_string (reader) != NULL;
    case 'o':
      return reeve_wire_message_read_path (reader) != NULL;
    case 'g':
      return reeve_wire_message_read_signature (reader) != NULL;
    case 'a':
      return reeve_wire_message_check_array (reader, type + 1, depth);
    case '(':
    case '{':
      return reeve_wire_message_check_struct (reader, type + 1, depth);
    default:
      return FALSE;
    }
}

gboolean
reeve_wire_message_check_body (const ReeveWireMessage *self, GError **error)
{
  ReeveWireMessageReader reader = { .data = self->body, .end = self->body_length };
  const char *type = self->signature;

  /* "()" is a type of GVariant's, and none of D-Bus's */
  if (strlen (type) > REEVE_WIRE_MESSAGE_MAX_SIGNATURE || strpbrk (type, "vh") != NULL
      || strstr (type, "()") != NULL)
    return reeve_wire_message_fail (error, "its signature is none that is used here");
  for (; *type != '\0'; type = reeve_wire_message_next_type (type))
    {
      if (!reeve_wire_message_check_value (&reader, type, 0))
        return reeve_wire_message_fail (error, "its body is not what its signature says");
    }
  if (reader.at != reader.end)
    return reeve_wire_message_fail (error, "its body is longer than its signature says");
  return TRUE;
}
