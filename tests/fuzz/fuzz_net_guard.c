/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzzes the guard's reading of URLs: what it says of one must be what the client that connects
 * would read. */
/* covers: host/runtime/net-guard.c */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "runtime/net-guard.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *url = g_strndup ((const char *) data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveNetGuardTarget) target = reeve_net_guard_target_new (url, &error);
  g_autoptr (GUri) uri = NULL;
  g_autofree char *host = NULL;
  const char *const granted[] = { target != NULL ? url : "http://a/", NULL };

  g_assert ((target == NULL) == (error != NULL));
  if (target == NULL)
    return 0;
  /* the flags of the client */
  uri = g_uri_parse (url, G_URI_FLAGS_ENCODED | G_URI_FLAGS_SCHEME_NORMALIZE, NULL);
  g_assert (uri != NULL && g_uri_get_userinfo (uri) == NULL);
  host = g_ascii_strdown (g_uri_get_host (uri), -1);
  g_assert (g_str_has_prefix (host, target->host));
  g_assert (strlen (host) - strlen (target->host) <= 1);
  g_assert (g_uri_get_port (uri) <= 0 || g_uri_get_port (uri) == target->port);
  g_assert (reeve_net_guard_is_granted (target, granted));
  if (target->literal != NULL)
    {
      g_autoptr (GPtrArray) list = g_ptr_array_new ();

      g_ptr_array_add (list, target->literal);
      g_assert (reeve_net_guard_check_addresses (target, list, NULL)
                == (reeve_net_guard_classify (target->literal) == REEVE_NET_GUARD_NONE));
    }
  else
    g_assert (!strchr (target->host, ':'));
  return 0;
}
