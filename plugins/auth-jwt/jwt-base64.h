/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* base64url as JOSE writes it, and no other way. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

guint8 *jwt_base64_decode (const char *text, gsize length, gsize *decoded);

G_END_DECLS
