/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A request's method and path, one a line, against the real table. */
/* covers: host/api/rest/router.c */
#include "api/rest/router.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static ReeveRestRouter *router = NULL;
  g_autofree char *text = g_strndup ((const char *) data, size);
  char *path = strchr (text, '\n');
  g_auto (ReeveRestMatch) match = { 0 };

  if (router == NULL)
    router = reeve_rest_router_new (reeve_operations);
  if (path == NULL)
    return 0;
  *path++ = '\0';
  if (!reeve_rest_router_match (router, text, path, &match))
    return 0;
  g_assert_true ((match.operation == NULL) == (match.allow != NULL));
  for (guint i = 0; i < match.length; i++)
    g_assert_true (g_utf8_validate (match.values[i], -1, NULL));
  return 0;
}
