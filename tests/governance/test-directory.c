/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tenants, users, API keys and who gets in with them. */
#include <glib/gstdio.h>
#include <string.h>

#include "directory-fixture.h"

static ReeveCaller *
must_authenticate (DirectoryFixture *fixture, const char *key)
{
  g_autoptr (GError) error = NULL;
  ReeveCaller *caller = directory_fixture_authenticate (fixture, key, &error);

  g_assert_no_error (error);
  return caller;
}

static void
must_refuse (DirectoryFixture *fixture, const char *key)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveCaller) caller = directory_fixture_authenticate (fixture, key, &error);

  g_assert_null (caller);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED);
}

static JsonObject *
make_tenant (DirectoryFixture *fixture, ReeveCaller *admin, const char *tenant_id, GError **error)
{
  g_autofree char *params = g_strdup_printf (
      "{\"tenant_id\":\"%s\",\"name\":\"N\",\"settings\":{\"max_agents\":3}}", tenant_id);

  return directory_fixture_effect (fixture, admin, "tenants.create", reeve_tenants_create,
                                   fixture->tenants, params, error);
}

static void
test_directory_tenants (DirectoryFixture *fixture, gconstpointer data)
{
  static const char *const bad[]
      = { "",          "-a",  "_a",
          "A",         "a b", "a/b",
          "@platform", "..",  "a234567890123456789012345678901234567890123456789012345678901234" };
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, NULL);
  g_autoptr (JsonObject) made = make_tenant (fixture, admin, "acme", NULL);
  g_autoptr (JsonObject) params = json_object_new ();
  g_autoptr (JsonObject) page = NULL;
  g_autoptr (JsonObject) again = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpstr (json_object_get_string_member (made, "tenant_id"), ==, "acme");
  g_assert_cmpint (
      json_object_get_int_member (json_object_get_object_member (made, "settings"), "max_agents"),
      ==, 3);
  g_assert_true (g_str_has_suffix (json_object_get_string_member (made, "created_at"), "Z"));
  again = reeve_tenants_get (fixture->tenants, "acme", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (json_object_get_string_member (again, "name"), ==, "N");
  g_assert_null (make_tenant (fixture, admin, "acme", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS);
  g_clear_error (&error);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_assert_null (make_tenant (fixture, admin, bad[i], &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
      g_clear_error (&error);
    }
  g_assert_null (reeve_tenants_get (fixture->tenants, "nobody", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  json_object_set_int_member (params, "limit", 1);
  page = reeve_tenants_list (fixture->tenants, params, NULL);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (page, "items")), ==, 1);
  json_object_set_string_member (params, "cursor",
                                 json_object_get_string_member (page, "next_cursor"));
  g_clear_pointer (&page, json_object_unref);
  page = reeve_tenants_list (fixture->tenants, params, NULL);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (page, "items")), ==, 1);
  g_assert_true (JSON_NODE_HOLDS_NULL (json_object_get_member (page, "next_cursor")));
}

/* Settings bind: features gate, numbers are known without asking the store, before and after a
 * restart. */
static void
test_directory_settings (DirectoryFixture *fixture, gconstpointer data)
{
  static const struct
  {
    const char *operation;
    const char *tool;
    gboolean allowed;
  } cases[] = { { "documents.upload", NULL, FALSE },
                { "tool.call", "semantic_search", FALSE },
                { "tool.call", "calculate", TRUE },
                { "memory.get", NULL, TRUE },
                { "agents.create", NULL, TRUE } };
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, NULL);
  g_autoptr (JsonObject) made = directory_fixture_effect (
      fixture, admin, "tenants.create", reeve_tenants_create, fixture->tenants,
      "{\"tenant_id\":\"acme\",\"name\":\"N\",\"settings\":{\"max_agents\":3,"
      "\"features\":[\"long_term_memory\"]}}",
      NULL);

  g_assert_nonnull (made);
  for (guint round = 0; round < 2; round++)
    {
      g_autoptr (ReeveCaller) there = directory_fixture_admin (fixture, "acme");
      g_autoptr (ReeveCaller) home = directory_fixture_admin (fixture, NULL);

      for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
        {
          ReeveAdmissionRequest request
              = { .caller = there, .operation = cases[i].operation, .tool_name = cases[i].tool };
          g_autoptr (GError) error = NULL;

          g_assert_true (reeve_tenants_check (&request, NULL, fixture->tenants, &error)
                         == cases[i].allowed);
          if (!cases[i].allowed)
            g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
          /* a tenant whose settings name no features has all */
          request.caller = home;
          g_assert_true (reeve_tenants_check (&request, NULL, fixture->tenants, NULL));
        }
      g_assert_cmpint (reeve_tenants_get_limit (fixture->tenants, "acme", "max_agents", 9), ==, 3);
      g_assert_cmpint (reeve_tenants_get_limit (fixture->tenants, "default", "max_agents", 9), ==,
                       9);
      g_assert_cmpint (reeve_tenants_get_limit (fixture->tenants, "nobody", "max_agents", 9), ==,
                       9);
      g_clear_pointer (&there, reeve_caller_unref);
      g_clear_pointer (&home, reeve_caller_unref);
      if (round == 0)
        {
          directory_fixture_close (fixture);
          directory_fixture_open (fixture);
          g_assert_true (reeve_tenants_load (fixture->tenants, NULL));
        }
    }
}

