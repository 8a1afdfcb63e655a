/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tool for tests of the wire: each of its names is a way to behave. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <reeve-plugin-1.h>

#define WIRE_PLUGIN_ASKS 100

G_DECLARE_FINAL_TYPE (WirePlugin, wire_plugin, WIRE, PLUGIN, ReevePlugin)

struct _WirePlugin
{
  ReevePlugin parent_instance;
  GMutex lock;
  ReeveContext *kept; /* beyond its call, which is of no use */
  GBytes *bodies[64]; /* beyond their calls */
  guint n_bodies;
};

static void wire_plugin_tool_init (ReeveToolInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (WirePlugin, wire_plugin, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_TOOL, wire_plugin_tool_init))

static void
wire_plugin_class_init (WirePluginClass *klass)
{
}

static void
wire_plugin_init (WirePlugin *self)
{
  g_mutex_init (&self->lock);
}

/* Tells the test that it is there, and then waits for nothing but its end. */
static ReeveToolResult *
wire_plugin_wait (ReeveContext *context, gboolean obeys, GError **error)
{
  g_autoptr (JsonNode) answer
      = reeve_context_call (context, "test.started", NULL, obeys ? error : NULL);

  if (answer == NULL && obeys)
    return NULL;
  while (!obeys || reeve_context_check (context, error))
    g_usleep (1000);
  return NULL;
}

static char *
wire_plugin_describe (ReeveContext *context)
{
  g_autofree char *roles = g_strjoinv (",", (char **) reeve_context_get_roles (context));
  g_autofree char *workspaces = g_strjoinv (",", (char **) reeve_context_get_workspaces (context));
  const char *agent = reeve_context_get_agent_id (context);

  return g_strdup_printf ("%s %s %s %s [%s] [%s] %s", reeve_context_get_tenant_id (context),
                          reeve_context_get_user_id (context), agent != NULL ? agent : "-",
                          reeve_context_get_run_id (context), roles, workspaces,
                          reeve_context_get_deadline (context) != 0 ? "until" : "for ever");
}

/* Asks for a capability, by the call's context or by one that was kept. */
static ReeveToolResult *
wire_plugin_ask (ReeveContext *context, const char *capability, GError **error)
{
  g_autoptr (JsonNode) params = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (JsonNode) answer = NULL;
  g_autofree char *text = NULL;

  json_node_take_object (params, json_object_new ());
  json_object_set_string_member (json_node_get_object (params), "word", "échø\n");
  answer = reeve_context_call (context, capability, params, error);
  if (answer == NULL)
    return NULL;
  text = json_to_string (answer, FALSE);
  return reeve_tool_result_new (text, answer, FALSE);
}

/* Answers with something else than it was told. */
static ReeveToolResult *
wire_plugin_ask_and_change (ReeveContext *context, GError **error)
{
  g_autoptr (ReeveToolResult) told = wire_plugin_ask (context, "test.echo", error);
  g_autoptr (JsonNode) changed = NULL;

  if (told == NULL)
    return NULL;
  changed = json_node_new (JSON_NODE_OBJECT);
  json_node_take_object (changed, json_object_new ());
  json_object_set_string_member (json_node_get_object (changed), "word", "échØ\n");
  return reeve_tool_result_new ("changed", changed, FALSE);
}

typedef struct
{
  ReeveContext *context;
  JsonNode *params;
  JsonNode *answer; /* (nullable) */
  GError *error;
} WirePluginAsk;

static gpointer
wire_plugin_ask_one (gpointer data)
{
  WirePluginAsk *ask = data;

  ask->answer = reeve_context_call (ask->context, "test.echo", ask->params, &ask->error);
  return NULL;
}

