/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `test.echo` and `clock` give back what they are given, `test.started` counts. */
#include "test-broker.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct _TestBroker
{
  GObject parent_instance;
  GMutex lock;
  GCond changed;
  guint started;
  guint echoes;
  guint held;          /* echoes that wait until there are so many */
  GThread *thread;     /* that the last one was answered on */
  JsonNode *last;      /* (nullable) */
  const char *scratch; /* (nullable): a folder */
};

static void test_broker_iface_init (ReeveBrokerInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TestBroker, test_broker, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_BROKER, test_broker_iface_init))

static void
test_broker_finalize (GObject *object)
{
  TestBroker *self = TEST_BROKER (object);

  g_clear_pointer (&self->last, json_node_unref);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (test_broker_parent_class)->finalize (object);
}

static void
test_broker_class_init (TestBrokerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_broker_finalize;
}

static void
test_broker_init (TestBroker *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
}

static JsonNode *
test_broker_describe_scratch (TestBroker *self)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *answer = json_object_new ();

  json_object_set_string_member (answer, "path", self->scratch);
  json_object_set_int_member (answer, "bytes", TEST_BROKER_SCRATCH);
  json_node_take_object (node, answer);
  return node;
}

static JsonNode *
test_broker_call (ReeveBroker *broker, ReeveContext *context, const char *capability,
                  JsonNode *params, GError **error)
{
  TestBroker *self = TEST_BROKER (broker);
  g_autoptr (JsonNode) answer = json_node_copy (params);

  json_node_seal (answer);
  if (self->scratch != NULL && strcmp (capability, "scratch") == 0)
    return test_broker_describe_scratch (self);
  if (strcmp (capability, "test.echo") != 0 && strcmp (capability, "test.started") != 0
      && strcmp (capability, "clock") != 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY, "not granted");
      return NULL;
    }
  g_mutex_lock (&self->lock);
  self->started += strcmp (capability, "test.started") == 0;
  self->echoes += strcmp (capability, "test.echo") == 0;
  self->thread = g_thread_self ();
  g_cond_broadcast (&self->changed);
  while (strcmp (capability, "test.echo") == 0 && self->echoes < self->held)
    g_cond_wait (&self->changed, &self->lock);
  g_clear_pointer (&self->last, json_node_unref);
  self->last = json_node_ref (answer);
  g_mutex_unlock (&self->lock);
  return g_steal_pointer (&answer);
}

JsonNode *
test_broker_get_last (TestBroker *self)
{
  JsonNode *last = NULL;

  g_mutex_lock (&self->lock);
  last = self->last;
  g_mutex_unlock (&self->lock);
  return last;
}

/* Gives the body back, and what it saw. */
static ReeveHttpResponse *
test_broker_http (ReeveBroker *broker, ReeveContext *context, ReeveHttpRequest *request,
                  GError **error)
{
  ReeveHttpResponse *response = reeve_http_response_new (207);
  g_autofree char *headers = g_strjoinv (",", (char **) reeve_http_request_get_headers (request));
  g_autofree char *seen = g_strdup_printf (
      "%s %s %s %u %d", reeve_http_request_get_method (request),
      reeve_http_request_get_url (request), headers, reeve_http_request_get_timeout_ms (request),
      reeve_http_request_get_idempotent (request));

  reeve_http_response_add_header (response, "X-Seen", seen);
  /* a server need not say what its bytes are */
  reeve_http_response_add_header (response, "X-Name", "caf\351");
  reeve_http_response_set_body (response, reeve_http_request_get_body (request));
  return response;
}

/* Says what it heard once the other side has ended, and then ends. */
static gpointer
test_broker_serve (gpointer data)
{
  int fd = GPOINTER_TO_INT (data);
  g_autoptr (GString) heard = g_string_new ("heard ");
  char part[4096];
  gssize n = 0;

  while ((n = recv (fd, part, sizeof part, 0)) > 0)
    g_string_append_len (heard, part, n);
  for (gsize sent = 0; sent < heard->len && n >= 0; sent += (gsize) n)
    n = send (fd, heard->str + sent, heard->len - sent, MSG_NOSIGNAL);
  close (fd);
  return NULL;
}

static int
test_broker_tcp (ReeveBroker *broker, ReeveContext *context, const char *host, guint16 port,
                 GError **error)
{
  int ends[2] = { -1, -1 };

  if (strcmp (host, "db.example") != 0 || port != 5432)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED, "%s:%u is not granted", host,
                   port);
      return -1;
    }
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
  g_thread_unref (g_thread_new ("serve", test_broker_serve, GINT_TO_POINTER (ends[0])));
  return ends[1];
}

static void
test_broker_iface_init (ReeveBrokerInterface *iface)
{
  iface->call = test_broker_call;
  iface->http = test_broker_http;
  iface->tcp = test_broker_tcp;
}

void
test_broker_wait (TestBroker *self, guint count)
{
  g_mutex_lock (&self->lock);
  while (self->started < count)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
}

gboolean
test_broker_has (TestBroker *self, guint count)
{
  gboolean has = FALSE;

  g_mutex_lock (&self->lock);
  has = self->started >= count;
  g_mutex_unlock (&self->lock);
  return has;
}

void
test_broker_hold (TestBroker *self, guint count)
{
  self->held = count;
}

void
test_broker_wait_echoes (TestBroker *self, guint count)
{
  g_mutex_lock (&self->lock);
  while (self->echoes < count)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
}

guint
test_broker_get_echoes (TestBroker *self)
{
  guint echoes = 0;

  g_mutex_lock (&self->lock);
  echoes = self->echoes;
  g_mutex_unlock (&self->lock);
  return echoes;
}

gboolean
test_broker_was_here (TestBroker *self)
{
  gboolean here = FALSE;

  g_mutex_lock (&self->lock);
  here = self->thread == g_thread_self ();
  g_mutex_unlock (&self->lock);
  return here;
}

void
test_broker_give_scratch (TestBroker *self, const char *path)
{
  self->scratch = path;
}

void
test_broker_release (TestBroker *self)
{
  g_mutex_lock (&self->lock);
  self->held = 0;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}
