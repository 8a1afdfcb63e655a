/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* llm-openai: a codec for servers that speak OpenAI's wire (OpenAI, Azure OpenAI, vLLM, llama.cpp,
 * LiteLLM, Ollama …). It holds no socket and no key: the host sends what is encoded here and adds
 * the credential. */
#include <reeve-plugin-1.h>

#include <string.h>

#include "openai-body.h"
#include "openai-decoder.h"

#define OPENAI_PLUGIN_TYPE (openai_plugin_get_type ())
G_DECLARE_FINAL_TYPE (OpenaiPlugin, openai_plugin, OPENAI, PLUGIN, ReevePlugin)

struct _OpenaiPlugin
{
  ReevePlugin parent_instance;
  char *base_url; /* without a slash at its end */
  char *query;    /* (nullable): with its question mark */
  char *max_tokens_member;
  GPtrArray *headers; /* name, value … */
  OpenaiBodyStyle style;
};

static void openai_plugin_codec_init (ReeveLlmCodecInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (OpenaiPlugin, openai_plugin, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_LLM_CODEC,
                                                      openai_plugin_codec_init))

static gboolean
openai_plugin_read_url (OpenaiPlugin *self, JsonObject *settings, GError **error)
{
  const char *url = reeve_json_get_string (settings, "base_url", "");
  const char *version = reeve_json_get_string (settings, "api_version", NULL);
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_ENCODED, NULL);
  gsize length = strlen (url);

  if (uri == NULL || g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == 0
      || g_uri_get_query (uri) != NULL || g_uri_get_fragment (uri) != NULL
      || g_uri_get_userinfo (uri) != NULL
      || (g_strcmp0 (g_uri_get_scheme (uri), "http") != 0
          && g_strcmp0 (g_uri_get_scheme (uri), "https") != 0))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                           "base_url is not an http or https URL without user, query and fragment");
      return FALSE;
    }
  while (length > 0 && url[length - 1] == '/')
    length--;
  self->base_url = g_strndup (url, length);
  if (version != NULL)
    {
      g_autofree char *escaped = g_uri_escape_string (version, NULL, FALSE);

      self->query = g_strconcat ("?api-version=", escaped, NULL);
    }
  return TRUE;
}

static void
openai_plugin_read_headers (OpenaiPlugin *self, JsonObject *settings)
{
  JsonObject *headers = reeve_json_get_object (settings, "headers");
  const char *organization = reeve_json_get_string (settings, "organization", NULL);
  const char *project = reeve_json_get_string (settings, "project", NULL);
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *value = NULL;

  if (organization != NULL)
    {
      g_ptr_array_add (self->headers, g_strdup ("OpenAI-Organization"));
      g_ptr_array_add (self->headers, g_strdup (organization));
    }
  if (project != NULL)
    {
      g_ptr_array_add (self->headers, g_strdup ("OpenAI-Project"));
      g_ptr_array_add (self->headers, g_strdup (project));
    }
  if (headers == NULL)
    return;
  json_object_iter_init_ordered (&iter, headers);
  while (json_object_iter_next_ordered (&iter, &name, &value))
    if (JSON_NODE_HOLDS_VALUE (value) && json_node_get_string (value) != NULL)
      {
        g_ptr_array_add (self->headers, g_strdup (name));
        g_ptr_array_add (self->headers, g_strdup (json_node_get_string (value)));
      }
}

static gboolean
openai_plugin_setup (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context,
                     GError **error)
{
  OpenaiPlugin *self = OPENAI_PLUGIN (plugin);

  if (!openai_plugin_read_url (self, settings, error))
    return FALSE;
  openai_plugin_read_headers (self, settings);
  self->max_tokens_member
      = g_strdup (reeve_json_get_string (settings, "max_tokens_member", "max_tokens"));
  self->style.max_tokens_member = self->max_tokens_member;
  self->style.include_usage = reeve_json_get_boolean (settings, "stream_usage", TRUE);
  return TRUE;
}

static ReeveHttpRequest *
openai_plugin_encode (ReeveLlmCodec *codec, ReeveLlmRequest *request, GError **error)
{
  OpenaiPlugin *self = OPENAI_PLUGIN (codec);
  ReeveLlmTask task = reeve_llm_request_get_task (request);
  static const char *const paths[] = { [REEVE_LLM_TASK_CHAT] = "/chat/completions",
                                       [REEVE_LLM_TASK_EMBED] = "/embeddings",
                                       [REEVE_LLM_TASK_MODELS] = "/models" };
  g_autoptr (ReeveHttpRequest) http = NULL;
  g_autoptr (GBytes) body = NULL;
  g_autofree char *url = NULL;

  if ((guint) task >= G_N_ELEMENTS (paths))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED, "unknown task");
      return NULL;
    }
  url = g_strconcat (self->base_url, paths[task], self->query, NULL);
  http = reeve_http_request_new (task == REEVE_LLM_TASK_MODELS ? "GET" : "POST", url);
  reeve_http_request_add_header (http, "Accept",
                                 reeve_llm_request_get_stream (request)
                                     ? "text/event-stream, application/json"
                                     : "application/json");
  for (guint i = 0; i + 1 < self->headers->len; i += 2)
    reeve_http_request_add_header (http, g_ptr_array_index (self->headers, i),
                                   g_ptr_array_index (self->headers, i + 1));
  if (task == REEVE_LLM_TASK_MODELS)
    {
      reeve_http_request_set_idempotent (http, TRUE);
      return g_steal_pointer (&http);
    }
  body = openai_body_build (request, &self->style, error);
  if (body == NULL)
    return NULL;
  reeve_http_request_set_body (http, "application/json", body);
  return g_steal_pointer (&http);
}

static ReeveLlmDecoder *
openai_plugin_decoder (ReeveLlmCodec *codec, ReeveLlmRequest *request)
{
  return REEVE_LLM_DECODER (openai_decoder_new (request));
}

static void
openai_plugin_codec_init (ReeveLlmCodecInterface *iface)
{
  iface->encode = openai_plugin_encode;
  iface->decoder = openai_plugin_decoder;
}

static void
openai_plugin_finalize (GObject *object)
{
  OpenaiPlugin *self = OPENAI_PLUGIN (object);

  g_clear_pointer (&self->headers, g_ptr_array_unref);
  g_free (self->base_url);
  g_free (self->query);
  g_free (self->max_tokens_member);
  G_OBJECT_CLASS (openai_plugin_parent_class)->finalize (object);
}

static void
openai_plugin_class_init (OpenaiPluginClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = openai_plugin_finalize;
  REEVE_PLUGIN_CLASS (klass)->setup = openai_plugin_setup;
}

static void
openai_plugin_init (OpenaiPlugin *self)
{
  self->headers = g_ptr_array_new_with_free_func (g_free);
}

static const GType *
openai_plugin_query_types (void)
{
  static GType types[2];

  types[0] = OPENAI_PLUGIN_TYPE;
  types[1] = G_TYPE_INVALID;
  return types;
}

REEVE_DEFINE_PLUGIN ("llm-openai", "0.1.0", openai_plugin_query_types);
