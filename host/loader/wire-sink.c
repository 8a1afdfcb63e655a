/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveSink over the wire: a batch goes as one text, in memory. */
#include "wire-instance.h"

#include <string.h>
#include <unistd.h>

#include "wire/wire-error.h"
#include "wire/wire-method.h"

static char *
reeve_wire_sink_write (ReeveSinkBatch *batch)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();
  JsonArray *records = json_array_new ();

  json_node_take_object (node, object);
  json_object_set_string_member (object, "scope", reeve_sink_batch_get_scope (batch));
  json_object_set_array_member (object, "records", records);
  for (guint i = 0; i < reeve_sink_batch_get_length (batch); i++)
    {
      JsonObject *record = json_object_new ();

      json_object_set_string_member (record, "id", reeve_sink_batch_get_id (batch, i));
      json_object_set_int_member (record, "time", reeve_sink_batch_get_time (batch, i));
      json_object_set_int_member (record, "severity", reeve_sink_batch_get_severity (batch, i));
      json_object_set_string_member (record, "text", reeve_sink_batch_get_text (batch, i));
      json_array_add_object_element (records, record);
    }
  return reeve_json_text (node);
}

static guint
reeve_wire_sink_deliver (ReeveSink *sink, ReeveSinkBatch *batch, ReeveContext *context,
                         GError **error)
{
  char *text = reeve_wire_sink_write (batch);
  g_autoptr (GBytes) blob = g_bytes_new_take (text, strlen (text));
  ReeveWireCall call = {
    .interface = WIRE_METHOD_PREFIX "Sink", .member = "Deliver", .context = context, .blob = blob
  };
  g_autoptr (GVariant) answer = NULL;
  const char *name = NULL;
  const char *message = NULL;
  guint32 delivered = 0;

  call.arguments[0] = g_variant_new_handle (0);
  answer = reeve_wire_instance_call (REEVE_WIRE_INSTANCE (sink), &call, error);
  if (answer == NULL)
    return 0;
  g_variant_get (answer, "(u&s&s)", &delivered, &name, &message);
  if (*name != '\0')
    g_propagate_error (error, wire_error_new (name, message));
  return delivered;
}

void
reeve_wire_sink_init (gpointer iface, gpointer data)
{
  ReeveSinkInterface *sink = iface;

  sink->deliver = reeve_wire_sink_deliver;
}
