/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many tokens a text may be at most: for reservations, which must not be passed by what the
 * service counts. */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

gint64 reeve_token_estimate_text (const char *text, gsize length);
/* Messages and tools (both nullable) in OpenAI's shape, with what a service puts around them. */
gint64 reeve_token_estimate_chat (JsonArray *messages, JsonArray *tools);
gint64 reeve_token_estimate_texts (const char *const *texts);
/* What is written down where a service did not count: a token for four bytes, rounded up. */
gint64 reeve_token_estimate_bytes (gsize bytes);

G_END_DECLS
