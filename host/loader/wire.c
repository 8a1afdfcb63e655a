/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages are GDBus's; calls, replies, deadlines and ends are kept here. Its proxies and
 * objects would need a main loop for every call on this side, and forget a reply that comes late:
 * but a call counts as under way until the runner answers, whoever still waits for it. */
#include "wire-private.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "capability-level.h"
#include "wire/wire-context.h"
#include "wire/wire-error.h"
#include "wire/wire-method.h"
#include "wire/wire-value.h"

#include "wire-broker.h"

void
reeve_wire_close_end (int *end)
{
  if (*end >= 0)
    close (*end);
  *end = -1;
}

void
reeve_wire_under_way_free (gpointer data)
{
  ReeveWireUnderWay *call = data;

  g_clear_object (&call->context);
  g_clear_pointer (&call->reply, g_bytes_unref);
  g_clear_error (&call->error);
  g_cond_clear (&call->changed);
  g_clear_pointer (&call->buffer, reeve_wire_buffer_free);
  g_clear_pointer (&call->told, json_node_unref);
  g_free (call);
}

ReeveWire *
reeve_wire_ref (ReeveWire *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
reeve_wire_unref (ReeveWire *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  reeve_wire_close_end (&self->wake);
  reeve_wire_loans_free (self->loans);
  g_ptr_array_unref (self->types);
  g_array_unref (self->kinds);
  g_hash_table_unref (self->calls);
  g_clear_error (&self->ended);
  g_mutex_clear (&self->lock);
  reeve_wire_share_unref (self->share);
  reeve_wire_hub_unref (self->hub);
  reeve_host_time_unref (self->host_time);
  g_free (self->name);
  g_free (self);
}

/* ---- how it stands ---- */

gboolean
reeve_wire_has_ended (ReeveWire *self, GError **error)
{
  gboolean ended = FALSE;

  g_mutex_lock (&self->lock);
  ended = self->ended != NULL;
  if (ended && error != NULL)
    *error = g_error_copy (self->ended);
  g_mutex_unlock (&self->lock);
  return ended;
}

/* ---- calls ---- */

/* A number that nobody has now. Under the lock. */
static guint32
reeve_wire_number (ReeveWire *self)
{
  do
    self->last++;
  while (self->last == 0 || g_hash_table_contains (self->calls, GUINT_TO_POINTER (self->last)));
  return self->last;
}

/* More than a runner performs at once wait in it. What a plugin asked for must not: those that are
 * performed may be the ones that wait for it. Under the lock. */
static gboolean
reeve_wire_is_crowded (ReeveWire *self, const ReeveWireCall *call)
{
  return reeve_capability_level_get (call->context) > 0
         && g_hash_table_size (self->calls) >= self->max_performed;
}

static ReeveWireUnderWay *
reeve_wire_begin (ReeveWire *self, const ReeveWireCall *call, GError **error)
{
  ReeveWireUnderWay *one = g_new0 (ReeveWireUnderWay, 1);
  gint64 deadline = reeve_context_get_deadline (call->context);
  GError *problem = NULL;

  one->interface = call->interface;
  one->member = call->member;
  one->context = g_object_ref (call->context);
  one->deadline = deadline != 0 ? deadline : g_get_monotonic_time () + REEVE_WIRE_DEADLINE_US;
  one->keeps = call->told != NULL;
  g_cond_init (&one->changed);
  g_mutex_lock (&self->lock);
  if (self->ended != NULL)
    problem = g_error_copy (self->ended);
  else if (g_hash_table_size (self->calls) >= self->max_calls)
    problem = g_error_new (REEVE_ERROR, REEVE_ERROR_BUSY, "plugin %s: it has %u calls under way",
                           self->name, self->max_calls);
  else if (reeve_wire_is_crowded (self, call))
    problem = g_error_new (REEVE_ERROR, REEVE_ERROR_BUSY,
                           "plugin %s: it has %u calls under way, and this one is asked for by a "
                           "plugin, which waits for it",
                           self->name, self->max_performed);
  else
    {
      one->number = reeve_wire_number (self);
      g_hash_table_insert (self->calls, GUINT_TO_POINTER (one->number), one);
    }
  g_mutex_unlock (&self->lock);
  if (problem == NULL)
    return one;
  reeve_wire_under_way_free (one);
  g_propagate_error (error, problem);
  return NULL;
}

void
reeve_wire_drop_arguments (const ReeveWireCall *call)
{
  for (guint i = 0; i < G_N_ELEMENTS (call->arguments) && call->arguments[i] != NULL; i++)
    g_variant_unref (g_variant_ref_sink (call->arguments[i]));
}

/* (transfer full) (nullable): the message that @one goes with; takes @call's arguments */
static WireLetter *
reeve_wire_make_message (const ReeveWireCall *call, const ReeveWireUnderWay *one, GError **error)
{
  g_autoptr (WireLetter) message = NULL;
  g_autoptr (GByteArray) body = g_byte_array_sized_new (2048);
  g_autoptr (GString) signature = g_string_new ("ta{sv}");
  gboolean large = FALSE;

  wire_value_append_number64 (body, one->number);
  wire_context_append (body, call->context, one->deadline);
  for (guint i = 0; i < G_N_ELEMENTS (call->arguments) && call->arguments[i] != NULL; i++)
    {
      large = large || g_variant_get_size (call->arguments[i]) > WIRE_METHOD_MAX_BODY;
      g_string_append (signature, g_variant_get_type_string (call->arguments[i]));
      if (!large)
        wire_value_append (body, call->arguments[i]);
    }
  reeve_wire_drop_arguments (call);
  if (large || body->len > WIRE_METHOD_MAX_BODY)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                   "what %s is called with is too large for a message", call->member);
      return NULL;
    }
  message
      = wire_letter_new_call_of (call->path, call->interface, call->member, signature->str, body);
  message->head.serial = (guint32) one->number;
  return g_steal_pointer (&message);
}

