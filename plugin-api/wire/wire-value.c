/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* D-Bus specification 0.41, "Marshaling". GDBusMessage does the same, at several times the price:
 * it looks at each value's type again, and copies each text. A text's bytes are the same in both
 * formats, so what is read stays where it came. */
#include "wire-value.h"

#include <string.h>

#include "wire-reader.h"

#define WIRE_VALUE_MAX_DEPTH 16
#define WIRE_VALUE_CALL      "ta{sv}" /* what the arguments of a call to a runner begin with */

typedef struct
{
  WireReader reader;
  GBytes *bytes; /* of the whole message */
} WireValueSource;

/* ---- reading: what is (transfer floating) (nullable) ---- */

static GVariant *wire_value_read_one (WireValueSource *self, const char *type, guint depth);

/* The bytes themselves, which are known to be good. */
static GVariant *
wire_value_slice (WireValueSource *self, const GVariantType *type, gconstpointer from, gsize length)
{
  const guint8 *start = g_bytes_get_data (self->bytes, NULL);
  g_autoptr (GBytes) slice
      = g_bytes_new_from_bytes (self->bytes, (gsize) ((const guint8 *) from - start), length);

  return g_variant_new_from_bytes (type, slice, TRUE);
}

static GVariant *
wire_value_read_text (WireValueSource *self, const char *type)
{
  gsize length = 0;
  const char *text = wire_reader_read_text (&self->reader, &length);

  if (text == NULL || (*type == 'o' && !g_variant_is_object_path (text)))
    return NULL;
  return wire_value_slice (self, (const GVariantType *) type, text, length + 1);
}

/* A truth takes four bytes here, and one in a GVariant: all others are as they stand. */
static GVariant *
wire_value_read_fixed (WireValueSource *self, const char *type)
{
  gsize size = wire_reader_get_alignment (*type);
  guint32 truth = 0;

  if (*type == 'b')
    return wire_reader_read_number (&self->reader, &truth) && truth <= 1
               ? g_variant_new_boolean (truth != 0)
               : NULL;
  if (!wire_reader_align (&self->reader, size) || !wire_reader_skip (&self->reader, size))
    return NULL;
  return wire_value_slice (self, (const GVariantType *) type,
                           self->reader.data + self->reader.at - size, size);
}

/* Values until @end, of the one type or of one type after the other; %FALSE: one is wrong */
static gboolean
wire_value_read_all (WireValueSource *self, const char *type, gboolean same, GPtrArray *all,
                     guint depth)
{
  while (same ? self->reader.at < self->reader.end : *type != ')' && *type != '}' && *type != '\0')
    {
      GVariant *one = wire_value_read_one (self, type, depth + 1);

      if (one == NULL)
        return FALSE;
      g_ptr_array_add (all, g_variant_ref_sink (one));
      type = same ? type : wire_reader_skip_type (type);
    }
  return TRUE;
}

static GVariant *
wire_value_read_array (WireValueSource *self, const char *type, guint depth)
{
  g_autoptr (GPtrArray) all = NULL;
  guint32 length = 0;
  gsize end = self->reader.end;
  gboolean good = FALSE;

  if (!wire_reader_read_number (&self->reader, &length)
      || !wire_reader_align (&self->reader, wire_reader_get_alignment (*type))
      || self->reader.end - self->reader.at < length)
    return NULL;
  if (*type == 'y')
    {
      self->reader.at += length;
      return wire_value_slice (self, G_VARIANT_TYPE_BYTESTRING,
                               self->reader.data + self->reader.at - length, length);
    }
  all = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);
  self->reader.end = self->reader.at + length;
  good = wire_value_read_all (self, type, TRUE, all, depth);
  self->reader.end = end;
  return good
             ? g_variant_new_array ((const GVariantType *) type, (GVariant **) all->pdata, all->len)
             : NULL;
}

/* "()" is a type of GVariant's, and none of D-Bus's: of these an array could have any number */
static GVariant *
wire_value_read_struct (WireValueSource *self, const char *type, guint depth)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);

  if (!wire_reader_align (&self->reader, 8)
      || !wire_value_read_all (self, type + 1, FALSE, all, depth) || all->len == 0)
    return NULL;
  return *type == '{' ? g_variant_new_dict_entry (all->pdata[0], all->pdata[1])
                      : g_variant_new_tuple ((GVariant **) all->pdata, all->len);
}

