/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way over REST. */
#include <string.h>

#include <reeve-json.h>
#include "api/error-map.h"
#include "cli-host-private.h"

static int
reeve_cli_host_exit_of (guint status)
{
  if (status >= 200 && status < 300)
    return REEVE_CLI_DONE;
  return reeve_error_map_exit_of_status (status);
}

/* Where there is one fault alone, the detail often is just that. */
static gboolean
reeve_cli_host_is_said (const char *detail, JsonArray *faults)
{
  JsonObject *fault = json_array_get_object_element (faults, 0);
  g_autofree char *text = g_strdup_printf ("%s: %s", reeve_json_get_string (fault, "pointer", ""),
                                           reeve_json_get_string (fault, "message", ""));

  return json_array_get_length (faults) == 1 && strcmp (detail, text) == 0;
}

/* What a problem document says, with each fault on a line of its own. */
static char *
reeve_cli_host_read_problem (const char *body, guint status)
{
  g_autoptr (JsonNode) node = reeve_json_parse_strict (body, strlen (body), NULL);
  JsonObject *problem
      = node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  JsonArray *faults = problem != NULL ? reeve_json_get_array (problem, "errors") : NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  if (problem == NULL)
    return g_strdup_printf ("the host answered %u", status);
  g_string_append (text, reeve_json_get_string (problem, "detail",
                                                reeve_json_get_string (problem, "title", "")));
  if (faults != NULL && json_array_get_length (faults) > 0
      && reeve_cli_host_is_said (text->str, faults))
    faults = NULL;
  for (guint i = 0; faults != NULL && i < json_array_get_length (faults); i++)
    {
      JsonObject *fault = json_array_get_object_element (faults, i);

      g_string_append_printf (text, "\n  %s: %s", reeve_json_get_string (fault, "pointer", ""),
                              reeve_json_get_string (fault, "message", ""));
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static char *
reeve_cli_host_text (JsonNode *node)
{
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    return g_strdup (json_node_get_string (node));
  return reeve_json_text (node);
}

/* Fills path members in, adds those of the query, leaves the body's in *body. */
static char *
reeve_cli_host_build_url (ReeveCliHost *self, const ReeveCliCommand *command, JsonObject *params,
                          JsonObject *body)
{
  g_autoptr (GString) path = g_string_new (command->path);
  g_autoptr (GString) query = g_string_new (NULL);

  for (const ReeveParameter *parameter = command->parameters; parameter->name != NULL; parameter++)
    {
      JsonNode *node = json_object_get_member (params, parameter->name);
      g_autofree char *text = node != NULL ? reeve_cli_host_text (node) : NULL;
      g_autofree char *escaped = text != NULL ? g_uri_escape_string (text, NULL, FALSE) : NULL;
      g_autofree char *slot = g_strdup_printf ("{%s}", parameter->name);

      if (node == NULL)
        continue;
      if (parameter->place == REEVE_PARAMETER_PATH)
        g_string_replace (path, slot, escaped, 1);
      else if (parameter->place == REEVE_PARAMETER_QUERY)
        g_string_append_printf (query, "%c%s=%s", query->len == 0 ? '?' : '&', parameter->name,
                                escaped);
      else
        json_object_set_member (body, parameter->name, json_node_copy (node));
    }
  return g_strconcat (self->url, path->str, query->str, NULL);
}

/* FALSE: the file of the authorities cannot be used. */
static gboolean
reeve_cli_host_open_session (ReeveCliHost *self, GError **error)
{
  g_autofree char *path = self->ca != NULL ? g_canonicalize_filename (self->ca, NULL) : NULL;
  g_autoptr (GTlsDatabase) database = NULL;

  if (path != NULL)
    {
      database = g_tls_file_database_new (path, error);
      if (database == NULL)
        {
          g_prefix_error (error, "reading %s: ", path);
          return FALSE;
        }
    }
  self->session
      = soup_session_new_with_options ("timeout", 0, "user-agent", "reevectl/" REEVE_VERSION, NULL);
  if (database != NULL)
    soup_session_set_tls_database (self->session, database);
  return TRUE;
}

static gboolean
reeve_cli_host_prepare (ReeveCliHost *self, SoupMessage *message, GError **error)
{
  SoupMessageHeaders *headers = soup_message_get_request_headers (message);

  if (self->token != NULL)
    {
      g_autofree char *value = g_strconcat ("Bearer ", self->token, NULL);

      soup_message_headers_replace (headers, "Authorization", value);
    }
  if (self->tenant != NULL)
    soup_message_headers_replace (headers, "X-Tenant-ID", self->tenant);
  return self->session != NULL || reeve_cli_host_open_session (self, error);
}

/* What is wrong with the host's certificate, and what to do. */
static const char *
reeve_cli_host_explain_certificate (SoupMessage *message)
{
  GTlsCertificateFlags flags = soup_message_get_tls_peer_certificate_errors (message);

  if (flags & G_TLS_CERTIFICATE_UNKNOWN_CA)
    return "its certificate is signed by nobody whom this machine trusts: name who may with --ca";
  if (flags & G_TLS_CERTIFICATE_BAD_IDENTITY)
    return "its certificate is for another name";
  if (flags & (G_TLS_CERTIFICATE_EXPIRED | G_TLS_CERTIFICATE_NOT_ACTIVATED))
    return "its certificate has expired, or is not valid yet";
  return NULL;
}

static ReeveCliAnswer *
reeve_cli_host_unreachable (ReeveCliHost *self, SoupMessage *message, const GError *error)
{
  const char *why = reeve_cli_host_explain_certificate (message);

  return reeve_cli_host_new_answer (REEVE_CLI_UNREACHABLE, NULL,
                                    g_strdup_printf ("host %s cannot be reached: %s", self->name,
                                                     why != NULL ? why : error->message));
}

static ReeveCliAnswer *
reeve_cli_host_send (ReeveCliHost *self, SoupMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;
  guint status = 0;
  char *body = NULL;
  int exit = 0;

  if (reeve_cli_host_prepare (self, message, &error))
    bytes = soup_session_send_and_read (self->session, message, NULL, &error);
  if (bytes == NULL)
    return reeve_cli_host_unreachable (self, message, error);
  status = soup_message_get_status (message);
  body = g_strndup (g_bytes_get_data (bytes, NULL) != NULL ? g_bytes_get_data (bytes, NULL) : "",
                    g_bytes_get_size (bytes));
  exit = reeve_cli_host_exit_of (status);
  return reeve_cli_host_new_answer (
      exit, body, exit != REEVE_CLI_DONE ? reeve_cli_host_read_problem (body, status) : NULL);
}

/* One event: lines `event:` and `data:` up to an empty one. FALSE at the end. */
static gboolean
reeve_cli_host_read_event (GDataInputStream *lines, char **event, char **data)
{
  g_clear_pointer (event, g_free);
  g_clear_pointer (data, g_free);
  for (;;)
    {
      g_autofree char *line = g_data_input_stream_read_line_utf8 (lines, NULL, NULL, NULL);

      if (line == NULL || *line == '\0')
        return line != NULL;
      if (g_str_has_prefix (line, "event: "))
        *event = g_strdup (line + strlen ("event: "));
      else if (g_str_has_prefix (line, "data: "))
        *data = g_strdup (line + strlen ("data: "));
    }
}

static ReeveCliAnswer *
reeve_cli_host_read_stream (GInputStream *stream, ReeveCliEventFunc events, gpointer user_data)
{
  g_autoptr (GDataInputStream) lines = g_data_input_stream_new (stream);
  g_autofree char *event = NULL;
  g_autofree char *data = NULL;
  g_autofree char *last = NULL;

  g_data_input_stream_set_newline_type (lines, G_DATA_STREAM_NEWLINE_TYPE_LF);
  while (reeve_cli_host_read_event (lines, &event, &data))
    {
      if (event == NULL || data == NULL)
        continue;
      events (event, data, user_data);
      g_free (last);
      last = g_strdup (data);
    }
  if (last == NULL)
    return reeve_cli_host_new_answer (REEVE_CLI_FAILED, NULL, g_strdup ("the host sent no event"));
  return reeve_cli_host_new_answer (REEVE_CLI_DONE, g_steal_pointer (&last), NULL);
}

static char *
reeve_cli_host_read_text (GInputStream *stream)
{
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();

  g_output_stream_splice (memory, stream, G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, NULL);
  return g_strndup (g_memory_output_stream_get_data (G_MEMORY_OUTPUT_STREAM (memory)),
                    g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (memory)));
}

static ReeveCliAnswer *
reeve_cli_host_stream (ReeveCliHost *self, SoupMessage *message, ReeveCliEventFunc events,
                       gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) stream = NULL;
  const char *type = NULL;

  if (reeve_cli_host_prepare (self, message, &error))
    stream = soup_session_send (self->session, message, NULL, &error);
  if (stream == NULL)
    return reeve_cli_host_unreachable (self, message, error);
  type = soup_message_headers_get_content_type (soup_message_get_response_headers (message), NULL);
  if (g_strcmp0 (type, "text/event-stream") != 0)
    {
      guint status = soup_message_get_status (message);
      char *body = reeve_cli_host_read_text (stream);
      int exit = reeve_cli_host_exit_of (status);

      return reeve_cli_host_new_answer (
          exit, body, exit != REEVE_CLI_DONE ? reeve_cli_host_read_problem (body, status) : NULL);
    }
  return reeve_cli_host_read_stream (stream, events, user_data);
}

