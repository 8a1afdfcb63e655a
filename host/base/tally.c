/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A name of which there is none takes no room. */
#include "tally.h"

struct _ReeveTally
{
  GHashTable *counts;
};

/**
 * reeve_tally_new:
 *
 * Returns: (transfer full): without a name
 */
ReeveTally *
reeve_tally_new (void)
{
  ReeveTally *self = g_new0 (ReeveTally, 1);

  self->counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

/**
 * reeve_tally_free:
 * @self: (transfer full): a tally
 */
void
reeve_tally_free (ReeveTally *self)
{
  g_hash_table_unref (self->counts);
  g_free (self);
}

/**
 * reeve_tally_get:
 * @self: a tally
 * @name: (nullable): a name
 *
 * Returns: how many there are
 */
guint
reeve_tally_get (ReeveTally *self, const char *name)
{
  return name != NULL ? GPOINTER_TO_UINT (g_hash_table_lookup (self->counts, name)) : 0;
}

/**
 * reeve_tally_add:
 * @self: a tally
 * @name: (nullable): of which there is one more
 */
void
reeve_tally_add (ReeveTally *self, const char *name)
{
  if (name != NULL)
    g_hash_table_replace (self->counts, g_strdup (name),
                          GUINT_TO_POINTER (reeve_tally_get (self, name) + 1));
}

/**
 * reeve_tally_remove:
 * @self: a tally
 * @name: (nullable): of which there is one less
 */
void
reeve_tally_remove (ReeveTally *self, const char *name)
{
  guint count = reeve_tally_get (self, name);

  if (count > 1)
    g_hash_table_replace (self->counts, g_strdup (name), GUINT_TO_POINTER (count - 1));
  else if (count == 1)
    g_hash_table_remove (self->counts, name);
}
