/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who a caller is. */
#include "reeve-auth.h"

struct _ReeveIdentity
{
  gatomicrefcount refs;
  char *tenant_id;
  char *user_id;
  char **roles;
  char *method;
  char *key_id;
  gint64 expires_at;
  char **scopes;
  char *workspace_id;
  guint rate_limit;
};

G_DEFINE_BOXED_TYPE (ReeveIdentity, reeve_identity, reeve_identity_ref, reeve_identity_unref)

/**
 * reeve_identity_new:
 * @tenant_id: the caller's tenant
 * @user_id: opaque id of the person or service account
 * @roles: (nullable) (array zero-terminated=1): its roles
 * @method: how it was proven: `api_key`, `jwt`, …
 *
 * Not thread-safe while it is built; immutable once returned to the host.
 *
 * Returns: (transfer full): an identity that never expires
 *
 * Since: 0.1
 */
ReeveIdentity *
reeve_identity_new (const char *tenant_id, const char *user_id, const char *const *roles,
                    const char *method)
{
  ReeveIdentity *self = NULL;

  g_return_val_if_fail (tenant_id != NULL && user_id != NULL && method != NULL, NULL);

  self = g_new0 (ReeveIdentity, 1);
  g_atomic_ref_count_init (&self->refs);
  self->tenant_id = g_strdup (tenant_id);
  self->user_id = g_strdup (user_id);
  self->roles = roles != NULL ? g_strdupv ((char **) roles) : g_new0 (char *, 1);
  self->method = g_strdup (method);
  return self;
}

/**
 * reeve_identity_ref:
 * @self: an identity
 *
 * Returns: (transfer full): @self
 *
 * Since: 0.1
 */
ReeveIdentity *
reeve_identity_ref (ReeveIdentity *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * reeve_identity_unref:
 * @self: (transfer full): an identity
 *
 * Since: 0.1
 */
void
reeve_identity_unref (ReeveIdentity *self)
{
  g_return_if_fail (self != NULL);
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_free (self->tenant_id);
  g_free (self->user_id);
  g_strfreev (self->roles);
  g_free (self->method);
  g_free (self->key_id);
  g_strfreev (self->scopes);
  g_free (self->workspace_id);
  g_free (self);
}

/**
 * reeve_identity_get_tenant_id:
 * @self: an identity
 *
 * Returns: (transfer none): the caller's tenant
 *
 * Since: 0.1
 */
const char *
reeve_identity_get_tenant_id (ReeveIdentity *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->tenant_id;
}

/**
 * reeve_identity_get_user_id:
 * @self: an identity
 *
 * Returns: (transfer none): opaque id of the person or service account
 *
 * Since: 0.1
 */
const char *
reeve_identity_get_user_id (ReeveIdentity *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->user_id;
}

/**
 * reeve_identity_get_roles:
 * @self: an identity
 *
 * Returns: (transfer none) (array zero-terminated=1): its roles, possibly none
 *
 * Since: 0.1
 */
const char *const *
reeve_identity_get_roles (ReeveIdentity *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return (const char *const *) self->roles;
}

/**
 * reeve_identity_get_method:
 * @self: an identity
 *
 * Returns: (transfer none): how it was proven: `api_key`, `jwt`, …
 *
 * Since: 0.1
 */
const char *
reeve_identity_get_method (ReeveIdentity *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->method;
}

/**
 * reeve_identity_get_key_id:
 * @self: an identity
 *
 * Returns: (transfer none) (nullable): id of the key or token that was shown, never the secret
 * itself
 *
 * Since: 0.1
 */
const char *
reeve_identity_get_key_id (ReeveIdentity *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->key_id;
}

/**
 * reeve_identity_set_key_id:
 * @self: an identity
 * @key_id: (nullable): id of the key or token that was shown, never the secret itself
 *
 * Since: 0.1
 */
void
reeve_identity_set_key_id (ReeveIdentity *self, const char *key_id)
{
  g_autofree char *old = NULL;

  g_return_if_fail (self != NULL);
  old = self->key_id;
  self->key_id = g_strdup (key_id);
}

/**
 * reeve_identity_get_expires_at:
 * @self: an identity
 *
 * Returns: microseconds since the epoch after which it no longer holds; 0 for never
 *
 * Since: 0.1
 */
gint64
reeve_identity_get_expires_at (ReeveIdentity *self)
{
  g_return_val_if_fail (self != NULL, 0);
  return self->expires_at;
}

/**
 * reeve_identity_set_expires_at:
 * @self: an identity
 * @expires_at: microseconds since the epoch after which it no longer holds; 0 for never
 *
 * Since: 0.1
 */
void
reeve_identity_set_expires_at (ReeveIdentity *self, gint64 expires_at)
{
  g_return_if_fail (self != NULL);
  self->expires_at = expires_at;
}

/**
 * reeve_identity_get_scopes:
 * @self: an identity
 *
 * Returns: (transfer none) (nullable) (array zero-terminated=1): permissions, `resource:*` or `*`
 * that bound what its roles allow; %NULL when nothing bounds it
 *
 * Since: 0.1
 */
const char *const *
reeve_identity_get_scopes (ReeveIdentity *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return (const char *const *) self->scopes;
}

/**
 * reeve_identity_set_scopes:
 * @self: an identity
 * @scopes: (nullable) (array zero-terminated=1): permissions, `resource:*` or `*` that bound what
 * its roles allow: they take away and never give; an empty list takes all away; %NULL for no bound
 *
 * Since: 0.1
 */
void
reeve_identity_set_scopes (ReeveIdentity *self, const char *const *scopes)
{
  g_auto (GStrv) old = NULL;

  g_return_if_fail (self != NULL);
  old = self->scopes;
  self->scopes = scopes != NULL ? g_strdupv ((char **) scopes) : NULL;
}

/**
 * reeve_identity_get_workspace_id:
 * @self: an identity
 *
 * Returns: (transfer none) (nullable): the only workspace that it acts in; %NULL for no such bound
 *
 * Since: 0.1
 */
const char *
reeve_identity_get_workspace_id (ReeveIdentity *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->workspace_id;
}

/**
 * reeve_identity_set_workspace_id:
 * @self: an identity
 * @workspace_id: (nullable): the only workspace that it acts in; %NULL for no such bound
 *
 * Since: 0.1
 */
void
reeve_identity_set_workspace_id (ReeveIdentity *self, const char *workspace_id)
{
  g_autofree char *old = NULL;

  g_return_if_fail (self != NULL);
  old = self->workspace_id;
  self->workspace_id = g_strdup (workspace_id);
}

/**
 * reeve_identity_get_rate_limit:
 * @self: an identity
 *
 * Returns: most requests a minute with what was shown; 0 for no limit of its own
 *
 * Since: 0.1
 */
guint
reeve_identity_get_rate_limit (ReeveIdentity *self)
{
  g_return_val_if_fail (self != NULL, 0);
  return self->rate_limit;
}

/**
 * reeve_identity_set_rate_limit:
 * @self: an identity
 * @rate_limit: most requests a minute with what was shown; 0 for no limit of its own. Counted by
 * reeve_identity_get_key_id(), so it needs one
 *
 * Since: 0.1
 */
void
reeve_identity_set_rate_limit (ReeveIdentity *self, guint rate_limit)
{
  g_return_if_fail (self != NULL);
  self->rate_limit = rate_limit;
}
