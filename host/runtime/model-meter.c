/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service's own count wins wherever it came. Else the host counts what it saw, and says so: a
 * token for each piece of a stream, and no less than one for four bytes. A stream that was cut has
 * taken its input and what it had said. */
#include "model-meter.h"

#include "model-response.h"
#include "token-estimate.h"

#include <string.h>

/* of one answer, where neither definition nor caller says it */
#define REEVE_MODEL_METER_OUTPUT 4096

/**
 * reeve_model_meter_init:
 * @self: (out caller-allocates): a meter
 */
void
reeve_model_meter_init (ReeveModelMeter *self)
{
  *self = (ReeveModelMeter){ .input = -1, .output = -1 };
}

/**
 * reeve_model_meter_add:
 * @self: a meter
 * @delta: a piece of the answer
 */
void
reeve_model_meter_add (ReeveModelMeter *self, const ReeveLlmDelta *delta)
{
  self->sent = TRUE;
  switch (delta->kind)
    {
    case REEVE_LLM_DELTA_TEXT:
    case REEVE_LLM_DELTA_THOUGHT:
    case REEVE_LLM_DELTA_TOOL_CALL:
      self->bytes += delta->text_length;
      if (delta->name != NULL)
        self->bytes += strlen (delta->name);
      self->pieces += delta->text_length > 0 || delta->name != NULL;
      break;
    case REEVE_LLM_DELTA_USAGE:
      self->input = reeve_model_response_count (delta->input_tokens, self->input);
      self->output = reeve_model_response_count (delta->output_tokens, self->output);
      break;
    default:
      break;
    }
}

static gint64
reeve_model_meter_input (ReeveLlmRequest *request)
{
  const char *const *texts = reeve_llm_request_get_input (request);
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *text = NULL;
  gsize bytes = 0;

  if (reeve_llm_request_get_task (request) == REEVE_LLM_TASK_EMBED)
    {
      for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
        bytes += strlen (texts[i]);
      return reeve_token_estimate_bytes (bytes);
    }
  if (reeve_llm_request_get_messages (request) == NULL)
    return 0;
  node = json_node_new (JSON_NODE_ARRAY);
  json_node_set_array (node, reeve_llm_request_get_messages (request));
  text = reeve_json_text (node);
  return reeve_token_estimate_bytes (strlen (text));
}

