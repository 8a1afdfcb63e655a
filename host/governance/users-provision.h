/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Users whom an issuer outside of this host vouches for. Blocks: worker threads. */
#pragma once

#include <reeve-plugin-1.h>

#include "users.h"

G_BEGIN_DECLS

/* What is known of such a user here. */
typedef struct
{
  gboolean found;
  gboolean removed;    /* was here, and is no more */
  gint64 issued_at;    /* µs: of the issuer's word that the record is of */
  char **roles;        /* (nullable) */
  ReeveRecord *record; /* (nullable) */
} ReeveUsersProvisioned;

gboolean reeve_users_provision_read (ReeveUsers *self, ReeveIdentity *identity,
                                     ReeveUsersProvisioned *found, GError **error);
void reeve_users_provisioned_clear (ReeveUsersProvisioned *self);
/* Does the issuer say otherwise than the record? */
gboolean reeve_users_provision_is_due (const ReeveUsersProvisioned *found, ReeveIdentity *identity);
/* Consumes @admitted ("users.provision"). @less: (out): he may do less than before.
 * %REEVE_ERROR_CONFLICT when somebody else was quicker. */
gboolean reeve_users_provision (ReeveUsers *self, ReeveAdmitted *admitted, ReeveIdentity *identity,
                                const ReeveUsersProvisioned *found, gboolean *less, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ReeveUsersProvisioned, reeve_users_provisioned_clear)

G_END_DECLS
