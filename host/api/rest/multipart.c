/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Forms by RFC 7578, cut by RFC 2046, section 5.1. Ours and not libsoup's: that one (3.2) hands out
 * parts of negative length, and frees parameters twice. Strict: lines end with CR and LF, headers
 * are not folded, and a form with one bad part has none. */
#include "multipart.h"

#include <string.h>

#include "base/plain.h"

#define REEVE_REST_MULTIPART_MAX_NAME     255
#define REEVE_REST_MULTIPART_MAX_BOUNDARY 70
#define REEVE_REST_MULTIPART_MAX_HEAD     4096
#define REEVE_REST_MULTIPART_BLANK        " \t"

/* What is left to read. */
typedef struct
{
  const char *at;
  gsize left;
} ReeveRestMultipartRest;

static gboolean
reeve_rest_multipart_skip (ReeveRestMultipartRest *rest, const char *text)
{
  gsize length = strlen (text);

  if (rest->left < length || memcmp (rest->at, text, length) != 0)
    return FALSE;
  rest->at += length;
  rest->left -= length;
  return TRUE;
}

/* ---- names ---- */

/* A file name without folders, as RFC 7578 advises. What is no name of a file is none here. */
static char *
reeve_rest_multipart_base_name (const char *name)
{
  const char *slash = strrchr (name, '/');
  const char *back = NULL;

  name = slash != NULL ? slash + 1 : name;
  back = strrchr (name, '\\');
  name = back != NULL ? back + 1 : name;
  return g_strdup (*name == '\0' || strcmp (name, ".") == 0 || strcmp (name, "..") == 0 ? "file"
                                                                                        : name);
}

/* a quoted text or a word, and what stands behind it; NULL when there is none */
static char *
reeve_rest_multipart_read_value (const char **text)
{
  g_autoptr (GString) value = g_string_new (NULL);
  const char *at = *text;

  if (*at != '"')
    {
      gsize length = strcspn (at, "; \t\"");

      *text = at + length;
      return length > 0 ? g_strndup (at, length) : NULL;
    }
  for (at++; *at != '"'; at++)
    {
      /* browsers write no escape but this one; the backslash of a path stands for itself */
      if (*at == '\\' && (at[1] == '"' || at[1] == '\\'))
        at++;
      if (*at == '\0')
        return NULL;
      g_string_append_c (value, *at);
    }
  *text = at + 1;
  return g_string_free (g_steal_pointer (&value), FALSE);
}

/* RFC 8187: charset'language'value, in UTF-8 only; the language of a file's name is nobody's
 * matter. NULL: not understood. */
static char *
reeve_rest_multipart_decode (const char *value)
{
  static const char charset[] = "UTF-8'";
  g_autofree char *text = NULL;

  if (g_ascii_strncasecmp (value, charset, strlen (charset)) != 0)
    return NULL;
  value += strlen (charset);
  while (g_ascii_isalnum (*value) || *value == '-')
    value++;
  if (*value != '\'')
    return NULL;
  text = g_uri_unescape_string (value + 1, NULL);
  return text != NULL && g_utf8_validate (text, -1, NULL) ? g_steal_pointer (&text) : NULL;
}

typedef struct
{
  const char *key;
  char *value;
} ReeveRestMultipartParam;

/* `form-data; name="a"; filename="b"`: word, then parameters, those that are asked for once each */
static gboolean
reeve_rest_multipart_read_params (const char *text, const char *word,
                                  ReeveRestMultipartParam *wanted, guint n)
{
  if (g_ascii_strncasecmp (text, word, strlen (word)) != 0)
    return FALSE;
  text += strlen (word);
  for (text += strspn (text, REEVE_REST_MULTIPART_BLANK); *text == ';';
       text += strspn (text, REEVE_REST_MULTIPART_BLANK))
    {
      g_autofree char *key = NULL;
      g_autofree char *value = NULL;

      text += 1 + strspn (text + 1, REEVE_REST_MULTIPART_BLANK);
      key = g_ascii_strdown (text, (gssize) strcspn (text, "=; \t"));
      text += strlen (key);
      if (*text != '=')
        return FALSE;
      text++;
      value = reeve_rest_multipart_read_value (&text);
      if (value == NULL)
        return FALSE;
      for (guint i = 0; i < n; i++)
        {
          if (strcmp (key, wanted[i].key) != 0)
            continue;
          if (wanted[i].value != NULL)
            return FALSE;
          wanted[i].value = g_strdup (value);
        }
    }
  return *text == '\0';
}

