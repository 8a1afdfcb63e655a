/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was found in the plugin folders, and why something was refused. */
#include "operation-functions.h"
#include "page.h"

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
  json_object_set_array_member (object, "kinds", kinds);
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

void
reeve_op_plugins_get (ReeveCall *call, ReeveServices *services)
{
  g_autoptr (ReeveRegistryEntry) entry
      = reeve_registry_get (services->registry, reeve_call_get_string (call, "plugin_id"));

  if (entry == NULL)
    reeve_call_fail (
        call, g_error_new (REEVE_ERROR, REEVE_ERROR_NOT_FOUND, REEVE_STORE_MISSING, "plugins"));
  else
    reeve_call_answer (call, reeve_op_plugins_describe (entry), NULL);
}
