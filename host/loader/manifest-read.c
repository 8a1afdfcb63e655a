/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads <id>.plugin: a GKeyFile with the groups Plugin, Capabilities, Limits, Settings and Offers.
 * Everything in it is checked here, so that what is listed, granted or compared later is known to
 * be well formed. */
#include "manifest-private.h"

#include "base/digests.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interpreter.h"

#define REEVE_MANIFEST_SIZE (256 * 1024)

#define REEVE_MANIFEST_GROUP        "Plugin"
#define REEVE_MANIFEST_CAPABILITIES "Capabilities"
#define REEVE_MANIFEST_SETTINGS     "Settings"
#define REEVE_MANIFEST_MAX_REASON   400
#define REEVE_MANIFEST_MAX_ITEMS    32

static const struct
{
  const char *name;
  ReeveKinds kind;
} reeve_manifest_kinds[] = {
  { "auth", REEVE_KIND_AUTH },
  { "storage", REEVE_KIND_STORAGE },
  { "llm", REEVE_KIND_LLM },
  { "tool", REEVE_KIND_TOOL },
  { "connector", REEVE_KIND_CONNECTOR },
  { "compliance", REEVE_KIND_COMPLIANCE },
  { "guard", REEVE_KIND_GUARD },
  { "extractor", REEVE_KIND_EXTRACTOR },
  { "sink", REEVE_KIND_SINK },
  { "key", REEVE_KIND_KEY },
};

/* An unknown capability is an error: a plugin that asks for what this host does not know was made
 * for another one. */
static const char *const reeve_manifest_known_capabilities[] = { "net.http",
                                                                 "net.tcp",
                                                                 "net.stream",
                                                                 "secret.use",
                                                                 "secret.read",
                                                                 "store.kv",
                                                                 "store.blob",
                                                                 "fs.read",
                                                                 "fs.write",
                                                                 "scratch",
                                                                 "model.call",
                                                                 "tool.call",
                                                                 "identity.read",
                                                                 "threads",
                                                                 "memory",
                                                                 "cpu",
                                                                 "jit",
                                                                 "log",
                                                                 "metrics",
                                                                 "audit.emit",
                                                                 "clock",
                                                                 "random",
                                                                 "interpreter",
                                                                 "knowledge.search",
                                                                 "credentials.lookup",
                                                                 "credentials.digest",
                                                                 "credentials.password",
                                                                 "host.profile",
                                                                 NULL };

static const char *const reeve_manifest_keys[]
    = { "Id",     "Version",  "Name",      "Description", "Kinds",       "Api",     "Licence",
        "Module", "RunAfter", "Conflicts", "Requires",    "Interpreter", "Imports", NULL };

static gboolean
reeve_manifest_fail (GError **error, const char *key, const char *why)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "%s: %s", key, why);
  return FALSE;
}

static gboolean
reeve_manifest_read_all (int fd, char *data, gsize *length)
{
  gssize got = 1;

  while (got > 0 && *length <= REEVE_MANIFEST_SIZE)
    {
      got = read (fd, data + *length, REEVE_MANIFEST_SIZE + 1 - *length);
      *length += (gsize) MAX (got, 0);
    }
  data[*length] = '\0';
  return got == 0;
}

/* Not g_file_get_contents(): that has no bound, would wait on a pipe and follow a link. */
char *
reeve_manifest_read_file (const char *path, gsize *length, GError **error)
{
  g_autofree char *data = g_malloc (REEVE_MANIFEST_SIZE + 2);
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
  int code = errno;
  struct stat status = { 0 };
  gboolean good = FALSE;

  *length = 0;
  if (fd < 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "%s: %s", path,
                   code == ELOOP ? "is a symbolic link" : g_strerror (code));
      return NULL;
    }
  good = fstat (fd, &status) == 0 && S_ISREG (status.st_mode)
         && reeve_manifest_read_all (fd, data, length);
  close (fd);
  if (good)
    return g_steal_pointer (&data);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "%s is no regular file of at most %d bytes",
               path, REEVE_MANIFEST_SIZE);
  return NULL;
}

/* ids and names of plugins: a-z, 0-9, inner hyphens, at most 64 */
static gboolean
reeve_manifest_is_id (const char *text)
{
  gsize length = strlen (text);

  if (length == 0 || length > 64 || !g_ascii_islower (text[0]) || text[length - 1] == '-')
    return FALSE;
  for (gsize i = 0; i < length; i++)
    {
      if (!g_ascii_islower (text[i]) && !g_ascii_isdigit (text[i]) && text[i] != '-')
        return FALSE;
    }
  return TRUE;
}

