/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kill -9 at each step of an erasure, in the folder of keys and in the store: at the next start
 * what was kept is either all there, and nobody was told otherwise, or erased for good; it is never
 * damaged, and what comes later can be kept.
 *
 * what                                        | CI      | long
 * --------------------------------------------|---------|--------
 * killed before, or in, the n-th call         | every n | every n */
#include "governance/kept-values.h"

#include "fault-child.h"

#include "../helpers/test-house.h"
#include "../helpers/test-tree.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TENANT TEST_HOUSE_TENANT
#define USER   "usr_1"
/* more calls than an erasure makes */
#define MOST 400

typedef struct
{
  TestHouse base;
  ReeveSubjectKeys *keys;
  ReeveKeptValues *values;
} House;

static void
house_open (House *house, const char *state)
{
  test_house_open (&house->base, state, 0);
  house->keys = reeve_subject_keys_new (house->base.store, house->base.keys);
  house->values = reeve_kept_values_new (house->base.store, house->keys, TRUE, FALSE);
}

static void
house_close (House *house)
{
  g_object_unref (house->values);
  g_object_unref (house->keys);
  test_house_close (&house->base);
}

/* ---- the child ---- */

static ReeveAdmitted *
admit (ReeveAdmission *admission, ReeveCaller *caller)
{
  const ReeveAdmissionRequest request = { .caller = caller,
                                          .operation = REEVE_SUBJECT_KEYS_OPERATION,
                                          .resource_type = "user",
                                          .resource_id = USER };
  g_autoptr (GError) error = NULL;
  ReeveAdmitted *admitted = reeve_admission_begin (admission, &request, &error);

  g_assert_no_error (error);
  return admitted;
}

static void
erase (House *house)
{
  const char *const roles[] = { "admin", NULL };
  g_autoptr (ReeveIdentity) identity = reeve_identity_new (TENANT, "usr_admin", roles, "api_key");
  g_autoptr (ReeveCaller) caller
      = reeve_caller_new (identity, TENANT, FALSE, reeve_roles_union (roles), "rest", NULL);
  g_autoptr (ReeveAdmission) admission = reeve_admission_new (house->base.ledger);
  const ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED };
  ReeveAdmitted *admitted = admit (admission, caller);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) erased
      = reeve_kept_values_erase (house->values, admitted, TENANT, USER, &error);

  g_assert_no_error (error);
  reeve_admission_settle_async (admission, admitted, &settlement, NULL, NULL);
  reeve_ledger_wait (house->base.ledger);
}

static int
run_child (const char *state)
{
  House house = { 0 };

  house_open (&house, state);
  erase (&house);
  if (write (STDOUT_FILENO, "erased\n", 7) != 7)
    return 1;
  house_close (&house);
  return 0;
}

/* ---- the parent ---- */

static char *
put (House *house, const char *text)
{
  g_autoptr (GError) error = NULL;
  char *digest = reeve_kept_values_put (house->values, TENANT, USER, text, &error);

  g_assert_no_error (error);
  return digest;
}

static ReeveKeptState
state_of (House *house, const char *digest)
{
  ReeveKeptState state = REEVE_KEPT_MISSING;
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_kept_values_open (house->values, TENANT, digest, &state, &text, &error));
  g_assert_no_error (error);
  return state;
}

/* Nothing of a half lies behind its tombstone. */
static void
check_folder (const char *state)
{
  g_autofree char *folder = g_build_filename (state, "keys", "subjects", TENANT, NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);

  for (const char *name = g_dir_read_name (dir); name != NULL; name = g_dir_read_name (dir))
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if (!g_str_has_suffix (name, ".erased"))
        continue;
      path[strlen (path) - strlen (".erased")] = '\0';
      g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
    }
}

static void
check_whole (House *house)
{
  guint keys = 0;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) faults = reeve_kept_values_check (house->values, &keys, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (faults->len, ==, 0);
}

/* After the kill: a start, then what a host would do. */
static gboolean
check (const char *state, const char *before, gboolean told)
{
  House house = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *after = NULL;
  ReeveKeptState found = REEVE_KEPT_MISSING;

  house_open (&house, state);
  g_assert_true (reeve_subject_keys_recover (house.keys, &error));
  g_assert_no_error (error);
  check_folder (state);
  check_whole (&house);
  found = state_of (&house, before);
  g_assert_cmpint (found, !=, REEVE_KEPT_MISSING);
  if (told)
    g_assert_cmpint (found, ==, REEVE_KEPT_ERASED);
  after = put (&house, "after");
  g_assert_cmpint (state_of (&house, before), ==, found);
  g_assert_cmpint (state_of (&house, after), ==, REEVE_KEPT_READABLE);
  erase (&house);
  g_assert_cmpint (state_of (&house, before), ==, REEVE_KEPT_ERASED);
  g_assert_cmpint (state_of (&house, after), ==, REEVE_KEPT_ERASED);
  check_whole (&house);
  house_close (&house);
  return found == REEVE_KEPT_ERASED;
}

static char *
prepare (const char *state)
{
  House house = { 0 };
  char *digest = NULL;

  house_open (&house, state);
  digest = put (&house, "before");
  house_close (&house);
  return digest;
}

/* Returns how many calls there were; *erased: how many kills were behind the point of no return. */
static guint
kill_each (FaultKind kind, const char *path, guint *erased)
{
  for (guint n = 1; n < MOST; n++)
    {
      g_autofree char *state = test_tree_make_quick ();
      g_autofree char *before = prepare (state);
      g_autoptr (FaultChild) child = fault_child_new (state);
      const char *arguments[] = { "--child", state, NULL };
      g_autofree char *errors = NULL;
      g_autofree char *text = NULL;
      int status = 0;

      fault_child_arm (child, kind, FAULT_ALL, path, n, n);
      text = fault_child_run (child, arguments, &status, &errors);
      *erased += check (state, before, strstr (text, "erased") != NULL) ? 1 : 0;
      test_tree_remove (state);
      if (WIFSIGNALED (status))
        {
          g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
          continue;
        }
      g_assert_cmpint (WEXITSTATUS (status), ==, 0);
      return n;
    }
  g_assert_not_reached ();
}

static void
test_erasure_kill (gconstpointer data)
{
  static const FaultKind kinds[] = { FAULT_KILL, FAULT_KILL_HALF };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      guint erased = 0;
      guint calls = kill_each (kinds[i], data, &erased);

      g_test_message ("%s: %u calls, %u times it was erased", (const char *) data, calls, erased);
      /* before and behind the point of no return */
      g_assert_cmpuint (calls, >, 3);
      g_assert_cmpuint (erased, >, 1);
    }
}

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "--child") == 0)
    return run_child (argv[2]);
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/erasure-kill/folder", "/subjects/", test_erasure_kill);
  g_test_add_data_func ("/erasure-kill/store", "/tenants/" TENANT, test_erasure_kill);
  return g_test_run ();
}
