/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does the gate refuse what it must? Asked of the very gate that everybody goes through, before
 * anybody is let in. */
#pragma once

#include "admission.h"

G_BEGIN_DECLS

/* actions of its records, in the platform's log */
#define REEVE_SELF_TEST_PERMISSION "self_test.permission"
#define REEVE_SELF_TEST_POLICY     "self_test.policy"
#define REEVE_SELF_TEST_DONE       "self_test.done"

/* FALSE: the gate let something through, refused for another reason, or left no record;
 * REEVE_ERROR_CONFIGURATION. took_us (out) (nullable). Blocks. */
gboolean reeve_self_test_run (ReeveAdmission *admission, ReeveLedger *ledger, gint64 *took_us,
                              GError **error);

G_END_DECLS
