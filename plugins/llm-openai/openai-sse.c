/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Server-sent events: line ends of any kind, comments, several data lines, a byte order mark, any
 * split. */
#include "openai-sse.h"

#include <string.h>

struct _OpenaiSse
{
  GString *line; /* begun, not ended */
  GString *data;
  GString *type;
  gboolean has_data;
  gboolean after_cr; /* a line feed that comes next belongs to the line just ended */
  gboolean begun;    /* the first line was seen: no byte order mark any more */
};

/**
 * openai_sse_new:
 *
 * Returns: (transfer full): a reader at the start of a stream
 */
OpenaiSse *
openai_sse_new (void)
{
  OpenaiSse *self = g_new0 (OpenaiSse, 1);

  self->line = g_string_new (NULL);
  self->data = g_string_new (NULL);
  self->type = g_string_new (NULL);
  return self;
}

/**
 * openai_sse_free:
 * @self: (transfer full): a reader
 */
void
openai_sse_free (OpenaiSse *self)
{
  g_string_free (self->line, TRUE);
  g_string_free (self->data, TRUE);
  g_string_free (self->type, TRUE);
  g_free (self);
}

static gboolean
openai_sse_dispatch (OpenaiSse *self, OpenaiSseFunc func, gpointer user_data, GError **error)
{
  gboolean ok = TRUE;

  if (self->has_data)
    ok = func (self->type->len > 0 ? self->type->str : "message", self->data->str, self->data->len,
               user_data, error);
  self->has_data = FALSE;
  g_string_truncate (self->data, 0);
  g_string_truncate (self->type, 0);
  return ok;
}

static gboolean
openai_sse_is_field (const char *line, gsize colon, const char *name)
{
  return strlen (name) == colon && memcmp (line, name, colon) == 0;
}

static gboolean
openai_sse_line (OpenaiSse *self, const char *line, gsize length, OpenaiSseFunc func,
                 gpointer user_data, GError **error)
{
  const char *colon = NULL;
  const char *value = NULL;
  gsize name = 0;

  if (!self->begun && length >= 3 && memcmp (line, "\xef\xbb\xbf", 3) == 0)
    {
      line += 3;
      length -= 3;
    }
  self->begun = TRUE;
  if (length == 0)
    return openai_sse_dispatch (self, func, user_data, error);
  colon = memchr (line, ':', length);
  name = colon != NULL ? (gsize) (colon - line) : length;
  value = colon != NULL ? colon + 1 : line + length;
  if (value < line + length && *value == ' ')
    value++;
  if (openai_sse_is_field (line, name, "data"))
    {
      if (self->has_data)
        g_string_append_c (self->data, '\n');
      g_string_append_len (self->data, value, line + length - value);
      self->has_data = TRUE;
    }
  else if (openai_sse_is_field (line, name, "event")
           && memchr (value, '\0', line + length - value) == NULL)
    {
      g_string_truncate (self->type, 0);
      g_string_append_len (self->type, value, MIN (line + length - value, 64));
    }
  return TRUE;
}

/* First byte that ends a line, or NULL. */
static const char *
openai_sse_find_end (const char *text, gsize length)
{
  const char *lf = memchr (text, '\n', length);
  const char *cr = memchr (text, '\r', lf != NULL ? (gsize) (lf - text) : length);

  return cr != NULL ? cr : lf;
}

/**
 * openai_sse_feed:
 * @self: a reader
 * @data: bytes
 * @length: their number
 * @func: called for each event that is complete
 * @user_data: for @func
 * @error: return location
 *
 * Returns: %FALSE with @func's error, or %REEVE_ERROR_UPSTREAM when an event is larger than
 *   OPENAI_SSE_MAX_EVENT bytes
 */
gboolean
openai_sse_feed (OpenaiSse *self, const guint8 *data, gsize length, OpenaiSseFunc func,
                 gpointer user_data, GError **error)
{
  const char *text = (const char *) data;

  while (length > 0)
    {
      const char *end = NULL;
      gboolean ok = TRUE;

      if (self->after_cr && *text == '\n')
        {
          self->after_cr = FALSE;
          text++;
          length--;
          continue;
        }
      self->after_cr = FALSE;
      end = openai_sse_find_end (text, length);
      if (self->line->len + self->data->len + (end != NULL ? (gsize) (end - text) : length)
          > OPENAI_SSE_MAX_EVENT)
        {
          g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM,
                               "an event of the stream is too large");
          return FALSE;
        }
      if (end == NULL)
        {
          g_string_append_len (self->line, text, (gssize) length);
          return TRUE;
        }
      if (self->line->len == 0)
        ok = openai_sse_line (self, text, (gsize) (end - text), func, user_data, error);
      else
        {
          g_string_append_len (self->line, text, end - text);
          ok = openai_sse_line (self, self->line->str, self->line->len, func, user_data, error);
          g_string_truncate (self->line, 0);
        }
      if (!ok)
        return FALSE;
      self->after_cr = *end == '\r';
      length -= (gsize) (end + 1 - text);
      text = end + 1;
    }
  return TRUE;
}

/**
 * openai_sse_finish:
 * @self: a reader
 * @func: called for an event that only lacks its empty line
 * @user_data: for @func
 * @error: return location
 *
 * The stream ended. The standard drops an event without its empty line; servers forget that line
 * after the last event, so it is handed over.
 *
 * Returns: %FALSE with @func's error
 */
gboolean
openai_sse_finish (OpenaiSse *self, OpenaiSseFunc func, gpointer user_data, GError **error)
{
  gboolean ok = TRUE;

  if (self->line->len > 0)
    ok = openai_sse_line (self, self->line->str, self->line->len, func, user_data, error);
  g_string_truncate (self->line, 0);
  return ok && openai_sse_dispatch (self, func, user_data, error);
}
