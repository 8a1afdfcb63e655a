/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arguments become the members of one object, the result is the REST body, or what a typed method
 * says of it, errors are io.reeve.Error.<Code>. Events of a stream go to the caller alone, as
 * signal Event. */
#include "dbus-call.h"

#include <string.h>

#include "api/error-map.h"
#include "base/error-detail.h"
#include "base/ids.h"
#include <reeve-json.h>
#include "dbus-door.h"
#include "dbus-value.h"
#include "operations/gate-refuse.h"
#include "operations/gate.h"
#include "wire/wire-json.h"

/* items of a list: the most that one may ask for */
#define REEVE_DBUS_CALL_PAGE 500
/* A system bus throws out who sends more than 32 MiB, and the host would be on none then. */
#define REEVE_DBUS_CALL_MAX_ANSWER (24 * 1024 * 1024)
/* What waits for a peer counts for the host's connection: of data that are larger a signal says
 * where they are. */
#define REEVE_DBUS_CALL_MAX_EVENT (1024 * 1024)

typedef struct
{
  GDBusMethodInvocation *invocation;
  ReeveServices *services;
  ReeveDbusPeers *peers;
  const ReeveOperation *operation;
  JsonObject *params;
  char *tenant_id;               /* (nullable): that was among them, to act in */
  const ReeveDbusMethod *method; /* (nullable): NULL: Host1.Call */
  GError *refused;               /* (nullable): why the door refuses it */
  GBytes *text;                  /* (nullable): arguments of such a one that are no members */
  JsonNode *last;                /* data of the last event */
} ReeveDbusCall;

static void
reeve_dbus_call_free (gpointer data)
{
  ReeveDbusCall *self = data;

  g_clear_object (&self->invocation);
  g_clear_pointer (&self->params, json_object_unref);
  g_clear_pointer (&self->tenant_id, g_free);
  g_clear_pointer (&self->last, json_node_unref);
  g_clear_pointer (&self->text, g_bytes_unref);
  g_clear_error (&self->refused);
  g_free (self);
}

static ReeveDbusCall *
reeve_dbus_call_new (ReeveServices *services, GDBusMethodInvocation *invocation,
                     const ReeveOperation *operation, JsonObject *params)
{
  ReeveDbusCall *self = g_new0 (ReeveDbusCall, 1);

  self->services = services;
  self->invocation = invocation;
  self->operation = operation;
  self->params = params != NULL ? params : json_object_new ();
  return self;
}

static void reeve_dbus_call_identify (ReeveDbusCall *self, ReeveDbusPeers *peers);

/* (transfer full): its members as they were given */
static JsonObject *
reeve_dbus_call_copy_params (ReeveDbusCall *self)
{
  JsonObject *copy = json_object_new ();
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *value = NULL;

  json_object_iter_init (&iter, self->params);
  while (json_object_iter_next (&iter, &name, &value))
    json_object_set_member (copy, name, json_node_copy (value));
  if (self->tenant_id != NULL)
    json_object_set_string_member (copy, "tenant_id", self->tenant_id);
  return copy;
}

/* ---- arguments ---- */

/* (transfer none) (nullable) */
static const ReeveSchemaNode *
reeve_dbus_call_find_schema (const ReeveOperation *operation, const char *parameter)
{
  const ReeveSchemaObject *object = operation != NULL ? operation->schema->object : NULL;

  for (const ReeveSchemaMember *m = object != NULL ? object->properties : NULL;
       m != NULL && m->name != NULL; m++)
    {
      if (strcmp (m->name, parameter) == 0)
        return m->node->ref != NULL ? m->node->ref : m->node;
    }
  return NULL;
}

/* A text may begin with a brace: only what the operation does not take as a string is JSON. */
static gboolean
reeve_dbus_call_is_text (const ReeveOperation *operation, const char *parameter)
{
  const ReeveSchemaNode *node = reeve_dbus_call_find_schema (operation, parameter);

  return node != NULL && (node->types & REEVE_SCHEMA_TYPE_STRING) != 0;
}

/* D-Bus has no optional arguments: an empty string or dictionary is one that is not given, and so
 * is a 0 where the least that there can be is more, as of a limit. */
