/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds what an interface function of a plugin returned against the rules for errors, so that a
 * plugin which fails without saying why, or says why and does not fail, cannot confuse the host. */
#include "reeve-outcome.h"

/* Passes @problem (transfer full) (nullable) on to @error when @success is FALSE, and makes up for
 * a missing one; a problem beside a success is logged and dropped. Returns @success. */
gboolean
reeve_outcome_settle (gboolean success, GError *problem, gpointer instance, const char *function,
                      GError **error)
{
  if (success)
    {
      if (problem != NULL)
        g_warning ("%s.%s succeeded and set an error: %s", G_OBJECT_TYPE_NAME (instance), function,
                   problem->message);
      g_clear_error (&problem);
      return TRUE;
    }
  if (problem != NULL)
    g_propagate_error (error, problem);
  else
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "%s.%s failed without saying why",
                 G_OBJECT_TYPE_NAME (instance), function);
  return FALSE;
}

/* Says that @instance does not implement @function. */
void
reeve_outcome_unsupported (gpointer instance, const char *function, GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED, "%s does not implement %s",
               G_OBJECT_TYPE_NAME (instance), function);
}
