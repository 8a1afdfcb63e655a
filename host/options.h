/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveOptions: the command line of reeve-host. */
#pragma once

#include "base/config.h"

G_BEGIN_DECLS

typedef struct
{
  char *config;
  char *state_dir; /* never NULL once parsed */
  char **listen;
  char *bus; /* session, system or none; NULL when not given */
  char **plugin_dirs;
  char *profile;
  char *log_format;
  char *log_level;
  gboolean check_config;
  gboolean print_config;
  char *schema;            /* history, up or down; NULL to serve */
  char *rotate_master_key; /* source of the new one; NULL to serve */
  char *accept_stores;     /* a tenant, the platform or all; NULL to serve */
  gboolean version;
} ReeveOptions;

/* REEVE_ERROR_INVALID_ARGUMENT says what is wrong with the words. */
ReeveOptions *reeve_options_parse (int argc, char **argv, GError **error);
void reeve_options_free (ReeveOptions *self);
/* The configuration as files, environment and these options make it. */
ReeveConfig *reeve_options_load_config (ReeveOptions *self, GError **error);
/* (transfer full) folders with plugins: options, REEVE_PLUGIN_PATH, configuration, then the build
 * tree's or the installed one */
char **reeve_options_list_plugin_folders (ReeveOptions *self, ReeveConfig *config);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveOptions, reeve_options_free)

G_END_DECLS
