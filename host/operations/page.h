/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages of a list that is whole in memory: plugins, tools, models. */
#pragma once

#include "call.h"

G_BEGIN_DECLS

/* Answers the call with the page that its limit and cursor mean. (transfer full) all */
void reeve_page_answer (ReeveCall *call, JsonArray *all);

G_END_DECLS
