/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Read in one place: what the configuration refuses and what the door opens must be the same. */
#include "config-listen.h"

#include <string.h>

static gboolean
reeve_config_listen_is_loopback (const char *address)
{
  const char *colon = strrchr (address, ':');
  gsize length = colon != NULL ? (gsize) (colon - address) : strlen (address);
  gboolean braced = length >= 2 && address[0] == '[' && address[length - 1] == ']';
  g_autofree char *host
      = braced ? g_strndup (address + 1, length - 2) : g_strndup (address, length);
  g_autoptr (GInetAddress) inet = g_inet_address_new_from_string (host);

  return inet != NULL ? g_inet_address_get_is_loopback (inet) : strcmp (host, "localhost") == 0;
}

ReeveConfigListen
reeve_config_listen_read (const char *text, gboolean tls)
{
  gboolean plain = g_str_has_prefix (text, "http://");
  gboolean wants_tls = g_str_has_prefix (text, "https://");
  const char *address = text;

  if (plain || wants_tls)
    address = strstr (text, "://") + strlen ("://");
  return (ReeveConfigListen){
    .address = address,
    .encrypted = wants_tls || (tls && !plain),
    .wants_tls = wants_tls,
    .loopback = reeve_config_listen_is_loopback (address),
  };
}
