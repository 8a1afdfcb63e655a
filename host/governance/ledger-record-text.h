/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What ledger-record.c spells and reads records with. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* 0: it has none */
char reeve_ledger_record_short_escape (guchar c);
/* how many bytes at the front stand in JSON as they are */
gsize reeve_ledger_record_measure_plain (const char *bytes, gsize length);
void reeve_ledger_record_write_bytes (GString *json, const char *bytes, gsize length);
void reeve_ledger_record_write_string (GString *json, const char *value, gsize plain);
void reeve_ledger_record_write_number (GString *json, guint64 value);
gboolean reeve_ledger_record_check_string (const char *name, const char *value, gsize *plain,
                                           GError **error);
/* FALSE: it is no such number, or a record says it without quotes */
gboolean reeve_ledger_record_parse_wide (const char *text, gint64 *value);

G_END_DECLS
