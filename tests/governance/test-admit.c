/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From an identity to a caller: steps of other parts, and what is taken back. */
#include "governance/directory.h"

#include "directory-fixture.h"

static ReeveCaller *
must_authenticate (DirectoryFixture *fixture, const char *key)
{
  g_autoptr (GError) error = NULL;
  ReeveCaller *caller = directory_fixture_authenticate (fixture, key, &error);

  g_assert_no_error (error);
  return caller;
}

static gboolean
may_go_on (DirectoryFixture *fixture, ReeveCaller *caller)
{
  ReeveAdmissionRequest request = { .caller = caller, .operation = "tool.call" };
  g_autoptr (GError) error = NULL;

  if (reeve_authentication_check (&request, NULL, fixture->authentication, &error))
    return TRUE;
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CALLER_REVOKED);
  return FALSE;
}

/* Who was let in before something was taken back does nothing more, whatever is under way; others
 * go on, and who is let in afterwards does too. */
static void
test_admit_under_way (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, NULL);
  g_autofree char *key_id = NULL;
  g_autofree char *user_id = NULL;
  g_autofree char *key
      = directory_fixture_make_user (fixture, admin, "mira", "operator", &user_id, &key_id);
  g_autofree char *other
      = directory_fixture_make_user (fixture, admin, "noor", "viewer", NULL, NULL);
  g_autoptr (ReeveCaller) mira = must_authenticate (fixture, key);
  g_autoptr (ReeveCaller) noor = must_authenticate (fixture, other);
  g_autoptr (ReeveCaller) again = NULL;

  g_assert_true (may_go_on (fixture, mira));
  reeve_authentication_invalidate (fixture->authentication);
  g_assert_true (may_go_on (fixture, mira));
  reeve_authentication_revoke_user (fixture->authentication, "default", user_id);
  g_assert_false (may_go_on (fixture, mira));
  g_assert_true (may_go_on (fixture, noor));
  g_assert_true (may_go_on (fixture, admin));
  /* the record still lets her in: what was taken back was less than all */
  again = must_authenticate (fixture, key);
  g_assert_true (may_go_on (fixture, again));
  reeve_authentication_revoke_key (fixture->authentication, key_id);
  g_assert_false (may_go_on (fixture, again));
  g_assert_true (may_go_on (fixture, noor));
  reeve_authentication_revoke_tenant (fixture->authentication, "default");
  g_assert_false (may_go_on (fixture, noor));
}

static gboolean
step_look (ReeveAuthenticationDraft *draft, gpointer data, GError **error)
{
  guint *seen = data;

  *seen += 1;
  return TRUE;
}

static gboolean
step_change (ReeveAuthenticationDraft *draft, gpointer data, GError **error)
{
  ReeveCallerElevation elevation
      = { reeve_roles_match ("agent:*"), g_get_real_time () + 600 * G_USEC_PER_SEC };

  g_assert_true (draft->known);
  g_assert_true (draft->permissions == reeve_roles_union ((const char *const[]){ "viewer", NULL }));
  draft->cap = reeve_roles_match ("agent:*") & ~reeve_roles_match ("agent:delete");
  g_array_append_val (draft->elevations, elevation);
  reeve_authentication_draft_end (draft, elevation.until);
  reeve_authentication_draft_rest_on (draft, reeve_revocations_name_elevation ("elv_1"));
  return TRUE;
}

static gboolean
step_refuse (ReeveAuthenticationDraft *draft, gpointer data, GError **error)
{
  if (g_strcmp0 (draft->credentials->peer_address, "192.0.2.1") != 0)
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED, "not from there");
  return FALSE;
}

