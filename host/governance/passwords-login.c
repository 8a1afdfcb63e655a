/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who shows a password. Whatever is wrong is answered in the same words, after the same work: a
 * hash is computed for a user who is not there too, failed logins of nobody are counted as those of
 * somebody, and what a login changes in the store is written by somebody else. Who is locked is
 * refused without that work, or a flood of logins would be a flood of hashes. */
#include <string.h>

#include "base/times.h"

#include "directory.h"
#include "passwords-private.h"
#include "tenants.h"

/* id of no user */
#define REEVE_PASSWORDS_NOBODY "usr_nobody"

/* What a login has changed. */
typedef struct
{
  ReevePasswords *passwords;
  const char *operation;
  char *tenant_id;
  char *user_id;
  char *name;          /* under which it is counted */
  char *hash;          /* (nullable) in the place of … */
  char *before;        /* … this one */
  gint64 locked_until; /* µs since the epoch; 0: not locked */
} ReevePasswordsNews;

static gboolean
reeve_passwords_login_refuse (GError **error)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED,
                       "the user name or the password is not right");
  return FALSE;
}

/* ---- what is written ---- */

static void
reeve_passwords_login_news_free (ReevePasswordsNews *news)
{
  g_object_unref (news->passwords);
  g_free (news->tenant_id);
  g_free (news->user_id);
  g_free (news->name);
  g_free (news->hash);
  g_free (news->before);
  g_free (news);
}

/* Was the lock lifted meanwhile? */
static gboolean
reeve_passwords_login_is_lifted (ReevePasswordsNews *news)
{
  return news->locked_until != 0
         && reeve_passwords_locks_get_end (news->passwords->locks, news->name,
                                           g_get_monotonic_time ())
                == 0;
}

static gboolean
reeve_passwords_login_write (ReevePasswordsNews *news, ReeveAdmitted *admitted, GError **error)
{
  ReeveStore *store = news->passwords->store;
  g_autoptr (ReeveRecord) record
      = reeve_store_get (store, news->tenant_id, REEVE_STORE_PASSWORDS, news->user_id, error);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (news->tenant_id);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (JsonObject) fields = NULL;

  if (record == NULL)
    return FALSE;
  fields = reeve_directory_dup (reeve_record_get_fields (record));
  /* changed meanwhile: the new password stays */
  if (news->hash != NULL
      && g_strcmp0 (reeve_json_get_string (fields, "hash", NULL), news->before) == 0)
    json_object_set_string_member (fields, "hash", news->hash);
  if (news->locked_until != 0 && !reeve_passwords_login_is_lifted (news))
    json_object_set_int_member (fields, "locked_until", news->locked_until);
  reeve_batch_put (batch, REEVE_STORE_PASSWORDS, news->user_id, fields,
                   reeve_record_get_revision (record));
  reeve_admitted_consume_exactly (admitted, news->operation, news->user_id, NULL);
  result = reeve_store_commit (store, batch, error);
  /* who lifts it forgets it in memory first, and then looks at the record: one of the two sees the
   * other */
  if (result != NULL && reeve_passwords_login_is_lifted (news))
    return reeve_passwords_clear_lock (news->passwords, admitted, NULL, news->tenant_id,
                                       news->user_id, error);
  return result != NULL;
}

/* The host itself, in the tenant of the user. */
static ReeveCaller *
reeve_passwords_login_make_host (const char *tenant_id)
{
  static const char *const roles[] = { "admin", NULL };
  g_autoptr (ReeveIdentity) identity = reeve_identity_new (tenant_id, "host", roles, "internal");

  return reeve_caller_new (identity, tenant_id, FALSE, reeve_roles_all (), "internal", NULL);
}

/* On a worker: through the gate as everything that has an effect. */
static void
reeve_passwords_login_tell (gpointer data)
{
  ReevePasswordsNews *news = data;
  ReeveAdmission *admission = news->passwords->admission;
  g_autoptr (ReeveCaller) host = reeve_passwords_login_make_host (news->tenant_id);
  ReeveAdmissionRequest request = { .caller = host,
                                    .operation = news->operation,
                                    .resource_type = "user",
                                    .resource_id = news->user_id };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED };
  g_autoptr (GError) error = NULL;
  ReeveAdmitted *admitted = reeve_admission_begin (admission, &request, &error);

  if (admitted != NULL)
    {
      if (!reeve_passwords_login_write (news, admitted, &error))
        {
          settlement.outcome = REEVE_OUTCOME_FAILED;
          settlement.reason = "conflict";
        }
      reeve_admission_settle_async (admission, admitted, &settlement, NULL, NULL);
    }
  if (error != NULL)
    g_message ("%s of user %s: %s", news->operation, news->user_id, error->message);
  reeve_passwords_login_news_free (news);
}

