/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* However a call ends, its record comes first: an effect is settled, a read is recorded before its
 * answer goes out, a refusal leaves a record too. What needs a context runs in the door's. */
#include "gate-pass.h"

#include "call-trace.h"
#include "gate-params.h"
#include "gate-report.h"
#include "gate-state.h"
#include "schema-cache.h"

#include "base/digests.h"
#include "base/ids.h"

#include <string.h>

/* member of a kept answer that is an error */
#define REEVE_GATE_PASS_ERROR "reeve_error"
/* of a number of a record; shorter than a number of a telephone with its country */
#define REEVE_GATE_PASS_DIGITS 9

ReeveGatePass *
reeve_gate_pass_new (ReeveServices *services, ReeveCall *call)
{
  ReeveGatePass *self = g_new0 (ReeveGatePass, 1);

  self->services = services;
  self->call = reeve_call_ref (call);
  return self;
}

void
reeve_gate_pass_free (ReeveGatePass *self)
{
  if (self->claim != NULL)
    reeve_idempotency_release (self->services->idempotency, self->claim);
  reeve_call_unref (self->call);
  g_clear_pointer (&self->kept, json_node_unref);
  g_clear_pointer (&self->body, json_node_unref);
  g_clear_error (&self->refused);
  g_free (self->resource_id);
  g_free (self->output);
  g_clear_pointer (&self->told, g_ptr_array_unref);
  g_free (self->workspace_id);
  g_free (self);
}

void
reeve_gate_pass_take_claim (ReeveGatePass *self, GAsyncResult *result, GError **error)
{
  self->claim = reeve_idempotency_claim_finish (self->services->idempotency, result,
                                                &self->kept_status, &self->kept, error);
  if (self->claim != NULL)
    self->call->run_id = g_strdup (reeve_idempotency_get_run_id (self->claim));
}

static gboolean
reeve_gate_pass_is_in_body (const ReeveOperation *operation, const char *name)
{
  for (const ReeveParameter *p = operation->parameters; p->name != NULL; p++)
    if (strcmp (p->name, name) == 0)
      return p->place == REEVE_PARAMETER_BODY;
  return FALSE;
}

/* (nullable): an id among the parameters. A call that is refused before its body was looked at has
 * none of the body, also at a door that gives all members together: the records are the same. */
static const char *
reeve_gate_pass_member (ReeveGatePass *self, const char *name)
{
  JsonObject *object = self->call->params != NULL ? self->call->params : self->call->given;

  if (name == NULL
      || (self->call->params == NULL && reeve_gate_pass_is_in_body (self->call->operation, name)))
    return NULL;
  return reeve_ids_get_plain (reeve_json_get_string (object, name, NULL));
}

static gboolean
reeve_gate_pass_is_identifier (ReeveGatePass *self, const char *name)
{
  for (const ReeveIdentifier *i = self->call->operation->identifiers; i->parameter != NULL; i++)
    if (strcmp (i->parameter, name) == 0)
      return TRUE;
  return FALSE;
}

/* Things that have names: is this one of them, at this host? */
static gboolean
reeve_gate_pass_is_named (ReeveGatePass *self, const char *name, const char *id)
{
  ReeveServices *services = self->services;
  g_autoptr (ReeveRegistryEntry) plugin = NULL;

  if (strcmp (name, "plugin_id") == 0)
    plugin = reeve_registry_get (services->registry, id);
  return plugin != NULL
         || (strcmp (name, "role_id") == 0 && reeve_role_book_is_fixed (services->role_book, id))
         || (strcmp (name, "store") == 0
             && (strcmp (id, REEVE_SCOPE_PLATFORM) == 0
                 || reeve_store_has_scope (services->store, id)));
}

/* A number of a record. */
static gboolean
reeve_gate_pass_is_number (const char *name, const char *id)
{
  return strcmp (name, "seq") == 0 && strlen (id) <= REEVE_GATE_PASS_DIGITS
         && strspn (id, G_CSET_DIGITS) == strlen (id);
}

/* May what a caller wrote stand in a record? Anything may be a person's name or address, but what
 * the host made, looked up and found, or is told by who may name things. */
static gboolean
reeve_gate_pass_may_stand (ReeveGatePass *self, const char *name, const char *id)
{
  const ReeveOperation *operation = self->call->operation;

  if (reeve_ids_is_made (id) || (self->found && reeve_gate_pass_is_identifier (self, name))
      || reeve_gate_pass_is_number (name, id))
    return TRUE;
  if (self->call->params == NULL)
    return FALSE;
  /* who makes a tenant names it */
  return strcmp (operation->name, "tenants.create") == 0
         || reeve_gate_pass_is_named (self, name, id);
}

