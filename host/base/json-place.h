/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a value stands in a JSON text, for whoever has to mend it there. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Line of the value that a JSON pointer means, from 1; of what encloses it where it is missing. The
 * text is one that reeve_json_parse_strict() took. */
guint reeve_json_place_line (const char *text, gsize length, const char *pointer);

G_END_DECLS
