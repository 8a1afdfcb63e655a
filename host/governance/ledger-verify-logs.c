/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which logs must be there: those whose making the platform's log records, and those of which
 * somebody kept a checkpoint; but not those that it says have ended. */
#include "ledger-verify-private.h"

#include <string.h>

#include <reeve-plugin-1.h>

#include "ledger-ended.h"
#include "ledger-kept.h"
#include "ledger.h"

/* What the platform's log says of other logs: made, and gone as a whole. */
void
reeve_ledger_verify_note_logs (ReeveLedgerVerify *self, const ReeveLedgerEntry *entry)
{
  g_autofree char *made = reeve_ledger_verify_get_event (entry, REEVE_LEDGER_ACTION_CREATED);
  ReeveLedgerEnded *ended = reeve_ledger_ended_parse (entry);
  guint index = 0;

  if (made != NULL)
    g_ptr_array_add (self->created, g_steal_pointer (&made));
  if (ended == NULL)
    return;
  while (g_ptr_array_find_with_equal_func (self->created, ended->scope, g_str_equal, &index))
    g_ptr_array_remove_index (self->created, index);
  g_ptr_array_add (self->ended, ended);
}

static void
reeve_ledger_verify_since_free (gpointer data)
{
  ReeveLedgerVerifySince *since = data;

  g_free (since->scope);
  g_free (since);
}

static gboolean
reeve_ledger_verify_add_since (GPtrArray *list, GPtrArray *texts, ReeveLedgerKey *key,
                               GError **error)
{
  for (guint i = 0; texts != NULL && i < texts->len; i++)
    {
      gsize length = 0;
      const char *text = g_bytes_get_data (g_ptr_array_index (texts, i), &length);
      ReeveLedgerVerifySince *since = g_new0 (ReeveLedgerVerifySince, 1);

      g_ptr_array_add (list, since);
      if (!reeve_checkpoint_parse_any (&since->checkpoint, text, length, &since->scope, key, error))
        {
          g_prefix_error (error, "reading the checkpoint that was kept: ");
          return FALSE;
        }
    }
  return TRUE;
}

/* (transfer full) what the kept checkpoints say, and those that the host keeps apart */
GPtrArray *
reeve_ledger_verify_read_since (GPtrArray *texts, ReeveLedgerKey *key, GError **error)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func (reeve_ledger_verify_since_free);
  g_autoptr (GPtrArray) own = reeve_ledger_kept_list (key, error);

  if (own == NULL || !reeve_ledger_verify_add_since (list, own, key, error)
      || !reeve_ledger_verify_add_since (list, texts, key, error))
    return NULL;
  return g_steal_pointer (&list);
}

/* A log of which a checkpoint was kept must be there, unless it has ended as what that says. The
 * platform's must be in any case. */
static void
reeve_ledger_verify_need_logs (const ReeveLedgerVerify *platform)
{
  GPtrArray *created = platform->created;
  GPtrArray *kept = platform->since;
  GPtrArray *ended = platform->ended;

  g_ptr_array_add (created, g_strdup (REEVE_SCOPE_PLATFORM));
  for (guint i = 0; i < kept->len; i++)
    {
      const ReeveLedgerVerifySince *since = g_ptr_array_index (kept, i);
      gboolean gone = FALSE;

      for (guint j = 0; j < ended->len; j++)
        {
          const ReeveLedgerEnded *one = g_ptr_array_index (ended, j);

          if (strcmp (one->scope, since->scope) == 0)
            gone = reeve_ledger_ended_fits (one, &since->checkpoint);
        }
      if (!gone && !g_ptr_array_find_with_equal_func (created, since->scope, g_str_equal, NULL))
        g_ptr_array_add (created, g_strdup (since->scope));
    }
}

void
reeve_ledger_verify_add_missing (const ReeveLedgerVerify *platform, JsonArray *logs, char **scopes)
{
  GPtrArray *created = platform->created;

  reeve_ledger_verify_need_logs (platform);
  for (guint i = 0; i < created->len; i++)
    {
      const char *scope = g_ptr_array_index (created, i);
      JsonObject *verdict = NULL;

      if (g_strv_contains ((const char *const *) scopes, scope))
        continue;
      verdict = json_object_new ();
      json_object_set_string_member (verdict, "scope", scope);
      json_object_set_boolean_member (verdict, "valid", FALSE);
      json_object_set_int_member (verdict, "size", 0);
      json_object_set_string_member (verdict, "error", "the log is missing");
      json_object_set_string_member (verdict, "file", scope);
      json_object_set_int_member (verdict, "bad_seq", 1);
      json_array_add_object_element (logs, verdict);
    }
}
