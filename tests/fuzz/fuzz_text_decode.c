/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a text file: what is read is valid UTF-8 without control characters, or it is
 * refused with a reason. */
/* covers: plugins/extractor-text/text-decode.c */
#include "text-decode.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *text = text_decode ((const gchar *) data, size, &error);
  g_autofree gchar *title = text != NULL ? text_decode_title (text) : NULL;

  if ((text == NULL) != (error != NULL))
    abort ();
  if (text != NULL
      && (!g_utf8_validate (text, -1, NULL) || strlen (text) > size || strchr (text, '\r') != NULL))
    abort ();
  if (title != NULL && (*title == '\0' || !g_utf8_validate (title, -1, NULL)))
    abort ();
  return 0;
}
