/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Put together as the host does it at its start. */
#include "revoke-world.h"

#include <string.h>
#include <unistd.h>

#include "base/digests.h"
#include "governance/delegation.h"
#include "runtime/net-stream.h"
#include "runtime/plugin-blobs.h"
#include "runtime/plugin-identity.h"
#include "runtime/plugin-values.h"
#include "runtime/secret-slots.h"

#include "../helpers/test-tree.h"

#define TENANT "default"
/* The kernel counts the threads of a user: each test has users of its own, also beside others. */
#define UID_OF_PLUGINS 1879120000u
#define GATE_SECONDS   60

extern const ReevePluginDescriptor reeve_plugin_descriptor;

#define PROBED                                                                                     \
  "store.kv=why\nstore.blob=why\nidentity.read=why\nfs.read=why\nfs.write=why\nnet.tcp=why\n"      \
  "net.stream=why\nmodel.call=why\ntool.call=why\nsecret.read=why\n"

static const struct
{
  const char *id;
  const char *capabilities; /* and what else its manifest has */
  const char *settings;     /* (nullable) */
} revoke_plugins[REVOKE_PLUGINS] = {
  { REVOKE_ASKER, "net.http=why\nsecret.use=why\n", NULL },
  { REVOKE_PROBE,
    PROBED "[Settings]\nSchema={\"type\":\"object\",\"properties\":{\"host\":{\"type\":\"string\"},"
           "\"port\":{\"type\":\"integer\"},\"transport\":{\"type\":\"string\"}}}\n",
    "{\"host\":\"127.0.0.1\",\"port\":GATE,\"transport\":\"tcp\"}" },
  { REVOKE_OTHER, "net.tcp=why\n", NULL },
  { REVOKE_EATER,
    "memory=why\nthreads=why\ncpu=why\njit=why\n[Limits]\nMemory=8192\nThreads=100\nCpu=200\n",
    NULL },
  { REVOKE_HOARD, "scratch=why\n[Limits]\nScratch=32\n", NULL },
};

/* ---- plugins ---- */

static void
revoke_world_lay (RevokeWorld *self, guint number)
{
  const char *id = revoke_plugins[number].id;
  g_autofree char *folder = g_build_filename (self->root, "plugins", id, NULL);
  g_autofree char *manifest = g_strdup_printf ("%s/%s.plugin", folder, id);
  g_autofree char *module = g_strdup_printf ("%s/%s.so", folder, id);
  g_autofree char *built
      = g_strdup_printf ("%s/tests/broken-plugins/broken-%s.so", g_getenv ("REEVE_BUILD_DIR"), id);
  g_autofree char *text = g_strdup_printf (
      "[Plugin]\nId=%s\nVersion=1.2.3\nName=N\nDescription=D\nKinds=tool\nApi=1.0"
      "\n[Capabilities]\n%s",
      id, revoke_plugins[number].capabilities);
  g_autofree char *bytes = NULL;
  gsize length = 0;

  g_assert_cmpint (g_mkdir_with_parents (folder, 0755), ==, 0);
  g_assert_true (g_file_set_contents (manifest, text, -1, NULL));
  g_assert_true (g_file_get_contents (built, &bytes, &length, NULL));
  g_assert_true (g_file_set_contents (module, bytes, (gssize) length, NULL));
  self->digests[number][0] = reeve_digests_sha256_hex (text, strlen (text));
  self->digests[number][1] = reeve_digests_sha256_hex (bytes, length);
  self->pins[number] = (ReevePin){ id, self->digests[number][0], self->digests[number][1], NULL };
}

static void
revoke_world_find (RevokeWorld *self)
{
  g_autofree char *plugins = g_build_filename (self->root, "plugins", NULL);
  g_autofree char *kept = g_build_filename (self->root, "kept", NULL);
  g_autofree char *scratch = g_build_filename (self->root, "scratch", NULL);
  const char *const folders[] = { plugins, NULL };
  const ReeveConfinedSetup confinement = {
    .runner = g_getenv ("REEVE_PLUGIN_RUNNER"),
    .folder = kept,
    .scratch = scratch,
    .first_uid = UID_OF_PLUGINS + ((guint) getpid () & 0xffff) * 16,
  };
  ReeveRegistrySetup setup
      = { .folders = folders, .extra_pins = self->pins, .capabilities = self->capabilities };

  for (guint i = 0; i < REVOKE_PLUGINS; i++)
    revoke_world_lay (self, i);
  g_assert_cmpint (g_mkdir_with_parents (kept, 0700), ==, 0);
  self->confined = reeve_confined_new (&confinement);
  setup.confined = self->confined;
  self->registry = reeve_registry_new (&setup);
  reeve_registry_scan (self->registry);
}

