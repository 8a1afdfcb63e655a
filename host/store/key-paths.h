/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lies where in the folder of keys. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REEVE_KEY_PATHS_TENANTS  "tenants"  /* folder of <tenant>.key */
#define REEVE_KEY_PATHS_MASTER   "master"   /* which master key has sealed all of it */
#define REEVE_KEY_PATHS_CHANGING "changing" /* while the master key is changed */
#define REEVE_KEY_PATHS_MARKS    "marks"

char *reeve_key_paths_get_scope (const char *folder, const char *scope);
/* stands while a scope is destroyed */
char *reeve_key_paths_get_doomed (const char *folder, const char *scope);
char **reeve_key_paths_list_doomed (const char *folder);
/* tenants that have keys, sorted */
char **reeve_key_paths_list_tenants (const char *folder);
char *reeve_key_paths_get_secret (const char *folder, const char *name);
char *reeve_key_paths_get_scope_label (const char *scope);
char *reeve_key_paths_get_secret_label (const char *name);

/* One file of sealed keys. */
typedef struct
{
  char *path;
  char *label;
} ReeveKeyPath;

/* (element-type ReeveKeyPath) all files of keys; the host's own that are still plain among them */
GPtrArray *reeve_key_paths_list (const char *folder, GError **error);

/* `<folder>/master` */
gboolean reeve_key_paths_read_master (const char *folder, char **id, GError **error);
gboolean reeve_key_paths_write_master (const char *folder, const char *id, GError **error);

G_END_DECLS
