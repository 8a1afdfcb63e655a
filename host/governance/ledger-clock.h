/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The time that a host has seen pass: a clock that jumps is not believed at once. Blocks. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REEVE_LEDGER_CLOCK_FILE "clock.idx"
/* a host may have been off for so long */
#define REEVE_LEDGER_CLOCK_LEAP (31 * 24 * G_TIME_SPAN_HOUR)

typedef struct _ReeveLedgerClock ReeveLedgerClock;

/* folder: of all logs */
ReeveLedgerClock *reeve_ledger_clock_new (const char *folder);
void reeve_ledger_clock_free (ReeveLedgerClock *self);
/* wall, monotonic: µs; returns the time that is believed, never ahead of @wall */
gint64 reeve_ledger_clock_tick (ReeveLedgerClock *self, gint64 wall, gint64 monotonic);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLedgerClock, reeve_ledger_clock_free)

G_END_DECLS