static gboolean
reeve_dbus_call_is_absent (const ReeveOperation *operation, const ReeveDbusArgument *argument,
                           GVariant *value)
{
  const ReeveSchemaNode *node = reeve_dbus_call_find_schema (operation, argument->parameter);

  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    return *g_variant_get_string (value, NULL) == '\0';
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_VARDICT))
    return g_variant_n_children (value) == 0;
  if (!g_variant_is_of_type (value, G_VARIANT_TYPE_INT32) || g_variant_get_int32 (value) != 0)
    return FALSE;
  return node != NULL && node->numeric != NULL && node->numeric->minimum.given
         && node->numeric->minimum.whole && node->numeric->minimum.integer > 0;
}

static JsonNode *
reeve_dbus_call_convert (const ReeveOperation *operation, const ReeveDbusArgument *argument,
                         GVariant *value, GError **error)
{
  JsonNode *node = NULL;
  const char *text = NULL;

  if (!g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    {
      node = reeve_dbus_value_to_json (value, error);
      if (node == NULL)
        g_prefix_error (error, "argument %s: ", argument->name);
      return node;
    }
  text = g_variant_get_string (value, NULL);
  if ((*text != '{' && *text != '[') || reeve_dbus_call_is_text (operation, argument->parameter))
    return json_node_init_string (json_node_alloc (), text);
  node = wire_json_parse_bounded (text, strlen (text), REEVE_DBUS_VALUE_MAX_VALUES, error);
  if (node == NULL)
    g_prefix_error (error, "argument %s: ", argument->name);
  return node;
}

/**
 * reeve_dbus_call_collect:
 * @method: a row of the table
 * @parameters: arguments of the call
 * @error: return location: %REEVE_ERROR_INVALID_ARGUMENT names the argument
 *
 * An empty string or dictionary is an argument not given, and so is a 0 where there can be none.
 *
 * Returns: (transfer full) (nullable): the operation's members
 */
JsonObject *
reeve_dbus_call_collect (const ReeveDbusMethod *method, GVariant *parameters, GError **error)
{
  const ReeveOperation *operation = reeve_operation_find (method->operation);
  g_autoptr (JsonObject) params = json_object_new ();

  for (guint i = 0; method->arguments[i].name != NULL; i++)
    {
      g_autoptr (GVariant) value = g_variant_get_child_value (parameters, i);
      JsonNode *node = NULL;

      if (reeve_dbus_call_is_absent (operation, &method->arguments[i], value))
        continue;
      node = reeve_dbus_call_convert (operation, &method->arguments[i], value, error);
      if (node == NULL)
        return NULL;
      json_object_set_member (params, method->arguments[i].parameter, node);
    }
  if (method->page)
    json_object_set_int_member (params, "limit", REEVE_DBUS_CALL_PAGE);
  if (method->generate != NULL)
    {
      g_autofree char *id = reeve_ids_new ("org");

      json_object_set_string_member (params, method->generate, g_strdelimit (id, "_", '-'));
    }
  return g_steal_pointer (&params);
}

/* ---- answers ---- */

/* (transfer full) what the error says, and where; the first fault is what it is about. */
static GString *
reeve_dbus_call_describe (const GError *error, JsonObject *first)
{
  const char *detail = reeve_error_detail_get (error);
  const char *pointer = reeve_json_get_string (first, "pointer", "");
  const char *message = reeve_json_get_string (first, "message", "");
  GString *text = g_string_new (detail);

  if (!g_str_has_suffix (detail, message))
    g_string_append_printf (text, "; %s: %s", pointer, message);
  else if (*pointer != '\0' && strstr (detail, pointer) == NULL)
    g_string_prepend (g_string_prepend (text, ": "), pointer);
  return text;
}

/**
 * reeve_dbus_call_return_error:
 * @invocation: (transfer none): a call
 * @error: why it fails
 * @faults: (nullable): what is wrong with its parameters
 *
 * Answers with io.reeve.Error.<Code>.
 */
void
reeve_dbus_call_return_error (GDBusMethodInvocation *invocation, const GError *error,
                              JsonArray *faults)
{
  guint length = faults != NULL ? json_array_get_length (faults) : 0;
  g_autoptr (GString) text
      = length > 0 ? reeve_dbus_call_describe (error, json_array_get_object_element (faults, 0))
                   : g_string_new (reeve_error_detail_get (error));

  for (guint i = 1; i < length; i++)
    {
      JsonObject *fault = json_array_get_object_element (faults, i);

      g_string_append_printf (text, "; %s: %s", reeve_json_get_string (fault, "pointer", ""),
                              reeve_json_get_string (fault, "message", ""));
    }
  g_dbus_method_invocation_return_dbus_error (g_object_ref (invocation),
                                              reeve_error_map_lookup (error)->dbus, text->str);
}

static char *
reeve_dbus_call_body (ReeveDbusCall *self, ReeveCall *call)
{
  const char *media_type = NULL;
  JsonNode *result = reeve_call_get_result (call);
  GBytes *bytes = reeve_call_get_result_bytes (call, &media_type);
  gsize length = 0;
  const char *data = NULL;

  if (result == NULL && bytes == NULL)
    result = self->last;
  if (result != NULL)
    return reeve_json_text (result);
  if (bytes == NULL)
    return g_strdup ("");
  data = g_bytes_get_data (bytes, &length);
  return g_utf8_make_valid (data, (gssize) length);
}

/* (transfer none) (nullable): a member of an object, and of one within it behind a dot */
static JsonNode *
reeve_dbus_call_find_member (JsonNode *body, const char *member)
{
  JsonObject *object
      = body != NULL && JSON_NODE_HOLDS_OBJECT (body) ? json_node_get_object (body) : NULL;
  const char *dot = strchr (member, '.');
  g_autofree char *first = dot != NULL ? g_strndup (member, (gsize) (dot - member)) : NULL;

  if (object == NULL)
    return NULL;
  return dot != NULL ? reeve_dbus_call_find_member (json_object_get_member (object, first), dot + 1)
                     : json_object_get_member (object, member);
}

/* (transfer floating) node: (nullable) */
static GVariant *
reeve_dbus_call_print_value (const ReeveDbusResult *result, JsonNode *node)
{
  GType type = node != NULL && JSON_NODE_HOLDS_VALUE (node) ? json_node_get_value_type (node) : 0;

  switch (result->signature[0])
    {
    case 'b':
      /* that there is an answer says that it was done */
      return g_variant_new_boolean (type != G_TYPE_BOOLEAN || json_node_get_boolean (node));
    case 'x':
      return g_variant_new_int64 (type == G_TYPE_INT64 ? json_node_get_int (node)
                                                       : result->otherwise);
    case 's':
      return g_variant_new_string (type == G_TYPE_STRING ? json_node_get_string (node) : "");
    default:
      break;
    }
  if (result->signature[1] == 'a')
    return reeve_dbus_value_from_objects (
        node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL);
  return reeve_dbus_value_from_object (
      node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL);
}

/* (transfer floating) */
static GVariant *
reeve_dbus_call_print (ReeveDbusCall *self, ReeveCall *call)
{
  JsonNode *body = reeve_call_get_result (call);
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_TUPLE);

  if (body == NULL)
    body = self->last;
  for (const ReeveDbusResult *r = self->method->results; r->signature != NULL; r++)
    {
      JsonNode *node = r->member != NULL ? reeve_dbus_call_find_member (body, r->member) : body;
      g_autofree char *text = NULL;

      if (r->member != NULL || r->signature[0] != 's')
        {
          g_variant_builder_add_value (&builder, reeve_dbus_call_print_value (r, node));
          continue;
        }
      text = reeve_dbus_call_body (self, call);
      g_variant_builder_add (&builder, "s", text);
    }
  return g_variant_builder_end (&builder);
}

