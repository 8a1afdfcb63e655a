/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One place for what clients, secrets and manifests must agree on. RFC 9110, section 5. */
#include "http-fields.h"

#include <string.h>

gboolean
reeve_http_fields_is_token (const char *text)
{
  for (const char *p = text; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr ("!#$%&'*+-.^_`|~", *p) == NULL)
      return FALSE;
  return *text != '\0';
}

gboolean
reeve_http_fields_is_value (const char *text)
{
  for (const char *p = text; *p != '\0'; p++)
    if (((guchar) *p < 0x20 && *p != '\t') || *p == 0x7f)
      return FALSE;
  return TRUE;
}

gboolean
reeve_http_fields_is_framing (const char *name)
{
  static const char *const names[] = { "Host",
                                       "Content-Length",
                                       "Transfer-Encoding",
                                       "Connection",
                                       "Keep-Alive",
                                       "Upgrade",
                                       "Trailer",
                                       "TE",
                                       "Proxy-Connection",
                                       "Expect",
                                       NULL };

  for (guint i = 0; names[i] != NULL; i++)
    if (g_ascii_strcasecmp (name, names[i]) == 0)
      return TRUE;
  return FALSE;
}