gboolean
reeve_wire_send (ReeveWire *self, WireLetter *message, const int *fds, guint n_fds, GError **error)
{
  gboolean asks = message->head.type == G_DBUS_MESSAGE_TYPE_METHOD_CALL && !message->head.no_reply;
  ReeveWireParcel parcel = { .fds = fds, .n_fds = n_fds, .answers = message->head.reply_serial };
  g_autoptr (ReeveWirePassage) passage = NULL;
  g_autofree guint8 *data = NULL;

  g_mutex_lock (&self->lock);
  passage = self->passage != NULL ? reeve_wire_passage_ref (self->passage) : NULL;
  if (message->head.serial == 0)
    message->head.serial = reeve_wire_number (self);
  g_mutex_unlock (&self->lock);
  message->head.n_fds = n_fds;
  data = wire_letter_write (message, &parcel.length);
  parcel.data = data;
  parcel.asks = asks ? message->head.serial : 0;
  /* that it is closed whoever waits is told otherwise */
  return passage == NULL || reeve_wire_passage_send (passage, &parcel, error);
}

void
reeve_wire_tell (ReeveWire *self, const char *path, const char *interface, const char *member,
                 GVariant *body)
{
  g_autoptr (WireLetter) message = wire_letter_new_call (path, interface, member, body);
  g_autoptr (GError) error = NULL;

  message->head.no_reply = TRUE;
  if (!reeve_wire_send (self, message, NULL, 0, &error))
    g_warning ("plugin %s: it is not told %s: %s", self->name, member, error->message);
}

/* The runner is told, and has until some time behind the deadline. From here @one may be gone. */
static void
reeve_wire_leave (ReeveWire *self, guint64 number, gint64 deadline, gboolean cancelled,
                  const char *member, GError **error)
{
  reeve_wire_tell (self, WIRE_METHOD_PATH, WIRE_METHOD_PREFIX "Runner", "Cancel",
                   g_variant_new ("(t)", number));
  g_mutex_lock (&self->lock);
  if (self->passage != NULL)
    reeve_wire_passage_set_alarm (self->passage, deadline + REEVE_WIRE_GRACE_US);
  g_mutex_unlock (&self->lock);
  reeve_wire_gate_wake (reeve_wire_hub_get_gate (self->hub));
  if (cancelled)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CANCELLED, "the call was cancelled");
  else
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT,
                 "plugin %s: %s did not end before its deadline", self->name, member);
}

static void
reeve_wire_forget (ReeveWire *self, ReeveWireUnderWay *one)
{
  g_mutex_lock (&self->lock);
  g_hash_table_steal (self->calls, GUINT_TO_POINTER (one->number));
  g_mutex_unlock (&self->lock);
  reeve_wire_under_way_free (one);
}

