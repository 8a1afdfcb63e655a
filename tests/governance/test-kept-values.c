/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is kept under a key of each user: bound to its digest, redacted, and gone with the key. */
#include "kept-fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/digests.h"

#define THREADS 2
#define ROUNDS  3

/* One value in the place of another, and one that was changed. */
static void
check_bound (KeptFixture *fixture)
{
  g_autofree char *first = kept_fixture_put (fixture, "the first");
  g_autofree char *second = kept_fixture_put (fixture, "the second");
  g_autoptr (ReeveRecord) record = kept_fixture_record_of (fixture, REEVE_STORE_KEPT_VALUES, first);
  ReeveKeptState state = REEVE_KEPT_READABLE;
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  kept_fixture_write_record (fixture, REEVE_STORE_KEPT_VALUES, second,
                             reeve_record_get_fields (record));
  g_assert_false (reeve_kept_values_open (fixture->values, SCOPE, second, &state, &text, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  g_assert_null (text);
  g_assert_cmpint (kept_fixture_state_of (fixture, first, NULL), ==, REEVE_KEPT_READABLE);
}

static void
test_values_keep (KeptFixture *fixture, gconstpointer data)
{
  g_autofree char *first = kept_fixture_put (fixture, "a value");
  g_autofree char *second = kept_fixture_put (fixture, "a value");
  g_autofree char *plain = reeve_digests_sha256_hex ("a value", strlen ("a value"));
  g_autofree char *text = NULL;

  g_assert_cmpstr (first, !=, second);
  g_assert_cmpstr (first, !=, plain);
  g_assert_cmpuint (strlen (first), ==, 64);
  g_assert_cmpint (kept_fixture_state_of (fixture, first, &text), ==, REEVE_KEPT_READABLE);
  g_assert_cmpstr (text, ==, "a value");
  g_assert_cmpint (kept_fixture_state_of (fixture, plain, NULL), ==, REEVE_KEPT_MISSING);
  check_bound (fixture);
}

static void
test_values_erase (KeptFixture *fixture, gconstpointer data)
{
  g_autofree char *before = kept_fixture_put (fixture, "before");
  g_autofree char *path = kept_fixture_half_of (fixture, 1);
  g_autofree char *beside = g_strconcat (path, ".new", NULL);
  g_autofree char *address = NULL;
  g_autofree char *after = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) nobody = NULL;

  address
      = reeve_kept_values_put_address (fixture->values, SCOPE, fixture->user, "192.0.2.7", &error);
  g_assert_no_error (error);
  /* what a crash in its making leaves: another name of the same file */
  g_assert_cmpint (link (path, beside), ==, 0);
  kept_fixture_erase (fixture);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (beside, G_FILE_TEST_EXISTS));
  g_assert_cmpint (kept_fixture_state_of (fixture, before, NULL), ==, REEVE_KEPT_ERASED);
  g_assert_cmpint (kept_fixture_state_of (fixture, address, NULL), ==, REEVE_KEPT_ERASED);
  g_assert_null (
      reeve_kept_values_find_address (fixture->values, SCOPE, fixture->user, "192.0.2.7"));
  after = kept_fixture_put (fixture, "after");
  g_assert_cmpint (kept_fixture_state_of (fixture, after, NULL), ==, REEVE_KEPT_READABLE);
  g_assert_cmpint (kept_fixture_state_of (fixture, before, NULL), ==, REEVE_KEPT_ERASED);
  nobody = kept_fixture_erase_somebody (fixture, "usr_nobody", &error);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_assert_null (nobody);
  g_clear_error (&error);
  /* of a tenant that is not there nothing is kept, and nothing is left */
  g_assert_null (reeve_kept_values_put (fixture->values, "gone", fixture->user, "x", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_clear_pointer (&path, g_free);
  path = g_build_filename (fixture->host.ledger.keys, "subjects", "gone", NULL);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

static gpointer
put_many (gpointer data)
{
  KeptFixture *fixture = data;
  GPtrArray *digests = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < 8; i++)
    {
      g_autoptr (GError) error = NULL;
      char *digest = reeve_kept_values_put (fixture->values, SCOPE, fixture->user, "x", &error);

      if (digest != NULL)
        g_ptr_array_add (digests, digest);
      else
        g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
    }
  return digests;
}

/* Nothing is ever named that is neither there nor erased, and nothing outlives the last erasure. */
static void
test_values_meanwhile (KeptFixture *fixture, gconstpointer data)
{
  GThread *threads[THREADS];

  for (guint i = 0; i < THREADS; i++)
    threads[i] = g_thread_new ("put", put_many, fixture);
  for (guint i = 0; i < ROUNDS; i++)
    kept_fixture_erase (fixture);
  for (guint i = 0; i < THREADS; i++)
    {
      g_autoptr (GPtrArray) digests = g_thread_join (threads[i]);

      for (guint d = 0; d < digests->len; d++)
        g_assert_cmpint (kept_fixture_state_of (fixture, digests->pdata[d], NULL), !=,
                         REEVE_KEPT_MISSING);
      kept_fixture_erase (fixture);
      for (guint d = 0; d < digests->len; d++)
        g_assert_cmpint (kept_fixture_state_of (fixture, digests->pdata[d], NULL), ==,
                         REEVE_KEPT_ERASED);
    }
}

/* Keys cannot be made, and again can. */
static void
spoil (KeptFixture *fixture, gboolean spoilt)
{
  g_autofree char *path = g_build_filename (fixture->host.ledger.keys, "subjects", NULL);

  if (spoilt)
    g_assert_true (g_file_set_contents (path, "", 0, NULL));
  else
    g_assert_cmpint (g_unlink (path), ==, 0);
}

static JsonObject *
newest (KeptFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  guint64 size = 0;
  JsonObject *record = NULL;

  reeve_ledger_wait (fixture->host.ledger.ledger);
  size = reeve_ledger_get_size (fixture->host.ledger.ledger, SCOPE);
  record = reeve_ledger_get (fixture->host.ledger.ledger, SCOPE, size, &error);
  g_assert_no_error (error);
  return record;
}

static ReeveAdmitted *
begin (KeptFixture *fixture, GError **error)
{
  g_autoptr (JsonNode) body = json_node_init_string (json_node_alloc (), "asked");
  const ReeveAdmissionRequest request = {
    .caller = fixture->admin, .operation = "tests.try", .input_digest = "plain", .body = body
  };

  return reeve_admission_begin (fixture->host.admission, &request, error);
}

static void
on_settled (GObject *source, GAsyncResult *result, gpointer data)
{
  guint64 *seq = data;
  g_autoptr (GError) error = NULL;

  *seq = reeve_admission_settle_finish (REEVE_ADMISSION (source), result, &error);
  g_assert_no_error (error);
}

static JsonObject *
settle (KeptFixture *fixture, ReeveAdmitted *admitted)
{
  g_autoptr (JsonNode) body = json_node_init_string (json_node_alloc (), "answered");
  const ReeveSettlement settlement
      = { .outcome = REEVE_OUTCOME_SUCCEEDED, .output_digest = "plain", .body = body };
  guint64 seq = 0;

  reeve_admitted_consume (admitted, "tests.try");
  reeve_admission_settle_async (fixture->host.admission, admitted, &settlement, on_settled, &seq);
  while (seq == 0)
    g_main_context_iteration (NULL, TRUE);
  return newest (fixture);
}

/* What cannot be kept is not done; what was done is recorded without a digest that can be guessed.
 */
static void
test_values_unkept (KeptFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonObject) after = NULL;
  g_autoptr (JsonObject) outcome = NULL;
  g_autoptr (JsonObject) kept = NULL;
  g_autoptr (GError) error = NULL;
  GLogLevelFlags fatal = 0;
  ReeveAdmitted *admitted = NULL;

  /* nothing is kept yet, so that an outcome alone can fail */
  admitted = begin (fixture, &error);
  g_assert_no_error (error);
  reeve_admission_set_kept_values (fixture->host.admission, fixture->values, fixture->host.workers);
  spoil (fixture, TRUE);
  /* the log of the host is told */
  fatal = g_log_set_always_fatal (G_LOG_FATAL_MASK);
  outcome = settle (fixture, admitted);
  g_assert_cmpstr (reeve_json_get_string (outcome, "kind", ""), ==, "outcome");
  g_assert_false (json_object_has_member (outcome, "output_digest"));
  g_assert_false (json_object_has_member (outcome, "kept"));
  g_assert_null (begin (fixture, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  after = newest (fixture);
  g_assert_cmpint (reeve_json_get_int (after, "seq", 0), ==,
                   reeve_json_get_int (outcome, "seq", -1));
  g_log_set_always_fatal (fatal);
  spoil (fixture, FALSE);
  admitted = begin (fixture, &error);
  g_assert_no_error (error);
  kept = settle (fixture, admitted);
  g_assert_cmpint (reeve_json_get_int (kept, "kept", 0), ==, 1);
  g_assert_cmpstr (reeve_json_get_string (kept, "output_digest", "plain"), !=, "plain");
}

static guint
count_kept (KeptFixture *fixture)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (SCOPE, REEVE_STORE_KEPT_VALUES);
  g_autoptr (ReeveQueryResult) found = NULL;
  g_autoptr (GError) error = NULL;

  /* what nobody waits for is done before what asks for it */
  reeve_ledger_wait (fixture->host.ledger.ledger);
  found = reeve_store_query (fixture->host.store, query, &error);
  g_assert_no_error (error);
  return reeve_query_result_get_records (found)->len;
}

static gboolean
refuse (const ReeveAdmissionRequest *request, const ReeveSettlement *settlement, gpointer data,
        GError **error)
{
  if (!*(gboolean *) data)
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED, "no");
  return FALSE;
}

/* What is changed was looked at; that is kept for an intent, and not for a refusal. */
static void
test_values_refused (KeptFixture *fixture, gconstpointer data)
{
  g_autoptr (JsonNode) state = json_node_init_string (json_node_alloc (), "how it is");
  const ReeveAdmissionRequest request
      = { .caller = fixture->admin, .operation = "tests.try", .state = state };
  gboolean refusing = FALSE;
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_FAILED };
  g_autoptr (JsonObject) refusal = NULL;
  g_autoptr (JsonObject) intent = NULL;
  g_autoptr (GError) error = NULL;
  ReeveAdmitted *admitted = NULL;
  guint before = 0;

  reeve_admission_set_kept_values (fixture->host.admission, fixture->values, fixture->host.workers);
  reeve_admission_add_check (fixture->host.admission, REEVE_STAGE_AUTHORISE, refuse, &refusing);
  /* where he calls from is kept once */
  admitted = reeve_admission_begin (fixture->host.admission, &request, &error);
  g_assert_no_error (error);
  intent = newest (fixture);
  g_assert_true (json_object_has_member (intent, "state_digest"));
  before = count_kept (fixture);
  refusing = TRUE;
  g_assert_null (reeve_admission_begin (fixture->host.admission, &request, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
  refusal = newest (fixture);
  g_assert_cmpstr (reeve_json_get_string (refusal, "kind", ""), ==, "refusal");
  g_assert_false (json_object_has_member (refusal, "state_digest"));
  g_assert_cmpuint (count_kept (fixture), ==, before);
  reeve_admission_settle_async (fixture->host.admission, admitted, &settlement, NULL, NULL);
}

static char *
describe (const char *json, const char *digest)
{
  g_autoptr (JsonNode) node
      = json != NULL ? reeve_json_parse_strict (json, strlen (json), NULL) : NULL;

  return reeve_kept_values_describe (node, digest);
}

static void
test_values_describe (void)
{
  static const struct
  {
    const char *json;
    const char *digest;
    const char *expected;
  } rows[] = {
    { NULL, "d1", "{\"digest\":\"d1\"}" },
    { "{\"b\":1,\"a\":[true,null,\"x\"]}", NULL, "{\"body\":{\"a\":[true,null,\"x\"],\"b\":1}}" },
    { "{\"password\":\"p\",\"max_tokens\":5}", "d",
      "{\"body\":{\"max_tokens\":5,\"password\":\"***\"},\"digest\":\"d\"}" },
    { "{\"l\":[{\"client_secret\":{\"a\":1}}],\"api_key\":null}", "d",
      "{\"body\":{\"api_key\":null,\"l\":[{\"client_secret\":\"***\"}]},\"digest\":\"d\"}" },
    { "\"ask with Bearer abcdef1234567890 please\"", NULL,
      "{\"body\":\"ask with Bearer *** please\"}" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *text = describe (rows[i].json, rows[i].digest);

      g_assert_cmpstr (text, ==, rows[i].expected);
    }
}

/* Cut between characters; what is as long as may be is whole. */
static void
test_values_long (void)
{
  for (guint extra = 0; extra < 4; extra++)
    {
      g_autoptr (GString) json = g_string_new ("\"");
      g_autofree char *text = NULL;
      g_autoptr (JsonNode) node = NULL;
      const char *kept = NULL;

      for (guint i = 0; i < extra; i++)
        g_string_append_c (json, 'x');
      while (json->len < REEVE_KEPT_VALUES_BODY)
        g_string_append (json, "\xe2\x82\xac");
      g_string_append_c (json, '"');
      text = describe (json->str, NULL);
      node = reeve_json_parse_strict (text, strlen (text), NULL);
      g_assert_nonnull (node);
      kept = reeve_json_get_string (json_node_get_object (node), "text", NULL);
      g_assert_nonnull (kept);
      g_assert_true (reeve_json_get_boolean (json_node_get_object (node), "cut", FALSE));
      g_assert_cmpuint (strlen (kept), <=, REEVE_KEPT_VALUES_BODY);
      g_assert_cmpuint (strlen (kept), >, REEVE_KEPT_VALUES_BODY - 4);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func)                                                                            \
  g_test_add (path, KeptFixture, NULL, kept_fixture_set_up, func, kept_fixture_tear_down)
  ADD ("/kept-values/keep", test_values_keep);
  ADD ("/kept-values/erase", test_values_erase);
  ADD ("/kept-values/meanwhile", test_values_meanwhile);
  ADD ("/kept-values/unkept", test_values_unkept);
  ADD ("/kept-values/refused", test_values_refused);
#undef ADD
  g_test_add_func ("/kept-values/describe", test_values_describe);
  g_test_add_func ("/kept-values/long", test_values_long);
  return g_test_run ();
}
