/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A key that nobody needs is one that nobody misses when it is stolen. */
#include "doctor-keys.h"

#include "base/times.h"

#define REEVE_DOCTOR_KEYS_PAGE 500

typedef struct
{
  ReeveUsers *users;
  gint64 now;
  gint64 unused_us;
  ReeveDoctorKeys *counts;
} ReeveDoctorKeysWalk;

static gboolean
reeve_doctor_keys_is_platform_admins (ReeveDoctorKeysWalk *self, JsonObject *fields)
{
  ReeveUsersAccount account = { 0 };

  return reeve_users_read (self->users, reeve_json_get_string (fields, "tenant_id", ""),
                           reeve_json_get_string (fields, "user_id", ""), &account, NULL)
         && account.platform_admin;
}

static void
reeve_doctor_keys_judge (ReeveDoctorKeysWalk *self, JsonObject *fields)
{
  gint64 end = reeve_json_get_int (fields, "expires_at", 0);

  if (reeve_json_get_int (fields, "revoked_at", 0) != 0 || (end != 0 && end <= self->now))
    return;
  self->counts->active++;
  if (end == 0)
    self->counts->endless++;
  if (reeve_json_get_int (fields, "last_used_at", 0) == 0
      && self->now - reeve_json_get_int (fields, "created_at", self->now) > self->unused_us)
    self->counts->unused++;
  if (reeve_doctor_keys_is_platform_admins (self, fields))
    self->counts->platform++;
}

/**
 * reeve_doctor_keys_count:
 * @store: where keys are
 * @users: whose they are
 * @unused_us: age in µs from which one that was never used counts
 * @counts: (out caller-allocates): how many
 * @error: return location
 *
 * Returns: %FALSE with the store's error
 */
gboolean
reeve_doctor_keys_count (ReeveStore *store, ReeveUsers *users, gint64 unused_us,
                         ReeveDoctorKeys *counts, GError **error)
{
  ReeveDoctorKeysWalk self = { users, reeve_times_now (), unused_us, counts };
  g_autofree char *cursor = NULL;

  *counts = (ReeveDoctorKeys){ 0 };
  do
    {
      g_autoptr (ReeveQuery) query = reeve_query_new (REEVE_SCOPE_PLATFORM, REEVE_STORE_API_KEYS);
      g_autoptr (ReeveQueryResult) result = NULL;

      reeve_query_limit (query, REEVE_DOCTOR_KEYS_PAGE);
      reeve_query_cursor (query, cursor);
      result = reeve_store_query (store, query, error);
      if (result == NULL)
        {
          g_prefix_error (error, "counting API keys: ");
          return FALSE;
        }
      GPtrArray *records = reeve_query_result_get_records (result);
      for (guint i = 0; i < records->len; i++)
        reeve_doctor_keys_judge (&self, reeve_record_get_fields (g_ptr_array_index (records, i)));
      g_free (cursor);
      cursor = g_strdup (reeve_query_result_get_cursor (result));
    }
  while (cursor != NULL);
  return TRUE;
}
