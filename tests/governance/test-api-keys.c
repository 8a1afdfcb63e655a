/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a key is bounded by, how one takes the place of another, and what is known of its use and
 * its end. */
#include <string.h>

#include "base/times.h"
#include "directory-fixture.h"

static JsonObject *
make_key (DirectoryFixture *fixture, ReeveCaller *caller, const char *user_id, const char *rest,
          GError **error)
{
  g_autofree char *params
      = g_strdup_printf ("{\"user_id\":\"%s\",\"name\":\"n\",%s}", user_id, rest);

  return directory_fixture_effect (fixture, caller, "keys.create", reeve_api_keys_create,
                                   fixture->api_keys, params, error);
}

static JsonObject *
rotate (DirectoryFixture *fixture, ReeveCaller *caller, const char *key_id, const char *rest,
        GError **error)
{
  g_autofree char *params = g_strdup_printf ("{\"key_id\":\"%s\"%s}", key_id, rest);

  return directory_fixture_effect (fixture, caller, "keys.rotate", reeve_api_keys_rotate,
                                   fixture->api_keys, params, error);
}

static ReeveCaller *
must_get_in (DirectoryFixture *fixture, JsonObject *key)
{
  g_autoptr (GError) error = NULL;
  ReeveCaller *caller = directory_fixture_authenticate (
      fixture, json_object_get_string_member (key, "key"), &error);

  g_assert_no_error (error);
  return caller;
}

static gboolean
gets_in (DirectoryFixture *fixture, JsonObject *key)
{
  g_autoptr (ReeveCaller) caller
      = directory_fixture_authenticate (fixture, json_object_get_string_member (key, "key"), NULL);

  return caller != NULL;
}

static char *
member_of (JsonObject *object, const char *member)
{
  g_autoptr (JsonNode) node = json_node_copy (json_object_get_member (object, member));

  return json_to_string (node, FALSE);
}

/* ---- scopes ---- */

