/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every refusal is the host's: a plugin that keeps this beyond its call learns so. */
#include "runner-broker.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runner-scratch.h"
#include "runner-tree.h"
#include "wire/wire-blob.h"
#include "wire/wire-error.h"
#include "wire/wire-http.h"
#include "wire/wire-method.h"
#include "wire/wire-value.h"

/* bytes of a body that go in the message itself */
#define RUNNER_BROKER_INLINE (256 * 1024)
/* bytes of most questions */
#define RUNNER_BROKER_QUESTION 512

struct _RunnerBroker
{
  GObject parent_instance;
  RunnerWire *wire; /* lives as long as the process */
  guint64 call;
  char *scratch; /* (nullable): a folder of the call's */
  GMutex lock;
  JsonNode *last; /* with the lock (nullable): what the host answered last, and keeps too */
  guint asked;    /* with the lock: questions so far */
  guint asking;   /* with the lock: of these, not answered */
  gboolean over;  /* with the lock: @last was handed on */
};

static void runner_broker_iface_init (ReeveBrokerInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (RunnerBroker, runner_broker, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_BROKER, runner_broker_iface_init))

void
runner_broker_end (ReeveBroker *broker)
{
  g_autofree char *scratch = g_atomic_pointer_exchange (&RUNNER_BROKER (broker)->scratch, NULL);

  if (scratch != NULL)
    runner_tree_remove (scratch);
}

static void
runner_broker_finalize (GObject *object)
{
  RunnerBroker *self = RUNNER_BROKER (object);

  runner_broker_end (REEVE_BROKER (object));
  g_clear_pointer (&self->last, json_node_unref);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (runner_broker_parent_class)->finalize (object);
}

static void
runner_broker_class_init (RunnerBrokerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = runner_broker_finalize;
}

static void
runner_broker_init (RunnerBroker *self)
{
  g_mutex_init (&self->lock);
}

ReeveBroker *
runner_broker_new (RunnerWire *wire, guint64 call)
{
  RunnerBroker *self = g_object_new (RUNNER_TYPE_BROKER, NULL);

  self->wire = wire;
  self->call = call;
  return REEVE_BROKER (self);
}

/* (transfer full) (nullable): the reply to @message, which is for the host's broker and has a body
 * of @size bytes; its own body is not read */
static WireLetter *
runner_broker_send (RunnerBroker *self, ReeveContext *context, WireLetter *message, gsize size,
                    GError **error)
{
  g_autoptr (WireLetter) reply = NULL;
  const GDBusMethodInfo *method = wire_method_find (message->head.interface, message->head.member);

  if (size > WIRE_METHOD_MAX_BODY)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                   "what a capability is asked with is too large for a message");
      return NULL;
    }
  reply = runner_wire_ask (self->wire, message, reeve_context_get_deadline (context),
                           reeve_context_get_cancellable (context), error);
  if (reply == NULL)
    return NULL;
  if (reply->head.type == G_DBUS_MESSAGE_TYPE_ERROR)
    {
      g_propagate_error (error, wire_error_from_letter (reply));
      return NULL;
    }
  if (wire_method_fits (method->out_args, reply))
    return g_steal_pointer (&reply);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "the host's answer is of another type");
  return NULL;
}

/* (transfer full) (nullable): the reply to a method of the host's broker. @body: floating */
static WireLetter *
runner_broker_ask (RunnerBroker *self, ReeveContext *context, const char *member, GVariant *body,
                   GError **error)
{
  g_autoptr (WireLetter) message
      = wire_letter_new_call (WIRE_METHOD_PATH, WIRE_METHOD_PREFIX "Broker", member, body);
  g_autoptr (WireLetter) reply
      = runner_broker_send (self, context, message, g_variant_get_size (message->body), error);

  return reply != NULL && wire_letter_read_body (reply, error) ? g_steal_pointer (&reply) : NULL;
}

/* (transfer full) (nullable): what the host answers to Call */
static WireLetter *
runner_broker_ask_call (RunnerBroker *self, ReeveContext *context, const char *capability,
                        JsonNode *params, GError **error)
{
  g_autofree char *text = reeve_json_text (params);
  g_autoptr (GByteArray) body = g_byte_array_sized_new (RUNNER_BROKER_QUESTION);
  g_autoptr (WireLetter) message = NULL;

  if (!g_utf8_validate (capability, -1, NULL))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "the capability is no name");
      return NULL;
    }
  wire_value_append_number64 (body, self->call);
  wire_value_append_string (body, capability, strlen (capability));
  wire_value_append_string (body, text, strlen (text));
  message = wire_letter_new_call_of (WIRE_METHOD_PATH, WIRE_METHOD_PREFIX "Broker", "Call", "tss",
                                     body);
  return runner_broker_send (self, context, message, body->len, error);
}

