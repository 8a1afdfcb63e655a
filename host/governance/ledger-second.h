/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveLedgerSecond: a second place, on another disk, where logs go on while theirs cannot be
 * written. What lies there is segments of the same logs, with the numbers and chain hashes that
 * they have at home too. */
#pragma once

#include "ledger-key.h"

G_BEGIN_DECLS

/* What came home of a log. */
typedef struct
{
  char *scope;
  guint64 first;
  guint64 last;
  char digest[65]; /* SHA-256 of all that was there, hexadecimal */
  char reason[64]; /* of the record that says so */
} ReeveLedgerBack;

typedef struct _ReeveLedgerSecond ReeveLedgerSecond;

/* (nullable) (transfer full): the place that the ledger in @root used last */
char *reeve_ledger_second_read_earlier (const char *root);
ReeveLedgerSecond *reeve_ledger_second_open (const char *root, const char *folder, GError **error);
void reeve_ledger_second_free (ReeveLedgerSecond *self);
/* the ledger uses it no more */
gboolean reeve_ledger_second_forget (ReeveLedgerSecond *self, GError **error);
char *reeve_ledger_second_get_folder (ReeveLedgerSecond *self, const char *scope);
/* before logs are opened */
gboolean reeve_ledger_second_bring_home (ReeveLedgerSecond *self, ReeveLedgerKey *key,
                                         GPtrArray *backs, GError **error);

void reeve_ledger_back_free (ReeveLedgerBack *self);

/* One segment, durable at home when this returns; all of its bytes go into @digest. */
gboolean reeve_ledger_second_copy (const char *from, const char *home, guint64 first,
                                   guint64 length, GChecksum *digest, GError **error);
gboolean reeve_ledger_second_mark_home (const char *home, guint64 last, GError **error);
/* Takes away what came home. */
gboolean reeve_ledger_second_remove (const char *folder, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerSecond, reeve_ledger_second_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerBack, reeve_ledger_back_free)

G_END_DECLS
