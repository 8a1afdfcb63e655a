/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was found in the plugin folders, why something was refused, and what it may do, over
 * governance/grants.h. */
#include "loader/manifest-script.h"
#include "operation-functions.h"
#include "page.h"
#include "plugin-grants.h"
#include "plugin-settings.h"
#include "plugin-switch.h"

#include <string.h>
#include <unistd.h>

static JsonArray *
reeve_op_plugins_capabilities (ReeveManifest *manifest)
{
  const char *const *names = reeve_manifest_get_capabilities (manifest);
  JsonArray *array = json_array_new ();

  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    {
      const char *reason = reeve_manifest_get_reason (manifest, names[i]);
      JsonObject *object = json_object_new ();

      json_object_set_string_member (object, "capability", names[i]);
      json_object_set_string_member (object, "reason", reason != NULL ? reason : "");
      json_array_add_object_element (array, object);
    }
  return array;
}

static void
reeve_op_plugins_add_layers (JsonObject *object, const char *member, RunnerLayers layers)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < RUNNER_LAYERS_COUNT; i++)
    {
      RunnerLayers layer = (RunnerLayers) (1u << i);

      if ((layers & layer) != 0)
        json_array_add_string_element (array, runner_layers_get_name (layer));
    }
  json_object_set_array_member (object, member, array);
}

/* Where it runs, and what it is confined by. */
static void
reeve_op_plugins_add_place (JsonObject *object, ReeveRegistryEntry *entry)
{
  const ReeveKeeperStatus *keeper = &entry->keeper;
  RunnerLayers wanted = runner_layers_get_wanted (keeper->policy.profile, geteuid () == 0);

  if (keeper->scratch)
    wanted |= RUNNER_LAYERS_SCRATCH;
  json_object_set_string_member (object, "runs_in", entry->confined ? "runner" : "host");
  if (!entry->confined)
    return;
  if (entry->manifest != NULL && reeve_manifest_get_interpreter (entry->manifest) != NULL)
    json_object_set_string_member (object, "interpreter",
                                   reeve_manifest_get_interpreter (entry->manifest));
  json_object_set_string_member (object, "profile",
                                 runner_layers_get_profile_name (keeper->policy.profile));
  json_object_set_string_member (object, "process", reeve_keeper_state_get_name (keeper->state));
  if (keeper->pid != 0)
    json_object_set_int_member (object, "pid", keeper->pid);
  else
    json_object_set_null_member (object, "pid");
  json_object_set_int_member (object, "crashes", keeper->crashes);
  if (keeper->known)
    {
      reeve_op_plugins_add_layers (object, "layers", keeper->layers);
      reeve_op_plugins_add_layers (object, "layers_missing", wanted & ~keeper->layers);
    }
  reeve_op_plugins_add_layers (object, "accept_weaker", keeper->policy.accept_weaker);
}

/* @off: (nullable): what disabled it */
static void
reeve_op_plugins_add_switch (JsonObject *object, const ReeveSwitchesEntry *off)
{
  json_object_set_boolean_member (object, "enabled", off == NULL);
  if (off == NULL)
    return;
  if (off->configured)
    json_object_set_string_member (object, "disabled_by", "plugins.disabled");
  else if (off->by != NULL)
    json_object_set_string_member (object, "disabled_by", off->by);
  if (off->since != NULL)
    json_object_set_string_member (object, "disabled_at", off->since);
  if (off->reason != NULL)
    json_object_set_string_member (object, "disabled_reason", off->reason);
}

static JsonObject *
reeve_op_plugins_describe (ReeveRegistryEntry *entry)
{
  JsonObject *object = json_object_new ();
  JsonArray *kinds = json_array_new ();

  json_object_set_string_member (object, "plugin_id", entry->id);
  json_object_set_string_member (object, "state", reeve_plugin_state_get_name (entry->state));
  if (entry->reason != NULL)
    json_object_set_string_member (object, "reason", entry->reason);
  else
    json_object_set_null_member (object, "reason");
  if (entry->manifest != NULL)
    {
      const char *const *names = reeve_manifest_get_kind_names (entry->manifest);

      json_object_set_string_member (object, "name", reeve_manifest_get_name (entry->manifest));
      json_object_set_string_member (object, "version",
                                     reeve_manifest_get_version (entry->manifest));
      json_object_set_string_member (object, "description",
                                     reeve_manifest_get_description (entry->manifest));
      for (guint i = 0; names != NULL && names[i] != NULL; i++)
        json_array_add_string_element (kinds, names[i]);
      json_object_set_array_member (object, "capabilities",
                                    reeve_op_plugins_capabilities (entry->manifest));
    }
  if (entry->former != NULL)
    json_object_set_string_member (object, "former_version", entry->former);
  json_object_set_array_member (object, "kinds", kinds);
  reeve_op_plugins_add_switch (object, entry->off);
  if (entry->state != REEVE_PLUGIN_STATE_REFUSED)
    reeve_op_plugins_add_place (object, entry);
  return object;
}