static void
revoke_world_load (RevokeWorld *self)
{
  for (guint i = 0; i < REVOKE_PLUGINS; i++)
    {
      const char *given = revoke_plugins[i].settings;
      g_autofree char *text = given != NULL ? revoke_world_fill (self, given) : NULL;
      g_autoptr (JsonObject) settings = text != NULL ? directory_fixture_parse (text) : NULL;
      g_autoptr (ReeveRegistryEntry) entry = NULL;
      g_autoptr (GError) error = NULL;

      reeve_tools_add (self->tools, revoke_plugins[i].id, settings, &error);
      g_assert_no_error (error);
      entry = reeve_registry_get (self->registry, revoke_plugins[i].id);
      g_assert_true (entry->confined);
    }
}

/* ---- what they can ask for ---- */

/* A service of models; `slow` is one that the host waits for as long as its call may last. */
static void
revoke_world_add_model (RevokeWorld *self, const char *id, const char *url)
{
  g_autofree char *text = revoke_world_fill (self, url);
  g_autoptr (JsonObject) settings = directory_fixture_parse (text);
  const ReeveContextInfo info = { .struct_size = sizeof info };
  g_autoptr (ReeveContext) context = reeve_context_new (&info, NULL, NULL);
  g_autoptr (ReevePlugin) codec = g_object_new (reeve_plugin_descriptor.query_types ()[0], NULL);
  g_autoptr (GError) error = NULL;

  reeve_plugin_setup (codec, settings, context, &error);
  g_assert_no_error (error);
  reeve_models_add (self->models, id, codec, settings, &error);
  g_assert_no_error (error);
}

static void
revoke_world_offer (RevokeWorld *self)
{
  ReeveCapabilities *capabilities = self->capabilities;

  self->trust = reeve_http_trust_new (NULL);
  self->http = reeve_net_http_new (self->trust);
  reeve_capabilities_provide_http (capabilities, reeve_net_http_perform, self->http);
  self->tcp = reeve_net_tcp_new (&(ReeveNetTcpSetup){ .registry = self->registry });
  reeve_net_tcp_provide (self->tcp, capabilities);
  reeve_capabilities_provide (capabilities, "net.stream", reeve_net_stream_perform, NULL);
  self->plugin_files = reeve_plugin_files_new (self->directory.ledger.state);
  reeve_plugin_files_provide (self->plugin_files, capabilities);
  self->scratch = reeve_plugin_scratch_new (self->directory.ledger.state, self->registry);
  reeve_plugin_scratch_provide (self->scratch, capabilities);
  self->secrets = reeve_plugin_secrets_new (self->directory.store, self->registry);
  reeve_net_http_set_secrets (self->http, self->secrets);
  reeve_secret_slots_provide (self->secrets, capabilities);
  reeve_plugin_identity_provide (self->directory.users, capabilities);
  reeve_plugin_values_provide (self->directory.store, capabilities);
  reeve_plugin_blobs_provide (self->directory.store, capabilities);
  self->telling = reeve_plugin_telling_new (NULL, self->directory.ledger.ledger);
  reeve_plugin_telling_provide (self->telling, capabilities);
  self->models = reeve_models_new (NULL, self->directory.workers);
  revoke_world_add_model (self, "quick",
                          "{\"base_url\":\"http://127.0.0.1:HTTP/v1\",\"model\":\"m\"}");
  revoke_world_add_model (self, "slow",
                          "{\"base_url\":\"http://127.0.0.1:GATE/v1\",\"model\":\"m\","
                          "\"idle_timeout_seconds\":600,\"timeout_seconds\":600}");
  self->calls
      = reeve_plugin_calls_new (&(ReevePluginCallsSetup){ .store = self->directory.store,
                                                          .admission = self->directory.admission,
                                                          .models = self->models });
  reeve_plugin_calls_provide (self->calls, capabilities);
}

