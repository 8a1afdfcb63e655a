/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Source of plugin.so, which was compiled against plugin interface 1.0 and is kept as it was then.
 * One type that implements every interface that a runner serves. */
#include <string.h>

#include <reeve-plugin-1.h>

G_DECLARE_FINAL_TYPE (Released, released, RELEASED, PLUGIN, ReevePlugin)
G_DECLARE_FINAL_TYPE (ReleasedDecoder, released_decoder, RELEASED, DECODER, GObject)

struct _Released
{
  ReevePlugin parent_instance;
  char *greeting;
};

struct _ReleasedDecoder
{
  GObject parent_instance;
  guint status;
};

static void released_tool_init (ReeveToolInterface *iface);
static void released_sink_init (ReeveSinkInterface *iface);
static void released_extractor_init (ReeveExtractorInterface *iface);
static void released_engine_init (ReeveLlmEngineInterface *iface);
static void released_codec_init (ReeveLlmCodecInterface *iface);
static void released_decoder_iface_init (ReeveLlmDecoderInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (
    Released, released, REEVE_TYPE_PLUGIN,
    G_IMPLEMENT_INTERFACE (REEVE_TYPE_TOOL, released_tool_init)
        G_IMPLEMENT_INTERFACE (REEVE_TYPE_SINK, released_sink_init)
            G_IMPLEMENT_INTERFACE (REEVE_TYPE_EXTRACTOR, released_extractor_init)
                G_IMPLEMENT_INTERFACE (REEVE_TYPE_LLM_ENGINE, released_engine_init)
                    G_IMPLEMENT_INTERFACE (REEVE_TYPE_LLM_CODEC, released_codec_init))
/* layers: allow class: the decoder that its codec makes */
G_DEFINE_FINAL_TYPE_WITH_CODE (ReleasedDecoder, released_decoder, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_LLM_DECODER,
                                                      released_decoder_iface_init))

/* ---- the plugin ---- */

static gboolean
released_setup (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context, GError **error)
{
  RELEASED_PLUGIN (plugin)->greeting
      = g_strdup (reeve_json_get_string (settings, "greeting", "hello"));
  return reeve_context_check (context, error);
}

static void
released_shutdown (ReevePlugin *plugin)
{
  g_clear_pointer (&RELEASED_PLUGIN (plugin)->greeting, g_free);
}

static void
released_class_init (ReleasedClass *klass)
{
  REEVE_PLUGIN_CLASS (klass)->setup = released_setup;
  REEVE_PLUGIN_CLASS (klass)->shutdown = released_shutdown;
}

static void
released_init (Released *self)
{
}

/* ---- a tool ---- */

static GPtrArray *
released_list (ReeveTool *tool, ReeveContext *context, GError **error)
{
  static const char schema[] = "{\"type\":\"object\"}";
  GPtrArray *tools = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_tool_info_unref);
  g_autoptr (JsonNode) parameters = reeve_json_parse_strict (schema, sizeof schema - 1, NULL);

  g_ptr_array_add (tools,
                   reeve_tool_info_new ("who", "says who calls", parameters, REEVE_TOOL_READ_ONLY));
  return tools;
}

static char *
released_describe (Released *self, ReeveContext *context)
{
  g_autofree char *roles = g_strjoinv (",", (char **) reeve_context_get_roles (context));

  return g_strdup_printf ("%s %s %s %s [%s] %d", self->greeting,
                          reeve_context_get_tenant_id (context),
                          reeve_context_get_user_id (context), reeve_context_get_run_id (context),
                          roles, reeve_context_get_deadline (context) != 0);
}

static ReeveToolResult *
released_call (ReeveTool *tool, const char *name, JsonObject *arguments, ReeveContext *context,
               GError **error)
{
  g_autoptr (JsonNode) params = json_node_init_object (json_node_alloc (), arguments);
  g_autoptr (JsonNode) answer = NULL;
  g_autoptr (ReeveHttpRequest) request = NULL;
  g_autoptr (ReeveHttpResponse) response = NULL;
  g_autofree char *text = NULL;

  if (strcmp (name, "fail") == 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_RATE_LIMITED, "slower");
      if (error != NULL)
        reeve_error_set_wait (*error, 7);
      return NULL;
    }
  if (strcmp (name, "http") == 0)
    {
      request = reeve_http_request_new ("GET", "https://host.example/");
      reeve_http_request_add_header (request, "X-One", "1");
      response = reeve_context_http (context, request, error);
      if (response == NULL)
        return NULL;
      text = g_strdup_printf ("%u", reeve_http_response_get_status (response));
      return reeve_tool_result_new (text, NULL, TRUE);
    }
  if (strcmp (name, "ask") == 0)
    {
      answer = reeve_context_call (context, "test.echo", params, error);
      if (answer == NULL)
        return NULL;
    }
  text = released_describe (RELEASED_PLUGIN (tool), context);
  return reeve_tool_result_new (text, answer, FALSE);
}

static void
released_tool_init (ReeveToolInterface *iface)
{
  iface->list = released_list;
  iface->call = released_call;
}

