/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An answer of a model, and how deltas become one. */
#include "model-response.h"

#include <string.h>

#include "base/digests.h"
#include "base/ids.h"

#define REEVE_MODEL_RESPONSE_MAX_CALLS 128
/* of one answer; far above any context, and a run of them fits a ledger record */
#define REEVE_MODEL_RESPONSE_MAX_TOKENS  (G_GINT64_CONSTANT (1) << 40)
#define REEVE_MODEL_RESPONSE_MAX_BYTES   (64 * 1024 * 1024)
#define REEVE_MODEL_RESPONSE_MAX_VECTORS 65536

typedef struct
{
  char *id;
  char *name;
  GString *arguments;
} ReeveModelResponseCall;

struct _ReeveModelResponseBuilder
{
  char *provider;
  char *model;
  gboolean keep_raw;
  gboolean any;
  gsize bytes;
  GString *content;
  GString *thought;
  GString *raw;
  GPtrArray *calls; /* of ReeveModelResponseCall; NULL where a number was left out */
  GPtrArray *vectors;
  char *finish_reason;
  gint64 input_tokens;
  gint64 output_tokens;
  gint64 cached_tokens;
  gint64 reasoning_tokens;
};

/**
 * reeve_model_response_free:
 * @self: (transfer full): a response
 */
void
reeve_model_response_free (ReeveModelResponse *self)
{
  g_free (self->provider);
  g_free (self->model);
  g_free (self->content);
  g_free (self->thought);
  g_free (self->finish_reason);
  g_clear_pointer (&self->tool_calls, json_array_unref);
  g_clear_pointer (&self->raw, g_bytes_unref);
  g_clear_pointer (&self->embeddings, g_ptr_array_unref);
  g_free (self);
}

/* Each number as its four bytes (IEEE 754), big-endian. */
static void
reeve_model_response_digest_vector (ReeveDigests *digests, GArray *vector)
{
  for (guint i = 0; i < vector->len; i++)
    {
      guint32 bits = 0;

      memcpy (&bits, &g_array_index (vector, float, i), sizeof bits);
      bits = GUINT32_TO_BE (bits);
      reeve_digests_update (digests, &bits, sizeof bits);
    }
}

/**
 * reeve_model_response_digest:
 * @self: what a model answered
 *
 * Returns: (transfer full): hexadecimal SHA-256 of its words, followed by the canonical JSON of the
 * tools that it asks for and by the numbers of its vectors, where there are any
 */
char *
reeve_model_response_digest (const ReeveModelResponse *self)
{
  g_autoptr (ReeveDigests) digests = reeve_digests_begin ();
  guint8 digest[REEVE_DIGESTS_LENGTH] = { 0 };

  reeve_digests_update (digests, self->content, strlen (self->content));
  if (self->tool_calls != NULL)
    {
      g_autoptr (JsonNode) node = json_node_init_array (json_node_alloc (), self->tool_calls);
      g_autofree char *canonical = reeve_json_canonical (node);

      if (canonical != NULL)
        reeve_digests_update (digests, canonical, strlen (canonical));
    }
  for (guint i = 0; self->embeddings != NULL && i < self->embeddings->len; i++)
    reeve_model_response_digest_vector (digests, self->embeddings->pdata[i]);
  reeve_digests_finish (digests, digest);
  return reeve_digests_hex (digest, sizeof digest);
}

static void
reeve_model_response_call_free (gpointer data)
{
  ReeveModelResponseCall *call = data;

  if (call == NULL)
    return;
  g_free (call->id);
  g_free (call->name);
  g_string_free (call->arguments, TRUE);
  g_free (call);
}

static void
reeve_model_response_vector_free (gpointer data)
{
  if (data != NULL)
    g_array_unref (data);
}

/**
 * reeve_model_response_builder_new:
 * @provider: id of the provider
 * @model: name of the model
 * @keep_raw: whether raw frames are kept: the whole answer, not a stream
 *
 * Returns: (transfer full): a builder without anything
 */
ReeveModelResponseBuilder *
reeve_model_response_builder_new (const char *provider, const char *model, gboolean keep_raw)
{
  ReeveModelResponseBuilder *self = g_new0 (ReeveModelResponseBuilder, 1);

  self->provider = g_strdup (provider);
  self->model = g_strdup (model);
  self->keep_raw = keep_raw;
  self->content = g_string_new (NULL);
  self->thought = g_string_new (NULL);
  self->input_tokens = self->output_tokens = -1;
  self->cached_tokens = self->reasoning_tokens = -1;
  return self;
}

/**
 * reeve_model_response_builder_free:
 * @self: (transfer full): a builder
 */
