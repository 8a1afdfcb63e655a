/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs an engine on a worker thread and hands its deltas, in order, to the caller's context. */
#include "model-engine.h"

#include <string.h>

#include "base/log-task.h"
#include "governance/delegation.h"
#include "loader/confined-instance.h"

typedef struct
{
  gatomicrefcount refs;
  ReeveModelCallSetup setup;
  ReeveContext *context;
  GMainContext *caller;
  ReeveModelResponseBuilder *builder; /* the worker's until it has ended */
  GMutex lock;                        /* guards what follows */
  GQueue deltas;                      /* of copies, for the caller */
  gboolean scheduled;
  gboolean stopped; /* the caller's function said so */
  gboolean ended;
  GError *error;
  ReeveModelResponse *response;
} ReeveModelEngineJob;

static void
reeve_model_engine_delta_free (gpointer data)
{
  ReeveLlmDelta *delta = data;

  g_free ((gpointer) delta->text);
  g_free ((gpointer) delta->id);
  g_free ((gpointer) delta->name);
  g_free ((gpointer) delta->values);
  g_free (delta);
}

static ReeveLlmDelta *
reeve_model_engine_delta_copy (const ReeveLlmDelta *delta)
{
  ReeveLlmDelta *copy = g_memdup2 (delta, sizeof *delta);

  copy->text = delta->text != NULL ? g_strndup (delta->text, delta->text_length) : NULL;
  copy->id = g_strdup (delta->id);
  copy->name = g_strdup (delta->name);
  copy->values = g_memdup2 (delta->values, delta->n_values * sizeof (float));
  return copy;
}

static void
reeve_model_engine_unref (gpointer data)
{
  ReeveModelEngineJob *self = data;

  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_queue_clear_full (&self->deltas, reeve_model_engine_delta_free);
  g_clear_pointer (&self->builder, reeve_model_response_builder_free);
  g_clear_pointer (&self->response, reeve_model_response_free);
  g_clear_error (&self->error);
  g_clear_object (&self->context);
  g_clear_object (&self->setup.task);
  g_clear_pointer (&self->setup.request, reeve_llm_request_unref);
  g_clear_pointer (&self->setup.text, g_bytes_unref);
  g_clear_pointer (&self->setup.provider, reeve_model_provider_unref);
  g_clear_pointer (&self->caller, g_main_context_unref);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* Hands one delta to the caller; keeps the first error. */
static void
reeve_model_engine_hand_over (ReeveModelEngineJob *self, ReeveLlmDelta *delta)
{
  GError *error = NULL;
  gboolean stopped = FALSE;

  g_mutex_lock (&self->lock);
  stopped = self->stopped;
  g_mutex_unlock (&self->lock);
  if (!stopped && !self->setup.func (delta, self->setup.func_data, &error))
    {
      g_mutex_lock (&self->lock);
      self->stopped = TRUE;
      g_clear_error (&self->error);
      self->error = error;
      g_mutex_unlock (&self->lock);
    }
  reeve_model_engine_delta_free (delta);
}

/* Its process ended, or is not let in, before it said a word. One that ended behind a question to
 * somebody else may have been answered, and that may be paid. */
static gboolean
reeve_model_engine_is_untouched (ReeveModelEngineJob *self, const GError *error)
{
  return reeve_model_response_builder_is_empty (self->builder)
         && ((g_error_matches (error, REEVE_ERROR, REEVE_ERROR_PLUGIN)
              && !reeve_delegation_has_asked (self->context))
             || g_error_matches (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE));
}

static void
reeve_model_engine_return (ReeveModelEngineJob *self)
{
  g_autoptr (GTask) task = g_object_ref (self->setup.task);
  GError *error = g_steal_pointer (&self->error);

  if (error != NULL)
    {
      if (reeve_model_engine_is_untouched (self, error))
        reeve_models_fallback_mark (task);
      reeve_models_note_given (task, self->builder);
      g_prefix_error (&error, "model provider %s: ", self->setup.provider->id);
      g_task_return_error (task, error);
    }
  else
    g_task_return_pointer (task, g_steal_pointer (&self->response),
                           (GDestroyNotify) reeve_model_response_free);
}

static gboolean
reeve_model_engine_drain (gpointer user_data)
{
  ReeveModelEngineJob *self = user_data;
  gboolean ended = FALSE;

  for (;;)
    {
      ReeveLlmDelta *delta = NULL;

      g_mutex_lock (&self->lock);
      delta = g_queue_pop_head (&self->deltas);
      if (delta == NULL)
        {
          self->scheduled = FALSE;
          ended = self->ended;
        }
      g_mutex_unlock (&self->lock);
      if (delta == NULL)
        break;
      reeve_model_engine_hand_over (self, delta);
    }
  if (ended)
    reeve_model_engine_return (self);
  return G_SOURCE_REMOVE;
}

/* With the lock held: sees to it that the caller's context looks. */
static void
reeve_model_engine_wake (ReeveModelEngineJob *self)
{
  g_autoptr (GSource) source = NULL;

  if (self->scheduled)
    return;
  self->scheduled = TRUE;
  source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_atomic_ref_count_inc (&self->refs);
  reeve_log_task_set_callback (source, reeve_model_engine_drain, self, reeve_model_engine_unref);
  g_source_attach (source, self->caller);
}

static gboolean
reeve_model_engine_on_delta (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  ReeveModelEngineJob *self = user_data;
  gboolean stopped = FALSE;

  reeve_model_trace_note_piece (self->setup.trace);
  if (!reeve_model_response_builder_add (self->builder, delta, error))
    return FALSE;
  if (self->setup.func == NULL)
    return TRUE;
  g_mutex_lock (&self->lock);
  stopped = self->stopped;
  if (!stopped)
    {
      g_queue_push_tail (&self->deltas, reeve_model_engine_delta_copy (delta));
      reeve_model_engine_wake (self);
    }
  g_mutex_unlock (&self->lock);
  if (stopped)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CANCELLED,
                         "the caller wants no more of the answer");
  return !stopped;
}

