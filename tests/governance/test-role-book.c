/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The book of roles: composed, inherited, configured; who may make which; what a change does. */
#include <string.h>

#include "governance/role-turns.h"

#include "directory-fixture.h"

typedef struct
{
  DirectoryFixture directory;
  ReeveRoleBook *book;
  ReeveCaller *admin;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  directory_fixture_set_up (&fixture->directory, data);
  fixture->book = reeve_role_book_new (fixture->directory.store);
  reeve_users_set_role_book (fixture->directory.users, fixture->book);
  reeve_authentication_set_role_book (fixture->directory.authentication, fixture->book);
  fixture->admin = directory_fixture_admin (&fixture->directory, NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->admin, reeve_caller_unref);
  g_clear_object (&fixture->book);
  directory_fixture_tear_down (&fixture->directory, data);
}

static JsonObject *
create (Fixture *fixture, ReeveCaller *caller, const char *params, GError **error)
{
  return directory_fixture_effect (&fixture->directory, caller, "roles.create",
                                   reeve_role_book_create, fixture->book, params, error);
}

static void
must_create (Fixture *fixture, const char *params)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) role = create (fixture, fixture->admin, params, &error);

  g_assert_no_error (error);
  g_assert_nonnull (role);
}

static JsonObject *
update (Fixture *fixture, ReeveCaller *caller, const char *params, GError **error)
{
  return directory_fixture_effect (&fixture->directory, caller, "roles.update",
                                   reeve_role_book_update, fixture->book, params, error);
}

static gboolean
drop (Fixture *fixture, const char *role_id, GError **error)
{
  ReeveAdmissionRequest request
      = { .caller = fixture->admin, .operation = "roles.delete", .resource_id = role_id };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_FAILED };
  ReeveAdmitted *admitted = reeve_admission_begin (fixture->directory.admission, &request, NULL);
  gboolean ok = reeve_role_book_delete (fixture->book, admitted, role_id, error);

  reeve_admission_settle_async (fixture->directory.admission, admitted, &settlement, NULL, NULL);
  return ok;
}

static ReevePermissions
held_by (Fixture *fixture, const char *role_id)
{
  const char *const roles[] = { role_id, NULL };
  ReevePermissions held = 0;

  g_assert_true (reeve_role_book_union (fixture->book, "default", roles, &held, NULL, NULL));
  return held;
}

static void
assert_held (Fixture *fixture, const char *role_id, const char *wanted)
{
  g_auto (GStrv) list = g_strsplit (wanted, " ", -1);

  g_assert_true (held_by (fixture, role_id) == reeve_roles_match_all ((const char *const *) list));
}

static void
test_role_book_composed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (JsonArray) all = NULL;
  g_autoptr (JsonObject) shown = NULL;
  g_autoptr (GError) error = NULL;

  must_create (fixture, "{\"name\":\"base\",\"permissions\":[\"session:*\"]}");
  must_create (fixture, "{\"name\":\"middle\",\"inherits\":[\"custom:base\",\"auditor\"]}");
  must_create (fixture, "{\"name\":\"Top of all\",\"role_id\":\"custom:top\",\"permissions\":["
                        "\"agent:execute\"],\"inherits\":[\"custom:middle\",\"custom:base\"]}");
  assert_held (fixture, "custom:base", "session:*");
  assert_held (fixture, "custom:top",
               "session:* agent:execute agent:read audit:read budget:view document:read "
               "memory:read tool:read");
  assert_held (fixture, "custom:nobody", "");
  /* what is below changes what is above */
  shown = update (fixture, fixture->admin, "{\"role_id\":\"custom:base\",\"permissions\":[]}",
                  &error);
  g_assert_no_error (error);
  assert_held (fixture, "custom:base", "");
  assert_held (
      fixture, "custom:middle",
      "agent:read audit:read budget:view document:read memory:read session:read tool:read");
  all = reeve_role_book_list (fixture->book, "default", NULL);
  g_assert_cmpuint (json_array_get_length (all), ==, 14 + 3);
  g_clear_pointer (&shown, json_object_unref);
  shown = reeve_role_book_get (fixture->book, "default", "custom:top", NULL);
  g_assert_cmpstr (json_object_get_string_member (shown, "name"), ==, "Top of all");
  g_assert_cmpstr (json_object_get_string_member (shown, "level"), ==, "viewer");
  /* another tenant's is not there */
  g_assert_null (reeve_role_book_get (fixture->book, "other", "custom:top", NULL));
}