static gboolean
reeve_rest_multipart_read_disposition (const char *text, ReeveCallPart *part)
{
  ReeveRestMultipartParam params[]
      = { { "name", NULL }, { "filename", NULL }, { "filename*", NULL } };
  gboolean good = reeve_rest_multipart_read_params (text, "form-data", params, 3);
  g_autofree char *plain = params[1].value;
  g_autofree char *encoded = params[2].value;

  part->name = params[0].value;
  if (encoded != NULL)
    part->file_name = reeve_rest_multipart_decode (encoded);
  if (part->file_name == NULL)
    part->file_name = g_steal_pointer (&plain);
  /* a file whose name is not understood must not become a value */
  return good && (encoded == NULL || part->file_name != NULL);
}

static gboolean
reeve_rest_multipart_check_names (ReeveCallPart *part)
{
  g_autofree char *given = NULL;

  if (part->name == NULL || *part->name == '\0'
      || strlen (part->name) > REEVE_REST_MULTIPART_MAX_NAME
      || !g_utf8_validate (part->name, -1, NULL) || !reeve_plain_is_line (part->name))
    return FALSE;
  if (part->file_name == NULL)
    return TRUE;
  /* a name with a line break or another control character is refused, not mended: what it was
   * meant to be is not known (RFC 6266, 4.3 and 7.1) */
  if (strlen (part->file_name) > REEVE_REST_MULTIPART_MAX_NAME
      || !reeve_plain_is_line (part->file_name))
    return FALSE;
  given = g_steal_pointer (&part->file_name);
  part->file_name = reeve_rest_multipart_base_name (given);
  return TRUE;
}

/* ---- one part ---- */

static gboolean
reeve_rest_multipart_read_header (const char *line, ReeveCallPart *part, gboolean *disposed)
{
  const char *colon = strchr (line, ':');
  gsize length = colon != NULL ? (gsize) (colon - line) : 0;
  g_autofree char *name = g_ascii_strdown (line, (gssize) length);
  const char *value = NULL;

  if (length == 0 || strcspn (line, REEVE_REST_MULTIPART_BLANK) < length)
    return FALSE;
  value = colon + 1 + strspn (colon + 1, REEVE_REST_MULTIPART_BLANK);
  if (strcmp (name, "content-disposition") == 0)
    {
      if (*disposed)
        return FALSE;
      *disposed = TRUE;
      return reeve_rest_multipart_read_disposition (value, part);
    }
  if (strcmp (name, "content-type") == 0)
    {
      if (part->media_type != NULL)
        return FALSE;
      part->media_type = g_ascii_strdown (value, (gssize) strcspn (value, "; \t"));
    }
  return TRUE;
}

static gboolean
reeve_rest_multipart_read_head (const char *head, gsize length, ReeveCallPart *part)
{
  g_autofree char *text = g_strndup (head, length);
  g_auto (GStrv) lines = g_strsplit (text, "\r\n", -1);
  gboolean disposed = FALSE;

  if (length > REEVE_REST_MULTIPART_MAX_HEAD || strlen (text) != length
      || !g_utf8_validate (text, -1, NULL))
    return FALSE;
  for (guint i = 0; lines[i] != NULL; i++)
    {
      if (strpbrk (lines[i], "\r\n") != NULL
          || !reeve_rest_multipart_read_header (lines[i], part, &disposed))
        return FALSE;
    }
  return disposed && reeve_rest_multipart_check_names (part);
}

