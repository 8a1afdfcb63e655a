/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names and titles that others gave, as they stand in lists, logs and terminals: one line, which
 * says what it shows. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* text: valid UTF-8. FALSE: there is a control character in it, a line break, or one that turns the
 * direction of what follows. */
gboolean reeve_plain_is_line (const char *text);
/* (transfer full): the same text with a blank in place of each of these. */
char *reeve_plain_make_line (const char *text);
/* The same of a text of many lines: line feeds and tabs stay. */
char *reeve_plain_make_text (const char *text);

G_END_DECLS