static void
test_directory_users (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, NULL);
  g_autoptr (ReeveCaller) there = NULL;
  g_autoptr (JsonObject) tenant = make_tenant (fixture, admin, "acme", NULL);
  g_autoptr (JsonObject) none = json_object_new ();
  g_autoptr (JsonObject) page = NULL;
  g_autoptr (JsonObject) user = NULL;
  g_autofree char *key = NULL;
  g_autofree char *user_id = NULL;
  g_autoptr (GError) error = NULL;

  there = directory_fixture_admin (fixture, "acme");
  key = directory_fixture_make_user (fixture, there, "mira", "operator", &user_id, NULL);
  user = reeve_users_get (fixture->users, "acme", user_id, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (json_object_get_string_member (user, "username"), ==, "mira");
  g_assert_cmpstr (json_object_get_string_member (user, "kind"), ==, "human");
  g_assert_false (json_object_has_member (user, "platform_admin"));
  /* another tenant's user is not there */
  g_assert_null (reeve_users_get (fixture->users, "default", user_id, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_clear_error (&error);
  /* a name is taken once in a tenant, and free in the next */
  g_assert_null (directory_fixture_effect (fixture, there, "users.create", reeve_users_create,
                                           fixture->users, "{\"username\":\"mira\",\"roles\":[]}",
                                           &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS);
  g_clear_error (&error);
  g_clear_pointer (&user, json_object_unref);
  user = directory_fixture_effect (fixture, admin, "users.create", reeve_users_create,
                                   fixture->users, "{\"username\":\"mira\",\"roles\":[]}", &error);
  g_assert_no_error (error);
  g_assert_null (directory_fixture_effect (fixture, there, "users.create", reeve_users_create,
                                           fixture->users,
                                           "{\"username\":\"x\",\"roles\":[\"king\"]}", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  page = reeve_users_list (fixture->users, "acme", none, NULL);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (page, "items")), ==, 1);
}

static void
test_directory_authentication (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, NULL);
  g_autofree char *key_id = NULL;
  g_autofree char *key
      = directory_fixture_make_user (fixture, admin, "mira", "operator", NULL, &key_id);
  g_autofree char *longer = g_strconcat (key, "a", NULL);
  g_autofree char *changed = g_strdup (key);
  g_autoptr (ReeveCaller) mira = must_authenticate (fixture, key);
  ReeveCredentials credentials
      = { .struct_size = sizeof credentials, .scheme = "api-key", .token = key, .door = "rest" };
  g_autoptr (ReeveCaller) by_header = NULL;
  g_autoptr (ReeveCaller) known = NULL;

  g_assert_true (reeve_caller_is_platform_admin (admin));
  g_assert_false (reeve_caller_is_platform_admin (mira));
  g_assert_cmpstr (reeve_caller_get_tenant_id (mira), ==, "default");
  g_assert_cmpstr (reeve_caller_get_key_id (mira), ==, key_id);
  g_assert_true (reeve_caller_has_permission (mira, "agent:execute"));
  g_assert_false (reeve_caller_has_permission (mira, "user:manage"));
  changed[strlen (changed) - 1] = changed[strlen (changed) - 1] == 'a' ? 'b' : 'a';
  must_refuse (fixture, changed);
  must_refuse (fixture, longer);
  must_refuse (fixture, "rv_");
  must_refuse (fixture, "rv_x_y");
  must_refuse (fixture, "");
  must_refuse (fixture, "eyJhbGciOi.J9.x");
  by_header = reeve_authentication_authenticate (fixture->authentication, &credentials, NULL);
  g_assert_nonnull (by_header);
  known = reeve_authentication_lookup (fixture->authentication, &credentials);
  g_assert_true (known == by_header);
}

/* Nothing is remembered of who was let in: each time is as the first. */
static void
test_directory_every_request (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, "default");
  g_autofree char *key
      = directory_fixture_make_user (fixture, admin, "ann", "operator", NULL, NULL);
  const ReeveCredentials credentials
      = { .struct_size = sizeof credentials, .scheme = "bearer", .token = key, .door = "rest" };
  g_autoptr (ReeveCaller) once = NULL;
  g_autoptr (ReeveCaller) again = NULL;
  g_autoptr (ReeveCaller) known = NULL;

  reeve_authentication_verify_every_request (fixture->authentication);
  once = reeve_authentication_authenticate (fixture->authentication, &credentials, NULL);
  again = reeve_authentication_authenticate (fixture->authentication, &credentials, NULL);
  known = reeve_authentication_lookup (fixture->authentication, &credentials);
  g_assert_nonnull (once);
  g_assert_nonnull (again);
  g_assert_true (once != again);
  g_assert_null (known);
}

typedef struct
{
  ReeveCaller *caller;
  GError *error;
  gboolean done;
} Answer;

static void
on_authenticated (GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->caller = reeve_authentication_authenticate_finish (REEVE_AUTHENTICATION (source), result,
                                                             &answer->error);
  answer->done = TRUE;
}

static void
test_directory_asynchronous (DirectoryFixture *fixture, gconstpointer data)
{
  g_autofree char *key = directory_fixture_admin_key (fixture);
  ReeveCredentials credentials
      = { .struct_size = sizeof credentials, .scheme = "bearer", .token = key, .door = "rest" };

  for (guint i = 0; i < 2; i++)
    {
      Answer answer = { 0 };

      reeve_authentication_authenticate_async (fixture->authentication, &credentials,
                                               on_authenticated, &answer);
      while (!answer.done)
        g_main_context_iteration (NULL, TRUE);
      if (i == 0)
        {
          g_assert_no_error (answer.error);
          reeve_caller_unref (answer.caller);
          credentials.token = "rv_nobody_nothing";
          continue;
        }
      g_assert_null (answer.caller);
      g_assert_error (answer.error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED);
      g_clear_error (&answer.error);
    }
}

static gboolean
take_away (DirectoryFixture *fixture, ReeveCaller *caller, const char *key_id, GError **error)
{
  ReeveAdmissionRequest request = { .caller = caller, .operation = "keys.delete" };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_FAILED };
  ReeveAdmitted *admitted = reeve_admission_begin (fixture->admission, &request, NULL);
  gboolean ok = reeve_api_keys_revoke (fixture->api_keys, admitted, key_id, error);

  reeve_admission_settle_async (fixture->admission, admitted, &settlement, NULL, NULL);
  return ok;
}

