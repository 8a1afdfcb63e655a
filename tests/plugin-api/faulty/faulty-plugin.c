/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plugin of four kinds that does everything right, but for the one fault that its settings name:
 * what reeve-plugin-check is tested with. */
#include "faulty.h"

#include <gio/gio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct _FaultyPlugin
{
  ReevePlugin parent_instance;
  char *fault;
  int calls;
};

gboolean
faulty_plugin_has (gpointer self, const char *fault)
{
  return strcmp (FAULTY_PLUGIN (self)->fault, fault) == 0;
}

static gboolean
faulty_plugin_fail (GError **error, ReeveError code)
{
  g_set_error_literal (error, REEVE_ERROR, (int) code, "as it should be");
  return FALSE;
}

/* ---- tool ---- */

static GPtrArray *
faulty_plugin_list (ReeveTool *tool, ReeveContext *context, GError **error)
{
  FaultyPlugin *self = FAULTY_PLUGIN (tool);
  const char *schema = faulty_plugin_has (tool, "tool-schema") ? "{\"type\":\"array\"}"
                       : faulty_plugin_has (tool, "tool-pattern")
                           ? "{\"type\":\"object\",\"required\":[\"a\"],"
                             "\"properties\":{\"a\":{\"type\":\"string\","
                             "\"pattern\":\"^[0-9]{9}$\"}}}"
                           : "{\"type\":\"object\",\"required\":[\"n\"],"
                             "\"properties\":{\"n\":{\"type\":\"integer\","
                             "\"minimum\":3},\"day\":{\"type\":\"string\","
                             "\"format\":\"date\"}}}";
  g_autoptr (JsonNode) parameters = reeve_json_parse_strict (schema, strlen (schema), NULL);
  GPtrArray *tools = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_tool_info_unref);
  gboolean odd = g_atomic_int_add (&self->calls, 1) % 2 == 0;

  g_ptr_array_add (tools,
                   reeve_tool_info_new (faulty_plugin_has (tool, "tool-name") ? "my work" : "work",
                                        faulty_plugin_has (tool, "tool-mute") ? "" : "works",
                                        parameters, REEVE_TOOL_READ_ONLY));
  if (faulty_plugin_has (tool, "tool-twice"))
    g_ptr_array_add (tools, reeve_tool_info_ref (g_ptr_array_index (tools, 0)));
  if (faulty_plugin_has (tool, "tool-order"))
    g_ptr_array_insert (tools, odd ? 0 : 1,
                        reeve_tool_info_new ("other", "too", parameters, REEVE_TOOL_NONE));
  return tools;
}

/* what takes the process along */
static void
faulty_plugin_misbehave (gpointer self, ReeveContext *context)
{
  if (faulty_plugin_has (self, "tool-crash"))
    raise (SIGSEGV);
  if (faulty_plugin_has (self, "tool-exit"))
    _exit (7);
  if (faulty_plugin_has (self, "tool-critical"))
    g_object_ref (NULL);
  if (faulty_plugin_has (self, "tool-hang"))
    g_usleep (3600UL * G_USEC_PER_SEC);
  if (faulty_plugin_has (self, "tool-deaf") && !reeve_context_check (context, NULL))
    g_usleep (5 * G_USEC_PER_SEC / 2);
}

static ReeveToolResult *
faulty_plugin_call (ReeveTool *tool, const char *name, JsonObject *arguments, ReeveContext *context,
                    GError **error)
{
  g_autoptr (JsonNode) time = NULL;

  if (strcmp (name, "work") != 0 && strcmp (name, "other") != 0 && strcmp (name, "my work") != 0
      && !faulty_plugin_has (tool, "tool-any"))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no such tool");
      return NULL;
    }
  faulty_plugin_misbehave (tool, context);
  if (faulty_plugin_has (tool, "tool-silent"))
    return NULL;
  if (faulty_plugin_has (tool, "tool-foreign"))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "an error of another house");
      return NULL;
    }
  if (!reeve_context_check (context, error))
    return NULL;
  time = reeve_context_call (context, "clock", NULL, NULL);
  return reeve_tool_result_new (time != NULL ? "done in time" : "done", NULL, FALSE);
}

/* ---- extractor ---- */