/* Asks two things at once, and hands on what the first of them was told, also as a text. */
static ReeveToolResult *
wire_plugin_ask_two (ReeveContext *context, GError **error)
{
  WirePluginAsk asks[2] = { 0 };
  GThread *threads[2] = { NULL };
  g_autofree char *text = NULL;
  ReeveToolResult *result = NULL;

  for (gint64 i = 0; i < 2; i++)
    {
      asks[i] = (WirePluginAsk){ context, json_node_new (JSON_NODE_OBJECT), NULL, NULL };
      json_node_take_object (asks[i].params, json_object_new ());
      json_object_set_int_member (json_node_get_object (asks[i].params), "number", i);
      threads[i] = g_thread_new ("ask", wire_plugin_ask_one, &asks[i]);
    }
  for (guint i = 0; i < 2; i++)
    {
      g_thread_join (threads[i]);
      json_node_unref (asks[i].params);
    }
  if (asks[0].error == NULL && asks[1].error == NULL)
    {
      text = reeve_json_text (asks[0].answer);
      result = reeve_tool_result_new (text, asks[0].answer, FALSE);
    }
  else
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "one was not answered");
  for (guint i = 0; i < 2; i++)
    {
      g_clear_pointer (&asks[i].answer, json_node_unref);
      g_clear_error (&asks[i].error);
    }
  return result;
}

/* Asks 100 times at once, with 30 MB together, and says how often that went well. */
static ReeveToolResult *
wire_plugin_ask_much (ReeveContext *context, GError **error)
{
  g_autofree char *word = g_strnfill (300 * 1000, 'w');
  WirePluginAsk asks[WIRE_PLUGIN_ASKS] = { 0 };
  GThread *threads[WIRE_PLUGIN_ASKS] = { NULL };
  g_autofree char *text = NULL;
  guint good = 0;

  for (guint i = 0; i < WIRE_PLUGIN_ASKS; i++)
    {
      asks[i] = (WirePluginAsk){ context, json_node_new (JSON_NODE_OBJECT), NULL, NULL };
      json_node_take_object (asks[i].params, json_object_new ());
      json_object_set_string_member (json_node_get_object (asks[i].params), "word", word);
      threads[i] = g_thread_new ("ask", wire_plugin_ask_one, &asks[i]);
    }
  for (guint i = 0; i < WIRE_PLUGIN_ASKS; i++)
    {
      g_thread_join (threads[i]);
      json_node_unref (asks[i].params);
      g_clear_pointer (&asks[i].answer, json_node_unref);
      good += asks[i].error == NULL;
      if (asks[i].error != NULL && *error == NULL)
        g_propagate_error (error, asks[i].error);
    }
  text = g_strdup_printf ("%u", good);
  return *error == NULL ? reeve_tool_result_new (text, NULL, FALSE) : NULL;
}

/* Memory until there is no more; where nothing limits it some is enough. */
static void
wire_plugin_gorge (void)
{
  for (guint i = 0; i < 1024; i++)
    memset (g_malloc (1 << 20), 'm', 1 << 20);
}

/* Sends a body of @size bytes, and says what came back. */
static ReeveToolResult *
wire_plugin_send (ReeveContext *context, gsize size, GError **error)
{
  g_autofree char *data = g_strnfill (size, 'b');
  g_autoptr (GBytes) body = g_bytes_new (data, size);
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("PUT", "https://host.example/a");
  g_autoptr (ReeveHttpResponse) response = NULL;
  g_autofree char *text = NULL;

  reeve_http_request_add_header (request, "X-One", "1");
  reeve_http_request_set_body (request, "text/plain", body);
  reeve_http_request_set_timeout_ms (request, 1234);
  response = reeve_context_http (context, request, error);
  if (response == NULL)
    return NULL;
  text = g_strdup_printf ("%u %s %d", reeve_http_response_get_status (response),
                          reeve_http_response_get_header (response, "X-Seen"),
                          g_bytes_equal (reeve_http_response_get_body (response), body));
  return reeve_tool_result_new (text, NULL, FALSE);
}

/* Asks for a body of 1 MiB that it keeps. */
static ReeveToolResult *
wire_plugin_hoard (WirePlugin *self, ReeveContext *context, GError **error)
{
  g_autoptr (GBytes) body = g_bytes_new_take (g_malloc0 (1 << 20), 1 << 20);
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("PUT", "https://host.example/a");
  g_autoptr (ReeveHttpResponse) response = NULL;

  reeve_http_request_set_body (request, "text/plain", body);
  response = reeve_context_http (context, request, error);
  if (response == NULL)
    return NULL;
  if (self->n_bodies < G_N_ELEMENTS (self->bodies))
    self->bodies[self->n_bodies++] = g_bytes_ref (reeve_http_response_get_body (response));
  return reeve_tool_result_new ("kept", NULL, FALSE);
}