/* (transfer none): strings that live as long as the pass */
static GPtrArray *
reeve_gate_pass_get_told (ReeveGatePass *self)
{
  if (self->told == NULL)
    self->told = g_ptr_array_new_with_free_func (g_free);
  return self->told;
}

/* (transfer none): @told, which is taken and lives as long as the pass */
static const char *
reeve_gate_pass_hold (ReeveGatePass *self, char *told)
{
  g_ptr_array_add (reeve_gate_pass_get_told (self), told);
  return told;
}

/* (nullable) (transfer none): what stands in records for a parameter */
static const char *
reeve_gate_pass_tell (ReeveGatePass *self, const char *name, const char *id)
{
  if (id == NULL || reeve_gate_pass_may_stand (self, name, id))
    return id;
  return reeve_gate_pass_hold (self, reeve_admission_name_told (self->services->admission, id));
}

static const char *
reeve_gate_pass_tell_member (ReeveGatePass *self, const char *name)
{
  return reeve_gate_pass_tell (self, name, reeve_gate_pass_member (self, name));
}

/* (transfer full) (nullable): an id that is a number, from a door that knows types */
static char *
reeve_gate_pass_number (ReeveGatePass *self, const char *name)
{
  JsonObject *object = self->call->params != NULL ? self->call->params : self->call->given;
  gint64 number = reeve_json_get_int (object, name, 0);

  return number != 0 ? g_strdup_printf ("%" G_GINT64_FORMAT, number) : NULL;
}

/* (nullable) where it is done: where the thing lies, or is to lie */
static const char *
reeve_gate_pass_find_workspace (ReeveGatePass *self)
{
  const char *bound
      = self->call->caller != NULL ? reeve_caller_get_workspace_id (self->call->caller) : NULL;
  const char *id = NULL;

  if (self->workspace_id != NULL || (self->call->operation->flags & REEVE_OPERATION_MAKES) == 0
      || self->call->params == NULL)
    return self->workspace_id;
  id = reeve_json_get_string (self->call->params, "workspace_id", bound);
  return reeve_gate_pass_tell (self, "workspace_id", reeve_ids_get_plain (id));
}

/* Is there more to what is read than what the path names? */
static gboolean
reeve_gate_pass_asks (ReeveGatePass *self)
{
  for (const ReeveParameter *p = self->call->operation->parameters; p->name != NULL; p++)
    if (p->place != REEVE_PARAMETER_PATH && json_object_has_member (self->call->params, p->name))
      return TRUE;
  return FALSE;
}

/* (nullable) (transfer none): what the ledger keeps of it, if it keeps anything of bodies */
static JsonNode *
reeve_gate_pass_get_body (ReeveGatePass *self)
{
  if (self->body == NULL && self->call->params != NULL
      && (self->call->operation->klass == REEVE_CLASS_EFFECT
          || (self->call->operation->klass == REEVE_CLASS_READ && reeve_gate_pass_asks (self)))
      && reeve_admission_keeps_bodies (self->services->admission))
    self->body = reeve_gate_params_make_body (self->call);
  return self->body;
}

void
reeve_gate_pass_describe (ReeveGatePass *self, ReeveAdmissionRequest *request)
{
  const ReeveOperation *operation = self->call->operation;
  const char *resource = operation->resource_parameter;
  const char *id = reeve_gate_pass_member (self, resource);

  if (id == NULL && resource != NULL && self->resource_id == NULL)
    self->resource_id = reeve_gate_pass_number (self, resource);
  *request = (ReeveAdmissionRequest){
    .caller = self->call->caller,
    .operation = operation->action,
    .permission = operation->permission,
    .resource_type = operation->resource_type,
    .resource_id = id != NULL ? id : self->resource_id,
    .resource_told = id != NULL ? reeve_gate_pass_tell (self, resource, id) : NULL,
    .workspace_id = reeve_gate_pass_find_workspace (self),
    .narrowed = (operation->flags & REEVE_OPERATION_NARROWS) != 0,
    .agent_id = reeve_gate_pass_tell_member (self, "agent_id"),
    .run_id = reeve_gate_pass_tell_member (self, "run_id"),
    .input_digest = self->call->digest,
    .output_digest = self->output,
    .reason = self->repeated ? "repeated" : NULL,
    .body = reeve_gate_pass_get_body (self),
    .secret = reeve_gate_params_has_secrets (operation),
    .trace_id = self->call->trace.trace_id,
    .trace = reeve_call_trace_get_onward (self->call),
    .door = self->call->door,
    .peer_address = self->call->peer_address,
  };
  if (self->call->params != NULL && g_str_equal (operation->name, REEVE_USAGE_ACTION_REPORT))
    reeve_gate_report_describe (self->services->admission, self->call->params,
                                reeve_gate_pass_get_told (self), request);
}

