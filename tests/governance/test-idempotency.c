/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Idempotency keys: one performs, the others are told. */
#include "governance/idempotency.h"

#include <string.h>

#include "directory-fixture.h"

typedef struct
{
  DirectoryFixture host;
  ReeveIdempotency *idempotency;
  ReeveCaller *caller;
} Fixture;

typedef struct
{
  ReeveIdempotencyClaim *claim;
  guint status;
  JsonNode *node;
  GError *error;
  gboolean done;
} Answer;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  directory_fixture_set_up (&fixture->host, data);
  fixture->idempotency = reeve_idempotency_new (fixture->host.store, fixture->host.workers);
  fixture->caller = directory_fixture_admin (&fixture->host, NULL);
}

static void
let_go (Fixture *fixture)
{
  g_clear_object (&fixture->idempotency);
  g_clear_pointer (&fixture->caller, reeve_caller_unref);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  let_go (fixture);
  directory_fixture_tear_down (&fixture->host, data);
}

static void
on_claimed (GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  answer->claim = reeve_idempotency_claim_finish (REEVE_IDEMPOTENCY (source), result,
                                                  &answer->status, &answer->node, &answer->error);
  answer->done = TRUE;
}

static void
on_stored (GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;

  g_assert_true (
      reeve_idempotency_store_finish (REEVE_IDEMPOTENCY (source), result, &answer->error));
  answer->done = TRUE;
}

static void
wait_for (Answer *answer)
{
  while (!answer->done)
    g_main_context_iteration (NULL, TRUE);
}

static Answer
claim (Fixture *fixture, const char *operation, const char *key, const char *fingerprint)
{
  Answer answer = { 0 };

  reeve_idempotency_claim_async (fixture->idempotency, fixture->caller, operation, key, fingerprint,
                                 on_claimed, &answer);
  wait_for (&answer);
  return answer;
}

static void
store (Fixture *fixture, ReeveIdempotencyClaim *claimed, guint status, const char *text)
{
  g_autoptr (JsonNode) node = text != NULL ? json_from_string (text, NULL) : NULL;
  Answer answer = { 0 };

  reeve_idempotency_store (fixture->idempotency, claimed, status, node, on_stored, &answer);
  wait_for (&answer);
  g_assert_no_error (answer.error);
}

static void
assert_refused (Answer answer, int code)
{
  g_assert_null (answer.claim);
  g_assert_error (answer.error, REEVE_ERROR, code);
  g_error_free (answer.error);
}

static void
assert_answered (Answer answer, guint status, const char *text)
{
  g_autofree char *found = answer.node != NULL ? json_to_string (answer.node, FALSE) : NULL;

  g_assert_no_error (answer.error);
  g_assert_null (answer.claim);
  g_assert_cmpuint (answer.status, ==, status);
  g_assert_cmpstr (found, ==, text);
  g_clear_pointer (&answer.node, json_node_unref);
}

static void
test_idempotency_replay (Fixture *fixture, gconstpointer data)
{
  Answer first = claim (fixture, "agents.create", "one", "aa");

  g_assert_no_error (first.error);
  g_assert_nonnull (first.claim);
  assert_refused (claim (fixture, "agents.create", "one", "aa"), REEVE_ERROR_CONFLICT);
  assert_refused (claim (fixture, "agents.create", "one", "bb"), REEVE_ERROR_IDEMPOTENCY_MISMATCH);
  store (fixture, first.claim, 201, "{\"agent_id\":\"agt_1\"}");
  assert_answered (claim (fixture, "agents.create", "one", "aa"), 201, "{\"agent_id\":\"agt_1\"}");
  assert_refused (claim (fixture, "agents.create", "one", "bb"), REEVE_ERROR_IDEMPOTENCY_MISMATCH);
  /* across a restart */
  let_go (fixture);
  directory_fixture_close (&fixture->host);
  directory_fixture_open (&fixture->host);
  fixture->idempotency = reeve_idempotency_new (fixture->host.store, fixture->host.workers);
  fixture->caller = directory_fixture_admin (&fixture->host, NULL);
  assert_answered (claim (fixture, "agents.create", "one", "aa"), 201, "{\"agent_id\":\"agt_1\"}");
}

