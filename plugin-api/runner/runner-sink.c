/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many records are there is an answer, also where the next one failed. */
#include "runner-sink.h"

#include "wire/wire-blob.h"
#include "wire/wire-error.h"
#include "wire/wire-method.h"

static ReeveSinkBatch *
runner_sink_read (GBytes *text, GError **error)
{
  g_autoptr (JsonNode) node
      = reeve_json_parse_strict (g_bytes_get_data (text, NULL), g_bytes_get_size (text), error);
  JsonObject *object = NULL;
  JsonArray *records = NULL;
  ReeveSinkBatch *batch = NULL;

  if (node == NULL)
    return NULL;
  object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  records = object != NULL ? reeve_json_get_array (object, "records") : NULL;
  if (records == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "a batch has records");
      return NULL;
    }
  batch = reeve_sink_batch_new (reeve_json_get_string (object, "scope", ""));
  for (guint i = 0; i < json_array_get_length (records); i++)
    {
      JsonNode *one = json_array_get_element (records, i);
      JsonObject *record = JSON_NODE_HOLDS_OBJECT (one) ? json_node_get_object (one) : NULL;

      if (record != NULL)
        reeve_sink_batch_add (batch, reeve_json_get_string (record, "id", ""),
                              reeve_json_get_int (record, "time", 0),
                              (guint) reeve_json_get_int (record, "severity", 1),
                              reeve_json_get_string (record, "text", ""));
    }
  return batch;
}

GVariant *
runner_sink_perform (const RunnerServeCall *call, GError **error)
{
  int fd = wire_method_take_fd (call->message, 2);
  g_autoptr (GBytes) text = fd >= 0 ? wire_blob_map (fd, error) : NULL;
  g_autoptr (ReeveSinkBatch) batch = text != NULL ? runner_sink_read (text, error) : NULL;
  g_autoptr (GError) problem = NULL;
  g_autofree char *name = NULL;
  guint delivered = 0;

  if (fd < 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "there is no batch");
  if (batch == NULL)
    return NULL;
  delivered = reeve_sink_deliver (REEVE_SINK (call->instance), batch, call->context, &problem);
  name = problem != NULL ? wire_error_get_name (problem) : g_strdup ("");
  return g_variant_new ("(uss)", delivered, name, problem != NULL ? problem->message : "");
}
