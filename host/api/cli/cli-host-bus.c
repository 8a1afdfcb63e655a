/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way over D-Bus: io.reeve.Host1.Call. */
#include <string.h>

#include <reeve-json.h>
#include "api/error-map.h"
#include "cli-host-private.h"

#define REEVE_CLI_HOST_NAME "io.reeve.Host"
#define REEVE_CLI_HOST_PATH "/io/reeve/Host"

typedef struct
{
  GMainLoop *loop;
  GVariant *answer;
  GError *error;
  ReeveCliEventFunc events;
  gpointer user_data;
} ReeveCliHostWait;

gboolean
reeve_cli_host_connect_bus (ReeveCliHost *self, GBusType bus, GError **error)
{
  g_autoptr (GDBusConnection) connection = g_bus_get_sync (bus, NULL, error);
  g_autoptr (GVariant) answer = NULL;
  gboolean owned = FALSE;

  if (connection == NULL)
    return FALSE;
  answer = g_dbus_connection_call_sync (
      connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
      "NameHasOwner", g_variant_new ("(s)", REEVE_CLI_HOST_NAME), G_VARIANT_TYPE ("(b)"),
      G_DBUS_CALL_FLAGS_NONE, 5000, NULL, error);
  if (answer != NULL)
    g_variant_get (answer, "(b)", &owned);
  if (!owned)
    {
      if (answer != NULL)
        g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "no host is on that bus");
      return FALSE;
    }
  self->connection = g_steal_pointer (&connection);
  self->name = g_strdup ("bus name " REEVE_CLI_HOST_NAME);
  return TRUE;
}

static void
reeve_cli_host_on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ReeveCliHostWait *wait = user_data;

  wait->answer = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &wait->error);
  g_main_loop_quit (wait->loop);
}

static void
reeve_cli_host_on_event (GDBusConnection *connection, const char *sender, const char *path,
                         const char *interface, const char *signal, GVariant *parameters,
                         gpointer user_data)
{
  ReeveCliHostWait *wait = user_data;
  const char *event = NULL;
  const char *data = NULL;

  g_variant_get (parameters, "(&s&s)", &event, &data);
  wait->events (event, data, wait->user_data);
}

static ReeveCliAnswer *
reeve_cli_host_refused (GError *error)
{
  g_autofree char *name = g_dbus_error_get_remote_error (error);
  int exit = name != NULL ? reeve_error_map_exit_of_name (name) : -1;

  g_dbus_error_strip_remote_error (error);
  return reeve_cli_host_new_answer (exit >= 0 ? exit : REEVE_CLI_UNREACHABLE, NULL,
                                    g_strdup (error->message));
}

/* Events and the answer come on the main context: so a loop, here at the top of a program of one
 * thread. */
static void
reeve_cli_host_wait_bus (ReeveCliHost *self, ReeveCliHostWait *wait, GVariant *parameters)
{
  guint subscription = 0;

  wait->loop = g_main_loop_new (NULL, FALSE);
  if (wait->events != NULL)
    subscription = g_dbus_connection_signal_subscribe (
        self->connection, REEVE_CLI_HOST_NAME, "io.reeve.Host1", "Event", REEVE_CLI_HOST_PATH, NULL,
        G_DBUS_SIGNAL_FLAGS_NONE, reeve_cli_host_on_event, wait, NULL);
  g_dbus_connection_call (self->connection, REEVE_CLI_HOST_NAME, REEVE_CLI_HOST_PATH,
                          "io.reeve.Host1", "Call", parameters, G_VARIANT_TYPE ("(s)"),
                          G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, reeve_cli_host_on_answer, wait);
  g_main_loop_run (wait->loop);
  if (subscription != 0)
    g_dbus_connection_signal_unsubscribe (self->connection, subscription);
  g_main_loop_unref (wait->loop);
}

ReeveCliAnswer *
reeve_cli_host_call_bus (ReeveCliHost *self, const ReeveCliCommand *command, JsonObject *params,
                         ReeveCliEventFunc events, gpointer user_data)
{
  ReeveCliHostWait wait = { .events = events, .user_data = user_data };
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GError) error = NULL;
  char *body = NULL;

  if (self->tenant != NULL && !json_object_has_member (params, "tenant_id"))
    json_object_set_string_member (params, "tenant_id", self->tenant);
  json_node_set_object (node, params);
  text = reeve_json_text (node);
  reeve_cli_host_wait_bus (self, &wait, g_variant_new ("(ss)", command->operation, text));
  answer = wait.answer;
  error = wait.error;
  if (answer == NULL)
    return reeve_cli_host_refused (error);
  g_variant_get (answer, "(s)", &body);
  return reeve_cli_host_new_answer (REEVE_CLI_DONE, body, NULL);
}
