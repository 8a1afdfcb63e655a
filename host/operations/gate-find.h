/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an identifier of a call names. Private to the gate. */
#pragma once

#include "gate-pass.h"

G_BEGIN_DECLS

/* Is it there, and is it shown to the caller? Blocks. */
gboolean reeve_gate_find_record (ReeveGatePass *pass, const ReeveIdentifier *identifier,
                                 const char *id, gboolean *exists, GError **error);

G_END_DECLS
