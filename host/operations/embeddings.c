/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OpenAI's embeddings, over runtime/models.h. */
#include "model-door.h"
#include "operation-functions.h"

typedef struct
{
  ReeveCall *call;
  char *model;
  char **input;
  gboolean base64;
} ReeveOpEmbedding;

static void
reeve_op_embeddings_free (ReeveOpEmbedding *self)
{
  reeve_call_unref (self->call);
  g_free (self->model);
  g_strfreev (self->input);
  g_free (self);
}

static JsonObject *
reeve_op_embeddings_describe (ReeveOpEmbedding *self, GArray *vector, guint index)
{
  JsonObject *row = json_object_new ();
  JsonArray *values = NULL;

  json_object_set_string_member (row, "object", "embedding");
  json_object_set_int_member (row, "index", index);
  if (self->base64)
    {
      g_autofree char *text
          = g_base64_encode ((const guchar *) vector->data, vector->len * sizeof (float));

      json_object_set_string_member (row, "embedding", text);
      return row;
    }
  values = json_array_sized_new (vector->len);
  for (guint i = 0; i < vector->len; i++)
    json_array_add_double_element (values, (double) g_array_index (vector, float, i));
  json_object_set_array_member (row, "embedding", values);
  return row;
}

static JsonObject *
reeve_op_embeddings_answer (ReeveOpEmbedding *self, const ReeveModelResponse *response)
{
  JsonObject *answer = json_object_new ();
  JsonObject *usage = json_object_new ();
  JsonArray *data = json_array_new ();

  for (guint i = 0; response->embeddings != NULL && i < response->embeddings->len; i++)
    json_array_add_object_element (
        data, reeve_op_embeddings_describe (self, response->embeddings->pdata[i], i));
  json_object_set_string_member (answer, "object", "list");
  json_object_set_array_member (answer, "data", data);
  json_object_set_string_member (answer, "model", self->model);
  json_object_set_int_member (usage, "prompt_tokens", MAX (response->input_tokens, 0));
  json_object_set_int_member (usage, "total_tokens", MAX (response->input_tokens, 0));
  json_object_set_object_member (answer, "usage", usage);
  return answer;
}

static void
reeve_op_embeddings_on_done (const ReeveModelResponse *response, GError *error, gpointer user_data)
{
  ReeveOpEmbedding *self = user_data;

  if (response == NULL)
    reeve_call_fail (self->call, error);
  else
    reeve_call_answer (self->call, reeve_op_embeddings_answer (self, response), NULL);
  reeve_op_embeddings_free (self);
}

/* (transfer full) (nullable): the texts of a string or an array of strings */
static char **
reeve_op_embeddings_read_input (JsonNode *node)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  JsonArray *array = NULL;

  if (node == NULL)
    return NULL;
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    {
      g_strv_builder_add (builder, json_node_get_string (node));
      return g_strv_builder_end (builder);
    }
  array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
  if (array == NULL || json_array_get_length (array) == 0)
    return NULL;
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *element = json_array_get_element (array, i);

      if (!JSON_NODE_HOLDS_VALUE (element) || json_node_get_value_type (element) != G_TYPE_STRING)
        return NULL;
      g_strv_builder_add (builder, json_node_get_string (element));
    }
  return g_strv_builder_end (builder);
}

static gboolean
reeve_op_embeddings_read (ReeveOpEmbedding *self, GError **error)
{
  GBytes *body = reeve_call_get_body (self->call);
  gsize length = 0;
  const char *data = body != NULL ? g_bytes_get_data (body, &length) : "";
  g_autoptr (JsonNode) node = reeve_json_parse_strict (data, length, error);
  JsonObject *object = NULL;

  if (node == NULL)
    return FALSE;
  object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  if (object != NULL)
    {
      self->model = g_strdup (reeve_json_get_string (object, "model", NULL));
      self->input = reeve_op_embeddings_read_input (json_object_get_member (object, "input"));
      self->base64
          = g_str_equal (reeve_json_get_string (object, "encoding_format", "float"), "base64");
    }
  if (self->model == NULL || self->input == NULL)
    {
      reeve_error_set_member (error, self->model == NULL ? "/model" : "/input",
                              "model and input (a text or texts) are needed");
      return FALSE;
    }
  return TRUE;
}

void
reeve_op_embeddings_create (ReeveCall *call, ReeveServices *services)
{
  ReeveOpEmbedding *self = g_new0 (ReeveOpEmbedding, 1);
  g_autoptr (ReeveLlmRequest) request = NULL;
  const ReeveModelDoorFuncs funcs = { .done = reeve_op_embeddings_on_done };
  GError *error = NULL;

  self->call = reeve_call_ref (call);
  if (!reeve_op_embeddings_read (self, &error))
    {
      reeve_call_fail (call, error);
      reeve_op_embeddings_free (self);
      return;
    }
  request = reeve_llm_request_new (REEVE_LLM_TASK_EMBED, self->model);
  reeve_llm_request_set_input (request, (const char *const *) self->input);
  reeve_model_door_start (call, services, request, &funcs, self);
}