static void
test_api_keys_scopes (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, NULL);
  g_autofree char *mira_id = NULL;
  g_autofree char *mira_key
      = directory_fixture_make_user (fixture, admin, "mira", "operator", &mira_id, NULL);
  g_autoptr (ReeveCaller) mira = directory_fixture_authenticate (fixture, mira_key, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) key
      = make_key (fixture, mira, mira_id,
                  "\"roles\":[\"operator\"],\"scopes\":[\"agent:read\",\"document:*\"]", &error);
  g_autoptr (ReeveCaller) narrow = NULL;
  g_autoptr (JsonObject) child = NULL;
  g_autofree char *scopes = NULL;
  static const struct
  {
    const char *rest;
    int code;
    const char *named;
  } refused[] = {
    { "\"roles\":[\"operator\"],\"scopes\":[\"agent:*\"]", REEVE_ERROR_PERMISSION_DENIED,
      "agent:create" },
    { "\"roles\":[],\"scopes\":[\"*\"]", REEVE_ERROR_PERMISSION_DENIED, "agent:create" },
    { "\"roles\":[],\"scopes\":[\"agent:fly\"]", REEVE_ERROR_INVALID_ARGUMENT, "agent:fly" },
  };

  g_assert_no_error (error);
  narrow = must_get_in (fixture, key);
  g_assert_true (reeve_caller_has_permission (narrow, "agent:read"));
  g_assert_true (reeve_caller_has_permission (narrow, "document:delete"));
  g_assert_false (reeve_caller_has_permission (narrow, "agent:execute"));
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_assert_null (make_key (fixture, mira, mira_id, refused[i].rest, &error));
      g_assert_error (error, REEVE_ERROR, refused[i].code);
      g_assert_nonnull (strstr (error->message, refused[i].named));
      g_clear_error (&error);
    }
  /* by means of the narrow key: nothing that it may not do, and what is left open is bounded too */
  g_assert_null (make_key (fixture, narrow, mira_id,
                           "\"roles\":[\"operator\"],\"scopes\":[\"agent:execute\"]", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
  g_clear_error (&error);
  child = make_key (fixture, narrow, mira_id, "\"roles\":[\"viewer\"],\"scopes\":[\"agent:read\"]",
                    &error);
  g_assert_no_error (error);
  scopes = member_of (child, "scopes");
  g_assert_cmpstr (scopes, ==, "[\"agent:read\"]");
}

/* ---- a key made with a key ---- */

static void
test_api_keys_inherit (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, NULL);
  g_autofree char *mira_id = NULL;
  g_autofree char *mira_key
      = directory_fixture_make_user (fixture, admin, "mira", "operator", &mira_id, NULL);
  g_autofree char *end = reeve_times_format (reeve_times_now () + G_TIME_SPAN_DAY);
  g_autofree char *later = reeve_times_format (reeve_times_now () + 2 * G_TIME_SPAN_DAY);
  g_autofree char *rest
      = g_strdup_printf ("\"roles\":[\"operator\"],\"ip_allow\":[\"127.0.0.0/8\",\"::1\"],"
                         "\"rate_limit\":60,\"expires_at\":\"%s\"",
                         end);
  g_autofree char *too_late
      = g_strdup_printf ("\"roles\":[\"operator\"],\"expires_at\":\"%s\"", later);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) key = make_key (fixture, admin, mira_id, rest, &error);
  g_autoptr (ReeveCaller) bounded = must_get_in (fixture, key);
  g_autoptr (JsonObject) child = NULL;
  g_autoptr (JsonObject) inside = NULL;
  g_autofree char *addresses = NULL;
  const char *const refused[]
      = { too_late, "\"roles\":[\"operator\"],\"rate_limit\":61",
          "\"roles\":[\"operator\"],\"ip_allow\":[\"0.0.0.0/0\"]",
          "\"roles\":[\"operator\"],\"ip_allow\":[\"127.0.0.1\",\"10.0.0.1\"]",
          "\"roles\":[\"operator\"],\"ip_allow\":[\"::/0\"]" };

  g_assert_cmpuint (reeve_caller_get_rate_limit (bounded), ==, 60);
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_assert_null (make_key (fixture, bounded, mira_id, refused[i], &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
      g_clear_error (&error);
    }
  child = make_key (fixture, bounded, mira_id, "\"roles\":[\"operator\"]", &error);
  g_assert_no_error (error);
  addresses = member_of (child, "ip_allow");
  g_assert_cmpstr (addresses, ==, "[\"127.0.0.0/8\",\"::1\"]");
  g_assert_cmpstr (json_object_get_string_member (child, "expires_at"), ==, end);
  g_assert_cmpint (json_object_get_int_member (child, "rate_limit"), ==, 60);
  inside = make_key (fixture, bounded, mira_id,
                     "\"roles\":[\"operator\"],\"ip_allow\":[\"127.3.0.0/16\"],\"rate_limit\":5",
                     &error);
  g_assert_no_error (error);
  /* who is not bounded hands out what he likes */
  g_clear_pointer (&child, json_object_unref);
  child = make_key (fixture, admin, mira_id, too_late, &error);
  g_assert_no_error (error);
}

/* ---- rotation ---- */

