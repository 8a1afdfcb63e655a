/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cost reports that are kept, in the tenant's store. */
#pragma once

#include "store/store.h"

#include "admission.h"

G_BEGIN_DECLS

/* Each consumes @admitted, which was admitted as @operation with @params; worker threads: they
 * block. */

/* (transfer full) the report as it is shown outside; @draft: of reeve_cost_report_draft() */
JsonObject *reeve_cost_reports_create (ReeveStore *store, ReeveAdmitted *admitted,
                                       const char *operation, JsonObject *params, JsonObject *draft,
                                       GError **error);
/* params: {report_id, amount, reason}. %REEVE_ERROR_NOT_FOUND, %REEVE_ERROR_INVALID_ARGUMENT */
JsonObject *reeve_cost_reports_adjust (ReeveStore *store, ReeveAdmitted *admitted,
                                       const char *operation, JsonObject *params, GError **error);
JsonObject *reeve_cost_reports_get (ReeveStore *store, const char *tenant_id, const char *report_id,
                                    GError **error);
/* {items, next_cursor} */
JsonObject *reeve_cost_reports_list (ReeveStore *store, const char *tenant_id, JsonObject *params,
                                     GError **error);

G_END_DECLS
