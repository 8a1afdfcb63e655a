/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveSinks: sends the records of the ledger on, to each configured sink at its own speed. */
#pragma once

#include "loader/registry.h"
#include "governance/admission.h"

G_BEGIN_DECLS

/* what instances of plugins that are sinks are called, before the id */
#define REEVE_SINKS_INSTANCE "sink/"

#define REEVE_SINKS_ACTION_DELIVER "audit.deliver"      /* a sink is served, from start to stop */
#define REEVE_SINKS_ACTION_FAILING "audit.sink_failing" /* it takes nothing at the moment */
#define REEVE_SINKS_ACTION_RESUMED "audit.sink_resumed"
#define REEVE_SINKS_ACTION_SKIPPED                                                                 \
  "audit.sink_skipped" /* a record that it refuses was left out                                    \
                        */

#define REEVE_TYPE_SINKS (reeve_sinks_get_type ())
G_DECLARE_FINAL_TYPE (ReeveSinks, reeve_sinks, REEVE, SINKS, GObject)

/* folder: where it is written down what was delivered */
ReeveSinks *reeve_sinks_new (ReeveRegistry *registry, ReeveLedger *ledger,
                             ReeveAdmission *admission, const char *folder);
/* Before the start: one row of `audit.sinks`. *member (out) (static): what is wrong in it. Blocks.
 */
gboolean reeve_sinks_add (ReeveSinks *self, JsonObject *row, const char **member, GError **error);
/* One thread for each sink. After recovery. */
void reeve_sinks_start (ReeveSinks *self);
/* Before plugins and ledger go; what is under way is cut off and comes again after the next start.
 */
void reeve_sinks_stop (ReeveSinks *self);
/* The last record of the log that every sink has which is to have it; G_MAXUINT64: there is none.
 */
guint64 reeve_sinks_get_delivered (ReeveSinks *self, const char *scope);
/* Removes what is written down of logs that have ended. Any thread that may block. */
typedef gboolean (*ReeveSinksEndedFunc) (const char *scope, gpointer user_data);
void reeve_sinks_forget (ReeveSinks *self, ReeveSinksEndedFunc ended, gpointer user_data);
/* (transfer full) how each sink stands with the log of @scope. Any thread that may block. */
JsonArray *reeve_sinks_show (ReeveSinks *self, const char *scope);
/* (nullable) `delivering` or `failing`; NULL without sinks. Any thread. */
const char *reeve_sinks_get_health (ReeveSinks *self);

G_END_DECLS
