/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kill -9 under mixed load on store and ledger together: every acknowledged write is there, no
 * half-written one, SQLite finds nothing amiss, the chain verifies, and the two agree: whatever the
 * store says of an intent, the ledger has it; each intent has one outcome, if only `unknown`.
 *
 * what                                          | CI              | long
 * ----------------------------------------------|-----------------|-------------
 * rounds of this program                        | 88              | 4,900
 * rounds of a whole host (hold_crash.py)        | 12              | 100
 * together                                      | 100             | 5,000 */
#include "governance/admission.h"
#include "governance/ledger-verify.h"

#include "sqlite-storage.h"

#include "fault-child.h"

#include "../helpers/test-integrity.h"
#include "../helpers/test-size.h"
#include "../helpers/test-tree.h"

#include <string.h>
#include <unistd.h>

#define THREADS 6
/* then a new state folder, so that looking at all of it stays cheap */
#define ROUNDS_A_FOLDER 8

#define SCOPES 2

static const char *const scopes[SCOPES] = { "acme", "beta" };

static const ReeveStep steps[] = {
  { REEVE_STEP_COLLECTION, "effects",
    (const ReeveField[]){ { "status", REEVE_FIELD_TEXT }, { NULL, REEVE_FIELD_TEXT } } },
  { REEVE_STEP_INDEX, "effects",
    (const ReeveField[]){ { "status", REEVE_FIELD_TEXT }, { NULL, REEVE_FIELD_TEXT } } },
  { REEVE_STEP_TEXT, "notes", NULL },
  { REEVE_STEP_TEXT, NULL, NULL },
};
static const ReeveMigration migrations[] = { { 1, "effects", steps }, { 0, NULL, NULL } };

typedef struct
{
  ReeveStorage *storage;
  ReeveLedger *ledger;
  ReeveAdmission *admission;
} House;

/* Opens both as a host does: what was under way gets the outcome `unknown`. */
static void
house_open (House *house, const char *state)
{
  g_autofree char *store = g_build_filename (state, "store", NULL);
  g_autofree char *ledger = g_build_filename (state, "ledger", NULL);
  g_autofree char *keys = g_build_filename (state, "keys", NULL);
  g_autoptr (GError) error = NULL;

  house->storage = g_object_new (SQLITE_TYPE_STORAGE, NULL);
  reeve_storage_open (house->storage, store, migrations, migrations, &error);
  g_assert_no_error (error);
  house->ledger = reeve_ledger_new (ledger, keys);
  reeve_ledger_set_segment_size (house->ledger, 20000);
  reeve_ledger_set_checkpoint_seconds (house->ledger, 1);
  reeve_ledger_set_pack_seconds (house->ledger, 1);
  reeve_ledger_open (house->ledger, &error);
  g_assert_no_error (error);
  house->admission = reeve_admission_new (house->ledger);
  reeve_admission_recover (house->admission, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < SCOPES; i++)
    if (!reeve_storage_has_scope (house->storage, scopes[i]))
      g_assert_true (reeve_storage_create_scope (house->storage, scopes[i], NULL));
}

static void
house_close (House *house)
{
  g_object_unref (house->admission);
  reeve_ledger_close (house->ledger);
  g_object_unref (house->ledger);
  reeve_storage_close (house->storage);
  g_object_unref (house->storage);
}

/* ---- the child ---- */

static guint64
append (House *house, const char *scope, ReeveLedgerKind kind, const char *id, guint64 intent)
{
  const ReeveLedgerRecord record = {
    .kind = kind,
    .scope = scope,
    .action = "effect",
    .actor_type = "user",
    .resource_type = "effect",
    .resource_id = id,
    .intent = intent,
    .outcome = kind == REEVE_LEDGER_OUTCOME ? REEVE_OUTCOME_SUCCEEDED : REEVE_OUTCOME_NONE,
  };
  g_autoptr (GError) error = NULL;
  guint64 seq = reeve_ledger_append (house->ledger, &record, &error);

  g_assert_no_error (error);
  return seq;
}

/* Status, journal, reservation and text of an effect: one batch. */
static void
commit (House *house, const char *scope, const char *id, guint64 intent, gboolean settled)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new (scope);
  g_autoptr (JsonObject) effect = json_object_new ();
  g_autofree char *stream = g_strconcat ("run/", id, NULL);
  g_autofree char *filler = g_strnfill (100 + intent * 37 % 2500, 'f');
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT " %d %s", intent, settled, filler);
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (GError) error = NULL;

  json_object_set_string_member (effect, "status", settled ? "settled" : "reserved");
  json_object_set_int_member (effect, "intent", (gint64) intent);
  reeve_batch_put (batch, "effects", id, effect,
                   settled ? REEVE_REVISION_ANY : REEVE_REVISION_ABSENT);
  reeve_batch_append (batch, stream, bytes, settled ? 2 : 1);
  reeve_batch_count (batch, "reserved", settled ? -1 : 1, G_MININT64, G_MAXINT64);
  reeve_batch_text_put (batch, "notes", id, settled ? "2" : "1", NULL, "note", NULL);
  result = reeve_storage_commit (house->storage, batch, &error);
  g_assert_no_error (error);
}

