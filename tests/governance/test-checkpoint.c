/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys and signed checkpoints: form, every single change, wrong key, wrong scope. */
#include "governance/checkpoint.h"

#include <glib/gstdio.h>
#include <reeve-plugin-1.h>
#include <string.h>
#include <sys/stat.h>

#include "ledger-fixture.h"
#include "../helpers/test-tree.h"

typedef struct
{
  char *folder;
  ReeveLedgerKey *key;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->folder = g_dir_make_tmp ("reeve-checkpoint-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->key = reeve_ledger_key_open (fixture->folder, NULL, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  reeve_ledger_key_free (fixture->key);
  test_tree_remove (fixture->folder);
  g_free (fixture->folder);
}

static ReeveCheckpoint
sample (void)
{
  ReeveCheckpoint checkpoint = { .size = 42 };

  for (guint i = 0; i < sizeof checkpoint.root; i++)
    checkpoint.root[i] = (guint8) (i * 7);
  return checkpoint;
}

static void
test_checkpoint_form (Fixture *fixture, gconstpointer data)
{
  ReeveCheckpoint checkpoint = sample ();
  ReeveCheckpoint read = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *text = reeve_checkpoint_format (&checkpoint, "acme", fixture->key, &error);
  g_auto (GStrv) lines = NULL;

  g_assert_no_error (error);
  lines = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 6);
  g_assert_cmpstr (lines[0], ==, "reeve-ledger/acme");
  g_assert_cmpstr (lines[1], ==, "42");
  g_assert_cmpstr (lines[3], ==, "");
  g_assert_true (g_str_has_prefix (lines[4], "\xe2\x80\x94 reeve-ledger "));
  g_assert_cmpstr (lines[5], ==, "");
  g_assert_true (reeve_checkpoint_parse (&read, text, strlen (text), "acme", fixture->key, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (read.size, ==, 42);
  g_assert_cmpmem (read.root, sizeof read.root, checkpoint.root, sizeof checkpoint.root);
  g_assert_false (
      reeve_checkpoint_parse (&read, text, strlen (text), "other", fixture->key, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
}

/* No byte may be another, no byte may be missing, none may be added. */
static void
test_checkpoint_mutations (Fixture *fixture, gconstpointer data)
{
  ReeveCheckpoint checkpoint = sample ();
  ReeveCheckpoint read = { 0 };
  g_autofree char *text = reeve_checkpoint_format (&checkpoint, "acme", fixture->key, NULL);
  gsize length = strlen (text);
  g_autofree char *longer = g_strconcat (text, "\n", NULL);

  for (gsize i = 0; i < length * 8; i++)
    {
      g_autofree char *copy = g_strdup (text);

      copy[i / 8] = (char) ((guchar) copy[i / 8] ^ (1u << (i % 8)));
      g_assert_false (reeve_checkpoint_parse (&read, copy, length, "acme", fixture->key, NULL));
    }
  for (gsize i = 0; i < length; i++)
    g_assert_false (reeve_checkpoint_parse (&read, text, i, "acme", fixture->key, NULL));
  g_assert_false (reeve_checkpoint_parse (&read, longer, length + 1, "acme", fixture->key, NULL));
}

static void
test_checkpoint_other_key (Fixture *fixture, gconstpointer data)
{
  g_autofree char *other_folder = g_dir_make_tmp ("reeve-checkpoint-XXXXXX", NULL);
  g_autoptr (ReeveLedgerKey) other = reeve_ledger_key_open (other_folder, NULL, NULL);
  ReeveCheckpoint checkpoint = sample ();
  ReeveCheckpoint read = { 0 };
  g_autofree char *text = reeve_checkpoint_format (&checkpoint, "acme", fixture->key, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (reeve_checkpoint_parse (&read, text, strlen (text), "acme", other, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  test_tree_remove (other_folder);
}

static void
test_checkpoint_public_key (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveLedgerKey) public_key = NULL;
  g_autoptr (ReeveLedgerKey) again = NULL;
  g_autofree char *vkey = reeve_ledger_key_to_vkey (fixture->key);
  g_autofree char *broken = g_strconcat (vkey, "A", NULL);
  g_autofree char *private_path = g_build_filename (fixture->folder, "ledger.key", NULL);
  g_autoptr (GError) error = NULL;
  ReeveCheckpoint checkpoint = sample ();
  g_autofree char *text = reeve_checkpoint_format (&checkpoint, "acme", fixture->key, NULL);
  GStatBuf status;

  g_assert_cmpint (g_stat (private_path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
  public_key = reeve_ledger_key_load_public (fixture->folder, &error);
  g_assert_no_error (error);
  g_assert_true (
      reeve_checkpoint_parse (&checkpoint, text, strlen (text), "acme", public_key, &error));
  g_assert_no_error (error);
  /* the public half cannot sign */
  g_assert_null (reeve_checkpoint_format (&checkpoint, "acme", public_key, NULL));
  g_assert_null (reeve_ledger_key_new_from_vkey (broken, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  /* the same key comes back */
  again = reeve_ledger_key_open (fixture->folder, NULL, NULL);
  g_assert_cmpuint (reeve_ledger_key_get_id (again), ==, reeve_ledger_key_get_id (fixture->key));
}

static void
test_checkpoint_key_pair (Fixture *fixture, gconstpointer data)
{
  g_autofree char *public_path = g_build_filename (fixture->folder, "ledger.pub", NULL);
  g_autofree char *private_path = g_build_filename (fixture->folder, "ledger.key", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (public_path, "reeve-ledger+00+AA==\n", -1, NULL));
  g_assert_null (reeve_ledger_key_open (fixture->folder, NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  g_clear_error (&error);
  /* a public key whose private half is lost is not replaced in silence */
  g_assert_cmpint (g_unlink (private_path), ==, 0);
  g_assert_null (reeve_ledger_key_open (fixture->folder, NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
}

/* What witnesses have added is let through where it may stand, if it has the form of a signature.
 */
static void
test_checkpoint_cosigned (Fixture *fixture, gconstpointer data)
{
  static const char *const bad[] = { "x",
                                     "x\n",
                                     "\n",
                                     "\xe2\x80\x94 a AAAAAAA=",
                                     "\xe2\x80\x94 a AAAA\n",
                                     "\xe2\x80\x94 AAAAAAA=\n",
                                     "\xe2\x80\x94  AAAAAAA=\n",
                                     "\xe2\x80\x94 a AAAAAAB=\n",
                                     "\xe2\x80\x94 a AAAAAAA= b\n",
                                     "\xe2\x80\x94 a AAAAAAA=\n\n",
                                     "- a AAAAAAA=\n" };
  ReeveCheckpoint checkpoint = sample ();
  g_autofree char *text = reeve_checkpoint_format (&checkpoint, "acme", fixture->key, NULL);
  g_autofree char *more = g_strconcat (text, "\xe2\x80\x94 a AAAAAAA=\n", NULL);
  g_autofree char *scope = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (
      reeve_checkpoint_parse_any (&checkpoint, more, strlen (more), &scope, fixture->key, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (scope, ==, "acme");
  g_assert_false (
      reeve_checkpoint_parse (&checkpoint, more, strlen (more), "acme", fixture->key, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *wrong = g_strconcat (text, bad[i], NULL);
      char *none = NULL;

      g_assert_false (reeve_checkpoint_parse_any (&checkpoint, wrong, strlen (wrong), &none,
                                                  fixture->key, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
      g_clear_error (&error);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/checkpoint/form", Fixture, NULL, set_up, test_checkpoint_form, tear_down);
  g_test_add ("/checkpoint/mutations", Fixture, NULL, set_up, test_checkpoint_mutations, tear_down);
  g_test_add ("/checkpoint/other-key", Fixture, NULL, set_up, test_checkpoint_other_key, tear_down);
  g_test_add ("/checkpoint/public-key", Fixture, NULL, set_up, test_checkpoint_public_key,
              tear_down);
  g_test_add ("/checkpoint/key-pair", Fixture, NULL, set_up, test_checkpoint_key_pair, tear_down);
  g_test_add ("/checkpoint/cosigned", Fixture, NULL, set_up, test_checkpoint_cosigned, tear_down);
  return g_test_run ();
}
