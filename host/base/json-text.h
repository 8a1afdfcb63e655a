/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON as it is shown outside: members in the order they were set, numbers as short as they can be
 * told apart. */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* (transfer full) */
char *reeve_json_text (JsonNode *node);

G_END_DECLS
