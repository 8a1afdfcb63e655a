/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Passwords. A record of the tenant's store has the user's id and holds the hash, since when it is
 * there, and until when its user is locked. No function lets a password out: not into an error, a
 * log or a record. */
#include <string.h>

#include "base/times.h"

#include "directory.h"
#include "passwords-private.h"
#include "users-name.h"

G_DEFINE_FINAL_TYPE (ReevePasswords, reeve_passwords, G_TYPE_OBJECT)

static void
reeve_passwords_finalize (GObject *object)
{
  ReevePasswords *self = REEVE_PASSWORDS (object);

  g_clear_object (&self->store);
  g_clear_object (&self->users);
  g_clear_object (&self->authentication);
  g_clear_object (&self->admission);
  g_clear_pointer (&self->workers, reeve_workers_unref);
  g_clear_pointer (&self->hash, reeve_passwords_hash_free);
  g_clear_pointer (&self->locks, reeve_passwords_locks_free);
  G_OBJECT_CLASS (reeve_passwords_parent_class)->finalize (object);
}

static void
reeve_passwords_class_init (ReevePasswordsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_passwords_finalize;
}

static void
reeve_passwords_init (ReevePasswords *self)
{
}

/**
 * reeve_passwords_new:
 * @store: where they are kept
 * @users: whose they are
 * @authentication: told of every change
 * @settings: copied
 *
 * Returns: (transfer full): the passwords
 */
ReevePasswords *
reeve_passwords_new (ReeveStore *store, ReeveUsers *users, ReeveAuthentication *authentication,
                     const ReevePasswordsSettings *settings)
{
  ReevePasswords *self = g_object_new (REEVE_TYPE_PASSWORDS, NULL);

  self->store = g_object_ref (store);
  self->users = g_object_ref (users);
  self->authentication = g_object_ref (authentication);
  self->settings = *settings;
  self->hash
      = reeve_passwords_hash_new (settings->memory, settings->iterations, settings->parallel);
  self->locks = reeve_passwords_locks_new (settings->lock_failures, settings->lock_address,
                                           settings->lock_seconds);
  return self;
}

/**
 * reeve_passwords_set_workers:
 * @self: passwords
 * @workers: where what a login has changed is written, so that nobody can tell by the time
 * @admission: the gate
 *
 * Before the first login. Without it, locks do not outlive the process and hashes are not renewed.
 */
void
reeve_passwords_set_workers (ReevePasswords *self, ReeveWorkers *workers, ReeveAdmission *admission)
{
  g_return_if_fail (self->workers == NULL);
  self->workers = reeve_workers_ref (workers);
  self->admission = g_object_ref (admission);
}

/* ---- reading ---- */

char *
reeve_passwords_name (const char *tenant_id, const char *username)
{
  g_autofree char *folded = reeve_users_name_fold (username);

  /* or guesses in another case would be those of another */
  return g_strconcat (tenant_id, "/", folded, NULL);
}

ReeveRecord *
reeve_passwords_read (ReevePasswords *self, const char *tenant_id, const char *user_id,
                      GError **error)
{
  g_autoptr (GError) local = NULL;
  ReeveRecord *record
      = reeve_store_get (self->store, tenant_id, REEVE_STORE_PASSWORDS, user_id, &local);

  if (record == NULL && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    g_propagate_error (error, g_steal_pointer (&local));
  return record;
}

/* The user whose password is to be changed, and may @caller? Who sets a password can do what its
 * user can, so he must hold that already. */
static JsonObject *
reeve_passwords_find_user (ReevePasswords *self, ReeveCaller *caller, const char *user_id,
                           GError **error)
{
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  ReeveUsersAccount account = { 0 };
  g_autoptr (JsonObject) user = reeve_users_get (self->users, tenant_id, user_id, error);

  if (user == NULL || !reeve_users_read (self->users, tenant_id, user_id, &account, error))
    return NULL;
  if (account.platform_admin && !reeve_caller_is_platform_admin (caller))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                           "only the platform admin changes the platform admin");
      return NULL;
    }
  if (!reeve_users_reach_check (self->users, caller, user_id, reeve_caller_get_permissions (caller),
                                "changed", error))
    return NULL;
  return g_steal_pointer (&user);
}

/* The later end of the lock in memory and of the one that was written down; 0: none. In µs since
 * the epoch. */
