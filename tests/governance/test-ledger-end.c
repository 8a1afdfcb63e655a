/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A log goes as a whole: what is on record of it, in every state in which a host may end. */
#include <glib/gstdio.h>
#include <string.h>

#include "governance/admission.h"
#include "governance/bootstrap.h"
#include "governance/ledger-end.h"
#include "governance/ledger-private.h"
#include "governance/ledger-verify.h"
#include "ledger-fixture.h"
#include "../helpers/test-tree.h"

#define RECORDS 300

static void
append (LedgerFixture *fixture, guint count)
{
  const ReeveLedgerRecord record = { .kind = REEVE_LEDGER_READ,
                                     .scope = "acme",
                                     .action = "agents.get",
                                     .actor_type = "user",
                                     .actor_id = "usr_one",
                                     .door = "rest" };

  for (guint i = 1; i < count; i++)
    reeve_ledger_append_async (fixture->ledger, &record, NULL, NULL);
  (void) ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "agents.get", 0);
}

static gboolean
end_log (LedgerFixture *fixture, guint64 last, GError **error)
{
  const ReeveLedgerRetirement plan = { .first = 1, .last = last };
  g_autofree char *name = reeve_ledger_name_retirement ("acme", &plan);
  g_autoptr (ReeveAdmission) admission = reeve_admission_new (fixture->ledger);
  g_autoptr (ReeveCaller) caller = reeve_bootstrap_make_caller ();
  const ReeveAdmissionRequest request = { .caller = caller,
                                          .operation = REEVE_LEDGER_RETIRE_OPERATION,
                                          .resource_type = "ledger",
                                          .resource_id = name };
  const ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED };
  g_autoptr (GError) refused = NULL;
  ReeveAdmitted *admitted = reeve_admission_begin (admission, &request, &refused);
  gboolean ok = FALSE;

  g_assert_no_error (refused);
  ok = reeve_ledger_end (fixture->ledger, admitted, "acme", &plan, error);
  reeve_admission_settle_async (admission, admitted, &settlement, NULL, NULL);
  reeve_ledger_wait (fixture->ledger);
  return ok;
}

static char *
path_of (LedgerFixture *fixture, const char *name)
{
  return g_build_filename (fixture->folder, name, NULL);
}

static void
assert_there (LedgerFixture *fixture, const char *name, gboolean there)
{
  g_autofree char *path = path_of (fixture, name);

  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS) == there);
}

/* What the verifier that shares no code with this one says. */
static gboolean
ask_other (LedgerFixture *fixture, const char *since)
{
  const char *argv[]
      = { "python3", VERIFIER, fixture->state, since != NULL ? "--since" : NULL, since, NULL };
  g_autofree char *out = NULL;
  g_autoptr (GError) error = NULL;
  gint status = 0;

  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, &status,
                &error);
  g_assert_no_error (error);
  return g_spawn_check_wait_status (status, NULL);
}

/* Both verifiers, on all of the ledger; note: (nullable): a checkpoint that was kept */
static gboolean
is_valid (LedgerFixture *fixture, const char *note)
{
  g_autoptr (GPtrArray) since = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autofree char *path = g_build_filename (fixture->state, "kept", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) found = NULL;
  gboolean valid = FALSE;

  if (note != NULL)
    {
      g_ptr_array_add (since, g_bytes_new (note, strlen (note)));
      g_assert_true (g_file_set_contents (path, note, -1, NULL));
    }
  found = reeve_ledger_verify_folder_since (fixture->folder, fixture->keys, since, &error);
  g_assert_no_error (error);
  valid = json_object_get_boolean_member (found, "valid");
  g_assert_true (ask_other (fixture, note != NULL ? path : NULL) == valid);
  return valid;
}

static char *
read_checkpoint (LedgerFixture *fixture)
{
  g_autofree char *path = g_build_filename (fixture->folder, "acme", "checkpoint", NULL);
  char *text = NULL;

  g_assert_true (
      reeve_ledger_log_sign (reeve_ledger_need_log (fixture->ledger, "acme", NULL), NULL));
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return text;
}

static char *
forge (LedgerFixture *fixture, guint64 size)
{
  const ReeveCheckpoint checkpoint = { .size = size, .root = { 1, 2, 3 } };
  g_autoptr (GError) error = NULL;
  char *note = reeve_checkpoint_format (&checkpoint, "acme", fixture->ledger->key, &error);

  g_assert_no_error (error);
  return note;
}

