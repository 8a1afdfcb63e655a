/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The layer of a configuration that environment variables make: REEVE_LOG_LEVEL and its like. */
#pragma once

#include "config-layers.h"

G_BEGIN_DECLS

/* Whoever calls a machine's environment so means this, where nothing names a profile. */
#define REEVE_CONFIG_ENVIRONMENT "ENVIRONMENT"

/* (nullable): value of a variable; NULL too for one that is empty */
const char *reeve_config_environment_get (const char *const *environment, const char *name);
/* Reads the variables that the schema names into layer. */
gboolean reeve_config_environment_read (ReeveConfigLayer *layer, const ReeveConfigSource *like,
                                        GError **error);
/* Takes the profile from ENVIRONMENT; FALSE when that names none. */
gboolean reeve_config_environment_choose_profile (ReeveConfigLayer *layer,
                                                  const char *const *environment);
/* (transfer full): a warning for each variable that another product would have read */
char **reeve_config_environment_list_foreign (const char *const *environment);
/* (transfer full) (nullable): what is odd about ENVIRONMENT beside the profile that counts */
char *reeve_config_environment_judge (const char *const *environment, const char *profile,
                                      gboolean is_dev);

G_END_DECLS
