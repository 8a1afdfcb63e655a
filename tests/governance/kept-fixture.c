/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Somebody of whom values are kept. */
#include "kept-fixture.h"

#include <string.h>

#include "base/digests.h"

void
kept_fixture_set_up (KeptFixture *fixture, gconstpointer data)
{
  g_autofree char *key = NULL;

  directory_fixture_set_up (&fixture->host, data);
  fixture->keys = reeve_subject_keys_new (fixture->host.store, fixture->host.ledger.keys);
  fixture->values = reeve_kept_values_new (fixture->host.store, fixture->keys, TRUE, TRUE);
  fixture->admin = directory_fixture_admin (&fixture->host, NULL);
  key = directory_fixture_make_user (&fixture->host, fixture->admin, "anna", "viewer",
                                     &fixture->user, NULL);
}

void
kept_fixture_tear_down (KeptFixture *fixture, gconstpointer data)
{
  g_clear_object (&fixture->values);
  g_clear_object (&fixture->keys);
  g_clear_pointer (&fixture->admin, reeve_caller_unref);
  g_clear_pointer (&fixture->user, g_free);
  directory_fixture_tear_down (&fixture->host, data);
}

char *
kept_fixture_put (KeptFixture *fixture, const char *text)
{
  g_autoptr (GError) error = NULL;
  char *digest = reeve_kept_values_put (fixture->values, SCOPE, fixture->user, text, &error);

  g_assert_no_error (error);
  return digest;
}

ReeveKeptState
kept_fixture_state_of (KeptFixture *fixture, const char *digest, char **text)
{
  ReeveKeptState state = REEVE_KEPT_MISSING;
  g_autofree char *found = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_kept_values_open (fixture->values, SCOPE, digest, &state, &found, &error));
  g_assert_no_error (error);
  g_assert_true ((found != NULL) == (state == REEVE_KEPT_READABLE));
  if (text != NULL)
    *text = g_steal_pointer (&found);
  return state;
}

static JsonObject *
kept_fixture_do_erase (gpointer object, ReeveAdmitted *admitted, JsonObject *params, GError **error)
{
  return reeve_kept_values_erase (object, admitted, SCOPE,
                                  json_object_get_string_member (params, "user_id"), error);
}

JsonObject *
kept_fixture_erase_somebody (KeptFixture *fixture, const char *user, GError **error)
{
  g_autofree char *params = g_strdup_printf ("{\"user_id\":\"%s\"}", user);

  return directory_fixture_effect (&fixture->host, fixture->admin, "compliance.erase",
                                   kept_fixture_do_erase, fixture->values, params, error);
}

void
kept_fixture_erase (KeptFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) erased = kept_fixture_erase_somebody (fixture, fixture->user, &error);

  g_assert_no_error (error);
  g_assert_nonnull (erased);
}

/* The file of one half of the user's key. */
char *
kept_fixture_half_of (KeptFixture *fixture, guint generation)
{
  g_autofree char *digest = reeve_digests_sha256_hex (fixture->user, strlen (fixture->user));
  g_autofree char *name = g_strdup_printf ("%.40s.%u", digest, generation);

  return g_build_filename (fixture->host.ledger.keys, "subjects", SCOPE, name, NULL);
}

ReeveRecord *
kept_fixture_record_of (KeptFixture *fixture, const char *collection, const char *id)
{
  g_autoptr (GError) error = NULL;
  ReeveRecord *record = reeve_store_get (fixture->host.store, SCOPE, collection, id, &error);

  g_assert_no_error (error);
  return record;
}

void
kept_fixture_write_record (KeptFixture *fixture, const char *collection, const char *id,
                           JsonObject *fields)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new (SCOPE);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (GError) error = NULL;

  reeve_batch_put (batch, collection, id, fields, REEVE_REVISION_ANY);
  result = reeve_store_commit (fixture->host.store, batch, &error);
  g_assert_no_error (error);
}