/* The host says where the process may write; the call has a folder of its own there. (transfer
 * full) (nullable): @answer with that one's path */
static JsonNode *
runner_broker_open_scratch (RunnerBroker *self, JsonNode *answer, GError **error)
{
  g_autoptr (JsonObject) changed = json_object_new ();
  JsonObject *said = JSON_NODE_HOLDS_OBJECT (answer) ? json_node_get_object (answer) : changed;
  g_autofree char *path = runner_scratch_make (
      reeve_json_get_string (said, "path", RUNNER_PLAN_SCRATCH), self->call, error);
  JsonNode *node = NULL;

  if (path == NULL)
    return NULL;
  json_object_set_string_member (changed, "path", path);
  json_object_set_int_member (changed, "bytes", reeve_json_get_int (said, "bytes", 0));
  if (g_atomic_pointer_compare_and_exchange (&self->scratch, NULL, path))
    path = NULL;
  node = json_node_new (JSON_NODE_OBJECT);
  json_node_take_object (node, g_steal_pointer (&changed));
  json_node_seal (node);
  return node;
}

/* ---- what was asked last ---- */

/* The number of a question; 0 with an error: the call has its answer. @alone: (out): no other is
 * under way */
static guint
runner_broker_begin (RunnerBroker *self, gboolean *alone, GError **error)
{
  g_autoptr (JsonNode) before = NULL;
  guint number = 0;

  g_mutex_lock (&self->lock);
  if (!self->over)
    {
      before = g_steal_pointer (&self->last);
      number = ++self->asked;
      *alone = self->asking++ == 0;
    }
  g_mutex_unlock (&self->lock);
  if (number == 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY,
                 "the call that this capability was for is over");
  return number;
}

/* Of questions that are under way together nobody here knows which one the host answered last.
 * @answer: (nullable): that both sides keep */
static void
runner_broker_finish (RunnerBroker *self, guint number, gboolean alone, JsonNode *answer)
{
  g_mutex_lock (&self->lock);
  self->asking--;
  if (alone && number == self->asked && answer != NULL)
    self->last = json_node_ref (answer);
  g_mutex_unlock (&self->lock);
}

gboolean
runner_broker_hand_on (ReeveBroker *broker, JsonNode *node)
{
  RunnerBroker *self = RUNNER_BROKER (broker);
  gboolean is_last = FALSE;

  g_mutex_lock (&self->lock);
  /* it is immutable */
  is_last = node != NULL && self->last == node;
  self->over = self->over || is_last;
  g_mutex_unlock (&self->lock);
  return is_last;
}

/* (transfer full) (nullable). @length: (out): bytes of its text */
static JsonNode *
runner_broker_read_answer (WireLetter *reply, gsize *length, GError **error)
{
  /* as JSON it is looked at for being UTF-8 */
  WireReader reader = wire_letter_get_reader (reply, TRUE);
  const char *text = wire_reader_read_text (&reader, length);

  if (text != NULL)
    return reeve_json_parse_strict (text, *length, error);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "the host's answer is cut");
  return NULL;
}

static JsonNode *
runner_broker_call (ReeveBroker *broker, ReeveContext *context, const char *capability,
                    JsonNode *params, GError **error)
{
  RunnerBroker *self = RUNNER_BROKER (broker);
  g_autoptr (WireLetter) reply = NULL;
  g_autoptr (JsonNode) answer = NULL;
  gsize length = 0;
  gboolean alone = FALSE;
  gboolean scratch = strcmp (capability, "scratch") == 0;
  const guint number = runner_broker_begin (self, &alone, error);

  if (number == 0)
    return NULL;
  reply = runner_broker_ask_call (self, context, capability, params, error);
  if (reply != NULL)
    answer = runner_broker_read_answer (reply, &length, error);
  runner_broker_finish (self, number, alone,
                        !scratch && length < WIRE_METHOD_MAX_TOLD ? answer : NULL);
  if (answer != NULL && scratch)
    return runner_broker_open_scratch (self, answer, error);
  return g_steal_pointer (&answer);
}

/* A body that is too large for a message is written into memory of the host's. 0 with an error */
static guint64
runner_broker_put_body (RunnerBroker *self, ReeveContext *context, GBytes *body, GError **error)
{
  gsize size = g_bytes_get_size (body);
  g_autoptr (WireLetter) reply = runner_broker_ask (
      self, context, "Buffer", g_variant_new ("(tt)", self->call, (guint64) size), error);
  int fd = reply != NULL ? wire_method_take_fd (reply, 1) : -1;
  void *memory = fd >= 0 ? mmap (NULL, size, PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
  guint64 id = 0;

  if (fd >= 0)
    close (fd);
  if (reply == NULL)
    return 0;
  if (memory == MAP_FAILED)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE, "no memory for a body");
      return 0;
    }
  memcpy (memory, g_bytes_get_data (body, NULL), size);
  munmap (memory, size);
  g_variant_get_child (reply->body, 0, "t", &id);
  return id;
}

