/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The model router over real sockets: routing, answers, what is tried again and what never is,
 * cancelling, engines. */
#include <string.h>

#include "governance/delegation.h"
#include "runtime/models.h"
#include "fake-models.h"
#include "hostile-server.h"

#define JSON_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
#define SSE_HEAD  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
#define ANSWER                                                                                     \
  "{\"choices\":[{\"message\":{\"content\":\"yes\"},\"finish_reason\":\"stop\"}],\"usage\":{"      \
  "\"prompt_tokens\":7,\"completion_tokens\":1}}"
#define ANSWERED JSON_HEAD "116\r\n\r\n" ANSWER

static const HostileStep good[] = { READ, SEND (ANSWERED), LOOP };

static void
test_whole (World *world, gconstpointer data)
{
  g_autoptr (ReeveModelResponse) response = NULL;
  g_autofree char *sent = NULL;

  world_serve (world, good);
  response = world_ask (world, "m1");
  g_assert_no_error (world->error);
  g_assert_cmpstr (response->content, ==, "yes");
  g_assert_cmpstr (response->provider, ==, "local");
  g_assert_cmpstr (response->model, ==, "m1");
  g_assert_cmpstr (response->finish_reason, ==, "stop");
  g_assert_cmpint (response->input_tokens, ==, 7);
  g_assert_cmpint (response->output_tokens, ==, 1);
  g_assert_cmpint (response->cached_tokens, ==, -1);
  g_assert_null (response->tool_calls);
  g_assert_null (response->raw);
  g_assert_cmpstr (world->log->str, ==, "text yes;usage;finish stop;");
  g_assert_cmpuint (world->consumed, ==, 1);
  sent = hostile_server_dup_last (world->server);
  g_assert_nonnull (strstr (sent, "\r\nAuthorization: Bearer sk-secret\r\n"));
  g_assert_nonnull (strstr (sent, "POST /v1/chat/completions HTTP/1.1\r\n"));
  g_assert_nonnull (strstr (sent, "{\"model\":\"m1\",\"messages\":[{"));
}

static void
test_raw (World *world, gconstpointer data)
{
  static const char body[]
      = "{\"model\":\"local/m1\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],  \"n\":1}";
  g_autoptr (GBytes) raw = g_bytes_new_static (body, strlen (body));
  g_autoptr (ReeveModelResponse) response = NULL;
  g_autofree char *sent = NULL;

  world_serve (world, good);
  world->raw = raw;
  response = world_ask (world, "local/m1");
  g_assert_no_error (world->error);
  g_assert_cmpstr (g_bytes_get_data (response->raw, NULL), ==, ANSWER);
  sent = hostile_server_dup_last (world->server);
  g_assert_nonnull (strstr (
      sent, "{\"model\":\"m1\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],  \"n\":1}"));
}

/* Preparing sends nothing and takes no right; what was prepared is what is sent, unless the limit
 * has changed since. */
static void
test_prepared (World *world, gconstpointer data)
{
  g_autoptr (ReeveLlmRequest) request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, "local/m1");
  ReeveModelPrepared *dropped = NULL;
  const guint lowered[] = { 0, 5 };

  world_serve (world, good);
  dropped = reeve_models_prepare (world->models, request);
  g_assert_nonnull (dropped);
  reeve_model_prepared_free (dropped);
  world->prepare = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (lowered); i++)
    {
      g_autoptr (ReeveModelResponse) response = NULL;
      g_autofree char *sent = NULL;

      world->lowered = lowered[i];
      response = world_ask (world, "local/m1");
      g_assert_no_error (world->error);
      g_assert_cmpstr (response->content, ==, "yes");
      g_assert_cmpuint (world->consumed, ==, i + 1);
      g_assert_cmpuint (hostile_server_count_requests (world->server), ==, i + 1);
      sent = hostile_server_dup_last (world->server);
      g_assert_nonnull (strstr (sent, "{\"model\":\"m1\",\"messages\":[{"));
      g_assert_nonnull (strstr (sent, "\r\nAuthorization: Bearer sk-secret\r\n"));
      g_assert_true ((strstr (sent, "\"max_tokens\":5") != NULL) == (lowered[i] == 5));
    }
}

