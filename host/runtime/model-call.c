/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A call of a remote model: encode, authorise, consume the admission, send, decode; again only
 * where it is certain that nothing was done. All of it on the caller's context. */
#include "model-call.h"

#include <string.h>

#include "base/log-task.h"

/* longest pause that a service may ask for before the call is given up */
#define REEVE_MODEL_CALL_MAX_PAUSE_MS 20000
#define REEVE_MODEL_CALL_PAUSE_MS     250

typedef struct
{
  gatomicrefcount refs;
  ReeveModelCallSetup setup;
  GMainContext *context;
  ReeveLogContext *log; /* (nullable): of who asks */
  ReeveUpstream *upstream;
  ReeveUpstreamCall *call; /* (nullable): while one is under way */
  ReeveLlmDecoder *decoder;
  ReeveModelResponseBuilder *builder;
  GSource *pause; /* (nullable): until it is tried again */
  gulong cancel_handler;
  guint attempts;
  guint status;
  int retry_after; /* seconds; -1 when the service did not say */
  gboolean consumed;
  gboolean unsent; /* not a byte of the last attempt has left */
  gboolean ended;
} ReeveModelCall;

static void reeve_model_call_attempt (ReeveModelCall *self);

static ReeveModelCall *
reeve_model_call_ref (ReeveModelCall *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

static void
reeve_model_call_unref (gpointer data)
{
  ReeveModelCall *self = data;

  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_clear_object (&self->decoder);
  g_clear_pointer (&self->builder, reeve_model_response_builder_free);
  g_clear_object (&self->upstream);
  g_clear_object (&self->setup.cancellable);
  g_clear_object (&self->setup.task);
  g_clear_pointer (&self->setup.request, reeve_llm_request_unref);
  g_clear_pointer (&self->setup.http, reeve_http_request_unref);
  g_clear_pointer (&self->setup.provider, reeve_model_provider_unref);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_clear_pointer (&self->log, reeve_log_context_unref);
  g_free (self);
}

/* Is it certain that nothing of an answer was made for it? A gateway's 5xx counts: what its record
 * says of it is `failed`. */
static gboolean
reeve_model_call_is_untouched (ReeveModelCall *self, const GError *error)
{
  gboolean refused = self->status == 408 || self->status == 429 || self->status >= 500;

  if (!reeve_model_response_builder_is_empty (self->builder)
      || g_error_matches (error, REEVE_ERROR, REEVE_ERROR_CANCELLED))
    return FALSE;
  return refused
         || (self->status == 0 && self->unsent
             && g_error_matches (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE));
}

/* Ends the call in either way; what the caller does in its callback may not touch self any more. */
static void
reeve_model_call_end (ReeveModelCall *self, ReeveModelResponse *response, GError *error)
{
  g_autoptr (GTask) task = g_object_ref (self->setup.task);

  self->ended = TRUE;
  if (self->pause != NULL)
    g_source_destroy (self->pause);
  g_clear_pointer (&self->pause, g_source_unref);
  if (self->cancel_handler != 0)
    g_cancellable_disconnect (self->setup.cancellable, self->cancel_handler);
  self->cancel_handler = 0;
  if (error != NULL)
    {
      if (reeve_model_call_is_untouched (self, error))
        reeve_models_fallback_mark (task);
      reeve_models_note_given (task, self->builder);
      reeve_model_provider_scrub (self->setup.provider, error);
      g_prefix_error (&error, "model provider %s: ", self->setup.provider->id);
    }
  reeve_model_call_unref (self);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, response, (GDestroyNotify) reeve_model_response_free);
}

/* Stops what is under way and ends with an error. */
static void
reeve_model_call_abort (ReeveModelCall *self, GError *error)
{
  if (self->call != NULL)
    reeve_upstream_call_cancel (self->call);
  self->call = NULL;
  reeve_model_call_end (self, NULL, error);
}

static gboolean
reeve_model_call_on_delta (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  ReeveModelCall *self = user_data;

  reeve_model_trace_note_piece (self->setup.trace);
  if (!reeve_model_response_builder_add (self->builder, delta, error))
    return FALSE;
  return self->setup.func == NULL || self->setup.func (delta, self->setup.func_data, error);
}

