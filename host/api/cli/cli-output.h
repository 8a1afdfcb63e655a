/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers as people read them on a terminal. */
#pragma once

#include <reeve-json.h>

G_BEGIN_DECLS

/* columns: members shown of a list; sort and filter (nullable): client's --sort MEMBER and --filter
 * MEMBER=TEXT */
void reeve_cli_output_print (JsonNode *body, const char *const *columns, const char *sort,
                             const char *filter);
/* the answer of a run: text, references, what it took */
void reeve_cli_output_print_run (JsonObject *answer, gboolean with_text);

G_END_DECLS