/* So that they are let go. */
static ReeveToolResult *
wire_plugin_let_go (WirePlugin *self)
{
  while (self->n_bodies > 0)
    g_bytes_unref (self->bodies[--self->n_bodies]);
  return reeve_tool_result_new ("let go", NULL, FALSE);
}

/* Sends @size bytes over a connection, ends that direction, and says what came back. */
static ReeveToolResult *
wire_plugin_connect (ReeveContext *context, guint16 port, gsize size, GError **error)
{
  g_autofree char *data = g_strnfill (size, 't');
  g_autoptr (GString) heard = g_string_new (NULL);
  g_autofree char *text = NULL;
  char part[4096];
  int fd = reeve_context_tcp (context, "db.example", port, error);
  int flags = fd >= 0 ? fcntl (fd, F_GETFD) : 0;
  gssize n = 0;

  if (fd < 0)
    return NULL;
  for (gsize sent = 0; sent < size && n >= 0; sent += (gsize) n)
    n = send (fd, data + sent, size - sent, MSG_NOSIGNAL);
  shutdown (fd, SHUT_WR);
  while ((n = recv (fd, part, sizeof part, 0)) > 0)
    g_string_append_len (heard, part, n);
  close (fd);
  text = g_strdup_printf ("%.10s %zu %d %d", heard->str, heard->len, (int) n,
                          (flags & FD_CLOEXEC) != 0);
  return reeve_tool_result_new (text, NULL, FALSE);
}

/* (transfer full) (nullable): the folder of the call */
static char *
wire_plugin_get_scratch (ReeveContext *context, gint64 *bytes, GError **error)
{
  g_autoptr (JsonNode) params = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (JsonNode) answer = NULL;
  JsonObject *said = NULL;

  json_node_take_object (params, json_object_new ());
  answer = reeve_context_call (context, "scratch", params, error);
  if (answer == NULL)
    return NULL;
  said = json_node_get_object (answer);
  *bytes = json_object_get_int_member (said, "bytes");
  return g_strdup (json_object_get_string_member (said, "path"));
}

