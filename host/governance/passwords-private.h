/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that make up ReevePasswords share: passwords.c (setting and taking away),
 * passwords-login.c (who shows one). */
#pragma once

#include "passwords-hash.h"
#include "passwords-locks.h"
#include "passwords.h"

G_BEGIN_DECLS

/* a record may change between reading and writing; it is then tried anew */
#define REEVE_PASSWORDS_TRIES 8

struct _ReevePasswords
{
  GObject parent_instance;

  ReeveStore *store;
  ReeveUsers *users;
  ReeveAuthentication *authentication;
  ReeveWorkers *workers;     /* (nullable) */
  ReeveAdmission *admission; /* (nullable) */
  ReevePasswordsSettings settings;
  ReevePasswordsHash *hash;
  ReevePasswordsLocks *locks;
};

/* (transfer full): whose logins are counted together */
char *reeve_passwords_name (const char *tenant_id, const char *username);
/* (transfer full) (nullable): without error when there is none */
ReeveRecord *reeve_passwords_read (ReevePasswords *self, const char *tenant_id, const char *user_id,
                                   GError **error);
/* Takes the lock out of the record. Consumes @admitted (@operation; NULL: it was consumed). */
gboolean reeve_passwords_clear_lock (ReevePasswords *self, ReeveAdmitted *admitted,
                                     const char *operation, const char *tenant_id,
                                     const char *user_id, GError **error);
/* Is that the password of the user? Counts, locks, renews. @user_id, @record: nullable, of nobody.
 * %REEVE_ERROR_UNAUTHENTICATED, %REEVE_ERROR_BUSY */
gboolean reeve_passwords_try (ReevePasswords *self, const char *tenant_id, const char *username,
                              const char *user_id, ReeveRecord *record, const char *password,
                              const char *address, GError **error);

G_END_DECLS