ReeveCliAnswer *
reeve_cli_host_call_rest (ReeveCliHost *self, const ReeveCliCommand *command, JsonObject *params,
                          ReeveCliEventFunc events, gpointer user_data)
{
  g_autoptr (JsonObject) body = json_object_new ();
  g_autofree char *url = reeve_cli_host_build_url (self, command, params, body);
  g_autoptr (SoupMessage) message = soup_message_new (command->method, url);

  if (message == NULL)
    return reeve_cli_host_new_answer (REEVE_CLI_USAGE, NULL,
                                      g_strdup_printf ("\"%s\" is no address", self->url));
  if (command->takes_body)
    {
      g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
      g_autoptr (GBytes) bytes = NULL;
      char *text = NULL;

      json_node_set_object (node, body);
      text = reeve_json_text (node);
      bytes = g_bytes_new_take (text, strlen (text));
      soup_message_set_request_body_from_bytes (message, "application/json", bytes);
    }
  if (events != NULL)
    return reeve_cli_host_stream (self, message, events, user_data);
  return reeve_cli_host_send (self, message);
}

static ReeveCliAnswer *
reeve_cli_host_download_rest (ReeveCliHost *self, const ReeveCliCommand *command,
                              JsonObject *params, GOutputStream *output)
{
  g_autoptr (JsonObject) body = json_object_new ();
  g_autofree char *url = reeve_cli_host_build_url (self, command, params, body);
  g_autoptr (SoupMessage) message = soup_message_new (command->method, url);
  g_autoptr (GInputStream) stream = NULL;
  g_autoptr (GError) error = NULL;

  if (message == NULL)
    return reeve_cli_host_new_answer (REEVE_CLI_USAGE, NULL,
                                      g_strdup_printf ("\"%s\" is no address", self->url));
  if (reeve_cli_host_prepare (self, message, &error))
    stream = soup_session_send (self->session, message, NULL, &error);
  if (stream == NULL)
    return reeve_cli_host_unreachable (self, message, error);
  if (soup_message_get_status (message) != SOUP_STATUS_OK)
    {
      guint status = soup_message_get_status (message);
      g_autofree char *text = reeve_cli_host_read_text (stream);

      return reeve_cli_host_new_answer (reeve_cli_host_exit_of (status), NULL,
                                        reeve_cli_host_read_problem (text, status));
    }
  if (g_output_stream_splice (output, stream, G_OUTPUT_STREAM_SPLICE_NONE, NULL, &error) < 0)
    return reeve_cli_host_new_answer (REEVE_CLI_FAILED, NULL,
                                      g_strdup_printf ("what came is not all: %s", error->message));
  return reeve_cli_host_new_answer (REEVE_CLI_DONE, NULL, NULL);
}

