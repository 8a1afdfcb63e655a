/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OpenAI's chat completions. Only the members that matter are read; a model gets the body as it
 * came, and what an upstream answers goes out as it came. */
#include "call-trace.h"
#include "gate-params.h"
#include "model-door.h"
#include "openai-members.h"
#include "openai-wire.h"
#include "operation-functions.h"
#include "run-call.h"

#include "base/ids.h"

#include <string.h>

#define REEVE_OP_COMPLETIONS_AGENT "agent/"
/* the same effect as at the door of one's own */
#define REEVE_OP_COMPLETIONS_EXECUTE "agents.execute"

/* One completion under way; everything in the context of its call. */
typedef struct
{
  ReeveCall *call;
  ReeveServices *services;
  ReeveOpenaiWire wire;
  gboolean stream;
  gboolean usage; /* the client wants usage in the stream */
  gboolean raw;   /* upstream frames go out unchanged */
  gboolean begun; /* something was sent */
  char *model;
  char *mission;
  JsonObject *context;
} ReeveOpCompletion;

static void
reeve_op_completions_free (ReeveOpCompletion *self)
{
  reeve_openai_wire_clear (&self->wire);
  g_free (self->model);
  g_free (self->mission);
  g_clear_pointer (&self->context, json_object_unref);
  reeve_call_unref (self->call);
  g_free (self);
}

static void
reeve_op_completions_send (ReeveOpCompletion *self, GBytes *frame)
{
  self->begun = TRUE;
  reeve_call_emit_raw (self->call, frame);
  g_bytes_unref (frame);
}

/* (transfer full) error: as an answer, or as the last event of a stream that has begun */
static void
reeve_op_completions_fail (ReeveOpCompletion *self, GError *error)
{
  if (self->begun)
    {
      reeve_op_completions_send (self, reeve_openai_wire_error_chunk (error));
      reeve_call_complete_stream (self->call);
      g_error_free (error);
    }
  else
    reeve_call_fail (self->call, error);
  reeve_op_completions_free (self);
}

static void
reeve_op_completions_finish_stream (ReeveOpCompletion *self, gint64 input, gint64 output)
{
  if (self->usage && !self->raw)
    reeve_op_completions_send (self, reeve_openai_wire_usage_chunk (&self->wire, input, output));
  reeve_op_completions_send (self, reeve_openai_wire_done ());
  reeve_call_complete_stream (self->call);
}

/* ---- an agent ---- */

static void
reeve_op_completions_on_event (const char *name, JsonObject *data, gpointer user_data)
{
  ReeveOpCompletion *self = user_data;
  const char *text = reeve_json_get_string (data, "delta", NULL);

  if (strcmp (name, "message.delta") == 0 && text != NULL)
    reeve_op_completions_send (
        self, reeve_openai_wire_text_chunk (&self->wire, !self->begun, text, strlen (text), NULL));
}

/* What is wrong has one word at every door; a run may have words of its own besides. */
static ReeveError
reeve_op_completions_find_code (const char *word)
{
  const char *none
      = reeve_error_get_name (REEVE_ERROR_FAILED); /* of a number that is no code too */

  for (guint code = REEVE_ERROR_FAILED + 1; reeve_error_get_name (code) != none; code++)
    if (strcmp (reeve_error_get_name (code), word) == 0)
      return code;
  return REEVE_ERROR_UPSTREAM;
}

static GError *
reeve_op_completions_run_error (JsonObject *answer)
{
  JsonObject *error = reeve_json_get_object (answer, "error");
  const char *message = error != NULL ? reeve_json_get_string (error, "message", NULL) : NULL;
  const char *word = error != NULL ? reeve_json_get_string (error, "code", "") : "";

  return g_error_new (REEVE_ERROR, reeve_op_completions_find_code (word), "the run ended %s: %s",
                      reeve_json_get_string (answer, "status", "failed"),
                      message != NULL ? message : "no reason was given");
}

