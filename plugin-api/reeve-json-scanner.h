/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scanner behind reeve-json.h. Not installed. */
#pragma once

#include "reeve-json.h"

G_BEGIN_DECLS

G_GNUC_INTERNAL gboolean reeve_json_scanner_run (const char *data, gsize length,
                                                 const char *const *names, ReeveJsonSlice *slices,
                                                 GError **error);
/* The first byte before @end that stands in a string only with an escape or behind one: a quote, a
 * backslash, a control character; or @end. */
G_GNUC_INTERNAL const char *reeve_json_scanner_skip_run (const char *at, const char *end);
G_GNUC_INTERNAL const char *reeve_json_scanner_decode (const char *at, const char *end,
                                                       char bytes[4], guint *n_bytes);

G_END_DECLS
