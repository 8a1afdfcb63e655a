/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the runner keeps of a response goes with this. Bytes that cannot complete anything wait for
 * more of them, so that a chunk that came is no round trip for that alone. */
#include "wire-decoder.h"

#include <string.h>
#include <unistd.h>

#include "wire/wire-method.h"

#include "wire-delta.h"

#define REEVE_WIRE_DECODER_INTERFACE WIRE_METHOD_PREFIX "LlmCodec"
/* bytes of one call; a message holds some more */
#define REEVE_WIRE_DECODER_PIECE (768 * 1024)

/* When bytes may complete something. */
typedef enum
{
  REEVE_WIRE_DECODER_ALWAYS,
  REEVE_WIRE_DECODER_LINES, /* with an end of a line: a stream of events */
  REEVE_WIRE_DECODER_END    /* with the last one: one JSON text, or an error's page */
} ReeveWireDecoderPace;

struct _ReeveWireDecoder
{
  GObject parent_instance;
  ReeveWireDecoderPace pace;
  GByteArray *waiting;
  ReeveWireInstance *instance;
  ReeveLlmRequest *request;
  guint64 number; /* over there; 0: there is none, or none any more */
};

static void reeve_wire_decoder_iface_init (ReeveLlmDecoderInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ReeveWireDecoder, reeve_wire_decoder, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_LLM_DECODER,
                                                      reeve_wire_decoder_iface_init))

ReeveContext *
reeve_wire_decoder_make_context (void)
{
  const ReeveContextInfo info
      = { .struct_size = sizeof info, .deadline = g_get_monotonic_time () + REEVE_WIRE_DECODER_US };

  return reeve_context_new (&info, NULL, NULL);
}

/* (transfer floating): names and values as bytes: nobody said that they are UTF-8 */
static GVariant *
reeve_wire_decoder_write_headers (ReeveHttpResponse *head)
{
  return g_variant_new_bytestring_array (reeve_http_response_get_headers (head), -1);
}

/* WHATWG HTML 9.2.6: an event of a stream ends with a line. */
static ReeveWireDecoderPace
reeve_wire_decoder_get_pace (ReeveHttpResponse *head)
{
  const char *type = reeve_http_response_get_header (head, "Content-Type");
  gsize length = type != NULL ? strcspn (type, "; \t") : 0;

  if (reeve_http_response_get_status (head) >= 300)
    return REEVE_WIRE_DECODER_END;
  if (length == 16 && g_ascii_strncasecmp (type, "application/json", length) == 0)
    return REEVE_WIRE_DECODER_END;
  if (length == 17 && g_ascii_strncasecmp (type, "text/event-stream", length) == 0)
    return REEVE_WIRE_DECODER_LINES;
  return REEVE_WIRE_DECODER_ALWAYS;
}

static gboolean
reeve_wire_decoder_begin (ReeveLlmDecoder *decoder, ReeveHttpResponse *head, GError **error)
{
  ReeveWireDecoder *self = REEVE_WIRE_DECODER (decoder);
  g_autoptr (ReeveContext) context = reeve_wire_decoder_make_context ();
  g_autoptr (GBytes) asked = reeve_wire_delta_write_request (self->request);
  ReeveWireCall call = {
    .interface = REEVE_WIRE_DECODER_INTERFACE, .member = "Begin", .context = context, .blob = asked
  };
  g_autoptr (GVariant) answer = NULL;

  call.arguments[0] = g_variant_new_handle (0);
  call.arguments[1] = g_variant_new_uint32 (reeve_http_response_get_status (head));
  call.arguments[2] = reeve_wire_decoder_write_headers (head);
  answer = reeve_wire_instance_call (self->instance, &call, error);
  if (answer == NULL)
    return FALSE;
  g_variant_get (answer, "(t)", &self->number);
  self->pace = reeve_wire_decoder_get_pace (head);
  return TRUE;
}

