/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sums of usage as a table. */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

char *reeve_usage_csv_print (JsonObject *shown);

G_END_DECLS
