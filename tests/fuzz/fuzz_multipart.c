/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Forms with files. The first byte chooses: any bytes as a body with the boundary "b", or parts
 * made of the bytes, which must come out as they went in. */
/* covers: host/api/rest/multipart.c */
#include "api/rest/multipart.h"
#include "base/plain.h"

#include <stdint.h>
#include <string.h>

#define TYPE "multipart/form-data; boundary=b"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static const char *const names[] = { "file", "title", "metadata", "classification", "a" };

static ReeveCall *
read_form (const char *media_type, GBytes *body)
{
  ReeveCall *call = reeve_call_new (reeve_operation_find ("documents.upload"), NULL, "fuzz");

  reeve_rest_multipart_read (call, media_type, body);
  return call;
}

/* What may be said of every part. */
static void
check_part (const ReeveCallPart *part, gsize size)
{
  g_assert_true (g_utf8_validate (part->name, -1, NULL));
  g_assert_cmpuint (strlen (part->name), <=, 255);
  g_assert_cmpuint (g_bytes_get_size (part->bytes), <=, size);
  if (part->file_name == NULL)
    return;
  g_assert_true (g_utf8_validate (part->file_name, -1, NULL));
  g_assert_true (*part->file_name != '\0');
  g_assert_null (strpbrk (part->file_name, "/\\"));
  g_assert_true (reeve_plain_is_line (part->file_name));
}

static void
read_any (const char *type, const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) body = g_bytes_new (data, size);
  g_autoptr (ReeveCall) call = read_form (type, body);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const ReeveCallPart *part = reeve_call_get_part (call, names[i]);

      if (part != NULL)
        check_part (part, size);
    }
}

/* One part for each piece between bytes of value 1, if nothing in it can be taken for a boundary.
 */
static void
read_own (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (GStrv) pieces = g_strsplit (text, "\001", G_N_ELEMENTS (names));
  g_autoptr (GString) form = g_string_new (NULL);
  g_autoptr (GBytes) body = NULL;
  g_autoptr (ReeveCall) call = NULL;

  if (strstr (text, "--b") != NULL || *pieces == NULL)
    return;
  for (guint i = 0; pieces[i] != NULL; i++)
    g_string_append_printf (
        form, "--b\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"f%u\"\r\n\r\n%s\r\n",
        names[i], i, pieces[i]);
  g_string_append (form, "--b--\r\n");
  body = g_bytes_new (form->str, form->len);
  call = read_form (TYPE, body);
  for (guint i = 0; pieces[i] != NULL; i++)
    {
      const ReeveCallPart *part = reeve_call_get_part (call, names[i]);
      gsize length = 0;

      g_assert_nonnull (part);
      check_part (part, size);
      const char *bytes = g_bytes_get_data (part->bytes, &length);
      g_assert_cmpmem (bytes, length, pieces[i], strlen (pieces[i]));
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const uint8_t *line = size > 1 ? memchr (data + 1, '\n', size - 1) : NULL;
  g_autofree char *type = NULL;

  if (size == 0)
    return 0;
  if (data[0] & 1)
    read_own (data + 1, size - 1);
  else if (!(data[0] & 2) || line == NULL)
    read_any (TYPE, data + 1, size - 1);
  else
    {
      type = g_strndup ((const char *) data + 1, (gsize) (line - data) - 1);
      read_any (type, line + 1, size - (gsize) (line - data) - 1);
    }
  return 0;
}