/* A revoked key is refused at once, though it was let in a moment ago. */
static void
test_directory_revoke (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, NULL);
  g_autofree char *key_id = NULL;
  g_autofree char *other_id = NULL;
  g_autofree char *key
      = directory_fixture_make_user (fixture, admin, "mira", "operator", NULL, &key_id);
  g_autofree char *other
      = directory_fixture_make_user (fixture, admin, "noor", "viewer", NULL, &other_id);
  g_autoptr (ReeveCaller) mira = must_authenticate (fixture, key);
  g_autoptr (ReeveCaller) noor = must_authenticate (fixture, other);
  g_autoptr (JsonObject) record = NULL;
  g_autoptr (GError) error = NULL;
  ReeveAdmissionRequest request = { .operation = "tool.call" };

  /* neither another's key nor one that is not there */
  g_assert_false (take_away (fixture, noor, key_id, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_false (take_away (fixture, admin, "key_nosuch", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_clear_error (&error);
  /* the own one */
  g_assert_true (take_away (fixture, noor, other_id, &error));
  must_refuse (fixture, other);
  request.caller = mira;
  g_assert_true (reeve_authentication_check (&request, NULL, fixture->authentication, NULL));
  g_assert_true (take_away (fixture, admin, key_id, &error));
  must_refuse (fixture, key);
  /* and has no effect in what is under way */
  g_assert_false (reeve_authentication_check (&request, NULL, fixture->authentication, NULL));
  g_assert_true (take_away (fixture, admin, key_id, &error));
  record = reeve_api_keys_get (fixture->api_keys, admin, key_id, &error);
  g_assert_no_error (error);
  g_assert_false (json_object_get_boolean_member (record, "is_active"));
  g_assert_true (json_object_has_member (record, "revoked_at"));
  g_assert_false (json_object_has_member (record, "digest"));
}

static JsonObject *
make_key (DirectoryFixture *fixture, ReeveCaller *caller, const char *user_id, const char *rest,
          GError **error)
{
  g_autofree char *params
      = g_strdup_printf ("{\"user_id\":\"%s\",\"name\":\"n\",%s}", user_id, rest);

  return directory_fixture_effect (fixture, caller, "keys.create", reeve_api_keys_create,
                                   fixture->api_keys, params, error);
}

/* Who may make which key. */
static void
test_directory_escalation (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, NULL);
  g_autofree char *chief_id = NULL;
  g_autofree char *mira_id = NULL;
  g_autofree char *chief_key
      = directory_fixture_make_user (fixture, admin, "chief", "admin", &chief_id, NULL);
  g_autofree char *mira_key
      = directory_fixture_make_user (fixture, admin, "mira", "operator", &mira_id, NULL);
  g_autoptr (ReeveCaller) chief = must_authenticate (fixture, chief_key);
  g_autoptr (ReeveCaller) mira = must_authenticate (fixture, mira_key);
  g_autoptr (ReeveCaller) weak = NULL;
  g_autoptr (JsonObject) weak_key = NULL;
  const struct
  {
    ReeveCaller *caller;
    const char *user_id;
    const char *rest;
    int code;
  } cases[] = {
    { mira, chief_id, "\"roles\":[\"viewer\"]", REEVE_ERROR_PERMISSION_DENIED },
    { mira, mira_id, "\"roles\":[\"admin\"]", REEVE_ERROR_PERMISSION_DENIED },
    { chief, mira_id, "\"roles\":[\"admin\"]", REEVE_ERROR_PERMISSION_DENIED },
    { chief, reeve_caller_get_user_id (admin), "\"roles\":[\"admin\"]",
      REEVE_ERROR_PERMISSION_DENIED },
    { chief, "usr_nobody", "\"roles\":[\"viewer\"]", REEVE_ERROR_NOT_FOUND },
    { chief, mira_id, "\"roles\":[\"king\"]", REEVE_ERROR_INVALID_ARGUMENT },
    { chief, mira_id, "\"roles\":[],\"ip_allow\":[\"nowhere\"]", REEVE_ERROR_INVALID_ARGUMENT },
    { chief, mira_id, "\"roles\":[],\"expires_at\":\"2001-01-01T00:00:00.000Z\"",
      REEVE_ERROR_INVALID_ARGUMENT },
    { chief, mira_id, "\"roles\":[],\"expires_at\":\"soon\"", REEVE_ERROR_INVALID_ARGUMENT },
  };

  g_assert_false (reeve_caller_is_platform_admin (chief));
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (make_key (fixture, cases[i].caller, cases[i].user_id, cases[i].rest, &error));
      g_assert_error (error, REEVE_ERROR, cases[i].code);
    }
  /* a weak key of a strong user makes no strong key */
  weak_key = make_key (fixture, mira, mira_id, "\"roles\":[\"viewer\"]", NULL);
  weak = must_authenticate (fixture, json_object_get_string_member (weak_key, "key"));
  g_assert_false (reeve_caller_has_permission (weak, "agent:execute"));
  g_assert_null (make_key (fixture, weak, mira_id, "\"roles\":[\"operator\"]", NULL));
}

static void
test_directory_key_limits (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, NULL);
  g_autofree char *mira_id = NULL;
  g_autofree char *mira_key
      = directory_fixture_make_user (fixture, admin, "mira", "operator", &mira_id, NULL);
  gint64 soon = g_get_real_time () + 5 * G_USEC_PER_SEC; /* used before, on a busy machine too */
  g_autoptr (GDateTime) expiry = g_date_time_new_from_unix_utc (soon / G_USEC_PER_SEC);
  g_autofree char *seconds = g_date_time_format (expiry, "%Y-%m-%dT%H:%M:%S");
  g_autofree char *rest = g_strdup_printf ("\"roles\":[\"viewer\"],\"expires_at\":\"%s.%03dZ\"",
                                           seconds, (int) (soon % G_USEC_PER_SEC / 1000));
  g_autoptr (JsonObject) brief = make_key (fixture, admin, mira_id, rest, NULL);
  g_autoptr (JsonObject) far
      = make_key (fixture, admin, mira_id,
                  "\"roles\":[\"viewer\"],\"ip_allow\":[\"10.0.0.0/8\",\"::1\"]", NULL);
  g_autoptr (ReeveCaller) caller = NULL;
  ReeveCredentials credentials = { .struct_size = sizeof credentials,
                                   .scheme = "bearer",
                                   .token = json_object_get_string_member (far, "key"),
                                   .door = "rest" };
  static const struct
  {
    const char *address;
    gboolean allowed;
  } places[] = { { "10.1.2.3", TRUE }, { "11.1.2.3", FALSE }, { "::ffff:10.9.9.9", TRUE },
                 { "::1", TRUE },      { "::2", FALSE },      { "not an address", FALSE },
                 { NULL, FALSE } };

  caller = must_authenticate (fixture, json_object_get_string_member (brief, "key"));
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autoptr (ReeveCaller) from = NULL;

      credentials.peer_address = places[i].address;
      from = reeve_authentication_authenticate (fixture->authentication, &credentials, NULL);
      g_assert_true ((from != NULL) == places[i].allowed);
    }
  /* the time of a key runs out even where it is cached */
  g_usleep ((gulong) MAX (soon - g_get_real_time (), 0) + 5000);
  must_refuse (fixture, json_object_get_string_member (brief, "key"));
}

