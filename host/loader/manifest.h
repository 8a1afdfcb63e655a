/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveManifest: what a plugin says of itself in <id>.plugin, read before any of its code.
 * Immutable. */
#pragma once

#include "base/json-schema.h"

G_BEGIN_DECLS

typedef struct _ReeveManifest ReeveManifest;

/* bit n: kind number n */
typedef enum
{
  REEVE_KIND_AUTH = 1 << 0,
  REEVE_KIND_STORAGE = 1 << 1,
  REEVE_KIND_LLM = 1 << 2,
  REEVE_KIND_TOOL = 1 << 3,
  REEVE_KIND_CONNECTOR = 1 << 4,
  REEVE_KIND_COMPLIANCE = 1 << 5,
  REEVE_KIND_GUARD = 1 << 6,
  REEVE_KIND_EXTRACTOR = 1 << 7,
  REEVE_KIND_SINK = 1 << 8,
  REEVE_KIND_KEY = 1 << 9
} ReeveKinds;

ReeveManifest *reeve_manifest_new_from_file (const char *path,
                                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
ReeveManifest *reeve_manifest_new_from_data (const char *data, gsize length, const char *path,
                                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
ReeveManifest *reeve_manifest_ref (ReeveManifest *self);
void reeve_manifest_unref (ReeveManifest *self);

const char *reeve_manifest_get_path (ReeveManifest *self);
const char *reeve_manifest_get_digest (ReeveManifest *self); /* SHA-256 of the file, hexadecimal */
/* (nullable) SHA-256 of the SchemaFile */
const char *reeve_manifest_get_settings_digest (ReeveManifest *self);
const char *reeve_manifest_get_id (ReeveManifest *self);
const char *reeve_manifest_get_version (ReeveManifest *self);
const char *reeve_manifest_get_name (ReeveManifest *self);
const char *reeve_manifest_get_description (ReeveManifest *self);
const char *reeve_manifest_get_licence (ReeveManifest *self); /* (nullable) */
ReeveKinds reeve_manifest_get_kinds (ReeveManifest *self);
const char *const *reeve_manifest_get_kind_names (ReeveManifest *self);
void reeve_manifest_get_api (ReeveManifest *self, guint *major, guint *minor);
/* full path of the .so, or of the script */
const char *reeve_manifest_get_module (ReeveManifest *self);
const char *const *reeve_manifest_get_capabilities (ReeveManifest *self);
const char *reeve_manifest_get_reason (ReeveManifest *self,
                                       const char *capability); /* (nullable): not requested */
JsonNode *reeve_manifest_get_settings_schema (ReeveManifest *self);
ReeveSchema *reeve_manifest_get_schema (ReeveManifest *self); /* of the settings, compiled */
const char *const *reeve_manifest_get_run_after (ReeveManifest *self);
const char *const *reeve_manifest_get_conflicts (ReeveManifest *self);
const char *const *reeve_manifest_get_requires (ReeveManifest *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveManifest, reeve_manifest_unref)

G_END_DECLS
