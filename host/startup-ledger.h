/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The settings of the ledger. */
#pragma once

#include "base/config.h"
#include "governance/ledger.h"

G_BEGIN_DECLS

/* Before it is opened. %REEVE_ERROR_CONFIGURATION: of audit.when_unavailable. */
gboolean reeve_startup_ledger_configure (ReeveLedger *ledger, ReeveConfig *config, GError **error);

G_END_DECLS