/**
 * reeve_gate_pass_begin_sent:
 * @self: a call whose answer is made while it is sent
 * @read: number of its record
 *
 * Returns: (transfer full): is told what is sent
 */
ReeveAdmissionSent *
reeve_gate_pass_begin_sent (ReeveGatePass *self, guint64 read)
{
  ReeveAdmissionRequest request = { 0 };

  reeve_gate_pass_describe (self, &request);
  return reeve_admission_begin_sent (self->services->admission, &request, read);
}

/* Nothing of this waits any more. */
static void
reeve_gate_pass_deliver (ReeveGatePass *self)
{
  reeve_call_deliver (self->call);
  reeve_gate_pass_free (self);
}

static void
reeve_gate_pass_on_kept (GObject *source, GAsyncResult *result, gpointer data)
{
  ReeveGatePass *self = data;
  g_auto (ReeveLogScope) scope = reeve_log_scope (self->call->log);
  g_autoptr (GError) error = NULL;

  /* the effect has happened: its answer goes out even when it could not be kept */
  if (!reeve_idempotency_store_finish (self->services->idempotency, result, &error))
    g_warning ("keeping the answer of %s: %s", self->call->operation->name, error->message);
  reeve_gate_pass_deliver (self);
}

static JsonNode *
reeve_gate_pass_error_node (const GError *error)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *outer = json_object_new ();
  JsonObject *inner = json_object_new ();

  json_object_set_int_member (inner, "code",
                              error->domain == REEVE_ERROR ? error->code : REEVE_ERROR_FAILED);
  json_object_set_string_member (inner, "message", error->message);
  json_object_set_object_member (outer, REEVE_GATE_PASS_ERROR, inner);
  json_node_take_object (node, outer);
  return node;
}

/* What passes by itself: nothing was done, or a run goes on. It is no answer for the next one who
 * asks. Of other effects nobody knows what was done when something was unavailable. */
static gboolean
reeve_gate_pass_is_transient (const ReeveGatePass *self, const GError *error)
{
  return g_error_matches (error, REEVE_ERROR, REEVE_ERROR_RATE_LIMITED)
         || g_error_matches (error, REEVE_ERROR, REEVE_ERROR_BUSY)
         || (g_error_matches (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE)
             && reeve_idempotency_get_run_id (self->claim) != NULL);
}

/* The key of a run that a stop cut short leads to it; any other is free again. */
static void
reeve_gate_pass_let_go (ReeveGatePass *self)
{
  ReeveIdempotencyClaim *claim = g_steal_pointer (&self->claim);

  if (reeve_idempotency_get_run_id (claim) != NULL
      && !g_error_matches (self->call->error, REEVE_ERROR, REEVE_ERROR_RATE_LIMITED))
    reeve_idempotency_leave (self->services->idempotency, claim);
  else
    reeve_idempotency_release (self->services->idempotency, claim);
}

static gboolean
reeve_gate_pass_keep (gpointer data)
{
  ReeveGatePass *self = data;
  g_auto (ReeveLogScope) scope = reeve_log_scope (self->call->log);
  ReeveCall *call = self->call;
  g_autoptr (JsonNode) node = NULL;

  if (call->error != NULL)
    node = reeve_gate_pass_error_node (call->error);
  else if (call->result != NULL)
    node = json_node_ref (call->result);
  reeve_idempotency_store (self->services->idempotency, g_steal_pointer (&self->claim),
                           call->error != NULL ? 500 : call->status, node, reeve_gate_pass_on_kept,
                           self);
  g_clear_pointer (&node, json_node_unref);
  return G_SOURCE_REMOVE;
}

