/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* It stands in the configuration and not in the store: whoever grants cannot raise it. A grant that
 * names no places is for as many as the ceiling has. */
#include "grants-ceiling.h"

#include <reeve-error.h>
#include <string.h>

#include "directory.h"

#define REEVE_GRANTS_CEILING "plugins.ceiling."

/* What bounds a size that a grant says */
typedef struct
{
  const char *capability;
  const char *key;
  const char *parameter;
  const char *unit;
} ReeveGrantsCeilingSize;

static const ReeveGrantsCeilingSize reeve_grants_ceiling_sizes[]
    = { { "net.http", "max_bytes", "max_bytes", "bytes" },
        { "store.kv", "store_bytes", "max_bytes", "bytes" },
        { "store.blob", "store_bytes", "max_bytes", "bytes" },
        { "fs.read", "file_bytes", "max_bytes", "bytes" },
        { "fs.write", "file_bytes", "max_bytes", "bytes" },
        { "memory", "memory", "amount", "MiB" },
        { "threads", "threads", "amount", "threads" },
        { "cpu", "cpu", "amount", "percent of a processor" },
        { "scratch", "scratch", "amount", "MiB" } };

struct _ReeveGrantsCeiling
{
  char **capabilities; /* NULL: all */
  JsonObject *limits;  /* the rest of the section, written one way; read only */
  ReeveCapabilityTerms *terms;
};

static JsonObject *
reeve_grants_ceiling_read (JsonObject *config, GError **error)
{
  static const char *const members[]
      = { "origins",      "methods",    "hosts",   "claims",          "max_bytes",
          "store_bytes",  "file_bytes", "folders", "max_per_second",  "max_per_minute",
          "memory",       "threads",    "cpu",     "max_connections", "folder_bytes",
          "folder_files", "models",     "tools",   "tokens",          "depth",
          "scratch" };
  static const ReeveGrantCatalogueRow row
      = { "plugins.ceiling", REEVE_GRANT_ASKED, NULL, NULL,
          " origins methods hosts claims max_bytes store_bytes file_bytes folders max_per_second "
          "max_per_minute memory threads cpu max_connections folder_bytes folder_files models "
          "tools tokens depth scratch " };
  g_autoptr (JsonObject) given = json_object_new ();

  for (guint i = 0; config != NULL && i < G_N_ELEMENTS (members); i++)
    if (json_object_has_member (config, members[i]))
      reeve_directory_copy (config, given, members[i]);
  return reeve_grant_parameters_check (&row, given, error);
}

/**
 * reeve_grants_ceiling_new:
 * @config: (nullable): section `plugins.ceiling`
 * @error: return location
 *
 * Returns: (transfer full): the ceiling; %NULL with %REEVE_ERROR_CONFIGURATION
 */
ReeveGrantsCeiling *
reeve_grants_ceiling_new (JsonObject *config, GError **error)
{
  g_autoptr (GError) local = NULL;
  JsonObject *limits = reeve_grants_ceiling_read (config, &local);
  ReeveGrantsCeiling *self = NULL;
  const char *member = local != NULL ? reeve_error_get_member (local) : NULL;

  if (limits == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "%s: %s",
                   member != NULL && g_str_has_prefix (member, "/parameters/")
                       ? member + strlen ("/parameters/")
                       : "ceiling",
                   local->message);
      return NULL;
    }
  self = g_new0 (ReeveGrantsCeiling, 1);
  self->limits = limits;
  self->terms = reeve_grant_parameters_to_terms (NULL, limits, 0);
  if (config != NULL && json_object_has_member (config, "capabilities"))
    self->capabilities = reeve_directory_get_strings (config, "capabilities");
  return self;
}

void
reeve_grants_ceiling_free (ReeveGrantsCeiling *self)
{
  g_strfreev (self->capabilities);
  json_object_unref (self->limits);
  reeve_capability_terms_unref (self->terms);
  g_free (self);
}

const char *
reeve_grants_ceiling_find_key (ReeveGrantsCeiling *self, const char *capability)
{
  return self->capabilities == NULL
                 || g_strv_contains ((const char *const *) self->capabilities, capability)
             ? NULL
             : REEVE_GRANTS_CEILING "capabilities";
}

static gboolean
reeve_grants_ceiling_refuse (const char *capability, const char *key, const char *what,
                             GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
               "%s is beyond what this deployment lets anybody grant of %s: " REEVE_GRANTS_CEILING
               "%s of the configuration",
               what, capability, key);
  return FALSE;
}

/* A model by its provider's star too; one that is named without its provider is held against the
 * ceiling when it is called, for what it stands for may change. */
static gboolean
reeve_grants_ceiling_has (const char *name, char **allowed, const char *wanted)
{
  if (strcmp (name, "models") != 0)
    return reeve_capability_terms_has ((const char *const *) allowed, wanted);
  for (guint i = 0; allowed[i] != NULL; i++)
    if (reeve_capability_terms_covers_model (allowed[i], wanted))
      return TRUE;
  return strchr (wanted, '/') == NULL;
}

static gboolean
reeve_grants_ceiling_check_list (ReeveGrantsCeiling *self, const char *capability,
                                 JsonObject *parameters, const char *name, GError **error)
{
  g_auto (GStrv) wanted = json_object_has_member (parameters, name)
                              ? reeve_directory_get_strings (parameters, name)
                              : NULL;
  g_auto (GStrv) allowed = json_object_has_member (self->limits, name)
                               ? reeve_directory_get_strings (self->limits, name)
                               : NULL;

  for (guint i = 0; allowed != NULL && wanted != NULL && wanted[i] != NULL; i++)
    if (!reeve_grants_ceiling_has (name, allowed, wanted[i]))
      return reeve_grants_ceiling_refuse (capability, name, wanted[i], error);
  return TRUE;
}

