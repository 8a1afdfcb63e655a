/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Grants of plugins: opened behind the store, before any plugin but the store's is called. */
#pragma once

#include "startup-private.h"

G_BEGIN_DECLS

/* %REEVE_ERROR_CONFIGURATION names the key of the ceiling. */
gboolean reeve_startup_grants_open (ReeveStartup *self, GError **error);
/* Behind the last call of a plugin. */
void reeve_startup_grants_close (ReeveServices *services);

G_END_DECLS
