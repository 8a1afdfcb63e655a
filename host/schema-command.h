/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `reeve-host --schema history|up|down`: the numbered migrations of every store, while no host
 * runs. */
#pragma once

#include "store/store.h"

G_BEGIN_DECLS

/* Prints one JSON object a scope. up: to this host's newest; down: back by one, which an older host
 * can open. Blocks. %REEVE_ERROR_INVALID_ARGUMENT for another word, %REEVE_ERROR_CONFLICT where
 * there is nothing to take back. */
gboolean reeve_schema_command_run (ReeveStore *store, const char *word, GError **error);

G_END_DECLS