/* Steps of other parts: asked in order, heard in what the caller may do and for how long. */
static void
test_admit_steps (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, NULL);
  g_autofree char *key = directory_fixture_make_user (fixture, admin, "mira", "viewer", NULL, NULL);
  ReeveAuthenticationAdmit *admit = reeve_authentication_get_admit (fixture->authentication);
  guint seen = 0;
  ReeveCredentials credentials = { .struct_size = sizeof credentials,
                                   .scheme = "bearer",
                                   .token = key,
                                   .peer_address = "192.0.2.1",
                                   .door = "rest" };
  g_autoptr (ReeveCaller) mira = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = REEVE_ADMIT_TENANT; i <= REEVE_ADMIT_CAP; i++)
    reeve_authentication_admit_add_step (admit, (ReeveAuthenticationStage) i, step_look, &seen);
  reeve_authentication_admit_add_step (admit, REEVE_ADMIT_NETWORK, step_refuse, NULL);
  reeve_authentication_admit_add_step (admit, REEVE_ADMIT_PERMISSIONS, step_change, NULL);
  g_assert_null (reeve_authentication_authenticate (fixture->authentication, &credentials, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED);
  g_assert_cmpuint (seen, ==, 4);
  credentials.peer_address = "192.0.2.2";
  mira = reeve_authentication_authenticate (fixture->authentication, &credentials, NULL);
  g_assert_nonnull (mira);
  g_assert_cmpuint (seen, ==, 10);
  g_assert_true (reeve_caller_get_permissions (mira)
                 == (reeve_roles_match ("agent:*") & ~reeve_roles_match ("agent:delete")));
  g_assert_true (may_go_on (fixture, mira));
  reeve_authentication_revoke (fixture->authentication, "elevation/elv_1");
  g_assert_false (may_go_on (fixture, mira));
}

/* Who began a run before the host started: as he stands now, by the records. */
static void
test_admit_again (DirectoryFixture *fixture, gconstpointer data)
{
  static const char *const roles[] = { "operator", NULL };
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, NULL);
  g_autofree char *key_id = NULL;
  g_autofree char *user_id = NULL;
  g_autofree char *key
      = directory_fixture_make_user (fixture, admin, "mira", "operator", &user_id, &key_id);
  g_autoptr (ReeveIdentity) identity = reeve_identity_new ("default", user_id, roles, "api_key");
  g_autoptr (ReeveCaller) before = NULL;
  g_autoptr (ReeveCaller) elsewhere = NULL;
  g_autoptr (ReeveCaller) after = NULL;
  ReeveAdmissionRequest request
      = { .caller = admin, .operation = "keys.delete", .resource_id = key_id };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED };
  ReeveAdmitted *admitted = NULL;

  reeve_identity_set_key_id (identity, key_id);
  before = reeve_authentication_readmit (fixture->authentication, identity, "default", "rest");
  g_assert_true (reeve_caller_has_permission (before, "agent:execute"));
  g_assert_true (may_go_on (fixture, before));
  elsewhere = reeve_authentication_readmit (fixture->authentication, identity, "other", "rest");
  g_assert_false (may_go_on (fixture, elsewhere));
  admitted = reeve_admission_begin (fixture->admission, &request, NULL);
  g_assert_true (reeve_api_keys_revoke (fixture->api_keys, admitted, key_id, NULL));
  reeve_admission_settle_async (fixture->admission, admitted, &settlement, NULL, NULL);
  g_assert_false (may_go_on (fixture, before));
  after = reeve_authentication_readmit (fixture->authentication, identity, "default", "rest");
  g_assert_false (may_go_on (fixture, after));
  g_assert_false (reeve_caller_has_permission (after, "agent:read"));
  g_assert_cmpstr (reeve_caller_get_user_id (after), ==, user_id);
}

/* A caller has no further effect when what it showed ends; how long its provider's answer is good
 * does not end it. */