static GVariant *
wire_value_read_variant (WireValueSource *self, guint depth)
{
  const char *type = wire_reader_read_signature (&self->reader);
  GVariant *value = NULL;

  if (type == NULL || *type == '\0' || *wire_reader_skip_type (type) != '\0')
    return NULL;
  value = wire_value_read_one (self, type, depth + 1);
  return value != NULL ? g_variant_new_variant (value) : NULL;
}

static GVariant *
wire_value_read_one (WireValueSource *self, const char *type, guint depth)
{
  const char *signature = NULL;

  if (depth > WIRE_VALUE_MAX_DEPTH)
    return NULL;
  switch (*type)
    {
    case 'y':
    case 'b':
    case 'n':
    case 'q':
    case 'i':
    case 'u':
    case 'h':
    case 'x':
    case 't':
    case 'd':
      return wire_value_read_fixed (self, type);
    case 's':
    case 'o':
      return wire_value_read_text (self, type);
    case 'g':
      signature = wire_reader_read_signature (&self->reader);
      return signature != NULL ? g_variant_new_signature (signature) : NULL;
    case 'v':
      return wire_value_read_variant (self, depth);
    case 'a':
      return wire_value_read_array (self, type + 1, depth);
    case '(':
    case '{':
      return wire_value_read_struct (self, type, depth);
    default:
      return NULL;
    }
}

gboolean
wire_value_find_call (const guint8 *data, const WireMessage *message, WireValueCall *call)
{
  const gsize at = (gsize) (message->body - data);
  WireReader reader = { data, at, at + message->body_length, FALSE };
  guint32 length = 0;

  if (!g_str_has_prefix (message->signature, WIRE_VALUE_CALL))
    return TRUE;
  if (!wire_reader_read_number64 (&reader, &call->number)
      || !wire_reader_read_number (&reader, &length)
      || !wire_reader_align (&reader, wire_reader_get_alignment ('{'))
      || !wire_reader_skip (&reader, length))
    return FALSE;
  call->context = (WireReader){ data, reader.at - length, reader.at, FALSE };
  call->arguments = reader;
  return TRUE;
}

static GVariant *
wire_value_read_body (GBytes *bytes, const WireMessage *message, gboolean known,
                      const WireValueCall *call, GError **error)
{
  const guint8 *data = g_bytes_get_data (bytes, NULL);
  gsize at = (gsize) (message->body - data);
  WireValueSource source = { { data, at, at + message->body_length, known }, bytes };
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);
  const char *type = message->signature;

  if (call != NULL && call->arguments.data != NULL)
    {
      g_ptr_array_add (all, g_variant_ref_sink (g_variant_new_uint64 (call->number)));
      g_ptr_array_add (all,
                       g_variant_ref_sink (g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0)));
      source.reader = call->arguments;
      type += strlen (WIRE_VALUE_CALL);
    }
  if (wire_value_read_all (&source, type, FALSE, all, 0) && source.reader.at == source.reader.end)
    return g_variant_ref_sink (g_variant_new_tuple ((GVariant **) all->pdata, all->len));
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
               "not a message: its body is not what its signature says");
  return NULL;
}

GVariant *
wire_value_read (GBytes *bytes, const WireMessage *message, const WireValueCall *call,
                 GError **error)
{
  return wire_value_read_body (bytes, message, FALSE, call, error);
}

GVariant *
wire_value_read_known (GBytes *bytes, const WireMessage *message, GError **error)
{
  return wire_value_read_body (bytes, message, TRUE, NULL, error);
}

gboolean
wire_value_pass (WireReader *reader, GBytes *bytes, const char *type)
{
  WireValueSource source = { *reader, bytes };
  GVariant *value
      = *wire_reader_skip_type (type) == '\0' ? wire_value_read_one (&source, type, 1) : NULL;

  *reader = source.reader;
  if (value != NULL)
    g_variant_unref (g_variant_ref_sink (value));
  return value != NULL;
}

