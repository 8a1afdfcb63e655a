/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names and values of HTTP header fields, as RFC 9110 has them. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A token of RFC 9110, section 5.6.2: what a field's name, or a method, may be. */
gboolean reeve_http_fields_is_token (const char *text);
/* Without control characters but the tab: what cannot end the line that it stands in. */
gboolean reeve_http_fields_is_value (const char *text);
/* Does a field of that name describe the connection or the framing? Those are whoever sends it's
 * own: nobody else says them. */
gboolean reeve_http_fields_is_framing (const char *name);

G_END_DECLS
