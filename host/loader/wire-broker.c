/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose capabilities these are the number of the call says, and that counts on this connection
 * alone: the context of the host's own call does the rest, as it does for a plugin in the host. */
#include "wire-private.h"

#include <string.h>
#include <unistd.h>

#include "capability-level.h"
#include "wire/wire-error.h"
#include "wire/wire-http.h"
#include "wire/wire-json.h"
#include "wire/wire-method.h"

struct _ReeveWireBrokerJob
{
  ReeveWire *wire;
  GBytes *message;
};

static void
reeve_wire_broker_job_free (ReeveWireBrokerJob *job)
{
  reeve_wire_unref (job->wire);
  g_bytes_unref (job->message);
  g_free (job);
}

/* (transfer full) (nullable) */
static JsonNode *
reeve_wire_broker_read_params (const char *json, GError **error)
{
  JsonNode *params = wire_json_parse (json, error);

  if (params == NULL || JSON_NODE_HOLDS_OBJECT (params))
    return params;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
               "parameters of a capability are an object");
  json_node_unref (params);
  return NULL;
}

static GVariant *
reeve_wire_broker_call (ReeveWire *wire, ReeveContext *context, WireReader reader, GError **error)
{
  g_autoptr (JsonNode) params = NULL;
  g_autoptr (JsonNode) result = NULL;
  GVariant *text = NULL;
  char *written = NULL;
  gsize length = 0;
  const char *capability = NULL;
  const char *json = NULL;
  guint64 call = 0;

  /* the rules looked at it, and it is of its method's type */
  if (wire_reader_read_number64 (&reader, &call))
    capability = wire_reader_read_string (&reader);
  json = capability != NULL ? wire_reader_read_string (&reader) : NULL;
  if (json == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "the question is cut");
      return NULL;
    }
  params = reeve_wire_broker_read_params (json, error);
  result = params != NULL ? reeve_context_call (context, capability, params, error) : NULL;
  if (result == NULL)
    return NULL;
  written = reeve_json_text (result);
  length = strlen (written);
  /* the writer saw to it that it is UTF-8 */
  text
      = g_variant_new_from_data (G_VARIANT_TYPE_STRING, written, length + 1, TRUE, g_free, written);
  reeve_wire_keep_told (wire, call, length < WIRE_METHOD_MAX_TOLD ? result : NULL);
  return g_variant_new_tuple (&text, 1);
}

/* ---- HTTP ---- */

/* Memory that the runner may write; the number that it has is its call's: there is one at a time.
 */
static GVariant *
reeve_wire_broker_buffer (ReeveWire *wire, GVariant *body, int *sent, GError **error)
{
  guint64 call = 0;
  guint64 size = 0;

  g_variant_get (body, "(tt)", &call, &size);
  *sent = reeve_wire_open_buffer (wire, call, size, error);
  return *sent >= 0 ? g_variant_new ("(th)", call, 0) : NULL;
}

/* (transfer full) (nullable): what the request is sent with; a copy, whatever the runner does */
static GBytes *
reeve_wire_broker_get_body (ReeveWire *wire, GVariant *body, GError **error)
{
  g_autoptr (GVariant) bytes = g_variant_get_child_value (body, 2);
  guint64 call = 0;
  guint64 buffer = 0;
  ReeveWireBuffer *taken = NULL;

  g_variant_get_child (body, 0, "t", &call);
  g_variant_get_child (body, 3, "t", &buffer);
  if (buffer == 0)
    return g_variant_get_data_as_bytes (bytes);
  taken = buffer == call ? reeve_wire_take_buffer (wire, call) : NULL;
  if (taken != NULL)
    return reeve_wire_buffer_copy (taken, error);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "there is no such buffer");
  return NULL;
}

/* A descriptor of a copy of @content (nullable), which counts from now on; -1 with an error. */
static int
reeve_wire_broker_lend (ReeveWire *wire, GBytes *content, GError **error)
{
  g_autoptr (GBytes) bytes = content != NULL ? g_bytes_ref (content) : g_bytes_new (NULL, 0);
  g_autoptr (ReeveWireLoan) loan = reeve_wire_loan_new (bytes, error);
  int fd = -1;

  if (loan == NULL)
    return -1;
  fd = reeve_wire_loan_take_fd (loan);
  reeve_wire_loans_add (reeve_wire_get_loans (wire), g_steal_pointer (&loan));
  return fd;
}

