/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveContext: for whom, within what, until when a plugin function is called; its only way to the
 * host. */
#include "reeve-context.h"

#include <string.h>

#include "reeve-outcome.h"

/**
 * ReeveContext:
 *
 * Accompanies every call of a plugin function: for whom it happens, until when, and the handle of
 * the capabilities that were granted. Immutable and thread-safe. It is for the call it came with: a
 * plugin that keeps a reference longer must expect that its capabilities are refused.
 *
 * Since: 1.0
 */
struct _ReeveContext
{
  GObject parent_instance;

  char *tenant_id;
  char *user_id;
  char *agent_id;
  char *run_id;
  char *trace_id;
  char *traceparent;
  char *tracestate;
  gint64 deadline;
  char **roles;
  char **labels;
  char **workspaces;
  ReeveBroker *broker;
  GCancellable *cancellable;
};

G_DEFINE_FINAL_TYPE (ReeveContext, reeve_context, G_TYPE_OBJECT)

static void
reeve_context_finalize (GObject *object)
{
  ReeveContext *self = REEVE_CONTEXT (object);

  g_free (self->tenant_id);
  g_free (self->user_id);
  g_free (self->agent_id);
  g_free (self->run_id);
  g_free (self->trace_id);
  g_free (self->traceparent);
  g_free (self->tracestate);
  g_strfreev (self->roles);
  g_strfreev (self->labels);
  g_strfreev (self->workspaces);
  g_clear_object (&self->broker);
  g_clear_object (&self->cancellable);
  G_OBJECT_CLASS (reeve_context_parent_class)->finalize (object);
}

static void
reeve_context_class_init (ReeveContextClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_context_finalize;
}

static void
reeve_context_init (ReeveContext *self)
{
}

static char **
reeve_context_copy_strings (const char *const *strings)
{
  return strings != NULL ? g_strdupv ((char **) strings) : g_new0 (char *, 1);
}

/**
 * reeve_context_new:
 * @info: (nullable): what it is made of; copied; %NULL for a call of the host itself without
 * deadline
 * @broker: (nullable): performs capabilities; without one every capability is refused
 * @cancellable: (nullable): cancelled when the caller gives up
 *
 * Made by the host for each call, and by tests of a plugin.
 *
 * Returns: (transfer full): a context
 *
 * Since: 1.0
 */
ReeveContext *
reeve_context_new (const ReeveContextInfo *info, ReeveBroker *broker, GCancellable *cancellable)
{
  g_autoptr (ReeveContext) self = NULL;
  ReeveContextInfo known = { 0 };

  g_return_val_if_fail (info == NULL || info->struct_size >= sizeof info->struct_size, NULL);
  g_return_val_if_fail (broker == NULL || REEVE_IS_BROKER (broker), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);

  /* what an older caller does not know of stays zero */
  if (info != NULL)
    memcpy (&known, info, MIN (info->struct_size, sizeof known));

  self = g_object_new (REEVE_TYPE_CONTEXT, NULL);
  self->tenant_id = g_strdup (known.tenant_id);
  self->user_id = g_strdup (known.user_id);
  self->agent_id = g_strdup (known.agent_id);
  self->run_id = g_strdup (known.run_id);
  self->trace_id = g_strdup (known.trace_id);
  self->traceparent = g_strdup (known.traceparent);
  self->tracestate = g_strdup (known.tracestate);
  self->deadline = known.deadline;
  self->roles = reeve_context_copy_strings (known.roles);
  self->labels = reeve_context_copy_strings (known.labels);
  self->workspaces = g_strdupv ((char **) known.workspaces);
  g_set_object (&self->broker, broker);
  g_set_object (&self->cancellable, cancellable);
  return g_steal_pointer (&self);
}

/**
 * reeve_context_get_tenant_id:
 * @self: a context
 *
 * Returns: (transfer none) (nullable): the tenant of the call; %NULL for calls of the host itself
 *
 * Since: 1.0
 */
const char *
reeve_context_get_tenant_id (ReeveContext *self)
{
  g_return_val_if_fail (REEVE_IS_CONTEXT (self), NULL);
  return self->tenant_id;
}

/**
 * reeve_context_get_user_id:
 * @self: a context
 *
 * Returns: (transfer none) (nullable): opaque id of the person or service account that caused the
 * call
 *
 * Since: 1.0
 */
const char *
reeve_context_get_user_id (ReeveContext *self)
{
  g_return_val_if_fail (REEVE_IS_CONTEXT (self), NULL);
  return self->user_id;
}

