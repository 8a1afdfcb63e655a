/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A manifest as a value. */
#include <string.h>

#include "base/digests.h"
#include "manifest-private.h"

#define REEVE_MANIFEST_MAX_BYTES 65536

/**
 * reeve_manifest_new_from_data:
 * @data: text of a manifest
 * @length: its bytes
 * @path: where it stands; the module and the schema file lie beside it
 * @error: return location for %REEVE_ERROR_PLUGIN
 *
 * Returns: (transfer full) (nullable): the manifest
 */
ReeveManifest *
reeve_manifest_new_from_data (const char *data, gsize length, const char *path, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (ReeveManifest) self = g_new0 (ReeveManifest, 1);
  g_autoptr (GError) inner = NULL;

  g_atomic_ref_count_init (&self->refs);
  self->path = g_strdup (path);
  self->digest = reeve_digests_sha256_hex (data, length);
  if (length > REEVE_MANIFEST_MAX_BYTES)
    g_set_error (&inner, REEVE_ERROR, REEVE_ERROR_PLUGIN, "larger than %d bytes",
                 REEVE_MANIFEST_MAX_BYTES);
  else if (!g_utf8_validate_len (data, length, NULL))
    g_set_error (&inner, REEVE_ERROR, REEVE_ERROR_PLUGIN, "not UTF-8");
  else if (g_key_file_load_from_data (file, data, length, G_KEY_FILE_NONE, &inner)
           && reeve_manifest_check_lines (data, length, &inner)
           && reeve_manifest_read (self, file, &inner))
    return g_steal_pointer (&self);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "manifest %s: %s", path, inner->message);
  return NULL;
}

/**
 * reeve_manifest_new_from_file:
 * @path: of a manifest
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the manifest
 */
ReeveManifest *
reeve_manifest_new_from_file (const char *path, GError **error)
{
  g_autofree char *data = NULL;
  gsize length = 0;

  data = reeve_manifest_read_file (path, &length, error);
  if (data == NULL)
    {
      g_prefix_error (error, "manifest: ");
      return NULL;
    }
  return reeve_manifest_new_from_data (data, length, path, error);
}

/**
 * reeve_manifest_ref:
 * @self: a manifest
 *
 * Returns: (transfer full): @self
 */
