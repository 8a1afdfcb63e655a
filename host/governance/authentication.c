/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Authentication: the cache, then the providers in order, each on threads of its own, then the
 * admission of the identity; and what was taken back since. */
#include "authentication.h"

#include <string.h>

#include "base/log-task.h"
#include "base/times.h"

#include "authentication-cache.h"
#include "authentication-logins.h"
#include "authentication-providers.h"
#include "tenants.h"
#include "users.h"

/* bytes of what may be shown */
#define REEVE_AUTHENTICATION_MAX 16384

struct _ReeveAuthentication
{
  GObject parent_instance;

  ReeveStore *store;
  ReeveAuthenticationProviders *providers;
  ReeveAuthenticationLogins *logins;
  ReeveAuthenticationCache *cache;
  ReeveRevocations *revocations;
  ReeveAuthenticationAdmit *admit;
  char *owner_id; /* (nullable): user id of the platform admin */
};

G_DEFINE_FINAL_TYPE (ReeveAuthentication, reeve_authentication, G_TYPE_OBJECT)

static gboolean
reeve_authentication_knows (guint index, const ReeveCredentials *credentials, gpointer data)
{
  return reeve_authentication_providers_knows (REEVE_AUTHENTICATION (data)->providers, index,
                                               credentials);
}

static void
reeve_authentication_on_warm (guint index, gpointer data)
{
  reeve_authentication_providers_warm (REEVE_AUTHENTICATION (data)->providers, index);
}

static ReeveIdentity *
reeve_authentication_ask (guint index, const ReeveCredentials *credentials, gpointer data,
                          GError **error)
{
  ReeveAuthentication *self = data;

  return reeve_authentication_providers_ask (self->providers, index, credentials, error);
}

static ReeveCaller *
reeve_authentication_let_in (ReeveIdentity *identity, const ReeveCredentials *credentials,
                             const guint8 *key, guint version, gpointer data, GError **error)
{
  ReeveAuthentication *self = data;
  gint64 expires_at = 0;
  ReeveCaller *caller = reeve_authentication_admit_identity (self->admit, identity, credentials,
                                                             &expires_at, error);

  if (caller != NULL)
    reeve_authentication_cache_add (self->cache, key, caller, expires_at, version);
  return caller;
}

static guint
reeve_authentication_get_version (gpointer data)
{
  return reeve_authentication_cache_get_version (REEVE_AUTHENTICATION (data)->cache);
}

static ReeveCaller *
reeve_authentication_look_up (const guint8 *key, gpointer data)
{
  return reeve_authentication_cache_lookup (REEVE_AUTHENTICATION (data)->cache, key);
}

static void
reeve_authentication_finalize (GObject *object)
{
  ReeveAuthentication *self = REEVE_AUTHENTICATION (object);

  reeve_authentication_logins_shutdown (self->logins);
  g_clear_pointer (&self->logins, reeve_authentication_logins_free);
  g_clear_object (&self->store);
  g_clear_pointer (&self->admit, reeve_authentication_admit_free);
  reeve_authentication_providers_free (self->providers);
  reeve_authentication_cache_free (self->cache);
  reeve_revocations_free (self->revocations);
  g_free (self->owner_id);
  G_OBJECT_CLASS (reeve_authentication_parent_class)->finalize (object);
}

static void
reeve_authentication_class_init (ReeveAuthenticationClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_authentication_finalize;
}

static void
reeve_authentication_init (ReeveAuthentication *self)
{
  static const ReeveAuthenticationLoginsHooks hooks = {
    .get_version = reeve_authentication_get_version,
    .look_up = reeve_authentication_look_up,
    .knows = reeve_authentication_knows,
    .warm = reeve_authentication_on_warm,
    .ask = reeve_authentication_ask,
    .let_in = reeve_authentication_let_in,
  };

  self->providers = reeve_authentication_providers_new ();
  self->logins = reeve_authentication_logins_new (&hooks, self);
  self->cache = reeve_authentication_cache_new ();
  self->revocations = reeve_revocations_new ();
}

/**
 * reeve_authentication_new:
 * @store: where users are
 *
 * Returns: (transfer full): authentication without a provider: nobody gets in
 */
ReeveAuthentication *
reeve_authentication_new (ReeveStore *store)
{
  ReeveAuthentication *self = g_object_new (REEVE_TYPE_AUTHENTICATION, NULL);
  g_autoptr (ReeveUsers) users = reeve_users_new (store);

  self->store = g_object_ref (store);
  self->admit = reeve_authentication_admit_new (store, users, self->revocations);
  return self;
}

/**
 * reeve_authentication_add_provider:
 * @self: authentication
 * @id: name of the provider in the configuration
 * @registry: what made @instance
 * @instance: a plugin that implements #ReeveAuth
 */