static void
say (const char *scope, const char *id, guint64 seq)
{
  g_autofree char *line = g_strdup_printf ("%s %s %" G_GUINT64_FORMAT "\n", scope, id, seq);

  if (write (STDOUT_FILENO, line, strlen (line)) != (gssize) strlen (line))
    _exit (1);
}

static gpointer
work (gpointer data)
{
  House *house = data;

  for (guint i = 0;; i++)
    {
      g_autofree char *id = g_strdup_printf ("e%08x%08x", g_random_int (), g_random_int ());
      const char *scope = scopes[g_random_int_range (0, SCOPES)];
      guint64 intent = 0;

      if (i % 4 == 3)
        {
          say (scope, "read", append (house, scope, REEVE_LEDGER_READ, id, 0));
          continue;
        }
      intent = append (house, scope, REEVE_LEDGER_INTENT, id, 0);
      commit (house, scope, id, intent, FALSE);
      append (house, scope, REEVE_LEDGER_OUTCOME, id, intent);
      commit (house, scope, id, intent, TRUE);
      say (scope, id, intent);
    }
  return NULL;
}

static int
run_child (const char *state)
{
  House house = { NULL, NULL, NULL };

  house_open (&house, state);
  for (guint i = 0; i < THREADS; i++)
    g_thread_new ("work", work, &house);
  pause ();
  return 1;
}

/* ---- the parent ---- */

/* What the ledger knows of a scope. */
typedef struct
{
  GHashTable *effects;  /* id -> seq of its intent */
  GHashTable *outcomes; /* seq of an intent -> "succeeded" or "unknown" */
} Known;

static void
known_read (Known *known, House *house, const char *scope)
{
  guint64 size = reeve_ledger_get_size (house->ledger, scope);

  known->effects = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  known->outcomes = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  for (guint64 seq = 1; seq <= size; seq++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonObject) record = reeve_ledger_get (house->ledger, scope, seq, &error);
      const char *kind = NULL;
      JsonObject *resource = NULL;

      g_assert_no_error (error);
      kind = reeve_json_get_string (record, "kind", "");
      resource = reeve_json_get_object (record, "resource");
      if (strcmp (kind, "intent") == 0)
        g_assert_true (g_hash_table_insert (known->effects,
                                            g_strdup (reeve_json_get_string (resource, "id", "")),
                                            GSIZE_TO_POINTER (seq)));
      else if (strcmp (kind, "outcome") == 0)
        g_assert_true (g_hash_table_insert (
            known->outcomes, GSIZE_TO_POINTER (reeve_json_get_int (record, "intent", 0)),
            g_strdup (reeve_json_get_string (record, "outcome", ""))));
    }
  /* each intent has one outcome, and no outcome is without its intent */
  g_assert_cmpuint (g_hash_table_size (known->effects), ==, g_hash_table_size (known->outcomes));
}

static void
known_clear (Known *known)
{
  g_hash_table_unref (known->effects);
  g_hash_table_unref (known->outcomes);
}

