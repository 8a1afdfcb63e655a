/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Slots of requests: what each scheme makes of a secret, where a secret is sent and where not, and
 * that it comes back neither in an answer nor in an error. */
#include <string.h>

#include "hostile-server.h"
#include "runtime/net-http.h"

#define SECRET "zq7-canary-value"

static const char manifest_text[]
    = "[Plugin]\nId=tool-x\nVersion=1.0.0\nName=n\nDescription=d\nKinds=tool\nApi=1.0\n"
      "[Capabilities]\nnet.http=r\n[Settings]\nSchema={\"type\":\"object\",\"properties\":{"
      "\"token\":{\"type\":\"string\",\"writeOnly\":true,\"x-reeve-slot\":{\"scheme\":\"bearer\"}},"
      "\"key\":{\"type\":\"string\",\"writeOnly\":true,\"x-reeve-slot\":{\"scheme\":\"header\","
      "\"header\":\"X-Key\","
      "\"prefix\":\"K \"}},"
      "\"password\":{\"type\":\"string\",\"writeOnly\":true,\"x-reeve-slot\":{\"scheme\":\"basic\","
      "\"username\":"
      "\"user\"}},"
      "\"more\":{\"type\":\"object\",\"writeOnly\":true,\"x-reeve-slot\":{\"scheme\":\"headers\"}},"
      "\"hook\":{\"type\":\"string\",\"writeOnly\":true,\"x-reeve-slot\":{\"scheme\":\"webhook\"}}}"
      "}\n";

typedef struct
{
  ReeveHttpTrust *trust;
  ReeveNetHttp *net;
  HostileServer *server;
  const HostileStep *scripts[1];
  ReeveManifest *manifest;
  JsonObject *settings;
  char *url;
  GError *error;
} World;

static const HostileStep good[]
    = { READ, SEND ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), LOOP };
static const HostileStep echo[]
    = { READ,
        SEND ("HTTP/1.1 200 OK\r\nX-Echo: a " SECRET " b\r\nX-" SECRET ": 1\r\n"
              "Content-Length: 42\r\n\r\n"
              "{\"sent\": \"Bearer " SECRET "\", \"x\": 1}"),
        LOOP };

static void
setup (World *self, gconstpointer data)
{
  g_autofree char *origin = NULL;

  self->trust = reeve_http_trust_new (NULL);
  self->net = reeve_net_http_new (self->trust);
  self->scripts[0] = data;
  self->server = hostile_server_new (self->scripts, 1);
  hostile_server_start (self->server);
  self->url = g_strdup_printf ("http://127.0.0.1:%u/x", hostile_server_get_port (self->server));
  self->manifest = reeve_manifest_new_from_data (manifest_text, strlen (manifest_text),
                                                 "/x/tool-x.plugin", &self->error);
  g_assert_no_error (self->error);
  self->settings = json_object_new ();
  json_object_set_string_member (self->settings, "url", self->url);
}

static void
teardown (World *self, gconstpointer data)
{
  reeve_net_http_free (self->net);
  hostile_server_free (self->server);
  reeve_http_trust_unref (self->trust);
  reeve_manifest_unref (self->manifest);
  json_object_unref (self->settings);
  g_free (self->url);
  g_clear_error (&self->error);
}

static ReeveHttpResponse *
ask (World *self, const char *url, const char *slot, ReeveHttpRequest *request)
{
  const ReeveContextInfo info = { .struct_size = sizeof info };
  g_autoptr (ReeveContext) context = reeve_context_new (&info, NULL, NULL);
  const ReeveCapabilityCaller caller = { .plugin_id = "tool-x",
                                         .instance_id = "x",
                                         .settings = self->settings,
                                         .context = context,
                                         .manifest = self->manifest };
  g_autoptr (ReeveHttpRequest) own = reeve_http_request_new ("POST", url);
  ReeveHttpRequest *sent = request != NULL ? request : own;
  ReeveHttpResponse *response = NULL;

  g_clear_error (&self->error);
  reeve_http_request_add_credential (sent, slot);
  response = reeve_net_http_perform (&caller, sent, self->net, &self->error);
  if (self->error != NULL)
    g_assert_null (strstr (self->error->message, SECRET));
  return response;
}

