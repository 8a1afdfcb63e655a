/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who knows a key besides its user, and what its user's later gains therefore do not give to it.
 * Blocks: worker threads. */
#pragma once

#include "authentication-admit.h"
#include "users.h"

G_BEGIN_DECLS

/* (transfer full) (nullable) who knows the key that was shown, "tenant/user"; NULL when it was
 * none; an empty list where that is not known. */
char **reeve_key_makers_read (ReeveStore *store, ReeveAuthenticationDraft *draft);
/* May each of @makers (nullable) have @permissions himself? */
gboolean reeve_key_makers_may_have (ReeveUsers *users, ReeveAuthenticationDraft *draft,
                                    const char *const *makers, ReevePermissions permissions);

G_END_DECLS
