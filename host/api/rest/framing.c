/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chunks as RFC 9112, 7.1 writes them: CRLF everywhere, a size of few digits, extensions and
 * trailer short. */
#include "framing.h"

#include <string.h>

#define REEVE_REST_FRAMING_DIGITS  15  /* of a chunk's size: no overflow */
#define REEVE_REST_FRAMING_LINE    100 /* of its whole first line; libsoup's buffer holds 128 */
#define REEVE_REST_FRAMING_TRAILER (4 * 1024)

enum
{
  REEVE_REST_FRAMING_DONE,
  REEVE_REST_FRAMING_LENGTH,
  REEVE_REST_FRAMING_SIZE,
  REEVE_REST_FRAMING_EXTENSION,
  REEVE_REST_FRAMING_SIZE_LF,
  REEVE_REST_FRAMING_DATA,
  REEVE_REST_FRAMING_DATA_CR,
  REEVE_REST_FRAMING_DATA_LF,
  REEVE_REST_FRAMING_TRAILER_BEGIN,
  REEVE_REST_FRAMING_TRAILER_NAME,
  REEVE_REST_FRAMING_TRAILER_VALUE,
  REEVE_REST_FRAMING_TRAILER_LF,
  REEVE_REST_FRAMING_END_LF
};

void
reeve_rest_framing_init (ReeveRestFraming *self, const ReeveRestHead *head)
{
  *self = (ReeveRestFraming){ .state = REEVE_REST_FRAMING_DONE };
  if (head->chunked)
    self->state = REEVE_REST_FRAMING_SIZE;
  else if (head->sized && head->content_length > 0)
    {
      self->state = REEVE_REST_FRAMING_LENGTH;
      self->left = head->content_length;
    }
}

gboolean
reeve_rest_framing_is_complete (const ReeveRestFraming *self)
{
  return self->state == REEVE_REST_FRAMING_DONE;
}

static gboolean
reeve_rest_framing_refuse (ReeveRestFraming *self, const char *detail)
{
  self->detail = detail;
  return FALSE;
}

static gboolean
reeve_rest_framing_expect (ReeveRestFraming *self, char c, char expected, int next)
{
  if (c != expected)
    return reeve_rest_framing_refuse (self, "a line of the chunks does not end with CRLF");
  self->state = next;
  return TRUE;
}

static gboolean
reeve_rest_framing_is_text (char c)
{
  return (c >= ' ' && c < 0x7f) || c == '\t';
}

static gboolean
reeve_rest_framing_take_size (ReeveRestFraming *self, char c)
{
  self->line++;
  if (g_ascii_isxdigit (c))
    {
      self->left = self->left * 16 + (guint64) g_ascii_xdigit_value (c);
      return self->line <= REEVE_REST_FRAMING_DIGITS
                 ? TRUE
                 : reeve_rest_framing_refuse (self, "the size of a chunk has too many digits");
    }
  if (self->line == 1 || (c != '\r' && c != ';'))
    return reeve_rest_framing_refuse (self, "the size of a chunk is not a hexadecimal number");
  self->state = c == ';' ? REEVE_REST_FRAMING_EXTENSION : REEVE_REST_FRAMING_SIZE_LF;
  return TRUE;
}

static gboolean
reeve_rest_framing_take_extension (ReeveRestFraming *self, char c)
{
  if (++self->line > REEVE_REST_FRAMING_LINE)
    return reeve_rest_framing_refuse (self, "the extensions of a chunk are too long");
  if (c == '\r')
    self->state = REEVE_REST_FRAMING_SIZE_LF;
  else if (!reeve_rest_framing_is_text (c))
    return reeve_rest_framing_refuse (self, "there is a control character before a chunk");
  return TRUE;
}

static gboolean
reeve_rest_framing_take_size_lf (ReeveRestFraming *self, char c)
{
  return reeve_rest_framing_expect (
      self, c, '\n', self->left > 0 ? REEVE_REST_FRAMING_DATA : REEVE_REST_FRAMING_TRAILER_BEGIN);
}

