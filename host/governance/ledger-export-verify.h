/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verifies JSON exports: with the public key, and nothing else. */
#pragma once

#include <stdio.h>

#include "ledger-key.h"
#include <reeve-plugin-1.h>

G_BEGIN_DECLS

JsonObject *reeve_ledger_export_verify (FILE *file, ReeveLedgerKey *key);

G_END_DECLS
