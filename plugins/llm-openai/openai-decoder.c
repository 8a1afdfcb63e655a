/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One response: an error, a whole JSON answer, or a stream of events. */
#include "openai-decoder.h"

#include <string.h>

#include "openai-body.h"
#include "openai-chunk.h"
#include "openai-error.h"
#include "openai-glance.h"
#include "openai-sse.h"

#define OPENAI_DECODER_MAX_BODY  (64 * 1024 * 1024)
#define OPENAI_DECODER_MAX_ERROR (64 * 1024)

struct _OpenaiDecoder
{
  GObject parent_instance;
  ReeveLlmTask task;
  gboolean raw;        /* the caller wants the frames unchanged */
  gboolean hide_usage; /* it was us who asked for the last frame, not the caller */
  guint status;
  OpenaiSse *sse; /* (nullable): while a stream is read */
  GByteArray *body;
  gboolean finished; /* a finish reason was seen */
  gboolean done;     /* [DONE] was seen */
};

/* what the callback of the event reader needs */
typedef struct
{
  OpenaiDecoder *decoder;
  OpenaiSink sink;
} OpenaiDecoderEvent;

static void openai_decoder_iface_init (ReeveLlmDecoderInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (OpenaiDecoder, openai_decoder, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_LLM_DECODER,
                                                      openai_decoder_iface_init))

static gboolean
openai_decoder_begin (ReeveLlmDecoder *decoder, ReeveHttpResponse *head, GError **error)
{
  OpenaiDecoder *self = OPENAI_DECODER (decoder);
  const char *type = reeve_http_response_get_header (head, "Content-Type");

  self->status = reeve_http_response_get_status (head);
  if (self->status == 200 && type != NULL
      && g_ascii_strncasecmp (type, "text/event-stream", 17) == 0)
    self->sse = openai_sse_new ();
  return TRUE;
}

static JsonNode *
openai_decoder_parse (const char *data, gsize length, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (JsonNode) node = reeve_json_parse_strict (data, length, &local);

  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    return g_steal_pointer (&node);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM, "the service answered with bad JSON: %s",
               local != NULL ? local->message : "not an object");
  return NULL;
}

/* The frame with nothing but token counts, which only we asked for, is not the caller's. */
static gboolean
openai_decoder_is_hidden (OpenaiDecoder *self, JsonObject *body)
{
  JsonArray *choices = reeve_json_get_array (body, "choices");

  return self->hide_usage && reeve_json_get_object (body, "usage") != NULL
         && (choices == NULL || json_array_get_length (choices) == 0);
}

static gboolean
openai_decoder_emit_glance (OpenaiDecoder *self, const OpenaiGlance *glance, const OpenaiSink *sink,
                            const char *data, gsize length, GError **error)
{
  if (self->raw && !openai_chunk_emit_text (sink, REEVE_LLM_DELTA_RAW, data, length, error))
    return FALSE;
  return openai_glance_emit (glance, sink, &self->finished, error);
}

static gboolean
openai_decoder_on_event (const char *type, const char *data, gsize length, gpointer user_data,
                         GError **error)
{
  OpenaiDecoderEvent *event = user_data;
  OpenaiDecoder *self = event->decoder;
  g_auto (OpenaiGlance) glance = { 0 };
  g_autoptr (JsonNode) node = NULL;
  JsonObject *body = NULL;

  if (self->done)
    return TRUE;
  if (length == 6 && memcmp (data, "[DONE]", 6) == 0)
    {
      self->done = TRUE;
      return TRUE;
    }
  if (!g_str_equal (type, "error") && openai_glance_read (&glance, data, length))
    return openai_decoder_emit_glance (self, &glance, &event->sink, data, length, error);
  node = openai_decoder_parse (data, length, error);
  if (node == NULL)
    return FALSE;
  body = json_node_get_object (node);
  if (json_object_has_member (body, "error") && !json_object_get_null_member (body, "error"))
    {
      g_propagate_error (error, openai_error_from_event (body));
      return FALSE;
    }
  if (g_str_equal (type, "error"))
    {
      g_propagate_error (error, openai_error_from_event (body));
      return FALSE;
    }
  if (self->raw && !openai_decoder_is_hidden (self, body)
      && !openai_chunk_emit_text (&event->sink, REEVE_LLM_DELTA_RAW, data, length, error))
    return FALSE;
  return openai_chunk_emit_chat (&event->sink, body, &self->finished, error);
}