void
reeve_op_plugins_list (ReeveCall *call, ReeveServices *services)
{
  g_autoptr (GPtrArray) entries = reeve_registry_list (services->registry);
  JsonArray *all = json_array_new ();

  for (guint i = 0; i < entries->len; i++)
    json_array_add_object_element (all, reeve_op_plugins_describe (entries->pdata[i]));
  reeve_page_answer (call, all);
}

/* What it can be set to, and what it is. */
static void
reeve_op_plugins_add_settings (JsonObject *object, ReeveServices *services,
                               ReeveRegistryEntry *entry)
{
  g_autofree char *text = NULL;

  if (entry->manifest == NULL)
    return;
  /* a copy through and through: counts of objects are not atomic */
  text = reeve_json_text (reeve_manifest_get_settings_schema (entry->manifest));
  json_object_set_member (object, "settings_schema",
                          reeve_json_parse_strict (text, strlen (text), NULL));
  json_object_set_array_member (object, "instances",
                                reeve_plugin_settings_list (services, entry->manifest));
}

void
reeve_op_plugins_get (ReeveCall *call, ReeveServices *services)
{
  const char *plugin_id = reeve_call_get_string (call, "plugin_id");
  g_autoptr (ReeveRegistryEntry) entry = reeve_registry_get (services->registry, plugin_id);
  GError *error = NULL;
  JsonArray *grants = entry != NULL ? reeve_plugin_grants_show (services, plugin_id, &error) : NULL;
  JsonObject *plugin = NULL;

  if (entry == NULL)
    g_set_error (&error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such plugin");
  if (grants == NULL)
    {
      reeve_call_answer (call, NULL, error);
      return;
    }
  plugin = reeve_op_plugins_describe (entry);
  json_object_set_array_member (plugin, "grants", grants);
  reeve_op_plugins_add_settings (plugin, services, entry);
  reeve_call_answer (call, plugin, NULL);
}

/* What holds now, of the rows that plugins.get shows. */
static JsonArray *
reeve_op_plugins_pick_active (JsonArray *rows)
{
  JsonArray *active = json_array_new ();

  for (guint i = 0; i < json_array_get_length (rows); i++)
    {
      JsonArray *granted
          = json_object_get_array_member (json_array_get_object_element (rows, i), "granted");

      for (guint g = 0; g < json_array_get_length (granted); g++)
        {
          JsonObject *grant = json_array_get_object_element (granted, g);

          if (g_strcmp0 (reeve_json_get_string (grant, "status", NULL), "active") == 0)
            json_array_add_object_element (active, json_object_ref (grant));
        }
    }
  return active;
}

void
reeve_op_plugins_grants (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  g_autoptr (JsonArray) rows
      = reeve_plugin_grants_show (services, reeve_call_get_string (call, "plugin_id"), &error);

  if (rows != NULL)
    reeve_page_answer (call, reeve_op_plugins_pick_active (rows));
  else
    reeve_call_fail (call, error);
}

void
reeve_op_plugins_grant (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *made = reeve_grants_create (services->grants, reeve_call_get_admitted (call),
                                          reeve_call_get_params (call), &error);

  reeve_call_answer (call, made, error);
}

void
reeve_op_plugins_revoke (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;

  if (reeve_grants_revoke (services->grants, reeve_call_get_admitted (call),
                           reeve_call_get_string (call, "plugin_id"),
                           reeve_call_get_string (call, "grant_id"), &error))
    reeve_call_complete (call, 0, NULL);
  else
    reeve_call_fail (call, error);
}

void
reeve_op_plugins_secrets (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonArray *slots = reeve_plugin_secrets_list (services->plugin_secrets,
                                                reeve_call_get_string (call, "plugin_id"), &error);

  if (slots != NULL)
    reeve_page_answer (call, slots);
  else
    reeve_call_fail (call, error);
}

void
reeve_op_plugins_set_secret (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;
  JsonObject *shown
      = reeve_plugin_secrets_set (services->plugin_secrets, reeve_call_get_admitted (call),
                                  reeve_call_get_params (call), &error);

  reeve_call_answer (call, shown, error);
}

void
reeve_op_plugins_delete_secret (ReeveCall *call, ReeveServices *services)
{
  GError *error = NULL;

  if (reeve_plugin_secrets_delete (services->plugin_secrets, reeve_call_get_admitted (call),
                                   reeve_call_get_params (call), &error))
    reeve_call_complete (call, 0, NULL);
  else
    reeve_call_fail (call, error);
}

/* What it is now, or why not. (transfer full) error */
static void
reeve_op_plugins_answer (ReeveCall *call, ReeveServices *services, GError *error)
{
  g_autoptr (ReeveRegistryEntry) entry
      = error == NULL
            ? reeve_registry_get (services->registry, reeve_call_get_string (call, "plugin_id"))
            : NULL;

  reeve_call_answer (call, entry != NULL ? reeve_op_plugins_describe (entry) : NULL, error);
}

void
reeve_op_plugins_restart (ReeveCall *call, ReeveServices *services)
{
  const char *plugin_id = reeve_call_get_string (call, "plugin_id");
  GError *error = NULL;

  reeve_admitted_consume_exactly (reeve_call_get_admitted (call), "plugins.restart", plugin_id,
                                  NULL);
  reeve_registry_restart (services->registry, plugin_id, &error);
  reeve_op_plugins_answer (call, services, error);
}

/* A version that is no good is no failure of the host's: what is in its folder forbids it. */
static void
reeve_op_plugins_answer_version (ReeveCall *call, ReeveServices *services, GError *error)
{
  if (g_error_matches (error, REEVE_ERROR, REEVE_ERROR_PLUGIN))
    error->code = REEVE_ERROR_CONFLICT;
  reeve_op_plugins_answer (call, services, error);
}

void
reeve_op_plugins_upgrade (ReeveCall *call, ReeveServices *services)
{
  const char *plugin_id = reeve_call_get_string (call, "plugin_id");
  const ReeveRegistryWanted wanted
      = { .version = reeve_call_get_string (call, "version"),
          .manifest = reeve_call_get_string (call, "manifest_sha256"),
          .module = reeve_call_get_string (call, "module_sha256"),
          .settings = reeve_call_get_string (call, "settings_sha256") };
  GError *error = NULL;

  reeve_admitted_consume_exactly (reeve_call_get_admitted (call), "plugins.upgrade", plugin_id,
                                  NULL);
  reeve_registry_upgrade (services->registry, plugin_id, &wanted, &error);
  reeve_op_plugins_answer_version (call, services, error);
}

void
reeve_op_plugins_rollback (ReeveCall *call, ReeveServices *services)
{
  const char *plugin_id = reeve_call_get_string (call, "plugin_id");
  GError *error = NULL;

  reeve_admitted_consume_exactly (reeve_call_get_admitted (call), "plugins.rollback", plugin_id,
                                  NULL);
  reeve_registry_rollback (services->registry, plugin_id, &error);
  reeve_op_plugins_answer_version (call, services, error);
}

void
reeve_op_plugins_disable (ReeveCall *call, ReeveServices *services)
{
  const char *plugin_id = reeve_call_get_string (call, "plugin_id");
  GError *error = NULL;

  reeve_admitted_consume_exactly (reeve_call_get_admitted (call), "plugins.disable", plugin_id,
                                  NULL);
  reeve_registry_disable (services->registry, plugin_id,
                          reeve_caller_get_user_id (reeve_call_get_caller (call)),
                          reeve_call_get_string (call, "reason"), &error);
  if (error == NULL)
    reeve_net_tcp_cut_plugin (services->tcp, plugin_id);
  reeve_op_plugins_answer (call, services, error);
}

/* It is enabled even where it cannot be set up: then it is listed as failed, as at a start. */
void
reeve_op_plugins_enable (ReeveCall *call, ReeveServices *services)
{
  const char *plugin_id = reeve_call_get_string (call, "plugin_id");
  g_autoptr (GError) problem = NULL;
  GError *error = NULL;

  reeve_admitted_consume_exactly (reeve_call_get_admitted (call), "plugins.enable", plugin_id,
                                  NULL);
  if (reeve_registry_enable (services->registry, plugin_id, &error)
      && !reeve_plugin_switch_take_up (services, plugin_id, &problem))
    g_warning ("plugin %s is enabled, but: %s", plugin_id, problem->message);
  reeve_op_plugins_answer (call, services, error);
}
