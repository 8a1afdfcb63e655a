/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filters on parsed records; one that is not set lets everything pass. */
#include "ledger-filter.h"

#include <string.h>

#include "ledger-record.h"

/* where the strings of a filter are */
static const gsize reeve_ledger_filter_strings[] = {
  G_STRUCT_OFFSET (ReeveLedgerFilter, action),
  G_STRUCT_OFFSET (ReeveLedgerFilter, actor),
  G_STRUCT_OFFSET (ReeveLedgerFilter, agent_id),
  G_STRUCT_OFFSET (ReeveLedgerFilter, delegated_user_id),
  G_STRUCT_OFFSET (ReeveLedgerFilter, run_id),
  G_STRUCT_OFFSET (ReeveLedgerFilter, tool_name),
  G_STRUCT_OFFSET (ReeveLedgerFilter, resource),
  G_STRUCT_OFFSET (ReeveLedgerFilter, kind),
  G_STRUCT_OFFSET (ReeveLedgerFilter, outcome),
  G_STRUCT_OFFSET (ReeveLedgerFilter, text),
};

static gboolean
reeve_ledger_filter_is (const char *wanted, const char *found)
{
  return wanted == NULL || g_strcmp0 (wanted, found) == 0;
}

/**
 * reeve_ledger_filter_matches:
 * @self: a filter; its cursors and its limit are not looked at
 * @record: a record
 * @text: the record's text; no terminator
 * @length: bytes of @text
 *
 * Returns: whether the record is meant
 */
gboolean
reeve_ledger_filter_matches (const ReeveLedgerFilter *self, const ReeveLedgerRecord *record,
                             const char *text, gsize length)
{
  return reeve_ledger_filter_is (self->action, record->action)
         && reeve_ledger_filter_is (self->actor, record->actor_id)
         && reeve_ledger_filter_is (self->agent_id, record->agent_id)
         && reeve_ledger_filter_is (self->delegated_user_id, record->delegated_user_id)
         && reeve_ledger_filter_is (self->run_id, record->run_id)
         && reeve_ledger_filter_is (self->tool_name, record->tool_name)
         && reeve_ledger_filter_is (self->resource, record->resource_id)
         && reeve_ledger_filter_is (self->kind, reeve_ledger_record_kind_name (record->kind))
         && reeve_ledger_filter_is (self->outcome,
                                    reeve_ledger_record_outcome_name (record->outcome))
         && (self->from == 0 || record->time >= self->from)
         && (self->to == 0 || record->time < self->to)
         && (self->text == NULL || memmem (text, length, self->text, strlen (self->text)) != NULL);
}

/**
 * reeve_ledger_filter_copy:
 * @self: (out caller-allocates): gets copies of the strings; reeve_ledger_filter_clear() frees them
 * @other: a filter
 */
void
reeve_ledger_filter_copy (ReeveLedgerFilter *self, const ReeveLedgerFilter *other)
{
  *self = *other;
  for (guint i = 0; i < G_N_ELEMENTS (reeve_ledger_filter_strings); i++)
    {
      char **string = G_STRUCT_MEMBER_P (self, reeve_ledger_filter_strings[i]);

      *string = g_strdup (*string);
    }
}

/**
 * reeve_ledger_filter_clear:
 * @self: a filter that reeve_ledger_filter_copy() made
 */
void
reeve_ledger_filter_clear (ReeveLedgerFilter *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (reeve_ledger_filter_strings); i++)
    g_free (G_STRUCT_MEMBER (char *, self, reeve_ledger_filter_strings[i]));
  *self = (ReeveLedgerFilter){ 0 };
}