static void
test_api_keys_rotate (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, NULL);
  g_autofree char *mira_id = NULL;
  g_autofree char *mira_key
      = directory_fixture_make_user (fixture, admin, "mira", "operator", &mira_id, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) old = make_key (fixture, admin, mira_id,
                                         "\"roles\":[\"operator\"],\"scopes\":[\"agent:read\"],"
                                         "\"rate_limit\":9,\"metadata\":{\"a\":1}",
                                         &error);
  const char *old_id = json_object_get_string_member (old, "key_id");
  g_autoptr (JsonObject) made = rotate (fixture, admin, old_id, ",\"grace_seconds\":60", &error);
  const char *new_id = json_object_get_string_member (made, "key_id");
  g_autoptr (JsonObject) shown = NULL;
  g_autoptr (JsonObject) next = NULL;
  static const char *const same[]
      = { "user_id", "name", "roles", "scopes", "rate_limit", "metadata" };

  g_assert_no_error (error);
  g_assert_cmpstr (old_id, !=, new_id);
  for (guint i = 0; i < G_N_ELEMENTS (same); i++)
    {
      g_autofree char *before = member_of (old, same[i]);
      g_autofree char *after = member_of (made, same[i]);

      g_assert_cmpstr (before, ==, after);
    }
  g_assert_cmpstr (json_object_get_string_member (made, "replaces"), ==, old_id);
  g_assert_false (json_object_has_member (made, "expires_at"));
  /* both are good for the time of grace */
  g_assert_true (gets_in (fixture, old));
  g_assert_true (gets_in (fixture, made));
  shown = reeve_api_keys_get (fixture->api_keys, admin, old_id, &error);
  g_assert_cmpstr (json_object_get_string_member (shown, "replaced_by"), ==, new_id);
  g_assert_true (json_object_has_member (shown, "expires_at"));
  g_assert_null (rotate (fixture, admin, old_id, "", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
  g_clear_error (&error);
  /* without grace the old one ends at once, though it was let in a moment ago */
  next = rotate (fixture, admin, new_id, ",\"grace_seconds\":0", &error);
  g_assert_no_error (error);
  g_assert_false (gets_in (fixture, made));
  g_assert_true (gets_in (fixture, next));
  g_assert_null (rotate (fixture, admin, new_id, "", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
}

/* Nobody gets at a key by rotating it that he could not make. */
static void
test_api_keys_rotate_rights (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, NULL);
  g_autofree char *mira_id = NULL;
  g_autofree char *noor_id = NULL;
  g_autofree char *chief_id = NULL;
  g_autofree char *mira_key_id = NULL;
  g_autofree char *mira_key
      = directory_fixture_make_user (fixture, admin, "mira", "operator", &mira_id, &mira_key_id);
  g_autofree char *noor_key
      = directory_fixture_make_user (fixture, admin, "noor", "viewer", &noor_id, NULL);
  g_autofree char *chief_key
      = directory_fixture_make_user (fixture, admin, "chief", "admin", &chief_id, NULL);
  g_autoptr (ReeveCaller) mira = directory_fixture_authenticate (fixture, mira_key, NULL);
  g_autoptr (ReeveCaller) noor = directory_fixture_authenticate (fixture, noor_key, NULL);
  g_autoptr (ReeveCaller) chief = directory_fixture_authenticate (fixture, chief_key, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) weak = make_key (
      fixture, chief, chief_id, "\"roles\":[\"admin\"],\"scopes\":[\"user:manage\"]", NULL);
  g_autoptr (ReeveCaller) manager = must_get_in (fixture, weak);
  g_autoptr (JsonObject) made = NULL;

  g_assert_null (rotate (fixture, noor, mira_key_id, "", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_clear_error (&error);
  /* user:manage alone does not make one an operator */
  g_assert_null (rotate (fixture, manager, mira_key_id, "", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
  g_clear_error (&error);
  g_assert_null (rotate (fixture, chief, reeve_caller_get_key_id (admin), "", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
  g_clear_error (&error);
  made = rotate (fixture, mira, mira_key_id, "", &error);
  g_assert_no_error (error);
}

/* ---- use and end ---- */

static void
test_api_keys_last_use (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, NULL);
  g_autofree char *key_id = NULL;
  g_autofree char *key
      = directory_fixture_make_user (fixture, admin, "mira", "operator", NULL, &key_id);
  g_autoptr (JsonObject) before = NULL;
  g_autoptr (JsonObject) after = NULL;
  ReeveWorkersStatus status = { 0 };

  before = reeve_api_keys_get (fixture->api_keys, admin, key_id, NULL);
  g_assert_true (json_object_get_null_member (before, "last_used_at"));
  reeve_api_keys_note_uses (fixture->api_keys, fixture->workers);
  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (ReeveCaller) mira = directory_fixture_authenticate (fixture, key, NULL);

      g_assert_nonnull (mira);
      reeve_authentication_invalidate (fixture->authentication);
    }
  reeve_workers_shutdown (fixture->workers);
  after = reeve_api_keys_get (fixture->api_keys, admin, key_id, NULL);
  g_assert_true (g_str_has_suffix (json_object_get_string_member (after, "last_used_at"), "Z"));
  /* of five uses in a minute one is written */
  reeve_workers_get_status (fixture->workers, &status);
  g_assert_cmpuint (status.completed, ==, 1);
  /* what is written beside it stays */
  g_assert_true (json_object_get_boolean_member (after, "is_active"));
}

static void
test_api_keys_warning (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, NULL);
  g_autofree char *mira_id = NULL;
  g_autofree char *mira_key
      = directory_fixture_make_user (fixture, admin, "mira", "operator", &mira_id, NULL);
  g_autofree char *soon = reeve_times_format (reeve_times_now () + 6 * G_TIME_SPAN_DAY);
  g_autofree char *later = reeve_times_format (reeve_times_now () + 8 * G_TIME_SPAN_DAY);
  g_autofree char *soon_rest = g_strdup_printf ("\"roles\":[],\"expires_at\":\"%s\"", soon);
  g_autofree char *later_rest = g_strdup_printf ("\"roles\":[],\"expires_at\":\"%s\"", later);
  g_autoptr (JsonObject) a = make_key (fixture, admin, mira_id, soon_rest, NULL);
  g_autoptr (JsonObject) b = make_key (fixture, admin, mira_id, later_rest, NULL);
  g_autoptr (JsonObject) shown = NULL;
  g_autoptr (GError) error = NULL;

  /* nobody has said how long before */
  g_assert_cmpint (reeve_api_keys_check_ends (fixture->api_keys, fixture->admission, &error), ==,
                   0);
  reeve_api_keys_set_warning_days (fixture->api_keys, 7);
  g_assert_cmpint (reeve_api_keys_check_ends (fixture->api_keys, fixture->admission, &error), ==,
                   1);
  g_assert_no_error (error);
  /* once */
  g_assert_cmpint (reeve_api_keys_check_ends (fixture->api_keys, fixture->admission, &error), ==,
                   0);
  shown = reeve_api_keys_get (fixture->api_keys, admin, json_object_get_string_member (a, "key_id"),
                              NULL);
  g_assert_true (json_object_get_boolean_member (shown, "expires_soon"));
  g_clear_pointer (&shown, json_object_unref);
  shown = reeve_api_keys_get (fixture->api_keys, admin, json_object_get_string_member (b, "key_id"),
                              NULL);
  g_assert_false (json_object_get_boolean_member (shown, "expires_soon"));
  reeve_api_keys_set_warning_days (fixture->api_keys, 9);
  g_assert_cmpint (reeve_api_keys_check_ends (fixture->api_keys, fixture->admission, &error), ==,
                   1);
}

#define ADD(path, func)                                                                            \
  g_test_add (path, DirectoryFixture, NULL, directory_fixture_set_up, func,                        \
              directory_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL); /* warnings are meant */
  ADD ("/api-keys/scopes", test_api_keys_scopes);
  ADD ("/api-keys/inherit", test_api_keys_inherit);
  ADD ("/api-keys/rotate", test_api_keys_rotate);
  ADD ("/api-keys/rotate-rights", test_api_keys_rotate_rights);
  ADD ("/api-keys/last-use", test_api_keys_last_use);
  ADD ("/api-keys/warning", test_api_keys_warning);
  return g_test_run ();
}