static void
reeve_passwords_login_push (ReevePasswords *self, const char *operation, const char *tenant_id,
                            const char *name, ReeveRecord *record, char *hash, gint64 locked_until)
{
  ReevePasswordsNews *news = NULL;
  const char *before = reeve_json_get_string (reeve_record_get_fields (record), "hash", NULL);

  if (self->workers == NULL)
    {
      g_free (hash);
      return;
    }
  news = g_new0 (ReevePasswordsNews, 1);
  news->passwords = g_object_ref (self);
  news->operation = operation;
  news->tenant_id = g_strdup (tenant_id);
  news->user_id = g_strdup (reeve_record_get_id (record));
  news->name = g_strdup (name);
  news->hash = hash;
  news->before = g_strdup (before);
  news->locked_until = locked_until;
  if (!reeve_workers_push (self->workers, reeve_passwords_login_tell, news, NULL))
    reeve_passwords_login_news_free (news);
}

/* ---- one attempt ---- */

static void
reeve_passwords_login_say (const char *tenant_id, const char *user_id,
                           const ReevePasswordsLocksState *state, const char *what)
{
  if (!state->say)
    return;
  if (state->user)
    g_message ("%s: user %s of tenant %s is locked after too many failed logins", what,
               user_id != NULL ? user_id : "(unknown)", tenant_id);
  if (state->address)
    g_message ("%s: an address is locked after too many failed logins from it", what);
}

/* A lock outlives the process in the user's record. */
static gboolean
reeve_passwords_login_is_kept_locked (ReevePasswords *self, const char *tenant_id,
                                      ReeveRecord *record)
{
  JsonObject *fields = record != NULL ? reeve_record_get_fields (record) : NULL;
  ReevePasswordsLocksState state = { .user = TRUE };

  if (reeve_json_get_int (fields, "locked_until", 0) <= reeve_times_now ())
    return FALSE;
  state.say = reeve_passwords_locks_may_say (self->locks, g_get_monotonic_time ());
  reeve_passwords_login_say (tenant_id, reeve_record_get_id (record), &state,
                             "a login was refused");
  return TRUE;
}

static gboolean
reeve_passwords_login_is_open (ReevePasswords *self, const char *name, const char *tenant_id,
                               const char *user_id, const char *address, GError **error)
{
  ReevePasswordsLocksState state = { 0 };

  if (reeve_passwords_locks_check (self->locks, name, address, g_get_monotonic_time (), &state))
    return TRUE;
  reeve_passwords_login_say (tenant_id, user_id, &state, "a login was refused");
  return reeve_passwords_login_refuse (error);
}

static void
reeve_passwords_login_count (ReevePasswords *self, const char *name, const char *tenant_id,
                             const char *user_id, ReeveRecord *record, const char *address)
{
  ReevePasswordsLocksState state = { 0 };

  reeve_passwords_locks_fail (self->locks, name, address, g_get_monotonic_time (), &state);
  reeve_passwords_login_say (tenant_id, user_id, &state, "a login failed");
  if (state.user && record != NULL)
    reeve_passwords_login_push (self, "passwords.lock", tenant_id, name, record, NULL,
                                reeve_times_now ()
                                    + self->settings.lock_seconds * G_TIME_SPAN_SECOND);
}

/* With a place: TRUE when that is the password. @renewed: (out) (nullable): its hash of today. */
static gboolean
reeve_passwords_login_compare (ReevePasswords *self, ReeveRecord *record, const char *password,
                               char **renewed)
{
  const char *kept = record != NULL
                         ? reeve_json_get_string (reeve_record_get_fields (record), "hash", NULL)
                         : NULL;
  char *prepared = reeve_passwords_hash_prepare (password);
  gboolean good = reeve_passwords_hash_verify (self->hash, prepared != NULL ? kept : NULL,
                                               prepared != NULL ? prepared : "");

  if (good && reeve_passwords_hash_is_old (self->hash, kept))
    *renewed = reeve_passwords_hash_make (self->hash, prepared, NULL);
  reeve_passwords_hash_wipe (prepared);
  return good;
}

/* With a place. */
static gboolean
reeve_passwords_login_look (ReevePasswords *self, const char *name, const char *tenant_id,
                            const char *user_id, ReeveRecord *record, const char *password,
                            const char *address, char **renewed, GError **error)
{
  gboolean good = FALSE;

  if (!reeve_passwords_locks_begin (self->locks, name, address, g_get_monotonic_time ()))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_BUSY,
                           "others that may lock the user are being looked at");
      return FALSE;
    }
  good = reeve_passwords_login_compare (self, record, password, renewed);
  if (good)
    reeve_passwords_locks_succeed (self->locks, name);
  else
    {
      reeve_passwords_login_count (self, name, tenant_id, user_id, record, address);
      reeve_passwords_login_refuse (error);
    }
  reeve_passwords_locks_end (self->locks, name, address);
  return good;
}

