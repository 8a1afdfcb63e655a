/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The folder of all logs. */
#pragma once

#include "ledger-key.h"

G_BEGIN_DECLS

gboolean reeve_ledger_root_check_scope (const char *scope, GError **error);
char **reeve_ledger_root_list_scopes (const char *root, GError **error);
char **reeve_ledger_root_sort (GPtrArray *scopes);
gboolean reeve_ledger_root_create_log (const char *root, const char *scope, ReeveLedgerKey *key,
                                       GError **error);

G_END_DECLS