ReeveManifest *
reeve_manifest_ref (ReeveManifest *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * reeve_manifest_unref:
 * @self: (transfer full): a manifest
 */
void
reeve_manifest_unref (ReeveManifest *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_free (self->path);
  g_free (self->digest);
  g_free (self->settings_digest);
  g_free (self->id);
  g_free (self->version);
  g_free (self->name);
  g_free (self->description);
  g_free (self->licence);
  g_strfreev (self->kind_names);
  g_free (self->module);
  g_strfreev (self->capabilities);
  g_strfreev (self->reasons);
  g_clear_pointer (&self->settings_schema, json_node_unref);
  g_clear_pointer (&self->schema, reeve_schema_unref);
  g_strfreev (self->run_after);
  g_strfreev (self->conflicts);
  g_strfreev (self->requires);
  reeve_manifest_script_clear (self);
  reeve_manifest_offers_clear (self);
  g_free (self);
}

/**
 * reeve_manifest_get_path:
 * @self: a manifest
 *
 * Returns: (transfer none): of the manifest
 */
const char *
reeve_manifest_get_path (ReeveManifest *self)
{
  return self->path;
}

/**
 * reeve_manifest_get_digest:
 * @self: a manifest
 *
 * Returns: (transfer none): SHA-256 of the file, hexadecimal
 */
const char *
reeve_manifest_get_digest (ReeveManifest *self)
{
  return self->digest;
}

/**
 * reeve_manifest_get_settings_digest:
 * @self: a manifest
 *
 * Returns: (transfer none) (nullable): SHA-256 of the file that holds the settings' schema, in
 * hexadecimal; %NULL when the manifest holds it
 */
const char *
reeve_manifest_get_settings_digest (ReeveManifest *self)
{
  return self->settings_digest;
}

/**
 * reeve_manifest_get_id:
 * @self: a manifest
 *
 * Returns: (transfer none): its id
 */
const char *
reeve_manifest_get_id (ReeveManifest *self)
{
  return self->id;
}

/**
 * reeve_manifest_get_version:
 * @self: a manifest
 *
 * Returns: (transfer none): its version
 */
const char *
reeve_manifest_get_version (ReeveManifest *self)
{
  return self->version;
}

/**
 * reeve_manifest_get_name:
 * @self: a manifest
 *
 * Returns: (transfer none): a name for people
 */
const char *
reeve_manifest_get_name (ReeveManifest *self)
{
  return self->name;
}

/**
 * reeve_manifest_get_description:
 * @self: a manifest
 *
 * Returns: (transfer none): one sentence
 */
const char *
reeve_manifest_get_description (ReeveManifest *self)
{
  return self->description;
}

/**
 * reeve_manifest_get_licence:
 * @self: a manifest
 *
 * Returns: (transfer none): (nullable) its licence
 */
const char *
reeve_manifest_get_licence (ReeveManifest *self)
{
  return self->licence;
}

/**
 * reeve_manifest_get_kinds:
 * @self: a manifest
 *
 * Returns: (transfer none): what it offers
 */
ReeveKinds
reeve_manifest_get_kinds (ReeveManifest *self)
{
  return self->kinds;
}

/**
 * reeve_manifest_get_module:
 * @self: a manifest
 *
 * Returns: (transfer none): full path of its module
 */
const char *
reeve_manifest_get_module (ReeveManifest *self)
{
  return self->module;
}

/**
 * reeve_manifest_get_settings_schema:
 * @self: a manifest
 *
 * Returns: (transfer none): JSON Schema of its settings
 */
JsonNode *
reeve_manifest_get_settings_schema (ReeveManifest *self)
{
  return self->settings_schema;
}

/**
 * reeve_manifest_get_schema:
 * @self: a manifest
 *
 * Returns: (transfer none): the same, compiled
 */
ReeveSchema *
reeve_manifest_get_schema (ReeveManifest *self)
{
  return self->schema;
}

/**
 * reeve_manifest_get_kind_names:
 * @self: a manifest
 *
 * Returns: (transfer none) (array zero-terminated=1): names of its kinds
 */
const char *const *
reeve_manifest_get_kind_names (ReeveManifest *self)
{
  return (const char *const *) self->kind_names;
}

/**
 * reeve_manifest_get_capabilities:
 * @self: a manifest
 *
 * Returns: (transfer none) (array zero-terminated=1): capabilities it asks for
 */
const char *const *
reeve_manifest_get_capabilities (ReeveManifest *self)
{
  return (const char *const *) self->capabilities;
}

/**
 * reeve_manifest_get_run_after:
 * @self: a manifest
 *
 * Returns: (transfer none) (array zero-terminated=1): plugins it runs after, where they are
 */
const char *const *
reeve_manifest_get_run_after (ReeveManifest *self)
{
  return (const char *const *) self->run_after;
}

/**
 * reeve_manifest_get_conflicts:
 * @self: a manifest
 *
 * Returns: (transfer none) (array zero-terminated=1): plugins it cannot be with
 */
const char *const *
reeve_manifest_get_conflicts (ReeveManifest *self)
{
  return (const char *const *) self->conflicts;
}

/**
 * reeve_manifest_get_requires:
 * @self: a manifest
 *
 * Returns: (transfer none) (array zero-terminated=1): plugins it needs
 */
const char *const *
reeve_manifest_get_requires (ReeveManifest *self)
{
  return (const char *const *) self->requires;
}

/**
 * reeve_manifest_get_api:
 * @self: a manifest
 * @major: (out): of the plugin interface it was made for
 * @minor: (out): the same
 */
void
reeve_manifest_get_api (ReeveManifest *self, guint *major, guint *minor)
{
  *major = self->api_major;
  *minor = self->api_minor;
}

/**
 * reeve_manifest_get_reason:
 * @self: a manifest
 * @capability: name of a capability
 *
 * Returns: (transfer none) (nullable): why the plugin asks for it; %NULL when it does not
 */
const char *
reeve_manifest_get_reason (ReeveManifest *self, const char *capability)
{
  for (guint i = 0; self->capabilities[i] != NULL; i++)
    {
      if (strcmp (self->capabilities[i], capability) == 0)
        return self->reasons[i];
    }
  return NULL;
}
