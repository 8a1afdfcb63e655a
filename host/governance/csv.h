/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tables of any export are written with. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* what RFC 4180 and 7111 call a table with a header */
#define REEVE_CSV_MEDIA_TYPE "text/csv; charset=utf-8; header=present"

void reeve_csv_append (GString *out, const char *value);

G_END_DECLS
