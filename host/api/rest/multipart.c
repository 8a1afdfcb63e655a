/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libsoup cuts the form; names, sizes and number of its parts are bounded here. */
#include "multipart.h"

#include <string.h>

#define REEVE_REST_MULTIPART_MAX_NAME 255

/* A file name without folders, as RFC 7578 advises. */
static char *
reeve_rest_multipart_base_name (const char *name)
{
  const char *slash = strrchr (name, '/');
  const char *back = NULL;

  name = slash != NULL ? slash + 1 : name;
  back = strrchr (name, '\\');
  name = back != NULL ? back + 1 : name;
  return *name != '\0' ? g_utf8_make_valid (name, -1) : g_strdup ("file");
}

static gboolean
reeve_rest_multipart_add (ReeveCall *call, SoupMessageHeaders *headers, GBytes *bytes)
{
  g_autofree char *disposition = NULL;
  g_autoptr (GHashTable) params = NULL;
  g_autofree char *base = NULL;
  g_autofree char *media_type = NULL;
  const char *name = NULL;
  const char *file = NULL;
  ReeveCallPart part = { 0 };

  if (!soup_message_headers_get_content_disposition (headers, &disposition, &params)
      || g_ascii_strcasecmp (disposition, "form-data") != 0)
    return FALSE;
  name = g_hash_table_lookup (params, "name");
  file = g_hash_table_lookup (params, "filename");
  if (name == NULL || *name == '\0' || strlen (name) > REEVE_REST_MULTIPART_MAX_NAME
      || !g_utf8_validate (name, -1, NULL)
      || (file != NULL && strlen (file) > REEVE_REST_MULTIPART_MAX_NAME))
    return FALSE;
  base = file != NULL ? reeve_rest_multipart_base_name (file) : NULL;
  media_type = g_strdup (soup_message_headers_get_content_type (headers, NULL));
  part.name = (char *) name;
  part.file_name = base;
  part.media_type = media_type;
  part.bytes = bytes;
  reeve_call_add_part (call, &part);
  return TRUE;
}

/* libsoup 3.2 searches the body as if a NUL ended it, and reads behind it where none does. */
static GBytes *
reeve_rest_multipart_terminate (GBytes *body)
{
  gsize length = 0;
  const char *data = g_bytes_get_data (body, &length);
  char *copy = g_malloc (length + 1);

  if (length > 0)
    memcpy (copy, data, length);
  copy[length] = '\0';
  return g_bytes_new_with_free_func (copy, length, g_free, copy);
}

void
reeve_rest_multipart_read (ReeveCall *call, SoupMessageHeaders *headers, GBytes *body)
{
  const char *media_type = soup_message_headers_get_content_type (headers, NULL);
  g_autoptr (GBytes) terminated = NULL;
  SoupMultipart *form = NULL;

  if (media_type == NULL || g_ascii_strcasecmp (media_type, "multipart/form-data") != 0)
    return;
  terminated = reeve_rest_multipart_terminate (body);
  form = soup_multipart_new_from_message (headers, terminated);
  if (form == NULL)
    return;
  for (int i = 0; i < MIN (soup_multipart_get_length (form), REEVE_REST_MULTIPART_MAX_PARTS); i++)
    {
      SoupMessageHeaders *part_headers = NULL;
      GBytes *bytes = NULL;

      if (!soup_multipart_get_part (form, i, &part_headers, &bytes)
          || !reeve_rest_multipart_add (call, part_headers, bytes))
        break;
    }
  soup_multipart_free (form);
}