/**
 * reeve_context_get_agent_id:
 * @self: a context
 *
 * Returns: (transfer none) (nullable): the agent on whose behalf the call happens
 *
 * Since: 1.0
 */
const char *
reeve_context_get_agent_id (ReeveContext *self)
{
  g_return_val_if_fail (REEVE_IS_CONTEXT (self), NULL);
  return self->agent_id;
}

/**
 * reeve_context_get_run_id:
 * @self: a context
 *
 * Returns: (transfer none) (nullable): the run that the call belongs to
 *
 * Since: 1.0
 */
const char *
reeve_context_get_run_id (ReeveContext *self)
{
  g_return_val_if_fail (REEVE_IS_CONTEXT (self), NULL);
  return self->run_id;
}

/**
 * reeve_context_get_trace_id:
 * @self: a context
 *
 * Returns: (transfer none) (nullable): W3C trace id, 32 hexadecimal digits
 *
 * Since: 1.0
 */
const char *
reeve_context_get_trace_id (ReeveContext *self)
{
  g_return_val_if_fail (REEVE_IS_CONTEXT (self), NULL);
  return self->trace_id;
}

/**
 * reeve_context_get_traceparent:
 * @self: a context
 *
 * What the work stands below, as W3C Trace Context writes it. What goes out through
 * reeve_context_http() has it already, where the host's configuration lets it.
 *
 * Returns: (transfer none) (nullable): value of the header `traceparent`
 *
 * Since: 1.0
 */
const char *
reeve_context_get_traceparent (ReeveContext *self)
{
  g_return_val_if_fail (REEVE_IS_CONTEXT (self), NULL);
  return self->traceparent;
}

/**
 * reeve_context_get_tracestate:
 * @self: a context
 *
 * Returns: (transfer none) (nullable): value of the header `tracestate`
 *
 * Since: 1.0
 */
const char *
reeve_context_get_tracestate (ReeveContext *self)
{
  g_return_val_if_fail (REEVE_IS_CONTEXT (self), NULL);
  return self->tracestate;
}

/**
 * reeve_context_get_deadline:
 * @self: a context
 *
 * Returns: the value of g_get_monotonic_time(), in microseconds, at which the call must have ended;
 * 0 for none
 *
 * Since: 1.0
 */
gint64
reeve_context_get_deadline (ReeveContext *self)
{
  g_return_val_if_fail (REEVE_IS_CONTEXT (self), 0);
  return self->deadline;
}

/**
 * reeve_context_get_roles:
 * @self: a context
 *
 * Returns: (transfer none) (array zero-terminated=1): roles of the caller, possibly none
 *
 * Since: 1.0
 */
const char *const *
reeve_context_get_roles (ReeveContext *self)
{
  g_return_val_if_fail (REEVE_IS_CONTEXT (self), NULL);
  return (const char *const *) self->roles;
}

/**
 * reeve_context_get_labels:
 * @self: a context
 *
 * Returns: (transfer none) (array zero-terminated=1): labels of the data that flowed into the call,
 * possibly none
 *
 * Since: 1.0
 */
const char *const *
reeve_context_get_labels (ReeveContext *self)
{
  g_return_val_if_fail (REEVE_IS_CONTEXT (self), NULL);
  return (const char *const *) self->labels;
}

/**
 * reeve_context_get_workspaces:
 * @self: a context
 *
 * Returns: (transfer none) (nullable) (array zero-terminated=1): workspaces whose things the call
 * may see: ids, an empty string for what lies in none, `*` for all; %NULL: only what lies in none
 *
 * Since: 1.0
 */
const char *const *
reeve_context_get_workspaces (ReeveContext *self)
{
  g_return_val_if_fail (REEVE_IS_CONTEXT (self), NULL);
  return (const char *const *) self->workspaces;
}

/**
 * reeve_context_get_cancellable:
 * @self: a context
 *
 * For blocking functions of GIO. Loops ask reeve_context_check() instead, which knows the deadline
 * as well.
 *
 * Returns: (transfer none) (nullable): cancelled when the caller gives up
 *
 * Since: 1.0
 */
GCancellable *
reeve_context_get_cancellable (ReeveContext *self)
{
  g_return_val_if_fail (REEVE_IS_CONTEXT (self), NULL);
  return self->cancellable;
}