/* (transfer full) of the platform's log, newest first */
static GPtrArray *
list_ends (LedgerFixture *fixture)
{
  const ReeveLedgerFilter filter = { .action = REEVE_LEDGER_ACTION_ENDED, .limit = 10 };
  g_autoptr (GError) error = NULL;
  guint64 next = 0;
  GPtrArray *ends
      = reeve_ledger_list (fixture->ledger, REEVE_SCOPE_PLATFORM, &filter, &next, &error);

  g_assert_no_error (error);
  return ends;
}

static void
assert_ended (LedgerFixture *fixture, const char *root)
{
  g_autoptr (GPtrArray) ends = list_ends (fixture);
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) scopes = reeve_ledger_list_scopes (fixture->ledger, NULL);
  JsonObject *end = NULL;

  g_assert_cmpuint (ends->len, ==, 1);
  end = ends->pdata[0];
  g_assert_cmpstr (reeve_json_get_string (reeve_json_get_object (end, "resource"), "id", ""), ==,
                   "acme");
  g_assert_cmpstr (reeve_json_get_string (end, "reason", ""), ==, "records_1_to_300");
  g_assert_cmpstr (reeve_json_get_string (end, "output_digest", ""), ==, root);
  g_assert_false (g_strv_contains ((const char *const *) scopes, "acme"));
  g_assert_null (reeve_ledger_need_log (fixture->ledger, "acme", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  assert_there (fixture, "acme", FALSE);
  assert_there (fixture, "acme.ended.lock", FALSE);
  assert_there (fixture, "../checkpoints/acme", FALSE);
}

static char *
get_root (LedgerFixture *fixture)
{
  g_autoptr (JsonObject) shown = reeve_ledger_show_checkpoint (fixture->ledger, "acme", NULL);

  return g_strdup (reeve_json_get_string (shown, "root", ""));
}

static void
test_end (LedgerFixture *fixture, gconstpointer data)
{
  const ReeveLedgerRecord late
      = { .kind = REEVE_LEDGER_EVENT, .scope = "acme", .action = "x", .door = "internal" };
  g_autoptr (GError) error = NULL;
  g_autofree char *early = NULL;
  g_autofree char *whole = NULL;
  g_autofree char *root = NULL;
  g_autofree char *other = NULL;
  g_autofree char *longer = NULL;

  append (fixture, 100);
  early = read_checkpoint (fixture);
  append (fixture, RECORDS - 100);
  whole = read_checkpoint (fixture);
  root = get_root (fixture);
  other = forge (fixture, RECORDS);
  longer = forge (fixture, RECORDS + 1);
  g_assert_true (is_valid (fixture, early));
  g_assert_true (end_log (fixture, RECORDS, &error));
  g_assert_no_error (error);
  for (guint i = 0; i < 2; i++)
    {
      assert_ended (fixture, root);
      g_assert_true (is_valid (fixture, NULL));
      g_assert_true (is_valid (fixture, early));
      g_assert_true (is_valid (fixture, whole));
      g_assert_false (is_valid (fixture, other));
      g_assert_false (is_valid (fixture, longer));
      if (i == 0)
        {
          /* nothing begins it again */
          g_assert_cmpuint (reeve_ledger_append (fixture->ledger, &late, &error), ==, 0);
          g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
          g_clear_error (&error);
          ledger_fixture_close (fixture);
          ledger_fixture_open (fixture);
        }
    }
}

/* What may not go, and goes on as if nothing had been asked. */
static void
test_end_refused (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *path
      = g_build_filename (fixture->folder, "acme", "00000000000000000001.log", NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gsize length = 0;
  guint64 intent = 0;

  append (fixture, 20);
  g_assert_false (end_log (fixture, 19, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
  g_clear_error (&error);
  intent = ledger_fixture_append (fixture, "acme", REEVE_LEDGER_INTENT, "agents.create", 0);
  g_assert_false (end_log (fixture, intent, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
  g_clear_error (&error);
  intent = ledger_fixture_append (fixture, "acme", REEVE_LEDGER_OUTCOME, "agents.create", intent);
  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  text[40] ^= 1;
  g_assert_true (g_file_set_contents (path, text, (gssize) length, NULL));
  g_assert_false (end_log (fixture, intent, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  text[40] ^= 1;
  g_assert_true (g_file_set_contents (path, text, (gssize) length, NULL));
  assert_there (fixture, "acme/" REEVE_LEDGER_END_MARK, FALSE);
  ledger_fixture_close (fixture);
  ledger_fixture_open (fixture);
  append (fixture, 5);
  g_assert_true (is_valid (fixture, NULL));
}

/* ---- a host that ends in between ---- */

static void
mark (LedgerFixture *fixture, const char *text)
{
  g_autofree char *path = path_of (fixture, "acme/" REEVE_LEDGER_END_MARK);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
record_end (LedgerFixture *fixture, const char *scope, const char *root)
{
  const ReeveLedgerRecord record = { .kind = REEVE_LEDGER_EVENT,
                                     .scope = REEVE_SCOPE_PLATFORM,
                                     .action = REEVE_LEDGER_ACTION_ENDED,
                                     .resource_type = "ledger",
                                     .resource_id = scope,
                                     .reason = "records_1_to_300",
                                     .output_digest = root,
                                     .door = "internal" };
  g_autoptr (GError) error = NULL;

  (void) reeve_ledger_append (fixture->ledger, &record, &error);
  g_assert_no_error (error);
}

static void
start_again (LedgerFixture *fixture)
{
  ledger_fixture_close (fixture);
  g_assert_true (is_valid (fixture, NULL));
  ledger_fixture_open (fixture);
  g_assert_true (is_valid (fixture, NULL));
}

/* Marked, and no more: nothing has happened. What is on record of others changes nothing. */
static void
test_end_marked (LedgerFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *root = NULL;
  const char *const marks[] = { "1\n", "", "x", "99999999999999999999999\n" };

  append (fixture, RECORDS);
  root = get_root (fixture);
  record_end (fixture, "other", root);
  for (guint i = 0; i < G_N_ELEMENTS (marks); i++)
    {
      mark (fixture, marks[i]);
      start_again (fixture);
      assert_there (fixture, "acme/" REEVE_LEDGER_END_MARK, FALSE);
    }
  g_assert_cmpuint (reeve_ledger_get_size (fixture->ledger, "acme"), ==, RECORDS);
  /* an attempt that this host gave up */
  mark (fixture, "2\n");
  g_assert_true (end_log (fixture, RECORDS, &error));
  g_assert_no_error (error);
  assert_there (fixture, "acme", FALSE);
}

/* On record: the next start goes on, whatever it finds of the mark. */
static void
test_end_recorded (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *root = NULL;
  g_autofree char *size = NULL;

  append (fixture, RECORDS);
  root = get_root (fixture);
  size = g_strdup_printf ("%" G_GUINT64_FORMAT "\n",
                          reeve_ledger_get_size (fixture->ledger, REEVE_SCOPE_PLATFORM));
  mark (fixture, data != NULL ? data : size);
  record_end (fixture, "acme", root);
  start_again (fixture);
  assert_ended (fixture, root);
}

/* Under its other name, whole or in part. */
static void
test_end_going (LedgerFixture *fixture, gconstpointer data)
{
  g_autofree char *folder = path_of (fixture, "acme");
  g_autofree char *going = path_of (fixture, "acme.ended.lock");
  g_autofree char *tile = path_of (fixture, "acme.ended.lock/tile/0/000");
  g_autofree char *root = NULL;

  append (fixture, RECORDS);
  root = get_root (fixture);
  mark (fixture, "0\n");
  record_end (fixture, "acme", root);
  ledger_fixture_close (fixture);
  g_assert_cmpint (g_rename (folder, going), ==, 0);
  if (data != NULL)
    g_assert_cmpint (g_unlink (tile), ==, 0);
  ledger_fixture_open (fixture);
  start_again (fixture);
  assert_ended (fixture, root);
}

#define ADD(name, data, func)                                                                      \
  g_test_add ("/ledger-end/" name, LedgerFixture, data, ledger_fixture_set_up, func,               \
              ledger_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("whole", NULL, test_end);
  ADD ("refused", NULL, test_end_refused);
  ADD ("marked", NULL, test_end_marked);
  ADD ("recorded", NULL, test_end_recorded);
  ADD ("recorded/mark-damaged", "", test_end_recorded);
  ADD ("going", NULL, test_end_going);
  ADD ("going/in-part", "", test_end_going);
  return g_test_run ();
}
