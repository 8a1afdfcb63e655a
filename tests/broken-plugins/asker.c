/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plugin that is whole: it asks the host for whatever it is told to, and says what it got. What
 * the host lets it do is what tests look at. */
#include <reeve-plugin-1.h>

#include <string.h>

#define ASKER_TYPE_TOOL (asker_tool_get_type ())
G_DECLARE_FINAL_TYPE (AskerTool, asker_tool, ASKER, TOOL, ReevePlugin)

struct _AskerTool
{
  ReevePlugin parent_instance;
  char *settings; /* as they came */
  char *kept;     /* what it was told to keep in its memory */
};

static void asker_tool_iface_init (ReeveToolInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (AskerTool, asker_tool, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_TOOL, asker_tool_iface_init))

static void
asker_tool_add (GPtrArray *tools, const char *name)
{
  g_autoptr (JsonNode) schema = reeve_json_parse_strict ("{\"type\":\"object\"}", 17, NULL);

  g_ptr_array_add (tools,
                   reeve_tool_info_new (name, "Asks the host.", schema, REEVE_TOOL_READ_ONLY));
}

static GPtrArray *
asker_tool_list (ReeveTool *tool, ReeveContext *context, GError **error)
{
  GPtrArray *tools = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_tool_info_unref);

  asker_tool_add (tools, "ask");
  asker_tool_add (tools, "fetch");
  asker_tool_add (tools, "settings");
  return tools;
}

/* {capability, params, keep?}: the answer; with keep it stays in this process's memory */
static char *
asker_tool_ask (AskerTool *self, JsonObject *arguments, ReeveContext *context, GError **error)
{
  JsonNode *params = json_object_get_member (arguments, "params");
  g_autoptr (JsonNode) answer = reeve_context_call (
      context, reeve_json_get_string (arguments, "capability", ""), params, error);
  g_autofree char *text = answer != NULL ? reeve_json_text (answer) : NULL;

  if (text != NULL && reeve_json_get_boolean (arguments, "keep", FALSE))
    self->kept = g_strdup (text);
  return g_steal_pointer (&text);
}

static ReeveHttpRequest *
asker_tool_make_request (JsonObject *arguments)
{
  ReeveHttpRequest *request
      = reeve_http_request_new (reeve_json_get_string (arguments, "method", "GET"),
                                reeve_json_get_string (arguments, "url", ""));
  JsonArray *slots = reeve_json_get_array (arguments, "slots");
  JsonObject *headers = reeve_json_get_object (arguments, "headers");
  g_autoptr (GList) names = headers != NULL ? json_object_get_members (headers) : NULL;
  const char *body = reeve_json_get_string (arguments, "body", NULL);
  g_autoptr (GBytes) bytes = body != NULL ? g_bytes_new (body, strlen (body)) : NULL;

  for (GList *l = names; l != NULL; l = l->next)
    reeve_http_request_add_header (request, l->data, reeve_json_get_string (headers, l->data, ""));
  for (guint i = 0; slots != NULL && i < json_array_get_length (slots); i++)
    reeve_http_request_add_credential (request, json_array_get_string_element (slots, i));
  reeve_http_request_set_body (request, NULL, bytes);
  reeve_http_request_set_timeout_ms (request,
                                     (guint) reeve_json_get_int (arguments, "timeout_ms", 0));
  return request;
}

/* {url, method?, slots?, headers?, body?, timeout_ms?, times?}: status, headers and body of the
 * last answer */
static char *
asker_tool_fetch (JsonObject *arguments, ReeveContext *context, GError **error)
{
  g_autoptr (ReeveHttpResponse) response = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  gint64 times = reeve_json_get_int (arguments, "times", 1);
  const char *const *headers = NULL;
  GBytes *body = NULL;

  for (gint64 i = 0; i < times; i++)
    {
      g_autoptr (ReeveHttpRequest) request = asker_tool_make_request (arguments);

      g_clear_pointer (&response, reeve_http_response_unref);
      response = reeve_context_http (context, request, error);
      if (response == NULL)
        {
          g_prefix_error (error, "%d of them were answered: ", (int) i);
          return NULL;
        }
    }
  if (response == NULL)
    return g_strdup ("");
  g_string_printf (text, "%u\n", reeve_http_response_get_status (response));
  headers = reeve_http_response_get_headers (response);
  for (guint i = 0; headers[i] != NULL; i += 2)
    g_string_append_printf (text, "%s: %s\n", headers[i], headers[i + 1]);
  body = reeve_http_response_get_body (response);
  if (body != NULL)
    g_string_append_len (text, g_bytes_get_data (body, NULL), (gssize) g_bytes_get_size (body));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static ReeveToolResult *
asker_tool_call (ReeveTool *tool, const char *name, JsonObject *arguments, ReeveContext *context,
                 GError **error)
{
  AskerTool *self = ASKER_TOOL (tool);
  g_autoptr (GError) problem = NULL;
  g_autofree char *text = NULL;

  if (strcmp (name, "ask") == 0)
    text = asker_tool_ask (self, arguments, context, &problem);
  else if (strcmp (name, "fetch") == 0)
    text = asker_tool_fetch (arguments, context, &problem);
  else
    text = g_strdup (self->settings);
  if (problem != NULL)
    text = g_strdup_printf ("refused %d: %s", problem->code, problem->message);
  return reeve_tool_result_new (text, NULL, problem != NULL);
}

static void
asker_tool_iface_init (ReeveToolInterface *iface)
{
  iface->list = asker_tool_list;
  iface->call = asker_tool_call;
}

static gboolean
asker_tool_setup (ReevePlugin *plugin, JsonObject *settings, ReeveContext *context, GError **error)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), settings);

  ASKER_TOOL (plugin)->settings = reeve_json_text (node);
  return TRUE;
}

static void
asker_tool_finalize (GObject *object)
{
  g_free (ASKER_TOOL (object)->settings);
  g_free (ASKER_TOOL (object)->kept);
  G_OBJECT_CLASS (asker_tool_parent_class)->finalize (object);
}

static void
asker_tool_class_init (AskerToolClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = asker_tool_finalize;
  REEVE_PLUGIN_CLASS (klass)->setup = asker_tool_setup;
}

static void
asker_tool_init (AskerTool *self)
{
}

static const GType *
asker_query_types (void)
{
  static GType types[2];

  types[0] = ASKER_TYPE_TOOL;
  types[1] = G_TYPE_INVALID;
  return types;
}

REEVE_DEFINE_PLUGIN ("asker", "1.2.3", asker_query_types);
