/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A grant without a folder is for none; one without a glob is for every name. */
#include "plugin-files-claim.h"

#include <string.h>

#include "plugin-files.h"

static const ReeveCapabilityTerms *
reeve_plugin_files_claim_get (ReevePluginFilesClaim *self, guint i)
{
  return reeve_capability_lease_get_terms (self->caller->lease, i);
}

gboolean
reeve_plugin_files_claim_begin (ReevePluginFilesClaim *self, const char *asked, GError **error)
{
  ReeveCapabilityLease *lease = self->caller->lease;
  const ReeveCapabilityTerms *ceiling
      = lease != NULL ? reeve_capability_lease_get_ceiling (lease) : NULL;

  for (guint i = 0; lease != NULL && i < reeve_capability_lease_get_length (lease); i++)
    {
      const char *folder = reeve_plugin_files_claim_get (self, i)->folder;

      if (folder == NULL || (asked != NULL && strcmp (asked, folder) != 0)
          || (ceiling != NULL
              && !reeve_capability_terms_has_folder ((const char *const *) ceiling->folders,
                                                     folder)))
        continue;
      if (self->folder == NULL)
        self->folder = folder;
      if (strcmp (folder, self->folder) == 0)
        self->mask |= G_GUINT64_CONSTANT (1) << i;
    }
  if (self->folder != NULL)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
               "%s: %s%s is granted to plugin %s within plugins.ceiling.folders: reevectl plugins "
               "grant %s %s --param folder=%s --reason WHY",
               self->capability, asked != NULL ? "nothing of folder " : "no folder",
               asked != NULL ? asked : "", self->caller->plugin_id, self->caller->plugin_id,
               self->capability, asked != NULL ? asked : "/FOLDER");
  return FALSE;
}

static gboolean
reeve_plugin_files_claim_fits (const ReeveCapabilityTerms *terms, const char *name)
{
  return terms->glob == NULL || g_pattern_match_simple (terms->glob, name);
}

gboolean
reeve_plugin_files_claim_has_name (ReevePluginFilesClaim *self, const char *name)
{
  for (guint i = 0; i < reeve_capability_lease_get_length (self->caller->lease); i++)
    if ((self->mask & G_GUINT64_CONSTANT (1) << i) != 0
        && reeve_plugin_files_claim_fits (reeve_plugin_files_claim_get (self, i), name))
      return TRUE;
  return FALSE;
}

/* Bytes of one file */
static gint64
reeve_plugin_files_claim_limit (ReevePluginFilesClaim *self, const ReeveCapabilityTerms *terms)
{
  const ReeveCapabilityTerms *ceiling = reeve_capability_lease_get_ceiling (self->caller->lease);
  gint64 limit = terms->max_bytes > 0 ? terms->max_bytes : REEVE_PLUGIN_FILES_BYTES;

  return ceiling != NULL && ceiling->file_bytes > 0 ? MIN (limit, ceiling->file_bytes) : limit;
}

gboolean
reeve_plugin_files_claim_file (ReevePluginFilesClaim *self, const char *path, gint64 bytes,
                               GError **error)
{
  const char *slash = path != NULL ? strrchr (path, '/') : NULL;
  const char *name = slash != NULL ? slash + 1 : path;
  gint64 most = -1;
  guint64 mask = 0;

  for (guint i = 0; i < reeve_capability_lease_get_length (self->caller->lease); i++)
    {
      const ReeveCapabilityTerms *terms = reeve_plugin_files_claim_get (self, i);
      gint64 limit = reeve_plugin_files_claim_limit (self, terms);

      if ((self->mask & G_GUINT64_CONSTANT (1) << i) == 0
          || (name != NULL && !reeve_plugin_files_claim_fits (terms, name)))
        continue;
      most = MAX (most, limit);
      if (bytes <= limit)
        mask |= G_GUINT64_CONSTANT (1) << i;
    }
  if (mask != 0)
    {
      self->mask = mask;
      return reeve_capability_lease_rest_on (self->caller->lease, mask, error);
    }
  if (most < 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                 "%s is not granted to plugin %s for a file of the name \"%s\"", self->capability,
                 self->caller->plugin_id, name);
  else
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                 "%s: a file of %" G_GINT64_FORMAT " bytes, and granted are %" G_GINT64_FORMAT,
                 self->capability, bytes, most);
  return FALSE;
}

/* Below the ceiling */
static gint64
reeve_plugin_files_claim_bound (gint64 granted, gint64 usual, gint64 ceiling)
{
  gint64 limit = granted > 0 ? granted : usual;

  return ceiling > 0 ? MIN (limit, ceiling) : limit;
}

static ReevePluginFilesAmount
reeve_plugin_files_claim_get_folder (ReevePluginFilesClaim *self, guint i)
{
  static const ReeveCapabilityTerms none = { 0 };
  const ReeveCapabilityTerms *terms = reeve_plugin_files_claim_get (self, i);
  const ReeveCapabilityTerms *ceiling = reeve_capability_lease_get_ceiling (self->caller->lease);

  if (ceiling == NULL)
    ceiling = &none;
  return (ReevePluginFilesAmount){
    reeve_plugin_files_claim_bound (terms->folder_bytes, REEVE_PLUGIN_FILES_FOLDER_BYTES,
                                    ceiling->folder_bytes),
    reeve_plugin_files_claim_bound (terms->folder_files, REEVE_PLUGIN_FILES_FOLDER_FILES,
                                    ceiling->folder_files),
  };
}

gboolean
reeve_plugin_files_claim_folder (ReevePluginFilesClaim *self, const ReevePluginFilesAmount *needed,
                                 ReevePluginFilesAmount *limit, GError **error)
{
  guint64 mask = 0;

  *limit = (ReevePluginFilesAmount){ 0 };
  for (guint i = 0; i < reeve_capability_lease_get_length (self->caller->lease); i++)
    {
      ReevePluginFilesAmount one = reeve_plugin_files_claim_get_folder (self, i);
      gboolean fits = needed->bytes <= one.bytes && needed->files <= one.files;

      if ((self->mask & G_GUINT64_CONSTANT (1) << i) == 0)
        continue;
      if (fits)
        mask |= G_GUINT64_CONSTANT (1) << i;
      if (fits || mask == 0)
        *limit = one;
    }
  if (mask != 0)
    return reeve_capability_lease_rest_on (self->caller->lease, mask, error);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
               "%s: folder %s would hold %" G_GINT64_FORMAT " bytes in %" G_GINT64_FORMAT
               " files and folders, and granted are folder_bytes %" G_GINT64_FORMAT
               " and folder_files %" G_GINT64_FORMAT,
               self->capability, self->folder, needed->bytes, needed->files, limit->bytes,
               limit->files);
  return FALSE;
}
