/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* No setting adds to the list, and no variable: what a script runs in is the system's own. */
#include "interpreter.h"

#include <string.h>
#include <sys/stat.h>

#include <reeve-error.h>

static const struct
{
  const char *word;
  const char *ending;
  const char *libraries[5]; /* the newest first */
  const char *remedy;
} reeve_interpreter_all[] = {
  { "python3",
    ".py",
    { "libpython3.13.so.1.0", "libpython3.12.so.1.0", "libpython3.11.so.1.0", NULL },
    "install libpython3.11, and python3-jeepney" },
};

/* where distributions keep libraries */
static const char *const reeve_interpreter_folders[]
    = { ("/usr/lib/" REEVE_MULTIARCH), "/usr/lib64", "/usr/lib" };

static guint
reeve_interpreter_look_up (const char *word)
{
  guint i = 0;

  while (i < G_N_ELEMENTS (reeve_interpreter_all)
         && strcmp (reeve_interpreter_all[i].word, word) != 0)
    i++;
  return i;
}

gboolean
reeve_interpreter_is_known (const char *word)
{
  return reeve_interpreter_look_up (word) < G_N_ELEMENTS (reeve_interpreter_all);
}

const char *
reeve_interpreter_get_ending (const char *word)
{
  return reeve_interpreter_all[reeve_interpreter_look_up (word)].ending;
}

static gboolean
reeve_interpreter_is_roots (const char *path, gboolean folder)
{
  struct stat status = { 0 };

  return stat (path, &status) == 0 && status.st_uid == 0
         && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0
         && (folder ? S_ISDIR (status.st_mode) : S_ISREG (status.st_mode));
}

/**
 * reeve_interpreter_find:
 * @word: a known one
 * @error: return location for %REEVE_ERROR_PLUGIN
 *
 * Returns: (transfer full) (nullable): full path of its library
 */
char *
reeve_interpreter_find (const char *word, GError **error)
{
  guint at = reeve_interpreter_look_up (word);

  for (guint i = 0; reeve_interpreter_all[at].libraries[i] != NULL; i++)
    {
      for (guint j = 0; j < G_N_ELEMENTS (reeve_interpreter_folders); j++)
        {
          g_autofree char *path = g_build_filename (reeve_interpreter_folders[j],
                                                    reeve_interpreter_all[at].libraries[i], NULL);

          if (reeve_interpreter_is_roots (reeve_interpreter_folders[j], TRUE)
              && reeve_interpreter_is_roots (path, FALSE))
            return g_steal_pointer (&path);
        }
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
               "interpreter %s is not among the system's libraries: %s", word,
               reeve_interpreter_all[at].remedy);
  return NULL;
}