/* ---- writing ---- */

void
wire_value_pad (GByteArray *out, gsize to)
{
  static const guint8 zeros[8] = { 0 };

  if (out->len % to != 0)
    g_byte_array_append (out, zeros, (guint) (to - out->len % to));
}

void
wire_value_append_number (GByteArray *out, guint32 number)
{
  wire_value_pad (out, sizeof number);
  g_byte_array_append (out, (const guint8 *) &number, sizeof number);
}

void
wire_value_append_number64 (GByteArray *out, guint64 number)
{
  wire_value_pad (out, sizeof number);
  g_byte_array_append (out, (const guint8 *) &number, sizeof number);
}

void
wire_value_append_string (GByteArray *out, const char *text, gsize length)
{
  wire_value_append_number (out, (guint32) length);
  g_byte_array_append (out, (const guint8 *) text, (guint) length + 1);
}

guint
wire_value_begin_array (GByteArray *out, char type)
{
  guint at = 0;

  wire_value_append_number (out, 0);
  at = out->len - (guint) sizeof (guint32);
  wire_value_pad (out, wire_reader_get_alignment (type));
  return at;
}

void
wire_value_end_array (GByteArray *out, char type, guint at)
{
  const guint to = (guint) wire_reader_get_alignment (type);
  const guint before = at + (guint) sizeof (guint32);
  /* the length is without the padding behind it */
  const guint32 length = out->len - (before + to - 1) / to * to;

  memcpy (out->data + at, &length, sizeof length);
}

void
wire_value_append_signature (GByteArray *out, const char *text)
{
  guint8 length = (guint8) strlen (text);

  g_byte_array_append (out, &length, 1);
  g_byte_array_append (out, (const guint8 *) text, length + 1u);
}

static void
wire_value_append_text (GByteArray *out, GVariant *value)
{
  gsize length = 0;
  const char *text = g_variant_get_string (value, &length);

  if (g_variant_is_of_type (value, G_VARIANT_TYPE_SIGNATURE))
    {
      wire_value_append_signature (out, text);
      return;
    }
  wire_value_append_string (out, text, length);
}

static void
wire_value_append_fixed (GByteArray *out, GVariant *value)
{
  gsize size = g_variant_get_size (value);

  wire_value_pad (out, size);
  g_byte_array_append (out, g_variant_get_data (value), (guint) size);
}

static void
wire_value_append_children (GByteArray *out, GVariant *value)
{
  gsize count = g_variant_n_children (value);

  for (gsize i = 0; i < count; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (value, i);
      wire_value_append (out, child);
    }
}

static void
wire_value_append_array (GByteArray *out, GVariant *value)
{
  char type = g_variant_get_type_string (value)[1];
  guint at = wire_value_begin_array (out, type);

  if (type == 'y' && g_variant_get_size (value) > 0)
    g_byte_array_append (out, g_variant_get_data (value), (guint) g_variant_get_size (value));
  else
    wire_value_append_children (out, value);
  wire_value_end_array (out, type, at);
}

void
wire_value_append (GByteArray *out, GVariant *value)
{
  switch (g_variant_classify (value))
    {
    case G_VARIANT_CLASS_STRING:
    case G_VARIANT_CLASS_OBJECT_PATH:
    case G_VARIANT_CLASS_SIGNATURE:
      wire_value_append_text (out, value);
      break;
    case G_VARIANT_CLASS_BOOLEAN:
      wire_value_append_number (out, g_variant_get_boolean (value) ? 1 : 0);
      break;
    case G_VARIANT_CLASS_ARRAY:
      wire_value_append_array (out, value);
      break;
    case G_VARIANT_CLASS_TUPLE:
    case G_VARIANT_CLASS_DICT_ENTRY:
      wire_value_pad (out, 8);
      wire_value_append_children (out, value);
      break;
    case G_VARIANT_CLASS_VARIANT:
      {
        g_autoptr (GVariant) within = g_variant_get_variant (value);

        wire_value_append_signature (out, g_variant_get_type_string (within));
        wire_value_append (out, within);
        break;
      }
    default:
      wire_value_append_fixed (out, value);
    }
}
