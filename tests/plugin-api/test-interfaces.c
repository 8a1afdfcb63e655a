/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the host sees when a plugin answers, fails, fails silently, does both, or implements
 * nothing: the same for every function of every interface. */
#include "fake-plugin.h"

typedef struct
{
  ReeveContext *context;
  ReeveLlmRequest *request;
  JsonObject *object;
  guint deltas;
} Fixture;

/* one function of an interface, called on any implementation: whether a result came */
typedef gboolean (*Probe) (gpointer plugin, Fixture *fixture, GError **error);

static gboolean
test_interfaces_count (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  Fixture *fixture = user_data;

  g_assert_cmpuint (delta->struct_size, ==, sizeof *delta);
  fixture->deltas++;
  return TRUE;
}

static gboolean
test_interfaces_refuse (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CANCELLED, "enough");
  return FALSE;
}

static gboolean
test_interfaces_list (gpointer plugin, Fixture *fixture, GError **error)
{
  g_autoptr (GPtrArray) tools = reeve_tool_list (plugin, fixture->context, error);

  return tools != NULL;
}

static gboolean
test_interfaces_call (gpointer plugin, Fixture *fixture, GError **error)
{
  g_autoptr (ReeveToolResult) result
      = reeve_tool_call (plugin, "fake", fixture->object, fixture->context, error);

  return result != NULL;
}

static gboolean
test_interfaces_extract (gpointer plugin, Fixture *fixture, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);
  g_autoptr (ReeveExtract) extract
      = reeve_extractor_extract (plugin, bytes, "text/plain", NULL, fixture->context, error);

  return extract != NULL;
}

static gboolean
test_interfaces_encode (gpointer plugin, Fixture *fixture, GError **error)
{
  g_autoptr (ReeveHttpRequest) request = reeve_llm_codec_encode (plugin, fixture->request, error);

  return request != NULL;
}

static gboolean
test_interfaces_feed (gpointer plugin, Fixture *fixture, GError **error)
{
  return reeve_llm_decoder_feed (plugin, (const guint8 *) "x", 1, test_interfaces_count, fixture,
                                 error);
}

static gboolean
test_interfaces_finish (gpointer plugin, Fixture *fixture, GError **error)
{
  return reeve_llm_decoder_finish (plugin, test_interfaces_count, fixture, error);
}

static gboolean
test_interfaces_generate (gpointer plugin, Fixture *fixture, GError **error)
{
  return reeve_llm_engine_generate (plugin, fixture->request, fixture->context,
                                    test_interfaces_count, fixture, error);
}

static const struct
{
  const char *name;
  Probe probe;
} probes[] = {
  { "list", test_interfaces_list },         { "call", test_interfaces_call },
  { "extract", test_interfaces_extract },   { "encode", test_interfaces_encode },
  { "feed", test_interfaces_feed },         { "finish", test_interfaces_finish },
  { "generate", test_interfaces_generate },
};

static void
test_interfaces_begin_fixture (Fixture *fixture)
{
  fixture->context = reeve_context_new (NULL, NULL, NULL);
  fixture->request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "m");
  fixture->object = json_object_new ();
  fixture->deltas = 0;
}

static void
test_interfaces_end_fixture (Fixture *fixture)
{
  g_object_unref (fixture->context);
  reeve_llm_request_unref (fixture->request);
  json_object_unref (fixture->object);
}

