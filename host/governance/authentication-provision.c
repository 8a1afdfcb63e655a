/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Provisioning at first sight. Each record that is made or changed goes through the gate as the
 * host's own doing and stands in the tenant's log. Who was disabled or deleted here stays so,
 * whatever the issuer says. */
#include "authentication-provision.h"

#include "users-provision.h"

/* attempts when others are quicker: of one person at first sight through several doors at once */
#define REEVE_AUTHENTICATION_PROVISION_ATTEMPTS 3

struct _ReeveAuthenticationProvision
{
  ReeveUsers *users;
  ReeveAdmission *admission;
  ReeveAuthentication *authentication;
};

/* The same person with the roles that the record has. */
static void
reeve_authentication_provision_take_roles (ReeveAuthenticationDraft *draft,
                                           const char *const *roles)
{
  ReeveIdentity *old = draft->identity;

  draft->identity
      = reeve_identity_new (reeve_identity_get_tenant_id (old), reeve_identity_get_user_id (old),
                            roles, reeve_identity_get_method (old));
  reeve_identity_set_key_id (draft->identity, reeve_identity_get_key_id (old));
  reeve_identity_set_expires_at (draft->identity, reeve_identity_get_expires_at (old));
  reeve_identity_set_ends_at (draft->identity, reeve_identity_get_ends_at (old));
  reeve_identity_set_username (draft->identity, reeve_identity_get_username (old));
  reeve_identity_set_email (draft->identity, reeve_identity_get_email (old));
  reeve_identity_set_scopes (draft->identity, reeve_identity_get_scopes (old));
  reeve_identity_set_workspace_id (draft->identity, reeve_identity_get_workspace_id (old));
  reeve_identity_set_rate_limit (draft->identity, reeve_identity_get_rate_limit (old));
  reeve_identity_unref (old);
}

/* Through the gate, as the host itself in that tenant. */
static gboolean
reeve_authentication_provision_write (ReeveAuthenticationProvision *self,
                                      ReeveAuthenticationDraft *draft,
                                      const ReeveUsersProvisioned *found, gboolean *less,
                                      GError **error)
{
  static const char *const roles[] = { "admin", NULL };
  g_autoptr (ReeveIdentity) host = reeve_identity_new (draft->tenant_id, "host", roles, "internal");
  g_autoptr (ReeveCaller) caller
      = reeve_caller_new (host, draft->tenant_id, TRUE, reeve_roles_all (), "internal",
                          draft->credentials->peer_address);
  ReeveAdmissionRequest request = { .caller = caller,
                                    .operation = "users.provision",
                                    .resource_type = "user",
                                    .resource_id = reeve_identity_get_user_id (draft->identity) };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED };
  ReeveAdmitted *admitted = reeve_admission_begin (self->admission, &request, error);
  g_autoptr (GError) local = NULL;
  gboolean good = FALSE;

  if (admitted == NULL)
    return FALSE;
  good = reeve_users_provision (self->users, admitted, draft->identity, found, less, &local);
  if (!good)
    {
      settlement.outcome = REEVE_OUTCOME_FAILED;
      settlement.reason = reeve_error_get_name (
          local->domain == REEVE_ERROR ? (ReeveError) local->code : REEVE_ERROR_FAILED);
      g_propagate_error (error, g_steal_pointer (&local));
    }
  reeve_admission_settle_async (self->admission, admitted, &settlement, NULL, NULL);
  return good;
}

/* One attempt. @again: (out): somebody else was quicker. */
static gboolean
reeve_authentication_provision_try (ReeveAuthenticationProvision *self,
                                    ReeveAuthenticationDraft *draft, gboolean *again,
                                    GError **error)
{
  g_auto (ReeveUsersProvisioned) found = { FALSE };
  g_autoptr (GError) local = NULL;
  gboolean less = FALSE;

  *again = FALSE;
  if (!reeve_users_provision_read (self->users, draft->identity, &found, error))
    return FALSE;
  if (found.removed)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED, "the user was removed");
      return FALSE;
    }
  if (reeve_identity_get_provision (draft->identity)
      && reeve_users_provision_is_due (&found, draft->identity))
    {
      if (!reeve_authentication_provision_write (self, draft, &found, &less, &local))
        {
          *again = g_error_matches (local, REEVE_ERROR, REEVE_ERROR_CONFLICT)
                   || g_error_matches (local, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS);
          g_propagate_prefixed_error (error, g_steal_pointer (&local), "provisioning the user: ");
          return FALSE;
        }
      if (less)
        reeve_authentication_revoke_user (self->authentication, draft->tenant_id,
                                          reeve_identity_get_user_id (draft->identity));
      draft->changed = TRUE;
    }
  /* the issuer's last word counts, not an older token; where it says nothing, the record */
  if (found.found
      && (reeve_identity_get_issued_at (draft->identity) < found.issued_at
          || !reeve_identity_has_roles (draft->identity)))
    reeve_authentication_provision_take_roles (draft, (const char *const *) found.roles);
  return TRUE;
}

/* (ReeveAuthenticationStep) */
static gboolean
reeve_authentication_provision_step (ReeveAuthenticationDraft *draft, gpointer user_data,
                                     GError **error)
{
  ReeveAuthenticationProvision *self = user_data;
  gboolean again = TRUE;
  gboolean mine = reeve_identity_get_provision (draft->identity)
                  && reeve_identity_get_issuer (draft->identity) != NULL;

  if (draft->known ? !draft->account.active || (!mine && reeve_identity_has_roles (draft->identity))
                   : !mine)
    return TRUE;
  for (guint i = 0; again && i < REEVE_AUTHENTICATION_PROVISION_ATTEMPTS; i++)
    {
      g_autoptr (GError) local = NULL;

      if (reeve_authentication_provision_try (self, draft, &again, &local))
        return TRUE;
      if (!again || i + 1 == REEVE_AUTHENTICATION_PROVISION_ATTEMPTS)
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return FALSE;
        }
    }
  return FALSE;
}

/**
 * reeve_authentication_provision_new:
 * @users: where records are
 * @admission: the gate
 * @authentication: whose way in this is a step on
 *
 * Returns: (transfer full): the step, taken from now on
 */
ReeveAuthenticationProvision *
reeve_authentication_provision_new (ReeveUsers *users, ReeveAdmission *admission,
                                    ReeveAuthentication *authentication)
{
  ReeveAuthenticationProvision *self = g_new0 (ReeveAuthenticationProvision, 1);

  self->users = users;
  self->admission = admission;
  self->authentication = authentication;
  reeve_authentication_admit_add_step (reeve_authentication_get_admit (authentication),
                                       REEVE_ADMIT_PROVISION, reeve_authentication_provision_step,
                                       self);
  return self;
}

/**
 * reeve_authentication_provision_free:
 * @self: (transfer full): the step, when nobody comes in any more
 */
void
reeve_authentication_provision_free (ReeveAuthenticationProvision *self)
{
  g_free (self);
}
