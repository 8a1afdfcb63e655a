/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tool that asks for the capabilities which its arguments name, and says what came of it:
 *   {"calls": [{"capability", "params", "bytes"?}], "threads"?: so many times all of it, at once}
 * -> [{"ok": answer} or {"error": code, "message"}] for each call, one thread after another. With
 * "bytes" (a text; a number: so many zeros) it transfers, and "bytes" of the answer is what came,
 * or its length where that is much. */
#pragma once

#include <reeve-plugin-1.h>
#include <string.h>

typedef struct
{
  ReeveContext *context;
  JsonArray *calls;
  JsonArray *results; /* this thread's own */
} Probe;

static JsonObject *
probe_show_error (const GError *error)
{
  JsonObject *shown = json_object_new ();

  json_object_set_string_member (shown, "error",
                                 error->domain == REEVE_ERROR
                                     ? reeve_error_get_name ((ReeveError) error->code)
                                     : g_quark_to_string (error->domain));
  json_object_set_string_member (shown, "message", error->message);
  return shown;
}

static GBytes *
probe_get_bytes (JsonObject *call)
{
  gint64 zeros = reeve_json_get_int (call, "bytes", -1);
  const char *text = reeve_json_get_string (call, "bytes", "");

  return zeros >= 0 ? g_bytes_new_take (g_malloc0 ((gsize) zeros), (gsize) zeros)
                    : g_bytes_new (text, strlen (text));
}

static JsonObject *
probe_transfer_one (ReeveContext *context, JsonObject *call)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = probe_get_bytes (call);
  g_autoptr (JsonNode) answer = NULL;
  g_autoptr (GBytes) content
      = reeve_context_transfer (context, reeve_json_get_string (call, "capability", ""),
                                json_object_get_member (call, "params"), bytes, &answer, &error);
  JsonObject *shown = NULL;

  if (content == NULL)
    return probe_show_error (error);
  shown = json_object_new ();
  json_object_set_member (shown, "ok", json_node_ref (answer));
  if (g_bytes_get_size (content) > 4096)
    json_object_set_int_member (shown, "bytes", (gint64) g_bytes_get_size (content));
  else
    {
      gsize size = 0;
      const char *data = g_bytes_get_data (content, &size);
      g_autofree char *text = g_strndup (data != NULL ? data : "", size);

      json_object_set_string_member (shown, "bytes", text);
    }
  return shown;
}

static JsonObject *
probe_call_one (ReeveContext *context, JsonObject *call)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) result = NULL;
  JsonObject *shown = NULL;

  if (json_object_has_member (call, "bytes"))
    return probe_transfer_one (context, call);
  result = reeve_context_call (context, reeve_json_get_string (call, "capability", ""),
                               json_object_get_member (call, "params"), &error);
  if (result == NULL)
    return probe_show_error (error);
  shown = json_object_new ();
  json_object_set_member (shown, "ok", json_node_ref (result));
  return shown;
}

static gpointer
probe_work (gpointer data)
{
  Probe *self = data;

  for (guint i = 0; i < json_array_get_length (self->calls); i++)
    json_array_add_object_element (
        self->results,
        probe_call_one (self->context, json_array_get_object_element (self->calls, i)));
  return NULL;
}

static ReeveToolResult *
probe_call (ReeveTool *tool, const char *name, JsonObject *arguments, ReeveContext *context,
            GError **error)
{
  guint threads = (guint) CLAMP (reeve_json_get_int (arguments, "threads", 1), 1, 16);
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);
  JsonArray *all = json_array_new ();
  Probe probes[16] = { 0 };
  GThread *running[16] = { NULL };
  g_autofree char *text = NULL;

  for (guint i = 0; i < threads; i++)
    {
      probes[i] = (Probe){ context, reeve_json_get_array (arguments, "calls"), json_array_new () };
      running[i] = g_thread_new ("probe", probe_work, &probes[i]);
    }
  for (guint i = 0; i < threads; i++)
    {
      g_thread_join (running[i]);
      for (guint j = 0; j < json_array_get_length (probes[i].results); j++)
        json_array_add_element (all, json_node_ref (json_array_get_element (probes[i].results, j)));
      json_array_unref (probes[i].results);
    }
  json_node_take_array (node, all);
  text = reeve_json_text (node);
  return reeve_tool_result_new (text, NULL, FALSE);
}
