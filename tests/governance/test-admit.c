/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From an identity to a caller: steps of other parts, and what is taken back. */
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
  return g_test_run ();
}
