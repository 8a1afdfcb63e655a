/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For tests of the wire: a codec that says how many decoders it has. They give bytes back as they
 * come, as texts, and stop the plugin where those say so. */
#include <string.h>

#include <reeve-plugin-1.h>

G_DECLARE_FINAL_TYPE (WireDecoders, wire_decoders, WIRE, DECODERS, ReevePlugin)
G_DECLARE_FINAL_TYPE (WireEcho, wire_echo, WIRE, ECHO, GObject)

struct _WireDecoders
{
  ReevePlugin parent_instance;
  gint count;
};

struct _WireEcho
{
  GObject parent_instance;
  WireDecoders *codec;
};

static void wire_decoders_codec_init (ReeveLlmCodecInterface *iface);
static void wire_echo_decoder_init (ReeveLlmDecoderInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (WireDecoders, wire_decoders, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_LLM_CODEC,
                                                      wire_decoders_codec_init))
/* layers: allow class: the plugin's decoder, which it counts */
G_DEFINE_FINAL_TYPE_WITH_CODE (WireEcho, wire_echo, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_LLM_DECODER,
                                                      wire_echo_decoder_init))

static gboolean
wire_echo_begin (ReeveLlmDecoder *decoder, ReeveHttpResponse *head, GError **error)
{
  if (reeve_http_response_get_status (head) == 200)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM, "status %u, %s",
               reeve_http_response_get_status (head),
               reeve_http_response_get_header (head, "X-What"));
  return FALSE;
}

static gboolean
wire_echo_feed (ReeveLlmDecoder *decoder, const guint8 *data, gsize length, ReeveLlmDeltaFunc func,
                gpointer user_data, GError **error)
{
  const ReeveLlmDelta delta = { .struct_size = sizeof delta,
                                .kind = REEVE_LLM_DELTA_TEXT,
                                .text = (const char *) data,
                                .text_length = length };

  if (length == 5 && memcmp (data, "crash", 5) == 0)
    __builtin_trap ();
  if (length == 5 && memcmp (data, "sleep", 5) == 0)
    g_usleep (G_MAXULONG);
  for (guint i = 0; length == 5 && memcmp (data, "flood", 5) == 0; i++)
    {
      if (!func (&delta, user_data, error))
        return FALSE;
    }
  return func (&delta, user_data, error);
}

static gboolean
wire_echo_finish (ReeveLlmDecoder *decoder, ReeveLlmDeltaFunc func, gpointer user_data,
                  GError **error)
{
  const ReeveLlmDelta delta
      = { .struct_size = sizeof delta, .kind = REEVE_LLM_DELTA_FINISH, .text = "" };

  return func (&delta, user_data, error);
}

static void
wire_echo_finalize (GObject *object)
{
  WireEcho *self = WIRE_ECHO (object);

  g_atomic_int_add (&self->codec->count, -1);
  g_object_unref (self->codec);
  G_OBJECT_CLASS (wire_echo_parent_class)->finalize (object);
}

static void
wire_echo_class_init (WireEchoClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = wire_echo_finalize;
}

static void
wire_echo_init (WireEcho *self)
{
}

static void
wire_echo_decoder_init (ReeveLlmDecoderInterface *iface)
{
  iface->begin = wire_echo_begin;
  iface->feed = wire_echo_feed;
  iface->finish = wire_echo_finish;
}

static ReeveHttpRequest *
wire_decoders_encode (ReeveLlmCodec *codec, ReeveLlmRequest *request, GError **error)
{
  WireDecoders *self = WIRE_DECODERS (codec);
  g_autofree char *url = g_strdup_printf ("http://decoders/%d", g_atomic_int_get (&self->count));

  return reeve_http_request_new ("GET", url);
}

static ReeveLlmDecoder *
wire_decoders_decoder (ReeveLlmCodec *codec, ReeveLlmRequest *request)
{
  WireEcho *echo = g_object_new (wire_echo_get_type (), NULL);

  echo->codec = g_object_ref (WIRE_DECODERS (codec));
  g_atomic_int_inc (&echo->codec->count);
  return REEVE_LLM_DECODER (echo);
}

static void
wire_decoders_codec_init (ReeveLlmCodecInterface *iface)
{
  iface->encode = wire_decoders_encode;
  iface->decoder = wire_decoders_decoder;
}

static void
wire_decoders_class_init (WireDecodersClass *klass)
{
}

static void
wire_decoders_init (WireDecoders *self)
{
}

static const GType *
wire_decoders_query_types (void)
{
  static GType types[2] = { G_TYPE_INVALID, G_TYPE_INVALID };

  types[0] = wire_decoders_get_type ();
  return types;
}

REEVE_DEFINE_PLUGIN ("wire-decoders", "1.0.0", wire_decoders_query_types);