static void
reeve_model_call_on_head (ReeveUpstreamCall *call, ReeveHttpResponse *head, gpointer user_data)
{
  ReeveModelCall *self = user_data;
  const char *retry_after = reeve_http_response_get_header (head, "Retry-After");
  GError *error = NULL;

  self->status = reeve_http_response_get_status (head);
  /* the other form, a date, is for proxies; services send seconds */
  if (retry_after != NULL && g_ascii_isdigit (*retry_after))
    self->retry_after = (int) MIN (g_ascii_strtoull (retry_after, NULL, 10), 86400);
  if (!reeve_llm_decoder_begin (self->decoder, head, &error))
    reeve_model_call_abort (self, error);
}

static void
reeve_model_call_on_data (ReeveUpstreamCall *call, const guint8 *data, gsize length,
                          gpointer user_data)
{
  ReeveModelCall *self = user_data;
  GError *error = NULL;

  if (!reeve_llm_decoder_feed (self->decoder, data, length, reeve_model_call_on_delta, self,
                               &error))
    reeve_model_call_abort (self, error);
}

/* Milliseconds to wait before another attempt; -1 when there may be none. */
static int
reeve_model_call_get_pause (ReeveModelCall *self, const GError *error)
{
  int pause = 0;
  gboolean nothing_done
      = self->unsent && g_error_matches (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);

  nothing_done = nothing_done || self->status == 429;
  nothing_done = nothing_done || (self->status == 503 && self->retry_after >= 0);
  if (!nothing_done || self->attempts > self->setup.provider->retries
      || !reeve_model_response_builder_is_empty (self->builder))
    return -1;
  pause = REEVE_MODEL_CALL_PAUSE_MS << (self->attempts - 1);
  pause += g_random_int_range (0, REEVE_MODEL_CALL_PAUSE_MS);
  if (self->retry_after >= 0)
    pause = self->retry_after * 1000;
  if (pause > REEVE_MODEL_CALL_MAX_PAUSE_MS
      || (self->setup.deadline != 0
          && g_get_monotonic_time () + (gint64) pause * 1000 >= self->setup.deadline))
    return -1;
  return pause;
}

static gboolean
reeve_model_call_on_pause_over (gpointer user_data)
{
  ReeveModelCall *self = user_data;

  g_clear_pointer (&self->pause, g_source_unref);
  reeve_model_call_attempt (self);
  return G_SOURCE_REMOVE;
}

static void
reeve_model_call_fail (ReeveModelCall *self, GError *error)
{
  int pause = reeve_model_call_get_pause (self, error);

  if (pause < 0)
    {
      reeve_model_call_end (self, NULL, error);
      return;
    }
  g_debug ("model provider %s: trying again in %d ms after: %s", self->setup.provider->id, pause,
           error->message);
  g_error_free (error);
  self->pause = g_timeout_source_new ((guint) pause);
  reeve_log_task_set_callback (self->pause, reeve_model_call_on_pause_over,
                               reeve_model_call_ref (self), reeve_model_call_unref);
  g_source_attach (self->pause, self->context);
}

static void
reeve_model_call_on_done (ReeveUpstreamCall *call, const GError *error, gpointer user_data)
{
  ReeveModelCall *self = user_data;
  ReeveModelResponse *response = NULL;
  GError *problem = NULL;

  self->unsent = reeve_upstream_call_get_progress (call) == REEVE_UPSTREAM_UNSENT;
  self->call = NULL;
  if (error != NULL)
    problem = g_error_copy (error);
  else if (reeve_llm_decoder_finish (self->decoder, reeve_model_call_on_delta, self, &problem))
    response = reeve_model_response_builder_end (self->builder, &problem);
  if (problem != NULL)
    reeve_model_call_fail (self, problem);
  else
    reeve_model_call_end (self, response, NULL);
}

static const ReeveUpstreamHandlers reeve_model_call_handlers = {
  .head = reeve_model_call_on_head,
  .data = reeve_model_call_on_data,
  .done = reeve_model_call_on_done,
};

/* The provider's limits, and no more time than the caller has. */
static gboolean
reeve_model_call_limit (ReeveModelCall *self, ReeveUpstreamOptions *options, GError **error)
{
  gint64 left = 0;

  *options = self->setup.provider->options;
  if (self->setup.deadline == 0)
    return TRUE;
  left = (self->setup.deadline - g_get_monotonic_time ()) / 1000;
  if (left <= 0)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT,
                           "the deadline passed before the model was asked");
      return FALSE;
    }
  options->total_ms = (guint) MIN (left, options->total_ms != 0 ? options->total_ms : 86400000);
  return TRUE;
}

