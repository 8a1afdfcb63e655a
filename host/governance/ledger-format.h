/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records in the spellings that others read: JSON, CSV, CEF, LEEF, OCSF. */
#pragma once

#include "ledger-record.h"

G_BEGIN_DECLS

typedef enum
{
  REEVE_LEDGER_FORMAT_JSON, /* the record's own text */
  REEVE_LEDGER_FORMAT_CSV,  /* RFC 4180 */
  REEVE_LEDGER_FORMAT_CEF,  /* ArcSight Common Event Format, revision 0 */
  REEVE_LEDGER_FORMAT_LEEF, /* IBM Log Event Extended Format 2.0 */
  REEVE_LEDGER_FORMAT_OCSF  /* Open Cybersecurity Schema Framework, JSON lines */
} ReeveLedgerFormat;

/* longest name of an event, "<scope>/<seq>", and its NUL */
#define REEVE_LEDGER_FORMAT_ID_SIZE (REEVE_LEDGER_RECORD_MAX_STRING + 24)

/**
 * ReeveLedgerFormatEntry:
 * @record: the record
 * @text: its text; no terminator
 * @length: bytes of @text
 * @leaf: its leaf hash
 */
typedef struct
{
  const ReeveLedgerRecord *record;
  const char *text;
  gsize length;
  const guint8 *leaf;
} ReeveLedgerFormatEntry;

gboolean reeve_ledger_format_find (const char *name, ReeveLedgerFormat *format);
const char *reeve_ledger_format_get_media_type (ReeveLedgerFormat format);
void reeve_ledger_format_append_head (ReeveLedgerFormat format, GString *out);
void reeve_ledger_format_append (ReeveLedgerFormat format, const ReeveLedgerFormatEntry *entry,
                                 GString *out);
void reeve_ledger_format_print_id (const ReeveLedgerRecord *record,
                                   char id[REEVE_LEDGER_FORMAT_ID_SIZE]);
/* 1 as it should be … 10 */
guint reeve_ledger_format_get_severity (const ReeveLedgerRecord *record);

/* ledger-format-ocsf.c: without a line end */
void reeve_ledger_format_append_ocsf (const ReeveLedgerFormatEntry *entry, GString *out);

G_END_DECLS
