/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveKeptValues: what the ledger holds a salted digest of, sealed in the tenant's store under the
 * key of whom it is about. */
#pragma once

#include "ledger.h"
#include "subject-keys.h"

G_BEGIN_DECLS

/* the most that is kept of one body */
#define REEVE_KEPT_VALUES_BODY (64 * 1024)

typedef enum
{
  REEVE_KEPT_READABLE,
  REEVE_KEPT_ERASED, /* its key was destroyed */
  REEVE_KEPT_MISSING /* it is not in the store */
} ReeveKeptState;

#define REEVE_TYPE_KEPT_VALUES (reeve_kept_values_get_type ())
G_DECLARE_FINAL_TYPE (ReeveKeptValues, reeve_kept_values, REEVE, KEPT_VALUES, GObject)

/* bodies, addresses: what is to be kept; what was kept before can be read all the same */
ReeveKeptValues *reeve_kept_values_new (ReeveStore *store, ReeveSubjectKeys *keys, gboolean bodies,
                                        gboolean addresses);
/* Before the first value: of bodies, whether the questions of reads and the results of tools are
 * kept, too; without it they are. */
void reeve_kept_values_set_kinds (ReeveKeptValues *self, gboolean queries, gboolean tool_results);
/* Any thread: of what a record says, whether bodies are kept */
gboolean reeve_kept_values_takes (ReeveKeptValues *self, const ReeveLedgerRecord *record);
/* Any thread. */
gboolean reeve_kept_values_has_bodies (ReeveKeptValues *self);
gboolean reeve_kept_values_has_addresses (ReeveKeptValues *self);
/* (transfer full): what is kept of a body (nullable) whose plain digest is that (nullable): secrets
 * masked, not longer than may be */
char *reeve_kept_values_describe (JsonNode *body, const char *digest);
/* (transfer full) (nullable): the digest of an address that was kept a short while ago. Any thread;
 * no I/O. */
char *reeve_kept_values_find_address (ReeveKeptValues *self, const char *scope, const char *subject,
                                      const char *address);

/* Worker threads only: these block. */

/* (transfer full): the salted digest, when it is durable */
char *reeve_kept_values_put (ReeveKeptValues *self, const char *scope, const char *subject,
                             const char *text, GError **error);
char *reeve_kept_values_put_address (ReeveKeptValues *self, const char *scope, const char *subject,
                                     const char *address, GError **error);
/* *text: (transfer full) where it is readable. %REEVE_ERROR_CORRUPT: it is not what the digest is
 * of. */
gboolean reeve_kept_values_open (ReeveKeptValues *self, const char *scope, const char *digest,
                                 ReeveKeptState *state, char **text, GError **error);
/* Which keys are damaged, as reeve_subject_keys_check(). */
GPtrArray *reeve_kept_values_check (ReeveKeptValues *self, guint *keys,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Consumes @admitted ("compliance.erase"). {user_id, erased_at} */
JsonObject *reeve_kept_values_erase (ReeveKeptValues *self, ReeveAdmitted *admitted,
                                     const char *scope, const char *subject, GError **error);

G_END_DECLS
