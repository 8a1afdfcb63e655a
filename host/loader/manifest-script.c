/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys Interpreter and Imports. What is imported ends in a line of the interpreter's: names, and
 * nothing else. */
#include "manifest-script.h"

#include "manifest-private.h"

#include "interpreter.h"

#define REEVE_MANIFEST_SCRIPT_GROUP       "Plugin"
#define REEVE_MANIFEST_SCRIPT_MAX_IMPORTS 64

static gboolean
reeve_manifest_script_fail (GError **error, const char *key, const char *why)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "%s: %s", key, why);
  return FALSE;
}

static gboolean
reeve_manifest_script_read_imports (ReeveManifest *self, GKeyFile *file, GError **error)
{
  gsize n = 0;

  self->imports
      = g_key_file_get_string_list (file, REEVE_MANIFEST_SCRIPT_GROUP, "Imports", &n, NULL);
  if (self->imports == NULL
      && g_key_file_has_key (file, REEVE_MANIFEST_SCRIPT_GROUP, "Imports", NULL))
    return reeve_manifest_script_fail (error, "Imports", "cannot be read");
  if (n > REEVE_MANIFEST_SCRIPT_MAX_IMPORTS)
    return reeve_manifest_script_fail (error, "Imports", "names too many modules");
  for (gsize i = 0; i < n; i++)
    {
      if (!g_regex_match_simple (
              "\\A[A-Za-z_][A-Za-z0-9_]{0,63}(\\.[A-Za-z_][A-Za-z0-9_]{0,63})*\\z",
              self->imports[i], 0, 0))
        return reeve_manifest_script_fail (error, "Imports",
                                           "names something that is no module's name");
    }
  return TRUE;
}

/* Before the module's name is read, which depends on it. */
gboolean
reeve_manifest_script_read (ReeveManifest *self, GKeyFile *file, GError **error)
{
  const ReeveKinds can = REEVE_KIND_TOOL | REEVE_KIND_EXTRACTOR | REEVE_KIND_SINK | REEVE_KIND_LLM;

  self->interpreter
      = g_key_file_get_string (file, REEVE_MANIFEST_SCRIPT_GROUP, "Interpreter", NULL);
  if (self->interpreter == NULL
      && g_key_file_has_key (file, REEVE_MANIFEST_SCRIPT_GROUP, "Interpreter", NULL))
    return reeve_manifest_script_fail (error, "Interpreter", "cannot be read");
  if (self->interpreter == NULL)
    return !g_key_file_has_key (file, REEVE_MANIFEST_SCRIPT_GROUP, "Imports", NULL)
           || reeve_manifest_script_fail (error, "Imports",
                                          "is for scripts: Interpreter is missing");
  if (!reeve_interpreter_is_known (self->interpreter))
    return reeve_manifest_script_fail (error, "Interpreter", "names none that this host knows");
  if ((self->kinds & ~can) != 0)
    return reeve_manifest_script_fail (error, "Interpreter",
                                       "is for kinds that run in a process of their own");
  if (!g_key_file_has_key (file, "Capabilities", REEVE_INTERPRETER_CAPABILITY, NULL))
    return reeve_manifest_script_fail (error, "Interpreter",
                                       "needs the capability " REEVE_INTERPRETER_CAPABILITY
                                       ", which is not requested");
  return reeve_manifest_script_read_imports (self, file, error);
}

void
reeve_manifest_script_clear (ReeveManifest *self)
{
  g_free (self->interpreter);
  g_strfreev (self->imports);
}

const char *
reeve_manifest_get_interpreter (ReeveManifest *self)
{
  return self->interpreter;
}

const char *const *
reeve_manifest_get_imports (ReeveManifest *self)
{
  return (const char *const *) self->imports;
}
