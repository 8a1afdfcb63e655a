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
  gint64 ends_at;
  char **scopes;
  char *workspace_id;
  guint rate_limit;
  gboolean roles_known;
  char *issuer;
  char *subject;
  char *username;
  char *email;
  gboolean provision;
  gint64 issued_at;
  JsonNode *attributes;
};

G_DEFINE_BOXED_TYPE (ReeveIdentity, reeve_identity, reeve_identity_ref, reeve_identity_unref)

/**
 * reeve_identity_new:
 * @tenant_id: the caller's tenant
 * @user_id: opaque id of the person or service account
 * @roles: (nullable) (array zero-terminated=1): its roles; %NULL when the provider knows nothing of
 * roles, which is not the same as that there are none
 * @method: how it was proven: `api_key`, `jwt`, …
 *
 * Not thread-safe while it is built; immutable once returned to the host.
 *
 * Returns: (transfer full): an identity that never expires
 *
 * Since: 1.0
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
  self->roles_known = roles != NULL;
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
 * Since: 1.0
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
 * Since: 1.0
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
  g_free (self->issuer);
  g_free (self->subject);
  g_free (self->username);
  g_free (self->email);
  g_clear_pointer (&self->attributes, json_node_unref);
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
 * Since: 1.0
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
 * Since: 1.0
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
 * Since: 1.0
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
 * Since: 1.0
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
 * Since: 1.0
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
 * Since: 1.0
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
 * Since: 1.0
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
 * Since: 1.0
 */
void
reeve_identity_set_expires_at (ReeveIdentity *self, gint64 expires_at)
{
  g_return_if_fail (self != NULL);
  self->expires_at = expires_at;
}

/**
 * reeve_identity_get_ends_at:
 * @self: an identity
 *
 * Returns: microseconds since the epoch when what was shown ends, so that nothing that was begun
 * with it goes on; 0 for never
 *
 * Since: 1.0
 */
gint64
reeve_identity_get_ends_at (ReeveIdentity *self)
{
  g_return_val_if_fail (self != NULL, 0);
  return self->ends_at;
}

/**
 * reeve_identity_set_ends_at:
 * @self: an identity
 * @ends_at: microseconds since the epoch when what was shown ends; 0 for never
 *
 * Unlike reeve_identity_set_expires_at(), which may also say how long the answer of a provider is
 * good, it ends what runs.
 *
 * Since: 1.0
 */
void
reeve_identity_set_ends_at (ReeveIdentity *self, gint64 ends_at)
{
  g_return_if_fail (self != NULL);
  self->ends_at = ends_at;
}

/**
 * reeve_identity_get_scopes:
 * @self: an identity
 *
 * Returns: (transfer none) (nullable) (array zero-terminated=1): permissions, `resource:*` or `*`
 * that bound what its roles allow; %NULL when nothing bounds it
 *
 * Since: 1.0
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
 * Since: 1.0
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
 * Since: 1.0
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
 * Since: 1.0
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
 * Since: 1.0
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
 * Since: 1.0
 */
void
reeve_identity_set_rate_limit (ReeveIdentity *self, guint rate_limit)
{
  g_return_if_fail (self != NULL);
  self->rate_limit = rate_limit;
}

/**
 * reeve_identity_has_roles:
 * @self: an identity
 *
 * Returns: whether the provider said which roles there are; if not, the host's own record of the
 * user decides
 *
 * Since: 1.0
 */
gboolean
reeve_identity_has_roles (ReeveIdentity *self)
{
  g_return_val_if_fail (self != NULL, FALSE);
  return self->roles_known;
}

static void
reeve_identity_replace (char **field, const char *text)
{
  g_autofree char *old = *field;

  *field = g_strdup (text);
}

/**
 * reeve_identity_get_issuer:
 * @self: an identity
 *
 * Returns: (transfer none) (nullable): who vouches for the identity, outside of this host
 *
 * Since: 1.0
 */
const char *
reeve_identity_get_issuer (ReeveIdentity *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->issuer;
}

/**
 * reeve_identity_get_subject:
 * @self: an identity
 *
 * Returns: (transfer none) (nullable): what the issuer calls it
 *
 * Since: 1.0
 */
