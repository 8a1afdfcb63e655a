/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Grants of plugins: opened behind the store, before any plugin but the store's is called. */
#pragma once

#include "startup-private.h"

G_BEGIN_DECLS

/* %REEVE_ERROR_CONFIGURATION names the key of the ceiling. */
gboolean reeve_startup_grants_open (ReeveStartup *self, GError **error);

G_END_DECLS
