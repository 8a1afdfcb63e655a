/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What became of a run that was begun under an idempotency key. */
#pragma once

#include "store/store.h"

G_BEGIN_DECLS

gboolean reeve_idempotency_run_is_begun_by (const char *operation);
/* (transfer full) (nullable): its answer. %REEVE_ERROR_CONFLICT: it has not ended; *absent: it was
 * never begun. Blocks. */
JsonNode *reeve_idempotency_run_read (ReeveStore *store, const char *scope, const char *run_id,
                                      guint *status, gboolean *absent, GError **error);

G_END_DECLS
