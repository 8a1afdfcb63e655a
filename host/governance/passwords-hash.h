/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePasswordsHash: Argon2id, of which only so many are computed at once. Blocks. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REEVE_PASSWORDS_HASH_MAX 1024 /* bytes of a password */

typedef struct _ReevePasswordsHash ReevePasswordsHash;

/* memory: bytes of one hash; iterations over it; parallel: how many at once */
ReevePasswordsHash *reeve_passwords_hash_new (gsize memory, guint iterations,
                                              guint parallel) G_GNUC_WARN_UNUSED_RESULT;
void reeve_passwords_hash_free (ReevePasswordsHash *self);

/* One of the places in which a hash is computed; what follows needs one. %REEVE_ERROR_BUSY */
gboolean reeve_passwords_hash_enter (ReevePasswordsHash *self, GError **error);
void reeve_passwords_hash_leave (ReevePasswordsHash *self);
/* (transfer full) PHC string */
char *reeve_passwords_hash_make (ReevePasswordsHash *self, const char *password, GError **error);
/* kept: (nullable): without one it takes as long, and the answer is no */
gboolean reeve_passwords_hash_verify (ReevePasswordsHash *self, const char *kept,
                                      const char *password);

/* Was it made with other parameters than are configured now? */
gboolean reeve_passwords_hash_is_old (ReevePasswordsHash *self, const char *kept);
/* Is it a PHC string that this host could have made? */
gboolean reeve_passwords_hash_is_one (const char *kept);
/* (transfer full) (nullable): the password as it is hashed; NULL: it is none */
char *reeve_passwords_hash_prepare (const char *password);
/* Overwrites and frees. (nullable) */
void reeve_passwords_hash_wipe (char *password);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReevePasswordsHash, reeve_passwords_hash_free)

G_END_DECLS