static void
reeve_model_engine_finish (ReeveModelEngineJob *self, ReeveModelResponse *response, GError *error)
{
  g_mutex_lock (&self->lock);
  self->response = response;
  /* what the caller's function said comes first */
  if (self->error == NULL)
    self->error = error;
  else
    g_clear_error (&error);
  self->ended = TRUE;
  reeve_model_engine_wake (self);
  g_mutex_unlock (&self->lock);
}

static gboolean
reeve_model_engine_generate (ReeveModelEngineJob *self, GError **error)
{
  ReeveLlmEngine *engine = self->setup.provider->engine;

  return self->setup.text != NULL
             ? reeve_confined_kinds_generate_text (engine, self->setup.request, self->setup.text,
                                                   self->context, reeve_model_engine_on_delta, self,
                                                   error)
             : reeve_llm_engine_generate (engine, self->setup.request, self->context,
                                          reeve_model_engine_on_delta, self, error);
}

static void
reeve_model_engine_work (gpointer data)
{
  ReeveModelEngineJob *self = data;
  ReeveModelResponse *response = NULL;
  GError *error = NULL;

  if (reeve_context_check (self->context, &error))
    {
      reeve_admitted_consume (self->setup.admitted, "model.call");
      if (reeve_model_engine_generate (self, &error))
        response = reeve_model_response_builder_end (self->builder, &error);
    }
  /* an engine in the host may keep its context: what it asks for from now on is nobody's call */
  reeve_delegation_end_of (self->context);
  reeve_model_engine_finish (self, response, error);
  reeve_model_engine_unref (self);
}

static gpointer
reeve_model_engine_run (gpointer data)
{
  reeve_model_engine_work (data);
  return NULL;
}

static gboolean
reeve_model_engine_detach (ReeveModelEngineJob *self, GError **error)
{
  GThread *thread = g_thread_try_new ("engine", reeve_model_engine_run, self, error);

  if (thread == NULL)
    return FALSE;
  g_thread_unref (thread);
  return TRUE;
}

/**
 * reeve_model_engine_start:
 * @setup: the call; its provider has an engine
 * @context: for the plugin
 * @workers: (nullable): where it runs; %NULL: on a thread of its own
 *
 * Performs it and returns through the task, on the thread-default main context. Consumes the
 * admission when the engine begins.
 */
void
reeve_model_engine_start (const ReeveModelCallSetup *setup, ReeveContext *context,
                          ReeveWorkers *workers)
{
  ReeveModelEngineJob *self = g_new0 (ReeveModelEngineJob, 1);
  GError *error = NULL;

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  self->setup = *setup;
  self->setup.provider = reeve_model_provider_ref (setup->provider);
  self->setup.request = reeve_llm_request_ref (setup->request);
  if (setup->text != NULL)
    self->setup.text = g_bytes_ref (setup->text);
  self->setup.task = g_object_ref (setup->task);
  self->context = g_object_ref (context);
  self->caller = g_main_context_ref_thread_default ();
  self->builder = reeve_model_response_builder_new (
      setup->provider->id, reeve_llm_request_get_model (setup->request), TRUE);
  if (workers == NULL ? reeve_model_engine_detach (self, &error)
                      : reeve_workers_push (workers, reeve_model_engine_work, self, &error))
    return;
  reeve_model_engine_finish (self, NULL, error);
  reeve_model_engine_unref (self);
}