/* An answer may hold an API key in plain: that is nowhere in the files of the store. */
static void
test_idempotency_sealed (Fixture *fixture, gconstpointer data)
{
  static const char secret[] = "rv_secretsecretsecret";
  g_autofree char *folder = g_build_filename (fixture->host.ledger.state, "store", "tenants", NULL);
  g_autoptr (ReeveQuery) query = reeve_query_new ("default", REEVE_STORE_IDEMPOTENCY);
  g_autoptr (ReeveQueryResult) result = NULL;
  g_autoptr (GDir) dir = NULL;
  Answer first = claim (fixture, "keys.create", "one", "aa");
  const char *name = NULL;
  guint files = 0;

  store (fixture, first.claim, 201, "{\"key\":\"rv_secretsecretsecret\"}");
  assert_answered (claim (fixture, "keys.create", "one", "aa"), 201,
                   "{\"key\":\"rv_secretsecretsecret\"}");
  result = reeve_store_query (fixture->host.store, query, NULL);
  g_assert_cmpuint (reeve_query_result_get_records (result)->len, ==, 1);
  dir = g_dir_open (folder, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      g_autofree char *text = NULL;
      gsize length = 0;

      if (!g_file_get_contents (path, &text, &length, NULL))
        continue;
      files++;
      g_assert_null (memmem (text, length, secret, strlen (secret)));
    }
  g_assert_cmpuint (files, >, 0);
}

/* The same key of another caller, for another operation, in another tenant is another key. */
static void
test_idempotency_apart (Fixture *fixture, gconstpointer data)
{
  const char *const roles[] = { "admin", NULL };
  g_autoptr (ReeveIdentity) identity
      = reeve_identity_new ("default", "usr_other", roles, "api_key");
  ReeveCaller *mine = fixture->caller;
  Answer answers[3];

  answers[0] = claim (fixture, "agents.create", "one", "aa");
  answers[1] = claim (fixture, "agents.execute", "one", "bb");
  fixture->caller = reeve_caller_new (identity, "default", FALSE, 0, "rest", NULL);
  answers[2] = claim (fixture, "agents.create", "one", "cc");
  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      g_assert_no_error (answers[i].error);
      g_assert_nonnull (answers[i].claim);
      store (fixture, answers[i].claim, 204, NULL);
    }
  assert_answered (claim (fixture, "agents.create", "one", "cc"), 204, NULL);
  reeve_caller_unref (fixture->caller);
  fixture->caller = mine;
}

static ReeveCaller *
make_caller (const char *key_id, const char *role, const char *method, const char *workspace_id,
             const char *scope)
{
  const char *const roles[] = { role, NULL };
  const char *const scopes[] = { scope, NULL };
  g_autoptr (ReeveIdentity) identity = reeve_identity_new ("default", "usr_one", roles, method);

  if (key_id != NULL)
    reeve_identity_set_key_id (identity, key_id);
  if (workspace_id != NULL)
    reeve_identity_set_workspace_id (identity, workspace_id);
  if (scope != NULL)
    reeve_identity_set_scopes (identity, scopes);
  return reeve_caller_new (identity, "default", FALSE, reeve_roles_all (), "rest", NULL);
}

/* What one credential was answered, no other one of the same user is handed. */
static void
test_idempotency_credentials (Fixture *fixture, gconstpointer data)
{
  ReeveCaller *mine = fixture->caller;
  ReeveCaller *callers[] = { make_caller ("key_a", "admin", "api_key", NULL, NULL),
                             make_caller ("key_b", "admin", "api_key", NULL, NULL),
                             make_caller ("key_a", "admin", "api_key", "wsp_1", NULL),
                             make_caller (NULL, "admin", "jwt", NULL, NULL),
                             make_caller (NULL, "viewer", "jwt", NULL, NULL),
                             make_caller (NULL, "admin", "basic", NULL, NULL),
                             make_caller (NULL, "admin", "jwt", "wsp_1", NULL),
                             make_caller (NULL, "admin", "jwt", NULL, "agent:*") };

  for (guint i = 0; i < G_N_ELEMENTS (callers); i++)
    {
      Answer answer = { 0 };

      fixture->caller = callers[i];
      answer = claim (fixture, "keys.create", "one", "aa");
      g_assert_no_error (answer.error);
      g_assert_nonnull (answer.claim);
      store (fixture, answer.claim, 201, "{\"key\":\"rv_secret\"}");
      assert_answered (claim (fixture, "keys.create", "one", "aa"), 201, "{\"key\":\"rv_secret\"}");
    }
  for (guint i = 0; i < G_N_ELEMENTS (callers); i++)
    reeve_caller_unref (callers[i]);
  fixture->caller = mine;
}