/* A pipe for the call's stream: the end that is read does not block. */
static gboolean
reeve_wire_open_stream (const ReeveWireCall *call, int *ends, GError **error)
{
  if (call->stream == NULL
      || (pipe2 (ends, O_CLOEXEC) == 0 && fcntl (ends[0], F_SETFL, O_NONBLOCK) == 0))
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "a stream: %s", g_strerror (errno));
  return FALSE;
}

/* Reads the stream, if there is one, and waits for the answer. @failed: (out): the stream was bad,
 * or whoever takes it does not want more. */
static void
reeve_wire_follow (ReeveWire *self, const ReeveWireCall *call, ReeveWireUnderWay *one, int *ends,
                   GError **failed)
{
  GCancellable *cancellable = reeve_context_get_cancellable (call->context);
  ReeveWireStream stream = { 0 };
  ReeveWireReadEnd end = REEVE_WIRE_READ_ENDED;

  reeve_wire_close_end (&ends[1]);
  if (call->stream != NULL)
    {
      stream = *call->stream;
      stream.host_time = self->host_time;
      end = reeve_wire_read_stream (&stream, ends[0], one->deadline, cancellable, failed);
    }
  reeve_wire_close_end (&ends[0]);
  if (end != REEVE_WIRE_READ_FAILED)
    reeve_wire_wait (self, one, cancellable);
}

/* (transfer full) (nullable): what came of a call whose message is on its way */
static WireLetter *
reeve_wire_finish (ReeveWire *self, const ReeveWireCall *call, ReeveWireUnderWay *one, int *ends,
                   GError **error)
{
  GCancellable *cancellable = reeve_context_get_cancellable (call->context);
  gint64 deadline = one->deadline;
  guint64 number = one->number;
  WireLetter *result = NULL;
  g_autoptr (GError) failed = NULL;

  reeve_wire_follow (self, call, one, ends, &failed);
  if (reeve_wire_settle (self, one))
    {
      result = reeve_wire_read_reply (self, one, failed == NULL ? error : NULL);
      if (call->told != NULL)
        *call->told = g_steal_pointer (&one->told);
      reeve_wire_under_way_free (one);
    }
  else
    reeve_wire_leave (self, number, deadline, g_cancellable_is_cancelled (cancellable),
                      call->member, failed == NULL ? error : NULL);
  if (failed == NULL)
    return result;
  g_clear_pointer (&result, wire_letter_unref);
  g_propagate_error (error, g_steal_pointer (&failed));
  return NULL;
}

/* Nobody else is called there, so what it keeps it keeps for nobody: its process is ended, and all
 * of that is free. With others under way it is only refused, for these may be at it. */
static void
reeve_wire_end_keeper (ReeveWire *self, const GError *why)
{
  guint n = 0;

  g_mutex_lock (&self->lock);
  n = g_hash_table_size (self->calls);
  g_mutex_unlock (&self->lock);
  if (n == 1)
    reeve_wire_on_ended (self, why);
}

/* What goes with @call. FALSE: it cannot. */
static gboolean
reeve_wire_lend (ReeveWire *self, const ReeveWireCall *call, ReeveWireLoan **loan, GError **error)
{
  g_autoptr (GError) much = NULL;

  if (call->blob == NULL)
    return TRUE;
  if (!reeve_wire_loans_check (self->loans, &much))
    {
      reeve_wire_end_keeper (self, much);
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "plugin %s: %s", self->name,
                   much->message);
      return FALSE;
    }
  *loan = reeve_wire_loan_new (call->blob, error);
  return *loan != NULL;
}

/* From its call's end on it counts, if the runner still has it. @loan: (transfer full) (nullable)
 */
static void
reeve_wire_end_loan (ReeveWire *self, ReeveWireLoan *loan)
{
  if (loan != NULL)
    {
      reeve_wire_loan_close (loan);
      reeve_wire_loans_add (self->loans, loan);
    }
  reeve_wire_loans_sweep (self->loans);
}

/**
 * reeve_wire_ask:
 * @self: a wire
 * @call: what to call, and for whom
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the reply
 */