static void
revoke_world_fill_slot (RevokeWorld *self, const char *plugin_id)
{
  g_autofree char *text = g_strdup_printf (
      "{\"plugin_id\":\"%s\",\"slot\":\"crm\",\"scheme\":\"bearer\",\"value\":\"canary\","
      "\"origins\":[\"http://127.0.0.1:HTTP\",\"http://127.0.0.1:GATE\"]}",
      plugin_id);
  g_autofree char *params = revoke_world_fill (self, text);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) made
      = directory_fixture_effect (&self->directory, self->admin, "plugins.set_secret",
                                  reeve_plugin_secrets_set, self->secrets, params, &error);

  g_assert_no_error (error);
}

/* ---- servers ---- */

static void
revoke_world_listen (RevokeWorld *self)
{
  static const HostileStep answers[] = {
    READ,
    SEND ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 156\r\n\r\n"
          "{\"id\":\"x\",\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":"
          "{\"role\":\"assistant\",\"content\":\"asked\"},\"finish_reason\":\"stop\"}],"
          "\"usage\":{}}            "),
    LOOP
  };
  static const HostileStep *const scripts[] = { answers };
  g_autoptr (GInetAddress) any = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (any, 0);
  g_autoptr (GSocketAddress) bound = NULL;

  self->server = hostile_server_new (scripts, 1);
  hostile_server_start (self->server);
  self->gate = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, 0, NULL);
  g_assert_true (g_socket_bind (self->gate, address, TRUE, NULL));
  g_assert_true (g_socket_listen (self->gate, NULL));
  g_socket_set_timeout (self->gate, GATE_SECONDS);
  bound = g_socket_get_local_address (self->gate, NULL);
  self->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
}

GSocket *
revoke_world_accept (RevokeWorld *self)
{
  g_autoptr (GError) error = NULL;
  GSocket *far = g_socket_accept (self->gate, NULL, &error);

  g_assert_no_error (error);
  g_socket_set_timeout (far, GATE_SECONDS);
  return far;
}

/* ---- all of it ---- */

/* What a policy says of tools is looked at elsewhere. */
static gboolean
revoke_world_allow (const ReeveAdmissionRequest *request, const ReeveSettlement *settlement,
                    gpointer user_data, GError **error)
{
  return TRUE;
}

char *
revoke_world_fill (RevokeWorld *self, const char *text)
{
  g_autoptr (GString) filled = g_string_new (text);
  g_autofree char *gate = g_strdup_printf ("%u", self->port);
  g_autofree char *http = g_strdup_printf ("%u", hostile_server_get_port (self->server));

  g_string_replace (filled, "GATE", gate, 0);
  g_string_replace (filled, "HTTP", http, 0);
  g_string_replace (filled, "FOLDER", self->files, 0);
  return g_string_free (g_steal_pointer (&filled), FALSE);
}

void
revoke_world_set_up (RevokeWorld *self, gconstpointer data)
{
  g_autofree char *key = NULL;
  g_autoptr (GError) error = NULL;

  directory_fixture_set_up (&self->directory, data);
  reeve_admission_set_tool_check (self->directory.admission, revoke_world_allow, NULL);
  self->admin = directory_fixture_admin (&self->directory, NULL);
  key = directory_fixture_make_user (&self->directory, self->admin, "caller", "admin",
                                     &self->user_id, NULL);
  self->user = directory_fixture_authenticate (&self->directory, key, &error);
  g_assert_no_error (error);
  self->root = g_dir_make_tmp ("reeve-revoke-XXXXXX", &error);
  g_assert_no_error (error);
  self->files = g_build_filename (self->root, "files", NULL);
  g_assert_cmpint (g_mkdir_with_parents (self->files, 0700), ==, 0);
  revoke_world_listen (self);
  self->capabilities = reeve_capabilities_new ();
  revoke_world_find (self);
  revoke_world_offer (self);
  self->grants = reeve_grants_new (self->directory.store, self->registry,
                                   reeve_grants_ceiling_new (NULL, &error));
  reeve_grants_provide (self->grants, self->capabilities);
  reeve_grants_load (self->grants, &error);
  g_assert_no_error (error);
  revoke_world_fill_slot (self, REVOKE_ASKER);
  revoke_world_fill_slot (self, REVOKE_PROBE);
  self->tools = reeve_tools_new (self->registry, self->directory.workers);
  reeve_plugin_calls_set_tools (self->calls, self->tools, 0);
  revoke_world_load (self);
}