/* start: of the part, its head first; NULL when it is bad */
static ReeveCallPart *
reeve_rest_multipart_read_part (GBytes *body, const char *start, gsize length)
{
  const char *whole = g_bytes_get_data (body, NULL);
  const char *blank = memmem (start, length, "\r\n\r\n", 4);
  ReeveCallPart *part = g_new0 (ReeveCallPart, 1);
  gsize head = blank != NULL ? (gsize) (blank - start) : 0;

  if (blank == NULL || !reeve_rest_multipart_read_head (start, head, part))
    {
      reeve_call_part_free (part);
      return NULL;
    }
  part->bytes = g_bytes_new_from_bytes (body, (gsize) (blank + 4 - whole), length - head - 4);
  return part;
}

/* ---- the form ---- */

/* Behind a boundary: 1 a part begins, 0 the form ends, -1 neither. */
static int
reeve_rest_multipart_begin (ReeveRestMultipartRest *rest)
{
  gboolean last = reeve_rest_multipart_skip (rest, "--");

  while (reeve_rest_multipart_skip (rest, " ") || reeve_rest_multipart_skip (rest, "\t"))
    continue;
  /* `--b--` with more behind it is content that looks like the end: a part would lose its tail */
  if (!reeve_rest_multipart_skip (rest, "\r\n") && !(last && rest->left == 0))
    return -1;
  return last ? 0 : 1;
}

/* (transfer full) (nullable) the parts; NULL when the form is malformed */
static GPtrArray *
reeve_rest_multipart_cut (GBytes *body, const char *boundary)
{
  g_autoptr (GPtrArray) parts
      = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_call_part_free);
  g_autofree char *delimiter = g_strconcat ("\r\n--", boundary, NULL);
  gsize width = strlen (delimiter);
  ReeveRestMultipartRest rest = { 0 };
  const char *end = NULL;
  int more = 0;

  rest.at = g_bytes_get_data (body, &rest.left);
  if (!reeve_rest_multipart_skip (&rest, delimiter + 2))
    {
      /* what stands before the first boundary is for nobody */
      end = rest.left > 0 ? memmem (rest.at, rest.left, delimiter, width) : NULL;
      if (end == NULL)
        return NULL;
      rest.left -= (gsize) (end - rest.at) + width;
      rest.at = end + width;
    }
  while ((more = reeve_rest_multipart_begin (&rest)) == 1)
    {
      ReeveCallPart *part = NULL;

      end = memmem (rest.at, rest.left, delimiter, width);
      if (end == NULL || parts->len == REEVE_REST_MULTIPART_MAX_PARTS)
        return NULL;
      part = reeve_rest_multipart_read_part (body, rest.at, (gsize) (end - rest.at));
      if (part == NULL)
        return NULL;
      g_ptr_array_add (parts, part);
      rest.left -= (gsize) (end - rest.at) + width;
      rest.at = end + width;
    }
  return more == 0 ? g_steal_pointer (&parts) : NULL;
}

void
reeve_rest_multipart_read (ReeveCall *call, const char *media_type, GBytes *body)
{
  ReeveRestMultipartParam params[] = { { "boundary", NULL } };
  gboolean good
      = media_type != NULL
        && reeve_rest_multipart_read_params (media_type, "multipart/form-data", params, 1);
  g_autofree char *boundary = params[0].value;
  g_autoptr (GPtrArray) parts = NULL;

  if (!good || boundary == NULL || *boundary == '\0'
      || strlen (boundary) > REEVE_REST_MULTIPART_MAX_BOUNDARY
      || strpbrk (boundary, "\r\n") != NULL)
    return;
  parts = reeve_rest_multipart_cut (body, boundary);
  for (guint i = 0; parts != NULL && i < parts->len; i++)
    reeve_call_add_part (call, g_ptr_array_index (parts, i));
}
