/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveGatePass: one call's way through the gate, and how it ends. Private to the gate. */
#pragma once

#include "call-private.h"
#include "services.h"

G_BEGIN_DECLS

/* a greater body is parsed on a worker */
#define REEVE_GATE_PASS_INLINE_BODY (64 * 1024)

typedef struct _ReeveGatePass ReeveGatePass;

struct _ReeveGatePass
{
  ReeveServices *services;
  ReeveCall *call; /* held */
  ReeveIdempotencyClaim *claim;
  gboolean admitted; /* class effect: its intent is durable */
  gboolean found;    /* all that the operation calls identifiers was looked up and is there */
  char *resource_id;
  GPtrArray *told;    /* (nullable): pseudonyms of what the caller wrote */
  guint kept_status;  /* answered before, under the same key */
  JsonNode *kept;     /* (nullable): the same */
  gboolean repeated;  /* that is the answer: nothing was done */
  char *output;       /* (nullable): digest of what is answered */
  char *workspace_id; /* where the thing lies; NULL: in none, or nobody looked */
  JsonNode *body;     /* (nullable): what the ledger keeps of the arguments */
  GError *refused;    /* (nullable): why its door refuses it, until it has ended */
  /* (nullable): told who shows its credentials, while that is asked */
  void (*identified) (ReeveGatePass *self, ReeveCaller *caller, GError *error);
};

ReeveGatePass *reeve_gate_pass_new (ReeveServices *services, ReeveCall *call);
void reeve_gate_pass_free (ReeveGatePass *self);
/* What came of asking for the idempotency key: a claim, or what is kept under it. */
void reeve_gate_pass_take_claim (ReeveGatePass *self, GAsyncResult *result, GError **error);
/* What the call asks, for admission and ledger; valid as long as the pass. */
void reeve_gate_pass_describe (ReeveGatePass *self, ReeveAdmissionRequest *request);
/* (transfer full): is told what is sent of an answer that is made meanwhile; @read: its record */
ReeveAdmissionSent *reeve_gate_pass_begin_sent (ReeveGatePass *self, guint64 read);
/* The call's end: settles, records, keeps what a key must answer again, tells the door, frees the
 * pass. */
void reeve_gate_pass_end (ReeveCall *call, gpointer self);

G_END_DECLS
