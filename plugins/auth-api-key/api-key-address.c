/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses and networks of a key. */
#include "api-key-address.h"

#include <gio/gio.h>
#include <string.h>

/* An IPv4 address that came in through an IPv6 socket (::ffff:a.b.c.d) is that IPv4 address. */
static GInetAddress *
api_key_address_parse (const char *text)
{
  static const guint8 mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (text);

  if (address != NULL && g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6
      && memcmp (g_inet_address_to_bytes (address), mapped, sizeof mapped) == 0)
    return g_inet_address_new_from_bytes (g_inet_address_to_bytes (address) + sizeof mapped,
                                          G_SOCKET_FAMILY_IPV4);
  return g_steal_pointer (&address);
}

/**
 * api_key_address_is_allowed:
 * @allowed: (nullable): addresses and networks (a.b.c.d/n); %NULL or empty allows all
 * @address: (nullable): where the caller is
 *
 * An entry that cannot be read allows nothing.
 *
 * Returns: whether a key may be shown from @address
 */
gboolean
api_key_address_is_allowed (JsonArray *allowed, const char *address)
{
  g_autoptr (GInetAddress) parsed = NULL;

  if (allowed == NULL || json_array_get_length (allowed) == 0)
    return TRUE;
  parsed = address != NULL ? api_key_address_parse (address) : NULL;
  if (parsed == NULL)
    return FALSE;
  for (guint i = 0; i < json_array_get_length (allowed); i++)
    {
      JsonNode *node = json_array_get_element (allowed, i);
      const char *text = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_string (node) : NULL;
      g_autoptr (GInetAddressMask) mask
          = text != NULL ? g_inet_address_mask_new_from_string (text, NULL) : NULL;

      if (mask != NULL && g_inet_address_mask_matches (mask, parsed))
        return TRUE;
    }
  return FALSE;
}
