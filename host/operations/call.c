/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A call is filled in by its door on one thread, read by one operation, and answered from whatever
 * thread the answer is ready on; only the answer is guarded by a lock. */
#include "call-private.h"

#include "base/ids.h"
#include "call-trace.h"

#include <string.h>

void
reeve_call_part_free (ReeveCallPart *part)
{
  g_free (part->name);
  g_free (part->file_name);
  g_free (part->media_type);
  g_clear_pointer (&part->bytes, g_bytes_unref);
  g_free (part);
}

static void
reeve_call_on_item (const ReeveCallItem *item, gpointer user_data)
{
  ReeveCall *self = user_data;
  ReeveLogContext *before = reeve_log_resume (self->log);

  if (item->end)
    {
      if (self->done != NULL)
        self->done (self, self->user_data);
      reeve_call_trace_end (self);
    }
  else if (self->event != NULL)
    self->event (self, item->event, item->data, item->raw, self->user_data);
  reeve_log_leave (before);
}

static void
reeve_call_release (gpointer data)
{
  reeve_call_unref (data);
}

/**
 * reeve_call_new:
 * @operation: row of the table
 * @context: (nullable): where the door is told of the answer
 * @door: rest, dbus, …
 *
 * Returns: (transfer full): a call with nothing in it but ids of its own
 */
ReeveCall *
reeve_call_new (const ReeveOperation *operation, GMainContext *context, const char *door)
{
  ReeveCall *self = g_new0 (ReeveCall, 1);

  g_atomic_ref_count_init (&self->references);
  g_mutex_init (&self->lock);
  self->operation = operation;
  self->context = context != NULL ? g_main_context_ref (context) : NULL;
  self->door = g_strdup (door);
  self->given = json_object_new ();
  self->cancellable = g_cancellable_new ();
  self->request_id = reeve_ids_new ("req");
  self->queue = reeve_call_queue_new (context, reeve_call_on_item, reeve_call_release, self);
  self->outcome = REEVE_OUTCOME_NONE;
  reeve_trace_make (&self->trace);
  return self;
}

