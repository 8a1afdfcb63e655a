/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A record under the names that audit schemas elsewhere have for it. */
#pragma once

#include "ledger-record.h"

G_BEGIN_DECLS

/* a UUID and its NUL */
#define REEVE_LEDGER_EVENT_ID_SIZE 37
/* longest text of an event: each string of a record is in it twice at most */
#define REEVE_LEDGER_EVENT_MAX_JSON (2 * REEVE_LEDGER_RECORD_MAX_JSON + 1024)

void reeve_ledger_event_print_id (const guint8 *leaf, char id[REEVE_LEDGER_EVENT_ID_SIZE]);
void reeve_ledger_event_write (const ReeveLedgerRecord *record, const guint8 *leaf, GString *json);
gboolean reeve_ledger_event_add (JsonObject *shown, const ReeveLedgerRecord *record,
                                 const guint8 *leaf, GError **error);

G_END_DECLS
