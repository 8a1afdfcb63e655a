/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Language models: a codec for remote services (sans I/O) and an engine for local computation. */
#pragma once

#include "reeve-plugin.h"

G_BEGIN_DECLS

#define REEVE_TYPE_LLM_REQUEST (reeve_llm_request_get_type ())
#define REEVE_TYPE_LLM_CODEC   (reeve_llm_codec_get_type ())
#define REEVE_TYPE_LLM_DECODER (reeve_llm_decoder_get_type ())
#define REEVE_TYPE_LLM_ENGINE  (reeve_llm_engine_get_type ())

/**
 * ReeveLlmTask:
 * @REEVE_LLM_TASK_CHAT: complete a conversation
 * @REEVE_LLM_TASK_EMBED: embed texts
 * @REEVE_LLM_TASK_MODELS: list the models on offer
 *
 * What is asked of a model service.
 *
 * Since: 1.0
 */
typedef enum
{
  REEVE_LLM_TASK_CHAT,
  REEVE_LLM_TASK_EMBED,
  REEVE_LLM_TASK_MODELS
} ReeveLlmTask;

/**
 * ReeveLlmRequest:
 *
 * One request, immutable once given to a plugin. Messages and tools have the shape of OpenAI's chat
 * completions
 * (`role`, `content`, `tool_calls`, `tool_call_id`; `{type: "function", function: {name,
 * description, parameters}}`), the field's common tongue; a codec for another wire translates.
 *
 * Since: 1.0
 */
typedef struct _ReeveLlmRequest ReeveLlmRequest;

REEVE_AVAILABLE_IN_1_0
GType reeve_llm_request_get_type (void) G_GNUC_CONST;
REEVE_AVAILABLE_IN_1_0
ReeveLlmRequest *reeve_llm_request_new (ReeveLlmTask task, const char *model);
REEVE_AVAILABLE_IN_1_0
ReeveLlmRequest *reeve_llm_request_ref (ReeveLlmRequest *self);
REEVE_AVAILABLE_IN_1_0
void reeve_llm_request_unref (ReeveLlmRequest *self);
REEVE_AVAILABLE_IN_1_0
ReeveLlmTask reeve_llm_request_get_task (ReeveLlmRequest *self);
REEVE_AVAILABLE_IN_1_0
const char *reeve_llm_request_get_model (ReeveLlmRequest *self);
/* (transfer none) array of message objects; built from the raw body on first use when only that was
 * given, else NULL */
REEVE_AVAILABLE_IN_1_0
JsonArray *reeve_llm_request_get_messages (ReeveLlmRequest *self);
REEVE_AVAILABLE_IN_1_0
void reeve_llm_request_set_messages (ReeveLlmRequest *self, JsonArray *messages);
/* (nullable) array of tool definitions */
REEVE_AVAILABLE_IN_1_0
JsonArray *reeve_llm_request_get_tools (ReeveLlmRequest *self);
REEVE_AVAILABLE_IN_1_0
void reeve_llm_request_set_tools (ReeveLlmRequest *self, JsonArray *tools);
/* texts to embed */
REEVE_AVAILABLE_IN_1_0
const char *const *reeve_llm_request_get_input (ReeveLlmRequest *self);
REEVE_AVAILABLE_IN_1_0
void reeve_llm_request_set_input (ReeveLlmRequest *self, const char *const *texts);
/* upper bound of generated tokens; 0 for the service's default */
REEVE_AVAILABLE_IN_1_0
guint reeve_llm_request_get_max_tokens (ReeveLlmRequest *self);
REEVE_AVAILABLE_IN_1_0
void reeve_llm_request_set_max_tokens (ReeveLlmRequest *self, guint max_tokens);
/* negative: not given */
REEVE_AVAILABLE_IN_1_0
double reeve_llm_request_get_temperature (ReeveLlmRequest *self);
REEVE_AVAILABLE_IN_1_0
void reeve_llm_request_set_temperature (ReeveLlmRequest *self, double temperature);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_llm_request_get_stream (ReeveLlmRequest *self);
REEVE_AVAILABLE_IN_1_0
void reeve_llm_request_set_stream (ReeveLlmRequest *self, gboolean stream);
/* (nullable) the caller's own body in OpenAI's shape, already scanned strictly: a codec of that
 * wire forwards its bytes unchanged but for model name and stream options */