/* (transfer full) (nullable): the blob that came with a reply, as its second argument */
static GBytes *
runner_broker_read_content (WireLetter *reply, GError **error)
{
  int fd = wire_method_take_fd (reply, 1);

  if (fd >= 0)
    return wire_blob_map (fd, error);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "the host's answer has no content");
  return NULL;
}

static ReeveHttpResponse *
runner_broker_read_response (WireLetter *reply, GError **error)
{
  g_autoptr (ReeveHttpResponse) response = NULL;
  g_autoptr (GBytes) content = runner_broker_read_content (reply, error);
  const char *text = NULL;

  g_variant_get_child (reply->body, 0, "&s", &text);
  response = content != NULL ? wire_http_response_from_text (text, error) : NULL;
  if (response == NULL)
    return NULL;
  reeve_http_response_set_body (response, content);
  return g_steal_pointer (&response);
}

/* What goes with a question: in the message, or in a buffer with number @buffer. (transfer
 * floating) (nullable) */
static GVariant *
runner_broker_send_body (RunnerBroker *self, ReeveContext *context, GBytes *body, guint64 *buffer,
                         GError **error)
{
  gsize size = body != NULL ? g_bytes_get_size (body) : 0;
  gboolean large = size > RUNNER_BROKER_INLINE;

  *buffer = large ? runner_broker_put_body (self, context, body, error) : 0;
  if (large && *buffer == 0)
    return NULL;
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE,
                                    size > 0 && !large ? g_bytes_get_data (body, NULL) : NULL,
                                    large ? 0 : size, 1);
}

static ReeveHttpResponse *
runner_broker_http (ReeveBroker *broker, ReeveContext *context, ReeveHttpRequest *request,
                    GError **error)
{
  RunnerBroker *self = RUNNER_BROKER (broker);
  g_autofree char *text = wire_http_request_to_text (request);
  g_autoptr (WireLetter) reply = NULL;
  guint64 buffer = 0;
  GVariant *bytes = runner_broker_send_body (self, context, reeve_http_request_get_body (request),
                                             &buffer, error);

  if (bytes == NULL)
    return NULL;
  reply = runner_broker_ask (self, context, "Http",
                             g_variant_new ("(ts@ayt)", self->call, text, bytes, buffer), error);
  return reply != NULL ? runner_broker_read_response (reply, error) : NULL;
}

static GBytes *
runner_broker_transfer (ReeveBroker *broker, ReeveContext *context, const char *capability,
                        JsonNode *params, GBytes *bytes, JsonNode **answer, GError **error)
{
  RunnerBroker *self = RUNNER_BROKER (broker);
  g_autofree char *text = reeve_json_text (params);
  g_autoptr (WireLetter) reply = NULL;
  g_autoptr (GBytes) content = NULL;
  const char *result = NULL;
  guint64 buffer = 0;
  GVariant *body = runner_broker_send_body (self, context, bytes, &buffer, error);

  if (body == NULL)
    return NULL;
  reply = runner_broker_ask (
      self, context, "Transfer",
      g_variant_new ("(ts@ayts)", self->call, capability, body, buffer, text), error);
  content = reply != NULL ? runner_broker_read_content (reply, error) : NULL;
  if (content == NULL)
    return NULL;
  g_variant_get_child (reply->body, 0, "&s", &result);
  *answer = reeve_json_parse_strict (result, strlen (result), error);
  return *answer != NULL ? g_steal_pointer (&content) : NULL;
}

static int
runner_broker_tcp (ReeveBroker *broker, ReeveContext *context, const char *host, guint16 port,
                   GError **error)
{
  RunnerBroker *self = RUNNER_BROKER (broker);
  g_autoptr (WireLetter) reply = NULL;
  int fd = -1;

  if (!g_utf8_validate (host, -1, NULL))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "the host is no name");
      return -1;
    }
  reply = runner_broker_ask (self, context, "Tcp", g_variant_new ("(tsq)", self->call, host, port),
                             error);
  if (reply == NULL)
    return -1;
  fd = wire_method_take_fd (reply, 0);
  if (fd < 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                 "the plugin has too many descriptors for one more connection");
  return fd;
}

static void
runner_broker_iface_init (ReeveBrokerInterface *iface)
{
  iface->call = runner_broker_call;
  iface->http = runner_broker_http;
  iface->transfer = runner_broker_transfer;
  iface->tcp = runner_broker_tcp;
}
