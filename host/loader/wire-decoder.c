/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the runner keeps of a response goes with this. */
#include "wire-decoder.h"

#include <unistd.h>

#include "wire/wire-method.h"

#include "wire-delta.h"

#define REEVE_WIRE_DECODER_INTERFACE WIRE_METHOD_PREFIX "LlmCodec"
/* bytes of one call; a message holds some more */
#define REEVE_WIRE_DECODER_PIECE (768 * 1024)

struct _ReeveWireDecoder
{
  GObject parent_instance;
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

static gboolean
reeve_wire_decoder_begin (ReeveLlmDecoder *decoder, ReeveHttpResponse *head, GError **error)
{
  ReeveWireDecoder *self = REEVE_WIRE_DECODER (decoder);
  g_autoptr (ReeveContext) context = reeve_wire_decoder_make_context ();
  int asked = reeve_wire_delta_write_request (self->request, error);
  ReeveWireCall call = { .interface = REEVE_WIRE_DECODER_INTERFACE,
                         .member = "Begin",
                         .context = context,
                         .fds = &asked,
                         .n_fds = 1 };
  g_autoptr (GVariant) answer = NULL;

  if (asked < 0)
    return FALSE;
  call.arguments[0] = g_variant_new_handle (0);
  call.arguments[1] = g_variant_new_uint32 (reeve_http_response_get_status (head));
  call.arguments[2] = reeve_wire_decoder_write_headers (head);
  answer = reeve_wire_instance_call (self->instance, &call, error);
  close (asked);
  if (answer == NULL)
    return FALSE;
  g_variant_get (answer, "(t)", &self->number);
  return TRUE;
}

static gboolean
reeve_wire_decoder_send (ReeveWireDecoder *self, const guint8 *data, gsize length, gboolean last,
                         ReeveWireDeltaTaker *taker, GError **error)
{
  g_autoptr (ReeveContext) context = reeve_wire_decoder_make_context ();
  const ReeveWireStream stream = reeve_wire_delta_stream (taker);
  const ReeveWireCall call
      = { .interface = REEVE_WIRE_DECODER_INTERFACE,
          .member = "Feed",
          .context = context,
          .arguments = { g_variant_new_uint64 (self->number),
                         g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, data, length, 1),
                         g_variant_new_boolean (last), g_variant_new_handle (0) },
          .stream = &stream };
  g_autoptr (GVariant) answer = reeve_wire_instance_call (self->instance, &call, error);

  /* a runner that ends a response forgets it; with an error it may not know that it has ended */
  if (answer != NULL && last)
    self->number = 0;
  return answer != NULL;
}

static gboolean
reeve_wire_decoder_pass (ReeveWireDecoder *self, const guint8 *data, gsize length, gboolean last,
                         ReeveLlmDeltaFunc func, gpointer user_data, GError **error)
{
  ReeveWireDeltaTaker taker = { func, user_data };

  if (self->number == 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "a response without its head");
      return FALSE;
    }
  while (length > REEVE_WIRE_DECODER_PIECE)
    {
      if (!reeve_wire_decoder_send (self, data, REEVE_WIRE_DECODER_PIECE, FALSE, &taker, error))
        return FALSE;
      data += REEVE_WIRE_DECODER_PIECE;
      length -= REEVE_WIRE_DECODER_PIECE;
    }
  return (length == 0 && !last)
         || reeve_wire_decoder_send (self, data, length, last, &taker, error);
}

static gboolean
reeve_wire_decoder_feed (ReeveLlmDecoder *decoder, const guint8 *data, gsize length,
                         ReeveLlmDeltaFunc func, gpointer user_data, GError **error)
{
  return reeve_wire_decoder_pass (REEVE_WIRE_DECODER (decoder), data, length, FALSE, func,
                                  user_data, error);
}

static gboolean
reeve_wire_decoder_finish (ReeveLlmDecoder *decoder, ReeveLlmDeltaFunc func, gpointer user_data,
                           GError **error)
{
  return reeve_wire_decoder_pass (REEVE_WIRE_DECODER (decoder), NULL, 0, TRUE, func, user_data,
                                  error);
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