static void
test_interfaces_every (gconstpointer data)
{
  Probe probe = probes[GPOINTER_TO_UINT (data)].probe;
  const char *name = probes[GPOINTER_TO_UINT (data)].name;
  g_autoptr (FakePlugin) plugin = fake_plugin_new (FAKE_GOOD);
  g_autoptr (FakeBare) bare = fake_bare_new ();
  g_autoptr (GError) error = NULL;
  Fixture fixture = { 0 };

  test_interfaces_begin_fixture (&fixture);
  g_assert_true (probe (plugin, &fixture, &error));
  g_assert_no_error (error);
  g_assert_true (probe (plugin, &fixture, NULL));

  fake_plugin_set_manner (plugin, FAKE_FAIL);
  g_assert_false (probe (plugin, &fixture, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM);
  g_assert_cmpstr (error->message, ==, "as told");
  g_clear_error (&error);
  g_assert_false (probe (plugin, &fixture, NULL));

  fake_plugin_set_manner (plugin, FAKE_SILENT);
  g_assert_false (probe (plugin, &fixture, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  g_assert_nonnull (strstr (error->message, "FakePlugin"));
  g_assert_nonnull (strstr (error->message, name));
  g_clear_error (&error);
  g_assert_cmpuint (fake_plugin_get_calls (plugin), ==, 5);

  g_assert_false (probe (bare, &fixture, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, name));
  test_interfaces_end_fixture (&fixture);
}

/* a result beside an error is a result, and the log says so */
static void
test_interfaces_both (void)
{
  if (g_test_subprocess ())
    {
      g_autoptr (FakePlugin) plugin = fake_plugin_new (FAKE_BOTH);
      g_autoptr (GError) error = NULL;
      Fixture fixture = { 0 };

      g_log_set_always_fatal (G_LOG_FATAL_MASK);
      test_interfaces_begin_fixture (&fixture);
      for (guint i = 0; i < G_N_ELEMENTS (probes); i++)
        {
          g_assert_true (probes[i].probe (plugin, &fixture, &error));
          g_assert_no_error (error);
        }
      test_interfaces_end_fixture (&fixture);
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
  for (guint i = 0; i < G_N_ELEMENTS (probes); i++)
    {
      g_autofree char *pattern
          = g_strdup_printf ("*FakePlugin.%s succeeded and set an error: as told*", probes[i].name);

      g_test_trap_assert_stderr (pattern);
    }
}

static void
test_interfaces_authenticate (void)
{
  ReeveCredentials credentials
      = { .struct_size = sizeof credentials, .scheme = "bearer", .token = "t", .door = "rest" };
  g_autoptr (FakePlugin) plugin = fake_plugin_new (FAKE_GOOD);
  g_autoptr (FakeBare) bare = fake_bare_new ();
  g_autoptr (ReeveIdentity) identity = NULL;
  g_autoptr (GError) error = NULL;
  Fixture fixture = { 0 };

  test_interfaces_begin_fixture (&fixture);
  identity = reeve_auth_authenticate (REEVE_AUTH (plugin), &credentials, fixture.context, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (reeve_identity_get_user_id (identity), ==, "usr_1");

  /* not of its kind: the next provider is asked */
  fake_plugin_set_manner (plugin, FAKE_SILENT);
  g_assert_null (
      reeve_auth_authenticate (REEVE_AUTH (plugin), &credentials, fixture.context, &error));
  g_assert_no_error (error);

  fake_plugin_set_manner (plugin, FAKE_FAIL);
  g_assert_null (
      reeve_auth_authenticate (REEVE_AUTH (plugin), &credentials, fixture.context, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM);
  g_clear_error (&error);

  /* fails closed: an error wins over an identity */
  fake_plugin_set_manner (plugin, FAKE_BOTH);
  g_assert_null (
      reeve_auth_authenticate (REEVE_AUTH (plugin), &credentials, fixture.context, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM);
  g_clear_error (&error);
  g_assert_null (
      reeve_auth_authenticate (REEVE_AUTH (plugin), &credentials, fixture.context, NULL));

  g_assert_null (
      reeve_auth_authenticate (REEVE_AUTH (bare), &credentials, fixture.context, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  /* one that needs no warming is ready, and one that cannot say is asked */
  g_assert_true (reeve_auth_warm (REEVE_AUTH (bare), fixture.context, &error));
  g_assert_no_error (error);
  g_assert_true (reeve_auth_knows (REEVE_AUTH (bare), &credentials));
  test_interfaces_end_fixture (&fixture);
}

static void
test_interfaces_media_types (void)
{
  g_autoptr (FakePlugin) plugin = fake_plugin_new (FAKE_GOOD);
  g_autoptr (FakeBare) bare = fake_bare_new ();

  g_assert_cmpstr (reeve_extractor_media_types (REEVE_EXTRACTOR (plugin))[0], ==, "text/plain");
  fake_plugin_set_manner (plugin, FAKE_FAIL);
  g_assert_null (reeve_extractor_media_types (REEVE_EXTRACTOR (plugin))[0]);
  g_assert_null (reeve_extractor_media_types (REEVE_EXTRACTOR (bare))[0]);
}

static void
test_interfaces_decoder (void)
{
  g_autoptr (FakePlugin) plugin = fake_plugin_new (FAKE_GOOD);
  g_autoptr (FakeBare) bare = fake_bare_new ();
  g_autoptr (ReeveHttpResponse) head = reeve_http_response_new (200);
  g_autoptr (ReeveLlmDecoder) decoder = NULL;
  g_autoptr (GError) error = NULL;
  Fixture fixture = { 0 };

  test_interfaces_begin_fixture (&fixture);
  decoder = reeve_llm_codec_decoder (REEVE_LLM_CODEC (plugin), fixture.request);
  g_assert_true (reeve_llm_decoder_begin (decoder, head, &error));
  g_assert_no_error (error);
  g_assert_true (test_interfaces_feed (decoder, &fixture, &error));
  g_assert_true (test_interfaces_finish (decoder, &fixture, &error));
  g_assert_cmpuint (fixture.deltas, ==, 2);

  g_assert_false (reeve_llm_decoder_feed (decoder, NULL, 0, test_interfaces_refuse, NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  g_clear_error (&error);

  fake_plugin_set_manner (plugin, FAKE_FAIL);
  g_assert_false (reeve_llm_decoder_begin (decoder, head, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM);
  g_clear_error (&error);

  /* that function may be left out */
  g_assert_true (reeve_llm_decoder_begin (REEVE_LLM_DECODER (bare), head, &error));
  g_assert_no_error (error);
  test_interfaces_end_fixture (&fixture);
}

static void
test_interfaces_no_decoder (void)
{
  g_autoptr (FakeBare) bare = fake_bare_new ();
  g_autoptr (ReeveLlmRequest) request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "m");

  g_test_expect_message ("reeve-plugin", G_LOG_LEVEL_CRITICAL, "*iface->decoder != NULL*");
  g_assert_null (reeve_llm_codec_decoder (REEVE_LLM_CODEC (bare), request));
  g_test_assert_expected_messages ();
}

static void
test_interfaces_setup (void)
{
  g_autoptr (FakePlugin) plugin = fake_plugin_new (FAKE_FAIL);
  g_autoptr (FakeBare) bare = fake_bare_new ();
  g_autoptr (GError) error = NULL;
  Fixture fixture = { 0 };

  test_interfaces_begin_fixture (&fixture);
  g_assert_false (
      reeve_plugin_setup (REEVE_PLUGIN (plugin), fixture.object, fixture.context, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM);
  g_clear_error (&error);
  /* what was not set up is not shut down */
  reeve_plugin_shutdown (REEVE_PLUGIN (plugin));
  g_assert_cmpuint (fake_plugin_get_calls (plugin), ==, 1);

  fake_plugin_set_manner (plugin, FAKE_SILENT);
  g_assert_false (
      reeve_plugin_setup (REEVE_PLUGIN (plugin), fixture.object, fixture.context, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  g_clear_error (&error);

  fake_plugin_set_manner (plugin, FAKE_GOOD);
  g_assert_true (
      reeve_plugin_setup (REEVE_PLUGIN (plugin), fixture.object, fixture.context, &error));
  g_assert_no_error (error);
  g_test_expect_message ("reeve-plugin", G_LOG_LEVEL_CRITICAL, "*is_set_up*");
  g_assert_false (
      reeve_plugin_setup (REEVE_PLUGIN (plugin), fixture.object, fixture.context, NULL));
  g_test_assert_expected_messages ();
  reeve_plugin_shutdown (REEVE_PLUGIN (plugin));
  reeve_plugin_shutdown (REEVE_PLUGIN (plugin));
  g_assert_cmpuint (fake_plugin_get_calls (plugin), ==, 4);

  g_assert_true (reeve_plugin_setup (REEVE_PLUGIN (bare), fixture.object, fixture.context, &error));
  g_assert_no_error (error);
  reeve_plugin_shutdown (REEVE_PLUGIN (bare));
  test_interfaces_end_fixture (&fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (probes); i++)
    {
      g_autofree char *path = g_strdup_printf ("/interfaces/every/%s", probes[i].name);

      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_interfaces_every);
    }
  g_test_add_func ("/interfaces/both", test_interfaces_both);
  g_test_add_func ("/interfaces/authenticate", test_interfaces_authenticate);
  g_test_add_func ("/interfaces/media-types", test_interfaces_media_types);
  g_test_add_func ("/interfaces/decoder", test_interfaces_decoder);
  g_test_add_func ("/interfaces/no-decoder", test_interfaces_no_decoder);
  g_test_add_func ("/interfaces/setup", test_interfaces_setup);
  return g_test_run ();
}