/* three numbers, as in Semantic Versioning 2.0.0, with an optional pre-release part */
static gboolean
reeve_manifest_is_version (const char *text)
{
  static const char pattern[] = "^(0|[1-9][0-9]{0,5})\\.(0|[1-9][0-9]{0,5})\\.(0|[1-9][0-9]{0,5})"
                                "(-[0-9A-Za-z.-]{1,32})?$";

  return g_regex_match_simple (pattern, text, 0, 0);
}

/* One line of a key, that of a group or neither. */
static gboolean
reeve_manifest_check_line (char *line, GString *group, GHashTable *seen, GError **error)
{
  gboolean is_group = *line == '[';
  char *end = strchr (line, is_group ? ']' : '=');
  const char *name = is_group ? line + 1 : line;

  if (*line == '#' || end == NULL)
    return TRUE;
  *end = '\0';
  g_strchomp (line);
  if (is_group)
    g_string_assign (group, name);
  else if (strchr (name, '[') != NULL)
    return reeve_manifest_fail (error, name, "a manifest has no translations");
  if (!g_hash_table_add (seen, g_strdup_printf ("%s]%s", group->str, is_group ? "" : name)))
    return reeve_manifest_fail (error, name, "stands there twice");
  return TRUE;
}

/* Of two keys GKeyFile would take the last without a word, and a translated one only where that
 * language is spoken: what people read in a manifest and what the host does could differ. */
