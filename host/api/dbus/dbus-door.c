/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exports io.reeve.Host1 and the typed interfaces, generated from the table, on the bus. Each call
 * goes to dbus-call.c. */
#include "dbus-door.h"

#include <string.h>

#include "base/times.h"
#include "dbus-call.h"
#include "dbus-throttle.h"
#include "dbus-value.h"
#include "operations/call.h"
#include "operations/gate-refuse.h"
#include "wire/wire-json.h"

#define REEVE_DBUS_DOOR_MAX_PARAMS  (16 * 1024 * 1024)
#define REEVE_DBUS_DOOR_MAX_PRINTED (64 * 1024)

static const char reeve_dbus_door_xml[]
    = "<node>"
      "  <interface name='io.reeve.Host1'>"
      "    <method name='Operations'><arg name='operations' type='a(ssss)' "
      "direction='out'/></method>"
      "    <method name='Call'>"
      "      <arg name='operation' type='s' direction='in'/>"
      "      <arg name='json_params' type='s' direction='in'/>"
      "      <arg name='json' type='s' direction='out'/>"
      "    </method>"
      "    <method name='Login'><arg name='token' type='s' direction='in'/></method>"
      "    <signal name='Event'><arg name='type' type='s'/><arg name='json' type='s'/></signal>"
      "    <property name='Version' type='s' access='read'/>"
      "    <property name='State' type='s' access='read'/>"
      "    <property name='Address' type='s' access='read'/>"
      "    <property name='Uptime' type='t' access='read'/>"
      "    <property name='version' type='u' access='read'/>"
      "  </interface>"
      "</node>";

struct _ReeveDbusDoor
{
  ReeveServices *services;
  GBusType bus;
  GDBusConnection *connection;
  GDBusNodeInfo *host_info;
  GDBusNodeInfo *typed_info;
  ReeveDbusPeers *peers;
  ReeveDbusThrottle *throttle;
  GVariant *operations;  /* (nullable): the answer, once asked for */
  GArray *registrations; /* guint */
  guint owner;
  gboolean stopping;
  ReeveDbusDoorReady ready;
  gpointer ready_data;
};

/* ---- io.reeve.Host1 ---- */

static GVariant *
reeve_dbus_door_build_list (void)
{
  GVariantBuilder rows = { 0 };

  g_variant_builder_init (&rows, G_VARIANT_TYPE ("a(ssss)"));
  for (const ReeveOperation *row = reeve_operations; row->name != NULL; row++)
    {
      g_autofree char *route = g_strconcat (row->method, " ", row->path, NULL);

      g_variant_builder_add (&rows, "(ssss)", row->name,
                             row->permission != NULL ? row->permission : "", route, row->summary);
    }
  return g_variant_ref_sink (g_variant_new ("(a(ssss))", &rows));
}

static void
reeve_dbus_door_list (ReeveDbusDoor *self, GDBusMethodInvocation *invocation)
{
  if (self->operations == NULL)
    self->operations = reeve_dbus_door_build_list ();
  g_dbus_method_invocation_return_value (invocation, self->operations);
}

static JsonObject *
reeve_dbus_door_parse (const char *text, GError **error)
{
  gsize length = strlen (text);
  g_autoptr (JsonNode) node = NULL;
  JsonObject *copy = NULL;
  g_autoptr (GList) members = NULL;

  if (length == 0)
    return json_object_new ();
  if (length > REEVE_DBUS_DOOR_MAX_PARAMS)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE, "json_params is larger than %d bytes",
                   REEVE_DBUS_DOOR_MAX_PARAMS);
      return NULL;
    }
  /* on the main loop, and before anybody knows who asks */
  node = wire_json_parse_bounded (text, length, REEVE_DBUS_VALUE_MAX_VALUES, error);
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    {
      if (node != NULL)
        g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "not an object");
      g_prefix_error (error, "json_params: ");
      return NULL;
    }
  copy = json_object_new ();
  members = json_object_get_members (json_node_get_object (node));
  for (GList *l = members; l != NULL; l = l->next)
    json_object_set_member (copy, l->data,
                            json_object_dup_member (json_node_get_object (node), l->data));
  return copy;
}