/* A list that nobody said the length of, and no bus takes, is asked for again, shorter: its cursor
 * then stands behind what is given. */
static gboolean
reeve_dbus_call_shorten (ReeveDbusCall *self)
{
  gint64 limit = reeve_json_get_int (self->params, "limit", 0);
  ReeveDbusCall *again = NULL;

  if (self->method == NULL || !self->method->page || limit <= 1)
    return FALSE;
  again = reeve_dbus_call_new (self->services, g_object_ref (self->invocation), self->operation,
                               reeve_dbus_call_copy_params (self));
  again->method = self->method;
  json_object_set_int_member (again->params, "limit", limit / 2);
  reeve_dbus_call_identify (again, self->peers);
  return TRUE;
}

/* value: (transfer floating) */
static void
reeve_dbus_call_answer (ReeveDbusCall *self, GVariant *value)
{
  g_autoptr (GVariant) answer = g_variant_ref_sink (value);
  g_autoptr (GError) error = NULL;

  if (g_variant_get_size (answer) <= REEVE_DBUS_CALL_MAX_ANSWER)
    {
      g_dbus_method_invocation_return_value (g_object_ref (self->invocation), answer);
      return;
    }
  if (reeve_dbus_call_shorten (self))
    return;
  g_set_error (&error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
               "it is done, but its answer is larger than the %d bytes of a bus: ask for less at a "
               "time, or by HTTP",
               REEVE_DBUS_CALL_MAX_ANSWER);
  reeve_dbus_call_return_error (self->invocation, error, NULL);
}