static GVariant *
reeve_wire_broker_http (ReeveWire *wire, ReeveContext *context, GVariant *body, int *sent,
                        GError **error)
{
  g_autoptr (ReeveHttpRequest) request = NULL;
  g_autoptr (ReeveHttpResponse) response = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *head = NULL;
  GBytes *content = NULL;
  const char *text = NULL;

  g_variant_get_child (body, 1, "&s", &text);
  request = wire_http_request_from_text (text, error);
  if (request != NULL && reeve_wire_loans_check (reeve_wire_get_loans (wire), error))
    bytes = reeve_wire_broker_get_body (wire, body, error);
  if (bytes == NULL)
    return NULL;
  if (g_bytes_get_size (bytes) > 0)
    reeve_http_request_set_body (request, NULL, bytes);
  response = reeve_context_http (context, request, error);
  if (response == NULL)
    return NULL;
  content = reeve_http_response_get_body (response);
  *sent = reeve_wire_broker_lend (wire, content, error);
  head = wire_http_response_to_text (response);
  return *sent >= 0 ? g_variant_new ("(sh)", head, 0) : NULL;
}

static GVariant *
reeve_wire_broker_transfer (ReeveWire *wire, ReeveContext *context, GVariant *body, int *sent,
                            GError **error)
{
  g_autoptr (JsonNode) params = NULL;
  g_autoptr (JsonNode) result = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GBytes) content = NULL;
  g_autofree char *text = NULL;
  const char *capability = NULL;
  const char *json = NULL;

  g_variant_get_child (body, 1, "&s", &capability);
  g_variant_get_child (body, 4, "&s", &json);
  params = reeve_wire_broker_read_params (json, error);
  if (params != NULL && reeve_wire_loans_check (reeve_wire_get_loans (wire), error))
    bytes = reeve_wire_broker_get_body (wire, body, error);
  content = bytes != NULL
                ? reeve_context_transfer (context, capability, params, bytes, &result, error)
                : NULL;
  if (content == NULL)
    return NULL;
  text = reeve_json_text (result);
  *sent = reeve_wire_broker_lend (wire, content, error);
  return *sent >= 0 ? g_variant_new ("(sh)", text, 0) : NULL;
}

static GVariant *
reeve_wire_broker_tcp (ReeveWire *wire, ReeveContext *context, GVariant *body, int *sent,
                       GError **error)
{
  const char *host = NULL;
  guint16 port = 0;

  g_variant_get (body, "(t&sq)", NULL, &host, &port);
  reeve_host_time_set_payer (context, reeve_wire_get_host_time (wire));
  *sent = reeve_context_tcp (context, host, port, error);
  return *sent >= 0 ? g_variant_new ("(h)", 0) : NULL;
}

/* (transfer floating) (nullable). @sent: (out): a descriptor that goes with it, or -1 */
static GVariant *
reeve_wire_broker_answer (ReeveWire *wire, WireLetter *message, int *sent, GError **error)
{
  const char *member = message->head.member;
  const GDBusMethodInfo *method = wire_method_find (message->head.interface, member);
  WireReader reader = wire_letter_get_reader (message, TRUE);
  g_autoptr (ReeveContext) context = NULL;
  guint64 call = 0;

  if (method == NULL || !wire_method_fits (method->in_args, message))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "the broker's %s has other arguments", member);
      return NULL;
    }
  /* the number of the call is the first of each */
  if (wire_reader_read_number64 (&reader, &call))
    context = reeve_wire_find_context (wire, call);
  if (context == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY,
                   "the call that this capability was for is not under way");
      return NULL;
    }
  if (strcmp (member, "Call") == 0)
    return reeve_wire_broker_call (wire, context, wire_letter_get_reader (message, TRUE), error);
  if (!wire_letter_read_known_body (message, error))
    return NULL;
  if (strcmp (member, "Buffer") == 0)
    return reeve_wire_broker_buffer (wire, message->body, sent, error);
  if (strcmp (member, "Transfer") == 0)
    return reeve_wire_broker_transfer (wire, context, message->body, sent, error);
  if (strcmp (member, "Tcp") == 0)
    return reeve_wire_broker_tcp (wire, context, message->body, sent, error);
  return reeve_wire_broker_http (wire, context, message->body, sent, error);
}

