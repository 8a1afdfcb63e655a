/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plugins that do not do what somebody may expect of them, by name. */
#include "doctor-plugins.h"

#include <string.h>

typedef struct
{
  ReeveServices *services;
  ReeveConfig *config;
} ReeveDoctorPlugins;

/* Adds what is wrong with one plugin; nothing where all is well. */
typedef void (*ReeveDoctorPluginsFunc) (ReeveDoctorPlugins *self, const ReeveRegistryEntry *entry,
                                        GString *bad);

/* Behind what stands there already. */
static void
reeve_doctor_plugins_begin (const ReeveRegistryEntry *entry, GString *bad)
{
  g_string_append_printf (bad, "%s%s: ", bad->len > 0 ? "; " : "", entry->id);
}

static gboolean
reeve_doctor_plugins_is_quarantined (const ReeveRegistryEntry *entry)
{
  return entry->confined && entry->keeper.state == REEVE_KEEPER_QUARANTINED;
}

static void
reeve_doctor_plugins_judge_refused (ReeveDoctorPlugins *self, const ReeveRegistryEntry *entry,
                                    GString *bad)
{
  if ((entry->state != REEVE_PLUGIN_STATE_REFUSED && entry->state != REEVE_PLUGIN_STATE_FAILED)
      || reeve_doctor_plugins_is_quarantined (entry))
    return;
  reeve_doctor_plugins_begin (entry, bad);
  g_string_append (bad, entry->reason != NULL ? entry->reason : "");
  if (entry->confined)
    g_string_append_printf (bad, " (`reevectl plugins restart %s` tries it again)", entry->id);
}

static void
reeve_doctor_plugins_judge_quarantined (ReeveDoctorPlugins *self, const ReeveRegistryEntry *entry,
                                        GString *bad)
{
  if (!reeve_doctor_plugins_is_quarantined (entry))
    return;
  reeve_doctor_plugins_begin (entry, bad);
  g_string_append_printf (bad, "%s (`reevectl plugins restart %s`)",
                          entry->keeper.reason != NULL ? entry->keeper.reason : "", entry->id);
}

static void
reeve_doctor_plugins_judge_disabled (ReeveDoctorPlugins *self, const ReeveRegistryEntry *entry,
                                     GString *bad)
{
  const ReeveSwitchesEntry *off = entry->off;

  if (off == NULL)
    return;
  reeve_doctor_plugins_begin (entry, bad);
  if (off->configured)
    g_string_append_printf (bad, "take it out of plugins.disabled (%s)",
                            reeve_config_get_origin (self->config, "plugins.disabled"));
  else
    g_string_append_printf (bad, "since %s by %s%s%s (`reevectl plugins enable %s`)",
                            off->since != NULL ? off->since : "?", off->by != NULL ? off->by : "?",
                            off->reason != NULL ? ": " : "", off->reason != NULL ? off->reason : "",
                            entry->id);
}

/* Capabilities that it requests and nobody granted. */
static void
reeve_doctor_plugins_judge_consent (ReeveDoctorPlugins *self, const ReeveRegistryEntry *entry,
                                    GString *bad)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonArray) rows = NULL;

  if (entry->state == REEVE_PLUGIN_STATE_REFUSED)
    return;
  rows = reeve_grants_show (self->services->grants, entry->id, &error);
  if (rows == NULL)
    {
      reeve_doctor_plugins_begin (entry, bad);
      g_string_append (bad, error->message);
    }
  for (guint i = 0; rows != NULL && i < json_array_get_length (rows); i++)
    {
      JsonObject *row = json_array_get_object_element (rows, i);

      if (strcmp (reeve_json_get_string (row, "state", ""), "waiting") != 0)
        continue;
      reeve_doctor_plugins_begin (entry, bad);
      g_string_append_printf (bad, "%s (`%s`)", reeve_json_get_string (row, "capability", ""),
                              reeve_json_get_string (row, "remedy", ""));
    }
}

