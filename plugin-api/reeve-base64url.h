/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* base64url without padding: one text for each run of bytes. */
#pragma once

#include <glib.h>

#include "reeve-version.h"

G_BEGIN_DECLS

/* (transfer full) (nullable): the bytes, with a NUL behind them that does not count */
REEVE_AVAILABLE_IN_1_0
guint8 *reeve_base64url_decode (const char *text, gsize length, gsize *decoded);
REEVE_AVAILABLE_IN_1_0
char *reeve_base64url_encode (gconstpointer data, gsize length);

G_END_DECLS
