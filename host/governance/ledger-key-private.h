/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that make up ReeveLedgerKey share: ledger-key.c (the list of keys),
 * ledger-key-next.c (changing to another). */
#pragma once

#include "ledger-key-pair.h"
#include "ledger-key.h"

G_BEGIN_DECLS

/* one a month for more than three years; the file stays small */
#define REEVE_LEDGER_KEY_MAX_PAIRS 40

struct _ReeveLedgerKey
{
  GMutex mutex;
  GPtrArray *pairs; /* under the mutex: ReeveLedgerKeyPair, oldest first */
  char *folder;     /* (nullable): where it came from */
};

/* (transfer full) the pair that signs */
ReeveLedgerKeyPair *reeve_ledger_key_get_signing (ReeveLedgerKey *self);
gboolean reeve_ledger_key_write_list (GPtrArray *pairs, const char *path, GError **error);

G_END_DECLS
