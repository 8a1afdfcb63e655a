/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checks of kind storage: the promises that the host relies on most. The whole contract is held
 * by the conformance suite of the host's own tests. */
#include "check-storage.h"

#include <glib/gstdio.h>
#include <string.h>

static const ReeveField check_storage_fields[] = { { "name", REEVE_FIELD_TEXT }, { NULL, 0 } };
static const ReeveStep check_storage_steps[]
    = { { REEVE_STEP_COLLECTION, "things", check_storage_fields }, { 0, NULL, NULL } };
static const ReeveMigration check_storage_migrations[]
    = { { 1, "things", check_storage_steps }, { 0, NULL, NULL } };

static JsonObject *
check_storage_thing (const char *name)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "name", name);
  return object;
}

/* Puts a record; the error's code, or -1 when it was stored. */
static int
check_storage_put (ReeveStorage *storage, const char *scope, const char *id, gint64 expected)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new (scope);
  g_autoptr (JsonObject) thing = check_storage_thing (id);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (GError) error = NULL;

  reeve_batch_put (batch, "things", id, thing, expected);
  result = reeve_storage_commit (storage, batch, &error);
  return result != NULL ? -1 : error->code;
}

static void
check_storage_scopes (CheckReport *report, ReeveStorage *storage)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveRecord) record = NULL;

  check_report_begin (report, "storage: scopes are apart");
  check_report_expect (report, reeve_storage_create_scope (storage, "acme", &error),
                       "making one: %s", error != NULL ? error->message : "");
  g_clear_error (&error);
  check_report_expect (report,
                       !reeve_storage_create_scope (storage, "acme", &error)
                           && g_error_matches (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS),
                       "making it again is not REEVE_ERROR_ALREADY_EXISTS");
  g_clear_error (&error);
  check_report_expect (report, reeve_storage_create_scope (storage, "globex", NULL), "making two");
  check_report_expect (report,
                       check_storage_put (storage, "acme", "a", REEVE_REVISION_ABSENT) == -1,
                       "a record could not be stored");
  record = reeve_storage_get (storage, "globex", "things", "a", &error);
  check_report_expect (
      report, record == NULL && g_error_matches (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND),
      "a record of one scope is seen in another");
  g_clear_error (&error);
  check_report_expect (report,
                       check_storage_put (storage, "nobody", "a", REEVE_REVISION_ANY)
                           == REEVE_ERROR_NOT_FOUND,
                       "a batch for an unknown scope is not REEVE_ERROR_NOT_FOUND");
  check_report_end (report);
}

static void
check_storage_revisions (CheckReport *report, ReeveStorage *storage)
{
  check_report_begin (report, "storage: preconditions hold");
  check_report_expect (report, check_storage_put (storage, "acme", "r", 1) == REEVE_ERROR_NOT_FOUND,
                       "a revision of nothing");
  check_report_expect (report,
                       check_storage_put (storage, "acme", "r", REEVE_REVISION_ABSENT) == -1,
                       "a new record");
  check_report_expect (report,
                       check_storage_put (storage, "acme", "r", REEVE_REVISION_ABSENT)
                           == REEVE_ERROR_ALREADY_EXISTS,
                       "the same record as new");
  check_report_expect (report, check_storage_put (storage, "acme", "r", 1) == -1, "revision 1");
  check_report_expect (report, check_storage_put (storage, "acme", "r", 1) == REEVE_ERROR_CONFLICT,
                       "revision 1 again");
  check_report_end (report);
}

static void
check_storage_atomic (CheckReport *report, ReeveStorage *storage)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new ("acme");
  g_autoptr (JsonObject) thing = check_storage_thing ("half");
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (ReeveRecord) record = NULL;
  g_autoptr (GError) error = NULL;
  gint64 value = -1;

  check_report_begin (report, "storage: a batch happens as a whole or not at all");
  reeve_batch_put (batch, "things", "half", thing, REEVE_REVISION_ANY);
  reeve_batch_count (batch, "budget", 5, 0, 100);
  reeve_batch_count (batch, "budget", 500, 0, 100);
  result = reeve_storage_commit (storage, batch, &error);
  check_report_expect (report, g_error_matches (error, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE),
                       "a counter beyond its bounds is not REEVE_ERROR_OUT_OF_RANGE");
  record = reeve_storage_get (storage, "acme", "things", "half", NULL);
  check_report_expect (report, record == NULL, "the record of a refused batch is there");
  check_report_expect (
      report, reeve_storage_get_counter (storage, "acme", "budget", &value, NULL) && value == 0,
      "the counter of a refused batch moved");
  check_report_end (report);
}

static gpointer
check_storage_thread (gpointer data)
{
  ReeveStorage *storage = data;

  for (guint i = 0; i < 50; i++)
    {
      g_autoptr (ReeveBatch) batch = reeve_batch_new ("acme");
      g_autoptr (ReeveBatchResult) result = NULL;

      reeve_batch_count (batch, "shared", 1, 0, G_MAXINT64);
      result = reeve_storage_commit (storage, batch, NULL);
    }
  return NULL;
}

static void
check_storage_remove (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name = NULL;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *inner = g_build_filename (path, name, NULL);

      if (g_file_test (inner, G_FILE_TEST_IS_DIR) && !g_file_test (inner, G_FILE_TEST_IS_SYMLINK))
        check_storage_remove (inner);
      else
        g_unlink (inner);
    }
  g_rmdir (path);
}

void
check_storage_run (CheckRun *run, ReevePlugin *plugin)
{
  CheckReport *report = check_run_get_report (run);
  ReeveStorage *storage = REEVE_STORAGE (plugin);
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_dir_make_tmp ("reeve-plugin-check-XXXXXX", &error);
  gboolean open = FALSE;
  gint64 value = 0;

  check_report_begin (report, "storage: opens an empty folder");
  open = path != NULL
         && reeve_storage_open (storage, path, check_storage_migrations, check_storage_migrations,
                                &error);
  check_report_expect (report, open, "%s", error != NULL ? error->message : "");
  check_report_end (report);
  if (!open)
    return;
  check_storage_scopes (report, storage);
  check_storage_revisions (report, storage);
  check_storage_atomic (report, storage);
  check_report_begin (report, "storage: four threads at once lose nothing");
  check_run_parallel (check_storage_thread, storage);
  check_report_expect (
      report, reeve_storage_get_counter (storage, "acme", "shared", &value, NULL) && value == 200,
      "200 counts became %" G_GINT64_FORMAT, value);
  check_report_end (report);
  reeve_storage_close (storage);
  check_storage_remove (path);
}
