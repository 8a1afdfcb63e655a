/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One request to a language model, in the neutral form that every codec and engine reads. */
#include "reeve-llm.h"

/* json-glib counts the references of arrays and objects without atomics, those of nodes with: the
 * arrays are held in nodes, so that requests can be passed from thread to thread */
struct _ReeveLlmRequest
{
  gatomicrefcount refs;
  ReeveLlmTask task;
  char *model;
  JsonNode *messages;
  JsonNode *tools;
  char **input;
  guint max_tokens;
  double temperature;
  gboolean stream;
  GBytes *raw;
  GMutex mutex;        /* guards what follows */
  gboolean raw_parsed; /* was raw read already */
  JsonNode *raw_body;  /* raw as a tree; NULL when it is no object */
};

G_DEFINE_BOXED_TYPE (ReeveLlmRequest, reeve_llm_request, reeve_llm_request_ref,
                     reeve_llm_request_unref)

/**
 * reeve_llm_request_new:
 * @task: what is asked
 * @model: name of the model, as its service knows it
 *
 * Returns: (transfer full): a request that holds nothing else
 *
 * Since: 1.0
 */
ReeveLlmRequest *
reeve_llm_request_new (ReeveLlmTask task, const char *model)
{
  ReeveLlmRequest *self = NULL;

  g_return_val_if_fail (model != NULL, NULL);

  self = g_new0 (ReeveLlmRequest, 1);
  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->mutex);
  self->task = task;
  self->model = g_strdup (model);
  self->input = g_new0 (char *, 1);
  self->temperature = -1;
  return self;
}

/**
 * reeve_llm_request_ref:
 * @self: a request
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
ReeveLlmRequest *
reeve_llm_request_ref (ReeveLlmRequest *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * reeve_llm_request_unref:
 * @self: (transfer full): a request
 *
 * Since: 1.0
 */
