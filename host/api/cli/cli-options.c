/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options may stand anywhere; -h is --help, -o FILE is --output FILE. --name=value and --name value
 * are the same; an option of a command that is followed by another option or nothing stands alone
 * and means true. */
#include "cli-options.h"

#include <string.h>
#include <unistd.h>

typedef struct
{
  const char *name;
  gsize offset;
  gboolean flag;
} ReeveCliOptionsKnown;

static const ReeveCliOptionsKnown reeve_cli_options_known[] = {
  { "url", G_STRUCT_OFFSET (ReeveCliOptions, url), FALSE },
  { "token", G_STRUCT_OFFSET (ReeveCliOptions, token), FALSE },
  { "bus", G_STRUCT_OFFSET (ReeveCliOptions, bus), FALSE },
  { "ca", G_STRUCT_OFFSET (ReeveCliOptions, ca), FALSE },
  { "state-dir", G_STRUCT_OFFSET (ReeveCliOptions, state_dir), FALSE },
  { "tenant", G_STRUCT_OFFSET (ReeveCliOptions, tenant), FALSE },
  { "json", G_STRUCT_OFFSET (ReeveCliOptions, unchanged), TRUE },
  { "human", G_STRUCT_OFFSET (ReeveCliOptions, human), TRUE },
  { "help", G_STRUCT_OFFSET (ReeveCliOptions, help), TRUE },
  { "version", G_STRUCT_OFFSET (ReeveCliOptions, version), TRUE },
};

/* options of commands that take no value but true and false */
static const char *const reeve_cli_options_alone[]
    = { "stream", "offline", "dry-run", "strict", NULL };

static const ReeveCliOptionsKnown *
reeve_cli_options_find (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (reeve_cli_options_known); i++)
    {
      if (strcmp (reeve_cli_options_known[i].name, name) == 0)
        return &reeve_cli_options_known[i];
    }
  return NULL;
}

static gboolean
reeve_cli_options_fail (GError **error, const char *name, const char *why)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "option --%s %s", name, why);
  return FALSE;
}

static gboolean
reeve_cli_options_set_known (ReeveCliOptions *self, const ReeveCliOptionsKnown *known,
                             const char *value, GError **error)
{
  char **text = G_STRUCT_MEMBER_P (self, known->offset);

  if (known->flag)
    {
      G_STRUCT_MEMBER (gboolean, self, known->offset) = TRUE;
      return TRUE;
    }
  if (value == NULL)
    return reeve_cli_options_fail (error, known->name, "needs a value");
  g_free (*text);
  *text = g_strdup (value);
  return TRUE;
}

static void
reeve_cli_options_add (ReeveCliOptions *self, const char *name, const char *value)
{
  char *member = g_strdelimit (g_strdup (name), "-", '_');

  g_ptr_array_add (self->names, member);
  g_ptr_array_add (self->values, g_strdup (value));
}

/* Takes one option; *next: the following word, set to NULL when it was used up. */
static gboolean
reeve_cli_options_take (ReeveCliOptions *self, const char *text, const char **next, GError **error)
{
  const char *equals = strchr (text, '=');
  g_autofree char *name
      = equals != NULL ? g_strndup (text, (gsize) (equals - text)) : g_strdup (text);
  const ReeveCliOptionsKnown *known = reeve_cli_options_find (name);
  const char *value = equals != NULL ? equals + 1 : NULL;
  gboolean alone
      = (known != NULL && known->flag) || g_strv_contains (reeve_cli_options_alone, name);
  gboolean truth = known == NULL && *next != NULL
                   && (strcmp (*next, "true") == 0 || strcmp (*next, "false") == 0);

  if (value == NULL && (!alone || truth) && *next != NULL && !g_str_has_prefix (*next, "--"))
    {
      value = *next;
      *next = NULL;
    }
  if (known != NULL)
    return reeve_cli_options_set_known (self, known, value, error);
  if (*name == '\0')
    return reeve_cli_options_fail (error, "", "has no name");
  reeve_cli_options_add (self, name, value);
  return TRUE;
}

/* Tables and words are for a terminal; who pipes the answer has a program read it. */
static gboolean
reeve_cli_options_settle (ReeveCliOptions *self, GError **error)
{
  if (self->human && self->unchanged)
    return reeve_cli_options_fail (error, "human", "does not go with --json");
  self->json = self->unchanged || (!self->human && !isatty (STDOUT_FILENO));
  return TRUE;
}

/**
 * reeve_cli_options_parse:
 * @argc: number of words
 * @argv: the words, program name first
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the command line taken apart
 */
ReeveCliOptions *
reeve_cli_options_parse (int argc, char **argv, GError **error)
{
  g_autoptr (ReeveCliOptions) self = g_new0 (ReeveCliOptions, 1);
  gboolean literal = FALSE;

  self->words = g_ptr_array_new_with_free_func (g_free);
  self->names = g_ptr_array_new_with_free_func (g_free);
  self->values = g_ptr_array_new_with_free_func (g_free);
  for (int i = 1; i < argc; i++)
    {
      const char *next = i + 1 < argc ? argv[i + 1] : NULL;

      if (!literal && strcmp (argv[i], "--") == 0)
        literal = TRUE;
      else if (!literal && strcmp (argv[i], "-h") == 0)
        self->help = TRUE;
      else if (!literal && strcmp (argv[i], "-o") == 0)
        {
          if (!reeve_cli_options_take (self, "output", &next, error))
            return NULL;
          i += next == NULL && i + 1 < argc;
        }
      else if (literal || !g_str_has_prefix (argv[i], "--"))
        g_ptr_array_add (self->words, g_strdup (argv[i]));
      else if (!reeve_cli_options_take (self, argv[i] + 2, &next, error))
        return NULL;
      else if (i + 1 < argc && next == NULL)
        i++;
    }
  if (!reeve_cli_options_settle (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

/**
 * reeve_cli_options_free:
 * @self: (transfer full): options
 */
void
reeve_cli_options_free (ReeveCliOptions *self)
{
  g_free (self->url);
  g_free (self->token);
  g_free (self->bus);
  g_free (self->ca);
  g_free (self->state_dir);
  g_free (self->tenant);
  g_clear_pointer (&self->words, g_ptr_array_unref);
  g_clear_pointer (&self->names, g_ptr_array_unref);
  g_clear_pointer (&self->values, g_ptr_array_unref);
  g_free (self);
}

/**
 * reeve_cli_options_get_word:
 * @self: options
 * @position: 0 is the noun, 1 the verb
 *
 * Returns: (transfer none) (nullable): a word
 */
const char *
reeve_cli_options_get_word (ReeveCliOptions *self, guint position)
{
  return position < self->words->len ? g_ptr_array_index (self->words, position) : NULL;
}

/**
 * reeve_cli_options_get:
 * @self: options
 * @name: of an option, with underscores
 *
 * Returns: (transfer none) (nullable): its value; "" when it stands without one
 */
const char *
reeve_cli_options_get (ReeveCliOptions *self, const char *name)
{
  for (guint i = 0; i < self->names->len; i++)
    {
      const char *value = g_ptr_array_index (self->values, i);

      if (g_strcmp0 (g_ptr_array_index (self->names, i), name) == 0)
        return value != NULL ? value : "";
    }
  return NULL;
}
