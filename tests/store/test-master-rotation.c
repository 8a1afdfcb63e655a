/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Another master key, stopped everywhere. */
#include "keys-fixture.h"

#include "store/master-rotation.h"

/* ---- another master key ---- */

static gboolean
stop_at (guint done, guint total, gpointer user_data)
{
  return done < *(guint *) user_data;
}

static gboolean
opens_all (KeysFixture *fixture, ReeveMasterKey *master, const ReeveStorageKey *keys)
{
  static const char *const scopes[] = { REEVE_SCOPE_PLATFORM, "acme", "globex" };
  g_autoptr (ReeveStoreKeys) store_keys = reeve_store_keys_open (fixture->folder, master, NULL);
  g_autoptr (GBytes) secret = NULL;
  ReeveStorageKey key = { 0 };

  if (store_keys == NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (scopes); i++)
    {
      g_assert_true (reeve_storage_keys_get (REEVE_STORAGE_KEYS (store_keys), scopes[i], keys[i].id,
                                             &key, NULL));
      keys_fixture_assert_same (&keys[i], &key);
    }
  secret = reeve_store_keys_load_secret (store_keys, fixture->folder, "ledger", 100, NULL);
  g_assert_nonnull (secret);
  return TRUE;
}

/* wherever it stops, exactly one of the two opens everything, and doing it again ends it */
static void
test_rotation (KeysFixture *fixture, gconstpointer data)
{
  gboolean look_first = GPOINTER_TO_INT (data);
  ReeveStorageKey keys[] = { keys_fixture_get_current (fixture, REEVE_SCOPE_PLATFORM),
                             keys_fixture_get_current (fixture, "acme"),
                             keys_fixture_get_current (fixture, "globex") };
  guint stops = 0;

  g_assert_true (
      reeve_store_keys_save_secret (fixture->keys, fixture->folder, "ledger", "secret", 6, NULL));
  g_assert_true (
      reeve_storage_keys_add (REEVE_STORAGE_KEYS (fixture->keys), "acme", &keys[1], NULL));
  keys_fixture_set_mark (fixture, "acme", 77, TRUE);
  g_clear_object (&fixture->keys);
  for (guint at = 0; stops == at; at++)
    {
      g_autoptr (ReeveMasterKey) new_master = reeve_master_key_new_random ();
      g_autoptr (GError) error = NULL;
      gboolean whole = reeve_master_rotation_run (fixture->folder, fixture->master, new_master,
                                                  stop_at, &at, &error);
      gboolean old_opens = look_first && opens_all (fixture, fixture->master, keys);

      if (!whole)
        g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
      stops += !whole;
      if (look_first)
        g_assert_true (opens_all (fixture, new_master, keys) != old_opens);
      g_assert_true (reeve_master_rotation_run (fixture->folder, fixture->master, new_master, NULL,
                                                NULL, NULL));
      g_assert_true (opens_all (fixture, new_master, keys));
      g_assert_false (opens_all (fixture, fixture->master, keys));
      g_assert_false (keys_fixture_has (fixture, "changing"));
      reeve_master_key_unref (fixture->master);
      fixture->master = reeve_master_key_ref (new_master);
    }
  /* five files twice, and the one that says so */
  g_assert_cmpuint (stops, ==, 11);
  keys_fixture_open (fixture);
  g_assert_cmpuint (keys_fixture_get_mark (fixture, "acme"), ==, 77);
}

static void
test_rotation_refused (KeysFixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveMasterKey) wrong = reeve_master_key_new_random ();
  g_autoptr (ReeveMasterKey) to = reeve_master_key_new_random ();
  g_autoptr (GError) error = NULL;

  keys_fixture_get_current (fixture, "acme");
  g_clear_object (&fixture->keys);
  g_assert_false (reeve_master_rotation_run (fixture->folder, wrong, to, NULL, NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
  g_clear_error (&error);
  /* a damaged file: nothing is committed, the old one goes on */
  keys_fixture_write (fixture, "tenants/broken.key", "nonsense", 8);
  g_assert_false (
      reeve_master_rotation_run (fixture->folder, fixture->master, to, NULL, NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, "broken.key"));
  g_assert_null (reeve_store_keys_open (fixture->folder, to, NULL));
}

#define ADD(name, func)                                                                            \
  g_test_add ("/store/rotation/" name, KeysFixture, NULL, keys_fixture_set_up, func,               \
              keys_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("rotation-refused", test_rotation_refused);
  g_test_add ("/store/rotation/stopped", KeysFixture, GINT_TO_POINTER (FALSE), keys_fixture_set_up,
              test_rotation, keys_fixture_tear_down);
  g_test_add ("/store/rotation/looked-at", KeysFixture, GINT_TO_POINTER (TRUE), keys_fixture_set_up,
              test_rotation, keys_fixture_tear_down);
  return g_test_run ();
}
