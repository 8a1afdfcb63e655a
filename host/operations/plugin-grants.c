/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Beside the grants stands what settings name: an administrator wrote that too. Of an address its
 * origin alone is shown, for the rest may be a secret. */
#include "plugin-grants.h"

#include <string.h>

#include "runtime/net-guard.h"
#include "runtime/net-http.h"

typedef struct
{
  const char *capability;
  JsonArray *instances;
} ReevePluginGrantsSettings;

static JsonArray *
reeve_plugin_grants_list_origins (JsonObject *settings)
{
  g_auto (GStrv) addresses = reeve_net_http_dup_origins (settings);
  JsonArray *places = json_array_new ();

  for (guint i = 0; addresses[i] != NULL; i++)
    {
      g_autoptr (ReeveNetGuardTarget) target = reeve_net_guard_target_new (addresses[i], NULL);

      if (target != NULL)
        json_array_add_string_element (places, target->origin);
    }
  return places;
}

static JsonArray *
reeve_plugin_grants_list_hosts (JsonObject *settings)
{
  const char *host = settings != NULL ? reeve_json_get_string (settings, "host", NULL) : NULL;
  JsonArray *places = json_array_new ();
  g_autofree char *place = NULL;

  if (host == NULL)
    return places;
  place = g_strdup_printf ("%s:%d", host, (int) reeve_json_get_int (settings, "port", 0));
  json_array_add_string_element (places, place);
  return places;
}

static void
reeve_plugin_grants_on_instance (const char *instance_id, JsonObject *settings, gpointer user_data)
{
  ReevePluginGrantsSettings *self = user_data;
  g_autoptr (JsonArray) places = strcmp (self->capability, "net.http") == 0
                                     ? reeve_plugin_grants_list_origins (settings)
                                     : reeve_plugin_grants_list_hosts (settings);
  JsonObject *shown = NULL;

  if (json_array_get_length (places) == 0)
    return;
  shown = json_object_new ();
  json_object_set_string_member (shown, "instance_id", instance_id);
  json_object_set_array_member (shown, "places", g_steal_pointer (&places));
  json_array_add_object_element (self->instances, shown);
}

/* What settings name is effective where the capability is, as far as the ceiling leaves it. */
static void
reeve_plugin_grants_add_effective (ReeveServices *services, JsonObject *row, const char *capability,
                                   JsonArray *instances)
{
  const ReeveCapabilityTerms *ceiling
      = reeve_grants_ceiling_get_terms (reeve_grants_get_ceiling (services->grants));
  gboolean http = strcmp (capability, "net.http") == 0;
  const char *const *allowed = (const char *const *) (http ? ceiling->origins : ceiling->hosts);
  JsonArray *effective = json_object_get_array_member (row, "effective");
  g_autoptr (JsonArray) places = json_array_new ();
  JsonObject *parameters = NULL;
  JsonObject *shown = NULL;

  for (guint i = 0; i < json_array_get_length (instances); i++)
    {
      JsonArray *named
          = json_object_get_array_member (json_array_get_object_element (instances, i), "places");

      for (guint j = 0; j < json_array_get_length (named); j++)
        if (reeve_capability_terms_has (allowed, json_array_get_string_element (named, j)))
          json_array_add_string_element (places, json_array_get_string_element (named, j));
    }
  if (json_array_get_length (places) == 0 || json_array_get_length (effective) == 0)
    return;
  parameters = json_object_new ();
  json_object_set_array_member (parameters, http ? "origins" : "hosts", g_steal_pointer (&places));
  shown = json_object_new ();
  json_object_set_null_member (shown, "tenant_id");
  json_object_set_string_member (shown, "source", "settings");
  json_object_set_null_member (shown, "until");
  json_object_set_object_member (shown, "parameters", parameters);
  json_array_add_object_element (effective, shown);
}

/**
 * reeve_plugin_grants_show:
 * @services: the host's
 * @plugin_id: of a plugin
 * @error: return location
 *
 * Returns: (transfer full): an object for each capability; %NULL with %REEVE_ERROR_NOT_FOUND
 */
JsonArray *
reeve_plugin_grants_show (ReeveServices *services, const char *plugin_id, GError **error)
{
  JsonArray *rows = reeve_grants_show (services->grants, plugin_id, error);

  for (guint i = 0; rows != NULL && i < json_array_get_length (rows); i++)
    {
      JsonObject *row = json_array_get_object_element (rows, i);
      const char *capability = json_object_get_string_member (row, "capability");
      ReevePluginGrantsSettings settings = { capability, json_array_new () };

      if (strcmp (capability, "net.http") == 0 || strcmp (capability, "net.stream") == 0)
        reeve_capabilities_foreach_instance (services->capabilities, plugin_id,
                                             reeve_plugin_grants_on_instance, &settings);
      reeve_plugin_grants_add_effective (services, row, capability, settings.instances);
      json_object_set_array_member (row, "settings", settings.instances);
      json_object_set_boolean_member (row, "offered",
                                      reeve_capabilities_has (services->capabilities, capability));
    }
  return rows;
}
