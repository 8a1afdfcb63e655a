/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose capabilities these are the number of the call says, and that counts on this connection
 * alone: the context of the host's own call does the rest, as it does for a plugin in the host. */
#include "wire-broker.h"

#include <string.h>

#include "wire/wire-error.h"
#include "wire/wire-method.h"

typedef struct
{
  ReeveWire *wire;
  GDBusConnection *connection;
  GDBusMessage *message;
} ReeveWireBrokerJob;

static void
reeve_wire_broker_job_free (ReeveWireBrokerJob *job)
{
  reeve_wire_unref (job->wire);
  g_object_unref (job->connection);
  g_object_unref (job->message);
  g_free (job);
}

static GVariant *
reeve_wire_broker_call (ReeveContext *context, GVariant *body, GError **error)
{
  g_autoptr (JsonNode) params = NULL;
  g_autoptr (JsonNode) result = NULL;
  g_autofree char *text = NULL;
  const char *capability = NULL;
  const char *json = NULL;

  g_variant_get (body, "(t&s&s)", NULL, &capability, &json);
  params = reeve_json_parse_strict (json, strlen (json), error);
  if (params == NULL)
    return NULL;
  if (!JSON_NODE_HOLDS_OBJECT (params))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "parameters of a capability are an object");
      return NULL;
    }
  result = reeve_context_call (context, capability, params, error);
  if (result == NULL)
    return NULL;
  text = json_to_string (result, FALSE);
  return g_variant_new ("(s)", text);
}

/* (transfer floating) (nullable) */
static GVariant *
reeve_wire_broker_answer (ReeveWire *wire, GDBusMessage *message, GError **error)
{
  GVariant *body = g_dbus_message_get_body (message);
  const char *member = g_dbus_message_get_member (message);
  const GDBusMethodInfo *method = wire_method_find (g_dbus_message_get_interface (message), member);
  g_autoptr (ReeveContext) context = NULL;
  guint64 call = 0;

  if (method == NULL || !wire_method_fits (method->in_args, body))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "the broker's %s has other arguments", member);
      return NULL;
    }
  g_variant_get_child (body, 0, "t", &call);
  context = reeve_wire_find_context (wire, call);
  if (context == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY,
                   "the call that this capability was for is not under way");
      return NULL;
    }
  if (strcmp (member, "Call") == 0)
    return reeve_wire_broker_call (context, body, error);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED, "the broker does not offer %s", member);
  return NULL;
}

static void
reeve_wire_broker_work (gpointer data)
{
  ReeveWireBrokerJob *job = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusMessage) reply = NULL;
  g_autoptr (GVariant) result = NULL;

  result = reeve_wire_broker_answer (job->wire, job->message, &error);
  if (result != NULL)
    g_variant_ref_sink (result);
  if (result != NULL && g_variant_get_size (result) > WIRE_METHOD_MAX_BODY)
    g_set_error (&error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                 "what the capability answers is too large for a message");
  if (error != NULL)
    reply = wire_error_to_message (job->message, error);
  else
    {
      reply = g_dbus_message_new_method_reply (job->message);
      g_dbus_message_set_body (reply, result);
    }
  /* it fails where the runner is gone: then nobody waits */
  g_dbus_connection_send_message (job->connection, reply, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL,
                                  NULL);
  reeve_wire_broker_job_free (job);
}

void
reeve_wire_broker_take (ReeveWire *wire, ReeveWireHub *hub, GDBusConnection *connection,
                        GDBusMessage *message)
{
  ReeveWireBrokerJob *job = g_new (ReeveWireBrokerJob, 1);

  *job = (ReeveWireBrokerJob){ reeve_wire_ref (wire), g_object_ref (connection),
                               g_object_ref (message) };
  reeve_wire_hub_push (hub, reeve_wire_broker_work, job);
}