gboolean
reeve_manifest_check_lines (const char *data, gsize length, GError **error)
{
  g_autofree char *text = g_strndup (data, length);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GString) group = g_string_new (NULL);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      if (!reeve_manifest_check_line (g_strchug (lines[i]), group, seen, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
reeve_manifest_check_keys (GKeyFile *file, const char *group, const char *const *known,
                           GError **error)
{
  g_auto (GStrv) keys = g_key_file_get_keys (file, group, NULL, NULL);

  for (guint i = 0; keys != NULL && keys[i] != NULL; i++)
    {
      if (!g_strv_contains (known, keys[i]))
        return reeve_manifest_fail (error, keys[i], "unknown key");
    }
  return TRUE;
}

static gboolean
reeve_manifest_check_groups (GKeyFile *file, GError **error)
{
  static const char *const known[] = { REEVE_MANIFEST_GROUP,
                                       REEVE_MANIFEST_CAPABILITIES,
                                       REEVE_MANIFEST_SETTINGS,
                                       "Offers",
                                       "Limits",
                                       NULL };
  static const char *const settings[] = { "Schema", "SchemaFile", NULL };
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);
  gboolean twice = g_key_file_has_key (file, REEVE_MANIFEST_SETTINGS, "Schema", NULL)
                   && g_key_file_has_key (file, REEVE_MANIFEST_SETTINGS, "SchemaFile", NULL);

  for (guint i = 0; groups[i] != NULL; i++)
    {
      if (!g_strv_contains (known, groups[i]))
        return reeve_manifest_fail (error, groups[i], "unknown group");
    }
  if (twice)
    return reeve_manifest_fail (error, "Schema", "stands beside SchemaFile");
  return reeve_manifest_check_keys (file, REEVE_MANIFEST_GROUP, reeve_manifest_keys, error)
         && reeve_manifest_check_keys (file, REEVE_MANIFEST_SETTINGS, settings, error);
}

/* GLib returns the text and an error when an escape sequence in it is none. */
static char *
reeve_manifest_get_string (GKeyFile *file, const char *group, const char *key, GError **error)
{
  g_autoptr (GError) inner = NULL;
  g_autofree char *value = g_key_file_get_string (file, group, key, &inner);

  if (inner == NULL)
    return g_steal_pointer (&value);
  g_propagate_error (error, g_steal_pointer (&inner));
  return NULL;
}

/* No value: because there is none, or none that can be read. */
static gboolean
reeve_manifest_settle_absent (const char *key, gboolean required, const GError *why, GError **error)
{
  gboolean absent
      = why == NULL || g_error_matches (why, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_KEY_NOT_FOUND);

  if (!absent)
    return reeve_manifest_fail (error, key, "has an escape sequence that is none");
  return required ? reeve_manifest_fail (error, key, "is missing") : TRUE;
}

/* What people are shown in one line. */
static gboolean
reeve_manifest_check_text (const char *key, const char *text, GError **error)
{
  if (*text == '\0' || strlen (text) > REEVE_MANIFEST_MAX_REASON)
    return reeve_manifest_fail (error, key, "is empty or too long");
  for (const char *c = text; *c != '\0'; c++)
    {
      if (g_ascii_iscntrl (*c))
        return reeve_manifest_fail (error, key, "has control characters");
    }
  return TRUE;
}

static gboolean
reeve_manifest_read_text (GKeyFile *file, const char *key, gboolean required, char **value,
                          GError **error)
{
  g_autoptr (GError) why = NULL;

  *value = reeve_manifest_get_string (file, REEVE_MANIFEST_GROUP, key, &why);
  return *value != NULL ? reeve_manifest_check_text (key, *value, error)
                        : reeve_manifest_settle_absent (key, required, why, error);
}

static gboolean
reeve_manifest_read_ids (GKeyFile *file, const char *key, char ***value, GError **error)
{
  g_autoptr (GError) why = NULL;
  gsize n = 0;

  *value = g_key_file_get_string_list (file, REEVE_MANIFEST_GROUP, key, &n, &why);
  if (*value == NULL)
    {
      *value = g_new0 (char *, 1);
      return reeve_manifest_settle_absent (key, FALSE, why, error);
    }
  if (n > REEVE_MANIFEST_MAX_ITEMS)
    return reeve_manifest_fail (error, key, "names too many plugins");
  for (guint i = 0; i < n; i++)
    {
      if (!reeve_manifest_is_id ((*value)[i]))
        return reeve_manifest_fail (error, key, "names something that is no plugin id");
    }
  return TRUE;
}

static gboolean
reeve_manifest_read_identity (ReeveManifest *self, GKeyFile *file, GError **error)
{
  if (!reeve_manifest_read_text (file, "Id", TRUE, &self->id, error)
      || !reeve_manifest_read_text (file, "Version", TRUE, &self->version, error)
      || !reeve_manifest_read_text (file, "Name", TRUE, &self->name, error)
      || !reeve_manifest_read_text (file, "Description", TRUE, &self->description, error)
      || !reeve_manifest_read_text (file, "Licence", FALSE, &self->licence, error))
    return FALSE;
  if (!reeve_manifest_is_id (self->id))
    return reeve_manifest_fail (error, "Id", "is not lower-case letters, digits and hyphens");
  if (!reeve_manifest_is_version (self->version))
    return reeve_manifest_fail (error, "Version", "is not of the form 1.2.3");
  return TRUE;
}

static gboolean
reeve_manifest_read_kinds (ReeveManifest *self, GKeyFile *file, GError **error)
{
  g_autoptr (GError) why = NULL;
  gsize n = 0;

  self->kind_names = g_key_file_get_string_list (file, REEVE_MANIFEST_GROUP, "Kinds", &n, &why);
  if (self->kind_names == NULL || n == 0)
    return reeve_manifest_settle_absent ("Kinds", TRUE, why, error);
  if (n > REEVE_MANIFEST_MAX_ITEMS)
    return reeve_manifest_fail (error, "Kinds", "names too many kinds");
  for (guint i = 0; i < n; i++)
    {
      guint k = 0;

      while (k < G_N_ELEMENTS (reeve_manifest_kinds)
             && strcmp (reeve_manifest_kinds[k].name, self->kind_names[i]) != 0)
        k++;
      if (k == G_N_ELEMENTS (reeve_manifest_kinds))
        return reeve_manifest_fail (error, "Kinds", "names an unknown kind");
      self->kinds |= reeve_manifest_kinds[k].kind;
    }
  return TRUE;
}

static gboolean
reeve_manifest_read_api (ReeveManifest *self, GKeyFile *file, GError **error)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) parts = NULL;
  guint64 major = 0;
  guint64 minor = 0;

  if (!reeve_manifest_read_text (file, "Api", TRUE, &text, error))
    return FALSE;
  parts = g_strsplit (text, ".", 3);
  if (g_strv_length (parts) != 2
      || !g_ascii_string_to_unsigned (parts[0], 10, 0, G_MAXUINT16, &major, NULL)
      || !g_ascii_string_to_unsigned (parts[1], 10, 0, G_MAXUINT16, &minor, NULL))
    return reeve_manifest_fail (error, "Api", "is not of the form 1.0");
  self->api_major = (guint) major;
  self->api_minor = (guint) minor;
  return TRUE;
}

