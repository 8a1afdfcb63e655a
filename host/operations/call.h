/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveCall: one request, the same for every door. Reference-counted; functions are safe from any
 * thread. */
#pragma once

#include "base/log.h"
#include "governance/admission.h"
#include "governance/rate-limits.h"
#include "call-source.h"
#include "operation.h"

G_BEGIN_DECLS

typedef struct
{
  char *name;      /* form field */
  char *file_name; /* nullable */
  char *media_type;
  GBytes *bytes;
} ReeveCallPart;

void reeve_call_part_free (ReeveCallPart *part);

/* Called once in the door's context when the answer is complete; for a stream after the last event.
 */
typedef void (*ReeveCallDone) (ReeveCall *call, gpointer user_data);
/* Called in the door's context for each event of a stream. data is NULL for raw frames. */
typedef void (*ReeveCallEvent) (ReeveCall *call, const char *event, JsonNode *data, GBytes *raw,
                                gpointer user_data);

ReeveCall *reeve_call_new (const ReeveOperation *operation, GMainContext *context,
                           const char *door);
ReeveCall *reeve_call_ref (ReeveCall *self);
void reeve_call_unref (ReeveCall *self);

/* ---- the door fills in ---- */
void reeve_call_set_credentials (ReeveCall *self, const char *scheme, const char *token,
                                 const char *peer_address);
/* (nullable): what follows @scheme (any case) and white space in @authorization (nullable) */
const char *reeve_call_skip_scheme (const char *authorization, const char *scheme);
void reeve_call_set_caller (ReeveCall *self,
                            ReeveCaller *caller); /* D-Bus owner: authenticated by the bus */
/* The client itself runs on this machine: nobody asks through it. */
void reeve_call_set_local (ReeveCall *self, gboolean local);
void reeve_call_set_accept (ReeveCall *self, const char *accept);
void reeve_call_set_tenant_header (ReeveCall *self, const char *tenant_id);
void reeve_call_set_idempotency_key (ReeveCall *self, const char *key);
void reeve_call_set_instance (ReeveCall *self, const char *instance);
void reeve_call_set_path_member (ReeveCall *self, const char *name, const char *value);
void reeve_call_set_query_member (ReeveCall *self, const char *name, const char *value);
void reeve_call_set_garbled_member (ReeveCall *self, const char *name);
void reeve_call_set_params (ReeveCall *self,
                            JsonObject *params); /* D-Bus: all members in one object */
void reeve_call_set_body (ReeveCall *self, const char *media_type, GBytes *body);
void reeve_call_add_part (ReeveCall *self, const ReeveCallPart *part); /* multipart */
void reeve_call_set_done (ReeveCall *self, ReeveCallDone done, ReeveCallEvent event,
                          gpointer user_data, GDestroyNotify destroy);

/* ---- the operation reads ---- */
const ReeveOperation *reeve_call_get_operation (ReeveCall *self);
ReeveCaller *reeve_call_get_caller (ReeveCall *self);
const char *reeve_call_get_tenant_id (ReeveCall *self);                  /* the tenant acted in */
JsonObject *reeve_call_get_params (ReeveCall *self);                     /* validated, sealed */
const char *reeve_call_get_string (ReeveCall *self, const char *member); /* nullable */
gint64 reeve_call_get_int (ReeveCall *self, const char *member, gint64 fallback);
gboolean reeve_call_get_boolean (ReeveCall *self, const char *member);
GBytes *reeve_call_get_body (ReeveCall *self);       /* raw; nullable */
const char *reeve_call_get_accept (ReeveCall *self); /* nullable */
const ReeveCallPart *reeve_call_get_part (ReeveCall *self, const char *name);
ReeveAdmitted *reeve_call_get_admitted (
    ReeveCall *self); /* class effect: consumed by the effect function, settled by the gate */
/* (transfer full) for an effect that settles itself (a run): the gate then does not settle */
ReeveAdmitted *reeve_call_steal_admitted (ReeveCall *self);
const char *reeve_call_get_digest (
    ReeveCall *self); /* of an effect's parameters and body; nullable */
/* An operation that admits itself has asked for admission: the ledger knows how it ends. */
void reeve_call_set_recorded (ReeveCall *self);
const char *reeve_call_get_request_id (ReeveCall *self);
const char *reeve_call_get_trace_id (ReeveCall *self);
const char *reeve_call_get_instance (ReeveCall *self); /* (nullable) */
const char *reeve_call_get_door (ReeveCall *self);
GMainContext *reeve_call_get_context (ReeveCall *self);
GCancellable *reeve_call_get_cancellable (ReeveCall *self); /* cancelled when the client has gone */
/* (transfer none) (nullable): whom lines of the log about it name */
ReeveLogContext *reeve_call_get_log (ReeveCall *self);

/* ---- the operation answers ---- */
void reeve_call_emit (ReeveCall *self, const char *event,
                      JsonNode *data); /* first one makes it a stream */
void reeve_call_emit_raw (ReeveCall *self,
                          GBytes *frame); /* compatible doors: bytes as they go out */
void reeve_call_complete (
    ReeveCall *self, guint status,
    JsonNode *result); /* status 0: the row's; (transfer full) result, nullable */
/* The usual end: (transfer full) object with the row's status, or (transfer full) error when object
 * is NULL */
void reeve_call_answer (ReeveCall *self, JsonObject *object, GError *error);
void reeve_call_complete_bytes (ReeveCall *self, guint status, const char *media_type,
                                GBytes *bytes);
/* An answer of any length: the door asks for the next piece when its client has taken the one
 * before. (transfer full) source */
void reeve_call_complete_source (ReeveCall *self, ReeveCallSource *source);
void reeve_call_complete_stream (
    ReeveCall *self); /* after the last event; none at all is a stream too */
void reeve_call_fail (ReeveCall *self, GError *error); /* (transfer full) */
void reeve_call_add_tokens (ReeveCall *self, gint64 input,
                            gint64 output); /* for the outcome record */
/* Outcome of the record when it is not what success or failure say (a run that ended failed with
 * 200). */
void reeve_call_set_outcome (ReeveCall *self, ReeveOutcome outcome, const char *reason);

/* ---- the door reads the answer ---- */
guint reeve_call_get_status (ReeveCall *self);
JsonNode *reeve_call_get_result (ReeveCall *self);
GBytes *reeve_call_get_result_bytes (ReeveCall *self, const char **media_type);
ReeveCallSource *reeve_call_get_source (ReeveCall *self); /* (nullable) */
const GError *reeve_call_get_error (ReeveCall *self);
/* (nullable): how the limit stands that the caller is held to */
const ReeveRateLimitsState *reeve_call_get_rate (ReeveCall *self);
const char *reeve_call_get_workspace_id (ReeveCall *self);
JsonArray *reeve_call_get_faults (ReeveCall *self); /* [{pointer, message}] of a bad body */
gboolean reeve_call_is_stream (ReeveCall *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveCall, reeve_call_unref)

G_END_DECLS
