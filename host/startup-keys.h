/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The master key and the folder of keys, as they are configured. */
#pragma once

#include "base/config.h"
#include "state.h"
#include "store/master-key-source.h"
#include "store/store-keys.h"

G_BEGIN_DECLS

/* keys: (transfer full), NULL when encryption is switched off; beside: whether the master key lies
 * in the state folder. REEVE_ERROR_CONFIGURATION */
gboolean reeve_startup_keys_open (ReeveConfig *config, ReeveState *state, ReeveStoreKeys **keys,
                                  gboolean *beside, GError **error);
/* (transfer full) the configured master key */
ReeveMasterKey *reeve_startup_keys_load_master (ReeveConfig *config, ReeveState *state,
                                                ReeveMasterKeyPlace *place, GError **error);
char *reeve_startup_keys_get_folder (ReeveState *state);

G_END_DECLS