/* What the server got. */
static char *
send_slot (World *self, const char *slot)
{
  g_autoptr (ReeveHttpResponse) response = ask (self, self->url, slot, NULL);

  g_assert_no_error (self->error);
  return hostile_server_dup_last (self->server);
}

static void
test_schemes (World *world, gconstpointer data)
{
  JsonObject *more = json_object_new ();
  static const char *const slots[][2]
      = { { "token", "\r\nAuthorization: Bearer " SECRET "\r\n" },
          { "key", "\r\nX-Key: K " SECRET "\r\n" },
          { "password", "\r\nAuthorization: Basic dTp6cTctY2FuYXJ5LXZhbHVl\r\n" },
          { "more", "\r\nX-More: " SECRET "\r\n" } };

  json_object_set_string_member (world->settings, "token", SECRET);
  json_object_set_string_member (world->settings, "key", SECRET);
  json_object_set_string_member (world->settings, "user", "u");
  json_object_set_string_member (world->settings, "password", SECRET);
  json_object_set_string_member (more, "X-More", SECRET);
  json_object_set_object_member (world->settings, "more", more);
  for (guint i = 0; i < G_N_ELEMENTS (slots); i++)
    {
      g_autofree char *got = send_slot (world, slots[i][0]);

      g_assert_nonnull (strstr (got, slots[i][1]));
    }
}

/* As Standard Webhooks has it: the example of its specification. */
static void
test_webhook (World *world, gconstpointer data)
{
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("POST", world->url);
  g_autoptr (ReeveHttpRequest) unsigned_one = reeve_http_request_new ("POST", world->url);
  g_autoptr (GBytes) body = g_bytes_new_static ("{\"test\": 2432232314}", 20);
  g_autoptr (ReeveHttpResponse) response = NULL;
  g_autoptr (ReeveHttpResponse) none = NULL;
  g_autofree char *got = NULL;

  json_object_set_string_member (world->settings, "hook", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  reeve_http_request_add_header (request, "webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek");
  reeve_http_request_add_header (request, "webhook-timestamp", "1614265330");
  reeve_http_request_set_body (request, "application/json", body);
  response = ask (world, world->url, "hook", request);
  g_assert_no_error (world->error);
  got = hostile_server_dup_last (world->server);
  g_assert_nonnull (
      strstr (got, "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\r\n"));
  none = ask (world, world->url, "hook", unsigned_one);
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
}

/* The plugin's own header of that name is not sent, and its request stays as it was. */
static void
test_in_the_place (World *world, gconstpointer data)
{
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("GET", world->url);
  g_autoptr (ReeveHttpResponse) response = NULL;
  g_autofree char *got = NULL;

  json_object_set_string_member (world->settings, "token", SECRET);
  reeve_http_request_add_header (request, "authorization", "Bearer of-the-plugin");
  reeve_http_request_add_header (request, "X-Own", "kept");
  reeve_http_request_add_header (request, "accept-encoding", "gzip");
  response = ask (world, world->url, "token", request);
  g_assert_no_error (world->error);
  got = hostile_server_dup_last (world->server);
  g_assert_null (strstr (got, "of-the-plugin"));
  g_assert_nonnull (strstr (got, SECRET));
  g_assert_nonnull (strstr (got, "X-Own: kept"));
  /* or the answer could hold the secret so that nobody knows it again */
  g_assert_null (strstr (got, "gzip"));
  for (const char *const *h = reeve_http_request_get_headers (request); *h != NULL; h++)
    g_assert_null (strstr (*h, SECRET));
}

static void
test_refused (World *world, gconstpointer data)
{
  static const char *const bad[] = { "", SECRET "\r\nX-Evil: 1", SECRET "\x7f" };
  g_autoptr (ReeveHttpResponse) empty = NULL;
  g_autoptr (ReeveHttpResponse) unknown = NULL;

  empty = ask (world, world->url, "token", NULL);
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
  json_object_set_string_member (world->settings, "plain", SECRET);
  unknown = ask (world, world->url, "plain", NULL);
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (ReeveHttpResponse) none = NULL;

      json_object_set_string_member (world->settings, "token", bad[i]);
      none = ask (world, world->url, "token", NULL);
      g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
    }
  g_assert_cmpuint (hostile_server_count_requests (world->server), ==, 0);
}