void
reeve_model_response_builder_free (ReeveModelResponseBuilder *self)
{
  g_string_free (self->content, TRUE);
  g_string_free (self->thought, TRUE);
  if (self->raw != NULL)
    g_string_free (self->raw, TRUE);
  g_clear_pointer (&self->calls, g_ptr_array_unref);
  g_clear_pointer (&self->vectors, g_ptr_array_unref);
  g_free (self->finish_reason);
  g_free (self->provider);
  g_free (self->model);
  g_free (self);
}

static gboolean
reeve_model_response_fail (GError **error, const char *what)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM, what);
  return FALSE;
}

static gboolean
reeve_model_response_add_call (ReeveModelResponseBuilder *self, const ReeveLlmDelta *delta,
                               GError **error)
{
  ReeveModelResponseCall *call = NULL;

  if (delta->index >= REEVE_MODEL_RESPONSE_MAX_CALLS)
    return reeve_model_response_fail (error, "the answer has too many tool calls");
  if (self->calls == NULL)
    self->calls = g_ptr_array_new_with_free_func (reeve_model_response_call_free);
  if (delta->index >= self->calls->len)
    g_ptr_array_set_size (self->calls, (int) delta->index + 1);
  call = g_ptr_array_index (self->calls, delta->index);
  if (call == NULL)
    {
      call = g_new0 (ReeveModelResponseCall, 1);
      call->arguments = g_string_new (NULL);
      g_ptr_array_index (self->calls, delta->index) = call;
    }
  if (delta->id != NULL && *delta->id != '\0' && call->id == NULL)
    call->id = g_strdup (delta->id);
  if (delta->name != NULL && *delta->name != '\0' && call->name == NULL)
    call->name = g_strdup (delta->name);
  g_string_append_len (call->arguments, delta->text, (gssize) delta->text_length);
  return TRUE;
}

static gboolean
reeve_model_response_add_vector (ReeveModelResponseBuilder *self, const ReeveLlmDelta *delta,
                                 GError **error)
{
  GArray *vector = NULL;

  if (delta->index >= REEVE_MODEL_RESPONSE_MAX_VECTORS)
    return reeve_model_response_fail (error, "the answer has too many vectors");
  if (self->vectors == NULL)
    self->vectors = g_ptr_array_new_with_free_func (reeve_model_response_vector_free);
  if (delta->index >= self->vectors->len)
    g_ptr_array_set_size (self->vectors, (int) delta->index + 1);
  if (g_ptr_array_index (self->vectors, delta->index) != NULL)
    return reeve_model_response_fail (error, "the answer has a vector twice");
  vector = g_array_sized_new (FALSE, FALSE, sizeof (float), (guint) delta->n_values);
  g_array_append_vals (vector, delta->values, (guint) delta->n_values);
  g_ptr_array_index (self->vectors, delta->index) = vector;
  return TRUE;
}

/**
 * reeve_model_response_count:
 * @told: what a service says it counted
 * @known: what it said before; -1: nothing
 *
 * What no service can have counted is not known: sums of it would leave the range of a ledger
 * record, and an effect would stay without its outcome.
 *
 * Returns: what is known now
 */
gint64
reeve_model_response_count (gint64 told, gint64 known)
{
  return told >= 0 && told <= REEVE_MODEL_RESPONSE_MAX_TOKENS ? told : known;
}

static void
reeve_model_response_add_usage (ReeveModelResponseBuilder *self, const ReeveLlmDelta *delta)
{
  self->input_tokens = reeve_model_response_count (delta->input_tokens, self->input_tokens);
  self->output_tokens = reeve_model_response_count (delta->output_tokens, self->output_tokens);
  self->cached_tokens = reeve_model_response_count (delta->cached_tokens, self->cached_tokens);
  self->reasoning_tokens
      = reeve_model_response_count (delta->reasoning_tokens, self->reasoning_tokens);
}

/**
 * reeve_model_response_builder_add:
 * @self: a builder
 * @delta: the next piece
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_UPSTREAM when the answer is too large or makes no sense
 */
gboolean
reeve_model_response_builder_add (ReeveModelResponseBuilder *self, const ReeveLlmDelta *delta,
                                  GError **error)
{
  self->any = TRUE;
  self->bytes += delta->text_length;
  if (self->bytes > REEVE_MODEL_RESPONSE_MAX_BYTES)
    return reeve_model_response_fail (error, "the answer is too large");
  switch (delta->kind)
    {
    case REEVE_LLM_DELTA_TEXT:
      g_string_append_len (self->content, delta->text, (gssize) delta->text_length);
      return TRUE;
    case REEVE_LLM_DELTA_THOUGHT:
      g_string_append_len (self->thought, delta->text, (gssize) delta->text_length);
      return TRUE;
    case REEVE_LLM_DELTA_TOOL_CALL:
      return reeve_model_response_add_call (self, delta, error);
    case REEVE_LLM_DELTA_USAGE:
      reeve_model_response_add_usage (self, delta);
      return TRUE;
    case REEVE_LLM_DELTA_FINISH:
      g_free (self->finish_reason);
      self->finish_reason = g_strndup (delta->text, MIN (delta->text_length, 64));
      return TRUE;
    case REEVE_LLM_DELTA_RAW:
      if (self->keep_raw && self->raw == NULL)
        self->raw = g_string_new_len (delta->text, (gssize) delta->text_length);
      return TRUE;
    case REEVE_LLM_DELTA_EMBEDDING:
      return reeve_model_response_add_vector (self, delta, error);
    case REEVE_LLM_DELTA_MODEL:
    default:
      return TRUE;
    }
}

