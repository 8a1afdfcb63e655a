/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host without doors. */
#include "directory-fixture.h"

#include <string.h>

#include "base/digests.h"
#include "sqlite-storage.h"

JsonObject *
directory_fixture_parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = reeve_json_parse_strict (text, strlen (text), &error);

  g_assert_no_error (error);
  return json_object_ref (json_node_get_object (node));
}

static char *
digest_of (const char *path)
{
  g_autofree char *text = NULL;
  gsize length = 0;

  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  return reeve_digests_sha256_hex (text, length);
}

/* The plugin as it was built, pinned as it is. */
static void
open_registry (DirectoryFixture *fixture)
{
  g_autofree char *folder = g_build_filename (g_getenv ("REEVE_BUILD_DIR"), "plugins", NULL);
  g_autofree char *manifest
      = g_build_filename (folder, "auth-api-key", "auth-api-key.plugin", NULL);
  g_autofree char *module = g_build_filename (folder, "auth-api-key", "auth-api-key.so", NULL);
  g_autofree char *manifest_digest = digest_of (manifest);
  g_autofree char *module_digest = digest_of (module);
  const char *const folders[] = { folder, NULL };
  const ReevePin pins[] = { { "auth-api-key", manifest_digest, module_digest }, { 0 } };
  ReeveRegistrySetup setup
      = { .folders = folders, .extra_pins = pins, .capabilities = fixture->capabilities };
  g_autoptr (GError) error = NULL;
  ReevePlugin *instance = NULL;

  fixture->registry = reeve_registry_new (&setup);
  reeve_registry_scan (fixture->registry);
  instance = reeve_registry_instantiate (fixture->registry, "keys", "auth-api-key", REEVE_TYPE_AUTH,
                                         NULL, &error);
  g_assert_no_error (error);
  reeve_authentication_add_provider (fixture->authentication, "keys", fixture->registry, instance);
}

void
directory_fixture_open (DirectoryFixture *fixture)
{
  g_autoptr (ReeveStorage) storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  g_autofree char *path = g_build_filename (fixture->ledger.state, "store", NULL);
  g_autoptr (GError) error = NULL;

  if (fixture->ledger.ledger == NULL)
    ledger_fixture_open (&fixture->ledger);
  fixture->store = reeve_store_new (storage);
  reeve_store_open (fixture->store, path, &error);
  g_assert_no_error (error);
  fixture->workers = reeve_workers_new ("test", 2, 4, 64);
  fixture->admission = reeve_admission_new (fixture->ledger.ledger);
  fixture->authentication = reeve_authentication_new (fixture->store);
  fixture->tenants = reeve_tenants_new (fixture->store);
  fixture->users = reeve_users_new (fixture->store);
  fixture->api_keys = reeve_api_keys_new (fixture->store, fixture->users, fixture->authentication);
  reeve_api_keys_open (fixture->api_keys, fixture->ledger.keys, &error);
  g_assert_no_error (error);
  fixture->capabilities = reeve_capabilities_new ();
  reeve_api_keys_provide (fixture->api_keys, fixture->capabilities);
  open_registry (fixture);
}

void
directory_fixture_close (DirectoryFixture *fixture)
{
  reeve_authentication_shutdown (fixture->authentication);
  reeve_workers_shutdown (fixture->workers);
  reeve_registry_shutdown (fixture->registry);
  g_clear_object (&fixture->api_keys);
  g_assert_finalize_object (fixture->authentication);
  g_clear_pointer (&fixture->registry, reeve_registry_unref);
  g_clear_pointer (&fixture->capabilities, reeve_capabilities_unref);
  g_clear_object (&fixture->users);
  g_clear_object (&fixture->tenants);
  g_clear_object (&fixture->admission);
  g_clear_pointer (&fixture->workers, reeve_workers_unref);
  reeve_store_close (fixture->store);
  g_clear_object (&fixture->store);
  ledger_fixture_close (&fixture->ledger);
}