static void
reeve_dbus_door_refuse (GDBusMethodInvocation *invocation, const GError *error)
{
  reeve_dbus_call_return_error (invocation, error, NULL);
  g_object_unref (invocation);
}

static void
reeve_dbus_door_call (ReeveDbusDoor *self, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  const char *name = NULL;
  const char *text = NULL;
  const ReeveOperation *operation = NULL;
  JsonObject *params = NULL;
  GError *error = NULL;

  g_variant_get (parameters, "(&s&s)", &name, &text);
  operation = reeve_operation_find (name);
  if (operation == NULL)
    {
      params = json_object_new ();
      json_object_set_string_member (params, "operation", name);
      error
          = g_error_new (REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no operation \"%s\"", name);
      reeve_dbus_call_refuse (self->services, self->peers, invocation, &reeve_gate_refuse_unknown,
                              params, NULL, error);
      return;
    }
  params = reeve_dbus_door_parse (text, &error);
  if (params != NULL)
    reeve_dbus_call_start (self->services, self->peers, invocation, operation, params, NULL);
  else
    reeve_dbus_call_refuse (self->services, self->peers, invocation, operation, NULL, text, error);
}

typedef struct
{
  ReeveDbusDoor *door;
  GDBusMethodInvocation *invocation;
  char *token;
} ReeveDbusDoorLogin;

/* A flood of bad tokens is counted in the platform's log. */
static void
reeve_dbus_door_record_login (ReeveDbusDoor *self, const GError *error)
{
  const ReeveAdmissionRequest request = { .operation = "dbus.login", .door = "dbus" };

  reeve_admission_refuse (self->services->admission, &request, error);
}

static void
reeve_dbus_door_on_login (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ReeveDbusDoorLogin *login = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveCaller) caller
      = reeve_authentication_authenticate_finish (REEVE_AUTHENTICATION (source), result, &error);

  if (caller != NULL)
    {
      reeve_dbus_peers_bind (login->door->peers,
                             g_dbus_method_invocation_get_sender (login->invocation), login->token);
      g_dbus_method_invocation_return_value (login->invocation, NULL);
    }
  else
    {
      reeve_dbus_door_record_login (login->door, error);
      reeve_dbus_door_refuse (login->invocation, error);
    }
  g_free (login->token);
  g_free (login);
}

static void
reeve_dbus_door_login (ReeveDbusDoor *self, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  ReeveDbusDoorLogin *login = g_new0 (ReeveDbusDoorLogin, 1);
  ReeveCredentials credentials
      = { .struct_size = sizeof credentials, .scheme = "bearer", .door = "dbus" };

  reeve_dbus_peers_expect (self->peers, g_dbus_method_invocation_get_sender (invocation));
  login->door = self;
  login->invocation = invocation;
  g_variant_get (parameters, "(s)", &login->token);
  credentials.token = reeve_call_skip_scheme (login->token, "Basic");
  if (credentials.token != NULL)
    credentials.scheme = "basic";
  else
    credentials.token = login->token;
  reeve_authentication_authenticate_async (self->services->authentication, &credentials,
                                           reeve_dbus_door_on_login, login);
}

static void
reeve_dbus_door_on_host_method (GDBusConnection *connection, const char *sender, const char *path,
                                const char *interface, const char *method, GVariant *parameters,
                                GDBusMethodInvocation *invocation, gpointer user_data)
{
  ReeveDbusDoor *self = user_data;

  if (strcmp (method, "Operations") == 0)
    reeve_dbus_door_list (self, invocation);
  else if (strcmp (method, "Login") == 0)
    reeve_dbus_door_login (self, parameters, invocation);
  else
    reeve_dbus_door_call (self, parameters, invocation);
}

static const char *
reeve_dbus_door_get_state (ReeveDbusDoor *self)
{
  const ReeveServices *services = self->services;

  if (self->stopping)
    return "stopping";
  return reeve_ledger_get_health (services->ledger) == REEVE_LEDGER_WELL
                 && reeve_store_is_writable (services->store, FALSE)
             ? "running"
             : "degraded";
}