/* One effect as the store has it, against the ledger. Returns whether it is settled. */
static gboolean
check_effect (House *house, const char *scope, ReeveRecord *record, const Known *known)
{
  const char *id = reeve_record_get_id (record);
  JsonObject *fields = reeve_record_get_fields (record);
  gint64 intent = reeve_json_get_int (fields, "intent", 0);
  gboolean settled = strcmp (reeve_json_get_string (fields, "status", ""), "settled") == 0;
  const char *outcome = g_hash_table_lookup (known->outcomes, GSIZE_TO_POINTER (intent));
  g_autofree char *stream = g_strconcat ("run/", id, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) entries
      = reeve_storage_read_stream (house->storage, scope, stream, 0, G_MAXUINT, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (GPOINTER_TO_SIZE (g_hash_table_lookup (known->effects, id)), ==, intent);
  g_assert_nonnull (outcome);
  if (settled)
    g_assert_cmpstr (outcome, ==, "succeeded");
  g_assert_cmpuint (entries->len, ==, settled ? 2 : 1);
  for (guint i = 0; i < entries->len; i++)
    {
      const ReeveStreamEntry *entry = g_ptr_array_index (entries, i);

      g_assert_cmpuint (g_ascii_strtoull (g_bytes_get_data (entry->payload, NULL), NULL, 10), ==,
                        intent);
    }
  return settled;
}

/* Everything in a scope; @acknowledged: ids that were. */
static void
check_scope (House *house, const char *scope, GHashTable *acknowledged)
{
  g_autofree char *cursor = NULL;
  Known known = { NULL, NULL };
  gint64 reserved = 0;
  gint64 open = 0;
  guint found = 0;

  known_read (&known, house, scope);
  do
    {
      g_autoptr (ReeveQuery) query = reeve_query_new (scope, "effects");
      g_autoptr (ReeveQueryResult) result = NULL;
      GPtrArray *records = NULL;

      reeve_query_limit (query, REEVE_QUERY_MAX_LIMIT);
      reeve_query_cursor (query, cursor);
      result = reeve_storage_query (house->storage, query, NULL, NULL);
      records = reeve_query_result_get_records (result);
      for (guint i = 0; i < records->len; i++)
        {
          ReeveRecord *record = g_ptr_array_index (records, i);
          gboolean settled = check_effect (house, scope, record, &known);

          open += settled ? 0 : 1;
          if (g_hash_table_contains (acknowledged, reeve_record_get_id (record)))
            {
              g_assert_true (settled);
              found++;
            }
        }
      g_free (cursor);
      cursor = g_strdup (reeve_query_result_get_cursor (result));
    }
  while (cursor != NULL);
  g_assert_cmpuint (found, ==, g_hash_table_size (acknowledged));
  g_assert_true (reeve_storage_get_counter (house->storage, scope, "reserved", &reserved, NULL));
  g_assert_cmpint (reserved, ==, open);
  known_clear (&known);
}

/* Takes down what the child was told; reads are looked up at once. */
static guint
read_lines (House *house, char *text, GHashTable *acknowledged[])
{
  char *save = NULL;
  guint lines = 0;

  for (char *line = strtok_r (text, "\n", &save); line != NULL; line = strtok_r (NULL, "\n", &save))
    {
      g_auto (GStrv) fields = g_strsplit (line, " ", 3);
      guint scope = 0;

      if (g_strv_length (fields) != 3)
        continue;
      lines++;
      scope = strcmp (fields[0], scopes[0]) == 0 ? 0 : 1;
      if (strcmp (fields[1], "read") == 0)
        g_assert_cmpuint (reeve_ledger_get_size (house->ledger, fields[0]), >=,
                          g_ascii_strtoull (fields[2], NULL, 10));
      else
        g_hash_table_add (acknowledged[scope], g_strdup (fields[1]));
    }
  return lines;
}

static void
check_chain (const char *state)
{
  g_autofree char *ledger = g_build_filename (state, "ledger", NULL);
  g_autofree char *keys = g_build_filename (state, "keys", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) verdict = reeve_ledger_verify_folder (ledger, keys, &error);

  g_assert_no_error (error);
  g_assert_true (json_object_get_boolean_member (verdict, "valid"));
}

static guint
run_round (FaultChild *child, const char *state, GHashTable *acknowledged[])
{
  const char *arguments[] = { "--child", state, NULL };
  guint delay = (guint) g_random_int_range (0, g_random_boolean () ? 5000 : 40000);
  g_autofree char *text = fault_child_run_and_kill (child, arguments, delay);
  House house = { NULL, NULL, NULL };
  guint lines = 0;

  check_chain (state);
  house_open (&house, state);
  lines = read_lines (&house, text, acknowledged);
  for (guint i = 0; i < SCOPES; i++)
    check_scope (&house, scopes[i], acknowledged[i]);
  house_close (&house);
  for (guint i = 0; i < SCOPES; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/store/tenants/%s.db", state, scopes[i]);

      test_integrity_check (path);
    }
  check_chain (state);
  return lines;
}

static void
test_kill (void)
{
  g_autoptr (FaultChild) child = fault_child_new (NULL);
  guint rounds = test_size (88, 4900);
  guint lines = 0;

  for (guint round = 0; round < rounds; round += ROUNDS_A_FOLDER)
    {
      g_autofree char *state = test_tree_make_quick ();
      GHashTable *acknowledged[SCOPES] = { NULL };

      for (guint i = 0; i < SCOPES; i++)
        acknowledged[i] = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
      for (guint i = round; i < MIN (round + ROUNDS_A_FOLDER, rounds); i++)
        lines += run_round (child, state, acknowledged);
      for (guint i = 0; i < SCOPES; i++)
        g_hash_table_unref (acknowledged[i]);
      test_tree_remove (state);
    }
  g_test_message ("%u acknowledgements in %u rounds", lines, rounds);
  g_assert_cmpuint (lines, >, rounds);
}

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "--child") == 0)
    return run_child (argv[2]);
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/kill/store-and-ledger", test_kill);
  return g_test_run ();
}