/* Did the service work for an answer that did not come, and is it known how much? */
static gboolean
reeve_model_meter_is_cut (const ReeveModelMeter *self, ReeveLlmRequest *request,
                          const GError *error)
{
  if (self->sent)
    return TRUE;
  return reeve_llm_request_get_stream (request)
         && (g_error_matches (error, REEVE_ERROR, REEVE_ERROR_CANCELLED)
             || g_error_matches (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT)
             || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
}

/**
 * reeve_model_meter_settle:
 * @self: a meter
 * @request: what was asked
 * @response: (nullable): the answer
 * @error: (nullable): why there is none
 * @settlement: its tokens are filled in
 *
 * Of a call that failed before anything came the tokens stay 0: with the outcome `unknown` that
 * stands for all that was reserved.
 */
void
reeve_model_meter_settle (const ReeveModelMeter *self, ReeveLlmRequest *request,
                          const ReeveModelResponse *response, const GError *error,
                          ReeveSettlement *settlement)
{
  gint64 input = response != NULL ? response->input_tokens : self->input;
  gint64 output = response != NULL ? response->output_tokens : -1;
  gsize bytes = self->bytes;

  if (response == NULL && !reeve_model_meter_is_cut (self, request, error))
    return;
  if (response != NULL)
    bytes = MAX (bytes, strlen (response->content) + strlen (response->thought));
  /* vectors are no tokens: a service that has counted what it read has counted all */
  if (output < 0 && reeve_llm_request_get_task (request) == REEVE_LLM_TASK_EMBED)
    output = 0;
  settlement->estimated = input < 0 || output < 0;
  settlement->input_tokens = input >= 0 ? input : reeve_model_meter_input (request);
  if (output < 0)
    output = MAX (self->output, MAX (reeve_token_estimate_bytes (bytes), (gint64) self->pieces));
  settlement->output_tokens = output;
}

/* ---- before it ---- */

/* A number in quotes counts too: there are services that take it. */
static gint64
reeve_model_meter_number (const ReeveJsonSlice *slice, gint64 fallback)
{
  g_autofree char *text
      = slice->start != NULL ? g_strndup (slice->start, MIN (slice->length, 32)) : NULL;
  double number = text != NULL ? g_ascii_strtod (text + (*text == '"' ? 1 : 0), NULL) : 0;

  return number >= 1 ? (gint64) MIN (number, 1e12) : fallback;
}

/* What a caller's own body asks for: the length of each of several answers. */
static gint64
reeve_model_meter_raw_output (GBytes *raw)
{
  static const char *const names[] = { "max_tokens", "max_completion_tokens", "n", NULL };
  ReeveJsonSlice slices[3] = { { NULL, 0 } };
  gsize length = 0;
  const char *data = g_bytes_get_data (raw, &length);
  gint64 each = 0;

  if (!reeve_json_find_members (data, length, names, slices, NULL))
    return REEVE_MODEL_METER_OUTPUT;
  each = MAX (reeve_model_meter_number (&slices[0], 0), reeve_model_meter_number (&slices[1], 0));
  if (each == 0)
    each = REEVE_MODEL_METER_OUTPUT;
  return each * MIN (reeve_model_meter_number (&slices[2], 1), 1024);
}

/**
 * reeve_model_meter_bound:
 * @request: what will be asked
 * @admission: gets the worst case of what it takes
 *
 * An upper estimate of what is read, and as much as may be said.
 */
void
reeve_model_meter_bound (ReeveLlmRequest *request, ReeveAdmissionRequest *admission)
{
  GBytes *raw = reeve_llm_request_get_raw (request);
  gint64 output = reeve_llm_request_get_max_tokens (request);

  if (reeve_llm_request_get_task (request) == REEVE_LLM_TASK_EMBED)
    {
      admission->reserve_input = reeve_token_estimate_texts (reeve_llm_request_get_input (request));
      return;
    }
  if (raw != NULL)
    output = reeve_model_meter_raw_output (raw);
  admission->reserve_output = output > 0 ? output : REEVE_MODEL_METER_OUTPUT;
  admission->reserve_input = reeve_token_estimate_chat (reeve_llm_request_get_messages (request),
                                                        reeve_llm_request_get_tools (request));
}

static gint64
reeve_model_meter_answers (ReeveLlmRequest *request)
{
  static const char *const names[] = { "n", NULL };
  GBytes *raw = reeve_llm_request_get_raw (request);
  ReeveJsonSlice slice = { NULL, 0 };
  gsize length = 0;
  const char *data = raw != NULL ? g_bytes_get_data (raw, &length) : NULL;

  if (data == NULL || !reeve_json_find_members (data, length, names, &slice, NULL))
    return 1;
  return reeve_model_meter_number (&slice, 1);
}

/**
 * reeve_model_meter_lower:
 * @request: what was admitted
 * @granted: how many tokens may be said, in all answers together; 0: no budget bounds it
 * @error: return location
 *
 * Asks the service for no more than that.
 *
 * Returns: %FALSE with %REEVE_ERROR_BUDGET_EXCEEDED when there is not a token for each answer
 */
gboolean
reeve_model_meter_lower (ReeveLlmRequest *request, gint64 granted, GError **error)
{
  gint64 each = 0;
  guint asked = reeve_llm_request_get_max_tokens (request);

  if (granted <= 0)
    return TRUE;
  each = granted / reeve_model_meter_answers (request);
  if (each < 1)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_BUDGET_EXCEEDED,
                           "the budget leaves less than a token for each of the answers");
      return FALSE;
    }
  if (asked == 0 || each < asked)
    reeve_llm_request_set_max_tokens (request, (guint) MIN (each, G_MAXINT32));
  return TRUE;
}
