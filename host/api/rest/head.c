/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 9112, read without any of the leniency that it allows: a lone LF or CR, a folded line, a
 * space before a colon, a second length or host, a coding other than chunked: each is how a request
 * is smuggled past a proxy that reads it another way. */
#include "head.h"

#include <arpa/inet.h>
#include <string.h>

#define REEVE_REST_HEAD_MAX_BLANKS 2
#define REEVE_REST_HEAD_MAX_METHOD 32
#define REEVE_REST_HEAD_MAX_DIGITS 18  /* of a length: no overflow */
#define REEVE_REST_HEAD_MAX_NAME   255 /* of a host, as DNS has them */

void
reeve_rest_head_init (ReeveRestHead *self, gsize max_size)
{
  *self = (ReeveRestHead){ .max_size = max_size };
}

static gboolean
reeve_rest_head_refuse (ReeveRestHead *self, guint status, const char *detail)
{
  self->status = status;
  self->detail = detail;
  return FALSE;
}

static gboolean
reeve_rest_head_is_token (char c)
{
  return g_ascii_isalnum (c) || (c != '\0' && strchr ("!#$%&'*+-.^_`|~", c) != NULL);
}

static gboolean
reeve_rest_head_is (const char *text, gsize length, const char *word)
{
  return length == strlen (word) && g_ascii_strncasecmp (text, word, length) == 0;
}

/* ---- the request line ---- */

static gboolean
reeve_rest_head_check_target (ReeveRestHead *self, const char *target, gsize length)
{
  for (gsize i = 0; i < length; i++)
    {
      if ((guchar) target[i] <= ' ' || (guchar) target[i] >= 0x7f || target[i] == '#')
        return reeve_rest_head_refuse (self, 400, "the target has a character that none may have");
      if (target[i] == '%'
          && (i + 2 >= length || !g_ascii_isxdigit (target[i + 1])
              || !g_ascii_isxdigit (target[i + 2])))
        return reeve_rest_head_refuse (self, 400, "the target is not encoded as it should be");
    }
  if (length > 0 && *target == '/')
    return TRUE;
  if (length > 7 && g_ascii_strncasecmp (target, "http://", 7) == 0)
    return TRUE;
  if (length > 8 && g_ascii_strncasecmp (target, "https://", 8) == 0)
    return TRUE;
  return length == 1 && *target == '*'
             ? TRUE
             : reeve_rest_head_refuse (self, 400, "the target is neither a path nor an address");
}

