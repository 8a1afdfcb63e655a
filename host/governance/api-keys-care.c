/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the host does for keys by itself: writes down when one was used last, and warns before one
 * ends. */
#include "base/log.h"
#include "base/times.h"

#include "api-keys-private.h"
#include "directory.h"

/* a use is written down at most so often */
#define REEVE_API_KEYS_NOTE_SECONDS 60
/* so many keys are remembered as used lately, before all are forgotten and written down anew */
#define REEVE_API_KEYS_NOTED_MAX 16384
/* keys of one page */
#define REEVE_API_KEYS_WARN_PAGE 100

typedef struct
{
  ReeveApiKeys *keys;
  char *key_id;
  gint64 time;
} ReeveApiKeysUse;

/* ---- last use ---- */

/* Was it not written down lately? */
static gboolean
reeve_api_keys_should_note (ReeveApiKeys *self, const char *key_id)
{
  guint now = (guint) (g_get_monotonic_time () / G_USEC_PER_SEC) + 1;
  guint last = 0;
  gboolean wanted = FALSE;

  g_mutex_lock (&self->mutex);
  last = GPOINTER_TO_UINT (g_hash_table_lookup (self->noted, key_id));
  wanted = last == 0 || now - last >= REEVE_API_KEYS_NOTE_SECONDS;
  if (wanted && g_hash_table_size (self->noted) >= REEVE_API_KEYS_NOTED_MAX)
    g_hash_table_remove_all (self->noted);
  if (wanted)
    g_hash_table_replace (self->noted, g_strdup (key_id), GUINT_TO_POINTER (now));
  g_mutex_unlock (&self->mutex);
  return wanted;
}

static void
reeve_api_keys_use_free (ReeveApiKeysUse *use)
{
  g_object_unref (use->keys);
  g_free (use->key_id);
  g_free (use);
}

/* Whoever changes the record at the same time comes first: the next use is noted again. */
static void
reeve_api_keys_write_use (gpointer data)
{
  ReeveApiKeysUse *use = data;
  ReeveStore *store = use->keys->store;
  g_autoptr (ReeveRecord) record
      = reeve_store_get (store, REEVE_SCOPE_PLATFORM, REEVE_STORE_API_KEYS, use->key_id, NULL);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (JsonObject) fields = NULL;
  g_autoptr (GError) error = NULL;

  if (record != NULL && reeve_api_keys_is_active (reeve_record_get_fields (record)))
    {
      fields = reeve_directory_dup (reeve_record_get_fields (record));
      json_object_set_int_member (fields, "last_used_at", use->time);
      reeve_batch_put (batch, REEVE_STORE_API_KEYS, use->key_id, fields,
                       reeve_record_get_revision (record));
      result = reeve_store_commit (store, batch, &error);
      if (result == NULL)
        g_debug ("writing down the use of key %s: %s", use->key_id, error->message);
    }
  reeve_api_keys_use_free (use);
}

/* The last step of a caller's way in. */
static gboolean
reeve_api_keys_on_caller (ReeveAuthenticationDraft *draft, gpointer user_data, GError **error)
{
  ReeveApiKeys *self = user_data;
  const char *key_id = reeve_identity_get_key_id (draft->identity);
  ReeveApiKeysUse *use = NULL;

  if (key_id == NULL || g_strcmp0 (reeve_identity_get_method (draft->identity), "api_key") != 0
      || !reeve_api_keys_should_note (self, key_id))
    return TRUE;
  use = g_new0 (ReeveApiKeysUse, 1);
  use->keys = g_object_ref (self);
  use->key_id = g_strdup (key_id);
  use->time = reeve_times_now ();
  if (!reeve_workers_push (self->workers, reeve_api_keys_write_use, use, NULL))
    reeve_api_keys_use_free (use);
  return TRUE;
}

/**
 * reeve_api_keys_note_uses:
 * @self: API keys
 * @workers: where uses are written down
 *
 * From now on a key's record says when it was used last, to the minute. Nobody who shows a key
 * waits for that.
 */
void
reeve_api_keys_note_uses (ReeveApiKeys *self, ReeveWorkers *workers)
{
  g_return_if_fail (self->workers == NULL);
  self->workers = reeve_workers_ref (workers);
  reeve_authentication_admit_add_step (reeve_authentication_get_admit (self->authentication),
                                       REEVE_ADMIT_CAP, reeve_api_keys_on_caller, self);
}

/* ---- the end of a key ---- */

/**
 * reeve_api_keys_set_warning_days:
 * @self: API keys
 * @days: how long before its end a key is warned of; 0 for never
 */
void
reeve_api_keys_set_warning_days (ReeveApiKeys *self, guint days)
{
  self->warn_us = days * G_TIME_SPAN_DAY;
}

/* One that was rotated is meant to end; one whose tenant is gone is of no use to anybody. */
static gboolean
reeve_api_keys_wants_warning (ReeveApiKeys *self, JsonObject *fields)
{
  return reeve_api_keys_is_active (fields) && !json_object_has_member (fields, "warned_at")
         && !json_object_has_member (fields, "replaced_by")
         && reeve_store_has_scope (self->store, reeve_json_get_string (fields, "tenant_id", ""));
}

