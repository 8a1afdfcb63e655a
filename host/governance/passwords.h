/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePasswords: passwords of users, of which only a slow hash is kept, and who has to wait after
 * too many wrong ones. Blocks: worker threads. */
#pragma once

#include "base/workers.h"
#include "loader/capabilities.h"
#include "store/store.h"

#include "admission.h"
#include "authentication.h"
#include "users.h"

G_BEGIN_DECLS

#define REEVE_TYPE_PASSWORDS (reeve_passwords_get_type ())
G_DECLARE_FINAL_TYPE (ReevePasswords, reeve_passwords, REEVE, PASSWORDS, GObject)

typedef struct
{
  gsize memory;        /* bytes of one hash */
  guint iterations;    /* over them */
  guint parallel;      /* hashes at once */
  guint min_length;    /* characters of a new password */
  guint lock_failures; /* failed logins of a user that are let pass; 0: any number */
  guint lock_address;  /* the same of an address */
  guint lock_seconds;  /* how long failures are remembered, and locks hold */
} ReevePasswordsSettings;

ReevePasswords *reeve_passwords_new (ReeveStore *store, ReeveUsers *users,
                                     ReeveAuthentication *authentication,
                                     const ReevePasswordsSettings *settings);
/* Before the first login: where locks and renewed hashes are written, and the gate that they pass.
 */
void reeve_passwords_set_workers (ReevePasswords *self, ReeveWorkers *workers,
                                  ReeveAdmission *admission);
/* Registers `credentials.password`. */
void reeve_passwords_provide (ReevePasswords *self, ReeveCapabilities *capabilities);

/* {user_id, is_set, changed_at?, locked_until} */
JsonObject *reeve_passwords_get (ReevePasswords *self, const char *tenant_id, const char *user_id,
                                 GError **error);
/* Consumes @admitted ("passwords.set"), in the tenant of its caller. params: {user_id, password}.
 * %REEVE_ERROR_INVALID_ARGUMENT, %REEVE_ERROR_PERMISSION_DENIED naming what the caller lacks,
 * %REEVE_ERROR_NOT_FOUND, %REEVE_ERROR_BUSY. */
JsonObject *reeve_passwords_set (ReevePasswords *self, ReeveAdmitted *admitted, JsonObject *params,
                                 GError **error);
/* Consumes @admitted ("passwords.change"): the caller's own. params: {current, new}. A wrong
 * current one is %REEVE_ERROR_PERMISSION_DENIED and counts as a failed login; %REEVE_ERROR_CONFLICT
 * without one. */
JsonObject *reeve_passwords_change (ReevePasswords *self, ReeveAdmitted *admitted,
                                    JsonObject *params, GError **error);
/* Consumes @admitted ("passwords.delete"): nobody gets in with it any more. */
gboolean reeve_passwords_delete (ReevePasswords *self, ReeveAdmitted *admitted, const char *user_id,
                                 GError **error);
/* Consumes @admitted ("passwords.unlock"). As reeve_passwords_get(). */
JsonObject *reeve_passwords_unlock (ReevePasswords *self, ReeveAdmitted *admitted,
                                    const char *user_id, GError **error);

/* A login; address: (nullable). {tenant_id, user_id, roles[]}. %REEVE_ERROR_UNAUTHENTICATED, in the
 * same words whatever is wrong; %REEVE_ERROR_BUSY */
JsonObject *reeve_passwords_verify (ReevePasswords *self, const char *tenant_id,
                                    const char *username, const char *password, const char *address,
                                    GError **error);

G_END_DECLS