static GVariant *
reeve_dbus_door_on_property (GDBusConnection *connection, const char *sender, const char *path,
                             const char *interface, const char *property, GError **error,
                             gpointer user_data)
{
  ReeveDbusDoor *self = user_data;

  if (strcmp (property, "version") == 0)
    return g_variant_new_uint32 (1);
  if (strcmp (property, "Version") == 0)
    return g_variant_new_string (REEVE_VERSION);
  if (strcmp (property, "State") == 0)
    return g_variant_new_string (reeve_dbus_door_get_state (self));
  if (strcmp (property, "Address") == 0)
    return g_variant_new_string (self->services->address != NULL ? self->services->address : "");
  return g_variant_new_uint64 (
      (guint64) ((g_get_monotonic_time () - self->services->started) / G_USEC_PER_SEC));
}

/* ---- typed interfaces ---- */

/* The arguments as they came, for the digest; what is large costs no node for each of its values.
 */
static char *
reeve_dbus_door_print (GVariant *parameters)
{
  gsize size = g_variant_get_size (parameters);

  return size <= REEVE_DBUS_DOOR_MAX_PRINTED
             ? g_variant_print (parameters, FALSE)
             : g_base64_encode (g_variant_get_data (parameters), size);
}

/* (transfer full) (nullable) */
static JsonObject *
reeve_dbus_door_collect (const ReeveDbusMethod *row, GVariant *parameters, GError **error)
{
  if (row == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNSUPPORTED, "no such method");
      return NULL;
    }
  if (g_variant_get_size (parameters) > REEVE_DBUS_DOOR_MAX_PARAMS)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                   "the arguments are larger than %d bytes", REEVE_DBUS_DOOR_MAX_PARAMS);
      return NULL;
    }
  return reeve_dbus_call_collect (row, parameters, error);
}

static const ReeveDbusMethod *
reeve_dbus_door_find (const char *interface, const char *method)
{
  for (const ReeveDbusMethod *row = reeve_dbus_methods; row->interface != NULL; row++)
    {
      if (strcmp (row->interface, interface) == 0 && strcmp (row->method, method) == 0)
        return row;
    }
  return NULL;
}

static void
reeve_dbus_door_on_typed_method (GDBusConnection *connection, const char *sender, const char *path,
                                 const char *interface, const char *method, GVariant *parameters,
                                 GDBusMethodInvocation *invocation, gpointer user_data)
{
  ReeveDbusDoor *self = user_data;
  const ReeveDbusMethod *row = reeve_dbus_door_find (interface, method);
  const ReeveOperation *operation
      = row != NULL ? reeve_operation_find (row->operation) : &reeve_gate_refuse_unknown;
  g_autofree char *text = NULL;
  JsonObject *params = NULL;
  GError *error = NULL;

  params = reeve_dbus_door_collect (row, parameters, &error);
  if (params != NULL)
    {
      reeve_dbus_call_start (self->services, self->peers, invocation, operation, params, row);
      return;
    }
  text = reeve_dbus_door_print (parameters);
  reeve_dbus_call_refuse (self->services, self->peers, invocation, operation, NULL, text, error);
}

/* ---- the bus ---- */

static gboolean
reeve_dbus_door_export (ReeveDbusDoor *self, GDBusInterfaceInfo *info,
                        GDBusInterfaceMethodCallFunc method, GError **error)
{
  const GDBusInterfaceVTable vtable
      = { .method_call = method, .get_property = reeve_dbus_door_on_property };
  guint id = g_dbus_connection_register_object (self->connection, REEVE_DBUS_DOOR_PATH, info,
                                                &vtable, self, NULL, error);

  if (id != 0)
    g_array_append_val (self->registrations, id);
  return id != 0;
}

static gboolean
reeve_dbus_door_export_all (ReeveDbusDoor *self, GError **error)
{
  if (!reeve_dbus_door_export (self, self->host_info->interfaces[0], reeve_dbus_door_on_host_method,
                               error))
    return FALSE;
  for (guint i = 0; self->typed_info->interfaces[i] != NULL; i++)
    {
      if (!reeve_dbus_door_export (self, self->typed_info->interfaces[i],
                                   reeve_dbus_door_on_typed_method, error))
        return FALSE;
    }
  return TRUE;
}

