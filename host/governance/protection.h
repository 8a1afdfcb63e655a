/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveProtection: how stores are encrypted, and new data keys for them. Blocks: worker threads. */
#pragma once

#include "store/store.h"

#include "admission.h"

G_BEGIN_DECLS

#define REEVE_TYPE_PROTECTION (reeve_protection_get_type ())
G_DECLARE_FINAL_TYPE (ReeveProtection, reeve_protection, REEVE, PROTECTION, GObject)

/* key_source: as configured, to be shown; beside: whether that is inside the state folder */
ReeveProtection *reeve_protection_new (ReeveStore *store, const char *key_source, gboolean beside);
/* {enabled, algorithm, key_source, key_beside, master_key, stores, rotation} */
JsonObject *reeve_protection_get (ReeveProtection *self, GError **error);
/* {items, next_cursor}; params: {limit?, cursor?} */
JsonObject *reeve_protection_list (ReeveProtection *self, JsonObject *params, GError **error);
/* Consumes @admitted ("encryption.rotate"). params: {store?, method?}. {method, stores[],
 * succeeded, failed}. %REEVE_ERROR_NOT_FOUND, %REEVE_ERROR_CONFLICT while another is under way */
JsonObject *reeve_protection_rotate (ReeveProtection *self, ReeveAdmitted *admitted,
                                     JsonObject *params, GError **error);
/* Any thread: what is under way ends soon, where the store is whole; none is begun again. */
void reeve_protection_stop (ReeveProtection *self);

G_END_DECLS
