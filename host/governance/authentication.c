/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Authentication: the cache, then the providers in order on a worker thread, then the admission of
 * the identity; and what was taken back since. */
#include "authentication.h"

#include <string.h>

#include "base/digests.h"
#include "base/ids.h"
#include "base/times.h"

#include "authentication-cache.h"
#include "tenants.h"
#include "users.h"

/* a provider that takes longer than this is not waited for */
#define REEVE_AUTHENTICATION_SECONDS 10
#define REEVE_AUTHENTICATION_MAX     16384

typedef struct
{
  char *id;
  ReeveRegistry *registry;
  ReevePlugin *instance;
} ReeveAuthenticationProvider;

struct _ReeveAuthentication
{
  GObject parent_instance;

  ReeveStore *store;
  ReeveWorkers *workers;
  GPtrArray *providers;
  ReeveAuthenticationCache *cache;
  ReeveRevocations *revocations;
  ReeveAuthenticationAdmit *admit;
  char *owner_id; /* (nullable): user id of the platform admin */
  guint8 salt[REEVE_DIGESTS_LENGTH];
};

/* what was shown, kept for the worker */
typedef struct
{
  char *scheme;
  char *token;
  char *peer_address;
  char *door;
} ReeveAuthenticationShown;

G_DEFINE_FINAL_TYPE (ReeveAuthentication, reeve_authentication, G_TYPE_OBJECT)

static void
reeve_authentication_provider_free (gpointer data)
{
  ReeveAuthenticationProvider *provider = data;

  reeve_registry_unref (provider->registry);
  g_object_unref (provider->instance);
  g_free (provider->id);
  g_free (provider);
}

static void
reeve_authentication_finalize (GObject *object)
{
  ReeveAuthentication *self = REEVE_AUTHENTICATION (object);

  g_clear_object (&self->store);
  g_clear_pointer (&self->admit, reeve_authentication_admit_free);
  g_clear_pointer (&self->workers, reeve_workers_unref);
  g_ptr_array_unref (self->providers);
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
  self->providers = g_ptr_array_new_with_free_func (reeve_authentication_provider_free);
  self->cache = reeve_authentication_cache_new ();
  self->revocations = reeve_revocations_new ();
  reeve_ids_fill_random (self->salt, sizeof self->salt);
}

/**
 * reeve_authentication_new:
 * @store: where users are
 * @workers: where providers are asked
 *
 * Returns: (transfer full): authentication without a provider: nobody gets in
 */
ReeveAuthentication *
reeve_authentication_new (ReeveStore *store, ReeveWorkers *workers)
{
  ReeveAuthentication *self = g_object_new (REEVE_TYPE_AUTHENTICATION, NULL);
  g_autoptr (ReeveUsers) users = reeve_users_new (store);

  self->store = g_object_ref (store);
  self->workers = reeve_workers_ref (workers);
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
  ReeveAuthenticationProvider *provider = NULL;

  g_return_if_fail (REEVE_IS_AUTH (instance));
  provider = g_new0 (ReeveAuthenticationProvider, 1);
  provider->id = g_strdup (id);
  provider->registry = reeve_registry_ref (registry);
  provider->instance = g_object_ref (instance);
  g_ptr_array_add (self->providers, provider);
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
  return self->providers->len > 0;
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

/* What the answer of a provider may depend on, as one digest; a plain token is never kept. A
 * password is little to guess: without the key of this process the digest says nothing of it. */
static void
reeve_authentication_make_key (ReeveAuthentication *self, const ReeveCredentials *credentials,
                               guint8 key[REEVE_AUTHENTICATION_CACHE_KEY])
{
  const char *parts[]
      = { credentials->scheme, credentials->peer_address, credentials->door, credentials->token };
  g_autoptr (GByteArray) text = g_byte_array_sized_new (256);

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      const char *part = parts[i] != NULL ? parts[i] : "";

      /* with its NUL, so that no two lists run together */
      g_byte_array_append (text, (const guint8 *) part, (guint) strlen (part) + 1);
    }
  reeve_digests_hmac_sha256 (self->salt, sizeof self->salt, text->data, text->len, key);
  explicit_bzero (text->data, text->len);
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

  reeve_authentication_make_key (self, credentials, key);
  return reeve_authentication_cache_lookup (self->cache, key);
}