void
reeve_authentication_add_provider (ReeveAuthentication *self, const char *id,
                                   ReeveRegistry *registry, ReevePlugin *instance)
{
  g_return_if_fail (REEVE_IS_AUTH (instance));
  reeve_authentication_providers_add (self->providers, id, registry, instance);
  reeve_authentication_logins_add_lane (self->logins, id);
}

/**
 * reeve_authentication_warm:
 * @self: authentication
 *
 * Lets each provider get ready for the first caller, on a thread of its own.
 */
void
reeve_authentication_warm (ReeveAuthentication *self)
{
  reeve_authentication_logins_warm (self->logins);
}

/**
 * reeve_authentication_verify_every_request:
 * @self: authentication
 *
 * From now on nothing is remembered of who was let in: a provider is asked about each request by
 * itself. Before anything listens.
 */
void
reeve_authentication_verify_every_request (ReeveAuthentication *self)
{
  reeve_authentication_cache_switch_off (self->cache);
  reeve_authentication_logins_set_alone (self->logins, TRUE);
}

/**
 * reeve_authentication_shutdown:
 * @self: (nullable): authentication
 *
 * Whoever waits to be let in is told that the host is shutting down; returns when all threads have
 * ended. Before the last reference is dropped, and not from a callback of it. Idempotent.
 */
void
reeve_authentication_shutdown (ReeveAuthentication *self)
{
  if (self != NULL)
    reeve_authentication_logins_shutdown (self->logins);
}

/**
 * reeve_authentication_set_owner:
 * @self: authentication
 * @user_id: the platform admin
 *
 * Says as whom the owner of the session bus acts; before anything listens.
 */
void
reeve_authentication_set_owner (ReeveAuthentication *self, const char *user_id)
{
  g_free (self->owner_id);
  self->owner_id = g_strdup (user_id);
}

/**
 * reeve_authentication_set_tenants:
 * @self: authentication
 * @tenants: know which tenants are active
 *
 * Before anything listens. Without, every tenant that has a store is.
 */
void
reeve_authentication_set_tenants (ReeveAuthentication *self, ReeveTenants *tenants)
{
  reeve_authentication_admit_set_tenants (self->admit, tenants);
}

/**
 * reeve_authentication_new_owner:
 * @self: authentication
 * @door: through which door
 *
 * Returns: (transfer full): the platform admin in tenant `default`
 */
ReeveCaller *
reeve_authentication_new_owner (ReeveAuthentication *self, const char *door)
{
  static const char *const roles[] = { "admin", NULL };
  g_autoptr (ReeveIdentity) identity = reeve_identity_new (
      REEVE_TENANTS_DEFAULT, self->owner_id != NULL ? self->owner_id : "owner", roles, "owner");
  ReeveCaller *owner = NULL;
  guint64 version = 0;

  /* before the caller is made: what it does for others may be taken back, it itself may not */
  version = reeve_revocations_get_version (self->revocations);
  owner = reeve_caller_new (identity, REEVE_TENANTS_DEFAULT, TRUE, reeve_roles_all (), door, NULL);
  reeve_caller_rest_on (owner, version, NULL);
  reeve_caller_excuse_network (owner);
  return owner;
}

/**
 * reeve_authentication_has_provider:
 * @self: authentication
 *
 * Returns: whether anybody can get in by credentials
 */
gboolean
reeve_authentication_has_provider (ReeveAuthentication *self)
{
  return reeve_authentication_providers_get_size (self->providers) > 0;
}

/**
 * reeve_authentication_get_admit:
 * @self: authentication
 *
 * Returns: (transfer none): the way from an identity to a caller
 */
ReeveAuthenticationAdmit *
reeve_authentication_get_admit (ReeveAuthentication *self)
{
  return self->admit;
}

/* ---- what is taken back ---- */

/**
 * reeve_authentication_invalidate:
 * @self: authentication
 *
 * Forgets who was let in: the next request of each is checked anew.
 */
void
reeve_authentication_invalidate (ReeveAuthentication *self)
{
  reeve_authentication_cache_invalidate (self->cache);
}

/**
 * reeve_authentication_revoke:
 * @self: authentication
 * @ground: a name of reeve-revocations
 *
 * Who rests on @ground has no further effect: not by what was cached, not in a run under way.
 */
void
reeve_authentication_revoke (ReeveAuthentication *self, const char *ground)
{
  reeve_revocations_mark (self->revocations, ground);
  reeve_authentication_cache_invalidate (self->cache);
}

static void
reeve_authentication_on_role (const char *ground, gpointer data)
{
  if (ground != NULL)
    reeve_authentication_revoke (data, ground);
  else
    reeve_authentication_invalidate (data);
}

/**
 * reeve_authentication_set_role_book:
 * @self: authentication
 * @book: what roles hold
 */
