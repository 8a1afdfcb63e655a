/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveStoreKeys: the data keys and high-water marks of all scopes, and the host's own secrets. */
#pragma once

#include <reeve-plugin-1.h>

#include "master-key.h"

G_BEGIN_DECLS

#define REEVE_TYPE_STORE_KEYS (reeve_store_keys_get_type ())
G_DECLARE_FINAL_TYPE (ReeveStoreKeys, reeve_store_keys, REEVE, STORE_KEYS, GObject)

/* folder: <state>/keys. Blocks. */
ReeveStoreKeys *reeve_store_keys_open (const char *folder, ReeveMasterKey *master, GError **error);
/* As above, without looking at the marks: not for opening stores. */
ReeveStoreKeys *reeve_store_keys_open_unmarked (const char *folder, ReeveMasterKey *master,
                                                GError **error);
/* Has a master key sealed anything in that folder? */
gboolean reeve_store_keys_is_sealed (const char *folder);
const char *reeve_store_keys_get_master (ReeveStoreKeys *self);

/* Worker threads only: these block for small files. */
gboolean reeve_store_keys_has (ReeveStoreKeys *self, const char *scope);
gboolean reeve_store_keys_announce_destruction (ReeveStoreKeys *self, const char *scope,
                                                GError **error);
gboolean reeve_store_keys_destroy (ReeveStoreKeys *self, const char *scope, GError **error);
/* (transfer full) scopes of tenants that have keys, sorted */
char **reeve_store_keys_list (ReeveStoreKeys *self);
/* (transfer full) scopes whose destruction was announced and not done */
char **reeve_store_keys_list_unfinished (ReeveStoreKeys *self);
gboolean reeve_store_keys_forget_mark (ReeveStoreKeys *self, const char *scope, GError **error);
/* When the marks of all scopes are lost, or damaged: begins anew. */
gboolean reeve_store_keys_renew_marks (ReeveStoreKeys *self, GError **error);

/* Secrets of the host itself, in <folder>/<name>.key. Without keys (NULL) they are kept as they
 * are; with them, one that is found plain is sealed. REEVE_ERROR_NOT_FOUND */
GBytes *reeve_store_keys_load_secret (ReeveStoreKeys *self, const char *folder, const char *name,
                                      gsize max_size, GError **error);
/* Does that secret lie there as it is, unsealed? */
gboolean reeve_store_keys_has_plain (const char *folder, const char *name);
gboolean reeve_store_keys_save_secret (ReeveStoreKeys *self, const char *folder, const char *name,
                                       gconstpointer data, gsize length, GError **error);

G_END_DECLS
