/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveNetwork: from where callers may come, to the host and to a tenant. Immutable, any thread. */
#pragma once

#include "authentication.h"
#include "tenants.h"

G_BEGIN_DECLS

typedef struct _ReeveNetwork ReeveNetwork;

/* allow: addresses and networks that the whole host may be asked from; none: any.
 * %REEVE_ERROR_INVALID_ARGUMENT */
ReeveNetwork *reeve_network_new (const char *const *allow, ReeveTenants *tenants, GError **error);
void reeve_network_free (ReeveNetwork *self);
/* Before the first identity: adds its step to the way in, which @self must outlive. */
void reeve_network_guard (ReeveNetwork *self, ReeveAuthentication *authentication);
/* May a caller of @tenant_id come from @address (nullable: from the bus)?
 * %REEVE_ERROR_PERMISSION_DENIED, without a word of the lists. */
gboolean reeve_network_check (ReeveNetwork *self, const char *tenant_id, const char *address,
                              GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveNetwork, reeve_network_free)

G_END_DECLS
