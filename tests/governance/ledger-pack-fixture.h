/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A log of several files, for tests of what packs them. */
#pragma once

#include "ledger-fixture.h"

#define SEGMENT "00000000000000000001.log"
#define SIZE    (64 * 1024)
/* so many go to the disk at once, and into one file */
#define AT_ONCE 60

void ledger_pack_fixture_open_of_size (LedgerFixture *fixture, guint64 size);
void ledger_pack_fixture_open_large (LedgerFixture *fixture);
void ledger_pack_fixture_fill (LedgerFixture *fixture, guint count);
void ledger_pack_fixture_set_up (LedgerFixture *fixture, gconstpointer data);
char *ledger_pack_fixture_path_of (LedgerFixture *fixture, const char *name);
void ledger_pack_fixture_pack (LedgerFixture *fixture);
gboolean ledger_pack_fixture_is_packed (const char *path);
