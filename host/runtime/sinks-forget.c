/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What sinks have written down of logs that are no more. */
#include "sinks-private.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

/* (transfer full) (nullable): whose log a file of a sink is about */
static char *
reeve_sinks_forget_parse (const char *name)
{
  static const char *const endings[] = { ".position", ".skipped" };

  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    if (g_str_has_suffix (name, endings[i]))
      return g_strndup (name, strlen (name) - strlen (endings[i]));
  return NULL;
}

/**
 * reeve_sinks_forget:
 * @self: sinks
 * @ended: says whether a log has ended; blocks
 * @user_data: for @ended
 *
 * Removes how far each sink is with logs that have ended. A host that was killed before it came to
 * that does it the next time. Blocks.
 */
void
reeve_sinks_forget (ReeveSinks *self, ReeveSinksEndedFunc ended, gpointer user_data)
{
  for (guint i = 0; i < self->items->len; i++)
    {
      const ReeveSinksItem *item = g_ptr_array_index (self->items, i);
      g_autoptr (GDir) dir = g_dir_open (item->folder, 0, NULL);
      const char *name = NULL;

      while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
        {
          g_autofree char *scope = reeve_sinks_forget_parse (name);
          g_autofree char *path = g_build_filename (item->folder, name, NULL);

          if (scope != NULL && ended (scope, user_data) && g_unlink (path) != 0 && errno != ENOENT)
            g_warning ("%s is not needed any more, and cannot be removed: %s", path,
                       g_strerror (errno));
        }
    }
}