ReeveCall *
reeve_call_ref (ReeveCall *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

static void
reeve_call_free (ReeveCall *self)
{
  if (self->destroy != NULL)
    self->destroy (self->user_data);
  reeve_call_queue_free (self->queue);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_free (self->door);
  g_free (self->scheme);
  g_free (self->token);
  g_free (self->peer_address);
  g_free (self->accept);
  g_free (self->tenant_header);
  g_free (self->run_id);
  g_free (self->acts_for);
  g_free (self->idempotency_key);
  g_free (self->instance);
  g_free (self->request_id);
  g_free (self->repeated);
  g_free (self->garbled);
  reeve_call_trace_clear (self);
  g_free (self->workspace_id);
  g_free (self->digest);
  g_free (self->media_type);
  g_clear_pointer (&self->source, reeve_call_source_unref);
  g_free (self->bytes_type);
  g_free (self->reason);
  g_clear_pointer (&self->given, json_object_unref);
  g_clear_pointer (&self->params, json_object_unref);
  g_clear_pointer (&self->body, g_bytes_unref);
  g_clear_pointer (&self->parts, g_ptr_array_unref);
  g_clear_pointer (&self->caller, reeve_caller_unref);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->result, json_node_unref);
  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_clear_pointer (&self->faults, json_array_unref);
  g_clear_error (&self->error);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
reeve_call_unref (ReeveCall *self)
{
  if (g_atomic_ref_count_dec (&self->references))
    reeve_call_free (self);
}

/* ---- the operation reads ---- */

const ReeveOperation *
reeve_call_get_operation (ReeveCall *self)
{
  return self->operation;
}

ReeveCaller *
reeve_call_get_caller (ReeveCall *self)
{
  return self->caller;
}

const char *
reeve_call_get_tenant_id (ReeveCall *self)
{
  return self->caller != NULL ? reeve_caller_get_tenant_id (self->caller) : NULL;
}

JsonObject *
reeve_call_get_params (ReeveCall *self)
{
  return self->params;
}

const char *
reeve_call_get_string (ReeveCall *self, const char *member)
{
  return reeve_json_get_string (self->params, member, NULL);
}

gint64
reeve_call_get_int (ReeveCall *self, const char *member, gint64 fallback)
{
  return reeve_json_get_int (self->params, member, fallback);
}

gboolean
reeve_call_get_boolean (ReeveCall *self, const char *member)
{
  return reeve_json_get_boolean (self->params, member, FALSE);
}

const char *
reeve_call_get_accept (ReeveCall *self)
{
  return self->accept;
}

GBytes *
reeve_call_get_body (ReeveCall *self)
{
  return self->body;
}

/**
 * reeve_call_get_part:
 * @self: a call
 * @name: of the form field
 *
 * Returns: (transfer none) (nullable): the first part of that name
 */
const ReeveCallPart *
reeve_call_get_part (ReeveCall *self, const char *name)
{
  for (guint i = 0; self->parts != NULL && i < self->parts->len; i++)
    {
      const ReeveCallPart *part = self->parts->pdata[i];

      if (g_strcmp0 (part->name, name) == 0)
        return part;
    }
  return NULL;
}

ReeveAdmitted *
reeve_call_get_admitted (ReeveCall *self)
{
  return self->admitted;
}

/* Whoever takes it settles it, also when the call fails: the gate has nothing to add. */
ReeveAdmitted *
reeve_call_steal_admitted (ReeveCall *self)
{
  self->recorded = TRUE;
  return g_steal_pointer (&self->admitted);
}

const char *
reeve_call_get_digest (ReeveCall *self)
{
  return self->digest;
}

void
reeve_call_set_recorded (ReeveCall *self)
{
  self->recorded = TRUE;
}

const char *
reeve_call_get_request_id (ReeveCall *self)
{
  return self->request_id;
}

const char *
reeve_call_get_trace_id (ReeveCall *self)
{
  return self->trace.trace_id;
}

const char *
reeve_call_get_door (ReeveCall *self)
{
  return self->door;
}

const char *
reeve_call_get_instance (ReeveCall *self)
{
  return self->instance;
}

GMainContext *
reeve_call_get_context (ReeveCall *self)
{
  return self->context;
}

ReeveLogContext *
reeve_call_get_log (ReeveCall *self)
{
  return self->log;
}

GCancellable *
reeve_call_get_cancellable (ReeveCall *self)
{
  return self->cancellable;
}

/* ---- the operation answers ---- */

static void
reeve_call_push (ReeveCall *self, const char *event, JsonNode *data, GBytes *raw, gboolean end)
{
  ReeveCallItem *item = g_new0 (ReeveCallItem, 1);

  item->event = g_strdup (event);
  item->data = data;
  item->raw = raw;
  item->end = end;
  reeve_call_queue_push (reeve_call_ref (self)->queue, item);
}

static gboolean
reeve_call_begin_stream (ReeveCall *self)
{
  gboolean open = FALSE;

  g_mutex_lock (&self->lock);
  open = !self->ended;
  self->stream = TRUE;
  g_mutex_unlock (&self->lock);
  return open;
}

/* What the record of the stream is to say. */
static void
reeve_call_note_sent (ReeveCall *self, JsonNode *data)
{
  g_autofree char *canonical = self->sent != NULL ? reeve_json_canonical (data) : NULL;

  if (canonical == NULL)
    return;
  reeve_admission_sent_add (self->sent, canonical, strlen (canonical));
  reeve_admission_sent_add (self->sent, "\n", 1);
}

/**
 * reeve_call_emit:
 * @self: a call
 * @event: name
 * @data: (transfer full): its data
 *
 * Sends one event; the first makes the answer a stream. After the end it is dropped.
 */
void
reeve_call_emit (ReeveCall *self, const char *event, JsonNode *data)
{
  if (reeve_call_begin_stream (self))
    {
      reeve_call_note_sent (self, data);
      reeve_call_push (self, event, data, NULL, FALSE);
    }
  else
    json_node_unref (data);
}

/**
 * reeve_call_emit_raw:
 * @self: a call
 * @frame: (transfer none): bytes as they go out
 */
void
reeve_call_emit_raw (ReeveCall *self, GBytes *frame)
{
  if (reeve_call_begin_stream (self))
    reeve_call_push (self, NULL, NULL, g_bytes_ref (frame), FALSE);
}

/* Only the first answer counts. */
static gboolean
reeve_call_begin_end (ReeveCall *self)
{
  gboolean first = FALSE;

  g_mutex_lock (&self->lock);
  first = !self->ended;
  self->ended = TRUE;
  g_mutex_unlock (&self->lock);
  if (!first)
    g_critical ("%s answered twice", self->operation->name);
  return first;
}

static void
reeve_call_finish (ReeveCall *self)
{
  if (self->end != NULL)
    self->end (self, self->end_data);
  else
    reeve_call_deliver (self);
}

/**
 * reeve_call_complete:
 * @self: a call
 * @status: HTTP status, or 0 for the row's
 * @result: (transfer full) (nullable): the answer
 */
void
reeve_call_complete (ReeveCall *self, guint status, JsonNode *result)
{
  if (!reeve_call_begin_end (self))
    {
      g_clear_pointer (&result, json_node_unref);
      return;
    }
  self->status = status != 0 ? status : self->operation->success_status;
  self->result = result;
  reeve_call_finish (self);
}

/**
 * reeve_call_complete_bytes:
 * @self: a call
 * @status: HTTP status, or 0 for the row's
 * @media_type: of @bytes
 * @bytes: (transfer none): the answer as it goes out
 */
void
reeve_call_complete_bytes (ReeveCall *self, guint status, const char *media_type, GBytes *bytes)
{
  if (!reeve_call_begin_end (self))
    return;
  self->status = status != 0 ? status : self->operation->success_status;
  self->bytes = g_bytes_ref (bytes);
  self->bytes_type = g_strdup (media_type);
  reeve_call_finish (self);
}

/**
 * reeve_call_complete_source:
 * @self: a call
 * @source: (transfer full): gives the answer, piece by piece
 *
 * The door asks for the next piece when its client has taken the one before.
 */
void
reeve_call_complete_source (ReeveCall *self, ReeveCallSource *source)
{
  if (!reeve_call_begin_end (self))
    {
      reeve_call_source_unref (source);
      return;
    }
  self->status = self->operation->success_status;
  self->source = source;
  reeve_call_finish (self);
}

/**
 * reeve_call_complete_stream:
 * @self: a call
 *
 * Ends a stream, also one in which nothing happened.
 */
void
reeve_call_complete_stream (ReeveCall *self)
{
  reeve_call_begin_stream (self);
  reeve_call_complete (self, 0, NULL);
}

/* An error that knows which member is wrong is told like the faults that a schema finds. */
static void
reeve_call_note_fault (ReeveCall *self)
{
  const char *pointer = reeve_error_get_member (self->error);
  const char *message = self->error->message;
  JsonObject *fault = NULL;

  if (pointer == NULL || self->faults != NULL || self->error->code != REEVE_ERROR_INVALID_ARGUMENT)
    return;
  /* the text may begin with the path, for who sees it alone */
  if (*pointer == '/' && g_str_has_prefix (message, pointer + 1)
      && g_str_has_prefix (message + strlen (pointer) - 1, ": "))
    message += strlen (pointer) + 1;
  fault = json_object_new ();
  json_object_set_string_member (fault, "pointer", pointer);
  json_object_set_string_member (fault, "message", message);
  self->faults = json_array_new ();
  json_array_add_object_element (self->faults, fault);
  if (*pointer != '\0' && message == self->error->message)
    g_prefix_error (&self->error, "%s: ", pointer);
}

void
reeve_call_fail (ReeveCall *self, GError *error)
{
  if (!reeve_call_begin_end (self))
    {
      g_error_free (error);
      return;
    }
  self->error = error;
  reeve_call_note_fault (self);
  reeve_call_finish (self);
}

/**
 * reeve_call_answer:
 * @self: a call
 * @object: (transfer full) (nullable): the result
 * @error: (transfer full) (nullable): why there is none
 */
void
reeve_call_answer (ReeveCall *self, JsonObject *object, GError *error)
{
  JsonNode *node = NULL;

  if (object == NULL)
    {
      reeve_call_fail (self, error);
      return;
    }
  node = json_node_init_object (json_node_alloc (), object);
  json_object_unref (object);
  reeve_call_complete (self, 0, node);
}

void
reeve_call_add_tokens (ReeveCall *self, gint64 input, gint64 output)
{
  self->input_tokens += MAX (input, 0);
  self->output_tokens += MAX (output, 0);
}

void
reeve_call_set_outcome (ReeveCall *self, ReeveOutcome outcome, const char *reason)
{
  self->outcome = outcome;
  g_free (self->reason);
  self->reason = g_strdup (reason);
}

/* ---- the gate ---- */

void
reeve_call_set_end (ReeveCall *self, ReeveCallEnd end, gpointer user_data)
{
  self->end = end;
  self->end_data = user_data;
}

void
reeve_call_take_params (ReeveCall *self, JsonObject *params)
{
  g_clear_pointer (&self->params, json_object_unref);
  self->params = params;
}

void
reeve_call_take_admitted (ReeveCall *self, ReeveAdmitted *admitted)
{
  self->admitted = admitted;
}

void
reeve_call_take_faults (ReeveCall *self, JsonArray *faults)
{
  g_clear_pointer (&self->faults, json_array_unref);
  self->faults = faults;
}

void
reeve_call_replace_error (ReeveCall *self, GError *error)
{
  g_clear_error (&self->error);
  g_clear_pointer (&self->result, json_node_unref);
  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_clear_pointer (&self->source, reeve_call_source_unref);
  self->error = error;
}

void
reeve_call_deliver (ReeveCall *self)
{
  reeve_call_push (self, NULL, NULL, NULL, TRUE);
}