gboolean
directory_fixture_bootstrap (DirectoryFixture *fixture, GError **error)
{
  ReeveBootstrap bootstrap = {
    .admission = fixture->admission,
    .tenants = fixture->tenants,
    .users = fixture->users,
    .api_keys = fixture->api_keys,
    .authentication = fixture->authentication,
    .state_folder = fixture->ledger.state,
  };

  return reeve_bootstrap_run (&bootstrap, error);
}

void
directory_fixture_set_up (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  ledger_fixture_set_up (&fixture->ledger, data);
  directory_fixture_open (fixture);
  directory_fixture_bootstrap (fixture, &error);
  g_assert_no_error (error);
}

void
directory_fixture_tear_down (DirectoryFixture *fixture, gconstpointer data)
{
  if (fixture->store != NULL)
    directory_fixture_close (fixture);
  ledger_fixture_tear_down (&fixture->ledger, data);
}

char *
directory_fixture_admin_key (DirectoryFixture *fixture)
{
  g_autofree char *path = g_build_filename (fixture->ledger.state, "admin.key", NULL);
  char *key = NULL;

  g_assert_true (g_file_get_contents (path, &key, NULL, NULL));
  return g_strchomp (key);
}

ReeveCaller *
directory_fixture_authenticate (DirectoryFixture *fixture, const char *key, GError **error)
{
  ReeveCredentials credentials = { .struct_size = sizeof credentials,
                                   .scheme = "bearer",
                                   .token = key,
                                   .peer_address = "127.0.0.1",
                                   .door = "rest" };

  return reeve_authentication_authenticate (fixture->authentication, &credentials, error);
}

ReeveCaller *
directory_fixture_admin (DirectoryFixture *fixture, const char *tenant_id)
{
  g_autofree char *key = directory_fixture_admin_key (fixture);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveCaller) caller = directory_fixture_authenticate (fixture, key, &error);
  ReeveCaller *there = NULL;

  g_assert_no_error (error);
  there = reeve_authentication_enter_tenant (fixture->authentication, caller, tenant_id, &error);
  g_assert_no_error (error);
  return there;
}

JsonObject *
directory_fixture_do (DirectoryFixture *fixture, ReeveCaller *caller, const char *operation,
                      DirectoryFixtureFunc func, gpointer object, const char *params,
                      GError **error)
{
  g_autoptr (JsonObject) parsed = directory_fixture_parse (params);
  ReeveAdmissionRequest request = { .caller = caller, .operation = operation };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED };
  ReeveAdmitted *admitted = reeve_admission_begin (fixture->admission, &request, error);
  JsonObject *made = NULL;

  if (admitted == NULL)
    return NULL;
  made = func (object, admitted, parsed, error);
  if (made == NULL)
    settlement.outcome = REEVE_OUTCOME_FAILED;
  else
    g_assert_true (reeve_admitted_is_consumed (admitted));
  reeve_admission_settle_async (fixture->admission, admitted, &settlement, NULL, NULL);
  return made;
}

char *
directory_fixture_make_user (DirectoryFixture *fixture, ReeveCaller *caller, const char *username,
                             const char *role, char **user_id, char **key_id)
{
  g_autofree char *user_params
      = g_strdup_printf ("{\"username\":\"%s\",\"roles\":[\"%s\"]}", username, role);
  g_autofree char *key_params = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) user = NULL;
  g_autoptr (JsonObject) key = NULL;
  const char *id = NULL;

  user = directory_fixture_effect (fixture, caller, "users.create", reeve_users_create,
                                   fixture->users, user_params, &error);
  g_assert_no_error (error);
  id = json_object_get_string_member (user, "user_id");
  key_params = g_strdup_printf ("{\"user_id\":\"%s\",\"name\":\"k\",\"roles\":[\"%s\"]}", id, role);
  key = directory_fixture_effect (fixture, caller, "keys.create", reeve_api_keys_create,
                                  fixture->api_keys, key_params, &error);
  g_assert_no_error (error);
  if (user_id != NULL)
    *user_id = g_strdup (id);
  if (key_id != NULL)
    *key_id = g_strdup (json_object_get_string_member (key, "key_id"));
  return g_strdup (json_object_get_string_member (key, "key"));
}
