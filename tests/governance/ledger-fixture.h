/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A ledger in a folder of its own. */
#pragma once

#include "governance/ledger.h"

typedef struct
{
  char *state;
  char *folder;
  char *keys;
  ReeveLedger *ledger;
} LedgerFixture;

void ledger_fixture_set_up (LedgerFixture *fixture, gconstpointer data);
void ledger_fixture_tear_down (LedgerFixture *fixture, gconstpointer data);
void ledger_fixture_open (LedgerFixture *fixture);
void ledger_fixture_close (LedgerFixture *fixture);
guint64 ledger_fixture_append (LedgerFixture *fixture, const char *scope, ReeveLedgerKind kind,
                               const char *action, guint64 intent);
JsonObject *ledger_fixture_verify (LedgerFixture *fixture);
void ledger_fixture_assert_valid (LedgerFixture *fixture);
