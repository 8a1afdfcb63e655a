/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveNetwork: from where callers may come, to the host, to a tenant, with a key. Any thread. */
#pragma once

#include "store/store.h"

#include "authentication.h"
#include "network-rule.h"
#include "tenants.h"

G_BEGIN_DECLS

typedef struct _ReeveNetwork ReeveNetwork;

/* What is configured; lists are nullable. */
typedef struct
{
  const char *const *ip_allow; /* addresses and networks that the whole host may be asked from */
  const char *const *countries_allow;
  const char *const *countries_deny;
  const char *const *local_networks; /* of which no country is asked */
  const char *database;              /* (nullable): path of a database of countries */
  gboolean unknown_allowed;          /* what is in no country of it counts as allowed */
} ReeveNetworkSettings;

/* @faulty (out): which of the settings an error is about, static. Blocks.
 * %REEVE_ERROR_INVALID_ARGUMENT */
ReeveNetwork *reeve_network_new (const ReeveNetworkSettings *settings, ReeveTenants *tenants,
                                 ReeveStore *store, const char **faulty, GError **error);
void reeve_network_free (ReeveNetwork *self);
/* Before the first identity: adds its step to the way in, which @self must outlive. */
void reeve_network_guard (ReeveNetwork *self, ReeveAuthentication *authentication);
/* May a caller of @tenant_id come from @address (nullable: from the bus)?
 * %REEVE_ERROR_NETWORK_DENIED, %REEVE_ERROR_COUNTRY_DENIED, without a word of the lists. No I/O. */
gboolean reeve_network_check (ReeveNetwork *self, const char *tenant_id, const char *address,
                              GError **error);
/* The same by one rule. */
gboolean reeve_network_judge (ReeveNetwork *self, const ReeveNetworkRule *rule, const char *address,
                              GError **error);
/* (transfer none) (nullable) */
ReeveGeography *reeve_network_get_geography (ReeveNetwork *self);
/* Has the database changed? Then it is to be read again. Both block. */
gboolean reeve_network_has_news (ReeveNetwork *self);
/* Reads the database again, and forgets who was let in by the old one; a bad one changes nothing.
 */
gboolean reeve_network_reload (ReeveNetwork *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveNetwork, reeve_network_free)

G_END_DECLS