static void
reeve_op_completions_on_run (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ReeveOpCompletion *self = user_data;
  GError *error = NULL;
  g_autoptr (JsonObject) answer = reeve_runs_execute_finish (self->services->runs, result, &error);
  JsonObject *usage = answer != NULL ? reeve_json_get_object (answer, "usage") : NULL;
  gint64 input = usage != NULL ? reeve_json_get_int (usage, "input_tokens", 0) : 0;
  gint64 output = usage != NULL ? reeve_json_get_int (usage, "output_tokens", 0) : 0;
  const char *text = answer != NULL ? reeve_json_get_string (answer, "answer", "") : "";

  if (answer != NULL && !reeve_json_get_boolean (answer, "success", FALSE))
    error = reeve_op_completions_run_error (answer);
  if (error != NULL)
    {
      reeve_op_completions_fail (self, error);
      return;
    }
  if (!self->stream)
    reeve_call_answer (
        self->call, reeve_openai_wire_completion (&self->wire, text, NULL, "stop", input, output),
        NULL);
  else
    {
      /* an agent whose model does not stream says it all at once */
      if (!self->begun)
        reeve_op_completions_send (
            self, reeve_openai_wire_text_chunk (&self->wire, TRUE, text, strlen (text), NULL));
      reeve_op_completions_send (
          self, reeve_openai_wire_text_chunk (&self->wire, FALSE, NULL, 0, "stop"));
      reeve_op_completions_finish_stream (self, input, output);
    }
  reeve_op_completions_free (self);
}

static void
reeve_op_completions_on_agent_admitted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ReeveOpCompletion *self = user_data;
  GError *error = NULL;
  ReeveAdmitted *admitted
      = reeve_admission_begin_finish (self->services->admission, result, &error);
  ReeveRunRequest request = {
    .operation = REEVE_OP_COMPLETIONS_EXECUTE,
    .agent_id = self->model + strlen (REEVE_OP_COMPLETIONS_AGENT),
    .mission = self->mission,
    .context = self->context,
    .stream = self->stream,
    .run_id = reeve_run_call_get_run_id (self->call),
    .door = reeve_call_get_door (self->call),
  };

  if (admitted == NULL)
    {
      reeve_op_completions_fail (self, error);
      return;
    }
  reeve_call_trace_describe_run (self->call, &request);
  reeve_runs_execute_async (self->services->runs, admitted, &request,
                            self->stream ? reeve_op_completions_on_event : NULL, self, NULL,
                            reeve_op_completions_on_run, self);
}

static gboolean reeve_op_completions_ask_again (gpointer data);

static void
reeve_op_completions_ask_agent (ReeveOpCompletion *self)
{
  const char *agent_id = reeve_ids_get_plain (self->model + strlen (REEVE_OP_COMPLETIONS_AGENT));
  g_autofree char *told = agent_id != NULL && !reeve_ids_is_made (agent_id)
                              ? reeve_admission_name_told (self->services->admission, agent_id)
                              : NULL;
  g_autoptr (JsonNode) body = reeve_admission_keeps_bodies (self->services->admission)
                                  ? reeve_gate_params_make_body (self->call)
                                  : NULL;
  ReeveAdmissionRequest request = {
    .caller = reeve_call_get_caller (self->call),
    .operation = REEVE_OP_COMPLETIONS_EXECUTE,
    .permission = reeve_call_get_operation (self->call)->permission,
    .resource_type = "agent",
    .resource_id = agent_id,
    .resource_told = told,
    .agent_id = told != NULL ? told : agent_id,
    .input_digest = reeve_call_get_digest (self->call),
    .body = body,
    .trace_id = reeve_call_get_trace_id (self->call),
    .trace = reeve_call_trace_get_onward (self->call),
  };
  const ReeveRunCallAgain again = { reeve_op_completions_ask_again, self };
  GError *error = NULL;

  if (!reeve_run_call_prepare (self->call, self->services, &request, agent_id, &again, &error))
    {
      if (error != NULL)
        reeve_op_completions_fail (self, error);
      return;
    }
  reeve_call_set_recorded (self->call);
  reeve_admission_begin_async (self->services->admission, &request,
                               reeve_op_completions_on_agent_admitted, self);
}

