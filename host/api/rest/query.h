/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the query of a request's target to members of a call. */
#pragma once

#include "operations/call.h"

G_BEGIN_DECLS

void reeve_rest_query_give (const char *target, ReeveCall *call);

G_END_DECLS
