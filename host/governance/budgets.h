/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveBudgets: what tenants and what is in them may spend. The gate reserves the worst case before
 * an effect and settles what it took; the log is what makes both durable. */
#pragma once

#include "store/store.h"

#include "admission.h"
#include "budget-book.h"

G_BEGIN_DECLS

/* events: a budget has reached its alert_at, its limit; once in a period */
#define REEVE_BUDGETS_ACTION_ALERT     "budgets.alert"
#define REEVE_BUDGETS_ACTION_EXHAUSTED "budgets.exhausted"

/* so often the platform is asked for more; then what there is must do */
#define REEVE_BUDGETS_REFILLS 16

#define REEVE_TYPE_BUDGETS (reeve_budgets_get_type ())
G_DECLARE_FINAL_TYPE (ReeveBudgets, reeve_budgets, REEVE, BUDGETS, GObject)

ReeveBudgets *reeve_budgets_new (ReeveStore *store, ReeveLedger *ledger);
/* Before the first request. @org (nullable): limits of every tenant that has set none of its own.
 * @prices (nullable): {"provider/model": {input, output, …}}. */
gboolean reeve_budgets_configure (ReeveBudgets *self, JsonObject *org, JsonObject *prices,
                                  GError **error);
/* Before the first request. @platform: limits of all tenants together. */
gboolean reeve_budgets_configure_platform (ReeveBudgets *self, JsonObject *platform,
                                           GError **error);
/* At start, before runs go on: learns all budgets, and from the logs what was spent since they were
 * saved; what an earlier host had under way counts as spent. Blocks. */
gboolean reeve_budgets_load (ReeveBudgets *self, GError **error);
/* A tenant is known. Blocks. */
void reeve_budgets_prepare (ReeveBudgets *self, const char *tenant_id);
void reeve_budgets_forget (ReeveBudgets *self, const char *tenant_id);
/* Before the store is closed: saves what is not saved yet. Blocks. */
void reeve_budgets_flush (ReeveBudgets *self);
ReevePrices *reeve_budgets_get_prices (ReeveBudgets *self);

/* ---- the gate's: any thread, no I/O ---- */

/* Has this tenant any budget? */
gboolean reeve_budgets_is_active (ReeveBudgets *self, const char *tenant_id);
/* FALSE: %REEVE_ERROR_BUDGET_EXCEEDED; %REEVE_BUDGET_SHORT, unless request->refills is
 * REEVE_BUDGETS_REFILLS: to be asked again behind reeve_budgets_refill_async(). *reservation: NULL
 * where nothing bounds it. */
gboolean reeve_budgets_reserve (ReeveBudgets *self, const ReeveAdmissionRequest *request,
                                ReeveReservation **reservation, GError **error);
/* Waits until the tenant has been given more of the platform's budget. */
void reeve_budgets_refill_async (ReeveBudgets *self, const ReeveAdmissionRequest *request,
                                 GAsyncReadyCallback callback, gpointer user_data);
/* FALSE: there is not so much: what it has must do. */
gboolean reeve_budgets_refill_finish (ReeveBudgets *self, GAsyncResult *result);
/* Fills in what the outcome's record says of spending. @reservation is nullable. */
/* What a report tells, into its intent. */
void reeve_budgets_describe_report (ReeveBudgets *self, const ReeveAdmissionRequest *request,
                                    ReeveLedgerRecord *record);
void reeve_budgets_settle (ReeveBudgets *self, ReeveReservation *reservation,
                           const ReeveAdmissionRequest *request, const ReeveSettlement *settlement,
                           gboolean consumed, ReeveLedgerRecord *record);
/* (transfer full) reservation. */
void reeve_budgets_finish (ReeveBudgets *self, ReeveReservation *reservation, gboolean durable);

/* ---- reading and changing: blocks ---- */

/* key: org, agents/ID, users/ID, keys/ID, workspaces/ID. %REEVE_ERROR_NOT_FOUND */
JsonObject *reeve_budgets_get (ReeveBudgets *self, const char *tenant_id, const char *key,
                               GError **error);
/* (transfer full) all of a tenant, by scope */
JsonArray *reeve_budgets_list (ReeveBudgets *self, const char *tenant_id);
/* (transfer full) the platform's, with what each tenant was given; %REEVE_ERROR_NOT_FOUND */
JsonObject *reeve_budgets_get_platform (ReeveBudgets *self, GError **error);
/* Could a run ask its model (nullable: whatever it is) once? No I/O. %REEVE_ERROR_BUDGET_EXCEEDED
 */
gboolean reeve_budgets_can_begin_run (ReeveBudgets *self, const char *tenant_id,
                                      const ReeveBudgetWho *who, const char *model, GError **error);
/* {allowed, remaining, reason, budgets[]}: could @tokens be spent now, of @model (nullable)? */
JsonObject *reeve_budgets_check (ReeveBudgets *self, const char *tenant_id,
                                 const ReeveBudgetWho *who, const char *model, gint64 tokens);
/* Each consumes @admitted, which was admitted as @operation with @params. */
JsonObject *reeve_budgets_set (ReeveBudgets *self, ReeveAdmitted *admitted, const char *operation,
                               const char *key, JsonObject *params, JsonObject *limits,
                               GError **error);
gboolean reeve_budgets_unset (ReeveBudgets *self, ReeveAdmitted *admitted, const char *operation,
                              const char *key, JsonObject *params, GError **error);

G_END_DECLS