/**
 * reeve_model_response_builder_is_empty:
 * @self: a builder
 *
 * Returns: whether no delta came as yet
 */
gboolean
reeve_model_response_builder_is_empty (ReeveModelResponseBuilder *self)
{
  return !self->any;
}

/**
 * reeve_model_response_builder_digest:
 * @self: a builder
 *
 * Returns: (transfer full) (nullable): hexadecimal SHA-256 of the words that came so far; %NULL
 * where none did
 */
char *
reeve_model_response_builder_digest (ReeveModelResponseBuilder *self)
{
  return self->content->len > 0 ? reeve_digests_sha256_hex (self->content->str, self->content->len)
                                : NULL;
}

static gboolean
reeve_model_response_has_id (JsonArray *calls, const char *id)
{
  for (guint i = 0; i < json_array_get_length (calls); i++)
    if (g_strcmp0 (reeve_json_get_string (json_array_get_object_element (calls, i), "id", NULL), id)
        == 0)
      return TRUE;
  return FALSE;
}

/* A call as an element of OpenAI's tool_calls. */
static gboolean
reeve_model_response_end_call (JsonArray *calls, ReeveModelResponseCall *call, GError **error)
{
  JsonObject *function = NULL;
  JsonObject *object = NULL;
  g_autofree char *id = NULL;

  if (call->name == NULL)
    return reeve_model_response_fail (error, "the answer calls a tool without a name");
  if (!g_utf8_validate_len (call->arguments->str, call->arguments->len, NULL))
    return reeve_model_response_fail (error, "arguments of a tool call are not UTF-8");
  /* local servers leave it out or give it twice; the tool's result has to name one call */
  id = call->id != NULL && !reeve_model_response_has_id (calls, call->id) ? g_strdup (call->id)
                                                                          : reeve_ids_new ("call");
  function = json_object_new ();
  json_object_set_string_member (function, "name", call->name);
  json_object_set_string_member (function, "arguments",
                                 call->arguments->len > 0 ? call->arguments->str : "{}");
  object = json_object_new ();
  json_object_set_string_member (object, "id", id);
  json_object_set_string_member (object, "type", "function");
  json_object_set_object_member (object, "function", function);
  json_array_add_object_element (calls, object);
  return TRUE;
}

/**
 * reeve_model_response_builder_end:
 * @self: a builder; empty afterwards
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the answer, %NULL with %REEVE_ERROR_UPSTREAM
 */
ReeveModelResponse *
reeve_model_response_builder_end (ReeveModelResponseBuilder *self, GError **error)
{
  g_autoptr (ReeveModelResponse) response = g_new0 (ReeveModelResponse, 1);

  response->provider = g_strdup (self->provider);
  response->model = g_strdup (self->model);
  response->content = g_strndup (self->content->str, self->content->len);
  response->thought = g_strndup (self->thought->str, self->thought->len);
  response->finish_reason = g_steal_pointer (&self->finish_reason);
  response->input_tokens = self->input_tokens;
  response->output_tokens = self->output_tokens;
  response->cached_tokens = self->cached_tokens;
  response->reasoning_tokens = self->reasoning_tokens;
  if (self->raw != NULL)
    response->raw = g_string_free_to_bytes (g_steal_pointer (&self->raw));
  for (guint i = 0; self->calls != NULL && i < self->calls->len; i++)
    {
      ReeveModelResponseCall *call = g_ptr_array_index (self->calls, i);

      if (response->tool_calls == NULL)
        response->tool_calls = json_array_new ();
      if (call != NULL && !reeve_model_response_end_call (response->tool_calls, call, error))
        return NULL;
    }
  for (guint i = 0; self->vectors != NULL && i < self->vectors->len; i++)
    if (g_ptr_array_index (self->vectors, i) == NULL)
      {
        reeve_model_response_fail (error, "the answer lacks a vector");
        return NULL;
      }
  response->embeddings = g_steal_pointer (&self->vectors);
  if (response->finish_reason == NULL && response->embeddings == NULL)
    response->finish_reason = g_strdup (response->tool_calls != NULL ? "tool_calls" : "stop");
  return g_steal_pointer (&response);
}
