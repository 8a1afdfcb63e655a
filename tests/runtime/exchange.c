/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One exchange of an HTTP client under test, its callbacks checked and recorded. */
#include "exchange.h"

#include <string.h>

static char *
dup_run (void)
{
  g_autoptr (ReeveLogContext) context = reeve_log_save_context ();

  return context != NULL ? g_strdup (reeve_log_context_get (context, REEVE_LOG_RUN_ID)) : NULL;
}

static void
check_run (Exchange *self)
{
  g_autofree char *run = dup_run ();

  g_assert_cmpstr (run, ==, self->run);
}

static void
on_head (ReeveUpstreamCall *call, ReeveHttpResponse *head, gpointer user_data)
{
  Exchange *self = user_data;

  g_assert_true (call == self->call);
  check_run (self);
  g_assert_cmpuint (self->status, ==, 0);
  self->status = reeve_http_response_get_status (head);
  self->type = g_strdup (reeve_http_response_get_header (head, "content-type"));
  if (self->pause_on_head)
    reeve_upstream_call_pause (call);
  if (self->cancel_on_head)
    reeve_upstream_call_cancel (call);
}

static void
on_data (ReeveUpstreamCall *call, const guint8 *data, gsize length, gpointer user_data)
{
  Exchange *self = user_data;

  g_assert_cmpuint (self->status, !=, 0);
  check_run (self);
  g_assert_cmpuint (length, >, 0);
  g_string_append_len (self->body, (const char *) data, (gssize) length);
  if (self->cancel_on_data)
    reeve_upstream_call_cancel (call);
}

static void
on_done (ReeveUpstreamCall *call, const GError *error, gpointer user_data)
{
  Exchange *self = user_data;

  g_assert_false (self->done);
  check_run (self);
  self->done = TRUE;
  self->error = error != NULL ? g_error_copy (error) : NULL;
  self->progress = reeve_upstream_call_get_progress (call);
  if (self->drop_on_done)
    g_clear_object (&self->fixture->client);
}

static const ReeveUpstreamHandlers handlers = { on_head, on_data, on_done };

void
fixture_setup (Fixture *self, gconstpointer data)
{
  self->context = g_main_context_new ();
  self->trust = reeve_http_trust_new (NULL);
  self->client = reeve_http_client_new (self->context, self->trust, NULL);
  self->options.connect_ms = 30000;
  self->options.first_byte_ms = 30000;
  self->options.idle_ms = 30000;
  self->options.total_ms = 8000;
}

void
fixture_teardown (Fixture *self, gconstpointer data)
{
  if (self->client != NULL)
    {
      reeve_http_client_shutdown (self->client);
      g_assert_cmpuint (reeve_http_client_count_connections (self->client), ==, 0);
      /* as every thread with a client does: what the shutdown cancelled is told here */
      while (g_main_context_iteration (self->context, FALSE))
        ;
      g_assert_finalize_object (g_steal_pointer (&self->client));
    }
  reeve_http_trust_unref (self->trust);
  g_main_context_unref (self->context);
}

HostileServer *
serve (const HostileStep *const *scripts, guint n)
{
  HostileServer *server = hostile_server_new (scripts, n);

  hostile_server_start (server);
  return server;
}

ReeveHttpRequest *
make_request (HostileServer *server, const char *method, const char *body)
{
  g_autofree char *url
      = g_strdup_printf ("http://127.0.0.1:%u/v1/x?y=1", hostile_server_get_port (server));
  ReeveHttpRequest *request = reeve_http_request_new (method, url);

  if (body != NULL)
    {
      g_autoptr (GBytes) bytes = g_bytes_new (body, strlen (body));

      reeve_http_request_set_body (request, "application/json", bytes);
    }
  return request;
}

Exchange *
begin (Fixture *fixture, ReeveHttpRequest *request)
{
  Exchange *self = g_new0 (Exchange, 1);

  self->fixture = fixture;
  self->body = g_string_new (NULL);
  self->run = dup_run ();
  self->call = reeve_upstream_start (REEVE_UPSTREAM (fixture->client), request, &fixture->options,
                                     &handlers, self);
  g_assert_nonnull (self->call);
  g_assert_false (self->done);
  return self;
}

void
finish (Exchange *self)
{
  while (!self->done)
    g_main_context_iteration (self->fixture->context, TRUE);
}

void
exchange_free (Exchange *self)
{
  g_string_free (self->body, TRUE);
  g_free (self->type);
  g_free (self->run);
  g_clear_error (&self->error);
  g_free (self);
}

Exchange *
post (Fixture *fixture, HostileServer *server)
{
  g_autoptr (ReeveHttpRequest) request = make_request (server, "POST", "{\"a\":1}");
  Exchange *self = begin (fixture, request);

  finish (self);
  return self;
}
