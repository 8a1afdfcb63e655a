/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Are both halves of every key whole that was not erased? A backup helps while there is one. */
#include "subject-keys-private.h"

#include <string.h>

#define REEVE_SUBJECT_KEYS_PAGE 500

/* NULL: it is whole, or was erased */
static char *
reeve_subject_keys_judge (ReeveSubjectKeys *self, const char *scope, const char *subject,
                          ReeveSubjectRecord *record)
{
  guint8 share[REEVE_SUBJECT_SHARES_SIZE];
  g_autoptr (GError) error = NULL;
  gboolean ok = TRUE;

  if (record->damage != NULL
      && !reeve_subject_shares_is_erased (self->folder, scope, subject, record->generation))
    ok = reeve_subject_keys_blame (scope, subject, record->damage, &error);
  else if (record->alive)
    ok = reeve_subject_shares_load (self->folder, scope, subject, record->generation, share, &error)
         || g_error_matches (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  explicit_bzero (share, sizeof share);
  explicit_bzero (record->half, sizeof record->half);
  return ok ? NULL : g_strdup_printf ("%s of %s: %s", subject, scope, error->message);
}

static gboolean
reeve_subject_keys_check_scope (ReeveSubjectKeys *self, const char *scope, GPtrArray *faults,
                                guint *keys, GError **error)
{
  g_autofree char *cursor = NULL;

  do
    {
      g_autoptr (ReeveQuery) query = reeve_query_new (scope, REEVE_STORE_SUBJECTS);
      g_autoptr (ReeveQueryResult) result = NULL;
      GPtrArray *records = NULL;

      reeve_query_limit (query, REEVE_SUBJECT_KEYS_PAGE);
      reeve_query_cursor (query, cursor);
      result = reeve_store_query (self->store, query, error);
      if (result == NULL)
        return FALSE;
      records = reeve_query_result_get_records (result);
      for (guint i = 0; i < records->len; i++)
        {
          const char *subject = reeve_record_get_id (records->pdata[i]);
          ReeveSubjectRecord record;
          char *fault = NULL;

          reeve_subject_keys_take (records->pdata[i], &record);
          *keys += record.alive ? 1 : 0;
          fault = reeve_subject_keys_judge (self, scope, subject, &record);
          if (fault != NULL)
            g_ptr_array_add (faults, fault);
        }
      g_free (cursor);
      cursor = g_strdup (reeve_query_result_get_cursor (result));
    }
  while (cursor != NULL);
  return TRUE;
}

/**
 * reeve_subject_keys_check:
 * @self: keys of subjects
 * @keys: (out): how many there are
 * @error: return location
 *
 * Looks at every key of every tenant. Blocks.
 *
 * Returns: (transfer full) (element-type utf8): which are damaged and what to do; %NULL with an
 * error of the store
 */
GPtrArray *
reeve_subject_keys_check (ReeveSubjectKeys *self, guint *keys, GError **error)
{
  g_autoptr (GPtrArray) faults = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) scopes = reeve_store_list_scopes (self->store, error);

  *keys = 0;
  if (scopes == NULL)
    return NULL;
  for (guint i = 0; scopes[i] != NULL; i++)
    if (strcmp (scopes[i], REEVE_SCOPE_PLATFORM) != 0
        && !reeve_subject_keys_check_scope (self, scopes[i], faults, keys, error))
      {
        g_prefix_error (error, "looking at the keys of subjects of %s: ", scopes[i]);
        return NULL;
      }
  return g_steal_pointer (&faults);
}