static gint64
reeve_passwords_get_lock (ReevePasswords *self, const char *name, ReeveRecord *record)
{
  gint64 mono = g_get_monotonic_time ();
  gint64 now = reeve_times_now ();
  gint64 end = reeve_passwords_locks_get_end (self->locks, name, mono);
  gint64 kept = record != NULL
                    ? reeve_json_get_int (reeve_record_get_fields (record), "locked_until", 0)
                    : 0;

  return MAX (end > mono ? now + end - mono : 0, kept > now ? kept : 0);
}

static JsonObject *
reeve_passwords_show (ReevePasswords *self, const char *tenant_id, JsonObject *user,
                      ReeveRecord *record)
{
  g_autofree char *name
      = reeve_passwords_name (tenant_id, reeve_json_get_string (user, "username", ""));
  gint64 lock = reeve_passwords_get_lock (self, name, record);
  g_autofree char *until = lock != 0 ? reeve_times_format (lock) : NULL;
  JsonObject *shown = json_object_new ();

  json_object_set_string_member (shown, "user_id", reeve_json_get_string (user, "user_id", ""));
  json_object_set_boolean_member (shown, "is_set", record != NULL);
  json_object_set_null_member (shown, "changed_at");
  if (record != NULL)
    reeve_directory_show_time (reeve_record_get_fields (record), shown, "changed_at");
  if (until != NULL)
    json_object_set_string_member (shown, "locked_until", until);
  else
    json_object_set_null_member (shown, "locked_until");
  return shown;
}

/**
 * reeve_passwords_get:
 * @self: passwords
 * @tenant_id: whose user
 * @user_id: which
 * @error: return location
 *
 * Returns: (transfer full): whether there is one, and whether its user is locked; %NULL with
 * %REEVE_ERROR_NOT_FOUND for the user
 */
JsonObject *
reeve_passwords_get (ReevePasswords *self, const char *tenant_id, const char *user_id,
                     GError **error)
{
  g_autoptr (JsonObject) user = reeve_users_get (self->users, tenant_id, user_id, error);
  g_autoptr (GError) local = NULL;
  g_autoptr (ReeveRecord) record
      = user != NULL ? reeve_passwords_read (self, tenant_id, user_id, &local) : NULL;

  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  else if (user != NULL)
    return reeve_passwords_show (self, tenant_id, user, record);
  return NULL;
}

/* ---- setting ---- */

/* Is it hardly more than the name: does too little remain without it? */
static gboolean
reeve_passwords_is_name (const char *prepared, const char *username, guint min_length)
{
  char *folded = g_utf8_casefold (prepared, -1);
  g_autofree char *name = g_utf8_casefold (username, -1);
  gboolean is
      = strstr (folded, name) != NULL
        && g_utf8_strlen (folded, -1) - g_utf8_strlen (name, -1) < (glong) min_length * 2 / 3;

  reeve_passwords_hash_wipe (folded);
  return is;
}

/* Long is what counts (NIST SP 800-63B): no rules of characters. */
static gboolean
reeve_passwords_check_new (ReevePasswords *self, const char *prepared, const char *username,
                           GError **error)
{
  guint least = self->settings.min_length;

  if (prepared == NULL)
    reeve_error_set_member (
        error, "/password",
        "the password must be text of at most %d bytes without control characters",
        REEVE_PASSWORDS_HASH_MAX);
  else if (g_utf8_strlen (prepared, -1) < (glong) least)
    reeve_error_set_member (error, "/password", "the password must have %u characters at least",
                            least);
  else if (reeve_passwords_is_name (prepared, username, least))
    reeve_error_set_member (error, "/password",
                            "the password is little more than the name of its user");
  else if (strchr (username, ':') != NULL)
    reeve_error_set_member (error, "/password",
                            "a user whose name has a colon cannot log in with a password");
  else
    return TRUE;
  return FALSE;
}

/* (transfer full): the hash of a new password */
static char *
reeve_passwords_make (ReevePasswords *self, const char *password, const char *username,
                      GError **error)
{
  char *prepared = reeve_passwords_hash_prepare (password);
  char *kept = NULL;

  if (reeve_passwords_check_new (self, prepared, username, error)
      && reeve_passwords_hash_enter (self->hash, error))
    {
      kept = reeve_passwords_hash_make (self->hash, prepared, error);
      reeve_passwords_hash_leave (self->hash);
    }
  reeve_passwords_hash_wipe (prepared);
  return kept;
}