static gboolean
reeve_rest_framing_take_data_lf (ReeveRestFraming *self, char c)
{
  self->line = 0;
  return reeve_rest_framing_expect (self, c, '\n', REEVE_REST_FRAMING_SIZE);
}

/* A trailer is read past: nothing here looks at its fields. */
static gboolean
reeve_rest_framing_take_trailer (ReeveRestFraming *self, char c)
{
  gboolean begin = self->state == REEVE_REST_FRAMING_TRAILER_BEGIN;

  if (++self->trailer > REEVE_REST_FRAMING_TRAILER)
    return reeve_rest_framing_refuse (self, "the trailer is too long");
  if (begin && c == '\r')
    self->state = REEVE_REST_FRAMING_END_LF;
  else if (self->state == REEVE_REST_FRAMING_TRAILER_VALUE && c == '\r')
    self->state = REEVE_REST_FRAMING_TRAILER_LF;
  else if (!begin && c == ':')
    self->state = REEVE_REST_FRAMING_TRAILER_VALUE;
  else if (!reeve_rest_framing_is_text (c)
           || (self->state != REEVE_REST_FRAMING_TRAILER_VALUE && !g_ascii_isalnum (c) && c != '-'
               && c != '_'))
    return reeve_rest_framing_refuse (self, "the trailer is malformed");
  else if (begin)
    self->state = REEVE_REST_FRAMING_TRAILER_NAME;
  return TRUE;
}

static gboolean
reeve_rest_framing_step (ReeveRestFraming *self, char c)
{
  switch (self->state)
    {
    case REEVE_REST_FRAMING_SIZE:
      return reeve_rest_framing_take_size (self, c);
    case REEVE_REST_FRAMING_EXTENSION:
      return reeve_rest_framing_take_extension (self, c);
    case REEVE_REST_FRAMING_SIZE_LF:
      return reeve_rest_framing_take_size_lf (self, c);
    case REEVE_REST_FRAMING_DATA_CR:
      return reeve_rest_framing_expect (self, c, '\r', REEVE_REST_FRAMING_DATA_LF);
    case REEVE_REST_FRAMING_DATA_LF:
      return reeve_rest_framing_take_data_lf (self, c);
    case REEVE_REST_FRAMING_TRAILER_LF:
      return reeve_rest_framing_expect (self, c, '\n', REEVE_REST_FRAMING_TRAILER_BEGIN);
    case REEVE_REST_FRAMING_END_LF:
      return reeve_rest_framing_expect (self, c, '\n', REEVE_REST_FRAMING_DONE);
    default:
      return reeve_rest_framing_take_trailer (self, c);
    }
}

static gsize
reeve_rest_framing_take_content (ReeveRestFraming *self, gsize length)
{
  gsize n = (gsize) MIN (self->left, length);

  self->left -= n;
  self->content += n;
  if (self->left == 0)
    self->state = self->state == REEVE_REST_FRAMING_LENGTH ? REEVE_REST_FRAMING_DONE
                                                           : REEVE_REST_FRAMING_DATA_CR;
  return n;
}

/**
 * reeve_rest_framing_take:
 * @self: a body
 * @data: what came
 * @length: of it
 * @used: (out): how much of it is the body's, also when this fails
 *
 * Returns: %FALSE when the body is malformed; then detail is set
 */
gboolean
reeve_rest_framing_take (ReeveRestFraming *self, const char *data, gsize length, gsize *used)
{
  *used = 0;
  while (*used < length && self->state != REEVE_REST_FRAMING_DONE)
    {
      if (self->state == REEVE_REST_FRAMING_LENGTH || self->state == REEVE_REST_FRAMING_DATA)
        *used += reeve_rest_framing_take_content (self, length - *used);
      else if (reeve_rest_framing_step (self, data[*used]))
        (*used)++;
      else
        return FALSE;
    }
  return TRUE;
}

gboolean
reeve_rest_framing_is_interim (const char *data, gsize length)
{
  return length > 12 && memcmp (data, "HTTP/1.", 7) == 0 && memcmp (data + 9, "100", 3) == 0;
}
