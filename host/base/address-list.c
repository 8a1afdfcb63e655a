/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of addresses and networks, as administrators write them. */
#include "address-list.h"

#include <reeve-error.h>
#include <string.h>

struct _ReeveAddressList
{
  GPtrArray *masks; /* (element-type GInetAddressMask) */
};

/**
 * reeve_address_list_new:
 * @texts: (nullable): addresses and networks
 * @error: return location
 *
 * Returns: (transfer full): the list; %NULL with %REEVE_ERROR_INVALID_ARGUMENT naming the first
 * that is none
 */
ReeveAddressList *
reeve_address_list_new (const char *const *texts, GError **error)
{
  g_autoptr (ReeveAddressList) self = g_new0 (ReeveAddressList, 1);

  self->masks = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
    {
      GInetAddressMask *mask = g_inet_address_mask_new_from_string (texts[i], NULL);

      if (mask == NULL)
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                       "%s is neither an address nor a network", texts[i]);
          return NULL;
        }
      g_ptr_array_add (self->masks, mask);
    }
  return g_steal_pointer (&self);
}

/**
 * reeve_address_list_free:
 * @self: (transfer full): a list
 */
void
reeve_address_list_free (ReeveAddressList *self)
{
  g_clear_pointer (&self->masks, g_ptr_array_unref);
  g_free (self);
}

/**
 * reeve_address_list_is_empty:
 * @self: a list
 *
 * Returns: whether there is nothing in it
 */
gboolean
reeve_address_list_is_empty (const ReeveAddressList *self)
{
  return self->masks->len == 0;
}

static gboolean
reeve_address_list_agrees (const guint8 *one, const guint8 *other, guint bits)
{
  guint rest = bits % 8;

  return memcmp (one, other, bits / 8) == 0
         && (rest == 0 || ((one[bits / 8] ^ other[bits / 8]) >> (8 - rest)) == 0);
}

/* Is each address among them that begins as @start, with so many @bits? */
static gboolean
reeve_address_list_covers (const ReeveAddressList *self, GSocketFamily family, const guint8 *start,
                           guint bits)
{
  guint8 half[16] = { 0 };
  gboolean parts = FALSE;

  for (guint i = 0; i < self->masks->len; i++)
    {
      GInetAddressMask *mask = g_ptr_array_index (self->masks, i);
      guint length = g_inet_address_mask_get_length (mask);

      if (g_inet_address_mask_get_family (mask) != family
          || !reeve_address_list_agrees (
              g_inet_address_to_bytes (g_inet_address_mask_get_address (mask)), start,
              MIN (length, bits)))
        continue;
      if (length <= bits)
        return TRUE;
      parts = TRUE;
    }
  if (!parts)
    return FALSE;
  memcpy (half, start, sizeof half);
  half[bits / 8] |= (guint8) (0x80 >> (bits % 8));
  return reeve_address_list_covers (self, family, start, bits + 1)
         && reeve_address_list_covers (self, family, half, bits + 1);
}

/**
 * reeve_address_list_is_everywhere:
 * @self: a list
 *
 * Whether in one network or in several, as 0.0.0.0/1 and 128.0.0.0/1.
 *
 * Returns: whether every IPv4 address is in the list, or every IPv6 address
 */
gboolean
reeve_address_list_is_everywhere (const ReeveAddressList *self)
{
  static const guint8 start[16] = { 0 };

  return reeve_address_list_covers (self, G_SOCKET_FAMILY_IPV4, start, 0)
         || reeve_address_list_covers (self, G_SOCKET_FAMILY_IPV6, start, 0);
}

/**
 * reeve_address_list_parse:
 * @text: (nullable): an address
 *
 * Returns: (transfer full) (nullable): the address; ::ffff:a.b.c.d is a.b.c.d
 */
GInetAddress *
reeve_address_list_parse (const char *text)
{
  static const guint8 mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
  g_autoptr (GInetAddress) address = text != NULL ? g_inet_address_new_from_string (text) : NULL;

  if (address != NULL && g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6
      && memcmp (g_inet_address_to_bytes (address), mapped, sizeof mapped) == 0)
    return g_inet_address_new_from_bytes (g_inet_address_to_bytes (address) + sizeof mapped,
                                          G_SOCKET_FAMILY_IPV4);
  return g_steal_pointer (&address);
}

/**
 * reeve_address_list_contains:
 * @self: a list
 * @address: (nullable): an address
 *
 * Returns: whether it is in the list; what is no address is in none
 */
gboolean
reeve_address_list_contains (const ReeveAddressList *self, const char *address)
{
  g_autoptr (GInetAddress) parsed = reeve_address_list_parse (address);

  for (guint i = 0; parsed != NULL && i < self->masks->len; i++)
    if (g_inet_address_mask_matches (g_ptr_array_index (self->masks, i), parsed))
      return TRUE;
  return FALSE;
}

/**
 * reeve_address_list_name_source:
 * @address: (nullable): of a caller
 *
 * Returns: (transfer full) (nullable): what is counted as one caller: an IPv4 address, of IPv6 the
 * network of 64 bits that one client has to itself; what is no address is its own name
 */
char *
reeve_address_list_name_source (const char *address)
{
  g_autoptr (GInetAddress) parsed = reeve_address_list_parse (address);
  const guint8 *bytes = parsed != NULL ? g_inet_address_to_bytes (parsed) : NULL;

  if (parsed == NULL)
    return g_strdup (address);
  if (g_inet_address_get_family (parsed) == G_SOCKET_FAMILY_IPV4)
    return g_inet_address_to_string (parsed);
  return g_strdup_printf ("%02x%02x:%02x%02x:%02x%02x:%02x%02x/64", bytes[0], bytes[1], bytes[2],
                          bytes[3], bytes[4], bytes[5], bytes[6], bytes[7]);
}