static guint
count_keys (DirectoryFixture *fixture, ReeveCaller *caller)
{
  g_autoptr (JsonObject) params = json_object_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) page = reeve_api_keys_list (fixture->api_keys, caller, params, &error);

  g_assert_no_error (error);
  return json_array_get_length (json_object_get_array_member (page, "items"));
}

static void
test_directory_list_keys (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, NULL);
  g_autoptr (JsonObject) tenant = make_tenant (fixture, admin, "acme", NULL);
  g_autoptr (ReeveCaller) there = directory_fixture_admin (fixture, "acme");
  g_autofree char *key_id = NULL;
  g_autofree char *mira_key
      = directory_fixture_make_user (fixture, admin, "mira", "operator", NULL, &key_id);
  g_autofree char *guest_key
      = directory_fixture_make_user (fixture, there, "guest", "admin", NULL, NULL);
  g_autoptr (ReeveCaller) mira = must_authenticate (fixture, mira_key);
  g_autoptr (ReeveCaller) guest = must_authenticate (fixture, guest_key);
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (count_keys (fixture, admin), ==, 2);
  g_assert_cmpuint (count_keys (fixture, mira), ==, 1);
  g_assert_cmpuint (count_keys (fixture, guest), ==, 1);
  g_assert_null (reeve_api_keys_get (fixture->api_keys, guest, key_id, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
}

static void
test_directory_tenant_header (DirectoryFixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveCaller) admin = directory_fixture_admin (fixture, NULL);
  g_autoptr (JsonObject) tenant = make_tenant (fixture, admin, "acme", NULL);
  g_autofree char *key = directory_fixture_make_user (fixture, admin, "chief", "admin", NULL, NULL);
  g_autoptr (ReeveCaller) chief = must_authenticate (fixture, key);
  g_autoptr (ReeveCaller) there = NULL;
  g_autoptr (ReeveCaller) same = NULL;
  static const char *const nowhere[] = { "nobody", "@platform", "", "../default" };

  there = reeve_authentication_enter_tenant (fixture->authentication, admin, "acme", NULL);
  g_assert_cmpstr (reeve_caller_get_tenant_id (there), ==, "acme");
  g_assert_cmpstr (reeve_caller_get_home_tenant_id (there), ==, "default");
  g_assert_true (reeve_caller_is_platform_admin (there));
  same = reeve_authentication_enter_tenant (fixture->authentication, chief, "default", NULL);
  g_assert_true (same == chief);
  for (guint i = 0; i < G_N_ELEMENTS (nowhere) + 1; i++)
    {
      gboolean other = i == G_N_ELEMENTS (nowhere);
      g_autoptr (GError) error = NULL;

      g_assert_null (reeve_authentication_enter_tenant (
          fixture->authentication, other ? chief : admin, other ? "acme" : nowhere[i], &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
    }
}

static void
test_directory_bootstrap (DirectoryFixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->ledger.state, "admin.key", NULL);
  g_autofree char *key = directory_fixture_admin_key (fixture);
  g_autofree char *again = NULL;
  g_autoptr (ReeveCaller) owner = NULL;
  g_autoptr (ReeveCaller) admin = NULL;
  g_autoptr (GError) error = NULL;
  guint64 records = 0;
  GStatBuf status;

  g_assert_cmpint (g_stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
  records = reeve_ledger_get_size (fixture->ledger.ledger, "default");
  directory_fixture_close (fixture);
  directory_fixture_open (fixture);
  g_assert_true (directory_fixture_bootstrap (fixture, &error));
  g_assert_no_error (error);
  again = directory_fixture_admin_key (fixture);
  g_assert_cmpstr (key, ==, again);
  /* a later start has no effect, and so records none */
  g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger.ledger, "default"), >=, records);
  admin = must_authenticate (fixture, key);
  owner = reeve_authentication_new_owner (fixture->authentication, "dbus");
  g_assert_cmpstr (reeve_caller_get_user_id (owner), ==, reeve_caller_get_user_id (admin));
  g_assert_true (reeve_caller_is_platform_admin (owner));
  /* a key that was taken away is not made anew behind its owner's back */
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_true (directory_fixture_bootstrap (fixture, &error));
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

/* The host ended between writing the key down and making its record. */
static void
test_directory_bootstrap_cut (DirectoryFixture *fixture, gconstpointer data)
{
  g_autofree char *path = NULL;
  g_autofree char *key = reeve_api_keys_make_plaintext ();
  g_autoptr (ReeveCaller) admin = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *kept = NULL;

  directory_fixture_tear_down (fixture, data);
  memset (fixture, 0, sizeof *fixture);
  ledger_fixture_set_up (&fixture->ledger, data);
  path = g_build_filename (fixture->ledger.state, "admin.key", NULL);
  g_assert_true (g_file_set_contents (path, key, -1, NULL));
  directory_fixture_open (fixture);
  g_assert_true (directory_fixture_bootstrap (fixture, &error));
  g_assert_no_error (error);
  kept = directory_fixture_admin_key (fixture);
  g_assert_cmpstr (kept, ==, key);
  admin = must_authenticate (fixture, key);
  g_assert_true (reeve_caller_is_platform_admin (admin));
}

static void
test_directory_bootstrap_nonsense (DirectoryFixture *fixture, gconstpointer data)
{
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;

  directory_fixture_tear_down (fixture, data);
  memset (fixture, 0, sizeof *fixture);
  ledger_fixture_set_up (&fixture->ledger, data);
  path = g_build_filename (fixture->ledger.state, "admin.key", NULL);
  g_assert_true (g_file_set_contents (path, "not a key", -1, NULL));
  directory_fixture_open (fixture);
  g_assert_false (directory_fixture_bootstrap (fixture, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
}

#define ADD(name, func)                                                                            \
  g_test_add ("/directory/" name, DirectoryFixture, NULL, directory_fixture_set_up, func,          \
              directory_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("tenants", test_directory_tenants);
  ADD ("settings", test_directory_settings);
  ADD ("users", test_directory_users);
  ADD ("authentication", test_directory_authentication);
  ADD ("every-request", test_directory_every_request);
  ADD ("asynchronous", test_directory_asynchronous);
  ADD ("revoke", test_directory_revoke);
  ADD ("escalation", test_directory_escalation);
  ADD ("key-limits", test_directory_key_limits);
  ADD ("list-keys", test_directory_list_keys);
  ADD ("tenant-header", test_directory_tenant_header);
  ADD ("bootstrap", test_directory_bootstrap);
  ADD ("bootstrap-cut", test_directory_bootstrap_cut);
  ADD ("bootstrap-nonsense", test_directory_bootstrap_nonsense);
  return g_test_run ();
}