const char *
reeve_identity_get_subject (ReeveIdentity *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->subject;
}

/**
 * reeve_identity_set_subject:
 * @self: an identity
 * @issuer: who vouches for it, outside of this host
 * @subject: what the issuer calls it, for ever
 *
 * Since: 1.0
 */
void
reeve_identity_set_subject (ReeveIdentity *self, const char *issuer, const char *subject)
{
  g_return_if_fail (self != NULL && issuer != NULL && subject != NULL);
  reeve_identity_replace (&self->issuer, issuer);
  reeve_identity_replace (&self->subject, subject);
}

/**
 * reeve_identity_get_username:
 * @self: an identity
 *
 * Returns: (transfer none) (nullable): name that people know it by
 *
 * Since: 1.0
 */
const char *
reeve_identity_get_username (ReeveIdentity *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->username;
}

/**
 * reeve_identity_set_username:
 * @self: an identity
 * @username: (nullable): name that people know it by
 *
 * Since: 1.0
 */
void
reeve_identity_set_username (ReeveIdentity *self, const char *username)
{
  g_return_if_fail (self != NULL);
  reeve_identity_replace (&self->username, username);
}

/**
 * reeve_identity_get_email:
 * @self: an identity
 *
 * Returns: (transfer none) (nullable): its address
 *
 * Since: 1.0
 */
const char *
reeve_identity_get_email (ReeveIdentity *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->email;
}

/**
 * reeve_identity_set_email:
 * @self: an identity
 * @email: (nullable): its address
 *
 * Since: 1.0
 */
void
reeve_identity_set_email (ReeveIdentity *self, const char *email)
{
  g_return_if_fail (self != NULL);
  reeve_identity_replace (&self->email, email);
}

/**
 * reeve_identity_get_provision:
 * @self: an identity
 *
 * Returns: whether the host is to keep a record of this user, made when it first sees it
 *
 * Since: 1.0
 */
gboolean
reeve_identity_get_provision (ReeveIdentity *self)
{
  g_return_val_if_fail (self != NULL, FALSE);
  return self->provision;
}

/**
 * reeve_identity_set_provision:
 * @self: an identity with issuer and subject
 * @provision: whether the host is to keep a record of this user, made when it first sees it
 *
 * Since: 1.0
 */
void
reeve_identity_set_provision (ReeveIdentity *self, gboolean provision)
{
  g_return_if_fail (self != NULL);
  self->provision = provision;
}

/**
 * reeve_identity_get_attributes:
 * @self: an identity
 *
 * Returns: (transfer none) (nullable): an object with what else the issuer says of it; immutable
 *
 * Since: 1.0
 */
JsonNode *
reeve_identity_get_attributes (ReeveIdentity *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->attributes;
}

/**
 * reeve_identity_set_attributes:
 * @self: an identity
 * @attributes: (transfer none): an object with what else the issuer says of it; copied
 *
 * Since: 1.0
 */
void
reeve_identity_set_attributes (ReeveIdentity *self, JsonNode *attributes)
{
  g_autofree char *text = NULL;

  g_return_if_fail (self != NULL && attributes != NULL && JSON_NODE_HOLDS_OBJECT (attributes));
  /* json_node_copy() shares what is inside */
  text = reeve_json_text (attributes);
  g_clear_pointer (&self->attributes, json_node_unref);
  self->attributes = json_from_string (text, NULL);
  json_node_seal (self->attributes);
}

/**
 * reeve_identity_get_issued_at:
 * @self: an identity
 *
 * Returns: microseconds since the epoch when the issuer said all this; 0 when that is not known
 *
 * Since: 1.0
 */
gint64
reeve_identity_get_issued_at (ReeveIdentity *self)
{
  g_return_val_if_fail (self != NULL, 0);
  return self->issued_at;
}

/**
 * reeve_identity_set_issued_at:
 * @self: an identity
 * @issued_at: microseconds since the epoch when the issuer said all this; 0 when that is not known
 *
 * Since: 1.0
 */
void
reeve_identity_set_issued_at (ReeveIdentity *self, gint64 issued_at)
{
  g_return_if_fail (self != NULL);
  self->issued_at = issued_at;
}
