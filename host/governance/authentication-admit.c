/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Admission of an identity: its tenant is there, its user is active, what it may do is computed
 * once and handed to the caller. Who is the platform admin stands in the user's record and nowhere
 * else. Other parts of the house hook their steps in here, so that there is one way in. */
#include "authentication-admit.h"

#include <string.h>

#include "auditors.h"
#include "directory.h"

typedef struct
{
  ReeveAuthenticationStage stage;
  ReeveAuthenticationStep step;
  gpointer user_data;
} ReeveAuthenticationAdmitStep;

struct _ReeveAuthenticationAdmit
{
  ReeveStore *store;
  ReeveUsers *users;
  ReeveTenants *tenants;         /* (nullable) */
  ReeveRevocations *revocations; /* not owned */
  GArray *steps;
  ReeveRoleBook *book; /* (nullable) */
};

/**
 * reeve_authentication_admit_new:
 * @store: where tenants are
 * @users: the users
 * @revocations: what was taken back; outlives this
 *
 * Returns: (transfer full): the way in, without steps of others
 */
ReeveAuthenticationAdmit *
reeve_authentication_admit_new (ReeveStore *store, ReeveUsers *users, ReeveRevocations *revocations)
{
  ReeveAuthenticationAdmit *self = g_new0 (ReeveAuthenticationAdmit, 1);

  self->store = g_object_ref (store);
  self->users = g_object_ref (users);
  self->revocations = revocations;
  self->steps = g_array_new (FALSE, FALSE, sizeof (ReeveAuthenticationAdmitStep));
  return self;
}

/**
 * reeve_authentication_admit_free:
 * @self: the way in
 */
void
reeve_authentication_admit_free (ReeveAuthenticationAdmit *self)
{
  g_object_unref (self->store);
  g_object_unref (self->users);
  g_clear_object (&self->tenants);
  g_clear_object (&self->book);
  g_array_unref (self->steps);
  g_free (self);
}

/**
 * reeve_authentication_admit_set_tenants:
 * @self: the way in
 * @tenants: know which tenants are active; without, every one that has a store is
 */
void
reeve_authentication_admit_set_tenants (ReeveAuthenticationAdmit *self, ReeveTenants *tenants)
{
  g_set_object (&self->tenants, tenants);
}

/**
 * reeve_authentication_admit_get_status:
 * @self: the way in
 * @tenant_id: any text
 *
 * Returns: how the tenant of that name stands
 */
ReeveTenantStatus
reeve_authentication_admit_get_status (ReeveAuthenticationAdmit *self, const char *tenant_id)
{
  if (!reeve_tenants_is_id (tenant_id) || !reeve_store_has_scope (self->store, tenant_id))
    return REEVE_TENANT_ABSENT;
  return self->tenants != NULL ? reeve_tenants_get_status (self->tenants, tenant_id)
                               : REEVE_TENANT_ACTIVE;
}

/**
 * reeve_authentication_admit_add_step:
 * @self: the way in
 * @stage: when
 * @step: taken there, behind those that are there already
 * @user_data: for @step; must outlive @self
 */
void
reeve_authentication_admit_add_step (ReeveAuthenticationAdmit *self, ReeveAuthenticationStage stage,
                                     ReeveAuthenticationStep step, gpointer user_data)
{
  ReeveAuthenticationAdmitStep added = { stage, step, user_data };

  g_array_append_val (self->steps, added);
}

/**
 * reeve_authentication_admit_set_role_book:
 * @self: the way in
 * @book: says what roles hold
 */
void
reeve_authentication_admit_set_role_book (ReeveAuthenticationAdmit *self, ReeveRoleBook *book)
{
  g_set_object (&self->book, book);
  reeve_users_set_role_book (self->users, book);
}

/**
 * reeve_authentication_draft_end:
 * @draft: an identity on its way
 * @until: µs since the epoch after which what is drafted no longer holds; 0 for no end
 */
/* layers: allow prefix: what steps do with a draft */
void
reeve_authentication_draft_end (ReeveAuthenticationDraft *draft, gint64 until)
{
  if (until != 0 && (draft->expires_at == 0 || until < draft->expires_at))
    draft->expires_at = until;
  if (until != 0 && (draft->ends_at == 0 || until < draft->ends_at))
    draft->ends_at = until;
}

/**
 * reeve_authentication_draft_rest_on:
 * @draft: an identity on its way
 * @ground: (transfer full): a name of reeve-revocations
 *
 * When @ground is taken back, the caller has no further effect, also where it was let in before.
 */
/* layers: allow prefix: what steps do with a draft */
void
reeve_authentication_draft_rest_on (ReeveAuthenticationDraft *draft, char *ground)
{
  g_ptr_array_add (draft->grounds, ground);
}