/* Its agent was looked up. */
static gboolean
reeve_op_completions_ask_again (gpointer data)
{
  ReeveOpCompletion *self = data;
  g_auto (ReeveLogScope) scope = reeve_log_scope (reeve_call_get_log (self->call));

  reeve_op_completions_ask_agent (self);
  return G_SOURCE_REMOVE;
}

/* Text of a message: a string, or the text parts of an array. */
static char *
reeve_op_completions_message_text (JsonObject *message)
{
  JsonArray *parts = reeve_json_get_array (message, "content");
  GString *text = g_string_new (reeve_json_get_string (message, "content", ""));

  for (guint i = 0; parts != NULL && i < json_array_get_length (parts); i++)
    {
      JsonNode *part = json_array_get_element (parts, i);

      if (JSON_NODE_HOLDS_OBJECT (part))
        g_string_append (text, reeve_json_get_string (json_node_get_object (part), "text", ""));
    }
  return g_string_free (text, FALSE);
}

/* The last message is the mission, what was said before its context. */
static gboolean
reeve_op_completions_read_messages (ReeveOpCompletion *self, const ReeveJsonSlice *slice,
                                    GError **error)
{
  g_autoptr (JsonNode) node = reeve_json_parse_strict (slice->start, slice->length, error);
  JsonArray *messages = NULL;
  JsonArray *before = NULL;
  guint length = 0;

  if (node == NULL)
    return FALSE;
  messages = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  length = messages != NULL ? json_array_get_length (messages) : 0;
  if (length > 0 && JSON_NODE_HOLDS_OBJECT (json_array_get_element (messages, length - 1)))
    self->mission
        = reeve_op_completions_message_text (json_array_get_object_element (messages, length - 1));
  if (self->mission == NULL || *self->mission == '\0')
    {
      reeve_error_set_member (error, "/messages", "the last one must have text");
      return FALSE;
    }
  if (length == 1)
    return TRUE;
  before = json_array_new ();
  for (guint i = 0; i + 1 < length; i++)
    json_array_add_element (before, json_node_ref (json_array_get_element (messages, i)));
  self->context = json_object_new ();
  json_object_set_array_member (self->context, "messages", before);
  return TRUE;
}

/* ---- a model ---- */

static gboolean
reeve_op_completions_on_delta (const ReeveLlmDelta *delta, gpointer user_data, GError **error)
{
  ReeveOpCompletion *self = user_data;

  switch (delta->kind)
    {
    case REEVE_LLM_DELTA_RAW:
      self->raw = TRUE;
      reeve_op_completions_send (self,
                                 reeve_openai_wire_raw_chunk (delta->text, delta->text_length));
      break;
    case REEVE_LLM_DELTA_TEXT:
      if (!self->raw)
        reeve_op_completions_send (self, reeve_openai_wire_text_chunk (&self->wire, !self->begun,
                                                                       delta->text,
                                                                       delta->text_length, NULL));
      break;
    case REEVE_LLM_DELTA_TOOL_CALL:
      if (!self->raw)
        reeve_op_completions_send (self, reeve_openai_wire_tool_chunk (&self->wire, delta));
      break;
    default:
      break;
    }
  return TRUE;
}

static void
reeve_op_completions_answer_model (ReeveOpCompletion *self, const ReeveModelResponse *response)
{
  if (self->stream)
    {
      if (!self->raw)
        reeve_op_completions_send (
            self, reeve_openai_wire_text_chunk (
                      &self->wire, !self->begun, NULL, 0,
                      response->finish_reason != NULL ? response->finish_reason : "stop"));
      reeve_op_completions_finish_stream (self, response->input_tokens, response->output_tokens);
    }
  else if (response->raw != NULL)
    reeve_call_complete_bytes (self->call, 0, "application/json", response->raw);
  else
    reeve_call_answer (self->call,
                       reeve_openai_wire_completion (&self->wire, response->content,
                                                     response->tool_calls, response->finish_reason,
                                                     response->input_tokens,
                                                     response->output_tokens),
                       NULL);
}