REEVE_AVAILABLE_IN_1_0
GBytes *reeve_llm_request_get_raw (ReeveLlmRequest *self);
REEVE_AVAILABLE_IN_1_0
void reeve_llm_request_set_raw (ReeveLlmRequest *self, GBytes *raw);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLlmRequest, reeve_llm_request_unref)

/**
 * ReeveLlmDeltaKind:
 * @REEVE_LLM_DELTA_TEXT: a piece of the answer in @text
 * @REEVE_LLM_DELTA_THOUGHT: a piece of reasoning in @text
 * @REEVE_LLM_DELTA_TOOL_CALL: piece of tool call number @index: @id and @name with its first piece,
 * arguments in @text
 * @REEVE_LLM_DELTA_USAGE: token counts
 * @REEVE_LLM_DELTA_FINISH: the service's reason for the end in @text (`stop`, `length`,
 * `tool_calls`, `content_filter`)
 * @REEVE_LLM_DELTA_RAW: a whole upstream frame in OpenAI's shape in @text (JSON of one chunk, or of
 * the whole answer), for callers who want it unchanged; sent beside the parsed deltas
 * @REEVE_LLM_DELTA_EMBEDDING: vector number @index in @values
 * @REEVE_LLM_DELTA_MODEL: one model on offer, its name in @id
 *
 * Kinds of #ReeveLlmDelta.
 *
 * Since: 1.0
 */
typedef enum
{
  REEVE_LLM_DELTA_TEXT,
  REEVE_LLM_DELTA_THOUGHT,
  REEVE_LLM_DELTA_TOOL_CALL,
  REEVE_LLM_DELTA_USAGE,
  REEVE_LLM_DELTA_FINISH,
  REEVE_LLM_DELTA_RAW,
  REEVE_LLM_DELTA_EMBEDDING,
  REEVE_LLM_DELTA_MODEL
} ReeveLlmDeltaKind;

/**
 * ReeveLlmDelta:
 * @struct_size: sizeof (ReeveLlmDelta)
 * @kind: which of the members count
 * @index: number of the tool call or vector
 * @text: (nullable): bytes, not terminated
 * @text_length: their number
 * @id: (nullable): id of the tool call, or model name
 * @name: (nullable): name of the tool
 * @values: (nullable): a vector
 * @n_values: its length
 * @input_tokens: tokens read (cached ones included); -1 when unknown
 * @output_tokens: tokens written (reasoning included); -1 when unknown
 * @cached_tokens: of the input; -1 when unknown
 * @reasoning_tokens: of the output; -1 when unknown
 *
 * One piece of an answer; valid during the callback.
 *
 * Since: 1.0
 */
typedef struct
{
  guint32 struct_size;
  ReeveLlmDeltaKind kind;
  guint index;
  const char *text;
  gsize text_length;
  const char *id;
  const char *name;
  const float *values;
  gsize n_values;
  gint64 input_tokens;
  gint64 output_tokens;
  gint64 cached_tokens;
  gint64 reasoning_tokens;
} ReeveLlmDelta;

/**
 * ReeveLlmDeltaFunc:
 * @delta: one piece
 * @user_data: closure
 * @error: return location
 *
 * Receives an answer as it comes. Returns: %FALSE with @error set to stop.
 *
 * Since: 1.0
 */
typedef gboolean (*ReeveLlmDeltaFunc) (const ReeveLlmDelta *delta, gpointer user_data,
                                       GError **error);

REEVE_AVAILABLE_IN_1_0
G_DECLARE_INTERFACE (ReeveLlmDecoder, reeve_llm_decoder, REEVE, LLM_DECODER, GObject)