/* ---- asking the providers ---- */

static ReeveIdentity *
reeve_authentication_ask (ReeveAuthentication *self, const ReeveCredentials *credentials,
                          GError **error)
{
  ReeveContextInfo info = { .struct_size = sizeof info };

  for (guint i = 0; i < self->providers->len; i++)
    {
      ReeveAuthenticationProvider *provider = g_ptr_array_index (self->providers, i);
      g_autoptr (ReeveContext) context = NULL;
      g_autoptr (GError) local = NULL;
      ReeveIdentity *identity = NULL;

      info.deadline = g_get_monotonic_time () + REEVE_AUTHENTICATION_SECONDS * G_TIME_SPAN_SECOND;
      context = reeve_registry_new_context (provider->registry, provider->instance, &info, NULL);
      identity
          = reeve_auth_authenticate (REEVE_AUTH (provider->instance), credentials, context, &local);
      if (identity != NULL)
        return identity;
      if (local == NULL)
        continue;
      /* fails closed: a provider that knows these credentials and says no, or breaks, is the last
       * one asked */
      g_propagate_prefixed_error (error, g_steal_pointer (&local), "provider %s: ", provider->id);
      return NULL;
    }
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED,
                       "no provider knows these credentials");
  return NULL;
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
  g_autoptr (ReeveCaller) caller = NULL;
  gint64 expires_at = 0;

  if (credentials->token == NULL || strlen (credentials->token) > REEVE_AUTHENTICATION_MAX)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED,
                           "no credentials were shown, or too long ones");
      return NULL;
    }
  reeve_authentication_make_key (self, credentials, key);
  caller = reeve_authentication_cache_lookup (self->cache, key);
  if (caller != NULL)
    return g_steal_pointer (&caller);
  identity = reeve_authentication_ask (self, credentials, error);
  if (identity == NULL)
    return NULL;
  caller = reeve_authentication_admit_identity (self->admit, identity, credentials, &expires_at,
                                                error);
  if (caller == NULL)
    return NULL;
  reeve_authentication_cache_add (self->cache, key, caller, expires_at, version);
  return g_steal_pointer (&caller);
}

static void
reeve_authentication_shown_free (gpointer data)
{
  ReeveAuthenticationShown *shown = data;

  g_free (shown->scheme);
  g_free (shown->token);
  g_free (shown->peer_address);
  g_free (shown->door);
  g_free (shown);
}

static void
reeve_authentication_work (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  ReeveAuthenticationShown *shown = data;
  ReeveCredentials credentials = {
    .struct_size = sizeof credentials,
    .scheme = shown->scheme,
    .token = shown->token,
    .peer_address = shown->peer_address,
    .door = shown->door,
  };
  GError *error = NULL;
  ReeveCaller *caller = reeve_authentication_authenticate (source, &credentials, &error);

  if (caller != NULL)
    g_task_return_pointer (task, caller, (GDestroyNotify) reeve_caller_unref);
  else
    g_task_return_error (task, error);
}

/**
 * reeve_authentication_authenticate_async:
 * @self: authentication
 * @credentials: what was shown; copied
 * @callback: called in the caller's thread-default context
 * @user_data: for @callback
 *
 * Asks the providers on a worker thread.
 */
void
reeve_authentication_authenticate_async (ReeveAuthentication *self,
                                         const ReeveCredentials *credentials,
                                         GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  ReeveAuthenticationShown *shown = g_new0 (ReeveAuthenticationShown, 1);

  g_task_set_source_tag (task, reeve_authentication_authenticate_async);
  shown->scheme = g_strdup (credentials->scheme);
  shown->token = g_strdup (credentials->token);
  shown->peer_address = g_strdup (credentials->peer_address);
  shown->door = g_strdup (credentials->door);
  g_task_set_task_data (task, shown, reeve_authentication_shown_free);
  reeve_workers_run_task (self->workers, task, reeve_authentication_work);
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
