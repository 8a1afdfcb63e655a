/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveApiKeys: keys `rv_<id>_<secret>`; only a keyed digest of one is kept. Blocks: worker
 * threads. */
#pragma once

#include "base/workers.h"
#include "loader/capabilities.h"
#include "store/store.h"

#include "admission.h"
#include "authentication.h"
#include "users.h"
#include "workspaces.h"

G_BEGIN_DECLS

#define REEVE_TYPE_API_KEYS (reeve_api_keys_get_type ())
G_DECLARE_FINAL_TYPE (ReeveApiKeys, reeve_api_keys, REEVE, API_KEYS, GObject)

ReeveApiKeys *reeve_api_keys_new (ReeveStore *store, ReeveUsers *users,
                                  ReeveAuthentication *authentication);
/* Before the first request. */
void reeve_api_keys_set_workspaces (ReeveApiKeys *self, ReeveWorkspaces *workspaces);
/* Loads the pepper from @keys_folder, where it is made at first and sealed by the keys of the
 * store. Before anything else. */
gboolean reeve_api_keys_open (ReeveApiKeys *self, const char *keys_folder, GError **error);
/* Registers `credentials.digest` and `credentials.lookup`. */
void reeve_api_keys_provide (ReeveApiKeys *self, ReeveCapabilities *capabilities);

/* Consumes @admitted ("keys.create"). params: {user_id, name, roles, expires_at?, metadata?,
 * ip_allow?, rate_limit?, scopes?, workspace_id?}. Answers the record with `key`, the plaintext,
 * this once. The caller may make keys for itself; for others it needs user:manage; a key never may
 * do more than its user, its maker, and the key it was made with. */
JsonObject *reeve_api_keys_create (ReeveApiKeys *self, ReeveAdmitted *admitted, JsonObject *params,
                                   GError **error);
/* {items, next_cursor}: all of the tenant with user:manage, else the caller's own. params: {limit?,
 * cursor?, user_id?} */
JsonObject *reeve_api_keys_list (ReeveApiKeys *self, ReeveCaller *caller, JsonObject *params,
                                 GError **error);
/* One record. %REEVE_ERROR_NOT_FOUND also for another tenant's, and for another user's without
 * user:manage. */
JsonObject *reeve_api_keys_get (ReeveApiKeys *self, ReeveCaller *caller, const char *key_id,
                                GError **error);
/* Consumes @admitted ("keys.delete"): revoked, at once and for good; the record stays. */
gboolean reeve_api_keys_revoke (ReeveApiKeys *self, ReeveAdmitted *admitted, const char *key_id,
                                GError **error);
/* Consumes @admitted ("keys.rotate"). params: {key_id, grace_seconds?, expires_at?}. Answers the
 * record of a new key, with `key`; the old one ends after the time of grace. */
JsonObject *reeve_api_keys_rotate (ReeveApiKeys *self, ReeveAdmitted *admitted, JsonObject *params,
                                   GError **error);

/* Could @caller make such a key, or one in the place of another, by what holds now? Whoever is
 * answered again with a key is asked it. %REEVE_ERROR_PERMISSION_DENIED, %REEVE_ERROR_NOT_FOUND,
 * %REEVE_ERROR_INVALID_ARGUMENT. */
gboolean reeve_api_keys_may_create (ReeveApiKeys *self, ReeveCaller *caller, JsonObject *params,
                                    GError **error);
gboolean reeve_api_keys_may_rotate (ReeveApiKeys *self, ReeveCaller *caller, const char *key_id,
                                    GError **error);

/* ---- what the host does by itself ---- */
/* Before the first request: from now on records say when a key was used last. */
void reeve_api_keys_note_uses (ReeveApiKeys *self, ReeveWorkers *workers);
/* Before the first request: how long before its end a key is warned of; 0: never. */
void reeve_api_keys_set_warning_days (ReeveApiKeys *self, guint days);
/* Warns once of each key that ends soon; how many, -1 on error. Blocks. */
gint reeve_api_keys_check_ends (ReeveApiKeys *self, ReeveAdmission *admission, GError **error);

/* ---- the bootstrap's ---- */
char *reeve_api_keys_make_plaintext (void);
/* (nullable): NULL when it has not the form of a key */
char *reeve_api_keys_parse_id (const char *plaintext);
/* reeve_api_keys_create() for a key that is known beforehand; consumes @admitted ("keys.create").
 */
JsonObject *reeve_api_keys_adopt (ReeveApiKeys *self, ReeveAdmitted *admitted, JsonObject *params,
                                  const char *plaintext, GError **error);

G_END_DECLS
