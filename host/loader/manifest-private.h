/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What manifest.c (the value) and manifest-read.c (the file) share. */
#pragma once

#include "manifest.h"

G_BEGIN_DECLS

#define REEVE_MANIFEST_LIMITS_COUNT 4

struct _ReeveManifest
{
  gatomicrefcount refs;
  char *path;
  char *digest;
  char *settings_digest; /* of the SchemaFile, or NULL */
  char *id;
  char *version;
  char *name;
  char *description;
  char *licence;
  ReeveKinds kinds;
  char **kind_names;
  guint api_major;
  guint api_minor;
  char *module;
  char **capabilities;
  char **reasons;
  JsonNode *settings_schema;
  ReeveSchema *schema;
  char **run_after;
  char **conflicts;
  char **requires;
  char **media_types; /* group Offers; NULL: it does not say */
  GPtrArray *tools;   /* ReeveToolInfo; the same */
  gboolean engine;
  guint32 limits[REEVE_MANIFEST_LIMITS_COUNT]; /* group Limits; 0: it does not say */
  char *interpreter;                           /* NULL: its module is none for one */
  char **imports;                              /* (nullable) */
};

/* (transfer full) (nullable) a regular file of bounded size; reeve_manifest_read() fills in all but
 * path and digest. %REEVE_ERROR_PLUGIN names the key. */
char *reeve_manifest_read_file (const char *path, gsize *length, GError **error);
gboolean reeve_manifest_check_lines (const char *data, gsize length, GError **error);
gboolean reeve_manifest_read (ReeveManifest *self, GKeyFile *file, GError **error);
/* manifest-offers.c */
gboolean reeve_manifest_offers_read (ReeveManifest *self, GKeyFile *file, GError **error);
void reeve_manifest_offers_clear (ReeveManifest *self);
/* manifest-limits.c: the capabilities were read */
gboolean reeve_manifest_limits_read (ReeveManifest *self, GKeyFile *file, GError **error);
/* manifest-script.c: its kinds are known */
gboolean reeve_manifest_script_read (ReeveManifest *self, GKeyFile *file, GError **error);
void reeve_manifest_script_clear (ReeveManifest *self);
/* manifest-slots.c: the settings' schema was read */
gboolean reeve_manifest_slots_check (ReeveManifest *self, GError **error);

G_END_DECLS
