/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two policies as text, line by line. */
#pragma once

#include <reeve-json.h>

G_BEGIN_DECLS

/* (transfer full) lines with -, + or a blank before them; "" when both say the same. Both
 * (nullable): there is none. */
char *reeve_cli_policy_diff_new (JsonObject *before, JsonObject *after);

G_END_DECLS