/* ---- a sink ---- */

static guint
released_deliver (ReeveSink *sink, ReeveSinkBatch *batch, ReeveContext *context, GError **error)
{
  guint length = reeve_sink_batch_get_length (batch);

  for (guint i = 0; i < length; i++)
    {
      if (reeve_sink_batch_get_severity (batch, i) < 9)
        continue;
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "%s/%s: %s",
                   reeve_sink_batch_get_scope (batch), reeve_sink_batch_get_id (batch, i),
                   reeve_sink_batch_get_text (batch, i));
      return i;
    }
  return length;
}

static void
released_sink_init (ReeveSinkInterface *iface)
{
  iface->deliver = released_deliver;
}

/* ---- an extractor ---- */

static const char *const *
released_media_types (ReeveExtractor *extractor)
{
  static const char *const types[] = { "text/x-released", NULL };

  return types;
}

static ReeveExtract *
released_extract (ReeveExtractor *extractor, GBytes *bytes, const char *media_type,
                  const char *file_name, ReeveContext *context, GError **error)
{
  ReeveExtract *extract = reeve_extract_new (file_name);
  g_autofree char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));

  reeve_extract_add_page (extract, 1, text);
  reeve_extract_add_page (extract, 2, media_type);
  return extract;
}

static void
released_extractor_init (ReeveExtractorInterface *iface)
{
  iface->media_types = released_media_types;
  iface->extract = released_extract;
}

/* ---- an engine ---- */

static gboolean
released_generate (ReeveLlmEngine *engine, ReeveLlmRequest *request, ReeveContext *context,
                   ReeveLlmDeltaFunc func, gpointer user_data, GError **error)
{
  const char *model = reeve_llm_request_get_model (request);
  const ReeveLlmDelta text = { .struct_size = sizeof text,
                               .kind = REEVE_LLM_DELTA_TEXT,
                               .text = model,
                               .text_length = strlen (model) };
  const ReeveLlmDelta usage = { .struct_size = sizeof usage,
                                .kind = REEVE_LLM_DELTA_USAGE,
                                .input_tokens = 3,
                                .output_tokens = 4,
                                .cached_tokens = -1,
                                .reasoning_tokens = -1 };

  return func (&text, user_data, error) && func (&usage, user_data, error);
}

static void
released_engine_init (ReeveLlmEngineInterface *iface)
{
  iface->generate = released_generate;
}

/* ---- a codec ---- */

static ReeveHttpRequest *
released_encode (ReeveLlmCodec *codec, ReeveLlmRequest *request, GError **error)
{
  g_autoptr (GBytes) body = g_bytes_new_static ("{}", 2);
  ReeveHttpRequest *http = reeve_http_request_new ("POST", "https://model.example/v1");

  reeve_http_request_set_body (http, "application/json", body);
  return http;
}

static ReeveLlmDecoder *
released_new_decoder (ReeveLlmCodec *codec, ReeveLlmRequest *request)
{
  return g_object_new (released_decoder_get_type (), NULL);
}

static void
released_codec_init (ReeveLlmCodecInterface *iface)
{
  iface->encode = released_encode;
  iface->decoder = released_new_decoder;
}

static gboolean
released_decoder_begin (ReeveLlmDecoder *decoder, ReeveHttpResponse *head, GError **error)
{
  RELEASED_DECODER (decoder)->status = reeve_http_response_get_status (head);
  return TRUE;
}

static gboolean
released_decoder_feed (ReeveLlmDecoder *decoder, const guint8 *data, gsize length,
                       ReeveLlmDeltaFunc func, gpointer user_data, GError **error)
{
  const ReeveLlmDelta text = { .struct_size = sizeof text,
                               .kind = REEVE_LLM_DELTA_TEXT,
                               .text = (const char *) data,
                               .text_length = length };

  return length == 0 || func (&text, user_data, error);
}

static gboolean
released_decoder_finish (ReeveLlmDecoder *decoder, ReeveLlmDeltaFunc func, gpointer user_data,
                         GError **error)
{
  const char *reason = RELEASED_DECODER (decoder)->status == 200 ? "stop" : "error";
  const ReeveLlmDelta end = { .struct_size = sizeof end,
                              .kind = REEVE_LLM_DELTA_FINISH,
                              .text = reason,
                              .text_length = strlen (reason) };

  return func (&end, user_data, error);
}

static void
released_decoder_iface_init (ReeveLlmDecoderInterface *iface)
{
  iface->begin = released_decoder_begin;
  iface->feed = released_decoder_feed;
  iface->finish = released_decoder_finish;
}

static void
released_decoder_class_init (ReleasedDecoderClass *klass)
{
}

static void
released_decoder_init (ReleasedDecoder *self)
{
}

static const GType *
released_query_types (void)
{
  static GType types[2] = { G_TYPE_INVALID, G_TYPE_INVALID };

  types[0] = released_get_type ();
  return types;
}

REEVE_DEFINE_PLUGIN ("released", "0.1.0", released_query_types);
