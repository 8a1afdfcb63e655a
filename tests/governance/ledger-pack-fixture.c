/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Logs of several files, made quickly. */
#include "ledger-pack-fixture.h"

#include "governance/ledger-pack.h"
#include "../helpers/test-tree.h"

void
ledger_pack_fixture_open_of_size (LedgerFixture *fixture, guint64 size)
{
  g_autoptr (GError) error = NULL;

  fixture->ledger = reeve_ledger_new (fixture->folder, fixture->keys);
  reeve_ledger_set_segment_size (fixture->ledger, size);
  reeve_ledger_set_checkpoint_seconds (fixture->ledger, 3600);
  reeve_ledger_open (fixture->ledger, &error);
  g_assert_no_error (error);
}

void
ledger_pack_fixture_open_large (LedgerFixture *fixture)
{
  ledger_pack_fixture_open_of_size (fixture, SIZE);
}

void
ledger_pack_fixture_fill (LedgerFixture *fixture, guint count)
{
  ReeveLedgerRecord record = { .kind = REEVE_LEDGER_READ,
                               .scope = "acme",
                               .action = "agents.get",
                               .actor_type = "user",
                               .actor_id = "usr_one",
                               .door = "rest" };

  for (guint i = 1; i <= count; i++)
    if (i % AT_ONCE != 0 && i < count)
      reeve_ledger_append_async (fixture->ledger, &record, NULL, NULL);
    else
      ledger_fixture_append (fixture, "acme", REEVE_LEDGER_READ, "agents.get", 0);
}

/* A log of several files, left cleanly, and open again: all but the last may be packed. */
void
ledger_pack_fixture_set_up (LedgerFixture *fixture, gconstpointer data)
{
  fixture->state = test_tree_make_quick ();
  fixture->folder = g_build_filename (fixture->state, "ledger", NULL);
  fixture->keys = g_build_filename (fixture->state, "keys", NULL);
  ledger_pack_fixture_open_large (fixture);
  ledger_pack_fixture_fill (fixture, 1700);
  ledger_fixture_close (fixture);
  ledger_pack_fixture_open_large (fixture);
}

char *
ledger_pack_fixture_path_of (LedgerFixture *fixture, const char *name)
{
  return g_build_filename (fixture->folder, "acme", name, NULL);
}

void
ledger_pack_fixture_pack (LedgerFixture *fixture)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_ledger_pack (fixture->ledger, &error));
  g_assert_no_error (error);
}

gboolean
ledger_pack_fixture_is_packed (const char *path)
{
  g_autofree char *text = NULL;
  gsize length = 0;

  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  return reeve_ledger_pack_is ((const guint8 *) text, length);
}