static gboolean
openai_decoder_feed (ReeveLlmDecoder *decoder, const guint8 *data, gsize length,
                     ReeveLlmDeltaFunc func, gpointer user_data, GError **error)
{
  OpenaiDecoder *self = OPENAI_DECODER (decoder);
  OpenaiDecoderEvent event = { self, { func, user_data } };

  if (self->sse != NULL)
    return openai_sse_feed (self->sse, data, length, openai_decoder_on_event, &event, error);
  /* of an error page the beginning is enough */
  if (self->status != 200)
    length = MIN (length, OPENAI_DECODER_MAX_ERROR - self->body->len);
  if (length > OPENAI_DECODER_MAX_BODY - self->body->len)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM, "the answer is too large");
      return FALSE;
    }
  g_byte_array_append (self->body, data, (guint) length);
  return TRUE;
}

static gboolean
openai_decoder_finish_stream (OpenaiDecoder *self, OpenaiDecoderEvent *event, GError **error)
{
  if (!openai_sse_finish (self->sse, openai_decoder_on_event, event, error))
    return FALSE;
  if (self->done || self->finished)
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM, "the stream ended in mid-answer");
  return FALSE;
}

static gboolean
openai_decoder_emit_body (OpenaiDecoder *self, const OpenaiSink *sink, JsonObject *body,
                          GError **error)
{
  JsonArray *choices = NULL;

  switch (self->task)
    {
    case REEVE_LLM_TASK_EMBED:
      return openai_chunk_emit_embeddings (sink, body, error);
    case REEVE_LLM_TASK_MODELS:
      return openai_chunk_emit_models (sink, body, error);
    case REEVE_LLM_TASK_CHAT:
    default:
      break;
    }
  choices = reeve_json_get_array (body, "choices");
  if (choices == NULL || json_array_get_length (choices) == 0)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM, "the answer has no choices");
      return FALSE;
    }
  return openai_chunk_emit_chat (sink, body, &self->finished, error);
}

static gboolean
openai_decoder_finish (ReeveLlmDecoder *decoder, ReeveLlmDeltaFunc func, gpointer user_data,
                       GError **error)
{
  OpenaiDecoder *self = OPENAI_DECODER (decoder);
  OpenaiDecoderEvent event = { self, { func, user_data } };
  const char *text = (const char *) self->body->data;
  g_auto (OpenaiGlance) glance = { 0 };
  g_autoptr (JsonNode) node = NULL;
  JsonObject *body = NULL;

  if (self->sse != NULL)
    return openai_decoder_finish_stream (self, &event, error);
  if (self->status != 200)
    {
      g_propagate_error (error, openai_error_from_status (self->status, text, self->body->len));
      return FALSE;
    }
  if (self->task == REEVE_LLM_TASK_CHAT && openai_glance_read (&glance, text, self->body->len))
    return openai_decoder_emit_glance (self, &glance, &event.sink, text, self->body->len, error);
  node = openai_decoder_parse (text != NULL ? text : "", self->body->len, error);
  if (node == NULL)
    return FALSE;
  body = json_node_get_object (node);
  /* seen in the wild: an error with status 200 */
  if (reeve_json_get_object (body, "error") != NULL)
    {
      g_propagate_error (error, openai_error_from_event (body));
      return FALSE;
    }
  if (self->raw
      && !openai_chunk_emit_text (&event.sink, REEVE_LLM_DELTA_RAW, text, self->body->len, error))
    return FALSE;
  return openai_decoder_emit_body (self, &event.sink, body, error);
}

static void
openai_decoder_iface_init (ReeveLlmDecoderInterface *iface)
{
  iface->begin = openai_decoder_begin;
  iface->feed = openai_decoder_feed;
  iface->finish = openai_decoder_finish;
}

static void
openai_decoder_finalize (GObject *object)
{
  OpenaiDecoder *self = OPENAI_DECODER (object);

  g_clear_pointer (&self->sse, openai_sse_free);
  g_clear_pointer (&self->body, g_byte_array_unref);
  G_OBJECT_CLASS (openai_decoder_parent_class)->finalize (object);
}

static void
openai_decoder_class_init (OpenaiDecoderClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = openai_decoder_finalize;
}

static void
openai_decoder_init (OpenaiDecoder *self)
{
  self->body = g_byte_array_new ();
}

/**
 * openai_decoder_new:
 * @request: what was asked
 *
 * Returns: (transfer full): the reader of its response
 */
OpenaiDecoder *
openai_decoder_new (ReeveLlmRequest *request)
{
  OpenaiDecoder *self = g_object_new (OPENAI_TYPE_DECODER, NULL);
  GBytes *raw = reeve_llm_request_get_raw (request);

  self->task = reeve_llm_request_get_task (request);
  self->raw = raw != NULL;
  self->hide_usage
      = raw != NULL && reeve_llm_request_get_stream (request) && !openai_body_wants_usage (raw);
  return self;
}
