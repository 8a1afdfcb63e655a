/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Turns: what is decided by many records is committed only if nobody else's change of the same
 * matter came between the looking and the commit. A counter of the tenant is the condition of the
 * batch, so it holds for every host on the store. */
#pragma once

#include "store/store.h"

G_BEGIN_DECLS

/* Before looking. Blocks. */
gboolean reeve_role_turns_begin (ReeveStore *store, const char *tenant_id, const char *matter,
                                 gint64 *turn, GError **error);
/* The commit is to fail unless the turn is still that one; it ends the turn. */
void reeve_role_turns_claim (ReeveBatch *batch, const char *matter, gint64 turn);
/* It ends whatever turn there is: for changes that only others must not overlook. */
void reeve_role_turns_note (ReeveBatch *batch, const char *matter);
/* After the commit: an error because somebody else had a turn becomes %REEVE_ERROR_CONFLICT. */
void reeve_role_turns_judge (GError **error);

G_END_DECLS
