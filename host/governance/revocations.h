/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRevocations: what was taken back, and after which version. No I/O, any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ReeveRevocations ReeveRevocations;

ReeveRevocations *reeve_revocations_new (void);
void reeve_revocations_free (ReeveRevocations *self);
/* To be read before that is looked at which a caller's rights rest on. */
guint64 reeve_revocations_get_version (ReeveRevocations *self);
/* Whatever rested on @ground before now holds no more. */
void reeve_revocations_mark (ReeveRevocations *self, const char *ground);
/* Was one of @grounds (nullable) marked since @version? */
gboolean reeve_revocations_concern (ReeveRevocations *self, guint64 version,
                                    const char *const *grounds);

/* (transfer full) Names of what rights rest on. */
char *reeve_revocations_name_tenant (const char *tenant_id);
char *reeve_revocations_name_user (const char *tenant_id, const char *user_id);
char *reeve_revocations_name_key (const char *key_id);
char *reeve_revocations_name_role (const char *tenant_id, const char *role);
char *reeve_revocations_name_elevation (const char *elevation_id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRevocations, reeve_revocations_free)

G_END_DECLS
