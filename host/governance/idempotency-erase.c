/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* With a user goes what he was answered. The record stays until it expires, without the answer: it
 * is what keeps the request from being performed a second time. */
#include "idempotency-private.h"

#include "subject-keys.h"

#define REEVE_IDEMPOTENCY_ERASE_PAGE 100
/* tries while others clear away what has expired */
#define REEVE_IDEMPOTENCY_ERASE_TRIES 64

/* Adds one that has been answered; what still runs has no answer yet. */
static void
reeve_idempotency_erase_add (ReeveBatch *batch, ReeveRecord *record)
{
  static const char *const kept[]
      = { "fingerprint", "expires_at", "status", REEVE_IDEMPOTENCY_SUBJECT };
  JsonObject *fields = reeve_record_get_fields (record);
  g_autoptr (JsonObject) emptied = NULL;

  if (reeve_json_get_int (fields, "status", 0) == 0
      || reeve_json_get_boolean (fields, REEVE_IDEMPOTENCY_ERASED, FALSE))
    return;
  emptied = json_object_new ();
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    if (json_object_has_member (fields, kept[i]))
      json_object_set_member (emptied, kept[i], json_object_dup_member (fields, kept[i]));
  json_object_set_boolean_member (emptied, REEVE_IDEMPOTENCY_ERASED, TRUE);
  reeve_batch_put (batch, REEVE_STORE_IDEMPOTENCY, reeve_record_get_id (record), emptied,
                   reeve_record_get_revision (record));
}

/* One page; *cursor is that of the next, NULL behind the last. */
static gboolean
reeve_idempotency_erase_page (ReeveIdempotency *self, const char *scope, const char *subject,
                              char **cursor, GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (scope, REEVE_STORE_IDEMPOTENCY);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (scope);
  g_autoptr (ReeveQueryResult) result = NULL;
  g_autoptr (ReeveBatchResult) done = NULL;
  GPtrArray *records = NULL;

  reeve_query_filter_string (query, REEVE_IDEMPOTENCY_SUBJECT, REEVE_FILTER_EQ, subject);
  reeve_query_limit (query, REEVE_IDEMPOTENCY_ERASE_PAGE);
  reeve_query_cursor (query, *cursor);
  result = reeve_store_query (self->store, query, error);
  if (result == NULL)
    return FALSE;
  records = reeve_query_result_get_records (result);
  for (guint i = 0; i < records->len; i++)
    reeve_idempotency_erase_add (batch, records->pdata[i]);
  if (reeve_batch_get_length (batch) > 0)
    {
      done = reeve_store_commit (self->store, batch, error);
      if (done == NULL)
        return FALSE;
    }
  g_free (*cursor);
  *cursor = g_strdup (reeve_query_result_get_cursor (result));
  return TRUE;
}

static gboolean
reeve_idempotency_erase_all (ReeveIdempotency *self, const char *scope, const char *subject,
                             GError **error)
{
  g_autofree char *cursor = NULL;

  do
    if (!reeve_idempotency_erase_page (self, scope, subject, &cursor, error))
      return FALSE;
  while (cursor != NULL);
  return TRUE;
}

/**
 * reeve_idempotency_erase:
 * @self: idempotency keys
 * @admitted: the right to `compliance.erase` of @subject
 * @scope: a tenant
 * @subject: a user of it, or one that was
 * @error: return location
 *
 * Idempotent. Blocks.
 *
 * Returns: %FALSE with an error of the store; it is to be tried again then
 */
gboolean
reeve_idempotency_erase (ReeveIdempotency *self, ReeveAdmitted *admitted, const char *scope,
                         const char *subject, GError **error)
{
  reeve_admitted_expect (admitted, REEVE_SUBJECT_KEYS_OPERATION, subject, NULL);
  if (!reeve_admitted_is_consumed (admitted))
    reeve_admitted_consume_exactly (admitted, REEVE_SUBJECT_KEYS_OPERATION, subject, NULL);
  for (guint i = 0; i < REEVE_IDEMPOTENCY_ERASE_TRIES; i++)
    {
      g_autoptr (GError) local = NULL;

      if (reeve_idempotency_erase_all (self, scope, subject, &local))
        return TRUE;
      /* one was cleared away meanwhile, or expired and was taken again */
      if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_CONFLICT)
          || g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
        continue;
      g_propagate_prefixed_error (error, g_steal_pointer (&local), "erasing kept answers: ");
      return FALSE;
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_BUSY,
               "the kept answers of %s change all the time: try again", subject);
  return FALSE;
}
