/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plugin asks on a worker, and waits there. The gate and the models work on main contexts: here a
 * thread has one for all of them. A tool is called on the worker that waits for it, so that however
 * many calls hang below one another none of them waits for a worker that another one has. */
#include "plugin-calls-private.h"

/* how long the end of the host waits for calls that do not end */
#define REEVE_PLUGIN_CALLS_LAST_US (10 * G_USEC_PER_SEC)

/* ---- the thread ---- */

gpointer
reeve_plugin_calls_work (gpointer data)
{
  ReevePluginCalls *self = data;
  gboolean left = FALSE;
  gboolean over = FALSE;

  g_main_context_push_thread_default (self->context);
  while (!over)
    {
      g_main_context_iteration (self->context, TRUE);
      g_mutex_lock (&self->lock);
      over = self->closed && self->jobs == 0;
      g_mutex_unlock (&self->lock);
      if (!left && g_cancellable_is_cancelled (self->stopping))
        {
          reeve_models_leave (self->models);
          left = TRUE;
        }
    }
  reeve_models_leave (self->models);
  while (g_main_context_iteration (self->context, FALSE))
    ;
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

/* ---- one question ---- */

JsonNode *
reeve_plugin_calls_answer (JsonObject *answer)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);

  json_node_take_object (node, answer);
  return node;
}

JsonNode *
reeve_plugin_calls_refuse (ReevePluginAsk *ask, GError *reason, GError **error)
{
  reeve_admission_refuse (ask->calls->admission, &ask->admission, reason);
  g_propagate_error (error, reason);
  return NULL;
}

static gboolean
reeve_plugin_calls_enter (ReevePluginCalls *self, GError **error)
{
  gboolean good = FALSE;

  g_mutex_lock (&self->lock);
  good = !self->closed;
  self->asks += good;
  g_mutex_unlock (&self->lock);
  if (!good)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CANCELLED, "the host ends");
  return good;
}

static void
reeve_plugin_calls_leave (ReevePluginCalls *self)
{
  g_mutex_lock (&self->lock);
  self->asks--;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

/* On any thread, under the lock of what is cancelled. */
static void
reeve_plugin_calls_on_cancelled (GCancellable *outer, gpointer inner)
{
  g_cancellable_cancel (inner);
}

/* For whom: as the call in which it asks, whatever the plugin says. */
static void
reeve_plugin_calls_describe (ReevePluginAsk *self)
{
  ReeveContext *context = self->caller->context;

  self->info = (ReeveContextInfo){
    .struct_size = sizeof self->info,
    .tenant_id = reeve_context_get_tenant_id (context),
    .user_id = reeve_context_get_user_id (context),
    .agent_id = reeve_context_get_agent_id (context),
    .run_id = reeve_context_get_run_id (context),
    .trace_id = reeve_context_get_trace_id (context),
    .deadline = reeve_context_get_deadline (context),
    .roles = reeve_context_get_roles (context),
    .labels = reeve_context_get_labels (context),
    .workspaces = reeve_context_get_workspaces (context),
    .traceparent = reeve_context_get_traceparent (context),
    .tracestate = reeve_context_get_tracestate (context),
  };
  self->admission.operation = self->capability;
  self->admission.plugin_id = self->caller->plugin_id;
  reeve_delegation_describe (self->above, &self->admission);
}

/* What ends it: whoever gave the call up, a grant that is taken back, the end of the call in which
 * it asks, and of the host. */
static JsonNode *
reeve_plugin_calls_ask_within (ReevePluginAsk *self,
                               JsonNode *(*func) (ReevePluginAsk *ask, GError **error),
                               GError **error)
{
  GCancellable *const outer[] = { reeve_capabilities_get_cancellable (self->caller),
                                  reeve_delegation_get_over (self->above), self->calls->stopping };
  g_autoptr (GCancellable) inner = g_cancellable_new ();
  gulong handlers[G_N_ELEMENTS (outer)] = { 0 };
  JsonNode *answer = NULL;

  self->cancellable = inner;
  for (guint i = 0; i < G_N_ELEMENTS (outer); i++)
    if (outer[i] != NULL)
      handlers[i] = g_cancellable_connect (outer[i], G_CALLBACK (reeve_plugin_calls_on_cancelled),
                                           g_object_ref (inner), g_object_unref);
  answer = func (self, error);
  for (guint i = 0; i < G_N_ELEMENTS (outer); i++)
    if (handlers[i] != 0)
      g_cancellable_disconnect (outer[i], handlers[i]);
  return answer;
}

static JsonNode *
reeve_plugin_calls_perform (ReevePluginCalls *self, const ReeveCapabilityCaller *caller,
                            const char *capability, JsonNode *params,
                            JsonNode *(*func) (ReevePluginAsk *ask, GError **error), GError **error)
{
  g_autoptr (ReeveDelegation) above = reeve_delegation_find (caller->context, capability, error);
  ReevePluginAsk ask
      = { .calls = self, .caller = caller, .capability = capability, .above = above };
  ReeveTrace trace = { 0 };
  JsonNode *answer = NULL;

  if (above == NULL || !reeve_context_check (caller->context, error)
      || !reeve_delegation_take_turn (above, capability, error))
    return NULL;
  ask.params
      = params != NULL && JSON_NODE_HOLDS_OBJECT (params) ? json_node_get_object (params) : NULL;
  if (ask.params == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "%s: parameters are an object",
                   capability);
      return NULL;
    }
  if (!reeve_plugin_calls_enter (self, error))
    return NULL;
  reeve_plugin_calls_describe (&ask);
  if (ask.info.traceparent != NULL && reeve_trace_parse (ask.info.traceparent, &trace))
    ask.admission.trace = &trace;
  answer = reeve_plugin_calls_ask_within (&ask, func, error);
  reeve_plugin_calls_leave (self);
  return answer;
}

