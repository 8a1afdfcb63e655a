/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file and the Secret Service can be written, so a first start makes the key there. The
 * environment and a systemd credential are given by whoever starts the host. A key plugin (KMS)
 * would be one more row of the table. */
#include "master-key-source.h"

#include <errno.h>
#include <string.h>

#include <reeve-plugin-1.h>

#include "key-folder.h"
#include "master-key-service.h"

/* base64 and white space around */
#define REEVE_MASTER_KEY_SOURCE_MAX 128

typedef ReeveMasterKey *(*ReeveMasterKeySourceFunc) (const ReeveMasterKeySource *self,
                                                     const char *name, gboolean *made,
                                                     GError **error);

/* What was not found can be made only where nothing is sealed by it. */
static gboolean
reeve_master_key_source_may_make (const ReeveMasterKeySource *self, const GError *reason,
                                  GError **error)
{
  if (!g_error_matches (reason, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, reason->message);
  else if (!self->may_make)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                 "%s; the stores are encrypted, and only the key that was there opens them: "
                 "restore it, or say where it is now in encryption.key_source",
                 reason->message);
  else
    return TRUE;
  return FALSE;
}

/* ---- file ---- */

static char *
reeve_master_key_source_get_path (const ReeveMasterKeySource *self, const char *name)
{
  return *name != '\0' ? g_canonicalize_filename (name, NULL)
                       : g_build_filename (self->state_folder, REEVE_MASTER_KEY_SOURCE_FILE, NULL);
}

static ReeveMasterKey *
reeve_master_key_source_make_file (const char *path, GError **error)
{
  g_autoptr (ReeveMasterKey) key = reeve_master_key_new_random ();
  char *text = reeve_master_key_to_text (key);
  g_autoptr (GError) local = NULL;
  gboolean ok = reeve_key_folder_create (path, text, strlen (text), &local);

  explicit_bzero (text, strlen (text));
  g_free (text);
  if (ok)
    return g_steal_pointer (&key);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "making a master key: %s",
               local->message);
  return NULL;
}

static ReeveMasterKey *
reeve_master_key_source_parse (GBytes *bytes, const char *place, GError **error)
{
  gsize size = 0;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  ReeveMasterKey *key = reeve_master_key_parse (data, size, error);

  if (data != NULL)
    explicit_bzero ((gpointer) data, size);
  if (key == NULL)
    g_prefix_error (error, "%s: ", place);
  return key;
}

static ReeveMasterKey *
reeve_master_key_source_load_file (const ReeveMasterKeySource *self, const char *name,
                                   gboolean *made, GError **error)
{
  g_autofree char *path = reeve_master_key_source_get_path (self, name);
  g_autoptr (GError) local = NULL;
  g_autoptr (GBytes) bytes = NULL;

  /* whose folder would it be relative to? */
  if (*name != '\0' && !g_path_is_absolute (name))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                   "file:%s: the path must be absolute", name);
      return NULL;
    }
  bytes = reeve_key_folder_read_private (path, REEVE_MASTER_KEY_SOURCE_MAX, &local);
  if (bytes != NULL)
    return reeve_master_key_source_parse (bytes, path, error);
  if (!reeve_master_key_source_may_make (self, local, error))
    return NULL;
  *made = TRUE;
  return reeve_master_key_source_make_file (path, error);
}

/* ---- environment ---- */

/* Overwritten where it lies, too: /proc/PID/environ shows that memory. */
static ReeveMasterKey *
reeve_master_key_source_load_environment (const ReeveMasterKeySource *self, const char *name,
                                          gboolean *made, GError **error)
{
  const char *variable = *name != '\0' ? name : REEVE_MASTER_KEY_SOURCE_VARIABLE;
  char *value = (char *) g_getenv (variable);
  ReeveMasterKey *key = NULL;

  if (value == NULL || *value == '\0')
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                   "environment variable %s is not set", variable);
      return NULL;
    }
  key = reeve_master_key_parse (value, strlen (value), error);
  if (key == NULL)
    g_prefix_error (error, "environment variable %s: ", variable);
  explicit_bzero (value, strlen (value));
  g_unsetenv (variable);
  return key;
}

/* ---- systemd ---- */