static void
reeve_op_completions_on_model (const ReeveModelResponse *response, GError *error,
                               gpointer user_data)
{
  ReeveOpCompletion *self = user_data;

  if (response == NULL)
    {
      reeve_op_completions_fail (self, error);
      return;
    }
  reeve_op_completions_answer_model (self, response);
  reeve_op_completions_free (self);
}

/* The answer names who gives it. */
static void
reeve_op_completions_on_turned (const char *model, gpointer user_data)
{
  ReeveOpCompletion *self = user_data;

  g_free (self->wire.model);
  self->wire.model = g_strdup (model);
}

static void
reeve_op_completions_ask_model (ReeveOpCompletion *self)
{
  g_autoptr (ReeveLlmRequest) request = reeve_llm_request_new (REEVE_LLM_TASK_CHAT, self->model);
  const ReeveModelDoorFuncs funcs = { .delta = self->stream ? reeve_op_completions_on_delta : NULL,
                                      .turned = reeve_op_completions_on_turned,
                                      .done = reeve_op_completions_on_model };

  reeve_llm_request_set_raw (request, reeve_call_get_body (self->call));
  reeve_llm_request_set_stream (request, self->stream);
  reeve_model_door_start (self->call, self->services, request, &funcs, self);
}

/* ---- which of the two ---- */

static gboolean
reeve_op_completions_is_true (const ReeveJsonSlice *slice)
{
  return slice->start != NULL && slice->length == 4 && memcmp (slice->start, "true", 4) == 0;
}

static void
reeve_op_completions_read_options (ReeveOpCompletion *self, const ReeveJsonSlice *options)
{
  static const char *const names[] = { "include_usage", NULL };
  ReeveJsonSlice slices[1] = { { NULL, 0 } };

  if (options->start != NULL && *options->start == '{'
      && reeve_json_find_members (options->start, options->length, names, slices, NULL))
    self->usage = reeve_op_completions_is_true (&slices[0]);
}

static gboolean
reeve_op_completions_read (ReeveOpCompletion *self, GError **error)
{
  static const char *const names[] = { "model", "messages", "stream", "stream_options", NULL };
  ReeveJsonSlice slices[4] = { { NULL, 0 } };
  GBytes *body = reeve_call_get_body (self->call);
  gsize length = 0;
  const char *data = body != NULL ? g_bytes_get_data (body, &length) : "";

  if (!reeve_json_find_members (data, length, names, slices, error))
    return FALSE;
  self->model = reeve_openai_wire_read_string (&slices[0]);
  if (self->model == NULL || *self->model == '\0')
    reeve_error_set_member (error, "/model", "a name is needed");
  else if (slices[1].start == NULL || *slices[1].start != '[')
    reeve_error_set_member (error, "/messages", "an array is needed");
  else
    {
      self->stream = reeve_op_completions_is_true (&slices[2]);
      reeve_op_completions_read_options (self, &slices[3]);
      reeve_openai_wire_init (&self->wire, self->model);
      return g_str_has_prefix (self->model, REEVE_OP_COMPLETIONS_AGENT)
                 ? reeve_op_completions_read_messages (self, &slices[1], error)
                 : reeve_openai_members_check (data, length, error);
    }
  return FALSE;
}

void
reeve_op_completions_create (ReeveCall *call, ReeveServices *services)
{
  ReeveOpCompletion *self = g_new0 (ReeveOpCompletion, 1);
  GError *error = NULL;

  self->call = reeve_call_ref (call);
  self->services = services;
  if (!reeve_op_completions_read (self, &error))
    reeve_op_completions_fail (self, error);
  else if (g_str_has_prefix (self->model, REEVE_OP_COMPLETIONS_AGENT))
    reeve_op_completions_ask_agent (self);
  else
    reeve_op_completions_ask_model (self);
}