/* What cannot be prepared is told when it is to be sent, and takes no right. */
static void
test_unprepared (World *world, gconstpointer data)
{
  g_autoptr (ReeveModelResponse) response = NULL;

  world_serve (world, good);
  world->prepare = TRUE;
  response = world_ask (world, "local/");
  g_assert_null (response);
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  world_add_codec (world, "elsewhere", "http://192.0.2.1/v1");
  response = world_ask (world, "elsewhere/m1");
  g_assert_null (response);
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
  g_assert_cmpuint (world->consumed, ==, 0);
  g_assert_cmpuint (hostile_server_count_connections (world->server), ==, 0);
}

static void
test_stream (World *world, gconstpointer data)
{
  static const HostileStep stream[]
      = { READ, SEND (SSE_HEAD),
          SPLIT ("data: {\"choices\":[{\"delta\":{\"reasoning\":\"hm\"}}]}\n\n"
                 "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"
                 "data: "
                 "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":"
                 "\"f\",\"arguments\":\"{\\\"\"}}]}}]}\n\n"
                 "data: "
                 "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{"
                 "\"arguments\":\"a\\\":1}\"}}]}}]}\n\n"
                 "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: "
                 "[DONE]\n\n"),
          END };
  g_autoptr (ReeveModelResponse) response = NULL;
  JsonObject *call = NULL;
  JsonObject *function = NULL;

  world_serve (world, stream);
  world->stream = TRUE;
  response = world_ask (world, "m1");
  g_assert_no_error (world->error);
  g_assert_cmpstr (world->log->str, ==,
                   "thought hm;text a;call {\";call a\":1};finish tool_calls;");
  g_assert_cmpstr (response->thought, ==, "hm");
  g_assert_cmpuint (json_array_get_length (response->tool_calls), ==, 1);
  call = json_array_get_object_element (response->tool_calls, 0);
  function = reeve_json_get_object (call, "function");
  /* the server left the id out: it gets one */
  g_assert_true (g_str_has_prefix (reeve_json_get_string (call, "id", ""), "call_"));
  g_assert_cmpstr (reeve_json_get_string (call, "type", NULL), ==, "function");
  g_assert_cmpstr (reeve_json_get_string (function, "name", NULL), ==, "f");
  g_assert_cmpstr (reeve_json_get_string (function, "arguments", NULL), ==, "{\"a\":1}");
}

/* What is tried again, and how often the service sees it: only what certainly did no work. */
static void
test_retries (World *world, gconstpointer data)
{
  static const HostileStep limited[]
      = { READ, SEND ("HTTP/1.1 429 Slow\r\nRetry-After: 0\r\nContent-Length: 2\r\n\r\n{}"), READ,
          SEND (ANSWERED), LOOP };
  static const HostileStep always[]
      = { READ, SEND ("HTTP/1.1 429 Slow\r\nRetry-After: 0\r\nContent-Length: 2\r\n\r\n{}"), LOOP };
  static const HostileStep patient[]
      = { READ, SEND ("HTTP/1.1 429 Slow\r\nRetry-After: 3600\r\nContent-Length: 2\r\n\r\n{}"),
          LOOP };
  static const HostileStep busy[]
      = { READ, SEND ("HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 2\r\n\r\n{}"), READ,
          SEND (ANSWERED), LOOP };
  static const HostileStep silent[]
      = { READ, SEND ("HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\n{}"), LOOP };
  static const HostileStep broken[]
      = { READ, SEND ("HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n{}"), LOOP };
  static const HostileStep gone[] = { READ, END };
  static const HostileStep cut[] = { READ, SEND (JSON_HEAD "116\r\n\r\n{\"choices\""), END };
  const struct
  {
    const HostileStep *script;
    int code;
    guint requests;
  } cases[] = { { limited, -1, 2 },
                { always, REEVE_ERROR_RATE_LIMITED, 3 },
                { patient, REEVE_ERROR_RATE_LIMITED, 1 },
                { busy, -1, 2 },
                { silent, REEVE_ERROR_UNAVAILABLE, 1 },
                { broken, REEVE_ERROR_UPSTREAM, 1 },
                { gone, REEVE_ERROR_UNKNOWN_OUTCOME, 1 },
                { cut, REEVE_ERROR_UPSTREAM, 1 } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ReeveModelResponse) response = NULL;

      world_reset (world);
      world_serve (world, cases[i].script);
      response = world_ask (world, "m1");
      if (cases[i].code < 0)
        g_assert_no_error (world->error);
      else
        g_assert_error (world->error, REEVE_ERROR, cases[i].code);
      g_assert_true ((response != NULL) == (cases[i].code < 0));
      g_assert_cmpuint (hostile_server_count_requests (world->server), ==, cases[i].requests);
      g_assert_cmpuint (world->consumed, ==, 1);
    }
}