/* ReeveCapabilityFunc */
static JsonNode *
reeve_plugin_calls_on_model (const ReeveCapabilityCaller *caller, JsonNode *params,
                             gpointer user_data, GError **error)
{
  return reeve_plugin_calls_perform (user_data, caller, "model.call", params,
                                     reeve_plugin_calls_ask_model, error);
}

static JsonNode *
reeve_plugin_calls_on_tool (const ReeveCapabilityCaller *caller, JsonNode *params,
                            gpointer user_data, GError **error)
{
  return reeve_plugin_calls_perform (user_data, caller, "tool.call", params,
                                     reeve_plugin_calls_ask_tool, error);
}

/* ---- life ---- */

/**
 * reeve_plugin_calls_new:
 * @setup: what they need; outlives them
 *
 * Returns: (transfer full): without a thread as yet
 */
ReevePluginCalls *
reeve_plugin_calls_new (const ReevePluginCallsSetup *setup)
{
  ReevePluginCalls *self = g_new0 (ReevePluginCalls, 1);

  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->store = setup->store;
  self->admission = setup->admission;
  self->models = setup->models;
  self->stopping = g_cancellable_new ();
  self->context = g_main_context_new ();
  return self;
}

/**
 * reeve_plugin_calls_provide:
 * @self: calls; outlive @capabilities
 * @capabilities: what this host offers to plugins
 *
 * Offers `model.call` {model, messages, max_tokens, temperature} and `tool.call` {tool, arguments},
 * see docs/plugin-guide.md.
 */
void
reeve_plugin_calls_provide (ReevePluginCalls *self, ReeveCapabilities *capabilities)
{
  reeve_capabilities_provide (capabilities, "model.call", reeve_plugin_calls_on_model, self);
  reeve_capabilities_provide (capabilities, "tool.call", reeve_plugin_calls_on_tool, self);
}

void
reeve_plugin_calls_set_tools (ReevePluginCalls *self, ReeveTools *tools, gint64 seconds)
{
  self->tools = tools;
  self->tool_seconds = seconds;
}

/**
 * reeve_plugin_calls_shutdown:
 * @self: calls
 *
 * Ends what is under way, telling whoever asked. A tool that does not end holds the host's end for
 * ten seconds.
 */
void
reeve_plugin_calls_shutdown (ReevePluginCalls *self)
{
  gint64 last = g_get_monotonic_time () + REEVE_PLUGIN_CALLS_LAST_US;
  GThread *thread = NULL;

  g_mutex_lock (&self->lock);
  self->closed = TRUE;
  g_mutex_unlock (&self->lock);
  g_cancellable_cancel (self->stopping);
  g_main_context_wakeup (self->context);
  g_mutex_lock (&self->lock);
  while (self->asks > 0 && g_cond_wait_until (&self->changed, &self->lock, last))
    ;
  if (self->asks > 0)
    g_warning ("%u calls that plugins asked for do not end", self->asks);
  if (self->jobs == 0)
    thread = g_steal_pointer (&self->thread);
  g_mutex_unlock (&self->lock);
  g_main_context_wakeup (self->context);
  if (thread != NULL)
    g_thread_join (thread);
}

/**
 * reeve_plugin_calls_free:
 * @self: (transfer full): calls that nobody can ask for any more
 */
void
reeve_plugin_calls_free (ReevePluginCalls *self)
{
  reeve_plugin_calls_shutdown (self);
  /* somebody who has not come back has all of it still */
  if (self->asks > 0)
    return;
  g_object_unref (self->stopping);
  g_main_context_unref (self->context);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self);
}
