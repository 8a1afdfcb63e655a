/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Points in time: microseconds since 1970 inside, RFC 3339 in UTC with milliseconds outside. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* "2026-11-22T02:37:58.123Z" and its NUL */
#define REEVE_TIMES_BUFFER 32

#define REEVE_TIMES_SECOND G_TIME_SPAN_SECOND
#define REEVE_TIMES_DAY    G_TIME_SPAN_DAY

gint64 reeve_times_now (void);
void reeve_times_print (gint64 time, char buffer[REEVE_TIMES_BUFFER]);
char *reeve_times_format (gint64 time) G_GNUC_WARN_UNUSED_RESULT;
gboolean reeve_times_parse (const char *text, gint64 *time, GError **error);

G_END_DECLS