static void
test_refused_connection (World *world, gconstpointer data)
{
  g_autoptr (ReeveModelResponse) response = NULL;

  world_serve (world, good);
  g_clear_pointer (&world->server, hostile_server_free);
  response = world_ask (world, "m1");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);
  g_assert_true (g_str_has_prefix (world->error->message, "model provider local: "));
  g_assert_null (strstr (world->error->message, "sk-secret"));
  g_assert_cmpuint (world->consumed, ==, 1);
}

/* Nothing left: the admission was not used. */
static void
test_unsent (World *world, gconstpointer data)
{
  g_autoptr (ReeveModelResponse) late = NULL;
  g_autoptr (ReeveModelResponse) bad = NULL;
  g_autoptr (ReeveModelResponse) astray = NULL;
  g_autoptr (ReeveModelResponse) unknown = NULL;
  g_autoptr (GBytes) raw = g_bytes_new_static ("{\"model\":", 9);

  world_serve (world, good);
  world->deadline = g_get_monotonic_time () - 1;
  late = world_ask (world, "m1");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_TIMEOUT);
  world->deadline = 0;
  world->raw = raw;
  bad = world_ask (world, "m1");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  world->raw = NULL;
  /* a codec that wants to carry the key elsewhere */
  world_add_codec (world, "thief", "http://127.0.0.1:9/v1");
  astray = world_ask (world, "thief/m1");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
  unknown = world_ask (world, "local/");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  g_assert_cmpuint (world->consumed, ==, 0);
  g_assert_cmpuint (hostile_server_count_requests (world->server), ==, 0);
}

/* Addresses that begin alike are not the same place. */
static void
test_astray (World *world, gconstpointer data)
{
  guint port = 0;

  world_serve (world, good);
  port = hostile_server_get_port (world->server);
  for (guint i = 0; i < 3; i++)
    {
      const char *const ends[] = { "", "/v1", "?/v1" };
      g_autofree char *base = g_strdup_printf ("http://127.0.0.1:%u%s", port / 10, ends[i]);
      g_autofree char *id = g_strdup_printf ("thief%u", i);
      g_autofree char *model = g_strdup_printf ("%s/m1", id);
      g_autoptr (ReeveModelResponse) response = NULL;

      world_add_codec (world, id, base);
      response = world_ask (world, model);
      g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
    }
  g_assert_cmpuint (hostile_server_count_requests (world->server), ==, 0);
}

static void
test_deadline (World *world, gconstpointer data)
{
  static const HostileStep slow[] = { READ, HOLD, END };
  g_autoptr (ReeveModelResponse) response = NULL;

  world_serve (world, slow);
  world->deadline = g_get_monotonic_time () + 2 * G_USEC_PER_SEC; /* long enough to be sent */
  response = world_ask (world, "m1");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_TIMEOUT);
  g_assert_cmpuint (world->consumed, ==, 1);
}

static gpointer
cancel_asked (gpointer data)
{
  World *world = data;

  while (hostile_server_count_requests (world->server) == 0)
    g_usleep (1000);
  g_cancellable_cancel (world->cancellable);
  return NULL;
}