/* All that is waiting. */
static gboolean
reeve_wire_decoder_send (ReeveWireDecoder *self, gboolean last, ReeveWireDeltaTaker *taker,
                         GError **error)
{
  g_autoptr (ReeveContext) context = reeve_wire_decoder_make_context ();
  const ReeveWireStream stream = reeve_wire_delta_stream (taker);
  const ReeveWireCall call
      = { .interface = REEVE_WIRE_DECODER_INTERFACE,
          .member = "Feed",
          .context = context,
          .arguments = { g_variant_new_uint64 (self->number),
                         g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, self->waiting->data,
                                                    self->waiting->len, 1),
                         g_variant_new_boolean (last), g_variant_new_handle (0) },
          .stream = &stream };
  g_autoptr (GVariant) answer = reeve_wire_instance_call (self->instance, &call, error);

  g_byte_array_set_size (self->waiting, 0);
  /* a runner that ends a response forgets it; with an error it may not know that it has ended */
  if (answer != NULL && last)
    self->number = 0;
  return answer != NULL;
}

static gboolean
reeve_wire_decoder_check (ReeveWireDecoder *self, GError **error)
{
  if (self->number != 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "a response without its head");
  return FALSE;
}

/* May what is waiting, and has got @data just now, complete something? */
static gboolean
reeve_wire_decoder_is_due (ReeveWireDecoder *self, const guint8 *data, gsize length)
{
  switch (self->pace)
    {
    case REEVE_WIRE_DECODER_LINES:
      return memchr (data, '\n', length) != NULL || memchr (data, '\r', length) != NULL;
    case REEVE_WIRE_DECODER_END:
      return FALSE;
    case REEVE_WIRE_DECODER_ALWAYS:
    default:
      return TRUE;
    }
}

static gboolean
reeve_wire_decoder_feed (ReeveLlmDecoder *decoder, const guint8 *data, gsize length,
                         ReeveLlmDeltaFunc func, gpointer user_data, GError **error)
{
  ReeveWireDecoder *self = REEVE_WIRE_DECODER (decoder);
  ReeveWireDeltaTaker taker = { func, user_data };
  gboolean good = reeve_wire_decoder_check (self, error);

  while (good && length > 0)
    {
      gsize taken = MIN (length, REEVE_WIRE_DECODER_PIECE - self->waiting->len);

      g_byte_array_append (self->waiting, data, (guint) taken);
      if (self->waiting->len == REEVE_WIRE_DECODER_PIECE
          || reeve_wire_decoder_is_due (self, data, taken))
        good = reeve_wire_decoder_send (self, FALSE, &taker, error);
      data += taken;
      length -= taken;
    }
  return good;
}

static gboolean
reeve_wire_decoder_finish (ReeveLlmDecoder *decoder, ReeveLlmDeltaFunc func, gpointer user_data,
                           GError **error)
{
  ReeveWireDecoder *self = REEVE_WIRE_DECODER (decoder);
  ReeveWireDeltaTaker taker = { func, user_data };

  return reeve_wire_decoder_check (self, error)
         && reeve_wire_decoder_send (self, TRUE, &taker, error);
}

static void
reeve_wire_decoder_iface_init (ReeveLlmDecoderInterface *iface)
{
  iface->begin = reeve_wire_decoder_begin;
  iface->feed = reeve_wire_decoder_feed;
  iface->finish = reeve_wire_decoder_finish;
}

static void
reeve_wire_decoder_finalize (GObject *object)
{
  ReeveWireDecoder *self = REEVE_WIRE_DECODER (object);

  if (self->number != 0)
    reeve_wire_instance_tell (self->instance, REEVE_WIRE_DECODER_INTERFACE, "Forget",
                              g_variant_new_uint64 (self->number));
  g_byte_array_unref (self->waiting);
  g_object_unref (self->instance);
  reeve_llm_request_unref (self->request);
  G_OBJECT_CLASS (reeve_wire_decoder_parent_class)->finalize (object);
}

static void
reeve_wire_decoder_class_init (ReeveWireDecoderClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_wire_decoder_finalize;
}

static void
reeve_wire_decoder_init (ReeveWireDecoder *self)
{
  self->waiting = g_byte_array_new ();
}

/**
 * reeve_wire_decoder_new:
 * @instance: a codec in a runner
 * @request: what was asked
 *
 * Returns: (transfer full): a reader of the response
 */
ReeveLlmDecoder *
reeve_wire_decoder_new (ReeveWireInstance *instance, ReeveLlmRequest *request)
{
  ReeveWireDecoder *self = g_object_new (REEVE_TYPE_WIRE_DECODER, NULL);

  self->instance = g_object_ref (instance);
  self->request = reeve_llm_request_ref (request);
  return REEVE_LLM_DECODER (self);
}