/**
 * reeve_authentication_draft_place:
 * @draft: an identity on its way
 * @workspace_id: a workspace of its tenant
 * @permissions: what it may do there besides
 */
/* layers: allow prefix: what steps do with a draft */
void
reeve_authentication_draft_place (ReeveAuthenticationDraft *draft, const char *workspace_id,
                                  ReevePermissions permissions)
{
  ReeveCallerPlace place = { g_strdup (workspace_id), permissions };

  g_array_append_val (draft->places, place);
}

/* layers: allow prefix: what a draft holds */
static void
reeve_authentication_draft_clear_place (gpointer place)
{
  g_free (((ReeveCallerPlace *) place)->workspace_id);
}

/* ---- the way ---- */

static gboolean
reeve_authentication_admit_refuse (const char *text, GError **error)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED, text);
  return FALSE;
}

static gboolean
reeve_authentication_admit_take_steps (ReeveAuthenticationAdmit *self,
                                       ReeveAuthenticationStage stage,
                                       ReeveAuthenticationDraft *draft, GError **error)
{
  for (guint i = 0; i < self->steps->len; i++)
    {
      const ReeveAuthenticationAdmitStep *step
          = &g_array_index (self->steps, ReeveAuthenticationAdmitStep, i);

      if (step->stage == stage && !step->step (draft, step->user_data, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
reeve_authentication_admit_check_tenant (ReeveAuthenticationAdmit *self,
                                         ReeveAuthenticationDraft *draft, GError **error)
{
  return reeve_authentication_admit_get_status (self, draft->tenant_id) == REEVE_TENANT_ACTIVE
         || reeve_authentication_admit_refuse (
             "the credentials are of no active tenant of this host", error);
}

static gboolean
reeve_authentication_admit_tenant (ReeveAuthenticationAdmit *self, ReeveAuthenticationDraft *draft,
                                   GError **error)
{
  if (!reeve_authentication_admit_check_tenant (self, draft, error))
    return FALSE;
  reeve_authentication_draft_rest_on (draft, reeve_revocations_name_tenant (draft->tenant_id));
  return reeve_authentication_admit_take_steps (self, REEVE_ADMIT_TENANT, draft, error);
}

static gboolean
reeve_authentication_admit_read_user (ReeveAuthenticationAdmit *self,
                                      ReeveAuthenticationDraft *draft, GError **error)
{
  /* a key, whatever its roles, holds no more than its user: it rests on the user's roles too */
  GPtrArray *grounds = reeve_identity_get_key_id (draft->identity) != NULL ? draft->grounds : NULL;
  g_autoptr (GError) local = NULL;

  draft->known = reeve_users_read_grounds (self->users, draft->tenant_id,
                                           reeve_identity_get_user_id (draft->identity),
                                           &draft->account, grounds, &local);
  if (draft->known || g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/* A run outlives the answer of its provider: the key it was begun with may be gone. */
static gboolean
reeve_authentication_admit_key (ReeveAuthenticationAdmit *self, ReeveAuthenticationDraft *draft,
                                GError **error)
{
  const char *key_id = reeve_identity_get_key_id (draft->identity);
  g_autoptr (ReeveRecord) record = NULL;
  JsonObject *fields = NULL;

  if (!draft->again || key_id == NULL)
    return TRUE;
  record = reeve_store_get (self->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_API_KEYS, key_id, error);
  if (record == NULL)
    return FALSE;
  fields = reeve_record_get_fields (record);
  reeve_authentication_draft_end (draft, reeve_json_get_int (fields, "expires_at", 0));
  return reeve_json_get_int (fields, "revoked_at", 0) == 0
         || reeve_authentication_admit_refuse ("the key was revoked", error);
}

/* Without a record the identity is all there is: a provider that is trusted to say who somebody is
 * needs no copy of it here. */
static gboolean
reeve_authentication_admit_user (ReeveAuthenticationAdmit *self, ReeveAuthenticationDraft *draft,
                                 GError **error)
{
  if (!reeve_authentication_admit_read_user (self, draft, error)
      || !reeve_authentication_admit_key (self, draft, error)
      || !reeve_authentication_admit_take_steps (self, REEVE_ADMIT_PROVISION, draft, error))
    return FALSE;
  /* what a step took back itself is not taken back from whom it did it for: all is read again,
   * behind a newer version */
  if (draft->changed)
    {
      draft->version = reeve_revocations_get_version (self->revocations);
      if (!reeve_authentication_admit_check_tenant (self, draft, error)
          || !reeve_authentication_admit_read_user (self, draft, error))
        return FALSE;
    }
  if (!draft->account.active)
    return reeve_authentication_admit_refuse ("the user is not active", error);
  reeve_authentication_draft_rest_on (
      draft,
      reeve_revocations_name_user (draft->tenant_id, reeve_identity_get_user_id (draft->identity)));
  if (reeve_identity_get_key_id (draft->identity) != NULL)
    reeve_authentication_draft_rest_on (
        draft, reeve_revocations_name_key (reeve_identity_get_key_id (draft->identity)));
  return reeve_authentication_admit_take_steps (self, REEVE_ADMIT_USER, draft, error);
}

static gboolean
reeve_authentication_admit_note (ReeveAuthenticationAdmit *self, ReeveAuthenticationDraft *draft,
                                 const char *const *roles, GError **error)
{
  gboolean audits = FALSE;
  ReevePermissions held = 0;

  if (!reeve_role_book_add_contained (self->book, draft->tenant_id, roles, draft->marks, error)
      || !reeve_auditors_judge (self->book, draft->tenant_id, roles, &audits, &held, error))
    return FALSE;
  draft->audits = draft->audits || audits;
  return TRUE;
}

/* Every role of the user: who shows a credential with others does not shed these. */
static gboolean
reeve_authentication_admit_mark (ReeveAuthenticationAdmit *self, ReeveAuthenticationDraft *draft,
                                 GError **error)
{
  g_autoptr (JsonObject) user = NULL;
  g_auto (GStrv) roles = NULL;

  if (!reeve_authentication_admit_note (self, draft, reeve_identity_get_roles (draft->identity),
                                        error))
    return FALSE;
  if (!draft->known)
    return TRUE;
  user = reeve_users_get (self->users, draft->tenant_id,
                          reeve_identity_get_user_id (draft->identity), error);
  if (user == NULL)
    return FALSE;
  roles = reeve_directory_get_strings (user, "roles");
  return reeve_authentication_admit_note (self, draft, (const char *const *) roles, error);
}

/* Who audits only reads, whatever came together: a role that was changed, roles of a token, an
 * override. The platform admin is no auditor, and without roles nobody is. */
static void
reeve_authentication_admit_bound (ReeveAuthenticationAdmit *self, ReeveAuthenticationDraft *draft,
                                  gboolean platform_admin)
{
  if (draft->audits && !platform_admin
      && (self->book == NULL || reeve_role_book_is_enabled (self->book)))
    draft->cap &= reeve_roles_reading ();
}

static gboolean
reeve_authentication_admit_permissions (ReeveAuthenticationAdmit *self,
                                        ReeveAuthenticationDraft *draft, gboolean platform_admin,
                                        GError **error)
{
  const char *const *roles = reeve_identity_get_roles (draft->identity);

  if (!reeve_role_book_union (self->book, draft->tenant_id, roles, &draft->permissions,
                              draft->grounds, error))
    return FALSE;
  /* a key holds no more than its user does now */
  if (draft->again && draft->known && reeve_identity_get_key_id (draft->identity) != NULL)
    draft->permissions &= draft->account.permissions;
  if (platform_admin || (self->book != NULL && !reeve_role_book_is_enabled (self->book)))
    draft->permissions = reeve_roles_all ();
  draft->whole = !draft->known || (draft->account.permissions & ~draft->permissions) == 0;
  if (!reeve_authentication_admit_mark (self, draft, error)
      || !reeve_authentication_admit_take_steps (self, REEVE_ADMIT_PERMISSIONS, draft, error))
    return FALSE;
  reeve_authentication_admit_bound (self, draft, platform_admin);
  return reeve_authentication_admit_take_steps (self, REEVE_ADMIT_CAP, draft, error);
}

static ReeveCaller *
reeve_authentication_admit_make (ReeveAuthenticationDraft *draft, gboolean platform_admin)
{
  ReeveCaller *caller = reeve_caller_new (draft->identity, draft->tenant_id, platform_admin,
                                          draft->permissions & draft->cap, draft->credentials->door,
                                          draft->credentials->peer_address);

  for (guint i = 0; i < draft->elevations->len; i++)
    {
      ReeveCallerElevation *elevation = &g_array_index (draft->elevations, ReeveCallerElevation, i);

      reeve_caller_elevate (caller, elevation->permissions & draft->cap, elevation->until);
    }
  for (guint i = 0; i < draft->places->len; i++)
    {
      ReeveCallerPlace *place = &g_array_index (draft->places, ReeveCallerPlace, i);

      reeve_caller_place (caller, place->workspace_id, place->permissions & draft->cap);
    }
  reeve_caller_end (caller, draft->ends_at);
  if (draft->again)
    reeve_caller_excuse_network (caller);
  g_ptr_array_add (draft->marks, NULL);
  reeve_caller_describe (caller, (const char *const *) draft->marks->pdata, draft->whole,
                         draft->permissions | draft->account.permissions | draft->holds,
                         draft->cap);
  g_ptr_array_add (draft->grounds, NULL);
  reeve_caller_rest_on (caller, draft->version, (const char *const *) draft->grounds->pdata);
  return caller;
}

/* Who signs tokens, or is somebody else's provider, says who somebody is, but never makes the
 * platform admin: only what this host has given out itself, or one of its rules, does. */
static gboolean
reeve_authentication_admit_is_own (ReeveAuthenticationDraft *draft)
{
  static const char *const own[]
      = { "api_key", "basic", "certificate", "owner", "evaluation", NULL };
  const char *method = reeve_identity_get_method (draft->identity);

  return method != NULL && g_strv_contains (own, method);
}

static ReeveCaller *
reeve_authentication_admit_go (ReeveAuthenticationAdmit *self, ReeveAuthenticationDraft *draft,
                               GError **error)
{
  gboolean platform_admin = FALSE;

  draft->version = reeve_revocations_get_version (self->revocations);
  if (!reeve_authentication_admit_tenant (self, draft, error)
      || !reeve_authentication_admit_user (self, draft, error)
      || (!draft->again
          && !reeve_authentication_admit_take_steps (self, REEVE_ADMIT_NETWORK, draft, error)))
    return NULL;
  platform_admin = draft->account.platform_admin && reeve_authentication_admit_is_own (draft)
                   && strcmp (draft->tenant_id, REEVE_TENANTS_DEFAULT) == 0
                   && g_strv_contains (reeve_identity_get_roles (draft->identity), "admin");
  if (!reeve_authentication_admit_permissions (self, draft, platform_admin, error))
    return NULL;
  return reeve_authentication_admit_make (draft, platform_admin);
}

static ReeveCaller *
reeve_authentication_admit_draft (ReeveAuthenticationAdmit *self, ReeveIdentity *identity,
                                  const ReeveCredentials *credentials, gboolean again,
                                  gint64 *expires_at, GError **error)
{
  g_autofree char *tenant_id = g_strdup (reeve_identity_get_tenant_id (identity));
  g_autoptr (GPtrArray) grounds = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) marks = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) elevations = g_array_new (FALSE, FALSE, sizeof (ReeveCallerElevation));
  g_autoptr (GArray) places = g_array_new (FALSE, FALSE, sizeof (ReeveCallerPlace));
  ReeveAuthenticationDraft draft = {
    .identity = reeve_identity_ref (identity),
    .credentials = credentials,
    .again = again,
    .tenant_id = tenant_id,
    .account = { .active = TRUE },
    .cap = reeve_roles_all (),
    .elevations = elevations,
    .places = places,
    .marks = marks,
    .grounds = grounds,
  };
  ReeveCaller *caller = NULL;

  g_array_set_clear_func (places, reeve_authentication_draft_clear_place);
  draft.expires_at = reeve_identity_get_expires_at (identity);
  reeve_authentication_draft_end (&draft, reeve_identity_get_ends_at (identity));
  caller = reeve_authentication_admit_go (self, &draft, error);
  *expires_at = draft.expires_at;
  reeve_identity_unref (draft.identity);
  return caller;
}

/**
 * reeve_authentication_admit_identity:
 * @self: the way in
 * @identity: whom a provider vouches for
 * @credentials: what was shown
 * @expires_at: (out): µs since the epoch after which it is to be asked for anew; 0 for never
 * @error: return location
 *
 * Returns: (transfer full): the caller; %NULL with %REEVE_ERROR_UNAUTHENTICATED, or what a step
 * refused with
 */
ReeveCaller *
reeve_authentication_admit_identity (ReeveAuthenticationAdmit *self, ReeveIdentity *identity,
                                     const ReeveCredentials *credentials, gint64 *expires_at,
                                     GError **error)
{
  return reeve_authentication_admit_draft (self, identity, credentials, FALSE, expires_at, error);
}

/**
 * reeve_authentication_admit_again:
 * @self: the way in
 * @identity: what a run has kept of who began it
 * @door: through which door
 * @error: return location
 *
 * Returns: (transfer full): the caller; %NULL with %REEVE_ERROR_UNAUTHENTICATED or what else
 */
ReeveCaller *
reeve_authentication_admit_again (ReeveAuthenticationAdmit *self, ReeveIdentity *identity,
                                  const char *door, GError **error)
{
  const ReeveCredentials credentials = { .struct_size = sizeof credentials, .door = door };
  gint64 expires_at = 0;

  return reeve_authentication_admit_draft (self, identity, &credentials, TRUE, &expires_at, error);
}