static void
test_cancel (World *world, gconstpointer data)
{
  static const HostileStep slow[] = { READ, HOLD, END };
  g_autoptr (ReeveModelResponse) response = NULL;
  g_autoptr (ReeveModelResponse) never = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GThread *thread = NULL;

  world_serve (world, slow);
  world->cancellable = cancellable;
  thread = g_thread_new ("cancel", cancel_asked, world);
  response = world_ask (world, "m1");
  g_thread_join (thread);
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  g_assert_cmpuint (world->consumed, ==, 1);
  never = world_ask (world, "m1");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  g_assert_cmpuint (world->consumed, ==, 1);
}

static void
test_stop (World *world, gconstpointer data)
{
  g_autoptr (ReeveModelResponse) response = NULL;
  g_autoptr (ReeveModelResponse) engine = NULL;

  world_serve (world, good);
  world->stop = TRUE;
  response = world_ask (world, "m1");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
  world_add_engine (world, "own");
  engine = world_ask (world, "own");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
}

static void
test_leave (World *world, gconstpointer data)
{
  static const HostileStep slow[] = { READ, HOLD, END };
  g_autoptr (ReeveModelResponse) response = NULL;

  world_serve (world, slow);
  world_begin (world, "m1");
  while (hostile_server_count_requests (world->server) == 0)
    {
      g_main_context_iteration (world->context, FALSE);
      g_usleep (1000);
    }
  reeve_models_leave (world->models);
  response = world_finish (world);
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
}

static void
test_engine (World *world, gconstpointer data)
{
  g_autoptr (ReeveModelResponse) response = NULL;
  g_autoptr (ReeveModelResponse) failed = NULL;

  world_add_engine (world, "own");
  response = world_ask (world, "own/big");
  g_assert_no_error (world->error);
  g_assert_cmpstr (world->log->str, ==, "text one ;text two ;text three ;usage;finish stop;");
  g_assert_cmpstr (response->content, ==, "one two three ");
  g_assert_cmpstr (response->model, ==, "big");
  g_assert_cmpint (response->input_tokens, ==, 3);
  g_assert_cmpuint (world->consumed, ==, 1);
  failed = world_ask (world, "own/fail");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_FAILED);
  g_assert_true (g_str_has_prefix (world->error->message, "model provider own: "));
}

/* One that keeps the context of a call that is over has nothing of it: neither of one that went
 * well nor of one that failed. */
static void
test_engine_is_over (World *world, gconstpointer data)
{
  static const char *const names[] = { "own/big", "own/fail" };
  static const char *const roles[] = { "viewer", NULL };
  g_autoptr (ReeveIdentity) identity = reeve_identity_new ("t", "usr_1", roles, "api_key");

  world->caller = reeve_caller_new (identity, "t", FALSE, 0, "rest", NULL);
  world_add_engine (world, "own");
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (ReeveModelResponse) response = world_ask (world, names[i]);
      ReeveContext *kept = g_object_get_data (world->plugins->pdata[0], "context");
      g_autoptr (ReeveDelegation) none = NULL;
      g_autoptr (GError) error = NULL;

      g_assert_true (reeve_delegation_is_known (kept));
      none = reeve_delegation_find (kept, "net.http", &error);
      g_assert_null (none);
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
    }
  g_clear_pointer (&world->caller, reeve_caller_unref);
}

static void
test_engine_busy (World *world, gconstpointer data)
{
  g_autoptr (ReeveModelResponse) response = NULL;

  world_add_engine (world, "own");
  reeve_workers_shutdown (world->workers);
  response = world_ask (world, "own");
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);
  g_assert_cmpuint (world->consumed, ==, 0);
}

