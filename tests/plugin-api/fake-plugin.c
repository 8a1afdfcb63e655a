/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plugin that implements every interface and does what a test tells it, rightly or wrongly. */
#include "fake-plugin.h"

#include <fcntl.h>

struct _FakePlugin
{
  ReevePlugin parent_instance;
  FakeManner manner;
  guint calls;
  JsonNode *params;
};

struct _FakeBare
{
  ReevePlugin parent_instance;
};

/* TRUE when a result is wanted */
static gboolean
fake_plugin_act (gpointer instance, GError **error)
{
  FakePlugin *self = FAKE_PLUGIN (instance);

  self->calls++;
  if (self->manner == FAKE_FAIL || self->manner == FAKE_BOTH)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM, "as told");
  return self->manner == FAKE_GOOD || self->manner == FAKE_BOTH;
}

static JsonNode *
fake_plugin_object (void)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, json_object_new ());
  return node;
}

static JsonNode *
fake_plugin_broker_call (ReeveBroker *broker, ReeveContext *context, const char *capability,
                         JsonNode *params, GError **error)
{
  FakePlugin *self = FAKE_PLUGIN (broker);

  g_clear_pointer (&self->params, json_node_unref);
  self->params = json_node_ref (params);
  return fake_plugin_act (broker, error) ? fake_plugin_object () : NULL;
}

/* Gives the bytes back. */
static GBytes *
fake_plugin_broker_transfer (ReeveBroker *broker, ReeveContext *context, const char *capability,
                             JsonNode *params, GBytes *bytes, JsonNode **answer, GError **error)
{
  *answer = fake_plugin_broker_call (broker, context, capability, params, error);
  return *answer != NULL ? g_bytes_ref (bytes) : NULL;
}

/* Something that is open, to be closed by the caller. */
static int
fake_plugin_broker_tcp (ReeveBroker *broker, ReeveContext *context, const char *host, guint16 port,
                        GError **error)
{
  return fake_plugin_act (broker, error) ? open ("/dev/null", O_RDWR | O_CLOEXEC) : -1;
}

static ReeveHttpResponse *
fake_plugin_broker_http (ReeveBroker *broker, ReeveContext *context, ReeveHttpRequest *request,
                         GError **error)
{
  return fake_plugin_act (broker, error) ? reeve_http_response_new (204) : NULL;
}

static GPtrArray *
fake_plugin_list (ReeveTool *tool, ReeveContext *context, GError **error)
{
  g_autoptr (JsonNode) schema = fake_plugin_object ();
  GPtrArray *tools = NULL;

  if (!fake_plugin_act (tool, error))
    return NULL;
  tools = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_tool_info_unref);
  g_ptr_array_add (tools, reeve_tool_info_new ("fake", "does it", schema, REEVE_TOOL_READ_ONLY));
  return tools;
}

static ReeveToolResult *
fake_plugin_call (ReeveTool *tool, const char *name, JsonObject *arguments, ReeveContext *context,
                  GError **error)
{
  return fake_plugin_act (tool, error) ? reeve_tool_result_new ("done", NULL, FALSE) : NULL;
}

static const char *const *
fake_plugin_media_types (ReeveExtractor *extractor)
{
  static const char *const types[] = { "text/plain", NULL };
  FakePlugin *self = FAKE_PLUGIN (extractor);

  self->calls++;
  return self->manner == FAKE_GOOD ? types : NULL;
}

static ReeveExtract *
fake_plugin_extract (ReeveExtractor *extractor, GBytes *bytes, const char *media_type,
                     const char *file_name, ReeveContext *context, GError **error)
{
  return fake_plugin_act (extractor, error) ? reeve_extract_new (file_name) : NULL;
}

static ReeveIdentity *
fake_plugin_authenticate (ReeveAuth *auth, const ReeveCredentials *credentials,
                          ReeveContext *context, GError **error)
{
  return fake_plugin_act (auth, error) ? reeve_identity_new ("acme", "usr_1", NULL, "fake") : NULL;
}

static ReeveHttpRequest *
fake_plugin_encode (ReeveLlmCodec *codec, ReeveLlmRequest *request, GError **error)
{
  return fake_plugin_act (codec, error) ? reeve_http_request_new ("GET", "http://localhost/")
                                        : NULL;
}

static ReeveLlmDecoder *
fake_plugin_decoder (ReeveLlmCodec *codec, ReeveLlmRequest *request)
{
  return REEVE_LLM_DECODER (g_object_ref (codec));
}

static gboolean
fake_plugin_begin (ReeveLlmDecoder *decoder, ReeveHttpResponse *head, GError **error)
{
  return fake_plugin_act (decoder, error);
}

static gboolean
fake_plugin_emit (gpointer self, ReeveLlmDeltaFunc func, gpointer user_data, GError **error)
{
  ReeveLlmDelta delta = {
    .struct_size = sizeof delta, .kind = REEVE_LLM_DELTA_TEXT, .text = "hi", .text_length = 2
  };

  return fake_plugin_act (self, error) && func (&delta, user_data, error);
}

static gboolean
fake_plugin_feed (ReeveLlmDecoder *decoder, const guint8 *data, gsize length,
                  ReeveLlmDeltaFunc func, gpointer user_data, GError **error)
{
  return fake_plugin_emit (decoder, func, user_data, error);
}

