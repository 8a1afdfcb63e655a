/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each proxy appends whom it was asked by. What stands to the left of the last one that is not
 * trusted was written by just anybody. */
#include "forwarded.h"

/* longer than any chain of proxies */
#define REEVE_REST_FORWARDED_MAX 2048

/**
 * reeve_rest_forwarded_find:
 * @peer: (nullable): address of the connection
 * @field: (nullable): X-Forwarded-For
 * @proxies: the proxies that are trusted
 *
 * Read from the right, as long as who wrote an entry is trusted. One that is no address ends it:
 * the caller is then the proxy that wrote it.
 *
 * Returns: (transfer full) (nullable): the address of the caller
 */
char *
reeve_rest_forwarded_find (const char *peer, const char *field, const ReeveAddressList *proxies)
{
  g_autofree char *caller = g_strdup (peer);
  g_auto (GStrv) entries = NULL;

  if (field == NULL || strlen (field) > REEVE_REST_FORWARDED_MAX)
    return g_steal_pointer (&caller);
  entries = g_strsplit (field, ",", -1);
  for (guint i = g_strv_length (entries); i > 0 && reeve_address_list_contains (proxies, caller);
       i--)
    {
      g_autoptr (GInetAddress) address = reeve_address_list_parse (g_strstrip (entries[i - 1]));

      if (address == NULL)
        break;
      g_free (caller);
      caller = g_inet_address_to_string (address);
    }
  return g_steal_pointer (&caller);
}
