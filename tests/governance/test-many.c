/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Thousands of tenants on one host, each with a store and a log of its own: file descriptors cost
 * what the caches allow, memory a few kilobytes for each log, whichever way one goes through them;
 * after a new start too.
 *
 * what                                          | CI              | long
 * ----------------------------------------------|-----------------|-------------
 * tenants                                       | 5,000           | 20,000
 * … used again after a new start                | 1,000           | 4,000 */
#include "governance/ledger.h"

#include "sqlite-storage.h"

#include "../helpers/test-fds.h"
#include "../helpers/test-size.h"
#include "../helpers/test-tree.h"

#include <sys/resource.h>

/* by settings for stores, by REEVE_LEDGER_WRITER_FILES for logs; a store has two files and a lock,
 * with up to four more while it is read and written at once */
#define STORES         64
#define LOGS           256
#define OTHER_FDS      60
#define BYTES_A_TENANT (16 * 1024)

static const ReeveStep steps[] = {
  { REEVE_STEP_COLLECTION, "things",
    (const ReeveField[]){ { "name", REEVE_FIELD_TEXT }, { NULL, REEVE_FIELD_TEXT } } },
  { REEVE_STEP_TEXT, NULL, NULL },
};
static const ReeveMigration migrations[] = { { 1, "things", steps }, { 0, NULL, NULL } };

typedef struct
{
  char *state;
  ReeveStorage *storage;
  ReeveLedger *ledger;
  guint tenants;
} Many;

static void
many_open (Many *many)
{
  g_autofree char *store = g_build_filename (many->state, "store", NULL);
  g_autofree char *ledger = g_build_filename (many->state, "ledger", NULL);
  g_autofree char *keys = g_build_filename (many->state, "keys", NULL);
  g_autoptr (JsonNode) settings = json_from_string ("{\"max_open_stores\":64}", NULL);
  g_autoptr (ReeveContext) context = reeve_context_new (
      &(ReeveContextInfo){ .struct_size = sizeof (ReeveContextInfo) }, NULL, NULL);
  g_autoptr (GError) error = NULL;

  many->storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  reeve_plugin_setup (REEVE_PLUGIN (many->storage), json_node_get_object (settings), context,
                      &error);
  g_assert_no_error (error);
  reeve_storage_open (many->storage, store, migrations, migrations, &error);
  g_assert_no_error (error);
  many->ledger = reeve_ledger_new (ledger, keys);
  reeve_ledger_open (many->ledger, &error);
  g_assert_no_error (error);
}

static void
many_close (Many *many)
{
  reeve_ledger_close (many->ledger);
  g_clear_object (&many->ledger);
  reeve_storage_close (many->storage);
  g_clear_object (&many->storage);
}

/* bytes that this process has in memory */
static gint64
get_memory (void)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) fields = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  fields = g_strsplit (text, " ", 3);
  return g_ascii_strtoll (fields[1], NULL, 10) * sysconf (_SC_PAGESIZE);
}

static char *
tenant_name (guint i)
{
  return g_strdup_printf ("tenant-%05u", i);
}

/* A batch in its store, a record in its log. */
static void
use_tenant (Many *many, guint i, gint64 expected)
{
  g_autofree char *name = tenant_name (i);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (name);
  g_autoptr (ReeveBatchResult) result = NULL;
  const ReeveLedgerRecord record = { .kind = REEVE_LEDGER_READ, .scope = name, .action = "x" };
  g_autoptr (GError) error = NULL;

  reeve_batch_count (batch, "c", 1, 0, G_MAXINT64);
  result = reeve_storage_commit (many->storage, batch, &error);
  g_assert_no_error (error);
  g_assert_cmpint (reeve_batch_result_get_value (result, 0), ==, expected);
  g_assert_cmpuint (reeve_ledger_append (many->ledger, &record, &error), ==, expected);
  g_assert_no_error (error);
}

static void
check_bounds (Many *many, guint fds_before)
{
  SqliteStorageStatus status = { 0 };

  sqlite_storage_get_status (SQLITE_STORAGE (many->storage), &status);
  g_assert_cmpuint (status.open_stores, <=, STORES);
  g_assert_cmpuint (test_fds_count (), <=, fds_before + 3 * STORES + LOGS + OTHER_FDS);
}

/* Uses @count tenants once, in an order in which no cache helps. */
static void
use_some (Many *many, guint count, gint64 expected, gboolean create, guint fds_before)
{
  gint64 memory = 0;
  guint early = count / 5;

  for (guint n = 0; n < count; n++)
    {
      guint i = (guint) ((guint64) n * 7919 % many->tenants);
      g_autofree char *name = tenant_name (i);

      if (create)
        g_assert_true (reeve_storage_create_scope (many->storage, name, NULL));
      use_tenant (many, i, expected);
      if (n % 200 == 0)
        check_bounds (many, fds_before);
      if (n == early)
        memory = get_memory ();
    }
  g_test_message ("%" G_GINT64_FORMAT " KiB after %u tenants, %" G_GINT64_FORMAT
                  " KiB after %u; %u descriptors",
                  memory / 1024, early, get_memory () / 1024, count, test_fds_count ());
  g_assert_cmpint (get_memory () - memory, <,
                   (gint64) (count - early) * BYTES_A_TENANT + 8 * 1024 * 1024);
}

static void
test_many (void)
{
  Many many = { .state = test_tree_make_quick (), .tenants = test_size (5000, 20000) };
  g_autofree char *last = tenant_name (many.tenants - 1);
  guint before = test_fds_count ();
  gint64 memory = 0;

  many_open (&many);
  use_some (&many, many.tenants, 1, TRUE, before);
  many_close (&many);
  g_assert_cmpuint (test_fds_count (), <=, before);
  memory = get_memory ();
  many_open (&many);
  check_bounds (&many, before);
  g_assert_cmpint (get_memory () - memory, <, (gint64) many.tenants * BYTES_A_TENANT);
  g_assert_cmpuint (reeve_ledger_get_size (many.ledger, last), ==, 1);
  use_some (&many, many.tenants / 5, 2, FALSE, before);
  many_close (&many);
  test_tree_remove (many.state);
  g_free (many.state);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/many/tenants", test_many);
  return g_test_run ();
}
