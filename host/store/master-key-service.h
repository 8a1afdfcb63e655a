/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A master key in the Secret Service (gnome-keyring and others), by libsecret. */
#pragma once

#include "master-key.h"

G_BEGIN_DECLS

/* Block; half a minute at most. REEVE_ERROR_NOT_FOUND: the service has no such key. */
ReeveMasterKey *reeve_master_key_service_look_up (const char *name, GError **error);
gboolean reeve_master_key_service_store (const char *name, ReeveMasterKey *key, GError **error);

G_END_DECLS