/* (transfer full): the answer to @message */
static WireLetter *
reeve_wire_broker_reply (ReeveWire *wire, WireLetter *message, int *sent)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) result = reeve_wire_broker_answer (wire, message, sent, &error);

  if (result != NULL)
    g_variant_ref_sink (result);
  if (result != NULL && g_variant_get_size (result) > WIRE_METHOD_MAX_BODY)
    g_set_error (&error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                 "what the capability answers is too large for a message");
  if (error != NULL)
    return wire_error_to_letter (message->head.serial, error);
  return wire_letter_new_reply (message->head.serial, result);
}

void
reeve_wire_broker_perform (ReeveWireBrokerJob *job, ReeveWireUnderWay *waits)
{
  g_autoptr (GError) error = NULL;
  /* the rules let through only what it reads */
  g_autoptr (WireLetter) message = wire_letter_read_head (job->message, &error);
  g_autoptr (WireLetter) reply = NULL;
  int sent = -1;

  if (message != NULL)
    reply = reeve_wire_broker_reply (job->wire, message, &sent);
  else
    g_warning ("what a runner asks cannot be read: %s", error->message);
  if (waits != NULL)
    reeve_wire_prepare_read (job->wire, waits);
  if (reply != NULL && !reeve_wire_send (job->wire, reply, &sent, sent >= 0 ? 1 : 0, &error))
    {
      g_clear_pointer (&reply, wire_letter_unref);
      reply = wire_error_to_letter (message->head.serial, error);
      reeve_wire_send (job->wire, reply, NULL, 0, NULL);
    }
  if (sent >= 0)
    close (sent);
  reeve_wire_broker_job_free (job);
}

static void
reeve_wire_broker_work (gpointer data)
{
  reeve_wire_broker_perform (data, NULL);
}

/* These end with the deadline and the cancellable of the call, and wait for nobody else. */
static gboolean
reeve_wire_broker_is_brief (const char *capability)
{
  static const char *const brief[] = { "clock", "knowledge.search", "random", NULL };

  return g_strv_contains (brief, capability);
}

gboolean
reeve_wire_broker_is_own (const WireMessage *message, guint64 call)
{
  guint64 number = 0;

  /* the number of the call, then the length of the capability's name, and that */
  if (strcmp (message->member, "Call") != 0 || strcmp (message->signature, "tss") != 0)
    return FALSE;
  memcpy (&number, message->body, sizeof number);
  return number == call
         && reeve_wire_broker_is_brief ((const char *) message->body + sizeof number
                                        + sizeof (guint32));
}

/* How deep the call is in which it happens: its number is the first argument of every method. Of
 * one that is not under way, which is refused: 0. */
static guint
reeve_wire_broker_find_level (ReeveWire *wire, const WireMessage *message)
{
  guint64 call = 0;
  g_autoptr (ReeveContext) context = NULL;

  if (*message->signature != 't' || message->body_length < sizeof call)
    return 0;
  memcpy (&call, message->body, sizeof call);
  context = reeve_wire_find_context (wire, call);
  return context != NULL ? reeve_capability_level_get (context) : 0;
}

ReeveWireBrokerJob *
reeve_wire_broker_job_new (ReeveWire *wire, const guint8 *data, gsize length)
{
  ReeveWireBrokerJob *job = g_new0 (ReeveWireBrokerJob, 1);

  job->wire = reeve_wire_ref (wire);
  job->message = g_bytes_new (data, length);
  return job;
}

void
reeve_wire_broker_take (ReeveWire *wire, ReeveWireShare *share, const WireMessage *message,
                        const guint8 *data, gsize length)
{
  ReeveWireBrokerJob *job = reeve_wire_broker_job_new (wire, data, length);

  reeve_wire_share_push (share, reeve_wire_broker_find_level (wire, message),
                         reeve_wire_broker_work, job);
}
