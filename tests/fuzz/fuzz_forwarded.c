/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzzes X-Forwarded-For, and lists of addresses: whatever somebody writes to the left, who asks is
 * what the proxies wrote to the right of it, as addresses are compared, or not known; and never the
 * word of one that is not trusted. Input: a line of proxies, a line with the address of the
 * connection, the field. */
/* covers: host/api/rest/forwarded.c host/base/address-list.c */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "api/rest/forwarded.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
look_at_caller (const char *caller)
{
  g_autoptr (GInetAddress) address = reeve_address_list_parse (caller);
  g_autofree char *text = address != NULL ? g_inet_address_to_string (address) : NULL;

  if (address != NULL)
    g_assert_cmpstr (text, ==, caller);
  else
    g_assert_cmpstr (caller, ==, REEVE_REST_FORWARDED_UNKNOWN);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", 3);
  g_auto (GStrv) names = NULL;
  g_autoptr (ReeveAddressList) proxies = NULL;
  g_autofree char *caller = NULL;

  if (g_strv_length (lines) < 3)
    return 0;
  names = g_strsplit (lines[0], " ", 16);
  proxies = reeve_address_list_new ((const char *const *) names, NULL);
  if (proxies == NULL)
    return 0;
  caller = reeve_rest_forwarded_find (lines[1], lines[2], proxies);
  g_autoptr (GInetAddress) peer = reeve_address_list_parse (lines[1]);
  g_autofree char *connected = peer != NULL ? g_inet_address_to_string (peer) : g_strdup (lines[1]);
  if (peer == NULL || !reeve_address_list_contains (proxies, connected))
    {
      g_assert_cmpstr (caller, ==, connected);
      return 0;
    }
  look_at_caller (caller);
  /* what anybody wrote before it changes nothing: but where all that came after is trusted, it is
   * what the leftmost one was asked by */
  g_autofree char *more = g_strconcat ("203.0.113.99,", lines[2], NULL);
  g_autofree char *same = reeve_rest_forwarded_find (lines[1], more, proxies);
  if (!reeve_address_list_contains (proxies, caller))
    g_assert_cmpstr (same, ==, caller);
  else
    look_at_caller (same);
  return 0;
}
