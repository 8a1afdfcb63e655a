/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A ledger in a folder of its own. */
#include "ledger-fixture.h"

#include <glib/gstdio.h>

#include "governance/ledger-verify.h"
#include "../helpers/test-tree.h"

void
ledger_fixture_open (LedgerFixture *fixture)
{
  g_autoptr (GError) error = NULL;

  fixture->ledger = reeve_ledger_new (fixture->folder, fixture->keys);
  reeve_ledger_set_segment_size (fixture->ledger, 4096);
  reeve_ledger_open (fixture->ledger, &error);
  g_assert_no_error (error);
}

void
ledger_fixture_close (LedgerFixture *fixture)
{
  reeve_ledger_close (fixture->ledger);
  g_assert_finalize_object (fixture->ledger);
  fixture->ledger = NULL;
}

void
ledger_fixture_set_up (LedgerFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->state = g_dir_make_tmp ("reeve-ledger-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->folder = g_build_filename (fixture->state, "ledger", NULL);
  fixture->keys = g_build_filename (fixture->state, "keys", NULL);
  ledger_fixture_open (fixture);
}

void
ledger_fixture_tear_down (LedgerFixture *fixture, gconstpointer data)
{
  if (fixture->ledger != NULL)
    ledger_fixture_close (fixture);
  test_tree_remove (fixture->state);
  g_free (fixture->state);
  g_free (fixture->folder);
  g_free (fixture->keys);
}

guint64
ledger_fixture_append (LedgerFixture *fixture, const char *scope, ReeveLedgerKind kind,
                       const char *action, guint64 intent)
{
  ReeveLedgerRecord record = {
    .kind = kind,
    .scope = scope,
    .action = action,
    .actor_type = "user",
    .actor_id = "usr_one",
    .intent = intent,
    .outcome = kind == REEVE_LEDGER_OUTCOME ? REEVE_OUTCOME_SUCCEEDED : REEVE_OUTCOME_NONE,
    .door = "rest",
  };
  g_autoptr (GError) error = NULL;
  guint64 seq = reeve_ledger_append (fixture->ledger, &record, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (seq, >, 0);
  return seq;
}

JsonObject *
ledger_fixture_verify (LedgerFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  JsonObject *result = reeve_ledger_verify_folder (fixture->folder, fixture->keys, &error);

  g_assert_no_error (error);
  return result;
}

void
ledger_fixture_assert_valid (LedgerFixture *fixture)
{
  g_autoptr (JsonObject) result = ledger_fixture_verify (fixture);
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;

  json_node_set_object (node, result);
  text = json_to_string (node, FALSE);
  if (!json_object_get_boolean_member (result, "valid"))
    g_error ("not valid: %s", text);
}