static void
test_admit_end (DirectoryFixture *fixture, gconstpointer data)
{
  static const char *const roles[] = { "operator", NULL };
  ReeveAuthenticationAdmit *admit = reeve_authentication_get_admit (fixture->authentication);
  const ReeveCredentials credentials = { .struct_size = sizeof credentials, .door = "rest" };
  g_autoptr (ReeveIdentity) identity = reeve_identity_new ("default", "usr_1", roles, "jwt");
  g_autoptr (ReeveCaller) renewed = NULL;
  g_autoptr (ReeveCaller) caller = NULL;
  g_autoptr (ReeveCaller) there = NULL;
  gint64 now = g_get_real_time ();
  gint64 expires_at = 0;

  reeve_identity_set_expires_at (identity, now - 1);
  renewed = reeve_authentication_admit_identity (admit, identity, &credentials, &expires_at, NULL);
  g_assert_cmpint (expires_at, ==, now - 1);
  g_assert_cmpint (reeve_caller_get_end (renewed), ==, 0);
  g_assert_true (may_go_on (fixture, renewed));
  reeve_identity_set_expires_at (identity, now + 900 * G_USEC_PER_SEC);
  reeve_identity_set_ends_at (identity, now + 600 * G_USEC_PER_SEC);
  caller = reeve_authentication_admit_identity (admit, identity, &credentials, &expires_at, NULL);
  g_assert_cmpint (expires_at, ==, now + 600 * G_USEC_PER_SEC);
  g_assert_cmpint (reeve_caller_get_end (caller), ==, now + 600 * G_USEC_PER_SEC);
  g_assert_true (may_go_on (fixture, caller));
  reeve_caller_end (caller, now - 1);
  there = reeve_caller_new_in_tenant (caller, "other");
  g_assert_false (may_go_on (fixture, caller));
  g_assert_false (may_go_on (fixture, there));
}

/* The platform admin's record is enough with what the host gave out, and with a token it is not,
 * whoever's name that bears. */
static void
test_admit_platform_admin (DirectoryFixture *fixture, gconstpointer data)
{
  static const char *const roles[] = { "admin", NULL };
  static const char *const methods[] = { "api_key", "basic", "certificate", "jwt", "other" };
  ReeveAuthenticationAdmit *admit = reeve_authentication_get_admit (fixture->authentication);
  const ReeveCredentials credentials = { .struct_size = sizeof credentials, .door = "rest" };
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, NULL);

  g_assert_true (reeve_caller_is_platform_admin (admin));
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    {
      g_autoptr (ReeveIdentity) identity
          = reeve_identity_new ("default", reeve_caller_get_user_id (admin), roles, methods[i]);
      gint64 expires_at = 0;
      g_autoptr (ReeveCaller) caller
          = reeve_authentication_admit_identity (admit, identity, &credentials, &expires_at, NULL);
      g_autoptr (ReeveCaller) again
          = reeve_authentication_readmit (fixture->authentication, identity, "default", "rest");

      g_assert_nonnull (caller);
      g_assert_true (reeve_caller_is_platform_admin (caller) == (i < 3));
      g_assert_true (reeve_caller_is_platform_admin (again) == (i < 3));
      g_assert_true (reeve_caller_has_permission (caller, "user:manage"));
    }
}

/* Who acts for a user that was disabled does nothing more for him, whoever he is himself. */
static void
test_admit_delegate (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, NULL);
  g_autoptr (ReeveCaller) owner = NULL;
  g_autoptr (ReeveCaller) later = NULL;
  ReeveAdmissionRequest request
      = { .operation = "tool.call", .tool_name = "calculate", .delegated_user_id = "usr_1" };

  reeve_authentication_revoke_user (fixture->authentication, "default", "usr_2");
  owner = reeve_authentication_new_owner (fixture->authentication, "dbus");
  for (guint i = 0; i < 2; i++)
    {
      request.caller = i == 0 ? admin : owner;
      g_assert_true (reeve_authentication_check (&request, NULL, fixture->authentication, NULL));
    }
  reeve_authentication_revoke_user (fixture->authentication, "default", "usr_1");
  later = reeve_authentication_new_owner (fixture->authentication, "dbus");
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;

      request.caller = i == 0 ? admin : owner;
      g_assert_false (reeve_authentication_check (&request, NULL, fixture->authentication, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CALLER_REVOKED);
      g_assert_true (may_go_on (fixture, request.caller));
    }
  request.caller = later;
  g_assert_true (reeve_authentication_check (&request, NULL, fixture->authentication, NULL));
}