/* The only thing that an effect about a password says of itself. */
static JsonObject *
reeve_passwords_make_arguments (const char *user_id)
{
  JsonObject *arguments = json_object_new ();

  if (user_id != NULL)
    json_object_set_string_member (arguments, "user_id", user_id);
  return arguments;
}

/* A new password is a new beginning: what was locked is not. */
static JsonObject *
reeve_passwords_put (ReevePasswords *self, ReeveAdmitted *admitted, const char *operation,
                     const char *tenant_id, JsonObject *user, const char *kept, GError **error)
{
  const char *user_id = reeve_json_get_string (user, "user_id", "");
  gboolean own = strcmp (operation, "passwords.change") == 0;
  g_autofree char *name
      = reeve_passwords_name (tenant_id, reeve_json_get_string (user, "username", ""));
  g_autoptr (JsonObject) arguments = reeve_passwords_make_arguments (own ? NULL : user_id);
  g_autoptr (JsonObject) fields = json_object_new ();
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveBatchResult) result = NULL;
  gint64 now = reeve_times_now ();

  json_object_set_string_member (fields, "hash", kept);
  json_object_set_int_member (fields, "created_at", now);
  json_object_set_int_member (fields, "changed_at", now);
  reeve_batch_put (batch, REEVE_STORE_PASSWORDS, user_id, fields, REEVE_REVISION_ANY);
  reeve_admitted_consume_exactly (admitted, operation, own ? NULL : user_id, arguments);
  reeve_passwords_locks_lift (self->locks, name);
  result = reeve_store_commit (self->store, batch, error);
  reeve_authentication_invalidate (self->authentication);
  return result != NULL ? reeve_passwords_get (self, tenant_id, user_id, error) : NULL;
}

/**
 * reeve_passwords_set:
 * @self: passwords
 * @admitted: the right to `passwords.set`
 * @params: {user_id, password}
 * @error: return location
 *
 * Gives a user of the caller's tenant a password, in the place of the one there was.
 *
 * Returns: (transfer full): as reeve_passwords_get(); %NULL with an error
 */
JsonObject *
reeve_passwords_set (ReevePasswords *self, ReeveAdmitted *admitted, JsonObject *params,
                     GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  g_autoptr (JsonObject) user = reeve_passwords_find_user (
      self, caller, reeve_json_get_string (params, "user_id", ""), error);
  g_autofree char *kept = NULL;

  if (user != NULL)
    kept = reeve_passwords_make (self, reeve_json_get_string (params, "password", ""),
                                 reeve_json_get_string (user, "username", ""), error);
  return kept != NULL ? reeve_passwords_put (self, admitted, "passwords.set",
                                             reeve_caller_get_tenant_id (caller), user, kept, error)
                      : NULL;
}

/* Does the caller know his password? */
static gboolean
reeve_passwords_check_current (ReevePasswords *self, ReeveCaller *caller, JsonObject *user,
                               const char *current, GError **error)
{
  const char *tenant_id = reeve_caller_get_home_tenant_id (caller);
  const char *user_id = reeve_caller_get_user_id (caller);
  g_autoptr (GError) local = NULL;
  g_autoptr (ReeveRecord) record = reeve_passwords_read (self, tenant_id, user_id, &local);

  if (record == NULL && local == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                           "there is no password yet: who has user:manage sets the first");
      return FALSE;
    }
  if (record != NULL
      && reeve_passwords_try (self, tenant_id, reeve_json_get_string (user, "username", ""),
                              user_id, record, current, reeve_caller_get_peer_address (caller),
                              &local))
    return TRUE;
  if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED))
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                         "the current password is not right");
  else
    g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/**
 * reeve_passwords_change:
 * @self: passwords
 * @admitted: the right to `passwords.change`
 * @params: {current, new}
 * @error: return location
 *
 * Changes the caller's own password, in the tenant he belongs to. Who got hold of a key does not
 * get the account with it: the current password must be known.
 *
 * Returns: (transfer full): as reeve_passwords_get(); %NULL with an error
 */
