/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveAddressList: addresses and networks, and whether an address is among them. Immutable, any
 * thread. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _ReeveAddressList ReeveAddressList;

/* texts: a.b.c.d, a.b.c.d/n, and the same of IPv6. %REEVE_ERROR_INVALID_ARGUMENT names the first
 * that is none. */
ReeveAddressList *reeve_address_list_new (const char *const *texts, GError **error);
void reeve_address_list_free (ReeveAddressList *self);
gboolean reeve_address_list_is_empty (const ReeveAddressList *self);
/* address: (nullable): NULL and what is no address is in no list. */
gboolean reeve_address_list_contains (const ReeveAddressList *self, const char *address);
/* Is every IPv4 address among them, or every IPv6 one? */
gboolean reeve_address_list_is_everywhere (const ReeveAddressList *self);
/* (transfer full) (nullable): an IPv4 address that came through an IPv6 socket is that address */
GInetAddress *reeve_address_list_parse (const char *text);
/* (transfer full) (nullable): what counts as one caller: of IPv6 the /64 */
char *reeve_address_list_name_source (const char *address);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveAddressList, reeve_address_list_free)

G_END_DECLS