static gboolean
fake_plugin_finish (ReeveLlmDecoder *decoder, ReeveLlmDeltaFunc func, gpointer user_data,
                    GError **error)
{
  return fake_plugin_emit (decoder, func, user_data, error);
}

static gboolean
fake_plugin_generate (ReeveLlmEngine *engine, ReeveLlmRequest *request, ReeveContext *context,
                      ReeveLlmDeltaFunc func, gpointer user_data, GError **error)
{
  return fake_plugin_emit (engine, func, user_data, error);
}

static gboolean
fake_plugin_setup (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context, GError **error)
{
  return fake_plugin_act (plugin, error);
}

static void
fake_plugin_shutdown (ReevePlugin *plugin)
{
  FAKE_PLUGIN (plugin)->calls++;
}

static void
fake_plugin_broker_init (ReeveBrokerInterface *iface)
{
  iface->call = fake_plugin_broker_call;
  iface->http = fake_plugin_broker_http;
  iface->transfer = fake_plugin_broker_transfer;
  iface->tcp = fake_plugin_broker_tcp;
}

static void
fake_plugin_tool_init (ReeveToolInterface *iface)
{
  iface->list = fake_plugin_list;
  iface->call = fake_plugin_call;
}

static void
fake_plugin_extractor_init (ReeveExtractorInterface *iface)
{
  iface->media_types = fake_plugin_media_types;
  iface->extract = fake_plugin_extract;
}

static void
fake_plugin_auth_init (ReeveAuthInterface *iface)
{
  iface->authenticate = fake_plugin_authenticate;
}

static void
fake_plugin_codec_init (ReeveLlmCodecInterface *iface)
{
  iface->encode = fake_plugin_encode;
  iface->decoder = fake_plugin_decoder;
}

static void
fake_plugin_decoder_init (ReeveLlmDecoderInterface *iface)
{
  iface->begin = fake_plugin_begin;
  iface->feed = fake_plugin_feed;
  iface->finish = fake_plugin_finish;
}

static void
fake_plugin_engine_init (ReeveLlmEngineInterface *iface)
{
  iface->generate = fake_plugin_generate;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (
    FakePlugin, fake_plugin, REEVE_TYPE_PLUGIN,
    G_IMPLEMENT_INTERFACE (REEVE_TYPE_BROKER, fake_plugin_broker_init)
        G_IMPLEMENT_INTERFACE (REEVE_TYPE_TOOL, fake_plugin_tool_init)
            G_IMPLEMENT_INTERFACE (REEVE_TYPE_EXTRACTOR, fake_plugin_extractor_init)
                G_IMPLEMENT_INTERFACE (REEVE_TYPE_AUTH, fake_plugin_auth_init)
                    G_IMPLEMENT_INTERFACE (REEVE_TYPE_LLM_CODEC, fake_plugin_codec_init)
                        G_IMPLEMENT_INTERFACE (REEVE_TYPE_LLM_DECODER, fake_plugin_decoder_init)
                            G_IMPLEMENT_INTERFACE (REEVE_TYPE_LLM_ENGINE, fake_plugin_engine_init))

static void
fake_plugin_finalize (GObject *object)
{
  g_clear_pointer (&FAKE_PLUGIN (object)->params, json_node_unref);
  G_OBJECT_CLASS (fake_plugin_parent_class)->finalize (object);
}

static void
fake_plugin_class_init (FakePluginClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = fake_plugin_finalize;
  REEVE_PLUGIN_CLASS (klass)->setup = fake_plugin_setup;
  REEVE_PLUGIN_CLASS (klass)->shutdown = fake_plugin_shutdown;
}

static void
fake_plugin_init (FakePlugin *self)
{
}

/* layers: allow class: the second one is nothing but the first without functions */
G_DEFINE_FINAL_TYPE_WITH_CODE (
    FakeBare, fake_bare, REEVE_TYPE_PLUGIN,
    G_IMPLEMENT_INTERFACE (REEVE_TYPE_BROKER, NULL) G_IMPLEMENT_INTERFACE (REEVE_TYPE_TOOL, NULL)
        G_IMPLEMENT_INTERFACE (REEVE_TYPE_EXTRACTOR, NULL)
            G_IMPLEMENT_INTERFACE (REEVE_TYPE_AUTH, NULL)
                G_IMPLEMENT_INTERFACE (REEVE_TYPE_LLM_CODEC, NULL)
                    G_IMPLEMENT_INTERFACE (REEVE_TYPE_LLM_DECODER, NULL)
                        G_IMPLEMENT_INTERFACE (REEVE_TYPE_LLM_ENGINE, NULL))

static void
fake_bare_class_init (FakeBareClass *klass)
{
}

static void
fake_bare_init (FakeBare *self)
{
}

FakeBare *
fake_bare_new (void)
{
  return g_object_new (FAKE_TYPE_BARE, NULL);
}

FakePlugin *
fake_plugin_new (FakeManner manner)
{
  FakePlugin *self = g_object_new (FAKE_TYPE_PLUGIN, NULL);

  self->manner = manner;
  return self;
}

void
fake_plugin_set_manner (FakePlugin *self, FakeManner manner)
{
  self->manner = manner;
}

guint
fake_plugin_get_calls (FakePlugin *self)
{
  return self->calls;
}

JsonNode *
fake_plugin_get_params (FakePlugin *self)
{
  return self->params;
}
