/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A report as a GVariant; what a runner says is checked before it is believed. */
#include "runner-report.h"

RunnerReport *
runner_report_new (void)
{
  RunnerReport *self = g_new0 (RunnerReport, 1);

  self->notes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->passed = -1;
  return self;
}

void
runner_report_free (RunnerReport *self)
{
  g_hash_table_unref (self->notes);
  g_free (self->plugin_id);
  g_free (self->version);
  g_free (self);
}

/**
 * runner_report_note:
 * @self: a report
 * @layer: what could not be put on
 * @code: errno; 0: @what says it all
 * @what: the call that failed, such as `unshare (CLONE_NEWNET)`
 */
void
runner_report_note (RunnerReport *self, RunnerLayers layer, int code, const char *what)
{
  self->layers &= ~layer;
  g_hash_table_insert (self->notes, g_strdup (runner_layers_get_name (layer)),
                       code != 0 ? g_strdup_printf ("%s: %s", what, g_strerror (code))
                                 : g_strdup (what));
}

GVariant *
runner_report_to_variant (RunnerReport *self)
{
  g_auto (GVariantBuilder) notes = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{ss}"));
  GHashTableIter iter;
  gpointer name = NULL;
  gpointer text = NULL;

  g_hash_table_iter_init (&iter, self->notes);
  while (g_hash_table_iter_next (&iter, &name, &text))
    g_variant_builder_add (&notes, "{ss}", name, text);
  return g_variant_ref_sink (g_variant_new (
      "(uuua{ss}ss)", (guint32) self->stage, (guint32) self->layers, self->landlock_abi, &notes,
      self->plugin_id != NULL ? self->plugin_id : "", self->version != NULL ? self->version : ""));
}

RunnerReport *
runner_report_from_variant (GVariant *variant)
{
  g_autoptr (RunnerReport) self = NULL;
  g_autoptr (GVariant) notes = NULL;
  GVariantIter iter;
  guint32 stage = 0;
  guint32 layers = 0;
  char *name = NULL;
  char *text = NULL;

  if (!g_variant_is_of_type (variant, RUNNER_REPORT_TYPE))
    return NULL;
  self = runner_report_new ();
  g_variant_get (variant, "(uuu@a{ss}ss)", &stage, &layers, &self->landlock_abi, &notes,
                 &self->plugin_id, &self->version);
  if (stage > RUNNER_STAGE_REFUSED || layers >= (1u << RUNNER_LAYERS_COUNT))
    return NULL;
  self->stage = (RunnerStage) stage;
  self->layers = (RunnerLayers) layers;
  g_variant_iter_init (&iter, notes);
  while (g_variant_iter_next (&iter, "{ss}", &name, &text))
    g_hash_table_insert (self->notes, name, text);
  return g_steal_pointer (&self);
}
