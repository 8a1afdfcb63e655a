/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each capability is a file of the runtime's; here they are put together. */
#include "startup-capabilities.h"

#include <string.h>

#include "runtime/net-stream.h"
#include "runtime/plugin-blobs.h"
#include "runtime/plugin-identity.h"
#include "runtime/plugin-values.h"

/**
 * reeve_startup_capabilities_open:
 * @self: with store, users, ledger and metrics
 */
void
reeve_startup_capabilities_open (ReeveStartup *self)
{
  ReeveServices *services = &self->services;

  self->records = reeve_net_records_new (services->admission);
  reeve_net_http_set_records (self->net, self->records);
  reeve_capabilities_provide (self->capabilities, "net.stream", reeve_net_stream_perform,
                              self->records);
  self->telling = reeve_plugin_telling_new (services->metrics, services->ledger);
  reeve_plugin_telling_provide (self->telling, self->capabilities);
  self->files = reeve_plugin_files_new (reeve_state_get_folder (self->state));
  reeve_plugin_files_provide (self->files, self->capabilities);
  self->tcp = reeve_net_tcp_new (&(ReeveNetTcpSetup){ .registry = services->registry,
                                                      .tenants = services->tenants,
                                                      .metrics = services->metrics,
                                                      .records = self->records });
  reeve_net_tcp_provide (self->tcp, self->capabilities);
  services->tcp = self->tcp;
  self->calls = reeve_plugin_calls_new (&(ReevePluginCallsSetup){
      .store = services->store, .admission = services->admission, .models = services->models });
  reeve_plugin_calls_provide (self->calls, self->capabilities);
  self->scratch
      = reeve_plugin_scratch_new (reeve_state_get_folder (self->state), services->registry);
  reeve_plugin_scratch_provide (self->scratch, self->capabilities);
  reeve_plugin_identity_provide (services->users, self->capabilities);
  reeve_plugin_values_provide (services->store, self->capabilities);
  reeve_plugin_blobs_provide (services->store, self->capabilities);
}

/* Adds the folders that a plugin may write into. */
static void
reeve_startup_capabilities_add_folders (JsonArray *rows, GStrvBuilder *folders)
{
  for (guint i = 0; i < json_array_get_length (rows); i++)
    {
      JsonObject *row = json_array_get_object_element (rows, i);
      JsonArray *granted = reeve_json_get_array (row, "granted");

      if (strcmp (reeve_json_get_string (row, "capability", ""), "fs.write") != 0)
        continue;
      for (guint j = 0; granted != NULL && j < json_array_get_length (granted); j++)
        {
          JsonObject *grant = json_array_get_object_element (granted, j);
          JsonObject *parameters = reeve_json_get_object (grant, "parameters");
          const char *folder
              = parameters != NULL ? reeve_json_get_string (parameters, "folder", NULL) : NULL;

          if (folder != NULL && strcmp (reeve_json_get_string (grant, "status", ""), "active") == 0)
            g_strv_builder_add (folders, folder);
        }
    }
}

void
reeve_startup_capabilities_sweep (ReeveStartup *self)
{
  g_autoptr (GPtrArray) plugins = reeve_registry_list (self->services.registry);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) folders = NULL;

  for (guint i = 0; i < plugins->len; i++)
    {
      const ReeveRegistryEntry *entry = g_ptr_array_index (plugins, i);
      g_autoptr (GError) error = NULL;
      JsonArray *rows = entry->manifest != NULL
                            ? reeve_grants_show (self->services.grants, entry->id, &error)
                            : NULL;

      if (rows != NULL)
        reeve_startup_capabilities_add_folders (rows, builder);
      g_clear_pointer (&rows, json_array_unref);
    }
  folders = g_strv_builder_end (builder);
  reeve_plugin_files_sweep (self->files, (const char *const *) folders);
}

void
reeve_startup_capabilities_close (ReeveStartup *self)
{
  g_clear_pointer (&self->tcp, reeve_net_tcp_free);
  g_clear_pointer (&self->calls, reeve_plugin_calls_free);
  g_clear_pointer (&self->files, reeve_plugin_files_free);
  g_clear_pointer (&self->scratch, reeve_plugin_scratch_free);
  g_clear_pointer (&self->telling, reeve_plugin_telling_free);
}