/**
 * reeve_context_check:
 * @self: a context
 * @error: return location
 *
 * Whether the call may go on. A plugin that computes for long asks every few milliseconds; it is
 * cheap.
 *
 * Returns: %FALSE with %REEVE_ERROR_CANCELLED when the caller gave up, with %REEVE_ERROR_TIMEOUT
 * when the deadline passed
 *
 * Since: 1.0
 */
gboolean
reeve_context_check (ReeveContext *self, GError **error)
{
  g_return_val_if_fail (REEVE_IS_CONTEXT (self), FALSE);

  if (g_cancellable_is_cancelled (self->cancellable))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CANCELLED, "the call was cancelled");
      return FALSE;
    }
  if (self->deadline != 0 && g_get_monotonic_time () >= self->deadline)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT,
                           "the deadline of the call passed");
      return FALSE;
    }
  return TRUE;
}

/* (transfer full): sealed; (nullable) @params: an empty object */
static JsonNode *
reeve_context_give (JsonNode *params)
{
  JsonNode *given = params != NULL ? json_node_ref (params) : json_node_new (JSON_NODE_OBJECT);

  if (params == NULL)
    json_node_take_object (given, json_object_new ());
  json_node_seal (given);
  return given;
}

/* (nullable) What is behind the capabilities of this call, if there is a function for it, at
 * @offset of its interface, and the call has not ended. */
static ReeveBrokerInterface *
reeve_context_enter (ReeveContext *self, const char *capability, gsize offset, GError **error)
{
  ReeveBrokerInterface *iface = self->broker != NULL ? REEVE_BROKER_GET_IFACE (self->broker) : NULL;

  if (iface == NULL || G_STRUCT_MEMBER (GCallback, iface, offset) == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY,
                   "capability %s: this call was given no capabilities", capability);
      return NULL;
    }
  return reeve_context_check (self, error) ? iface : NULL;
}

/**
 * reeve_context_call:
 * @self: a context
 * @capability: such as `knowledge.search`
 * @params: (nullable) (transfer none): a JSON object; sealed by the call; %NULL stands for an empty
 * one
 * @error: return location
 *
 * Performs one call of a capability. Blocks; may be called from several threads at once.
 *
 * Returns: (transfer full): the result, immutable; %NULL with %REEVE_ERROR_CAPABILITY when the
 * capability was not requested, not granted or revoked, with what reeve_context_check() says, or
 * with the error of the capability
 *
 * Since: 1.0
 */
JsonNode *
reeve_context_call (ReeveContext *self, const char *capability, JsonNode *params, GError **error)
{
  g_autoptr (JsonNode) given = NULL;
  g_autoptr (JsonNode) result = NULL;
  GError *problem = NULL;
  ReeveBrokerInterface *iface = NULL;

  g_return_val_if_fail (REEVE_IS_CONTEXT (self), NULL);
  g_return_val_if_fail (capability != NULL, NULL);
  g_return_val_if_fail (params == NULL || JSON_NODE_HOLDS_OBJECT (params), NULL);

  iface
      = reeve_context_enter (self, capability, G_STRUCT_OFFSET (ReeveBrokerInterface, call), error);
  if (iface == NULL)
    return NULL;

  given = reeve_context_give (params);
  result = iface->call (self->broker, self, capability, given, &problem);
  if (!reeve_outcome_settle (result != NULL, problem, self->broker, "call", error))
    return NULL;
  json_node_seal (result);
  return g_steal_pointer (&result);
}

/**
 * reeve_context_http:
 * @self: a context
 * @request: what to send
 * @error: return location
 *
 * Lets the host perform an HTTP request under capability `net.http`: name resolution, the check of
 * the address against what was granted, TLS and credentials are the host's. Blocks; may be called
 * from several threads at once.
 *
 * Returns: (transfer full): the response with its whole body, whatever its status, redirects
 * included; %NULL with %REEVE_ERROR_CAPABILITY when the plugin has no such capability,
 * %REEVE_ERROR_PERMISSION_DENIED when address or method are refused, what reeve_context_check()
 * says, %REEVE_ERROR_TOO_LARGE, %REEVE_ERROR_UNAVAILABLE, or %REEVE_ERROR_UNKNOWN_OUTCOME when it
 * may have been executed without an answer
 *
 * Since: 1.0
 */