static void
reeve_gate_pass_on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  ReeveGatePass *self = data;
  g_auto (ReeveLogScope) scope = reeve_log_scope (self->call->log);
  GError *error = NULL;
  guint64 read = reeve_admission_read_finish (self->services->admission, result, &error);

  if (read == 0)
    reeve_call_replace_error (self->call, error);
  else if (self->call->source != NULL)
    reeve_call_source_take_sent (self->call->source, reeve_gate_pass_begin_sent (self, read));
  reeve_gate_pass_deliver (self);
}

static gboolean
reeve_gate_pass_record_read (gpointer data)
{
  ReeveGatePass *self = data;
  g_auto (ReeveLogScope) scope = reeve_log_scope (self->call->log);
  ReeveAdmissionRequest request = { 0 };

  reeve_gate_pass_describe (self, &request);
  reeve_admission_read_async (self->services->admission, &request, reeve_gate_pass_on_read, self);
  return G_SOURCE_REMOVE;
}

/* Runs @func in the door's context; at once when this is its thread. */
static void
reeve_gate_pass_in_context (ReeveGatePass *self, GSourceFunc func)
{
  g_autoptr (GSource) source = NULL;
  GMainContext *context
      = self->call->context != NULL ? self->call->context : g_main_context_default ();

  if (g_main_context_is_owner (context))
    {
      func (self);
      return;
    }
  source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, func, self, NULL);
  g_source_attach (source, context);
}

/* (nullable): what the operation made, as its result names it: `agent_id` of an agent, `report_id`
 * of a cost report. */
static const char *
reeve_gate_pass_get_made (ReeveGatePass *self)
{
  const char *type = self->call->operation->resource_type;
  JsonNode *result = self->call->result;
  JsonObject *made
      = result != NULL && JSON_NODE_HOLDS_OBJECT (result) ? json_node_get_object (result) : NULL;
  const char *id = NULL;

  for (; made != NULL && type != NULL && id == NULL; type = strchr (type, '_'))
    {
      g_autofree char *member = NULL;

      type += *type == '_' ? 1 : 0;
      member = g_strconcat (type, "_id", NULL);
      id = reeve_json_get_string (made, member, NULL);
    }
  return id != NULL && *id != '\0' ? id : NULL;
}

/* (transfer full) (nullable): of what came out, where a record is to say it */
static char *
reeve_gate_pass_digest_result (ReeveGatePass *self)
{
  ReeveCall *call = self->call;
  g_autofree char *canonical = NULL;
  gsize length = 0;
  gconstpointer bytes = call->bytes != NULL ? g_bytes_get_data (call->bytes, &length) : NULL;

  if (call->recorded || call->source != NULL
      || (call->admitted == NULL && !self->repeated && call->operation->klass != REEVE_CLASS_READ))
    return NULL;
  if (call->result == NULL)
    return reeve_digests_sha256_hex (bytes != NULL ? bytes : "", length);
  canonical = reeve_json_canonical (call->result);
  return reeve_digests_sha256_hex (canonical, canonical != NULL ? strlen (canonical) : 0);
}

static void
reeve_gate_pass_settle (ReeveGatePass *self)
{
  ReeveCall *call = self->call;
  const GError *error = call->error;
  g_autoptr (JsonNode) state = error == NULL ? reeve_gate_state_read (self) : NULL;
  ReeveSettlement settlement = {
    .outcome = call->outcome,
    .reason = call->reason,
    .output_digest = self->output,
    .error = error,
    .state = state,
    .body = error == NULL ? call->result : NULL,
    .resource_id = error == NULL ? reeve_gate_pass_get_made (self) : NULL,
    .input_tokens = call->input_tokens,
    .output_tokens = call->output_tokens,
  };

  if (settlement.outcome == REEVE_OUTCOME_NONE)
    settlement.outcome = error == NULL ? REEVE_OUTCOME_SUCCEEDED
                         : g_error_matches (error, REEVE_ERROR, REEVE_ERROR_UNKNOWN_OUTCOME)
                             ? REEVE_OUTCOME_UNKNOWN
                             : REEVE_OUTCOME_FAILED;
  if (settlement.reason == NULL && error != NULL)
    settlement.reason = reeve_error_get_name (
        error->domain == REEVE_ERROR ? (ReeveError) error->code : REEVE_ERROR_FAILED);
  reeve_admission_settle_async (self->services->admission, g_steal_pointer (&call->admitted),
                                &settlement, NULL, NULL);
}

