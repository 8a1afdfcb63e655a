/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client has as many IPv6 addresses as it likes in its network, so those of a /64 count as one.
 */
#include "addresses.h"

#include <string.h>

#define REEVE_REST_ADDRESSES_PREFIX 8 /* bytes of an IPv6 address */

struct _ReeveRestAddresses
{
  GMutex mutex;
  guint max;
  guint max_per_address;
  guint count;
  GHashTable *counts; /* prefix -> connections */
};

ReeveRestAddresses *
reeve_rest_addresses_new (guint max, guint max_per_address)
{
  ReeveRestAddresses *self = g_new0 (ReeveRestAddresses, 1);

  g_mutex_init (&self->mutex);
  self->max = max;
  self->max_per_address = max_per_address;
  self->counts = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  return self;
}

void
reeve_rest_addresses_free (ReeveRestAddresses *self)
{
  g_hash_table_unref (self->counts);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

static gint64
reeve_rest_addresses_get_prefix (GSocketAddress *address)
{
  GInetAddress *inet = NULL;
  gint64 prefix = 0;

  if (!G_IS_INET_SOCKET_ADDRESS (address))
    return 0;
  inet = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address));
  memcpy (&prefix, g_inet_address_to_bytes (inet),
          MIN (g_inet_address_get_native_size (inet), REEVE_REST_ADDRESSES_PREFIX));
  return prefix;
}

static void
reeve_rest_addresses_set (ReeveRestAddresses *self, gint64 prefix, guint count)
{
  if (count > 0)
    g_hash_table_replace (self->counts, g_memdup2 (&prefix, sizeof prefix),
                          GUINT_TO_POINTER (count));
  else
    g_hash_table_remove (self->counts, &prefix);
}

ReeveRestAddressesVerdict
reeve_rest_addresses_enter (ReeveRestAddresses *self, GSocketAddress *address, guint more)
{
  gint64 prefix = reeve_rest_addresses_get_prefix (address);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  guint here = GPOINTER_TO_UINT (g_hash_table_lookup (self->counts, &prefix));

  if (here >= self->max_per_address)
    return REEVE_REST_ADDRESSES_GREEDY;
  if (self->count >= self->max + more)
    return REEVE_REST_ADDRESSES_FULL;
  self->count++;
  reeve_rest_addresses_set (self, prefix, here + 1);
  return REEVE_REST_ADDRESSES_WELCOME;
}

void
reeve_rest_addresses_leave (ReeveRestAddresses *self, GSocketAddress *address)
{
  gint64 prefix = reeve_rest_addresses_get_prefix (address);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mutex);
  guint here = GPOINTER_TO_UINT (g_hash_table_lookup (self->counts, &prefix));

  g_return_if_fail (here > 0);
  self->count--;
  reeve_rest_addresses_set (self, prefix, here - 1);
}