/* Only what settings name gets a secret of the settings, though whatever is public is open: a
 * plugin that follows a redirect does not take it along. */
static void
test_other_origin (World *world, gconstpointer data)
{
  g_autoptr (ReeveHttpResponse) none = NULL;

  json_object_set_string_member (world->settings, "token", SECRET);
  none = ask (world, "http://93.184.216.34/x", "token", NULL);
  g_assert_error (world->error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED);
  g_assert_nonnull (strstr (world->error->message, "slot token"));
}

static void
test_echo (World *world, gconstpointer data)
{
  g_autoptr (ReeveHttpResponse) response = NULL;
  GBytes *body = NULL;

  json_object_set_string_member (world->settings, "token", SECRET);
  response = ask (world, world->url, "token", NULL);
  g_assert_no_error (world->error);
  body = reeve_http_response_get_body (response);
  g_assert_cmpstr (reeve_http_response_get_header (response, "X-Echo"), ==, "a **************** b");
  g_assert_cmpmem (g_bytes_get_data (body, NULL), g_bytes_get_size (body),
                   "{\"sent\": \"Bearer ****************\", \"x\": 1}", 42);
}

/* One secret is a part of another, one has blanks around it; and a server may say it in a name. */
static void
test_echo_of_several (World *world, gconstpointer data)
{
  g_autoptr (ReeveHttpResponse) response = NULL;
  JsonObject *more = json_object_new ();
  const char *const *headers = NULL;
  GBytes *body = NULL;

  json_object_set_string_member (more, "X-A", "zq7-canary");
  json_object_set_string_member (more, "X-B", " " SECRET " ");
  json_object_set_object_member (world->settings, "more", more);
  response = ask (world, world->url, "more", NULL);
  g_assert_no_error (world->error);
  body = reeve_http_response_get_body (response);
  g_assert_cmpmem (g_bytes_get_data (body, NULL), g_bytes_get_size (body),
                   "{\"sent\": \"Bearer ****************\", \"x\": 1}", 42);
  headers = reeve_http_response_get_headers (response);
  g_assert_cmpuint (g_strv_length ((char **) headers), >=, 6);
  for (const char *const *h = headers; *h != NULL; h++)
    {
      g_assert_null (strstr (*h, "canary"));
      g_assert_null (strstr (*h, "value"));
    }
}

/* A manifest that means a secret and does not say how is refused. */
static void
test_manifest (void)
{
  static const char *const bad[]
      = { "\"writeOnly\":true,\"x-reeve-slot\":true", "\"writeOnly\":true,\"x-reeve-slot\":{}",
          "\"writeOnly\":true,\"x-reeve-slot\":{\"scheme\":\"none\"}",
          "\"writeOnly\":true,\"x-reeve-slot\":{\"scheme\":\"header\"}",
          "\"writeOnly\":true,\"x-reeve-slot\":{\"scheme\":\"basic\"}",
          /* it would be shown */
          "\"x-reeve-slot\":{\"scheme\":\"bearer\"}" };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = g_strdup_printf (
          "[Plugin]\nId=tool-x\nVersion=1.0.0\nName=n\nDescription=d\nKinds=tool\nApi=1.0\n"
          "[Settings]\nSchema={\"type\":\"object\",\"properties\":{\"token\":{%s}}"
          "}\n",
          bad[i]);
      g_autoptr (ReeveManifest) manifest
          = reeve_manifest_new_from_data (text, strlen (text), "/x/tool-x.plugin", &error);

      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
      g_assert_nonnull (strstr (error->message, "token: x-reeve-slot"));
      g_assert_null (manifest);
    }
}

#define ADD(path, script, func)                                                                    \
  g_test_add ("/net-credential/" path, World, script, setup, func, teardown)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("schemes", good, test_schemes);
  ADD ("webhook", good, test_webhook);
  ADD ("in-the-place", good, test_in_the_place);
  ADD ("refused", good, test_refused);
  ADD ("other-origin", good, test_other_origin);
  ADD ("echo", echo, test_echo);
  ADD ("echo-of-several", echo, test_echo_of_several);
  g_test_add_func ("/net-credential/manifest", test_manifest);
  return g_test_run ();
}