void
reeve_llm_request_unref (ReeveLlmRequest *self)
{
  g_return_if_fail (self != NULL);
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_free (self->model);
  g_clear_pointer (&self->messages, json_node_unref);
  g_clear_pointer (&self->tools, json_node_unref);
  g_strfreev (self->input);
  g_clear_pointer (&self->raw, g_bytes_unref);
  g_clear_pointer (&self->raw_body, json_node_unref);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

/**
 * reeve_llm_request_get_task:
 * @self: a request
 *
 * Returns: what is asked
 *
 * Since: 1.0
 */
ReeveLlmTask
reeve_llm_request_get_task (ReeveLlmRequest *self)
{
  g_return_val_if_fail (self != NULL, REEVE_LLM_TASK_CHAT);
  return self->task;
}

/**
 * reeve_llm_request_get_model:
 * @self: a request
 *
 * Returns: (transfer none): name of the model, as its service knows it
 *
 * Since: 1.0
 */
const char *
reeve_llm_request_get_model (ReeveLlmRequest *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->model;
}

static void
reeve_llm_request_set_array (JsonNode **where, JsonArray *array)
{
  JsonNode *node = NULL;
  JsonArray *own = NULL;

  if (array != NULL)
    {
      /* an array of its own over the same nodes: nobody else counts references of it */
      own = json_array_sized_new (json_array_get_length (array));
      for (guint i = 0; i < json_array_get_length (array); i++)
        json_array_add_element (own, json_node_ref (json_array_get_element (array, i)));
      node = json_node_new (JSON_NODE_ARRAY);
      json_node_take_array (node, own);
    }
  g_clear_pointer (where, json_node_unref);
  *where = node;
}

/* An array of the raw body, which is read on first use; a body that is not strictly right has none.
 */
static JsonArray *
reeve_llm_request_get_raw_array (ReeveLlmRequest *self, const char *member)
{
  g_autoptr (GMutexLocker) locker = NULL;

  if (self->raw == NULL)
    return NULL;
  locker = g_mutex_locker_new (&self->mutex);
  if (!self->raw_parsed)
    {
      gsize length = 0;
      const char *data = g_bytes_get_data (self->raw, &length);
      g_autoptr (GError) problem = NULL;

      self->raw_parsed = TRUE;
      self->raw_body = reeve_json_parse_strict (data, length, &problem);
      if (self->raw_body == NULL)
        g_debug ("reading a raw request: %s", problem->message);
    }
  if (self->raw_body == NULL || !JSON_NODE_HOLDS_OBJECT (self->raw_body))
    return NULL;
  return reeve_json_get_array (json_node_get_object (self->raw_body), member);
}

/**
 * reeve_llm_request_get_messages:
 * @self: a request
 *
 * The conversation, as message objects of OpenAI's chat completions. Where only a raw body was
 * given it is read from there on first use.
 *
 * Returns: (transfer none) (nullable): the messages, never to be changed; %NULL when there are none
 *
 * Since: 1.0
 */
JsonArray *
reeve_llm_request_get_messages (ReeveLlmRequest *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  if (self->messages != NULL)
    return json_node_get_array (self->messages);
  return reeve_llm_request_get_raw_array (self, "messages");
}

/**
 * reeve_llm_request_set_messages:
 * @self: a request
 * @messages: (nullable) (transfer none): message objects, not to be changed as long as the request
 * lives
 *
 * Since: 1.0
 */
void
reeve_llm_request_set_messages (ReeveLlmRequest *self, JsonArray *messages)
{
  g_return_if_fail (self != NULL);
  reeve_llm_request_set_array (&self->messages, messages);
}

/**
 * reeve_llm_request_get_tools:
 * @self: a request
 *
 * The tools that the model may call, as tool objects of OpenAI's chat completions. Where only a raw
 * body was given they are read from there on first use.
 *
 * Returns: (transfer none) (nullable): the tools, never to be changed; %NULL when there are none
 *
 * Since: 1.0
 */
JsonArray *
reeve_llm_request_get_tools (ReeveLlmRequest *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  if (self->tools != NULL)
    return json_node_get_array (self->tools);
  /* messages of its own mean that the raw body is not all there is to the request */
  return self->messages == NULL ? reeve_llm_request_get_raw_array (self, "tools") : NULL;
}

/**
 * reeve_llm_request_set_tools:
 * @self: a request
 * @tools: (nullable) (transfer none): tool objects, not to be changed as long as the request lives
 *
 * Since: 1.0
 */
void
reeve_llm_request_set_tools (ReeveLlmRequest *self, JsonArray *tools)
{
  g_return_if_fail (self != NULL);
  reeve_llm_request_set_array (&self->tools, tools);
}

/**
 * reeve_llm_request_get_input:
 * @self: a request
 *
 * Returns: (transfer none) (array zero-terminated=1): texts to embed, possibly none
 *
 * Since: 1.0
 */
const char *const *
reeve_llm_request_get_input (ReeveLlmRequest *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return (const char *const *) self->input;
}

/**
 * reeve_llm_request_set_input:
 * @self: a request
 * @texts: (nullable) (array zero-terminated=1): texts to embed; copied
 *
 * Since: 1.0
 */
void
reeve_llm_request_set_input (ReeveLlmRequest *self, const char *const *texts)
{
  char **copy = NULL;

  g_return_if_fail (self != NULL);
  copy = texts != NULL ? g_strdupv ((char **) texts) : g_new0 (char *, 1);
  g_strfreev (self->input);
  self->input = copy;
}

/**
 * reeve_llm_request_get_max_tokens:
 * @self: a request
 *
 * Returns: upper bound of generated tokens; 0 for the service's default
 *
 * Since: 1.0
 */
guint
reeve_llm_request_get_max_tokens (ReeveLlmRequest *self)
{
  g_return_val_if_fail (self != NULL, 0);
  return self->max_tokens;
}

/**
 * reeve_llm_request_set_max_tokens:
 * @self: a request
 * @max_tokens: upper bound of generated tokens; 0 for the service's default
 *
 * Since: 1.0
 */
void
reeve_llm_request_set_max_tokens (ReeveLlmRequest *self, guint max_tokens)
{
  g_return_if_fail (self != NULL);
  self->max_tokens = max_tokens;
}

/**
 * reeve_llm_request_get_temperature:
 * @self: a request
 *
 * Returns: sampling temperature; negative when not given
 *
 * Since: 1.0
 */
double
reeve_llm_request_get_temperature (ReeveLlmRequest *self)
{
  g_return_val_if_fail (self != NULL, -1);
  return self->temperature;
}

/**
 * reeve_llm_request_set_temperature:
 * @self: a request
 * @temperature: sampling temperature; negative for none
 *
 * Since: 1.0
 */
void
reeve_llm_request_set_temperature (ReeveLlmRequest *self, double temperature)
{
  g_return_if_fail (self != NULL);
  self->temperature = temperature;
}

/**
 * reeve_llm_request_get_stream:
 * @self: a request
 *
 * Returns: whether the answer is wanted piece by piece
 *
 * Since: 1.0
 */
gboolean
reeve_llm_request_get_stream (ReeveLlmRequest *self)
{
  g_return_val_if_fail (self != NULL, FALSE);
  return self->stream;
}

/**
 * reeve_llm_request_set_stream:
 * @self: a request
 * @stream: whether the answer is wanted piece by piece
 *
 * Since: 1.0
 */
void
reeve_llm_request_set_stream (ReeveLlmRequest *self, gboolean stream)
{
  g_return_if_fail (self != NULL);
  self->stream = stream;
}

/**
 * reeve_llm_request_get_raw:
 * @self: a request
 *
 * The caller's own body in OpenAI's shape, already scanned strictly. A codec of that wire forwards
 * its bytes unchanged but for model name and stream options.
 *
 * Returns: (transfer none) (nullable): the body
 *
 * Since: 1.0
 */
GBytes *
reeve_llm_request_get_raw (ReeveLlmRequest *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->raw;
}

/**
 * reeve_llm_request_set_raw:
 * @self: a request
 * @raw: (nullable): the caller's own body in OpenAI's shape, already scanned strictly
 *
 * To be called before the request is given to anybody.
 *
 * Since: 1.0
 */
void
reeve_llm_request_set_raw (ReeveLlmRequest *self, GBytes *raw)
{
  g_autoptr (GMutexLocker) locker = NULL;
  g_autoptr (GBytes) old = NULL;

  g_return_if_fail (self != NULL);
  locker = g_mutex_locker_new (&self->mutex);
  old = g_steal_pointer (&self->raw);
  self->raw = raw != NULL ? g_bytes_ref (raw) : NULL;
  g_clear_pointer (&self->raw_body, json_node_unref);
  self->raw_parsed = FALSE;
}