/* What each of these answers */
static void
wire_plugin_use_files (const char *folder, GString *said)
{
  g_autofree char *inner = g_build_filename (folder, "inner", NULL);
  g_autofree char *first = g_build_filename (inner, "first", NULL);
  g_autofree char *second = g_build_filename (folder, "s\303\251cond \033[1m\n", NULL);
  g_autofree char *read = NULL;
  struct stat status = { 0 };
  int fd = -1;

#define WIRE_PLUGIN_NOTE(call)                                                                     \
  g_string_append_printf (said, #call " %s, ", (call) == 0 ? "0" : strerrorname_np (errno))
  WIRE_PLUGIN_NOTE (mkdir (inner, 0755));
  WIRE_PLUGIN_NOTE (mkdir (inner, 0755));
  fd = open (first, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  WIRE_PLUGIN_NOTE (write (fd, "kept and more", 13) - 13);
  WIRE_PLUGIN_NOTE (fallocate (fd, 0, 0, 4096));
  WIRE_PLUGIN_NOTE (ftruncate (fd, 4));
  WIRE_PLUGIN_NOTE (fcntl (fd, F_SETLK, &(struct flock){ .l_type = F_WRLCK }));
  WIRE_PLUGIN_NOTE (close (fd));
  WIRE_PLUGIN_NOTE (open (first, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  WIRE_PLUGIN_NOTE (rmdir (inner));
  WIRE_PLUGIN_NOTE (rename (first, second));
  WIRE_PLUGIN_NOTE (unlink (first));
  WIRE_PLUGIN_NOTE (stat (second, &status));
  WIRE_PLUGIN_NOTE (g_file_get_contents (second, &read, NULL, NULL) ? 0 : -1);
  g_string_append_printf (said, "%o %d %s, ", status.st_mode, (int) status.st_size, read);
  WIRE_PLUGIN_NOTE (rmdir (inner));
#undef WIRE_PLUGIN_NOTE
}

/* What comes of files in the folder of the call, which is left full. */
static ReeveToolResult *
wire_plugin_use_scratch (ReeveContext *context, GError **error)
{
  gint64 bytes = 0;
  g_autofree char *folder = wire_plugin_get_scratch (context, &bytes, error);
  g_autofree char *again = folder != NULL ? wire_plugin_get_scratch (context, &bytes, error) : NULL;
  g_autoptr (GDir) all = again != NULL ? g_dir_open (again, 0, error) : NULL;
  g_autoptr (GString) said = g_string_new (NULL);

  if (all == NULL)
    return NULL;
  g_string_append_printf (said, "%" G_GINT64_FORMAT " %s, %s, ", bytes,
                          strcmp (folder, again) == 0 ? "the same" : "another",
                          g_dir_read_name (all) == NULL ? "empty" : "full");
  wire_plugin_use_files (folder, said);
  return reeve_tool_result_new (said->str, NULL, FALSE);
}

static ReeveToolResult *
wire_plugin_call (ReeveTool *tool, const char *name, JsonObject *arguments, ReeveContext *context,
                  GError **error)
{
  WirePlugin *self = WIRE_PLUGIN (tool);
  g_autofree char *text = NULL;

  if (strcmp (name, "sleep") == 0 || strcmp (name, "hang") == 0)
    return wire_plugin_wait (context, strcmp (name, "sleep") == 0, error);
  if (strcmp (name, "crash") == 0)
    __builtin_trap ();
  if (strcmp (name, "exit") == 0)
    _exit (7);
  if (strcmp (name, "ask") == 0)
    return wire_plugin_ask (context, "test.echo", error);
  if (strcmp (name, "ask-and-change") == 0)
    return wire_plugin_ask_and_change (context, error);
  if (strcmp (name, "ask-two") == 0)
    return wire_plugin_ask_two (context, error);
  if (strcmp (name, "clock") == 0)
    return wire_plugin_ask (context, "clock", error);
  if (strcmp (name, "ask-much") == 0)
    return wire_plugin_ask_much (context, error);
  if (strcmp (name, "gorge") == 0)
    wire_plugin_gorge ();
  if (strcmp (name, "send-none") == 0 || strcmp (name, "send-much") == 0)
    return wire_plugin_send (context, strcmp (name, "send-much") == 0 ? 3 << 20 : 0, error);
  if (strcmp (name, "send-too-much") == 0)
    return wire_plugin_send (context, (128 << 20) + 1, error);
  if (strcmp (name, "connect") == 0 || strcmp (name, "connect-much") == 0)
    return wire_plugin_connect (context, 5432, strcmp (name, "connect") == 0 ? 5 : 3 << 20, error);
  if (strcmp (name, "connect-elsewhere") == 0)
    return wire_plugin_connect (context, 5433, 5, error);
  if (strcmp (name, "hoard") == 0)
    return wire_plugin_hoard (self, context, error);
  if (strcmp (name, "let-go") == 0)
    return wire_plugin_let_go (self);
  if (strcmp (name, "scratch") == 0)
    return wire_plugin_use_scratch (context, error);
  if (strcmp (name, "keep") == 0)
    g_set_object (&self->kept, context);
  if (strcmp (name, "ask-kept") == 0)
    return wire_plugin_ask (self->kept, "test.echo", error);
  if (strcmp (name, "limited") == 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_RATE_LIMITED, "slow\ndown");
      if (error != NULL)
        reeve_error_set_wait (*error, 17);
      return NULL;
    }
  if (strcmp (name, "large") == 0)
    text = g_strnfill (2 * 1024 * 1024, 'x');
  else if (strcmp (name, "some") == 0)
    text = g_strnfill (900 * 1000, 'x');
  else
    text = wire_plugin_describe (context);
  return reeve_tool_result_new (text, NULL, FALSE);
}

static void
wire_plugin_tool_init (ReeveToolInterface *iface)
{
  iface->call = wire_plugin_call;
}

static const GType *
wire_plugin_query_types (void)
{
  static GType types[2] = { G_TYPE_INVALID, G_TYPE_INVALID };

  types[0] = wire_plugin_get_type ();
  return types;
}

REEVE_DEFINE_PLUGIN ("wire", "1.0.0", wire_plugin_query_types);