static void
reeve_dbus_call_on_done (ReeveCall *call, gpointer user_data)
{
  ReeveDbusCall *self = user_data;
  const GError *error = reeve_call_get_error (call);

  if (error != NULL)
    {
      reeve_dbus_call_return_error (self->invocation, error, reeve_call_get_faults (call));
      return;
    }
  if (self->method != NULL)
    reeve_dbus_call_answer (self, reeve_dbus_call_print (self, call));
  else
    reeve_dbus_call_answer (self, g_variant_new ("(@s)", g_variant_new_take_string (
                                                             reeve_dbus_call_body (self, call))));
}

/* (transfer full): what a signal says; of what is too large for one where it can be had */
static char *
reeve_dbus_call_print_event (JsonNode *data)
{
  char *text = reeve_json_text (data);
  gsize size = strlen (text);
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (data) ? json_node_get_object (data) : NULL;
  const char *run_id = object != NULL ? reeve_json_get_string (object, "run_id", NULL) : NULL;
  gint64 sequence = object != NULL ? reeve_json_get_int (object, "sequence", 0) : 0;
  g_autoptr (JsonObject) told = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *place = NULL;

  if (size <= REEVE_DBUS_CALL_MAX_EVENT)
    return text;
  g_free (text);
  told = json_object_new ();
  json_object_set_boolean_member (told, "truncated", TRUE);
  json_object_set_int_member (told, "size", (gint64) size);
  if (run_id != NULL)
    {
      place = g_strdup_printf ("/api/v1/runs/%s/events?after=%" G_GINT64_FORMAT, run_id,
                               sequence - 1);
      json_object_set_string_member (told, "run_id", run_id);
      json_object_set_int_member (told, "sequence", sequence);
      json_object_set_string_member (told, "events", place);
    }
  node = json_node_init_object (json_node_alloc (), told);
  return reeve_json_text (node);
}

static void
reeve_dbus_call_on_event (ReeveCall *call, const char *event, JsonNode *data, GBytes *raw,
                          gpointer user_data)
{
  ReeveDbusCall *self = user_data;
  GDBusConnection *connection = g_dbus_method_invocation_get_connection (self->invocation);
  const char *sender = g_dbus_method_invocation_get_sender (self->invocation);
  g_autofree char *text = NULL;

  if (data == NULL)
    return;
  g_clear_pointer (&self->last, json_node_unref);
  self->last = json_node_ref (data);
  text = reeve_dbus_call_print_event (data);
  g_dbus_connection_emit_signal (connection, sender, REEVE_DBUS_DOOR_PATH, "io.reeve.Host1",
                                 "Event", g_variant_new ("(ss)", event, text), NULL);
}

/* ---- the way in ---- */

static gboolean
reeve_dbus_call_has_parameter (const ReeveOperation *operation, const char *name)
{
  for (guint i = 0; operation->parameters[i].name != NULL; i++)
    {
      if (g_strcmp0 (operation->parameters[i].name, name) == 0)
        return TRUE;
    }
  return FALSE;
}

/* tenant_id names the tenant to act in, as X-Tenant-ID does, except where the operation is about a
 * tenant. */
static void
reeve_dbus_call_take_tenant (ReeveDbusCall *self, ReeveCall *call)
{
  const char *tenant_id = reeve_json_get_string (self->params, "tenant_id", NULL);

  if (tenant_id == NULL || reeve_dbus_call_has_parameter (self->operation, "tenant_id"))
    return;
  reeve_call_set_tenant_header (call, tenant_id);
  self->tenant_id = g_strdup (tenant_id);
  json_object_remove_member (self->params, "tenant_id");
}