static void
test_idempotency_release (Fixture *fixture, gconstpointer data)
{
  Answer first = claim (fixture, "agents.create", "one", "aa");
  Answer second = { 0 };

  reeve_idempotency_release (fixture->idempotency, first.claim);
  /* behind it in the same writer's queue, or told to come again */
  for (guint i = 0; second.claim == NULL && i < 100; i++)
    {
      g_clear_error (&second.error);
      second = claim (fixture, "agents.create", "one", "aa");
    }
  g_assert_no_error (second.error);
  g_assert_nonnull (second.claim);
  store (fixture, second.claim, 200, "1");
}

static void
test_idempotency_expiry (Fixture *fixture, gconstpointer data)
{
  Answer first = { 0 };
  Answer second = { 0 };

  reeve_idempotency_set_seconds (fixture->idempotency, 0);
  first = claim (fixture, "agents.create", "one", "aa");
  store (fixture, first.claim, 200, "1");
  g_usleep (2000);
  reeve_idempotency_set_seconds (fixture->idempotency, 60);
  second = claim (fixture, "agents.create", "one", "bb");
  g_assert_no_error (second.error);
  g_assert_nonnull (second.claim);
  store (fixture, second.claim, 200, "2");
  assert_answered (claim (fixture, "agents.create", "one", "bb"), 200, "2");
}

static void
test_idempotency_keys (Fixture *fixture, gconstpointer data)
{
  g_autofree char *longest = g_strnfill (REEVE_IDEMPOTENCY_MAX_KEY, 'k');
  g_autofree char *longer = g_strnfill (REEVE_IDEMPOTENCY_MAX_KEY + 1, 'k');
  Answer answer = claim (fixture, "agents.create", longest, "aa");

  g_assert_nonnull (answer.claim);
  store (fixture, answer.claim, 200, "1");
  assert_refused (claim (fixture, "agents.create", longer, "aa"), REEVE_ERROR_INVALID_ARGUMENT);
  assert_refused (claim (fixture, "agents.create", "", "aa"), REEVE_ERROR_INVALID_ARGUMENT);
}

/* Many at once: exactly one performs. */
static void
test_idempotency_race (Fixture *fixture, gconstpointer data)
{
  Answer answers[16] = { { 0 } };
  ReeveIdempotencyClaim *won = NULL;
  guint winners = 0;

  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    reeve_idempotency_claim_async (fixture->idempotency, fixture->caller, "agents.create", "race",
                                   "aa", on_claimed, &answers[i]);
  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      wait_for (&answers[i]);
      if (answers[i].claim != NULL)
        {
          winners++;
          won = answers[i].claim;
        }
      else
        assert_refused (answers[i], REEVE_ERROR_CONFLICT);
    }
  g_assert_cmpuint (winners, ==, 1);
  store (fixture, won, 200, "1");
}

static JsonObject *
do_erase (gpointer object, ReeveAdmitted *admitted, JsonObject *params, GError **error)
{
  return reeve_idempotency_erase (object, admitted, "default",
                                  json_object_get_string_member (params, "user_id"), error)
             ? json_object_new ()
             : NULL;
}

static void
erase (Fixture *fixture, const char *user_id)
{
  g_autofree char *params = g_strdup_printf ("{\"user_id\":\"%s\"}", user_id);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) done
      = directory_fixture_effect (&fixture->host, fixture->caller, "compliance.erase", do_erase,
                                  fixture->idempotency, params, &error);

  g_assert_no_error (error);
  g_assert_nonnull (done);
}

