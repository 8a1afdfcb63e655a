/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration that the host runs with, over base/config.h. */
#include "operation-functions.h"

static JsonArray *
reeve_op_config_strings (char **texts)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; texts[i] != NULL; i++)
    json_array_add_string_element (array, texts[i]);
  return array;
}

void
reeve_op_config_get (ReeveCall *call, ReeveServices *services)
{
  ReeveConfig *config = services->config;
  const char *key = reeve_call_get_string (call, "key");
  g_autoptr (JsonArray) items = reeve_config_explain (config, key);
  g_auto (GStrv) files = reeve_config_list_files (config, FALSE);
  g_auto (GStrv) changed = reeve_config_list_files (config, TRUE);
  JsonObject *shown = NULL;

  if (key != NULL && json_array_get_length (items) == 0)
    {
      reeve_call_fail (
          call, g_error_new_literal (REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such key"));
      return;
    }
  shown = json_object_new ();
  json_object_set_string_member (shown, "profile", reeve_config_get_profile (config));
  json_object_set_array_member (shown, "files", reeve_op_config_strings (files));
  json_object_set_array_member (shown, "changed_files", reeve_op_config_strings (changed));
  json_object_set_array_member (shown, "items", g_steal_pointer (&items));
  reeve_call_answer (call, shown, NULL);
}