static const char *const *
faulty_plugin_media_types (ReeveExtractor *extractor)
{
  static const char *const good[] = { "text/x-faulty", NULL };
  static const char *const bad[] = { "Text/X-Faulty; charset=utf-8", NULL };

  return faulty_plugin_has (extractor, "extractor-type") ? bad : good;
}

static ReeveExtract *
faulty_plugin_extract (ReeveExtractor *extractor, GBytes *bytes, const char *media_type,
                       const char *file_name, ReeveContext *context, GError **error)
{
  FaultyPlugin *self = FAULTY_PLUGIN (extractor);
  gsize length = 0;
  const char *data = g_bytes_get_data (bytes, &length);
  g_autofree char *text = g_utf8_make_valid (data != NULL ? data : "", (gssize) length);
  g_autoptr (ReeveExtract) extract = reeve_extract_new (NULL);

  if (!g_str_has_prefix (media_type, "text/x-faulty") && !faulty_plugin_has (self, "extractor-any"))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED, "another media type");
      return NULL;
    }
  if (faulty_plugin_has (self, "extractor-bomb"))
    for (guint i = 0; i < 100; i++)
      reeve_extract_add_page (extract, 0, text);
  if (faulty_plugin_has (self, "extractor-fickle"))
    {
      g_free (text);
      text = g_strdup_printf ("call %d", g_atomic_int_add (&self->calls, 1));
    }
  if (faulty_plugin_has (self, "extractor-pages"))
    reeve_extract_add_page (extract, 2, text);
  reeve_extract_add_page (extract, faulty_plugin_has (self, "extractor-pages") ? 1 : 0, text);
  return g_steal_pointer (&extract);
}

/* ---- codec ---- */

static ReeveHttpRequest *
faulty_plugin_encode (ReeveLlmCodec *codec, ReeveLlmRequest *request, GError **error)
{
  FaultyPlugin *self = FAULTY_PLUGIN (codec);
  g_autofree char *text = NULL;
  g_autoptr (GBytes) body = NULL;
  ReeveHttpRequest *http = NULL;

  if (reeve_llm_request_get_task (request) != REEVE_LLM_TASK_CHAT)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED, "only chat");
      return NULL;
    }
  http = reeve_http_request_new (
      "POST", faulty_plugin_has (self, "codec-address") ? "/chat" : "https://models.example/chat");
  if (faulty_plugin_has (self, "codec-header"))
    reeve_http_request_add_header (http, "X-Model", "a\r\nX-Admin: yes");
  text = g_strdup_printf (
      "{\"n\":%d%s",
      faulty_plugin_has (self, "codec-fickle") ? g_atomic_int_add (&self->calls, 1) : 0,
      faulty_plugin_has (self, "codec-json") ? "" : "}");
  body = g_bytes_new (text, strlen (text));
  reeve_http_request_set_body (http, "application/json", body);
  return http;
}

static ReeveLlmDecoder *
faulty_plugin_decoder (ReeveLlmCodec *codec, ReeveLlmRequest *request)
{
  return REEVE_LLM_DECODER (faulty_decoder_new (FAULTY_PLUGIN (codec)));
}

/* ---- engine ---- */

static gboolean
faulty_plugin_emit (ReeveLlmDeltaKind kind, const char *text, ReeveLlmDeltaFunc func,
                    gpointer user_data, GError **error)
{
  ReeveLlmDelta delta
      = { .struct_size = sizeof delta, .kind = kind, .text = text, .text_length = strlen (text) };

  return func (&delta, user_data, error);
}

static gboolean
faulty_plugin_generate (ReeveLlmEngine *engine, ReeveLlmRequest *request, ReeveContext *context,
                        ReeveLlmDeltaFunc func, gpointer user_data, GError **error)
{
  const char *text = faulty_plugin_has (engine, "engine-bytes") ? "caf\xe9" : "Good day.";

  if (reeve_llm_request_get_task (request) != REEVE_LLM_TASK_CHAT)
    return faulty_plugin_fail (error, faulty_plugin_has (engine, "engine-task")
                                          ? REEVE_ERROR_FAILED
                                          : REEVE_ERROR_UNSUPPORTED);
  if (!reeve_context_check (context, error))
    return FALSE;
  if (faulty_plugin_has (engine, "engine-mute"))
    return TRUE;
  if (faulty_plugin_has (engine, "engine-refuses"))
    return faulty_plugin_fail (error, REEVE_ERROR_INVALID_ARGUMENT);
  if (faulty_plugin_has (engine, "engine-deaf"))
    {
      faulty_plugin_emit (REEVE_LLM_DELTA_TEXT, text, func, user_data, NULL);
      return faulty_plugin_emit (REEVE_LLM_DELTA_FINISH, "stop", func, user_data, NULL) || TRUE;
    }
  if (faulty_plugin_has (engine, "engine-twice")
      && !faulty_plugin_emit (REEVE_LLM_DELTA_FINISH, "stop", func, user_data, error))
    return FALSE;
  return faulty_plugin_emit (REEVE_LLM_DELTA_TEXT, text, func, user_data, error)
         && faulty_plugin_emit (REEVE_LLM_DELTA_FINISH, "stop", func, user_data, error);
}

