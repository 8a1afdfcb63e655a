/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes values that a JSON Schema allows. */
#pragma once

#include "base/json-schema.h"

G_BEGIN_DECLS

/* (transfer full) (nullable): a value that @schema allows, with everything it names (@full) or only
 * what it requires; %NULL when none was found, for it is a guess */
JsonNode *check_sample_make (ReeveSchema *schema, gboolean full);

G_END_DECLS
