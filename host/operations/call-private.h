/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the gate knows of a call besides what doors and operations do. */
#pragma once

#include "call-queue.h"
#include "call.h"

#include "base/log.h"
#include "governance/admission-sent.h"

G_BEGIN_DECLS

/* Ends a call before its door hears of it: called once, on the thread that completed it; goes on to
 * reeve_call_deliver(). */
typedef void (*ReeveCallEnd) (ReeveCall *call, gpointer user_data);

struct _ReeveCall
{
  gatomicrefcount references;
  const ReeveOperation *operation;
  GMainContext *context;
  char *door;

  char *scheme;
  char *token;
  char *peer_address;
  gboolean local;
  char *accept;
  char *tenant_header;
  char *idempotency_key;
  char *instance;
  char *request_id;
  ReeveTrace trace;   /* its own place */
  ReeveTrace parent;  /* what its caller showed */
  gboolean continued; /* … if anything */
  char *state;        /* (nullable): the caller's tracestate */
  char onward[REEVE_TRACE_LENGTH + 1];
  ReeveSpan *span;      /* (nullable): where it is recorded */
  ReeveLogContext *log; /* (nullable): for whom the work is */
  guint shown_status;

  JsonObject *given;  /* strings of path and query; all members at once from D-Bus */
  gboolean typed;     /* given has its types already */
  char *repeated;     /* a query member that came twice */
  char *garbled;      /* one that is no text */
  JsonObject *params; /* validated, sealed */
  char *digest;
  char *run_id;       /* (nullable): that the run has which the call begins */
  gboolean looked;    /* for the agent of that run */
  gboolean nameless;  /* … which is not there: no run of that name will be */
  char *acts_for;     /* (nullable): the user that its record names */
  char *workspace_id; /* where what is read on lies; NULL: in none, or nobody reads on */
  char *media_type;
  GBytes *body;
  GPtrArray *parts; /* (element-type ReeveCallPart) */

  ReeveCaller *caller;
  ReeveRateLimitsState rate; /* limit 0: held to none */
  ReeveAdmitted *admitted;
  gboolean recorded;
  ReeveAdmissionSent *sent; /* (nullable): of the events of a read */
  GCancellable *cancellable;

  ReeveCallQueue *queue;
  ReeveCallDone done;
  ReeveCallEvent event;
  gpointer user_data;
  GDestroyNotify destroy;
  ReeveCallEnd end;
  gpointer end_data;

  GMutex lock;
  gboolean stream;
  gboolean ended;
  guint status;
  JsonNode *result;
  GBytes *bytes;
  char *bytes_type;
  ReeveCallSource *source;
  GError *error;
  JsonArray *faults;
  gint64 input_tokens;
  gint64 output_tokens;
  ReeveOutcome outcome;
  char *reason;
};

void reeve_call_set_end (ReeveCall *self, ReeveCallEnd end, gpointer user_data);
void reeve_call_take_params (ReeveCall *self, JsonObject *params);
void reeve_call_take_caller (ReeveCall *self, ReeveCaller *caller);
void reeve_call_take_admitted (ReeveCall *self, ReeveAdmitted *admitted);
void reeve_call_take_faults (ReeveCall *self, JsonArray *faults);
/* Puts an error in the place of the answer. (transfer full) error */
void reeve_call_replace_error (ReeveCall *self, GError *error);
/* Tells the door, in its context. */
void reeve_call_deliver (ReeveCall *self);

G_END_DECLS