void
reeve_authentication_set_role_book (ReeveAuthentication *self, ReeveRoleBook *book)
{
  reeve_authentication_admit_set_role_book (self->admit, book);
  reeve_role_book_set_changed (book, reeve_authentication_on_role, self);
}

/**
 * reeve_authentication_revoke_user:
 * @self: authentication
 * @tenant_id: a tenant
 * @user_id: a user of it that is not active any more, is gone, or may do less
 */
void
reeve_authentication_revoke_user (ReeveAuthentication *self, const char *tenant_id,
                                  const char *user_id)
{
  g_autofree char *ground = reeve_revocations_name_user (tenant_id, user_id);

  reeve_authentication_revoke (self, ground);
}

/**
 * reeve_authentication_revoke_key:
 * @self: authentication
 * @key_id: a key that lets nobody in any more, or may do less
 */
void
reeve_authentication_revoke_key (ReeveAuthentication *self, const char *key_id)
{
  g_autofree char *ground = reeve_revocations_name_key (key_id);

  reeve_authentication_revoke (self, ground);
}

/**
 * reeve_authentication_revoke_tenant:
 * @self: authentication
 * @tenant_id: a tenant that lets nobody in any more
 */
void
reeve_authentication_revoke_tenant (ReeveAuthentication *self, const char *tenant_id)
{
  g_autofree char *ground = reeve_revocations_name_tenant (tenant_id);

  reeve_authentication_revoke (self, ground);
}

/* May be acted for the user on whose behalf it is? He was active when the caller was let in, or
 * what was to be done for him was refused before. */
static gboolean
reeve_authentication_is_delegate_concerned (ReeveAuthentication *self,
                                            const ReeveAdmissionRequest *request)
{
  guint64 version = reeve_caller_get_version (request->caller);
  const char *grounds[] = { NULL, NULL };
  g_autofree char *ground = NULL;

  /* the host's own callers know no version */
  if (request->delegated_user_id == NULL || version == 0)
    return FALSE;
  ground = reeve_revocations_name_user (reeve_caller_get_tenant_id (request->caller),
                                        request->delegated_user_id);
  grounds[0] = ground;
  return reeve_revocations_concern (self->revocations, version, grounds);
}

/**
 * reeve_authentication_check:
 * @request: what is asked for
 * @settlement: (nullable): how it ended
 * @authentication: a #ReeveAuthentication
 * @error: return location
 *
 * A check of the gate: was what the caller's rights rest on taken back since it was let in, or has
 * it ended? The same is asked of the user on whose behalf it acts. Takes no I/O.
 *
 * Returns: %FALSE with %REEVE_ERROR_CALLER_REVOKED
 */
gboolean
reeve_authentication_check (const ReeveAdmissionRequest *request, const ReeveSettlement *settlement,
                            gpointer authentication, GError **error)
{
  ReeveAuthentication *self = authentication;
  gint64 end = reeve_caller_get_end (request->caller);

  if (end != 0 && end <= reeve_times_now ())
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CALLER_REVOKED,
                           "the caller's credentials, or what raised it for a time, have ended");
      return FALSE;
    }
  if (!reeve_revocations_concern (self->revocations, reeve_caller_get_version (request->caller),
                                  reeve_caller_get_grounds (request->caller))
      && !reeve_authentication_is_delegate_concerned (self, request))
    return TRUE;
  g_set_error_literal (
      error, REEVE_ERROR, REEVE_ERROR_CALLER_REVOKED,
      "the rights of the caller, or of the user on whose behalf it acts, were taken "
      "back after it was let in");
  return FALSE;
}

/**
 * reeve_authentication_lookup:
 * @self: authentication
 * @credentials: what was shown
 *
 * Returns: (transfer full) (nullable): the caller, if it is known without asking
 */
ReeveCaller *
reeve_authentication_lookup (ReeveAuthentication *self, const ReeveCredentials *credentials)
{
  guint8 key[REEVE_AUTHENTICATION_CACHE_KEY];

  reeve_authentication_cache_make_key (self->cache, credentials, key);
  return reeve_authentication_cache_lookup (self->cache, key);
}

/* ---- asking the providers ---- */

static gboolean
reeve_authentication_is_shown (const ReeveCredentials *credentials, GError **error)
{
  if (credentials->token != NULL && strlen (credentials->token) <= REEVE_AUTHENTICATION_MAX)
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED,
                       "no credentials were shown, or too long ones");
  return FALSE;
}

/**
 * reeve_authentication_authenticate:
 * @self: authentication
 * @credentials: what was shown
 * @error: return location
 *
 * Asks the cache, then the providers. Blocks.
 *
 * Returns: (transfer full): the caller; %NULL with %REEVE_ERROR_UNAUTHENTICATED or what else kept a
 * provider from answering
 */
