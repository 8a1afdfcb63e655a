/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveIdempotency: the answer to a request with an Idempotency-Key is kept and given again. */
#pragma once

#include "base/workers.h"
#include "store/store.h"

#include "admission.h"
#include "caller.h"

G_BEGIN_DECLS

#define REEVE_TYPE_IDEMPOTENCY (reeve_idempotency_get_type ())
G_DECLARE_FINAL_TYPE (ReeveIdempotency, reeve_idempotency, REEVE, IDEMPOTENCY, GObject)

/* The right to answer under a key; ended by reeve_idempotency_store() or
 * reeve_idempotency_release(). */
typedef struct _ReeveIdempotencyClaim ReeveIdempotencyClaim;

#define REEVE_IDEMPOTENCY_MAX_KEY 255

ReeveIdempotency *reeve_idempotency_new (ReeveStore *store, ReeveWorkers *workers);
/* How long answers are kept; 24 hours unless set. */
void reeve_idempotency_set_seconds (ReeveIdempotency *self, guint seconds);

/* Any thread; the callback comes in the caller's thread-default context. fingerprint: hexadecimal
 * digest of the request (parameters and body). */
void reeve_idempotency_claim_async (ReeveIdempotency *self, ReeveCaller *caller,
                                    const char *operation, const char *key, const char *fingerprint,
                                    GAsyncReadyCallback callback, gpointer user_data);
/* (transfer full) a claim: perform the request. %NULL without an error: it was answered before,
 * with @status and
 * @result (transfer full, nullable). %REEVE_ERROR_IDEMPOTENCY_MISMATCH: other request under the
 * same key; %REEVE_ERROR_CONFLICT: it is still being performed, or its answer was erased;
 * %REEVE_ERROR_INVALID_ARGUMENT: the key is empty or too long. */
ReeveIdempotencyClaim *reeve_idempotency_claim_finish (ReeveIdempotency *self, GAsyncResult *result,
                                                       guint *status, JsonNode **node,
                                                       GError **error);
/* Keeps the answer: (transfer full) claim; result is nullable. The callback (nullable) comes when
 * it is durable: answer then. */
void reeve_idempotency_store (ReeveIdempotency *self, ReeveIdempotencyClaim *claim, guint status,
                              JsonNode *result, GAsyncReadyCallback callback, gpointer user_data);
gboolean reeve_idempotency_store_finish (ReeveIdempotency *self, GAsyncResult *result,
                                         GError **error);
/* Forgets the key, for a request that was refused before any effect: (transfer full) claim. */
void reeve_idempotency_release (ReeveIdempotency *self, ReeveIdempotencyClaim *claim);
/* For a request that began a run which ends later, or none: the key leads to the run. (transfer
 * full) claim. */
void reeve_idempotency_leave (ReeveIdempotency *self, ReeveIdempotencyClaim *claim);
/* Consumes @admitted ("compliance.erase"), unless that is done. Nobody gets again what @subject was
 * answered until now, and nothing is performed again. Blocks; worker threads. */
gboolean reeve_idempotency_erase (ReeveIdempotency *self, ReeveAdmitted *admitted,
                                  const char *scope, const char *subject, GError **error);
/* (nullable): the id that the run has to have. */
const char *reeve_idempotency_get_run_id (ReeveIdempotencyClaim *claim);

G_END_DECLS