/* Less confined than others, since the configuration says so. */
static void
reeve_doctor_plugins_judge_weaker (ReeveDoctorPlugins *self, const ReeveRegistryEntry *entry,
                                   GString *bad)
{
  g_auto (GStrv) trusted = reeve_config_get_strv (self->config, "plugins.trusted");
  RunnerLayers accepted = entry->confined ? entry->keeper.policy.accept_weaker : 0;

  if (g_strv_contains ((const char *const *) trusted, entry->id))
    {
      reeve_doctor_plugins_begin (entry, bad);
      g_string_append_printf (bad,
                              "runs in the host's own process, with none of the protections of a "
                              "confined one (take it out of plugins.trusted, %s)",
                              reeve_config_get_origin (self->config, "plugins.trusted"));
    }
  if (accepted == 0)
    return;
  reeve_doctor_plugins_begin (entry, bad);
  g_string_append (bad, "may run without");
  for (guint i = 0; i < RUNNER_LAYERS_COUNT; i++)
    if ((accepted & (RunnerLayers) (1u << i)) != 0)
      g_string_append_printf (bad, " %s", runner_layers_get_name ((RunnerLayers) (1u << i)));
  g_string_append_printf (bad, "%s (take it out of plugins.accept_weaker)",
                          entry->keeper.known && (accepted & ~entry->keeper.layers) == 0
                              ? ", and does not need to"
                              : "");
}

static const struct
{
  ReeveDoctorCheck check;
  ReeveDoctorPluginsFunc func;
  ReeveDoctorState state; /* where there is one */
  const char *well;
} reeve_doctor_plugins_list[] = {
  { { "plugins.refused", "DEP-07", "see reevectl plugins list" },
    reeve_doctor_plugins_judge_refused,
    REEVE_DOCTOR_FAIL,
    "none was refused, none failed" },
  { { "plugins.quarantined", "DEP-07",
      "see the log for how it ended, then reevectl plugins restart ID" },
    reeve_doctor_plugins_judge_quarantined,
    REEVE_DOCTOR_FAIL,
    "none ends its process too often" },
  { { "plugins.disabled", "DEP-07", "reevectl plugins enable ID, once what it was for is over" },
    reeve_doctor_plugins_judge_disabled,
    REEVE_DOCTOR_WARN,
    "none is disabled" },
  { { "plugins.consent", "DEP-07",
      "read reevectl plugins show ID, then grant it, or leave it: the plugin goes on without" },
    reeve_doctor_plugins_judge_consent,
    REEVE_DOCTOR_WARN,
    "none waits for what it requests" },
  { { "plugins.weaker", "DEP-02", "see docs/confinement.md" },
    reeve_doctor_plugins_judge_weaker,
    REEVE_DOCTOR_WARN,
    "none is less confined than its profile" },
};

/**
 * reeve_doctor_plugins_check:
 * @services: of the host
 * @report: gets what was found
 *
 * Looks at each plugin. Blocks.
 */
void
reeve_doctor_plugins_check (ReeveServices *services, ReeveDoctorReport *report)
{
  g_autoptr (GPtrArray) entries = reeve_registry_list (services->registry);
  ReeveDoctorPlugins self = { services, services->config };

  for (guint i = 0; i < G_N_ELEMENTS (reeve_doctor_plugins_list); i++)
    {
      g_autoptr (GString) bad = g_string_new (NULL);

      for (guint k = 0; k < entries->len; k++)
        reeve_doctor_plugins_list[i].func (&self, entries->pdata[k], bad);
      reeve_doctor_report_add (report, &reeve_doctor_plugins_list[i].check,
                               bad->len > 0 ? reeve_doctor_plugins_list[i].state : REEVE_DOCTOR_OK,
                               "%s", bad->len > 0 ? bad->str : reeve_doctor_plugins_list[i].well);
    }
}