ReeveCaller *
reeve_authentication_authenticate (ReeveAuthentication *self, const ReeveCredentials *credentials,
                                   GError **error)
{
  guint version = reeve_authentication_cache_get_version (self->cache);
  guint8 key[REEVE_AUTHENTICATION_CACHE_KEY];
  g_autoptr (ReeveIdentity) identity = NULL;
  g_autoptr (GError) local = NULL;
  ReeveCaller *caller = NULL;

  if (!reeve_authentication_is_shown (credentials, error))
    return NULL;
  reeve_authentication_cache_make_key (self->cache, credentials, key);
  caller = reeve_authentication_cache_lookup (self->cache, key);
  if (caller != NULL)
    return caller;
  for (guint i = 0; i < reeve_authentication_providers_get_size (self->providers)
                    && identity == NULL && local == NULL;
       i++)
    identity = reeve_authentication_ask (i, credentials, self, &local);
  if (identity != NULL)
    return reeve_authentication_let_in (identity, credentials, key, version, self, error);
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  else
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED,
                         "no provider knows these credentials");
  return NULL;
}

/**
 * reeve_authentication_authenticate_async:
 * @self: authentication
 * @credentials: what was shown; copied
 * @callback: called in the caller's thread-default context
 * @user_data: for @callback
 *
 * Asks the providers, each on threads of its own; about the same credentials at once it asks once.
 * A provider that is busy is asked again, until the login has taken too long.
 */
void
reeve_authentication_authenticate_async (ReeveAuthentication *self,
                                         const ReeveCredentials *credentials,
                                         GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = reeve_log_task_new (self, NULL, callback, user_data);
  guint8 key[REEVE_AUTHENTICATION_CACHE_KEY];
  GError *error = NULL;

  g_task_set_source_tag (task, reeve_authentication_authenticate_async);
  if (!reeve_authentication_is_shown (credentials, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  reeve_authentication_cache_make_key (self->cache, credentials, key);
  reeve_authentication_logins_begin (self->logins, key, credentials, task);
}

/**
 * reeve_authentication_authenticate_finish:
 * @self: authentication
 * @result: what the callback got
 * @error: return location
 *
 * Returns: (transfer full): the caller; %NULL with an error
 */
ReeveCaller *
reeve_authentication_authenticate_finish (ReeveAuthentication *self, GAsyncResult *result,
                                          GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, reeve_authentication_authenticate_async),
                        NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * reeve_authentication_readmit:
 * @self: authentication
 * @identity: what a run has kept of who began it
 * @tenant_id: the tenant it acts in
 * @door: through which door it came
 *
 * Marks are not kept over a restart, so what they would say is read from the records.
 *
 * Returns: (transfer full): the caller; one without rights, which has no effect, when it would not
 * be let in any more
 */
ReeveCaller *
reeve_authentication_readmit (ReeveAuthentication *self, ReeveIdentity *identity,
                              const char *tenant_id, const char *door)
{
  static const char *const revoked[] = { "revoked", NULL };
  g_autoptr (GError) reason = NULL;
  g_autoptr (ReeveCaller) caller
      = reeve_authentication_admit_again (self->admit, identity, door, &reason);
  ReeveCaller *there = caller != NULL
                           ? reeve_authentication_enter_tenant (self, caller, tenant_id, &reason)
                           : NULL;

  if (there != NULL)
    return there;
  g_message ("user %s, who began a run, is not let in any more: %s",
             reeve_identity_get_user_id (identity), reason->message);
  there = reeve_caller_new (identity, tenant_id, FALSE, 0, door, NULL);
  reeve_caller_rest_on (there, 0, revoked);
  return there;
}

/**
 * reeve_authentication_enter_tenant:
 * @self: authentication
 * @caller: a caller
 * @tenant_id: (nullable): the tenant it wants to act in
 * @error: return location
 *
 * Returns: (transfer full): the caller acting there; %NULL with %REEVE_ERROR_NOT_FOUND, the same
 * whether the tenant is another's or none at all
 */
ReeveCaller *
reeve_authentication_enter_tenant (ReeveAuthentication *self, ReeveCaller *caller,
                                   const char *tenant_id, GError **error)
{
  ReeveTenantStatus status = REEVE_TENANT_ABSENT;

  if (tenant_id == NULL || strcmp (tenant_id, reeve_caller_get_tenant_id (caller)) == 0)
    return reeve_caller_ref (caller);
  if (reeve_caller_is_platform_admin (caller))
    status = reeve_authentication_admit_get_status (self->admit, tenant_id);
  if (status == REEVE_TENANT_ACTIVE || status == REEVE_TENANT_SUSPENDED)
    return reeve_caller_new_in_tenant (caller, tenant_id);
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such tenant");
  return NULL;
}