/* Many answers of one user, as they lie in the store. */
static void
fill (Fixture *fixture, const char *user_id, guint count)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new ("default");
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < count; i++)
    {
      g_autoptr (JsonObject) fields = json_object_new ();
      g_autofree char *id = g_strdup_printf ("%064u", i);

      json_object_set_string_member (fields, "fingerprint", "aa");
      json_object_set_int_member (fields, "expires_at", G_MAXINT64);
      json_object_set_string_member (fields, "subject", user_id);
      json_object_set_int_member (fields, "status", 200);
      json_object_set_string_member (fields, "result", "sealed");
      reeve_batch_put (batch, REEVE_STORE_IDEMPOTENCY, id, fields, REEVE_REVISION_ABSENT);
    }
  result = reeve_store_commit (fixture->host.store, batch, &error);
  g_assert_no_error (error);
}

/* How many of a user's answers are kept. */
static guint
count_kept (Fixture *fixture, const char *user_id)
{
  g_autoptr (ReeveQuery) query = reeve_query_new ("default", REEVE_STORE_IDEMPOTENCY);
  g_autoptr (ReeveQueryResult) result = NULL;
  GPtrArray *records = NULL;
  guint kept = 0;

  reeve_query_filter_string (query, "subject", REEVE_FILTER_EQ, user_id);
  reeve_query_limit (query, 500);
  result = reeve_store_query (fixture->host.store, query, NULL);
  g_assert_nonnull (result);
  records = reeve_query_result_get_records (result);
  for (guint i = 0; i < records->len; i++)
    if (json_object_has_member (reeve_record_get_fields (records->pdata[i]), "result"))
      kept++;
  return kept;
}

/* Who was erased is not answered again, and nothing is done again: here, and on another host over
 * the same store. */
static void
test_idempotency_erase (Fixture *fixture, gconstpointer data)
{
  g_autoptr (ReeveIdempotency) mine = g_object_ref (fixture->idempotency);
  g_autoptr (ReeveIdempotency) other
      = reeve_idempotency_new (fixture->host.store, fixture->host.workers);
  g_autoptr (ReeveCaller) admin = reeve_caller_ref (fixture->caller);
  g_autoptr (ReeveCaller) gone = make_caller ("key_a", "admin", "api_key", NULL, NULL);
  Answer running = { 0 };
  Answer apart = claim (fixture, "agents.create", "one", "aa");

  store (fixture, apart.claim, 201, "\"of another\"");
  reeve_caller_unref (fixture->caller);
  fixture->caller = reeve_caller_ref (gone);
  store (fixture, claim (fixture, "agents.create", "one", "aa").claim, 201, "\"canary\"");
  store (fixture, claim (fixture, "agents.execute", "two", "aa").claim, 200, "\"canary\"");
  running = claim (fixture, "agents.create", "three", "aa");
  fill (fixture, "usr_one", 230);
  g_assert_cmpuint (count_kept (fixture, "usr_one"), ==, 232);
  erase (fixture, "usr_one");
  erase (fixture, "usr_one");
  g_assert_cmpuint (count_kept (fixture, "usr_one"), ==, 0);
  for (guint i = 0; i < 3; i++)
    {
      g_set_object (&fixture->idempotency, (i == 1 ? other : mine));
      assert_refused (claim (fixture, "agents.create", "one", "aa"), REEVE_ERROR_CONFLICT);
      assert_refused (claim (fixture, "agents.execute", "two", "aa"), REEVE_ERROR_CONFLICT);
      assert_refused (claim (fixture, "agents.create", "one", "bb"),
                      REEVE_ERROR_IDEMPOTENCY_MISMATCH);
    }
  /* what ends later is answered later */
  assert_refused (claim (fixture, "agents.create", "three", "aa"), REEVE_ERROR_CONFLICT);
  store (fixture, running.claim, 201, "\"later\"");
  assert_answered (claim (fixture, "agents.create", "three", "aa"), 201, "\"later\"");
  reeve_caller_unref (fixture->caller);
  fixture->caller = reeve_caller_ref (admin);
  assert_answered (claim (fixture, "agents.create", "one", "aa"), 201, "\"of another\"");
}

#define ADD(name, func) g_test_add ("/idempotency/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("replay", test_idempotency_replay);
  ADD ("apart", test_idempotency_apart);
  ADD ("credentials", test_idempotency_credentials);
  ADD ("sealed", test_idempotency_sealed);
  ADD ("release", test_idempotency_release);
  ADD ("expiry", test_idempotency_expiry);
  ADD ("keys", test_idempotency_keys);
  ADD ("race", test_idempotency_race);
  ADD ("erase", test_idempotency_erase);
  return g_test_run ();
}