/**
 * reeve_cli_host_download:
 * @self: a way
 * @command: what to ask
 * @params: all members of the operation
 * @output: gets the answer as it comes
 *
 * Returns: (transfer full): what was answered, without its body
 */
ReeveCliAnswer *
reeve_cli_host_download (ReeveCliHost *self, const ReeveCliCommand *command, JsonObject *params,
                         GOutputStream *output)
{
  g_autoptr (ReeveCliAnswer) whole = NULL;
  g_autoptr (GError) error = NULL;

  if (self->url != NULL)
    return reeve_cli_host_download_rest (self, command, params, output);
  whole = reeve_cli_host_call (self, command, params, NULL, NULL);
  if (whole->exit == REEVE_CLI_DONE
      && !g_output_stream_write_all (output, whole->body, strlen (whole->body), NULL, NULL, &error))
    return reeve_cli_host_new_answer (REEVE_CLI_FAILED, NULL, g_strdup (error->message));
  return reeve_cli_host_new_answer (whole->exit, NULL, g_strdup (whole->detail));
}

/* (transfer full): by its name, as the desktop's database says (shared-mime-info); of one that it
 * does not know, or where there is none, whether it is text */
static char *
reeve_cli_host_guess_type (const char *name, gboolean text)
{
  gboolean unsure = TRUE;
  g_autofree char *guess = g_content_type_guess (name, NULL, 0, &unsure);
  g_autofree char *type = unsure ? NULL : g_content_type_get_mime_type (guess);

  if (type != NULL)
    return g_steal_pointer (&type);
  return g_strdup (text ? "text/plain" : "application/octet-stream");
}