static void
test_role_book_refused (Fixture *fixture, gconstpointer data)
{
  static const struct
  {
    const char *params;
    int code;
    const char *text;
    const char *member;
  } cases[] = {
    { "{\"name\":\"a\"}", REEVE_ERROR_ALREADY_EXISTS, "custom:a", NULL },
    { "{\"name\":\"Two words\"}", REEVE_ERROR_INVALID_ARGUMENT, "is required", "/role_id" },
    { "{\"name\":\"b\",\"permissions\":[\"*\",\"agen:*\"]}", REEVE_ERROR_INVALID_ARGUMENT, "agen:*",
      "/permissions/1" },
    { "{\"name\":\"b\",\"inherits\":[\"viewer\",\"custom:none\"]}", REEVE_ERROR_INVALID_ARGUMENT,
      "custom:none", "/inherits/1" },
    { "{\"name\":\"b\",\"inherits\":[\"custom:b\"]}", REEVE_ERROR_INVALID_ARGUMENT, "itself",
      "/inherits/0" },
    { "{\"name\":\"b\",\"inherits\":[\"super_admin\"]}", REEVE_ERROR_INVALID_ARGUMENT,
      "super_admin", "/inherits/0" },
  };
  g_autofree char *key = directory_fixture_make_user (&fixture->directory, fixture->admin, "chief",
                                                      "org_admin", NULL, NULL);
  g_autoptr (ReeveCaller) chief = directory_fixture_authenticate (&fixture->directory, key, NULL);
  g_autoptr (JsonObject) made = NULL;
  g_autoptr (GError) error = NULL;

  must_create (fixture, "{\"name\":\"a\",\"permissions\":[\"agent:read\",\"system:config\"]}");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_assert_null (create (fixture, fixture->admin, cases[i].params, &error));
      g_assert_error (error, REEVE_ERROR, cases[i].code);
      g_assert_nonnull (strstr (error->message, cases[i].text));
      g_assert_cmpstr (reeve_error_get_member (error), ==, cases[i].member);
      g_clear_error (&error);
    }
  /* a circle of two */
  must_create (fixture, "{\"name\":\"c\",\"inherits\":[\"custom:a\"]}");
  g_assert_null (update (fixture, fixture->admin,
                         "{\"role_id\":\"custom:a\",\"inherits\":[\"custom:c\"]}", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  /* nobody makes or changes a role with what he has not */
  g_assert_null (create (fixture, chief, "{\"name\":\"d\",\"permissions\":[\"*\"]}", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
  g_assert_nonnull (strstr (error->message, "system:config"));
  g_clear_error (&error);
  g_assert_null (create (fixture, chief, "{\"name\":\"d\",\"inherits\":[\"custom:a\"]}", NULL));
  g_assert_null (update (fixture, chief, "{\"role_id\":\"custom:a\",\"permissions\":[]}", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
  g_clear_error (&error);
  made = create (fixture, chief, "{\"name\":\"d\",\"permissions\":[\"agent:*\"]}", &error);
  g_assert_no_error (error);
  /* what is shipped cannot be changed */
  g_assert_null (
      update (fixture, fixture->admin, "{\"role_id\":\"operator\",\"permissions\":[]}", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
  g_clear_error (&error);
  g_assert_false (drop (fixture, "developer", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
}

/* A role holds at once for those who have it, and what it held before ends at once. */
static void
test_role_book_in_force (Fixture *fixture, gconstpointer data)
{
  DirectoryFixture *directory = &fixture->directory;
  g_autofree char *user_id = NULL;
  g_autofree char *key = NULL;
  g_autoptr (ReeveCaller) before = NULL;
  g_autoptr (ReeveCaller) more = NULL;
  g_autoptr (ReeveCaller) after = NULL;
  g_autoptr (JsonObject) changed = NULL;
  g_autoptr (GError) error = NULL;
  ReeveAdmissionRequest request = { .operation = "tool.call" };

  must_create (fixture, "{\"name\":\"base\",\"permissions\":[\"agent:*\"]}");
  must_create (fixture, "{\"name\":\"heir\",\"inherits\":[\"custom:base\"]}");
  key = directory_fixture_make_user (directory, fixture->admin, "mira", "custom:heir", &user_id,
                                     NULL);
  before = directory_fixture_authenticate (directory, key, &error);
  g_assert_no_error (error);
  g_assert_true (reeve_caller_has_permission (before, "agent:delete"));
  g_assert_false (reeve_caller_has_permission (before, "tool:read"));
  /* more takes nothing back */
  changed = update (fixture, fixture->admin,
                    "{\"role_id\":\"custom:heir\",\"permissions\":[\"tool:read\"]}", &error);
  g_assert_no_error (error);
  request.caller = before;
  g_assert_true (reeve_authentication_check (&request, NULL, directory->authentication, NULL));
  more = directory_fixture_authenticate (directory, key, NULL);
  g_assert_true (reeve_caller_has_permission (more, "tool:read"));
  /* less, of what it inherits */
  g_clear_pointer (&changed, json_object_unref);
  changed = update (fixture, fixture->admin,
                    "{\"role_id\":\"custom:base\",\"permissions\":[\"agent:read\"]}", &error);
  g_assert_no_error (error);
  g_assert_false (reeve_authentication_check (&request, NULL, directory->authentication, NULL));
  request.caller = more;
  g_assert_false (reeve_authentication_check (&request, NULL, directory->authentication, NULL));
  after = directory_fixture_authenticate (directory, key, NULL);
  request.caller = after;
  g_assert_true (reeve_authentication_check (&request, NULL, directory->authentication, NULL));
  g_assert_false (reeve_caller_has_permission (after, "agent:delete"));
  /* in use, each in its way */
  g_assert_false (drop (fixture, "custom:base", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
  g_assert_nonnull (strstr (error->message, "role custom:heir"));
  g_clear_error (&error);
  g_assert_false (drop (fixture, "custom:heir", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
  g_assert_nonnull (strstr (error->message, user_id));
  g_assert_nonnull (strstr (error->message, "key key_"));
  must_create (fixture, "{\"name\":\"free\"}");
  g_assert_true (drop (fixture, "custom:free", NULL));
  g_assert_false (drop (fixture, "custom:free", NULL));
}

static void
test_role_book_configured (Fixture *fixture, gconstpointer data)
{
  static const struct
  {
    const char *roles;
    const char *default_role;
    const char *faulty;
  } cases[] = {
    { "[{\"name\":\"a\",\"permissions\":[\"agent:fly\"]}]", "viewer", "rbac.custom_roles.0" },
    { "[{\"name\":\"a\",\"permissions\":[]},{\"name\":\"a\",\"permissions\":[]}]", "viewer",
      "rbac.custom_roles.1" },
    { "[{\"name\":\"a\",\"permissions\":[],\"inherits\":[\"custom:b\"]},{\"name\":\"b\","
      "\"permissions\":[],\"inherits\":[\"custom:a\"]}]",
      "viewer", "rbac.custom_roles.0" },
    { "[]", "nobody", "rbac.default_role" },
    { "[]", "super_admin", "rbac.default_role" },
    { "[{\"name\":\"b\",\"permissions\":[\"*\"],\"inherits\":[\"custom:a\"]},{\"name\":\"a\","
      "\"permissions\":[\"agent:*\"]}]",
      "custom:a", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strdup_printf ("{\"roles\":%s}", cases[i].roles);
      g_autoptr (JsonObject) object = directory_fixture_parse (text);
      g_autoptr (ReeveRoleBook) book = reeve_role_book_new (fixture->directory.store);
      g_autofree char *faulty = NULL;
      g_autoptr (GError) error = NULL;
      gboolean good = reeve_role_book_configure (book, TRUE, cases[i].default_role,
                                                 json_object_get_array_member (object, "roles"),
                                                 &faulty, &error);

      g_assert_cmpstr (faulty, ==, cases[i].faulty);
      if (cases[i].faulty != NULL)
        {
          g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
          continue;
        }
      g_assert_true (good);
      g_assert_cmpstr (reeve_role_book_get_default (book), ==, "custom:a");
      g_assert_true (reeve_role_book_is_fixed (book, "custom:b"));
      g_assert_false (reeve_role_book_is_fixed (book, "custom:c"));
      reeve_users_set_role_book (fixture->directory.users, book);
      g_set_object (&fixture->book, book);
      assert_held (fixture, "custom:b", "*");
      g_assert_null (
          create (fixture, fixture->admin, "{\"name\":\"a\",\"permissions\":[]}", &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS);
      g_clear_error (&error);
      g_assert_null (
          update (fixture, fixture->admin, "{\"role_id\":\"custom:a\",\"name\":\"n\"}", &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
      must_create (fixture, "{\"name\":\"own\",\"inherits\":[\"custom:a\"]}");
      assert_held (fixture, "custom:own", "agent:*");
    }
}

/* What came between looking and committing makes the commit fail. */
static void
test_role_book_turns (Fixture *fixture, gconstpointer data)
{
  static const char *const roles[] = { "custom:held", "viewer", "custom:held", NULL };
  static const char *const absent[] = { "custom:none", NULL };
  ReeveStore *store = fixture->directory.store;
  const char *tenant_id = reeve_caller_get_tenant_id (fixture->admin);
  g_autoptr (ReeveBatch) giving = reeve_batch_new (tenant_id);
  g_autoptr (ReeveBatch) late = reeve_batch_new (tenant_id);
  g_autoptr (ReeveBatch) next = reeve_batch_new (tenant_id);
  g_autoptr (ReeveBatchResult) given = NULL;
  g_autoptr (ReeveBatchResult) refused = NULL;
  g_autoptr (ReeveBatchResult) done = NULL;
  g_autoptr (GError) error = NULL;
  gint64 turn = 0;

  must_create (fixture, "{\"name\":\"held\",\"permissions\":[\"agent:read\"]}");
  g_assert_true (reeve_role_turns_begin (store, tenant_id, "roles.given", &turn, &error));
  g_assert_true (reeve_role_book_hold (fixture->book, tenant_id, roles, giving, &error));
  given = reeve_store_commit (store, giving, &error);
  reeve_role_turns_judge (&error);
  g_assert_no_error (error);
  reeve_role_turns_claim (late, "roles.given", turn);
  refused = reeve_store_commit (store, late, &error);
  reeve_role_turns_judge (&error);
  g_assert_null (refused);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
  g_clear_error (&error);
  g_assert_false (reeve_role_book_hold (fixture->book, tenant_id, absent, next, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_true (reeve_role_turns_begin (store, tenant_id, "roles.given", &turn, &error));
  reeve_role_turns_claim (next, "roles.given", turn);
  done = reeve_store_commit (store, next, &error);
  reeve_role_turns_judge (&error);
  g_assert_no_error (error);
  g_assert_nonnull (done);
  g_assert_true (drop (fixture, "custom:held", &error));
  g_assert_no_error (error);
}

#define ADD(name, func) g_test_add ("/role-book/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("composed", test_role_book_composed);
  ADD ("refused", test_role_book_refused);
  ADD ("in-force", test_role_book_in_force);
  ADD ("configured", test_role_book_configured);
  ADD ("turns", test_role_book_turns);
  return g_test_run ();
}