/* Who may read it is systemd's affair: with an access list its mode shows a group. */
static ReeveMasterKey *
reeve_master_key_source_load_credential (const ReeveMasterKeySource *self, const char *name,
                                         gboolean *made, GError **error)
{
  const char *folder = g_getenv ("CREDENTIALS_DIRECTORY");
  g_autofree char *path = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) local = NULL;

  if (folder == NULL || *folder == '\0')
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                   "there are no credentials: CREDENTIALS_DIRECTORY is not set; the service needs "
                   "LoadCredential=%s:PATH or LoadCredentialEncrypted=",
                   name);
      return NULL;
    }
  path = g_build_filename (folder, name, NULL);
  bytes = reeve_key_folder_read (path, REEVE_MASTER_KEY_SOURCE_MAX, &local);
  if (bytes != NULL)
    return reeve_master_key_source_parse (bytes, path, error);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "%s", local->message);
  return NULL;
}

/* ---- Secret Service ---- */

static ReeveMasterKey *
reeve_master_key_source_load_service (const ReeveMasterKeySource *self, const char *name,
                                      gboolean *made, GError **error)
{
  const char *item = *name != '\0' ? name : self->state_folder;
  g_autoptr (ReeveMasterKey) key = NULL;
  g_autoptr (GError) local = NULL;

  key = reeve_master_key_service_look_up (item, &local);
  if (key != NULL)
    return g_steal_pointer (&key);
  if (!reeve_master_key_source_may_make (self, local, error))
    return NULL;
  key = reeve_master_key_new_random ();
  *made = TRUE;
  return reeve_master_key_service_store (item, key, error) ? g_steal_pointer (&key) : NULL;
}

/* ---- all of them ---- */

static const struct
{
  const char *kind;
  gboolean needs_name;
  const char *said; /* where such a key is, for people */
  ReeveMasterKeySourceFunc load;
} reeve_master_key_source_kinds[] = {
  { "file", FALSE, "the file", reeve_master_key_source_load_file },
  { "env", FALSE, "the environment", reeve_master_key_source_load_environment },
  { "libsecret", FALSE, "the Secret Service", reeve_master_key_source_load_service },
  { "credential", TRUE, "the credential", reeve_master_key_source_load_credential },
};

/* auto: the variable, where it is set, else the file */
static char *
reeve_master_key_source_resolve (const char *source)
{
  if (strcmp (source, REEVE_MASTER_KEY_SOURCE_DEFAULT) != 0)
    return g_strdup (source);
  return g_strdup (g_getenv (REEVE_MASTER_KEY_SOURCE_VARIABLE) != NULL ? "env" : "file");
}

static void
reeve_master_key_source_describe (const ReeveMasterKeySource *self, const char *said,
                                  const char *kind, const char *name, ReeveMasterKeyPlace *place)
{
  g_autofree char *path = NULL;
  g_autofree char *inside = g_strconcat (self->state_folder, G_DIR_SEPARATOR_S, NULL);

  if (strcmp (kind, "file") != 0)
    {
      place->text = *name != '\0' ? g_strdup_printf ("%s (%s)", said, name) : g_strdup (said);
      return;
    }
  path = reeve_master_key_source_get_path (self, name);
  place->text = g_strdup_printf ("%s %s", said, path);
  place->beside = g_str_has_prefix (path, inside);
}

/**
 * reeve_master_key_source_clear_place:
 * @place: what was found
 */
void
reeve_master_key_source_clear_place (ReeveMasterKeyPlace *place)
{
  g_clear_pointer (&place->text, g_free);
}

/**
 * reeve_master_key_source_load:
 * @self: where to look
 * @place: (out caller-allocates): where that is, and whether the key was made there
 * @error: return location
 *
 * Returns: (transfer full): the master key; %NULL with %REEVE_ERROR_CONFIGURATION, naming what is
 * wrong and what to do
 */
ReeveMasterKey *
reeve_master_key_source_load (const ReeveMasterKeySource *self, ReeveMasterKeyPlace *place,
                              GError **error)
{
  g_autofree char *source = reeve_master_key_source_resolve (self->source);
  char *name = strchr (source, ':');

  *place = (ReeveMasterKeyPlace){ 0 };
  if (name != NULL)
    *name++ = '\0';
  else
    name = source + strlen (source);
  for (guint i = 0; i < G_N_ELEMENTS (reeve_master_key_source_kinds); i++)
    if (strcmp (source, reeve_master_key_source_kinds[i].kind) == 0
        && (*name != '\0' || !reeve_master_key_source_kinds[i].needs_name))
      {
        reeve_master_key_source_describe (self, reeve_master_key_source_kinds[i].said, source, name,
                                          place);
        return reeve_master_key_source_kinds[i].load (self, name, &place->made, error);
      }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
               "%s is no source of a master key: must be auto, file, file:/PATH, env, env:NAME, "
               "libsecret, libsecret:NAME or credential:NAME",
               self->source);
  return NULL;
}
