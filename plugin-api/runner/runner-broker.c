/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every refusal is the host's: a plugin that keeps this beyond its call learns so. */
#include "runner-broker.h"

#include <string.h>

#include "wire/wire-error.h"
#include "wire/wire-method.h"

struct _RunnerBroker
{
  GObject parent_instance;
  GDBusConnection *connection;
  guint64 call;
};

static void runner_broker_iface_init (ReeveBrokerInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (RunnerBroker, runner_broker, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_BROKER, runner_broker_iface_init))

static void
runner_broker_finalize (GObject *object)
{
  g_clear_object (&RUNNER_BROKER (object)->connection);
  G_OBJECT_CLASS (runner_broker_parent_class)->finalize (object);
}

static void
runner_broker_class_init (RunnerBrokerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = runner_broker_finalize;
}

static void
runner_broker_init (RunnerBroker *self)
{
}

ReeveBroker *
runner_broker_new (GDBusConnection *connection, guint64 call)
{
  RunnerBroker *self = g_object_new (RUNNER_TYPE_BROKER, NULL);

  self->connection = g_object_ref (connection);
  self->call = call;
  return REEVE_BROKER (self);
}

/* What is left until the deadline, for GDBus; the host keeps the deadline too. */
static int
runner_broker_get_wait (ReeveContext *context)
{
  gint64 deadline = reeve_context_get_deadline (context);

  return deadline == 0 ? G_MAXINT
                       : (int) CLAMP ((deadline - g_get_monotonic_time ()) / 1000 + 1, 1, G_MAXINT);
}

/* (transfer full) (nullable): the reply to a method of the host's broker. @body: floating */
static GDBusMessage *
runner_broker_ask (RunnerBroker *self, ReeveContext *context, const char *member, GVariant *body,
                   GError **error)
{
  g_autoptr (GDBusMessage) message = g_dbus_message_new_method_call (
      NULL, WIRE_METHOD_PATH, WIRE_METHOD_PREFIX "Broker", member);
  g_autoptr (GDBusMessage) reply = NULL;
  g_autoptr (GError) problem = NULL;
  const GDBusMethodInfo *method = wire_method_find (WIRE_METHOD_PREFIX "Broker", member);

  g_dbus_message_set_body (message, body);
  if (g_variant_get_size (g_dbus_message_get_body (message)) > WIRE_METHOD_MAX_BODY)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                   "what a capability is asked with is too large for a message");
      return NULL;
    }
  reply = g_dbus_connection_send_message_with_reply_sync (
      self->connection, message, G_DBUS_SEND_MESSAGE_FLAGS_NONE, runner_broker_get_wait (context),
      NULL, reeve_context_get_cancellable (context), &problem);
  if (reply == NULL)
    {
      g_autofree char *name = wire_error_get_name (problem);

      g_propagate_error (error, wire_error_new (name, problem->message));
      return NULL;
    }
  if (g_dbus_message_get_message_type (reply) == G_DBUS_MESSAGE_TYPE_ERROR)
    {
      g_propagate_error (error, wire_error_from_message (reply));
      return NULL;
    }
  if (wire_method_fits (method->out_args, g_dbus_message_get_body (reply)))
    return g_steal_pointer (&reply);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "the host's answer is of another type");
  return NULL;
}

static JsonNode *
runner_broker_call (ReeveBroker *broker, ReeveContext *context, const char *capability,
                    JsonNode *params, GError **error)
{
  RunnerBroker *self = RUNNER_BROKER (broker);
  g_autofree char *text = json_to_string (params, FALSE);
  g_autoptr (GDBusMessage) reply = runner_broker_ask (
      self, context, "Call", g_variant_new ("(tss)", self->call, capability, text), error);
  const char *result = NULL;

  if (reply == NULL)
    return NULL;
  g_variant_get (g_dbus_message_get_body (reply), "(&s)", &result);
  return reeve_json_parse_strict (result, strlen (result), error);
}

static void
runner_broker_iface_init (ReeveBrokerInterface *iface)
{
  iface->call = runner_broker_call;
}
