/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestAddresses: how many connections there are, in all and from each address. Any thread. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _ReeveRestAddresses ReeveRestAddresses;

typedef enum
{
  REEVE_REST_ADDRESSES_WELCOME, /* counted */
  REEVE_REST_ADDRESSES_FULL,    /* there are max connections */
  REEVE_REST_ADDRESSES_GREEDY   /* this address has max_per_address of them */
} ReeveRestAddressesVerdict;

ReeveRestAddresses *reeve_rest_addresses_new (guint max, guint max_per_address);
void reeve_rest_addresses_free (ReeveRestAddresses *self);
/* more: beyond max, for others that are about to go */
ReeveRestAddressesVerdict reeve_rest_addresses_enter (ReeveRestAddresses *self,
                                                      GSocketAddress *address, guint more);
void reeve_rest_addresses_leave (ReeveRestAddresses *self, GSocketAddress *address);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRestAddresses, reeve_rest_addresses_free)

G_END_DECLS
