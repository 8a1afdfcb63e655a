/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The event says the log's name, how many records it had and their root: what somebody kept of it
 * can be compared with that when it is gone. */
#include "ledger-ended.h"

#include <string.h>

#include <reeve-plugin-1.h>

#include "base/digests.h"

#include "ledger.h"

/**
 * reeve_ledger_ended_free:
 * @self: (transfer full): what was said
 */
void
reeve_ledger_ended_free (ReeveLedgerEnded *self)
{
  g_free (self->scope);
  g_free (self);
}

/**
 * reeve_ledger_ended_parse:
 * @entry: a record of the platform's log
 *
 * One that does not say what the log was is of a log without records, before which no checkpoint
 * that was kept holds.
 *
 * Returns: (transfer full) (nullable): what it says; %NULL when it is no event `ledger.ended`
 */
ReeveLedgerEnded *
reeve_ledger_ended_parse (const ReeveLedgerEntry *entry)
{
  static const char action[] = REEVE_LEDGER_ACTION_ENDED;
  g_autoptr (JsonNode) node = NULL;
  JsonObject *record = NULL;
  JsonObject *resource = NULL;
  ReeveLedgerEnded *self = NULL;
  const char *reason = NULL;
  const char *scope = NULL;

  if (memmem (entry->json, entry->length, action, strlen (action)) == NULL)
    return NULL;
  node = reeve_json_parse_strict (entry->json, entry->length, NULL);
  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return NULL;
  record = json_node_get_object (node);
  resource = reeve_json_get_object (record, "resource");
  scope = resource != NULL ? reeve_json_get_string (resource, "id", NULL) : NULL;
  if (scope == NULL || strcmp (reeve_json_get_string (record, "action", ""), action) != 0)
    return NULL;
  self = g_new0 (ReeveLedgerEnded, 1);
  self->scope = g_strdup (scope);
  reason = reeve_json_get_string (record, "reason", "");
  if (!g_str_has_prefix (reason, REEVE_LEDGER_ENDED_REASON)
      || !g_ascii_string_to_unsigned (reason + strlen (REEVE_LEDGER_ENDED_REASON), 10, 0,
                                      G_MAXINT64, &self->checkpoint.size, NULL)
      || !reeve_digests_from_hex (reeve_json_get_string (record, "output_digest", ""),
                                  self->checkpoint.root, sizeof self->checkpoint.root, NULL))
    self->checkpoint = (ReeveCheckpoint){ 0 };
  return self;
}

/**
 * reeve_ledger_ended_fits:
 * @self: what was said
 * @checkpoint: one of that log that was kept
 *
 * Returns: whether it is of a shorter log, of which nothing can be said any more, or of the one
 * that has ended
 */
gboolean
reeve_ledger_ended_fits (const ReeveLedgerEnded *self, const ReeveCheckpoint *checkpoint)
{
  return checkpoint->size < self->checkpoint.size
         || (checkpoint->size == self->checkpoint.size
             && memcmp (checkpoint->root, self->checkpoint.root, sizeof checkpoint->root) == 0);
}