static void
reeve_dbus_door_tell (ReeveDbusDoor *self, gboolean owned, const char *reason)
{
  ReeveDbusDoorReady ready = self->ready;

  self->ready = NULL;
  if (ready != NULL)
    ready (owned, reason, self->ready_data);
}

static void
reeve_dbus_door_on_acquired (GDBusConnection *connection, const char *name, gpointer user_data)
{
  reeve_dbus_door_tell (user_data, TRUE, NULL);
}

static void
reeve_dbus_door_on_lost (GDBusConnection *connection, const char *name, gpointer user_data)
{
  ReeveDbusDoor *self = user_data;

  if (!self->stopping && self->ready == NULL)
    g_warning ("the bus name %s was lost", name);
  reeve_dbus_door_tell (self, FALSE, "the bus name is taken");
}

static void
reeve_dbus_door_on_connection (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ReeveDbusDoor *self = user_data;
  g_autoptr (GError) error = NULL;

  self->connection = g_bus_get_finish (result, &error);
  if (self->connection == NULL)
    {
      reeve_dbus_door_tell (self, FALSE, error->message);
      return;
    }
  g_dbus_connection_set_exit_on_close (self->connection, FALSE);
  self->throttle = reeve_dbus_throttle_new (self->connection);
  self->peers = reeve_dbus_peers_new (self->connection, self->bus, self->services->authentication);
  if (!reeve_dbus_door_export_all (self, &error))
    {
      reeve_dbus_door_tell (self, FALSE, error->message);
      return;
    }
  self->owner = g_bus_own_name_on_connection (
      self->connection, REEVE_DBUS_DOOR_NAME, G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE,
      reeve_dbus_door_on_acquired, reeve_dbus_door_on_lost, self, NULL);
}

/**
 * reeve_dbus_door_new:
 * @services: what operations work with
 * @bus: which bus
 *
 * Returns: (transfer full): a door that is closed
 */
ReeveDbusDoor *
reeve_dbus_door_new (ReeveServices *services, GBusType bus)
{
  ReeveDbusDoor *self = g_new0 (ReeveDbusDoor, 1);

  self->services = services;
  self->bus = bus;
  self->host_info = g_dbus_node_info_new_for_xml (reeve_dbus_door_xml, NULL);
  self->typed_info = g_dbus_node_info_new_for_xml (reeve_dbus_xml, NULL);
  self->registrations = g_array_new (FALSE, FALSE, sizeof (guint));
  return self;
}

/**
 * reeve_dbus_door_start:
 * @self: a door
 * @ready: called once on the main context
 * @user_data: closure
 *
 * Connects, exports, takes the name.
 */
void
reeve_dbus_door_start (ReeveDbusDoor *self, ReeveDbusDoorReady ready, gpointer user_data)
{
  self->ready = ready;
  self->ready_data = user_data;
  g_bus_get (self->bus, NULL, reeve_dbus_door_on_connection, self);
}

/**
 * reeve_dbus_door_stop:
 * @self: a door
 *
 * Gives the name up and takes no call any more.
 */
void
reeve_dbus_door_stop (ReeveDbusDoor *self)
{
  self->stopping = TRUE;
  if (self->owner != 0)
    g_bus_unown_name (self->owner);
  self->owner = 0;
  for (guint i = 0; i < self->registrations->len; i++)
    g_dbus_connection_unregister_object (self->connection,
                                         g_array_index (self->registrations, guint, i));
  g_array_set_size (self->registrations, 0);
}

/**
 * reeve_dbus_door_free:
 * @self: (transfer full): a door that was stopped, without calls under way
 */
void
reeve_dbus_door_free (ReeveDbusDoor *self)
{
  g_clear_pointer (&self->throttle, reeve_dbus_throttle_free);
  g_clear_pointer (&self->peers, reeve_dbus_peers_free);
  g_clear_pointer (&self->operations, g_variant_unref);
  g_clear_object (&self->connection);
  g_dbus_node_info_unref (self->host_info);
  g_dbus_node_info_unref (self->typed_info);
  g_array_unref (self->registrations);
  g_free (self);
}