/* A compatible operation reads its body as it came: here that is the canonical form. */
static void
reeve_dbus_call_give (ReeveDbusCall *self, ReeveCall *call)
{
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GBytes) body = NULL;
  char *text = NULL;

  if ((self->operation->flags & REEVE_OPERATION_COMPATIBLE) == 0 || !self->operation->takes_body)
    {
      reeve_call_set_params (call, self->params);
      return;
    }
  node = json_node_init_object (json_node_alloc (), self->params);
  text = reeve_json_canonical (node);
  body = g_bytes_new_take (text, strlen (text));
  reeve_call_set_body (call, "application/json", body);
}

static void
reeve_dbus_call_dispatch (ReeveDbusCall *self, ReeveCaller *caller, const char *token)
{
  g_autoptr (ReeveCall) call
      = reeve_call_new (self->operation, g_main_context_get_thread_default (), "dbus");

  if (caller != NULL)
    reeve_call_set_caller (call, caller);
  else if (token == NULL)
    reeve_call_set_credentials (call, NULL, NULL, NULL);
  else if (reeve_call_skip_scheme (token, "Basic") != NULL)
    reeve_call_set_credentials (call, "basic", reeve_call_skip_scheme (token, "Basic"), NULL);
  else
    reeve_call_set_credentials (call, "bearer", token, NULL);
  reeve_dbus_call_take_tenant (self, call);
  reeve_call_set_instance (call, self->operation->path);
  if (self->refused != NULL)
    {
      reeve_call_set_params (call, self->params);
      reeve_call_set_body (call, NULL, self->text);
    }
  else
    reeve_dbus_call_give (self, call);
  reeve_call_set_done (call, reeve_dbus_call_on_done, reeve_dbus_call_on_event, self,
                       reeve_dbus_call_free);
  if (self->refused != NULL)
    reeve_gate_refuse_call (self->services, call, g_steal_pointer (&self->refused));
  else
    reeve_gate_dispatch (self->services, call);
}

static void
reeve_dbus_call_on_peer (ReeveCaller *caller, const char *token, const GError *error,
                         gpointer user_data)
{
  ReeveDbusCall *self = user_data;

  /* what is wrong with the call is said first */
  if (error != NULL && self->refused == NULL)
    self->refused = g_error_copy (error);
  reeve_dbus_call_dispatch (self, caller, token);
}

static void
reeve_dbus_call_identify (ReeveDbusCall *self, ReeveDbusPeers *peers)
{
  self->peers = peers;
  reeve_dbus_peers_identify (peers, g_dbus_method_invocation_get_sender (self->invocation),
                             "io.reeve.Host.manage", reeve_dbus_call_on_peer, self);
}

/**
 * reeve_dbus_call_start:
 * @services: what operations work with
 * @peers: who is who
 * @invocation: (transfer full): the call
 * @operation: what it asks for
 * @params: (transfer full) (nullable): all members in one object
 * @method: (nullable): the typed method whose results are to be given; %NULL: the result as JSON
 *
 * Takes a call through the gate and answers it.
 */
void
reeve_dbus_call_start (ReeveServices *services, ReeveDbusPeers *peers,
                       GDBusMethodInvocation *invocation, const ReeveOperation *operation,
                       JsonObject *params, const ReeveDbusMethod *method)
{
  ReeveDbusCall *self = reeve_dbus_call_new (services, invocation, operation, params);

  self->method = method;
  reeve_dbus_call_identify (self, peers);
}

/**
 * reeve_dbus_call_refuse:
 * @services: what operations work with
 * @peers: who is who
 * @invocation: (transfer full): the call
 * @operation: what it asks for, or &reeve_gate_refuse_unknown
 * @params: (transfer full) (nullable): members that are known
 * @text: (nullable): arguments that make no members, as they came
 * @error: (transfer full): why it is refused
 *
 * Answers with @error, of which there is a record.
 */
void
reeve_dbus_call_refuse (ReeveServices *services, ReeveDbusPeers *peers,
                        GDBusMethodInvocation *invocation, const ReeveOperation *operation,
                        JsonObject *params, const char *text, GError *error)
{
  ReeveDbusCall *self = reeve_dbus_call_new (services, invocation, operation, params);

  self->refused = error;
  self->text = text != NULL ? g_bytes_new (text, strlen (text)) : NULL;
  reeve_dbus_call_identify (self, peers);
}
