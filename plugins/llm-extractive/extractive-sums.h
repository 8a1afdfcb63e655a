/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finds out whether a question is plain arithmetic. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

gchar *extractive_sums_find (const gchar *text);

G_END_DECLS