/* The host itself, in the tenant of the key. */
static ReeveCaller *
reeve_api_keys_make_host (const char *tenant_id)
{
  static const char *const roles[] = { "admin", NULL };
  g_autoptr (ReeveIdentity) identity = reeve_identity_new (tenant_id, "host", roles, "internal");

  return reeve_caller_new (identity, tenant_id, FALSE, reeve_roles_all (), "internal", NULL);
}

static gboolean
reeve_api_keys_mark_warned (ReeveApiKeys *self, ReeveAdmitted *admitted, ReeveRecord *record,
                            GError **error)
{
  g_autoptr (JsonObject) fields = reeve_directory_dup (reeve_record_get_fields (record));
  g_autoptr (ReeveBatch) batch = reeve_batch_new (REEVE_SCOPE_PLATFORM);
  g_autoptr (ReeveBatchResult) result = NULL;

  json_object_set_int_member (fields, "warned_at", reeve_times_now ());
  reeve_batch_put (batch, REEVE_STORE_API_KEYS, reeve_record_get_id (record), fields,
                   reeve_record_get_revision (record));
  reeve_admitted_consume_exactly (admitted, "keys.warn", reeve_record_get_id (record), NULL);
  result = reeve_store_commit (self->store, batch, error);
  return result != NULL;
}

/* Once for a key: its record says so, and the ledger of its tenant. */
static gboolean
reeve_api_keys_warn (ReeveApiKeys *self, ReeveAdmission *admission, ReeveRecord *record,
                     GError **error)
{
  JsonObject *fields = reeve_record_get_fields (record);
  const char *tenant_id = reeve_json_get_string (fields, "tenant_id", "");
  g_autoptr (ReeveCaller) host = reeve_api_keys_make_host (tenant_id);
  g_autofree char *until = reeve_times_format (reeve_json_get_int (fields, "expires_at", 0));
  ReeveAdmissionRequest request = { .caller = host,
                                    .operation = "keys.warn",
                                    .resource_type = "key",
                                    .resource_id = reeve_record_get_id (record) };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED };
  g_auto (ReeveLogScope) about = reeve_log_scope_tenant (tenant_id);
  ReeveAdmitted *admitted = reeve_admission_begin (admission, &request, error);
  gboolean done = FALSE;

  if (admitted == NULL)
    return FALSE;
  done = reeve_api_keys_mark_warned (self, admitted, record, error);
  if (done)
    g_warning ("API key %s of tenant %s ends at %s: rotate it", reeve_record_get_id (record),
               tenant_id, until);
  else
    {
      settlement.outcome = REEVE_OUTCOME_FAILED;
      settlement.reason = "conflict";
    }
  reeve_admission_settle_async (admission, admitted, &settlement, NULL, NULL);
  return done;
}

/* One page of those that end soon; @cursor is where it ended. */
static gint
reeve_api_keys_warn_page (ReeveApiKeys *self, ReeveAdmission *admission, gint64 now, char **cursor,
                          GError **error)
{
  g_autoptr (ReeveQuery) query = reeve_query_new (REEVE_SCOPE_PLATFORM, REEVE_STORE_API_KEYS);
  g_autoptr (ReeveQueryResult) result = NULL;
  GPtrArray *records = NULL;
  gint warned = 0;

  reeve_query_filter_int (query, "expires_at", REEVE_FILTER_GT, now);
  reeve_query_filter_int (query, "expires_at", REEVE_FILTER_LE, now + self->warn_us);
  reeve_query_order (query, "expires_at", FALSE);
  reeve_query_limit (query, REEVE_API_KEYS_WARN_PAGE);
  reeve_query_cursor (query, *cursor);
  result = reeve_store_query (self->store, query, error);
  if (result == NULL)
    return -1;
  g_free (*cursor);
  *cursor = g_strdup (reeve_query_result_get_cursor (result));
  records = reeve_query_result_get_records (result);
  for (guint i = 0; i < records->len; i++)
    {
      ReeveRecord *record = g_ptr_array_index (records, i);
      g_autoptr (GError) local = NULL;

      if (!reeve_api_keys_wants_warning (self, reeve_record_get_fields (record)))
        continue;
      if (reeve_api_keys_warn (self, admission, record, &local))
        warned++;
      else
        g_message ("warning of the end of key %s: %s; tried again later",
                   reeve_record_get_id (record), local->message);
    }
  return warned;
}

/**
 * reeve_api_keys_check_ends:
 * @self: API keys
 * @admission: the gate, where each warning leaves a record `keys.warn`
 * @error: return location
 *
 * Warns of the keys that end within the days that were set, of each once. Blocks; one look into an
 * index when there are none.
 *
 * Returns: how many were warned of; -1 on error
 */
gint
reeve_api_keys_check_ends (ReeveApiKeys *self, ReeveAdmission *admission, GError **error)
{
  g_autofree char *cursor = NULL;
  gint64 now = reeve_times_now ();
  gint all = 0;

  if (self->warn_us == 0)
    return 0;
  do
    {
      gint warned = reeve_api_keys_warn_page (self, admission, now, &cursor, error);

      if (warned < 0)
        {
          g_prefix_error (error, "looking for keys that end soon: ");
          return -1;
        }
      all += warned;
    }
  while (cursor != NULL);
  return all;
}