/* ---- auth ---- */

static ReeveIdentity *
faulty_plugin_authenticate (ReeveAuth *auth, const ReeveCredentials *credentials,
                            ReeveContext *context, GError **error)
{
  if (faulty_plugin_has (auth, "auth-open") && strstr (credentials->token, "OR") != NULL)
    return reeve_identity_new ("check", "usr_1", NULL, "magic");
  if (strcmp (credentials->scheme, "bearer") != 0)
    return NULL;
  faulty_plugin_fail (error, REEVE_ERROR_UNAUTHENTICATED);
  return NULL;
}

/* ---- the plugin ---- */

static gboolean
faulty_plugin_setup (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context,
                     GError **error)
{
  FAULTY_PLUGIN (plugin)->fault = g_strdup (reeve_json_get_string (settings, "fault", ""));
  return !faulty_plugin_has (plugin, "setup")
         || faulty_plugin_fail (error, REEVE_ERROR_CONFIGURATION);
}

static void
faulty_plugin_shutdown (ReevePlugin *plugin)
{
  if (faulty_plugin_has (plugin, "shutdown"))
    abort ();
}

static void
faulty_plugin_tool_init (ReeveToolInterface *iface)
{
  iface->list = faulty_plugin_list;
  iface->call = faulty_plugin_call;
}

static void
faulty_plugin_extractor_init (ReeveExtractorInterface *iface)
{
  iface->media_types = faulty_plugin_media_types;
  iface->extract = faulty_plugin_extract;
}

static void
faulty_plugin_codec_init (ReeveLlmCodecInterface *iface)
{
  iface->encode = faulty_plugin_encode;
  iface->decoder = faulty_plugin_decoder;
}

static void
faulty_plugin_engine_init (ReeveLlmEngineInterface *iface)
{
  iface->generate = faulty_plugin_generate;
}

static void
faulty_plugin_auth_init (ReeveAuthInterface *iface)
{
  iface->authenticate = faulty_plugin_authenticate;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (
    FaultyPlugin, faulty_plugin, REEVE_TYPE_PLUGIN,
    G_IMPLEMENT_INTERFACE (REEVE_TYPE_TOOL, faulty_plugin_tool_init)
        G_IMPLEMENT_INTERFACE (REEVE_TYPE_EXTRACTOR, faulty_plugin_extractor_init)
            G_IMPLEMENT_INTERFACE (REEVE_TYPE_LLM_CODEC, faulty_plugin_codec_init)
                G_IMPLEMENT_INTERFACE (REEVE_TYPE_LLM_ENGINE, faulty_plugin_engine_init)
                    G_IMPLEMENT_INTERFACE (REEVE_TYPE_AUTH, faulty_plugin_auth_init))

static void
faulty_plugin_finalize (GObject *object)
{
  g_free (FAULTY_PLUGIN (object)->fault);
  G_OBJECT_CLASS (faulty_plugin_parent_class)->finalize (object);
}

static void
faulty_plugin_class_init (FaultyPluginClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = faulty_plugin_finalize;
  REEVE_PLUGIN_CLASS (klass)->setup = faulty_plugin_setup;
  REEVE_PLUGIN_CLASS (klass)->shutdown = faulty_plugin_shutdown;
}

static void
faulty_plugin_init (FaultyPlugin *self)
{
}

static const GType *
faulty_plugin_query_types (void)
{
  static GType types[2];

  types[0] = FAULTY_TYPE_PLUGIN;
  return types;
}

REEVE_DEFINE_PLUGIN ("faulty", "1.0.0", faulty_plugin_query_types);