/**
 * ReeveLlmDecoderInterface:
 * @parent_iface: the parent
 * @begin: status and headers have come (body empty as yet)
 * @feed: bytes have come; emits what they complete
 * @finish: the body ended; emits the rest; an end in mid-answer is %REEVE_ERROR_UPSTREAM
 *
 * Reads one response. Pure and bounded: runs on the API thread that owns the request and never
 * blocks. An error answer of the service becomes a #GError: %REEVE_ERROR_RATE_LIMITED,
 * %REEVE_ERROR_UNAVAILABLE, %REEVE_ERROR_INVALID_ARGUMENT, %REEVE_ERROR_CONFIGURATION (its key was
 * refused) or %REEVE_ERROR_UPSTREAM.
 *
 * Since: 1.0
 */
struct _ReeveLlmDecoderInterface
{
  GTypeInterface parent_iface;

  gboolean (*begin) (ReeveLlmDecoder *self, ReeveHttpResponse *head, GError **error);
  gboolean (*feed) (ReeveLlmDecoder *self, const guint8 *data, gsize length, ReeveLlmDeltaFunc func,
                    gpointer user_data, GError **error);
  gboolean (*finish) (ReeveLlmDecoder *self, ReeveLlmDeltaFunc func, gpointer user_data,
                      GError **error);
  /*< private >*/
  gpointer reserved[4];
};

REEVE_AVAILABLE_IN_1_0
gboolean reeve_llm_decoder_begin (ReeveLlmDecoder *self, ReeveHttpResponse *head, GError **error);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_llm_decoder_feed (ReeveLlmDecoder *self, const guint8 *data, gsize length,
                                 ReeveLlmDeltaFunc func, gpointer user_data, GError **error);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_llm_decoder_finish (ReeveLlmDecoder *self, ReeveLlmDeltaFunc func,
                                   gpointer user_data, GError **error);

REEVE_AVAILABLE_IN_1_0
G_DECLARE_INTERFACE (ReeveLlmCodec, reeve_llm_codec, REEVE, LLM_CODEC, GObject)

/**
 * ReeveLlmCodecInterface:
 * @parent_iface: the parent
 * @encode: turns a request into an HTTP request; credentials are added by the host where it holds
 * them
 * @decoder: makes the reader of the response to @request
 *
 * A remote model service, sans I/O: bytes in, bytes out. Both functions are pure, bounded,
 * thread-safe and run on the API thread that owns the request.
 *
 * Since: 1.0
 */
struct _ReeveLlmCodecInterface
{
  GTypeInterface parent_iface;

  ReeveHttpRequest *(*encode) (ReeveLlmCodec *self, ReeveLlmRequest *request, GError **error);
  ReeveLlmDecoder *(*decoder) (ReeveLlmCodec *self, ReeveLlmRequest *request);
  /*< private >*/
  gpointer reserved[6];
};

REEVE_AVAILABLE_IN_1_0
ReeveHttpRequest *reeve_llm_codec_encode (ReeveLlmCodec *self, ReeveLlmRequest *request,
                                          GError **error);
REEVE_AVAILABLE_IN_1_0
ReeveLlmDecoder *reeve_llm_codec_decoder (ReeveLlmCodec *self, ReeveLlmRequest *request);

REEVE_AVAILABLE_IN_1_0
G_DECLARE_INTERFACE (ReeveLlmEngine, reeve_llm_engine, REEVE, LLM_ENGINE, GObject)

/**
 * ReeveLlmEngineInterface:
 * @parent_iface: the parent
 * @generate: answers @request, handing over pieces as they come; blocks, on a worker thread
 *
 * A model that computes in its own process.
 *
 * Since: 1.0
 */
struct _ReeveLlmEngineInterface
{
  GTypeInterface parent_iface;

  gboolean (*generate) (ReeveLlmEngine *self, ReeveLlmRequest *request, ReeveContext *context,
                        ReeveLlmDeltaFunc func, gpointer user_data, GError **error);
  /*< private >*/
  gpointer reserved[6];
};

REEVE_AVAILABLE_IN_1_0
gboolean reeve_llm_engine_generate (ReeveLlmEngine *self, ReeveLlmRequest *request,
                                    ReeveContext *context, ReeveLlmDeltaFunc func,
                                    gpointer user_data, GError **error);

G_END_DECLS
