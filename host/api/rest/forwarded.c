/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each proxy appends whom it was asked by. What stands to the left of the last one that is not
 * trusted was written by just anybody. */
#include "forwarded.h"

#include <string.h>

/* longer than any chain of proxies */
#define REEVE_REST_FORWARDED_HOPS 32
/* longer than an address with brackets and a port */
#define REEVE_REST_FORWARDED_ENTRY 64

/* (transfer full) (nullable): as addresses are compared; NULL: it is none */
static char *
reeve_rest_forwarded_normalise (const char *text)
{
  g_autoptr (GInetAddress) address = reeve_address_list_parse (text);

  return address != NULL ? g_inet_address_to_string (address) : NULL;
}

/* Some proxies write the port, too: a.b.c.d:p, [v6]:p. Takes it off @text, and the brackets. */
static char *
reeve_rest_forwarded_strip (char *text)
{
  char *end = *text == '[' ? strchr (text, ']') : strchr (text, ':');
  char *port = end;

  if (end == NULL || (*text != '[' && strchr (end + 1, ':') != NULL))
    return text;
  if (*text == '[')
    port = end + 1;
  if (*port != '\0'
      && (*port != ':' || port[1] == '\0' || strspn (port + 1, "0123456789") != strlen (port + 1)))
    return text;
  *end = '\0';
  return *text == '[' ? text + 1 : text;
}

/* (transfer full): what a proxy wrote */
static char *
reeve_rest_forwarded_read (const char *entry, gsize length)
{
  g_autofree char *text = g_strstrip (g_strndup (entry, MIN (length, REEVE_REST_FORWARDED_ENTRY)));
  char *address = length <= REEVE_REST_FORWARDED_ENTRY
                      ? reeve_rest_forwarded_normalise (reeve_rest_forwarded_strip (text))
                      : NULL;

  return address != NULL ? address : g_strdup (REEVE_REST_FORWARDED_UNKNOWN);
}

char *
reeve_rest_forwarded_dup_peer (GSocketAddress *remote)
{
  g_autofree char *text = NULL;

  if (remote == NULL || !G_IS_INET_SOCKET_ADDRESS (remote))
    return NULL;
  text = g_inet_address_to_string (
      g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (remote)));
  return reeve_rest_forwarded_find (text, NULL, NULL);
}

/**
 * reeve_rest_forwarded_find:
 * @peer: (nullable): address of the connection
 * @field: (nullable): X-Forwarded-For
 * @proxies: the proxies that are trusted
 *
 * Read from the right, as long as who wrote an entry is trusted. Where one has written what is no
 * address, or the chain has no end, nobody knows who asks: that is in no list, while the address of
 * the proxy may well be in one.
 *
 * Returns: (transfer full) (nullable): the address of the caller, or
 * %REEVE_REST_FORWARDED_UNKNOWN
 */
char *
reeve_rest_forwarded_find (const char *peer, const char *field, const ReeveAddressList *proxies)
{
  g_autofree char *caller = reeve_rest_forwarded_normalise (peer);
  gsize end = field != NULL ? strlen (field) + 1 : 0;

  if (caller == NULL)
    return g_strdup (peer);
  for (guint i = 0; end > 0 && reeve_address_list_contains (proxies, caller); i++)
    {
      gsize length = 0;

      while (length + 1 < end && field[end - 2 - length] != ',')
        length++;
      g_free (caller);
      caller = i < REEVE_REST_FORWARDED_HOPS
                   ? reeve_rest_forwarded_read (field + end - 1 - length, length)
                   : g_strdup (REEVE_REST_FORWARDED_UNKNOWN);
      end -= length + 1;
    }
  return g_steal_pointer (&caller);
}

/* What follows "Host:", without the port. */
static gboolean
reeve_rest_forwarded_names_this (const char *host)
{
  static const char *const names[] = { "localhost", "127.0.0.1", "[::1]", NULL };
  gsize length = host[0] == '[' ? strcspn (host, "]") + 1 : strcspn (host, ":");
  g_autofree char *name = g_ascii_strdown (host, (gssize) MIN (length, strlen (host)));

  return g_strv_contains (names, name);
}

/**
 * reeve_rest_forwarded_is_local:
 * @remote: (nullable): who is connected
 * @headers: of a request
 *
 * A page in a browser of this machine comes by a name that leads here: the Host header must name
 * this machine, too.
 *
 * Returns: whether the client runs here, as far as can be seen
 */
gboolean
reeve_rest_forwarded_is_local (GSocketAddress *remote, SoupMessageHeaders *headers)
{
  static const char *const others[]
      = { "Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
          "X-Real-IP", NULL };
  const char *host = soup_message_headers_get_one (headers, "Host");

  if (remote == NULL || !G_IS_INET_SOCKET_ADDRESS (remote)
      || !g_inet_address_get_is_loopback (
          g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (remote))))
    return FALSE;
  for (guint i = 0; others[i] != NULL; i++)
    if (soup_message_headers_get_list (headers, others[i]) != NULL)
      return FALSE;
  return host != NULL && reeve_rest_forwarded_names_this (host);
}