/* @status: (out): of HTTP */
static ReeveCliAnswer *
reeve_cli_host_send_form (ReeveCliHost *self, const char *url, const char *name, const char *type,
                          GBytes *bytes, JsonObject *params, guint *status)
{
  SoupMultipart *form = soup_multipart_new (SOUP_FORM_MIME_TYPE_MULTIPART);
  g_autoptr (SoupMessage) message = NULL;
  g_autoptr (GList) members = json_object_get_members (params);
  ReeveCliAnswer *answer = NULL;

  soup_multipart_append_form_file (form, "file", name, type, bytes);
  for (GList *l = members; l != NULL; l = l->next)
    {
      g_autofree char *text = reeve_cli_host_text (json_object_get_member (params, l->data));

      soup_multipart_append_form_string (form, l->data, text);
    }
  message = soup_message_new_from_multipart (url, form);
  soup_multipart_free (form);
  answer = reeve_cli_host_send (self, message);
  *status = soup_message_get_status (message);
  return answer;
}

/**
 * reeve_cli_host_upload:
 * @self: a way over REST
 * @command: what to ask
 * @path: of a file
 * @params: further members of the form
 *
 * The file goes as the type that its name says. One that nobody there reads goes as plain text, if
 * it is text: as RFC 2046 says of its unknown kinds (4.1.4).
 *
 * Returns: (transfer full): what was answered
 */
ReeveCliAnswer *
reeve_cli_host_upload (ReeveCliHost *self, const ReeveCliCommand *command, const char *path,
                       JsonObject *params)
{
  g_autofree char *url = g_strconcat (self->url, command->path, NULL);
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *data = NULL;
  g_autofree char *type = NULL;
  gsize length = 0;
  gboolean text = FALSE;
  guint status = 0;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (ReeveCliAnswer) answer = NULL;

  if (self->url == NULL)
    return reeve_cli_host_new_answer (
        REEVE_CLI_USAGE, NULL,
        g_strdup ("documents are uploaded over REST: give --url or --state-dir"));
  if (!g_file_get_contents (path, &data, &length, &error))
    return reeve_cli_host_new_answer (REEVE_CLI_USAGE, NULL, g_strdup (error->message));
  text = g_utf8_validate_len (data, length, NULL);
  type = reeve_cli_host_guess_type (name, text);
  bytes = g_bytes_new_take (g_steal_pointer (&data), length);
  answer = reeve_cli_host_send_form (self, url, name, type, bytes, params, &status);
  if (status != SOUP_STATUS_UNSUPPORTED_MEDIA_TYPE || !text || strcmp (type, "text/plain") == 0)
    return g_steal_pointer (&answer);
  return reeve_cli_host_send_form (self, url, name, "text/plain", bytes, params, &status);
}