/**
 * reeve_model_call_encode:
 * @provider: a provider with a codec
 * @request: as it understands it
 * @error: return location
 *
 * Sends nothing, and needs no right.
 *
 * Returns: (transfer full) (nullable): what is to be sent, with the key
 */
ReeveHttpRequest *
reeve_model_call_encode (ReeveModelProvider *provider, ReeveLlmRequest *request, GError **error)
{
  g_autoptr (ReeveHttpRequest) http = reeve_llm_codec_encode (provider->codec, request, error);

  if (http == NULL || !reeve_model_provider_authorize (provider, http, error))
    return NULL;
  return g_steal_pointer (&http);
}

static void
reeve_model_call_attempt (ReeveModelCall *self)
{
  ReeveModelProvider *provider = self->setup.provider;
  GError *error = NULL;
  ReeveUpstreamOptions options = { 0 };
  g_autoptr (ReeveHttpRequest) http = g_steal_pointer (&self->setup.http);

  self->attempts++;
  self->status = 0;
  self->retry_after = -1;
  self->unsent = FALSE;
  if (reeve_model_call_limit (self, &options, &error) && http == NULL)
    http = reeve_model_call_encode (provider, self->setup.request, &error);
  if (http == NULL || error != NULL)
    {
      reeve_model_call_end (self, NULL, error);
      return;
    }
  reeve_propagation_add (self->setup.propagation, http, self->setup.trace->traceparent,
                         self->setup.trace->tracestate);
  g_clear_object (&self->decoder);
  self->decoder = reeve_llm_codec_decoder (provider->codec, self->setup.request);
  if (!self->consumed)
    reeve_admitted_consume (self->setup.admitted, "model.call");
  self->consumed = TRUE;
  self->call
      = reeve_upstream_start (self->upstream, http, &options, &reeve_model_call_handlers, self);
}

static gboolean
reeve_model_call_on_cancelled_here (gpointer user_data)
{
  ReeveModelCall *self = user_data;
  g_auto (ReeveLogScope) scope = reeve_log_scope (self->log);

  if (!self->ended)
    reeve_model_call_abort (
        self, g_error_new_literal (REEVE_ERROR, REEVE_ERROR_CANCELLED, "the call was cancelled"));
  return G_SOURCE_REMOVE;
}

/* On whatever thread cancels, under the cancellable's lock: hand over to our own. */
static void
reeve_model_call_on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, reeve_model_call_on_cancelled_here,
                         reeve_model_call_ref (user_data), reeve_model_call_unref);
  g_source_attach (source, ((ReeveModelCall *) user_data)->context);
}

/**
 * reeve_model_call_start:
 * @setup: the call; its provider has a codec
 * @upstream: client of the thread-default main context
 *
 * Performs it and returns through the task.
 */
void
reeve_model_call_start (const ReeveModelCallSetup *setup, ReeveUpstream *upstream)
{
  ReeveModelCall *self = g_new0 (ReeveModelCall, 1);
  ReeveLlmRequest *request = setup->request;

  g_atomic_ref_count_init (&self->refs);
  self->setup = *setup;
  self->setup.provider = reeve_model_provider_ref (setup->provider);
  self->setup.request = reeve_llm_request_ref (request);
  self->setup.http = setup->http != NULL ? reeve_http_request_ref (setup->http) : NULL;
  self->setup.task = g_object_ref (setup->task);
  self->setup.cancellable = setup->cancellable != NULL ? g_object_ref (setup->cancellable) : NULL;
  self->context = g_main_context_ref_thread_default ();
  self->log = reeve_log_save_context ();
  self->upstream = g_object_ref (upstream);
  self->builder = reeve_model_response_builder_new (setup->provider->id,
                                                    reeve_llm_request_get_model (request),
                                                    !reeve_llm_request_get_stream (request));
  if (g_cancellable_is_cancelled (setup->cancellable))
    {
      reeve_model_call_end (
          self, NULL,
          g_error_new_literal (REEVE_ERROR, REEVE_ERROR_CANCELLED, "the call was cancelled"));
      return;
    }
  if (setup->cancellable != NULL)
    self->cancel_handler
        = g_cancellable_connect (setup->cancellable, G_CALLBACK (reeve_model_call_on_cancelled),
                                 reeve_model_call_ref (self), reeve_model_call_unref);
  reeve_model_call_attempt (self);
}