static void
test_routing (World *world, gconstpointer data)
{
  static const struct
  {
    const char *model, *provider, *name;
  } cases[] = {
    { "local/m1", "local", "m1" },
    { "own/x", "own", "x" },
    { "m1", "local", "m1" },
    { "meta-llama/Llama-3", "local", "meta-llama/Llama-3" },
    { "local/org/m", "local", "org/m" },
    { "own", "own", "default" },
    { NULL, "local", "gpt" },
    { "", "local", "gpt" },
    { "local", "local", "gpt" },
    { "local/", NULL, NULL },
  };
  g_autofree char *fallback = NULL;
  g_autoptr (JsonArray) list = NULL;
  g_autoptr (GString) ids = g_string_new (NULL);

  world_serve (world, good);
  world_add_engine (world, "own");
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *provider = NULL;
      g_autofree char *name = NULL;
      g_autoptr (GError) error = NULL;

      if (reeve_models_resolve (world->models, cases[i].model, &provider, &name, &error))
        g_assert_no_error (error);
      else
        g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
      g_assert_cmpstr (provider, ==, cases[i].provider);
      g_assert_cmpstr (name, ==, cases[i].name);
    }
  fallback = reeve_models_get_default (world->models);
  g_assert_cmpstr (fallback, ==, "local/gpt");
  list = reeve_models_list (world->models);
  for (guint i = 0; i < json_array_get_length (list); i++)
    {
      JsonObject *row = json_array_get_object_element (list, i);

      g_string_append_printf (ids, "%s %s %d;", reeve_json_get_string (row, "id", ""),
                              reeve_json_get_string (row, "kind", ""),
                              reeve_json_get_boolean (row, "default", FALSE));
    }
  g_assert_cmpstr (ids->str, ==, "local/gpt remote 1;local/m1 remote 0;own/default embedded 0;");
}

static void
test_no_provider (World *world, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) settings = json_object_new ();

  g_assert_false (reeve_models_resolve (world->models, "x", NULL, NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
  g_assert_null (reeve_models_get_default (world->models));
  g_clear_error (&error);
  world_add_engine (world, "own");
  g_assert_false (world_try_add (world, "own", settings, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
  g_clear_error (&error);
  g_assert_false (world_try_add (world, "agent", settings, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
  g_clear_error (&error);
  g_assert_false (world_try_add (world, "a/b", settings, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
}

static void
test_embed (World *world, gconstpointer data)
{
  static const HostileStep vectors[] = {
    READ,
    SEND (
        JSON_HEAD
        "98\r\n\r\n{\"data\":[{\"index\":1,\"embedding\":[0.5,1]},{\"index\":0,\"embedding\":[2]}],"
        "\"usage\":{\"prompt_tokens\":4}}"),
    LOOP
  };
  g_autoptr (ReeveModelResponse) response = NULL;
  GArray *second = NULL;

  world_serve (world, vectors);
  world->task = REEVE_LLM_TASK_EMBED;
  response = world_ask (world, "m1");
  g_assert_no_error (world->error);
  g_assert_cmpuint (response->embeddings->len, ==, 2);
  second = g_ptr_array_index (response->embeddings, 1);
  g_assert_cmpuint (second->len, ==, 2);
  g_assert_cmpfloat (g_array_index (second, float, 0), ==, 0.5f);
  g_assert_cmpint (response->input_tokens, ==, 4);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*func) (World *, gconstpointer);
  } tests[] = {
    { "/models/whole", test_whole },
    { "/models/raw", test_raw },
    { "/models/prepared", test_prepared },
    { "/models/unprepared", test_unprepared },
    { "/models/stream", test_stream },
    { "/models/retries", test_retries },
    { "/models/refused-connection", test_refused_connection },
    { "/models/unsent", test_unsent },
    { "/models/astray", test_astray },
    { "/models/deadline", test_deadline },
    { "/models/cancel", test_cancel },
    { "/models/stop", test_stop },
    { "/models/leave", test_leave },
    { "/models/engine", test_engine },
    { "/models/engine-busy", test_engine_busy },
    { "/models/engine-is-over", test_engine_is_over },
    { "/models/routing", test_routing },
    { "/models/no-provider", test_no_provider },
    { "/models/embed", test_embed },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, World, NULL, world_setup, tests[i].func, world_teardown);
  return g_test_run ();
}
