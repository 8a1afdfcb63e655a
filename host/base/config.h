/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveConfig: reeve.yaml, a profile, the environment and the command line as one validated,
 * immutable tree. */
#pragma once

#include <reeve-json.h>

G_BEGIN_DECLS

typedef struct _ReeveConfig ReeveConfig;

/* Where the configuration comes from; every member may be NULL. */
typedef struct
{
  const char *file;                /* --config */
  const char *profile;             /* --profile; wins over the file's */
  const char *const *profile_dirs; /* where <profile>.yaml lies, besides the built-in ones */
  JsonObject *overrides; /* command line, in the shape of the tree: {"server": {"listen": […]}} */
  const char *const *environment; /* as g_get_environ(); NULL: the process' own */
} ReeveConfigSources;

/* Every fault is REEVE_ERROR_CONFIGURATION and names file, line and key. */
ReeveConfig *reeve_config_load (const ReeveConfigSources *sources,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
ReeveConfig *reeve_config_ref (ReeveConfig *self);
void reeve_config_unref (ReeveConfig *self);

/* path: members joined by dots, "llm.default". Values are effective: defaults, profile, file and
 * command line merged; sizes are bytes, durations seconds, "auto" is 0 when asked for as integer.
 * Asking for a path that the schema does not know is a programming error. */
JsonNode *reeve_config_get_json (ReeveConfig *self,
                                 const char *path); /* (transfer none) (nullable) when unset */
/* (transfer full) (nullable): the same as it may be shown: nothing in it that is secret */
JsonNode *reeve_config_show (ReeveConfig *self, const char *path);
const char *reeve_config_get_string (ReeveConfig *self, const char *path); /* (nullable) */
gint64 reeve_config_get_int (ReeveConfig *self, const char *path);
double reeve_config_get_double (ReeveConfig *self, const char *path);
gboolean reeve_config_get_boolean (ReeveConfig *self, const char *path);
char **reeve_config_get_strv (ReeveConfig *self,
                              const char *path); /* (transfer full), empty when unset */
const char *reeve_config_get_profile (ReeveConfig *self);
/* the profile is dev, or builds on it; everything else is held to what enterprise is held to */
gboolean reeve_config_is_dev (ReeveConfig *self);
const char *reeve_config_get_origin (ReeveConfig *self, const char *path);
/* (transfer full) the fault of a value that turned out to be wrong only when it was used:
 * "reeve.yaml:12: llm.providers[0].plugin: message" */
char *reeve_config_blame (ReeveConfig *self, const char *path, const char *message);

/* keys that are accepted but whose feature is not built yet; each text names file, line and key */
const char *const *reeve_config_get_warnings (ReeveConfig *self);
/* (transfer full) [{key, value, origin, secret, covers[{origin, value}]}] of key and what is in it
 * (NULL: everything), secrets masked */
JsonArray *reeve_config_explain (ReeveConfig *self, const char *key);
/* (transfer full) files that it was read from; changed: that are others now. Blocks. */
char **reeve_config_list_files (ReeveConfig *self, gboolean changed);
/* (element-type ReeveConfigFinding) see config-guard.h */
GPtrArray *reeve_config_get_findings (ReeveConfig *self);
/* --print-config: YAML with the origin of each value as a comment, secrets masked */
char *reeve_config_print (ReeveConfig *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveConfig, reeve_config_unref)

G_END_DECLS