/* Behind a restart: the end of the key's record, and that of what the run has kept. */
static void
test_admit_end_again (DirectoryFixture *fixture, gconstpointer data)
{
  static const char *const roles[] = { "operator", NULL };
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, NULL);
  g_autofree char *user_id = NULL;
  g_autofree char *key_id = NULL;
  g_autofree char *key
      = directory_fixture_make_user (fixture, admin, "mira", "operator", &user_id, &key_id);
  g_autoptr (ReeveRecord) record
      = reeve_store_get (fixture->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_API_KEYS, key_id, NULL);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (JsonObject) fields = reeve_directory_dup (reeve_record_get_fields (record));

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (ReeveIdentity) identity
          = reeve_identity_new ("default", user_id, roles, i == 0 ? "api_key" : "jwt");
      g_autoptr (ReeveCaller) before = NULL;
      g_autoptr (ReeveCaller) after = NULL;

      if (i == 0)
        reeve_identity_set_key_id (identity, key_id);
      before = reeve_authentication_readmit (fixture->authentication, identity, "default", "rest");
      g_assert_true (may_go_on (fixture, before));
      if (i == 0)
        {
          json_object_set_int_member (fields, "expires_at", g_get_real_time () - 1);
          reeve_batch_put (batch, REEVE_STORE_API_KEYS, key_id, fields, REEVE_REVISION_ANY);
          result = reeve_store_commit (fixture->store, batch, NULL);
          g_assert_nonnull (result);
        }
      else
        reeve_identity_set_ends_at (identity, g_get_real_time () - 1);
      after = reeve_authentication_readmit (fixture->authentication, identity, "default", "rest");
      g_assert_false (may_go_on (fixture, after));
    }
}

/* A key of a shipped role rests on the custom role of its user too, which bounds it. */
static void
test_admit_bounding_role (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveRoleBook) book = reeve_role_book_new (fixture->store);
  g_autoptr (ReeveCaller) admin = NULL;
  g_autoptr (ReeveCaller) mira = NULL;
  g_autoptr (JsonObject) role = NULL;
  g_autoptr (JsonObject) made = NULL;
  g_autofree char *user_id = NULL;
  g_autofree char *params = NULL;
  g_autofree char *unused = NULL;

  reeve_users_set_role_book (fixture->users, book);
  reeve_authentication_set_role_book (fixture->authentication, book);
  admin = directory_fixture_admin (fixture, NULL);
  role = directory_fixture_effect (
      fixture, admin, "roles.create", reeve_role_book_create, book,
      "{\"name\":\"wide\",\"permissions\":[],\"inherits\":[\"operator\"]}", NULL);
  g_assert_nonnull (role);
  unused = directory_fixture_make_user (fixture, admin, "mira", "custom:wide", &user_id, NULL);
  params
      = g_strdup_printf ("{\"user_id\":\"%s\",\"name\":\"k\",\"roles\":[\"operator\"]}", user_id);
  made = directory_fixture_effect (fixture, admin, "keys.create", reeve_api_keys_create,
                                   fixture->api_keys, params, NULL);
  g_assert_nonnull (made);
  mira = must_authenticate (fixture, json_object_get_string_member (made, "key"));
  g_assert_true (reeve_caller_has_permission (mira, "agent:execute"));
  g_assert_true (may_go_on (fixture, mira));
  reeve_authentication_revoke (fixture->authentication, "role/default/custom:wide");
  g_assert_false (may_go_on (fixture, mira));
  g_assert_true (may_go_on (fixture, admin));
}

#define ADD(name, func)                                                                            \
  g_test_add ("/admit/" name, DirectoryFixture, NULL, directory_fixture_set_up, func,              \
              directory_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("under-way", test_admit_under_way);
  ADD ("steps", test_admit_steps);
  ADD ("again", test_admit_again);
  ADD ("platform-admin", test_admit_platform_admin);
  ADD ("delegate", test_admit_delegate);
  ADD ("end", test_admit_end);
  ADD ("end-again", test_admit_end_again);
  ADD ("bounding-role", test_admit_bounding_role);
  return g_test_run ();
}
