/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each capability is a file of the runtime's; here they are put together. */
#include "startup-capabilities.h"

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

  self->telling = reeve_plugin_telling_new (services->metrics, services->ledger);
  reeve_plugin_telling_provide (self->telling, self->capabilities);
  self->files = reeve_plugin_files_new (reeve_state_get_folder (self->state));
  reeve_plugin_files_provide (self->files, self->capabilities);
  self->tcp = reeve_net_tcp_new (&(ReeveNetTcpSetup){ .registry = services->registry,
                                                      .tenants = services->tenants,
                                                      .metrics = services->metrics,
                                                      .admission = services->admission });
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

void
reeve_startup_capabilities_close (ReeveStartup *self)
{
  g_clear_pointer (&self->tcp, reeve_net_tcp_free);
  g_clear_pointer (&self->calls, reeve_plugin_calls_free);
  g_clear_pointer (&self->files, reeve_plugin_files_free);
  g_clear_pointer (&self->scratch, reeve_plugin_scratch_free);
  g_clear_pointer (&self->telling, reeve_plugin_telling_free);
}
