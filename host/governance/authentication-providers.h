/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveAuthenticationProviders: the auth plugins, in the order in which they are asked. */
#pragma once

#include "loader/registry.h"

G_BEGIN_DECLS

typedef struct _ReeveAuthenticationProviders ReeveAuthenticationProviders;

ReeveAuthenticationProviders *reeve_authentication_providers_new (void);
void reeve_authentication_providers_free (ReeveAuthenticationProviders *self);
void reeve_authentication_providers_add (ReeveAuthenticationProviders *self, const char *id,
                                         ReeveRegistry *registry, ReevePlugin *instance);
guint reeve_authentication_providers_get_size (ReeveAuthenticationProviders *self);
/* Does not block: could the credentials be of its kind? */
gboolean reeve_authentication_providers_knows (ReeveAuthenticationProviders *self, guint index,
                                               const ReeveCredentials *credentials);
/* Blocks. (transfer full) (nullable): NULL without error when the credentials are not of its kind.
 */
ReeveIdentity *reeve_authentication_providers_ask (ReeveAuthenticationProviders *self, guint index,
                                                   const ReeveCredentials *credentials,
                                                   GError **error);
/* Blocks: lets the provider get ready. A failure is a line in the log. */
void reeve_authentication_providers_warm (ReeveAuthenticationProviders *self, guint index);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveAuthenticationProviders, reeve_authentication_providers_free)

G_END_DECLS
