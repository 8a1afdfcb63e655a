/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePlugin, the base class of what a plugin offers. */
#include "reeve-plugin.h"

#include "reeve-outcome.h"

typedef struct
{
  gboolean is_set_up;
} ReevePluginPrivate;

/**
 * ReevePlugin:
 *
 * Base class of the types that a plugin offers. The host makes one instance per configured use,
 * calls reeve_plugin_setup() once, then the functions of the interfaces it implements from any
 * number of worker threads, and reeve_plugin_shutdown() once at the end.
 *
 * Since: 1.0
 */
G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE (ReevePlugin, reeve_plugin, G_TYPE_OBJECT)

static void
reeve_plugin_class_init (ReevePluginClass *klass)
{
}

static void
reeve_plugin_init (ReevePlugin *self)
{
}

/**
 * reeve_plugin_setup:
 * @self: a plugin instance
 * @settings: its settings, validated against the manifest's schema; never changed afterwards
 * @context: context of the host's call; it grants no more than the plugin's capabilities
 * @error: return location
 *
 * Called by the host once, on a thread of its own, before any other function of the instance. A
 * setup that has not ended after a while (`plugins.setup_timeout`) is given up: its context is
 * cancelled and reaches nothing any more.
 *
 * Returns: %FALSE with the plugin's error, which disables this instance and no other; a setup that
 * returns %TRUE and sets an error has failed as well
 *
 * Since: 1.0
 */
gboolean
reeve_plugin_setup (ReevePlugin *self, JsonObject *settings, ReeveContext *context, GError **error)
{
  ReevePluginPrivate *priv = NULL;
  ReevePluginClass *klass = NULL;
  GError *problem = NULL;
  gboolean success = FALSE;

  g_return_val_if_fail (REEVE_IS_PLUGIN (self), FALSE);
  g_return_val_if_fail (settings != NULL && REEVE_IS_CONTEXT (context), FALSE);

  priv = reeve_plugin_get_instance_private (self);
  g_return_val_if_fail (!priv->is_set_up, FALSE);

  klass = REEVE_PLUGIN_GET_CLASS (self);
  success = klass->setup == NULL || klass->setup (self, settings, context, &problem);
  if (success && problem != NULL)
    {
      /* which of the two it meant is not for the host to guess: nothing runs on half a setup */
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                   "%s.setup returned TRUE and set an error: %s", G_OBJECT_TYPE_NAME (self),
                   problem->message);
      g_error_free (problem);
      return FALSE;
    }
  priv->is_set_up = reeve_outcome_settle (success, problem, self, "setup", error);
  return priv->is_set_up;
}

/**
 * reeve_plugin_shutdown:
 * @self: a plugin instance
 *
 * Called by the host once, when no call is under way any more and none will come. Does nothing when
 * setup did not succeed.
 *
 * Since: 1.0
 */
void
reeve_plugin_shutdown (ReevePlugin *self)
{
  ReevePluginPrivate *priv = NULL;
  ReevePluginClass *klass = NULL;

  g_return_if_fail (REEVE_IS_PLUGIN (self));

  priv = reeve_plugin_get_instance_private (self);
  klass = REEVE_PLUGIN_GET_CLASS (self);
  if (!priv->is_set_up)
    return;
  priv->is_set_up = FALSE;
  if (klass->shutdown != NULL)
    klass->shutdown (self);
}