void
revoke_world_tear_down (RevokeWorld *self, gconstpointer data)
{
  reeve_plugin_calls_shutdown (self->calls);
  reeve_net_tcp_shutdown (self->tcp);
  reeve_net_http_shutdown (self->http);
  reeve_grants_stop (self->grants);
  g_clear_object (&self->tools);
  reeve_registry_shutdown (self->registry);
  reeve_plugin_calls_free (self->calls);
  reeve_models_leave (self->models);
  g_clear_object (&self->models);
  g_clear_object (&self->secrets);
  reeve_plugin_scratch_free (self->scratch);
  g_clear_pointer (&self->registry, reeve_registry_unref);
  g_clear_pointer (&self->confined, reeve_confined_unref);
  g_clear_pointer (&self->capabilities, reeve_capabilities_unref);
  g_assert_finalize_object (self->grants);
  reeve_plugin_telling_free (self->telling);
  reeve_plugin_files_free (self->plugin_files);
  reeve_net_tcp_free (self->tcp);
  reeve_net_http_free (self->http);
  reeve_http_trust_unref (self->trust);
  hostile_server_free (self->server);
  g_object_unref (self->gate);
  g_clear_pointer (&self->user, reeve_caller_unref);
  g_clear_pointer (&self->admin, reeve_caller_unref);
  for (guint i = 0; i < REVOKE_PLUGINS * 2; i++)
    g_free (self->digests[i / 2][i % 2]);
  test_tree_remove (self->root);
  g_free (self->files);
  g_free (self->root);
  g_free (self->user_id);
  directory_fixture_tear_down (&self->directory, data);
}

/* ---- grants and calls ---- */

char *
revoke_world_grant (RevokeWorld *self, const char *plugin_id, const char *capability,
                    const char *parameters)
{
  g_autofree char *text = g_strdup_printf (
      "{\"plugin_id\":\"%s\",\"capability\":\"%s\",\"parameters\":%s,\"reason\":\"test\"}",
      plugin_id, capability, parameters != NULL ? parameters : "{}");
  g_autofree char *params = revoke_world_fill (self, text);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) made
      = directory_fixture_effect (&self->directory, self->admin, "plugins.grant",
                                  reeve_grants_create, self->grants, params, &error);

  g_assert_no_error (error);
  return g_strdup (json_object_get_string_member (made, "grant_id"));
}

void
revoke_world_revoke (RevokeWorld *self, const char *plugin_id, const char *grant_id)
{
  ReeveAdmissionRequest request = { .caller = self->admin, .operation = "plugins.revoke" };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED };
  g_autoptr (GError) error = NULL;
  ReeveAdmitted *admitted = reeve_admission_begin (self->directory.admission, &request, &error);

  g_assert_no_error (error);
  reeve_grants_revoke (self->grants, admitted, plugin_id, grant_id, &error);
  g_assert_no_error (error);
  reeve_admission_settle_async (self->directory.admission, admitted, &settlement, NULL, NULL);
}

char *
revoke_world_call (RevokeWorld *self, const char *tool, const char *arguments)
{
  const char *const agent_tools[] = { tool, "tool-of-" REVOKE_OTHER, NULL };
  g_autofree char *text = revoke_world_fill (self, arguments);
  g_autoptr (JsonObject) parsed = directory_fixture_parse (text);
  ReeveAdmissionRequest request = {
    .caller = self->user,
    .operation = "tool.call",
    .permission = "tool:execute",
    .agent_id = "agt_test",
    .run_id = "run_test",
    .tool_name = tool,
    .tool_arguments = parsed,
    .tool_known = TRUE,
    .tool_reads = TRUE,
    .tool_hints = REEVE_TOOL_READ_ONLY,
    .agent_tools = agent_tools,
  };
  const ReeveContextInfo info = {
    .struct_size = sizeof info,
    .tenant_id = TENANT,
    .user_id = self->user_id,
    .agent_id = "agt_test",
    .run_id = "run_test",
    .deadline = g_get_monotonic_time () + 2 * GATE_SECONDS * G_USEC_PER_SEC,
  };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED };
  g_autoptr (ReeveDelegation) below = reeve_delegation_new (&request, NULL);
  g_autoptr (GError) error = NULL;
  ReeveAdmitted *admitted = reeve_admission_begin (self->directory.admission, &request, &error);
  g_autoptr (ReeveToolResult) result = NULL;

  g_assert_no_error (error);
  result = reeve_tools_call (self->tools, admitted, below, tool, parsed, &info, NULL, &error);
  g_assert_no_error (error);
  reeve_admission_settle_async (self->directory.admission, admitted, &settlement, NULL, NULL);
  return g_strdup (reeve_tool_result_get_text (result));
}
