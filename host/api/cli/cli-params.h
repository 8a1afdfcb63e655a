/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From words and options to the members of an operation. */
#pragma once

#include "cli-options.h"
#include "operations/cli-commands.h"

G_BEGIN_DECLS

/* (transfer full) (nullable). first: position of the first argument among the words. Options named
 * in @own (nullable) are not the operation's. %REEVE_ERROR_INVALID_ARGUMENT names what is wrong. */
JsonObject *reeve_cli_params_new (ReeveCliOptions *options, const ReeveCliCommand *command,
                                  guint first, const char *const *own, GError **error);

G_END_DECLS