static gboolean
reeve_manifest_read_module (ReeveManifest *self, GKeyFile *file, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (self->path);
  g_autofree char *name = NULL;

  if (!reeve_manifest_read_text (file, "Module", FALSE, &name, error))
    return FALSE;
  if (name == NULL)
    name = g_strconcat (
        self->id,
        self->interpreter != NULL ? reeve_interpreter_get_ending (self->interpreter) : ".so", NULL);
  if (strchr (name, '/') != NULL || name[0] == '.')
    return reeve_manifest_fail (error, "Module", "is not the name of a file beside the manifest");
  self->module = g_build_filename (folder, name, NULL);
  return TRUE;
}

static gboolean
reeve_manifest_read_capabilities (ReeveManifest *self, GKeyFile *file, GError **error)
{
  gsize n = 0;

  self->capabilities = g_key_file_get_keys (file, REEVE_MANIFEST_CAPABILITIES, &n, NULL);
  if (self->capabilities == NULL)
    self->capabilities = g_new0 (char *, 1);
  self->reasons = g_new0 (char *, n + 1);
  for (guint i = 0; i < n; i++)
    {
      const char *capability = self->capabilities[i];

      if (!g_strv_contains (reeve_manifest_known_capabilities, capability))
        return reeve_manifest_fail (error, capability, "is no capability this host knows");
      self->reasons[i]
          = reeve_manifest_get_string (file, REEVE_MANIFEST_CAPABILITIES, capability, NULL);
      if (self->reasons[i] == NULL || *self->reasons[i] == '\0')
        return reeve_manifest_fail (error, capability, "is requested without a reason");
      if (!reeve_manifest_check_text (capability, self->reasons[i], error))
        return FALSE;
    }
  return TRUE;
}

static char *
reeve_manifest_read_schema_text (ReeveManifest *self, GKeyFile *file, GError **error)
{
  g_autofree char *name
      = reeve_manifest_get_string (file, REEVE_MANIFEST_SETTINGS, "SchemaFile", NULL);
  g_autofree char *folder = g_path_get_dirname (self->path);
  g_autofree char *path = NULL;
  char *text = NULL;
  gsize length = 0;

  if (name == NULL)
    return reeve_manifest_get_string (file, REEVE_MANIFEST_SETTINGS, "Schema", error);
  if (strchr (name, '/') != NULL || name[0] == '.')
    {
      reeve_manifest_fail (error, "SchemaFile", "is not the name of a file beside the manifest");
      return NULL;
    }
  path = g_build_filename (folder, name, NULL);
  text = reeve_manifest_read_file (path, &length, error);
  if (text != NULL)
    self->settings_digest = reeve_digests_sha256_hex (text, length);
  return text;
}

/* Without a Settings group a plugin takes no settings at all. */
static gboolean
reeve_manifest_read_settings (ReeveManifest *self, GKeyFile *file, GError **error)
{
  g_autofree char *text = NULL;

  if (g_key_file_has_group (file, REEVE_MANIFEST_SETTINGS))
    text = reeve_manifest_read_schema_text (self, file, error);
  else
    text = g_strdup ("{\"type\":\"object\",\"additionalProperties\":false}");
  if (text != NULL)
    self->settings_schema = reeve_json_parse_strict (text, strlen (text), error);
  if (self->settings_schema != NULL)
    self->schema = reeve_schema_new_from_json (self->settings_schema, error);
  if (self->schema == NULL || !reeve_manifest_slots_check (self, error))
    {
      g_prefix_error (error, "settings schema: ");
      return FALSE;
    }
  return TRUE;
}

gboolean
reeve_manifest_read (ReeveManifest *self, GKeyFile *file, GError **error)
{
  if (!g_key_file_has_group (file, REEVE_MANIFEST_GROUP))
    return reeve_manifest_fail (error, REEVE_MANIFEST_GROUP, "the group is missing");
  return reeve_manifest_check_groups (file, error)
         && reeve_manifest_read_identity (self, file, error)
         && reeve_manifest_read_kinds (self, file, error)
         && reeve_manifest_read_api (self, file, error)
         && reeve_manifest_script_read (self, file, error)
         && reeve_manifest_read_module (self, file, error)
         && reeve_manifest_read_ids (file, "RunAfter", &self->run_after, error)
         && reeve_manifest_read_ids (file, "Conflicts", &self->conflicts, error)
         && reeve_manifest_read_ids (file, "Requires", &self->requires, error)
         && reeve_manifest_read_capabilities (self, file, error)
         && reeve_manifest_limits_read (self, file, error)
         && reeve_manifest_read_settings (self, file, error)
         && reeve_manifest_offers_read (self, file, error);
}
