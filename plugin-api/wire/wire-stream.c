/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bulk goes as it is, and what is said of it in a form that every language reads. */
#include "wire-stream.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ---- writing ---- */

static gboolean
wire_stream_write_all (int fd, gconstpointer data, gsize length, GError **error)
{
  for (gsize done = 0; done < length;)
    {
      gssize one = write (fd, (const guint8 *) data + done, length - done);

      if (one < 0 && errno != EINTR)
        {
          if (errno == EPIPE)
            g_set_error (error, REEVE_ERROR, REEVE_ERROR_CANCELLED, "nobody reads the stream");
          else
            g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "writing a stream: %s",
                         g_strerror (errno));
          return FALSE;
        }
      done += one > 0 ? (gsize) one : 0;
    }
  return TRUE;
}

/* The line of a frame. */
static void
wire_stream_append_header (GByteArray *out, JsonObject *header, gsize length)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;

  json_node_take_object (node, header);
  json_object_set_int_member (header, "bytes", (gint64) length);
  text = reeve_json_text (node);
  g_byte_array_append (out, (const guint8 *) text, (guint) strlen (text));
  g_byte_array_append (out, (const guint8 *) "\n", 1);
}

gboolean
wire_stream_flush (GByteArray *out, int fd, GError **error)
{
  gboolean good = wire_stream_write_all (fd, out->data, out->len, error);

  g_byte_array_set_size (out, 0);
  return good;
}

gboolean
wire_stream_append (GByteArray *out, int fd, JsonObject *header, gconstpointer payload,
                    gsize length, GError **error)
{
  wire_stream_append_header (out, header, length);
  if (fd >= 0 && length > WIRE_STREAM_GATHERED)
    return wire_stream_flush (out, fd, error) && wire_stream_write_all (fd, payload, length, error);
  if (length > 0)
    g_byte_array_append (out, payload, (guint) length);
  return fd < 0 || out->len < WIRE_STREAM_GATHERED || wire_stream_flush (out, fd, error);
}

gboolean
wire_stream_write (int fd, JsonObject *header, gconstpointer payload, gsize length, GError **error)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();

  return wire_stream_append (out, fd, header, payload, length, error)
         && wire_stream_flush (out, fd, error);
}

/* ---- reading ---- */

void
wire_stream_reader_init (WireStreamReader *self, gsize most, WireStreamFunc func,
                         gpointer user_data)
{
  *self = (WireStreamReader){ .most = most, .func = func, .user_data = user_data };
  self->line = g_byte_array_new ();
  self->payload = g_byte_array_new ();
}

void
wire_stream_reader_clear (WireStreamReader *self)
{
  g_clear_pointer (&self->line, g_byte_array_unref);
  g_clear_pointer (&self->payload, g_byte_array_unref);
  g_clear_pointer (&self->header, json_node_unref);
}

static gboolean
wire_stream_reader_fail (GError **error, const char *what)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "not a stream: %s", what);
  return FALSE;
}

static gboolean
wire_stream_reader_begin (WireStreamReader *self, GError **error)
{
  g_autoptr (JsonNode) node
      = reeve_json_parse_strict ((const char *) self->line->data, self->line->len, error);
  gint64 bytes = 0;

  if (node == NULL)
    {
      g_prefix_error (error, "not a stream: ");
      return FALSE;
    }
  if (!JSON_NODE_HOLDS_OBJECT (node))
    return wire_stream_reader_fail (error, "a frame begins with an object");
  bytes = reeve_json_get_int (json_node_get_object (node), "bytes", 0);
  if (bytes < 0)
    return wire_stream_reader_fail (error, "a frame has less than no bytes");
  if ((guint64) bytes > self->most)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                   "a frame of %" G_GINT64_FORMAT " bytes: %" G_GSIZE_FORMAT " is the most", bytes,
                   self->most);
      return FALSE;
    }
  self->header = g_steal_pointer (&node);
  self->missing = (gsize) bytes;
  g_byte_array_set_size (self->line, 0);
  g_byte_array_set_size (self->payload, 0);
  return TRUE;
}

/* The frame is whole. */
static gboolean
wire_stream_reader_end (WireStreamReader *self, GError **error)
{
  g_autoptr (JsonNode) header = g_steal_pointer (&self->header);

  return self->func (json_node_get_object (header), self->payload->data, self->payload->len,
                     self->user_data, error);
}

/* Bytes that were taken; 0 with an error */
static gsize
wire_stream_reader_take (WireStreamReader *self, const guint8 *data, gsize length, GError **error)
{
  const guint8 *end = NULL;
  gsize taken = 0;

  if (self->header != NULL)
    {
      taken = MIN (length, self->missing);
      g_byte_array_append (self->payload, data, (guint) taken);
      self->missing -= taken;
      return taken;
    }
  end = memchr (data, '\n', length);
  taken = end != NULL ? (gsize) (end - data) + 1 : length;
  if (self->line->len + taken > WIRE_STREAM_MAX_HEADER)
    {
      wire_stream_reader_fail (error, "a line is too long");
      return 0;
    }
  g_byte_array_append (self->line, data, (guint) (end != NULL ? taken - 1 : taken));
  return end == NULL || wire_stream_reader_begin (self, error) ? taken : 0;
}

gboolean
wire_stream_reader_feed (WireStreamReader *self, const guint8 *data, gsize length, GError **error)
{
  while (length > 0)
    {
      gsize taken = wire_stream_reader_take (self, data, length, error);

      if (taken == 0)
        return FALSE;
      data += taken;
      length -= taken;
      if (self->header != NULL && self->missing == 0 && !wire_stream_reader_end (self, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
wire_stream_reader_is_within (const WireStreamReader *self)
{
  return self->header != NULL || self->line->len > 0;
}
