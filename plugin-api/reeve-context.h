/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveContext: for whom, within what, until when a plugin function is called; its only way to the
 * host. */
#pragma once

#include <gio/gio.h>

#include "reeve-http.h"
#include "reeve-json.h"

G_BEGIN_DECLS

#define REEVE_TYPE_CONTEXT (reeve_context_get_type ())
#define REEVE_TYPE_BROKER  (reeve_broker_get_type ())

REEVE_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (ReeveContext, reeve_context, REEVE, CONTEXT, GObject)
REEVE_AVAILABLE_IN_1_0
G_DECLARE_INTERFACE (ReeveBroker, reeve_broker, REEVE, BROKER, GObject)

/**
 * ReeveBrokerInterface:
 * @parent_iface: the parent
 * @call: performs one call of a capability; parameters and result are JSON
 * @http: performs one HTTP request under capability `net.http`
 * @transfer: performs one call of a capability that takes or gives bytes; both are nullable
 * @tcp: opens one TCP connection under capability `net.tcp`; -1 with an error
 *
 * The host's side of a plugin's capabilities. A plugin never implements it; it reaches it through
 * its #ReeveContext. Its functions block, may be called from any worker thread and refuse with
 * %REEVE_ERROR_CAPABILITY.
 *
 * Since: 1.0
 */
struct _ReeveBrokerInterface
{
  GTypeInterface parent_iface;

  JsonNode *(*call) (ReeveBroker *self, ReeveContext *context, const char *capability,
                     JsonNode *params, GError **error);
  ReeveHttpResponse *(*http) (ReeveBroker *self, ReeveContext *context, ReeveHttpRequest *request,
                              GError **error);
  GBytes *(*transfer) (ReeveBroker *self, ReeveContext *context, const char *capability,
                       JsonNode *params, GBytes *bytes, JsonNode **answer, GError **error);
  int (*tcp) (ReeveBroker *self, ReeveContext *context, const char *host, guint16 port,
              GError **error);
  /*< private >*/
  gpointer reserved[4];
};

/**
 * ReeveContextInfo:
 * @struct_size: sizeof (ReeveContextInfo)
 * @tenant_id: (nullable): tenant of the call; %NULL for calls of the host itself
 * @user_id: (nullable): opaque id of the person or service account
 * @agent_id: (nullable): agent on whose behalf
 * @run_id: (nullable): run it belongs to
 * @trace_id: (nullable): W3C trace id, 32 hexadecimal digits
 * @deadline: g_get_monotonic_time() value at which the call must have ended; 0 for none
 * @roles: (nullable): roles of the caller
 * @labels: (nullable): data labels that flowed into the call
 * @workspaces: (nullable): workspaces whose things the call may see: ids, an empty string for what
 * lies in none, `*` for all; %NULL: only what lies in none
 * @traceparent: (nullable): W3C Trace Context of the call, for what is asked on its behalf
 * @tracestate: (nullable): the same
 *
 * What a #ReeveContext is made of; copied.
 *
 * Since: 1.0
 */
typedef struct
{
  guint32 struct_size;
  const char *tenant_id;
  const char *user_id;
  const char *agent_id;
  const char *run_id;
  const char *trace_id;
  gint64 deadline;
  const char *const *roles;
  const char *const *labels;
  const char *const *workspaces;
  const char *traceparent;
  const char *tracestate;
} ReeveContextInfo;

REEVE_AVAILABLE_IN_1_0
ReeveContext *reeve_context_new (const ReeveContextInfo *info, ReeveBroker *broker,
                                 GCancellable *cancellable);
REEVE_AVAILABLE_IN_1_0
const char *reeve_context_get_tenant_id (ReeveContext *self);
REEVE_AVAILABLE_IN_1_0
const char *reeve_context_get_user_id (ReeveContext *self);
REEVE_AVAILABLE_IN_1_0
const char *reeve_context_get_agent_id (ReeveContext *self);
REEVE_AVAILABLE_IN_1_0
const char *reeve_context_get_run_id (ReeveContext *self);
REEVE_AVAILABLE_IN_1_0
const char *reeve_context_get_trace_id (ReeveContext *self);
/* (nullable): value of the header; the host adds it to what goes out through reeve_context_http()
 */
REEVE_AVAILABLE_IN_1_0
const char *reeve_context_get_traceparent (ReeveContext *self);
/* (nullable) */
REEVE_AVAILABLE_IN_1_0
const char *reeve_context_get_tracestate (ReeveContext *self);
REEVE_AVAILABLE_IN_1_0
gint64 reeve_context_get_deadline (ReeveContext *self);
REEVE_AVAILABLE_IN_1_0
const char *const *reeve_context_get_roles (ReeveContext *self);
REEVE_AVAILABLE_IN_1_0
const char *const *reeve_context_get_labels (ReeveContext *self);
/* (nullable) */
REEVE_AVAILABLE_IN_1_0
const char *const *reeve_context_get_workspaces (ReeveContext *self);
REEVE_AVAILABLE_IN_1_0
GCancellable *reeve_context_get_cancellable (ReeveContext *self);
/* TRUE while the call may go on; else sets REEVE_ERROR_TIMEOUT or REEVE_ERROR_CANCELLED. Long loops
 * ask it. */
REEVE_AVAILABLE_IN_1_0
gboolean reeve_context_check (ReeveContext *self, GError **error);
REEVE_AVAILABLE_IN_1_0
JsonNode *reeve_context_call (ReeveContext *self, const char *capability, JsonNode *params,
                              GError **error);
REEVE_AVAILABLE_IN_1_0
ReeveHttpResponse *reeve_context_http (ReeveContext *self, ReeveHttpRequest *request,
                                       GError **error);
REEVE_AVAILABLE_IN_1_0
GBytes *reeve_context_transfer (ReeveContext *self, const char *capability, JsonNode *params,
                                GBytes *bytes, JsonNode **answer, GError **error);
REEVE_AVAILABLE_IN_1_0
int reeve_context_tcp (ReeveContext *self, const char *host, guint16 port, GError **error);

G_END_DECLS