static gboolean
reeve_rest_head_check_version (ReeveRestHead *self, const char *version, gsize length)
{
  self->old = length == 8 && memcmp (version, "HTTP/1.0", 8) == 0;
  if (self->old || (length == 8 && memcmp (version, "HTTP/1.1", 8) == 0))
    return TRUE;
  if (length == 8 && memcmp (version, "HTTP/", 5) == 0 && g_ascii_isdigit (version[5])
      && version[6] == '.' && g_ascii_isdigit (version[7]))
    return reeve_rest_head_refuse (self, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  return reeve_rest_head_refuse (self, 400, "the request line does not end with a version");
}

static gboolean
reeve_rest_head_read_request (ReeveRestHead *self, const char *data, gsize length)
{
  const char *line = data + self->line;
  const char *first = memchr (line, ' ', length);
  const char *second
      = first != NULL ? memchr (first + 1, ' ', length - (gsize) (first + 1 - line)) : NULL;
  gsize method = first != NULL ? (gsize) (first - line) : 0;

  if (second == NULL || method == 0 || method > REEVE_REST_HEAD_MAX_METHOD)
    return reeve_rest_head_refuse (self, 400, "the request line is not METHOD TARGET VERSION");
  for (gsize i = 0; i < method; i++)
    if (!reeve_rest_head_is_token (line[i]))
      return reeve_rest_head_refuse (self, 400, "the method is not a word");
  self->method = (ReeveRestHeadSpan){ self->line, method };
  self->target = (ReeveRestHeadSpan){ self->line + method + 1, (gsize) (second - first) - 1 };
  if (reeve_rest_head_is (line, method, "CONNECT"))
    return reeve_rest_head_refuse (self, 501, "this is not a proxy");
  if (!reeve_rest_head_check_version (self, second + 1, length - (gsize) (second + 1 - line))
      || !reeve_rest_head_check_target (self, first + 1, self->target.length))
    return FALSE;
  if (first[1] == '*' && !reeve_rest_head_is (line, method, "OPTIONS"))
    return reeve_rest_head_refuse (self, 400, "only OPTIONS may ask for *");
  self->begun = TRUE;
  return TRUE;
}

/* ---- fields ---- */

/**
 * reeve_rest_head_check_field:
 * @line: a line without its end, and without control characters other than tabs
 * @length: of it, more than none
 * @name_length: (out): of the field's name
 *
 * Returns: (nullable): why it is no field
 */
const char *
reeve_rest_head_check_field (const char *line, gsize length, gsize *name_length)
{
  gsize name = 0;

  if (*line == ' ' || *line == '\t')
    return "a field is folded over two lines";
  while (name < length && reeve_rest_head_is_token (line[name]))
    name++;
  if (name < length && (line[name] == ' ' || line[name] == '\t'))
    return "there is a space in the name of a field or before its colon";
  if (name == 0 || name == length || line[name] != ':')
    return "a field is not NAME: VALUE";
  *name_length = name;
  return g_utf8_validate_len (line + name, length - name, NULL) ? NULL
                                                                : "a field is not valid UTF-8";
}

static gboolean
reeve_rest_head_take_length (ReeveRestHead *self, const char *value, gsize length)
{
  if (self->sized)
    return reeve_rest_head_refuse (self, 400, "there is more than one Content-Length");
  if (length == 0 || length > REEVE_REST_HEAD_MAX_DIGITS)
    return reeve_rest_head_refuse (self, 400, "the Content-Length is not a number that can be");
  for (gsize i = 0; i < length; i++)
    {
      if (!g_ascii_isdigit (value[i]))
        return reeve_rest_head_refuse (self, 400, "the Content-Length is not a number");
      self->content_length = self->content_length * 10 + (guint64) (value[i] - '0');
    }
  self->sized = TRUE;
  return TRUE;
}

static gboolean
reeve_rest_head_take_coding (ReeveRestHead *self, const char *value, gsize length)
{
  gboolean word = length > 0;

  if (self->chunked)
    return reeve_rest_head_refuse (self, 400, "there is more than one Transfer-Encoding");
  if (reeve_rest_head_is (value, length, "chunked"))
    {
      self->chunked = TRUE;
      return TRUE;
    }
  for (gsize i = 0; i < length; i++)
    word = word && g_ascii_isalpha (value[i]);
  if (word && !reeve_rest_head_is (value, length, "identity"))
    return reeve_rest_head_refuse (self, 501, "no Transfer-Encoding but chunked is known here");
  return reeve_rest_head_refuse (self, 400, "the Transfer-Encoding is not chunked");
}

/* Of `[::1]`; 0: it is none. A zone or an address of a version to come is nobody's Host. */
static gsize
reeve_rest_head_measure_literal (const char *value, gsize length)
{
  const char *end = memchr (value, ']', length);
  char text[INET6_ADDRSTRLEN + 1] = { 0 };
  struct in6_addr address;

  if (end == NULL || (gsize) (end - value) > INET6_ADDRSTRLEN)
    return 0;
  memcpy (text, value + 1, (gsize) (end - value) - 1);
  return inet_pton (AF_INET6, text, &address) == 1 ? (gsize) (end - value) + 1 : 0;
}

/* The name of a host or its address of version 4. RFC 3986 lets a name be encoded and have other
 * characters; no host has such a one, and two readers decode it in two ways. */
static gsize
reeve_rest_head_measure_name (const char *value, gsize length)
{
  gsize n = 0;

  while (n < length && (g_ascii_isalnum (value[n]) || strchr ("-._~", value[n]) != NULL))
    n++;
  return n <= REEVE_REST_HEAD_MAX_NAME ? n : 0;
}

/* `` and `:` are ports too. */
static gboolean
reeve_rest_head_is_port (const char *value, gsize length)
{
  guint port = 0;

  if (length > 6 || (length > 0 && *value != ':'))
    return FALSE;
  for (gsize i = 1; i < length; i++)
    {
      if (!g_ascii_isdigit (value[i]))
        return FALSE;
      port = port * 10 + (guint) (value[i] - '0');
    }
  return port <= G_MAXUINT16;
}

/* As RFC 9112, 3.2 and RFC 3986, 3.2.2 say: what libsoup could not make an address of never gets
 * there, where its refusal would be a bare one. */
static gboolean
reeve_rest_head_take_host (ReeveRestHead *self, const char *data, const char *value, gsize length)
{
  gsize name = 0;

  if (self->host.length > 0)
    return reeve_rest_head_refuse (self, 400, "there is more than one Host");
  if (length == 0)
    return reeve_rest_head_refuse (self, 400, "the Host is empty");
  name = *value == '[' ? reeve_rest_head_measure_literal (value, length)
                       : reeve_rest_head_measure_name (value, length);
  if (name == 0 || !reeve_rest_head_is_port (value + name, length - name))
    return reeve_rest_head_refuse (self, 400, "the Host is not a name and a port");
  self->host = (ReeveRestHeadSpan){ (gsize) (value - data), length };
  return TRUE;
}

static gboolean
reeve_rest_head_take_connection (ReeveRestHead *self, const char *value, gsize length)
{
  for (gsize from = 0, to = 0; from < length; from = to + 1)
    {
      const char *comma = memchr (value + from, ',', length - from);
      gsize word = 0;

      to = comma != NULL ? (gsize) (comma - value) : length;
      while (from < to && (value[from] == ' ' || value[from] == '\t'))
        from++;
      for (word = to; word > from && (value[word - 1] == ' ' || value[word - 1] == '\t');)
        word--;
      if (reeve_rest_head_is (value + from, word - from, "close"))
        self->close = TRUE;
    }
  return TRUE;
}

/* What decides who asks for what must be said once: two readers could heed another one each. */
static gboolean
reeve_rest_head_take_once (ReeveRestHead *self, const char *name, gsize length)
{
  static const char *const names[]
      = { "Authorization", "X-API-Key", "X-Tenant-ID", "Content-Type", "Idempotency-Key" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      if (!reeve_rest_head_is (name, length, names[i]))
        continue;
      if (self->once & (1U << i))
        return reeve_rest_head_refuse (self, 400, "a field that may come once came twice");
      self->once |= 1U << i;
    }
  return TRUE;
}

static gboolean
reeve_rest_head_read_field (ReeveRestHead *self, const char *data, gsize length)
{
  const char *line = data + self->line;
  gsize name = 0;
  const char *why = reeve_rest_head_check_field (line, length, &name);
  const char *value = line + name + 1;

  if (why != NULL)
    return reeve_rest_head_refuse (self, 400, why);
  if (++self->fields > REEVE_REST_HEAD_MAX_FIELDS)
    return reeve_rest_head_refuse (self, 431, "the head has too many fields");
  length -= name + 1;
  while (length > 0 && (*value == ' ' || *value == '\t'))
    {
      value++;
      length--;
    }
  while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
    length--;
  if (reeve_rest_head_is (line, name, "Host"))
    return reeve_rest_head_take_host (self, data, value, length);
  if (reeve_rest_head_is (line, name, "Content-Length"))
    return reeve_rest_head_take_length (self, value, length);
  if (reeve_rest_head_is (line, name, "Transfer-Encoding"))
    return reeve_rest_head_take_coding (self, value, length);
  if (reeve_rest_head_is (line, name, "Connection"))
    return reeve_rest_head_take_connection (self, value, length);
  if (!reeve_rest_head_is (line, name, "Expect"))
    return reeve_rest_head_take_once (self, line, name);
  self->expect = TRUE;
  return reeve_rest_head_is (value, length, "100-continue")
             ? TRUE
             : reeve_rest_head_refuse (self, 417, "nothing but 100-continue can be expected");
}

/* ---- all of it ---- */

/* An address in the target must be the host's, or a proxy and we would serve two different ones. */
static gboolean
reeve_rest_head_check_authority (ReeveRestHead *self, const char *data)
{
  const char *target = data + self->target.offset;
  gsize length = 0;

  if (self->host.length == 0)
    return self->old && *target == '/' ? TRUE
                                       : reeve_rest_head_refuse (self, 400, "the Host is missing");
  if (*target == '/' || *target == '*')
    return TRUE;
  /* what is neither begins with a scheme and "://": it was looked at with its line */
  target = (const char *) memchr (target, ':', self->target.length) + 3;
  length = self->target.length - (gsize) (target - data - self->target.offset);
  for (gsize i = 0; i < length; i++)
    if (target[i] == '/' || target[i] == '?')
      length = i;
  return length == self->host.length
                 && g_ascii_strncasecmp (target, data + self->host.offset, length) == 0
             ? TRUE
             : reeve_rest_head_refuse (self, 400, "the target is at another place than the Host");
}

static gboolean
reeve_rest_head_finish (ReeveRestHead *self, const char *data)
{
  if (self->chunked && self->sized)
    return reeve_rest_head_refuse (self, 400, "a Content-Length beside a Transfer-Encoding");
  if (self->chunked && self->old)
    return reeve_rest_head_refuse (self, 400, "HTTP/1.0 has no Transfer-Encoding");
  if (!reeve_rest_head_check_authority (self, data))
    return FALSE;
  self->close = self->close || self->old;
  self->expect = self->expect && !self->old;
  return TRUE;
}

/* What has come of a line since the last look, without its LF, which is there or not. */
static gboolean
reeve_rest_head_check_bytes (ReeveRestHead *self, const char *data, gsize end, gboolean ended)
{
  for (gsize i = self->scanned; i < end; i++)
    {
      guchar c = (guchar) data[i];

      if (i > self->line && data[i - 1] == '\r')
        return reeve_rest_head_refuse (self, 400, "a CR stands alone in the head");
      if ((c < ' ' && c != '\t' && c != '\r') || c == 0x7f)
        return reeve_rest_head_refuse (self, 400, "there is a control character in the head");
    }
  if (!self->begun && end - self->line > REEVE_REST_HEAD_MAX_LINE)
    return reeve_rest_head_refuse (self, 414, "the target is too long");
  return end - self->start + (ended ? 1 : 0) <= self->max_size
             ? TRUE
             : reeve_rest_head_refuse (self, 431, "the head is larger than server.max_header");
}

/* One line without its end. */
static gboolean
reeve_rest_head_read_line (ReeveRestHead *self, const char *data, gsize length)
{
  if (self->begun)
    return reeve_rest_head_read_field (self, data, length);
  if (length > 0)
    return reeve_rest_head_read_request (self, data, length);
  self->start = self->line + 2;
  return ++self->blanks <= REEVE_REST_HEAD_MAX_BLANKS
             ? TRUE
             : reeve_rest_head_refuse (self, 400, "blank lines instead of a request");
}

/**
 * reeve_rest_head_scan:
 * @self: a scanner
 * @data: all bytes of the head that there are, what was scanned before included
 * @length: of them
 *
 * Looks at each byte once, however few come at a time. Sources: RFC 9112, RFC 9110.
 *
 * Returns: whether the head is complete
 */
ReeveRestHeadResult
reeve_rest_head_scan (ReeveRestHead *self, const char *data, gsize length)
{
  while (self->status == 0 && self->scanned < length)
    {
      const char *lf = memchr (data + self->scanned, '\n', length - self->scanned);
      gsize end = lf != NULL ? (gsize) (lf - data) : length;
      gboolean last = FALSE;

      if (!reeve_rest_head_check_bytes (self, data, end, lf != NULL))
        break;
      self->scanned = end;
      if (lf == NULL)
        return REEVE_REST_HEAD_MORE;
      if (end == self->line || data[end - 1] != '\r')
        {
          reeve_rest_head_refuse (self, 400, "a LF stands alone in the head");
          break;
        }
      last = self->begun && end - self->line == 1;
      if (last ? !reeve_rest_head_finish (self, data)
               : !reeve_rest_head_read_line (self, data, end - self->line - 1))
        break;
      self->line = self->scanned = self->end = end + 1;
      if (last)
        return REEVE_REST_HEAD_DONE;
    }
  return self->status == 0 ? REEVE_REST_HEAD_MORE : REEVE_REST_HEAD_BAD;
}
