/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* D-Bus specification 0.41, "Marshaling". */
#include "wire-reader.h"

#include <string.h>

#include <gio/gio.h>

gboolean
wire_reader_align (WireReader *self, gsize to)
{
  for (; self->at % to != 0; self->at++)
    {
      if (self->at >= self->end || self->data[self->at] != 0)
        return FALSE;
    }
  return TRUE;
}

gboolean
wire_reader_skip (WireReader *self, gsize length)
{
  if (self->end - self->at < length)
    return FALSE;
  self->at += length;
  return TRUE;
}

gboolean
wire_reader_read_number (WireReader *self, guint32 *number)
{
  if (!wire_reader_align (self, sizeof *number) || !wire_reader_skip (self, sizeof *number))
    return FALSE;
  memcpy (number, self->data + self->at - sizeof *number, sizeof *number);
  return TRUE;
}

gboolean
wire_reader_read_number64 (WireReader *self, guint64 *number)
{
  if (!wire_reader_align (self, sizeof *number) || !wire_reader_skip (self, sizeof *number))
    return FALSE;
  memcpy (number, self->data + self->at - sizeof *number, sizeof *number);
  return TRUE;
}

/* A text of @length bytes with its zero behind it, and none within. */
static const char *
wire_reader_read_bytes (WireReader *self, gsize length)
{
  const char *text = (const char *) self->data + self->at;

  if (self->end - self->at <= length || text[length] != '\0')
    return NULL;
  self->at += length + 1;
  /* with a length a zero within is none of UTF-8's */
  return self->known || g_utf8_validate_len (text, length, NULL) ? text : NULL;
}

const char *
wire_reader_read_text (WireReader *self, gsize *length)
{
  guint32 number = 0;

  if (!wire_reader_read_number (self, &number))
    return NULL;
  *length = number;
  return wire_reader_read_bytes (self, number);
}

const char *
wire_reader_read_string (WireReader *self)
{
  gsize length = 0;

  return wire_reader_read_text (self, &length);
}

const char *
wire_reader_read_signature (WireReader *self)
{
  guint8 length = 0;
  const char *text = NULL;

  if (self->at >= self->end)
    return NULL;
  length = self->data[self->at++];
  text = wire_reader_read_bytes (self, length);
  return text != NULL && g_variant_is_signature (text) ? text : NULL;
}

const char *
wire_reader_read_path (WireReader *self)
{
  const char *text = wire_reader_read_string (self);

  return text != NULL && g_variant_is_object_path (text) ? text : NULL;
}

gconstpointer
wire_reader_read_array (WireReader *self, gsize *length)
{
  guint32 number = 0;

  if (!wire_reader_read_number (self, &number) || !wire_reader_skip (self, number))
    return NULL;
  *length = number;
  return self->data + self->at - number;
}

gsize
wire_reader_get_alignment (char type)
{
  switch (type)
    {
    case 'y':
    case 'g':
    case 'v':
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

const char *
wire_reader_skip_type (const char *type)
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
