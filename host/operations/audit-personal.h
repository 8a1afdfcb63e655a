/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was kept for one record of the ledger, shown with it. */
#pragma once

#include "governance/kept-values.h"

G_BEGIN_DECLS

/* Adds `body`, and `ip` of its `actor`, to a record as it is shown outside. Blocks. */
void reeve_audit_personal_add (ReeveKeptValues *values, const char *scope, JsonObject *record);

G_END_DECLS
