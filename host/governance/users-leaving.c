/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who leaves takes along what was his, and what ties others to him. */
#include "users-private.h"

#include "base/times.h"

#include "elevations.h"
#include "role-turns.h"

/* (transfer full) the counter that rises with whatever ties somebody to something */
static char *
reeve_users_leaving_name_ties (const char *user_id)
{
  return g_strconcat ("ties/", user_id, NULL);
}

/**
 * reeve_users_note_ties:
 * @batch: what makes a user a member of something
 * @user_id: whom
 *
 * A deletion of his that did not see it fails.
 */
void
reeve_users_note_ties (ReeveBatch *batch, const char *user_id)
{
  g_autofree char *matter = reeve_users_leaving_name_ties (user_id);

  reeve_role_turns_note (batch, matter);
}

/* What must be known of somebody who has gone: whose the identifier was that stands in the ledger.
 */
static JsonObject *
reeve_users_leaving_make_remains (JsonObject *before)
{
  static const char *const kept[] = { "tenant_id", "username", "kind", "agent_type", "created_at" };
  static const char *const none[] = { NULL };
  JsonObject *fields = json_object_new ();

  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    reeve_directory_copy (before, fields, kept[i]);
  json_object_set_string_member (fields, "status", REEVE_USERS_DELETED);
  json_object_set_object_member (fields, "attributes", json_object_new ());
  reeve_directory_set_strings (fields, "roles", none);
  json_object_set_int_member (fields, "deleted_at", reeve_times_now ());
  return fields;
}

/* Memberships end with him, and what he was elevated to: no role is in use by somebody who is not
 * there. */
static gboolean
reeve_users_leaving_untie (ReeveUsers *self, const char *tenant_id, const char *user_id,
                           ReeveBatch *batch, GError **error)
{
  g_autofree char *matter = reeve_users_leaving_name_ties (user_id);
  g_autoptr (GPtrArray) memberships = NULL;
  g_autoptr (GPtrArray) elevations = NULL;
  gint64 turn = 0;

  if (!reeve_role_turns_begin (self->store, tenant_id, matter, &turn, error))
    return FALSE;
  memberships = reeve_directory_read_all (self->store, tenant_id, REEVE_STORE_WORKSPACE_MEMBERS,
                                          "user_id", user_id, error);
  elevations = memberships != NULL
                   ? reeve_elevations_read_active (self->store, tenant_id, user_id, error)
                   : NULL;
  if (elevations == NULL)
    return FALSE;
  for (guint i = 0; i < memberships->len; i++)
    reeve_batch_delete (batch, REEVE_STORE_WORKSPACE_MEMBERS,
                        reeve_record_get_id (g_ptr_array_index (memberships, i)),
                        REEVE_REVISION_ANY);
  for (guint i = 0; i < elevations->len; i++)
    {
      ReeveRecord *record = g_ptr_array_index (elevations, i);
      g_autoptr (JsonObject) fields = reeve_directory_dup (reeve_record_get_fields (record));

      json_object_set_int_member (fields, "revoked_at", reeve_times_now ());
      reeve_batch_put (batch, REEVE_STORE_ELEVATIONS, reeve_record_get_id (record), fields,
                       reeve_record_get_revision (record));
    }
  reeve_role_turns_claim (batch, matter, turn);
  return TRUE;
}

/**
 * reeve_users_delete:
 * @self: users
 * @admitted: the right to `users.delete`
 * @user_id: which
 * @error: return location
 *
 * Lets a user go: nobody gets in as him any more, his name is free, e-mail address, attributes and
 * password are gone, he is a member of no workspace, and nobody has him as manager. That there was
 * one of that name and identifier stays known, since the ledger names him.
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND, %REEVE_ERROR_PERMISSION_DENIED naming what the
 * caller lacks, %REEVE_ERROR_CONFLICT for the platform admin
 */
gboolean
reeve_users_delete (ReeveUsers *self, ReeveAdmitted *admitted, const char *user_id, GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  g_autoptr (ReeveRecord) record = reeve_users_read_record (self, tenant_id, user_id, error);
  JsonObject *before = record != NULL ? reeve_record_get_fields (record) : NULL;
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (JsonObject) remains = NULL;
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autofree char *counter = NULL;

  if (record == NULL || !reeve_users_change_check_reach (self, caller, user_id, before, error))
    return FALSE;
  if (reeve_json_get_boolean (before, "platform_admin", FALSE))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                           "the platform admin cannot be deleted");
      return FALSE;
    }
  if (!reeve_users_line_release (self, tenant_id, user_id, batch, error)
      || !reeve_users_leaving_untie (self, tenant_id, user_id, batch, error))
    return FALSE;
  remains = reeve_users_leaving_make_remains (before);
  counter = reeve_users_get_counter (reeve_json_get_string (before, "username", ""));
  reeve_batch_count (batch, counter, -1, 0, 1);
  reeve_batch_delete (batch, REEVE_STORE_PASSWORDS, user_id, REEVE_REVISION_ANY);
  reeve_batch_put (batch, REEVE_STORE_USERS, user_id, remains, reeve_record_get_revision (record));
  reeve_admitted_consume_exactly (admitted, "users.delete", user_id, NULL);
  result = reeve_store_commit (self->store, batch, error);
  if (result == NULL && error != NULL
      && g_error_matches (*error, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE))
    {
      g_clear_error (error);
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                           "somebody else made the user a member of a workspace at the same time: "
                           "ask again");
    }
  return result != NULL;
}
