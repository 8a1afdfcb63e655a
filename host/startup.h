/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveStartup: opens every room in order, and closes them in the other one. */
#pragma once

#include "operations/services.h"
#include "state.h"

G_BEGIN_DECLS

typedef struct _ReeveStartup ReeveStartup;

/* folders: of plugins. Blocks. REEVE_ERROR_CONFIGURATION names what is wrong. */
ReeveStartup *reeve_startup_open (ReeveConfig *config, ReeveState *state,
                                  const char *const *folders, GError **error);
/* Plugins and store alone. */
ReeveStartup *reeve_startup_open_storage (ReeveConfig *config, ReeveState *state,
                                          const char *const *folders, GError **error);
/* Ends what the last host left unfinished, truthfully. */
gboolean reeve_startup_recover (ReeveStartup *self, GError **error);
ReeveServices *reeve_startup_get_services (ReeveStartup *self);
/* No call may be under way. */
void reeve_startup_close (ReeveStartup *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveStartup, reeve_startup_close)

G_END_DECLS