/* Of a probe only that somebody was not let in: else keys could be tried out there unseen. */
static gboolean
reeve_gate_pass_is_refusal (ReeveGatePass *self)
{
  return self->call->admitted == NULL && self->call->error != NULL && !self->call->recorded
         && (self->call->operation->klass != REEVE_CLASS_PROBE
             || (self->call->operation->permission != NULL && self->call->params == NULL));
}

/* Who tries what he may not leaves behind what he tried. Much of it is a worker's to look at, and
 * nobody's when a stranger sends it. */
static gboolean
reeve_gate_pass_is_long (ReeveGatePass *self)
{
  gsize size = self->call->body != NULL ? g_bytes_get_size (self->call->body) : 0;

  for (guint i = 0; self->call->parts != NULL && i < self->call->parts->len; i++)
    size += g_bytes_get_size (((ReeveCallPart *) self->call->parts->pdata[i])->bytes);
  return self->call->digest == NULL && size > REEVE_GATE_PASS_INLINE_BODY;
}

static void
reeve_gate_pass_refuse (ReeveGatePass *self, gboolean digest)
{
  ReeveAdmissionRequest request = { 0 };

  if (digest && self->call->digest == NULL)
    self->call->digest = reeve_gate_params_digest_told (self->call);
  reeve_gate_pass_describe (self, &request);
  reeve_admission_refuse (self->services->admission, &request, self->call->error);
}

/* A result that does not fit its schema is our fault, and shows in the log; the answer goes out. */
static void
reeve_gate_pass_check_result (ReeveGatePass *self)
{
  const ReeveOperation *operation = self->call->operation;
  g_autoptr (GPtrArray) faults = NULL;
  g_autoptr (GError) error = NULL;
  const ReeveSchemaFault *fault = NULL;

  if (operation->result == NULL || self->call->result == NULL
      || (operation->flags & REEVE_OPERATION_COMPATIBLE) != 0)
    return;
  if (reeve_schema_validate (reeve_schema_cache_get (self->services->schemas, operation->result),
                             self->call->result, &faults, &error))
    return;
  fault = faults != NULL && faults->len > 0 ? faults->pdata[0] : NULL;
  g_warning ("the result of %s does not fit its schema: %s: %s", operation->name,
             fault != NULL ? fault->pointer : "", fault != NULL ? fault->message : error->message);
}

/* What is to be done before the answer goes out. */
static void
reeve_gate_pass_close (ReeveGatePass *self)
{
  ReeveCall *call = self->call;
  gboolean begun
      = self->admitted && (call->admitted == NULL || reeve_admitted_is_consumed (call->admitted));

  if (call->admitted != NULL)
    reeve_gate_pass_settle (self);
  if (self->claim != NULL && begun && reeve_gate_pass_is_transient (self, call->error))
    reeve_gate_pass_let_go (self);
  /* refused before any effect: the key is free again */
  if (self->claim != NULL && (call->error == NULL || begun))
    reeve_gate_pass_in_context (self, reeve_gate_pass_keep);
  else if (call->error == NULL && !call->recorded
           && (call->operation->klass == REEVE_CLASS_READ || self->repeated))
    reeve_gate_pass_in_context (self, reeve_gate_pass_record_read);
  else
    reeve_gate_pass_deliver (self);
}

/* On a worker. */
static void
reeve_gate_pass_refuse_long (gpointer data)
{
  ReeveGatePass *self = data;
  g_auto (ReeveLogScope) scope = reeve_log_scope (self->call->log);

  reeve_gate_pass_refuse (self, TRUE);
  reeve_gate_pass_close (self);
}

/**
 * reeve_gate_pass_end:
 * @call: a call that was answered
 * @data: its pass, freed in the end
 *
 * Any thread.
 */
void
reeve_gate_pass_end (ReeveCall *call, gpointer data)
{
  ReeveGatePass *self = data;
  g_auto (ReeveLogScope) scope = reeve_log_scope (self->call->log);
  gboolean is_long = FALSE;

  if (call->sent != NULL)
    reeve_admission_sent_end (g_steal_pointer (&call->sent), call->error);
  if (call->error == NULL)
    {
      reeve_gate_pass_check_result (self);
      self->output = reeve_gate_pass_digest_result (self);
    }
  else if (reeve_gate_pass_is_refusal (self))
    {
      is_long = reeve_gate_pass_is_long (self);
      if (is_long && call->caller != NULL
          && reeve_workers_push (self->services->workers, reeve_gate_pass_refuse_long, self, NULL))
        return;
      reeve_gate_pass_refuse (self, !is_long);
    }
  reeve_gate_pass_close (self);
}