gboolean
reeve_passwords_try (ReevePasswords *self, const char *tenant_id, const char *username,
                     const char *user_id, ReeveRecord *record, const char *password,
                     const char *address, GError **error)
{
  g_autofree char *name = reeve_passwords_name (tenant_id, username);
  char *renewed = NULL;
  gboolean good = FALSE;

  if (reeve_passwords_login_is_kept_locked (self, tenant_id, record))
    return reeve_passwords_login_refuse (error);
  if (!reeve_passwords_login_is_open (self, name, tenant_id, user_id, address, error)
      || !reeve_passwords_hash_enter (self->hash, error))
    return FALSE;
  /* those that came together are counted one after the other */
  good = reeve_passwords_login_is_open (self, name, tenant_id, user_id, address, error)
         && reeve_passwords_login_look (self, name, tenant_id, user_id, record, password, address,
                                        &renewed, error);
  reeve_passwords_hash_leave (self->hash);
  if (renewed != NULL)
    reeve_passwords_login_push (self, "passwords.renew", tenant_id, name, record, renewed, 0);
  return good;
}

/* (transfer full) (nullable): the user of that name, without error when there is none */
static JsonObject *
reeve_passwords_login_find (ReevePasswords *self, const char *tenant_id, const char *username,
                            GError **error)
{
  /* of a tenant that is not there as much is asked as of one that is */
  gboolean there
      = reeve_tenants_is_id (tenant_id) && reeve_store_has_scope (self->store, tenant_id);
  g_autoptr (GError) local = NULL;
  g_autoptr (JsonObject) user
      = reeve_users_find (self->users, there ? tenant_id : REEVE_TENANTS_DEFAULT, username, &local);

  if (user == NULL && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    g_propagate_error (error, g_steal_pointer (&local));
  return there ? g_steal_pointer (&user) : NULL;
}

/* The record of the user's password. Of nobody's as much is asked. */
static ReeveRecord *
reeve_passwords_login_read (ReevePasswords *self, const char *tenant_id, const char *user_id,
                            GError **error)
{
  g_autoptr (ReeveRecord) record
      = reeve_passwords_read (self, user_id != NULL ? tenant_id : REEVE_TENANTS_DEFAULT,
                              user_id != NULL ? user_id : REEVE_PASSWORDS_NOBODY, error);

  return user_id != NULL ? g_steal_pointer (&record) : NULL;
}

/**
 * reeve_passwords_verify:
 * @self: passwords
 * @tenant_id: any text: whose user that would be
 * @username: any text: its name
 * @password: what was shown
 * @address: (nullable): from where
 * @error: return location
 *
 * A login.
 *
 * Returns: (transfer full): {tenant_id, user_id, roles[]}; %NULL with %REEVE_ERROR_UNAUTHENTICATED,
 * or %REEVE_ERROR_BUSY when too many come at once, or what kept the store from answering
 */
JsonObject *
reeve_passwords_verify (ReevePasswords *self, const char *tenant_id, const char *username,
                        const char *password, const char *address, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (JsonObject) user = reeve_passwords_login_find (self, tenant_id, username, &local);
  const char *user_id = user != NULL ? reeve_json_get_string (user, "user_id", NULL) : NULL;
  g_autoptr (ReeveRecord) record = NULL;
  JsonObject *answer = NULL;

  if (local == NULL)
    record = reeve_passwords_login_read (self, tenant_id, user_id, &local);
  if (local != NULL
      || !reeve_passwords_try (self, tenant_id, username, user_id, record, password, address,
                               &local))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  answer = json_object_new ();
  json_object_set_string_member (answer, "tenant_id", tenant_id);
  json_object_set_string_member (answer, "user_id", user_id);
  reeve_directory_copy (user, answer, "roles");
  return answer;
}

/* ---- the capability ---- */

static JsonNode *
reeve_passwords_login_call (const ReeveCapabilityCaller *caller, JsonNode *params,
                            gpointer user_data, GError **error)
{
  ReevePasswords *self = user_data;
  JsonObject *object
      = params != NULL && JSON_NODE_HOLDS_OBJECT (params) ? json_node_get_object (params) : NULL;
  const char *tenant_id = reeve_json_get_string (object, "tenant_id", NULL);
  const char *username = reeve_json_get_string (object, "username", NULL);
  const char *password = reeve_json_get_string (object, "password", NULL);
  g_autoptr (JsonObject) answer = NULL;

  if (tenant_id == NULL || username == NULL || password == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "credentials.password needs tenant_id, username and password");
      return NULL;
    }
  answer = reeve_passwords_verify (self, tenant_id, username, password,
                                   reeve_json_get_string (object, "address", NULL), error);
  return answer != NULL ? json_node_init_object (json_node_alloc (), answer) : NULL;
}

/**
 * reeve_passwords_provide:
 * @self: passwords; must outlive @capabilities
 * @capabilities: where auth plugins find them
 *
 * Registers `credentials.password` {tenant_id, username, password, address?} → {tenant_id, user_id,
 * roles}, %REEVE_ERROR_UNAUTHENTICATED, %REEVE_ERROR_BUSY.
 */
void
reeve_passwords_provide (ReevePasswords *self, ReeveCapabilities *capabilities)
{
  reeve_capabilities_provide (capabilities, "credentials.password", reeve_passwords_login_call,
                              self);
}