JsonObject *
reeve_passwords_change (ReevePasswords *self, ReeveAdmitted *admitted, JsonObject *params,
                        GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  const char *tenant_id = reeve_caller_get_home_tenant_id (caller);
  g_autoptr (JsonObject) user
      = reeve_users_get (self->users, tenant_id, reeve_caller_get_user_id (caller), error);
  g_autofree char *kept = NULL;

  if (user == NULL
      || !reeve_passwords_check_current (self, caller, user,
                                         reeve_json_get_string (params, "current", ""), error))
    return NULL;
  kept = reeve_passwords_make (self, reeve_json_get_string (params, "new", ""),
                               reeve_json_get_string (user, "username", ""), error);
  return kept != NULL ? reeve_passwords_put (self, admitted, "passwords.change", tenant_id, user,
                                             kept, error)
                      : NULL;
}

/* ---- taking away ---- */

/**
 * reeve_passwords_delete:
 * @self: passwords
 * @admitted: the right to `passwords.delete`
 * @user_id: whose, in the caller's tenant
 * @error: return location
 *
 * When there is none, there is none afterwards either.
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND for the user, %REEVE_ERROR_PERMISSION_DENIED
 */
gboolean
reeve_passwords_delete (ReevePasswords *self, ReeveAdmitted *admitted, const char *user_id,
                        GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  g_autoptr (JsonObject) user = reeve_passwords_find_user (self, caller, user_id, error);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveBatchResult) result = NULL;

  if (user == NULL)
    return FALSE;
  reeve_batch_delete (batch, REEVE_STORE_PASSWORDS, user_id, REEVE_REVISION_ANY);
  reeve_admitted_consume_exactly (admitted, "passwords.delete", user_id, NULL);
  result = reeve_store_commit (self->store, batch, error);
  reeve_authentication_invalidate (self->authentication);
  return result != NULL;
}

/* FALSE without error: the record was changed meanwhile. always: also where no lock stands in it,
 * so that one that is being written now finds it changed */
static gboolean
reeve_passwords_write_unlocked (ReevePasswords *self, const char *tenant_id, ReeveRecord *record,
                                gboolean always, GError **error)
{
  g_autoptr (JsonObject) fields = reeve_directory_dup (reeve_record_get_fields (record));
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (GError) local = NULL;

  if (!always && !json_object_has_member (fields, "locked_until"))
    return TRUE;
  json_object_remove_member (fields, "locked_until");
  reeve_batch_put (batch, REEVE_STORE_PASSWORDS, reeve_record_get_id (record), fields,
                   reeve_record_get_revision (record));
  result = reeve_store_commit (self->store, batch, &local);
  if (result == NULL && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_CONFLICT))
    g_propagate_error (error, g_steal_pointer (&local));
  return result != NULL;
}

gboolean
reeve_passwords_clear_lock (ReevePasswords *self, ReeveAdmitted *admitted, const char *operation,
                            const char *tenant_id, const char *user_id, GError **error)
{
  if (operation != NULL)
    reeve_admitted_consume_exactly (admitted, operation, user_id, NULL);
  for (guint i = 0; i < REEVE_PASSWORDS_TRIES; i++)
    {
      g_autoptr (GError) local = NULL;
      g_autoptr (ReeveRecord) record = reeve_passwords_read (self, tenant_id, user_id, &local);

      if (local == NULL
          && (record == NULL
              || reeve_passwords_write_unlocked (self, tenant_id, record, operation != NULL,
                                                 &local)))
        return TRUE;
      if (local == NULL)
        continue;
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT, "the user is being changed");
  return FALSE;
}

/**
 * reeve_passwords_unlock:
 * @self: passwords
 * @admitted: the right to `passwords.unlock`
 * @user_id: who, in the caller's tenant
 * @error: return location
 *
 * Lets a user log in who is locked for too many failed logins, from the addresses too from which
 * they came. One who is not locked stays so.
 *
 * Returns: (transfer full): as reeve_passwords_get(); %NULL with an error
 */
JsonObject *
reeve_passwords_unlock (ReevePasswords *self, ReeveAdmitted *admitted, const char *user_id,
                        GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  g_autoptr (JsonObject) user = reeve_passwords_find_user (self, caller, user_id, error);
  g_autofree char *name = NULL;

  if (user == NULL)
    return NULL;
  name = reeve_passwords_name (tenant_id, reeve_json_get_string (user, "username", ""));
  reeve_passwords_locks_lift (self->locks, name);
  return reeve_passwords_clear_lock (self, admitted, "passwords.unlock", tenant_id, user_id, error)
             ? reeve_passwords_get (self, tenant_id, user_id, error)
             : NULL;
}