/* What bounds a size of that capability, with the bound; NULL: nothing does */
static const ReeveGrantsCeilingSize *
reeve_grants_ceiling_find_size (ReeveGrantsCeiling *self, const char *capability, gint64 *bound)
{
  for (guint i = 0; i < G_N_ELEMENTS (reeve_grants_ceiling_sizes); i++)
    {
      const ReeveGrantsCeilingSize *size = &reeve_grants_ceiling_sizes[i];

      *bound = reeve_json_get_int (self->limits, size->key, 0);
      if (*bound > 0 && strcmp (capability, size->capability) == 0)
        return size;
    }
  return NULL;
}

static gboolean
reeve_grants_ceiling_check_number (ReeveGrantsCeiling *self, const char *capability,
                                   JsonObject *parameters, const char *name, const char *of,
                                   GError **error)
{
  gint64 bound = reeve_json_get_int (self->limits, name, 0);
  gint64 wanted = reeve_json_get_int (parameters, name, 0);
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT " %s", wanted, of);

  return bound == 0 || wanted <= bound
         || reeve_grants_ceiling_refuse (capability, name, text, error);
}

/* Lists and numbers whose names are the same here and there */
static gboolean
reeve_grants_ceiling_check_names (ReeveGrantsCeiling *self, const char *capability,
                                  JsonObject *parameters, GError **error)
{
  static const char *const lists[] = { "origins", "methods", "hosts", "claims", "models", "tools" };
  static const struct
  {
    const char *name;
    const char *of;
  } numbers[] = { { "max_per_second", "requests" },      { "max_per_minute", "requests" },
                  { "max_connections", "connections" },  { "folder_bytes", "bytes" },
                  { "folder_files", "files" },           { "tokens", "tokens" },
                  { "depth", "calls below one another" } };

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    if (!reeve_grants_ceiling_check_list (self, capability, parameters, lists[i], error))
      return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (!reeve_grants_ceiling_check_number (self, capability, parameters, numbers[i].name,
                                            numbers[i].of, error))
      return FALSE;
  return TRUE;
}

/**
 * reeve_grants_ceiling_check:
 * @self: the ceiling
 * @capability: what is to be granted
 * @parameters: with which parameters; they were checked
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_PERMISSION_DENIED, which names the key
 */
gboolean
reeve_grants_ceiling_check (ReeveGrantsCeiling *self, const char *capability,
                            JsonObject *parameters, GError **error)
{
  gint64 wanted = 0;
  gint64 bound = 0;
  const char *folder = reeve_json_get_string (parameters, "folder", NULL);
  const ReeveGrantsCeilingSize *size = reeve_grants_ceiling_find_size (self, capability, &bound);
  g_autofree char *text = NULL;

  if (reeve_grants_ceiling_find_key (self, capability) != NULL)
    return reeve_grants_ceiling_refuse (capability, "capabilities", capability, error);
  if (!reeve_grants_ceiling_check_names (self, capability, parameters, error))
    return FALSE;
  if (folder != NULL
      && !reeve_capability_terms_has_folder ((const char *const *) self->terms->folders, folder))
    return reeve_grants_ceiling_refuse (capability, "folders", folder, error);
  if (size == NULL)
    return TRUE;
  wanted = reeve_json_get_int (parameters, size->parameter, 0);
  if (wanted <= bound)
    return TRUE;
  text = g_strdup_printf ("%" G_GINT64_FORMAT " %s", wanted, size->unit);
  return reeve_grants_ceiling_refuse (capability, size->key, text, error);
}

ReeveCapabilityTerms *
reeve_grants_ceiling_get_terms (ReeveGrantsCeiling *self)
{
  return self->terms;
}

/**
 * reeve_grants_ceiling_show:
 * @self: the ceiling
 * @capability: one that there is
 *
 * Returns: (transfer full): whether it may be granted, by which key not, and how far at most
 */
JsonObject *
reeve_grants_ceiling_show (ReeveGrantsCeiling *self, const char *capability)
{
  static const char *const members[]
      = { "origins",        "methods",         "hosts",        "claims",       "max_per_second",
          "max_per_minute", "max_connections", "folder_bytes", "folder_files", "models",
          "tools",          "tokens",          "depth" };
  const ReeveGrantCatalogueRow *row = reeve_grant_catalogue_find (capability);
  const char *key = reeve_grants_ceiling_find_key (self, capability);
  JsonObject *shown = json_object_new ();
  g_autoptr (JsonObject) parameters = json_object_new ();
  gint64 bound = 0;
  const ReeveGrantsCeilingSize *size = reeve_grants_ceiling_find_size (self, capability, &bound);

  for (guint i = 0; row != NULL && i < G_N_ELEMENTS (members); i++)
    if (reeve_grant_catalogue_takes (row, members[i])
        && json_object_has_member (self->limits, members[i]))
      json_object_set_member (parameters, members[i],
                              json_node_copy (json_object_get_member (self->limits, members[i])));
  if (row != NULL && reeve_grant_catalogue_takes (row, "folder")
      && json_object_has_member (self->limits, "folders"))
    json_object_set_member (parameters, "folders",
                            json_node_copy (json_object_get_member (self->limits, "folders")));
  if (size != NULL)
    json_object_set_int_member (parameters, size->parameter, bound);
  json_object_set_boolean_member (shown, "allowed", key == NULL);
  if (key != NULL)
    json_object_set_string_member (shown, "key", key);
  else
    json_object_set_null_member (shown, "key");
  json_object_set_object_member (shown, "parameters", g_steal_pointer (&parameters));
  return shown;
}
