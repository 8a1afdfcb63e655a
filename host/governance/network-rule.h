/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveNetworkRule: from where one may come, as a tenant, a workspace or a key says. Immutable, any
 * thread. */
#pragma once

#include "base/address-list.h"
#include "base/geography.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct _ReeveNetworkRule ReeveNetworkRule;

/* members of a record that are a rule, ended by NULL: ip_allow, countries_allow, countries_deny */
extern const char *const reeve_network_rule_members[];

/* (transfer full) Of the members of @fields (nullable: none). One that cannot be read allows
 * nothing. */
ReeveNetworkRule *reeve_network_rule_new (JsonObject *fields);
/* (transfer full) The same of lists (nullable). */
ReeveNetworkRule *reeve_network_rule_new_from_lists (const char *const *ip_allow,
                                                     const char *const *countries_allow,
                                                     const char *const *countries_deny);
void reeve_network_rule_free (ReeveNetworkRule *self);
/* Can the members be read? %REEVE_ERROR_INVALID_ARGUMENT names the one that cannot. */
gboolean reeve_network_rule_check (JsonObject *fields, GError **error);
/* Does it say nothing? */
gboolean reeve_network_rule_is_empty (const ReeveNetworkRule *self);
/* address: (nullable) */
gboolean reeve_network_rule_allows_address (const ReeveNetworkRule *self, const char *address);
gboolean reeve_network_rule_asks_country (const ReeveNetworkRule *self);
/* country: (nullable): not known; @unknown_allowed says what that means */
gboolean reeve_network_rule_allows_country (const ReeveNetworkRule *self, const char *country,
                                            gboolean unknown_allowed);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveNetworkRule, reeve_network_rule_free)

G_END_DECLS