ReeveHttpResponse *
reeve_context_http (ReeveContext *self, ReeveHttpRequest *request, GError **error)
{
  g_autoptr (ReeveHttpResponse) response = NULL;
  GError *problem = NULL;
  ReeveBrokerInterface *iface = NULL;

  g_return_val_if_fail (REEVE_IS_CONTEXT (self), NULL);
  g_return_val_if_fail (request != NULL, NULL);

  iface
      = reeve_context_enter (self, "net.http", G_STRUCT_OFFSET (ReeveBrokerInterface, http), error);
  if (iface == NULL)
    return NULL;
  response = iface->http (self->broker, self, request, &problem);
  if (!reeve_outcome_settle (response != NULL, problem, self->broker, "http", error))
    return NULL;
  return g_steal_pointer (&response);
}

/**
 * reeve_context_transfer:
 * @self: a context
 * @capability: such as `fs.read`
 * @params: (nullable) (transfer none): a JSON object; sealed by the call; %NULL stands for an empty
 * one
 * @bytes: (nullable): what goes with it, at most 128 MiB
 * @answer: (out) (optional) (transfer full): the answer, immutable
 * @error: return location
 *
 * As reeve_context_call(), of a capability that takes or gives bytes: contents of files. How many a
 * plugin may have under way at once is bounded: %REEVE_ERROR_BUSY. Blocks; may be called from
 * several threads at once.
 *
 * Returns: (transfer full): what came with the answer, empty where nothing does; %NULL with the
 * errors of reeve_context_call(), and %REEVE_ERROR_TOO_LARGE
 *
 * Since: 1.0
 */
GBytes *
reeve_context_transfer (ReeveContext *self, const char *capability, JsonNode *params, GBytes *bytes,
                        JsonNode **answer, GError **error)
{
  g_autoptr (JsonNode) given = NULL;
  g_autoptr (JsonNode) told = NULL;
  g_autoptr (GBytes) content = NULL;
  GError *problem = NULL;
  ReeveBrokerInterface *iface = NULL;

  g_return_val_if_fail (REEVE_IS_CONTEXT (self), NULL);
  g_return_val_if_fail (capability != NULL, NULL);
  g_return_val_if_fail (params == NULL || JSON_NODE_HOLDS_OBJECT (params), NULL);

  iface = reeve_context_enter (self, capability, G_STRUCT_OFFSET (ReeveBrokerInterface, transfer),
                               error);
  if (iface == NULL)
    return NULL;
  given = reeve_context_give (params);
  content = iface->transfer (self->broker, self, capability, given, bytes, &told, &problem);
  if (!reeve_outcome_settle (content != NULL && told != NULL, problem, self->broker, "transfer",
                             error))
    return NULL;
  json_node_seal (told);
  if (answer != NULL)
    *answer = g_steal_pointer (&told);
  return g_steal_pointer (&content);
}

/**
 * reeve_context_tcp:
 * @self: a context
 * @host: name or address, as it was granted; of IPv6 without brackets
 * @port: of it, not 0
 * @error: return location
 *
 * Lets the host open a TCP connection under capability `net.tcp`: name resolution, the check
 * against what was granted and the connection itself are the host's. What comes is one end of a
 * stream socket, blocking and closed on exec, whose bytes the host carries on; shutdown(2) of one
 * direction is carried through. It is the call's: when that ends, or the grant does, the host
 * closes it. What was written to an end that is closed by then still goes out. Blocks; may be
 * called from several threads at once.
 *
 * Returns: a descriptor, to be closed by the caller; -1 with %REEVE_ERROR_CAPABILITY or
 * %REEVE_ERROR_CAPABILITY_REVOKED when the plugin has no such capability,
 * %REEVE_ERROR_PERMISSION_DENIED for a place that was not granted, %REEVE_ERROR_INVALID_ARGUMENT,
 * %REEVE_ERROR_BUSY when there are as many as may be, %REEVE_ERROR_UNAVAILABLE, or what
 * reeve_context_check() says
 *
 * Since: 1.0
 */
int
reeve_context_tcp (ReeveContext *self, const char *host, guint16 port, GError **error)
{
  GError *problem = NULL;
  ReeveBrokerInterface *iface = NULL;
  int fd = -1;

  g_return_val_if_fail (REEVE_IS_CONTEXT (self), -1);
  g_return_val_if_fail (host != NULL, -1);

  iface = reeve_context_enter (self, "net.tcp", G_STRUCT_OFFSET (ReeveBrokerInterface, tcp), error);
  if (iface == NULL)
    return -1;
  fd = iface->tcp (self->broker, self, host, port, &problem);
  return reeve_outcome_settle (fd >= 0, problem, self->broker, "tcp", error) ? fd : -1;
}
