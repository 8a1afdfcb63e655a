/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Terms belong to the grants in memory and to the calls that are under way, on any thread. */
#include "capability-terms.h"

#include <string.h>

static void
reeve_capability_terms_clear (gpointer data)
{
  ReeveCapabilityTerms *self = data;

  g_free (self->grant_id);
  g_strfreev (self->origins);
  g_strfreev (self->methods);
  g_strfreev (self->hosts);
  g_strfreev (self->claims);
  g_strfreev (self->slots);
  g_strfreev (self->folders);
  g_strfreev (self->models);
  g_strfreev (self->tools);
  g_free (self->folder);
  g_free (self->glob);
}

ReeveCapabilityTerms *
reeve_capability_terms_new (void)
{
  return g_atomic_rc_box_new0 (ReeveCapabilityTerms);
}

ReeveCapabilityTerms *
reeve_capability_terms_ref (ReeveCapabilityTerms *self)
{
  return g_atomic_rc_box_acquire (self);
}

void
reeve_capability_terms_unref (ReeveCapabilityTerms *self)
{
  g_atomic_rc_box_release_full (self, reeve_capability_terms_clear);
}

/**
 * reeve_capability_terms_has_folder:
 * @list: (nullable) (array zero-terminated=1): absolute paths
 * @folder: an absolute path without `.`, `..` and a slash at its end
 *
 * Returns: whether it is one of them, or below one; there being no list allows everything
 */
gboolean
reeve_capability_terms_has_folder (const char *const *list, const char *folder)
{
  gboolean has = list == NULL;

  for (guint i = 0; !has && list[i] != NULL; i++)
    {
      gsize length = strlen (list[i]);

      has = strncmp (folder, list[i], length) == 0
            && (folder[length] == '\0' || folder[length] == '/' || strcmp (list[i], "/") == 0);
    }
  return has;
}

/**
 * reeve_capability_terms_covers_model:
 * @pattern: `provider/name`, or `provider/` with a star: all of that provider
 * @model: the same
 *
 * Returns: whether all that @model stands for is what @pattern stands for
 */
gboolean
reeve_capability_terms_covers_model (const char *pattern, const char *model)
{
  gsize length = strlen (pattern);

  if (length > 2 && strcmp (pattern + length - 2, "/*") == 0)
    return strncmp (pattern, model, length - 1) == 0;
  return strcmp (pattern, model) == 0;
}

/**
 * reeve_capability_terms_has:
 * @list: (nullable) (array zero-terminated=1): what is allowed
 * @text: what is asked for
 *
 * Returns: whether it is among them; there being no list allows everything
 */
gboolean
reeve_capability_terms_has (const char *const *list, const char *text)
{
  if (list == NULL)
    return TRUE;
  for (guint i = 0; list[i] != NULL; i++)
    if (g_ascii_strcasecmp (list[i], text) == 0)
      return TRUE;
  return FALSE;
}

/**
 * reeve_capability_terms_get_amount:
 * @self: a ceiling
 * @capability: one that says how much
 *
 * Returns: the amount that it leaves, or 0 for any
 */
gint64
reeve_capability_terms_get_amount (const ReeveCapabilityTerms *self, const char *capability)
{
  if (strcmp (capability, "memory") == 0)
    return self->memory;
  if (strcmp (capability, "threads") == 0)
    return self->threads;
  if (strcmp (capability, "scratch") == 0)
    return self->scratch;
  return strcmp (capability, "cpu") == 0 ? self->cpu : 0;
}