WireLetter *
reeve_wire_ask (ReeveWire *self, const ReeveWireCall *call, GError **error)
{
  ReeveWireUnderWay *one
      = reeve_context_check (call->context, error) ? reeve_wire_begin (self, call, error) : NULL;
  g_autoptr (WireLetter) message = NULL;
  ReeveWireLoan *loan = NULL;
  WireLetter *result = NULL;
  int fds[2];
  guint n_fds = 0;
  int ends[2] = { -1, -1 };

  if (one == NULL)
    {
      reeve_wire_drop_arguments (call);
      return NULL;
    }
  message = reeve_wire_make_message (call, one, error);
  if (message == NULL || !reeve_wire_lend (self, call, &loan, error)
      || !reeve_wire_open_stream (call, ends, error))
    {
      g_clear_pointer (&loan, reeve_wire_loan_free);
      reeve_wire_forget (self, one);
      return NULL;
    }
  if (loan != NULL)
    fds[n_fds++] = reeve_wire_loan_get_fd (loan);
  if (call->stream != NULL)
    fds[n_fds++] = ends[1];
  else
    reeve_wire_prepare_read (self, one);
  if (reeve_wire_send (self, message, fds, n_fds, error))
    {
      if (loan != NULL)
        reeve_wire_loan_close (loan);
      result = reeve_wire_finish (self, call, one, ends, error);
      reeve_wire_end_loan (self, loan);
      return result;
    }
  g_clear_pointer (&loan, reeve_wire_loan_free);
  reeve_wire_close_end (&ends[0]);
  reeve_wire_close_end (&ends[1]);
  reeve_wire_drop_read (one);
  reeve_wire_forget (self, one);
  return NULL;
}

/**
 * reeve_wire_call:
 * @self: a wire
 * @call: what to call, and for whom
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the reply's body
 */
GVariant *
reeve_wire_call (ReeveWire *self, const ReeveWireCall *call, GError **error)
{
  g_autoptr (WireLetter) reply = reeve_wire_ask (self, call, error);

  if (reply == NULL || !wire_letter_read_known_body (reply, error))
    return NULL;
  return reply->body != NULL ? g_variant_ref (reply->body)
                             : g_variant_ref_sink (g_variant_new ("()"));
}

/* A call that is under way and that somebody waits for; under the lock. */
static ReeveWireUnderWay *
reeve_wire_find (ReeveWire *self, guint64 call)
{
  ReeveWireUnderWay *one = call != 0 && call <= G_MAXUINT32
                               ? g_hash_table_lookup (self->calls, GUINT_TO_POINTER ((guint) call))
                               : NULL;

  return one != NULL && !one->left && one->reply == NULL && one->error == NULL ? one : NULL;
}

ReeveContext *
reeve_wire_find_context (ReeveWire *self, guint64 call)
{
  ReeveWireUnderWay *one = NULL;
  ReeveContext *context = NULL;

  g_mutex_lock (&self->lock);
  one = reeve_wire_find (self, call);
  context = one != NULL ? g_object_ref (one->context) : NULL;
  g_mutex_unlock (&self->lock);
  return context;
}

int
reeve_wire_open_buffer (ReeveWire *self, guint64 call, guint64 size, GError **error)
{
  g_autoptr (ReeveWireBuffer) buffer
      = reeve_wire_buffer_new (reeve_wire_hub_get_room (self->hub), self->name, size, error);
  ReeveWireUnderWay *one = NULL;
  int lent = buffer != NULL ? reeve_wire_buffer_lend (buffer) : -1;
  gboolean kept = FALSE;

  if (buffer == NULL)
    return -1;
  g_mutex_lock (&self->lock);
  one = lent >= 0 ? reeve_wire_find (self, call) : NULL;
  kept = one != NULL && one->buffer == NULL;
  if (kept)
    one->buffer = g_steal_pointer (&buffer);
  g_mutex_unlock (&self->lock);
  if (kept)
    return lent;
  reeve_wire_close_end (&lent);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_BUSY, "a call has one buffer at a time");
  return -1;
}

ReeveWireBuffer *
reeve_wire_take_buffer (ReeveWire *self, guint64 call)
{
  ReeveWireUnderWay *one = NULL;
  ReeveWireBuffer *buffer = NULL;

  g_mutex_lock (&self->lock);
  one = reeve_wire_find (self, call);
  if (one != NULL)
    buffer = g_steal_pointer (&one->buffer);
  g_mutex_unlock (&self->lock);
  return buffer;
}

/* ---- what it was told ---- */

void
reeve_wire_keep_told (ReeveWire *self, guint64 call, JsonNode *node)
{
  g_autoptr (JsonNode) kept = node != NULL ? json_node_ref (node) : NULL;
  ReeveWireUnderWay *one = NULL;

  g_mutex_lock (&self->lock);
  one = reeve_wire_find (self, call);
  if (one != NULL && one->keeps)
    {
      JsonNode *before = one->told;

      one->told = kept;
      kept = before;
    }
  g_mutex_unlock (&self->lock);
}
