/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layers: allow file-size: one class of many small accessors */
/* The caller of a request. */
#include "caller.h"

#include <string.h>

#include "base/times.h"

/* as many as one may have at a time */
#define REEVE_CALLER_ELEVATIONS 8

struct _ReeveCaller
{
  int references;
  ReeveIdentity *identity;
  char *tenant_id;
  char *door;
  char *peer_address;
  gboolean platform_admin;
  gboolean network_excused;
  ReevePermissions permissions;
  ReeveCallerElevation elevations[REEVE_CALLER_ELEVATIONS]; /* ended by an empty one */
  guint64 version;
  gint64 end;     /* 0: none */
  GArray *places; /* (nullable): of ReeveCallerPlace */
  char **grounds;
  char **marks; /* (nullable) every role of its user; NULL: those of the identity */
  gboolean whole;
  ReevePermissions holds;
  ReevePermissions bound;
};

/**
 * reeve_caller_get_inside:
 *
 * Returns: what may be held in one workspace alone: of what may lie in it, and of itself
 */
ReevePermissions
reeve_caller_get_inside (void)
{
  static const char *const inside[]
      = { "agent:*", "document:*", "session:*", "tool:*", "memory:*", "workspace:*" };
  ReevePermissions all = 0;

  for (guint i = 0; i < G_N_ELEMENTS (inside); i++)
    all |= reeve_roles_match (inside[i]);
  return all & ~reeve_roles_match ("workspace:create");
}

/* What the scopes of an identity and the workspace that it is bound to leave: all that there is
 * when it has neither. */
static ReevePermissions
reeve_caller_get_cap (ReeveIdentity *identity)
{
  const char *const *scopes = reeve_identity_get_scopes (identity);
  ReevePermissions whole = reeve_identity_get_workspace_id (identity) == NULL
                               ? reeve_roles_all ()
                               : reeve_caller_get_inside ();
  ReevePermissions cap = 0;

  if (scopes == NULL)
    return whole;
  for (guint i = 0; scopes[i] != NULL; i++)
    cap |= reeve_roles_match (scopes[i]);
  return cap & whole;
}

/**
 * reeve_caller_new:
 * @identity: who it is; its scopes bound what it may, and who is bound to a workspace or may not
 * manage tenants is no platform admin
 * @tenant_id: the tenant acted in
 * @platform_admin: whether it may act in every tenant
 * @permissions: what it may do
 * @door: (nullable): `rest`, `dbus`, `cli` or `internal`
 * @peer_address: (nullable): where it came from
 *
 * Returns: (transfer full): a caller
 */
ReeveCaller *
reeve_caller_new (ReeveIdentity *identity, const char *tenant_id, gboolean platform_admin,
                  ReevePermissions permissions, const char *door, const char *peer_address)
{
  ReeveCaller *self = g_new0 (ReeveCaller, 1);
  ReevePermissions cap = reeve_caller_get_cap (identity);

  self->references = 1;
  self->identity = reeve_identity_ref (identity);
  self->tenant_id = g_strdup (tenant_id);
  self->door = g_strdup (door);
  self->peer_address = g_strdup (peer_address);
  self->platform_admin = platform_admin && reeve_identity_get_workspace_id (identity) == NULL
                         && (cap & reeve_roles_match ("tenant:manage")) != 0;
  self->permissions = permissions & cap;
  self->whole = TRUE;
  self->holds = permissions;
  self->bound = cap;
  return self;
}

/**
 * reeve_caller_describe:
 * @self: a caller that nobody else has yet
 * @marks: every role that its user has, be it not by these credentials
 * @whole: whether the credentials may do all that the roles of their user do
 * @holds: all that the user holds, elevations included
 * @cap: nothing beyond it
 */
void
reeve_caller_describe (ReeveCaller *self, const char *const *marks, gboolean whole,
                       ReevePermissions holds, ReevePermissions cap)
{
  g_strfreev (self->marks);
  self->marks = g_strdupv ((char **) marks);
  self->whole = whole;
  self->holds = holds;
  self->bound &= cap;
}

/**
 * reeve_caller_get_marks:
 * @self: a caller
 *
 * Returns: (transfer none): every role that its user has, be it not by these credentials
 */
const char *const *
reeve_caller_get_marks (ReeveCaller *self)
{
  return self->marks != NULL ? (const char *const *) self->marks : reeve_caller_get_roles (self);
}

/**
 * reeve_caller_is_whole:
 * @self: a caller
 *
 * Returns: whether its credentials may do all that the roles of their user do
 */
gboolean
reeve_caller_is_whole (ReeveCaller *self)
{
  return self->whole;
}

/**
 * reeve_caller_get_holds:
 * @self: a caller
 *
 * Returns: all that its user holds, be it not by these credentials
 */
ReevePermissions
reeve_caller_get_holds (ReeveCaller *self)
{
  return self->holds;
}

/**
 * reeve_caller_get_bound:
 * @self: a caller
 *
 * Returns: what its scopes and its workspace leave of all there is
 */
ReevePermissions
reeve_caller_get_bound (ReeveCaller *self)
{
  return self->bound;
}

/**
 * reeve_caller_elevate:
 * @self: a caller that nobody else has yet
 * @permissions: what it may do besides
 * @until: µs since the epoch
 *
 * The end counts at each question, so that it also ends what was begun before. Of more than eight
 * elevations those added last are left out: less is always safe.
 */
void
reeve_caller_elevate (ReeveCaller *self, ReevePermissions permissions, gint64 until)
{
  for (guint i = 0; i < REEVE_CALLER_ELEVATIONS; i++)
    if (self->elevations[i].until == 0)
      {
        self->elevations[i].permissions = permissions & reeve_caller_get_cap (self->identity);
        self->elevations[i].until = until;
        return;
      }
}

/**
 * reeve_caller_rest_on:
 * @self: a caller that nobody else has yet
 * @version: of the revocations, before its rights were read
 * @grounds: (nullable): names of what they rest on
 */
void
reeve_caller_rest_on (ReeveCaller *self, guint64 version, const char *const *grounds)
{
  g_strfreev (self->grounds);
  self->grounds = g_strdupv ((char **) grounds);
  self->version = version;
}

static void
reeve_caller_clear_place (gpointer place)
{
  g_free (((ReeveCallerPlace *) place)->workspace_id);
}

/**
 * reeve_caller_place:
 * @self: a caller that nobody else has yet
 * @workspace_id: a workspace of its tenant
 * @permissions: what it may do there besides
 *
 * Nothing beyond its scopes, nor in another workspace than the one that it is bound to.
 */
void
reeve_caller_place (ReeveCaller *self, const char *workspace_id, ReevePermissions permissions)
{
  const char *bound = reeve_identity_get_workspace_id (self->identity);
  ReeveCallerPlace place = { NULL, permissions & self->bound & reeve_caller_get_inside () };

  if (place.permissions == 0 || (bound != NULL && strcmp (bound, workspace_id) != 0))
    return;
  if (self->places == NULL)
    {
      self->places = g_array_new (FALSE, FALSE, sizeof (ReeveCallerPlace));
      g_array_set_clear_func (self->places, reeve_caller_clear_place);
    }
  place.workspace_id = g_strdup (workspace_id);
  g_array_append_val (self->places, place);
}

/* What it may do there besides. */
static ReevePermissions
reeve_caller_find_place (ReeveCaller *self, const char *workspace_id)
{
  ReevePermissions held = 0;

  for (guint i = 0; workspace_id != NULL && self->places != NULL && i < self->places->len; i++)
    {
      const ReeveCallerPlace *place = &g_array_index (self->places, ReeveCallerPlace, i);

      if (strcmp (place->workspace_id, workspace_id) == 0)
        held |= place->permissions;
    }
  return held;
}

/**
 * reeve_caller_excuse_network:
 * @self: a caller that nobody else has yet
 *
 * No workspace asks where it comes from.
 */
void
reeve_caller_excuse_network (ReeveCaller *self)
{
  self->network_excused = TRUE;
}

/**
 * reeve_caller_is_network_excused:
 * @self: a caller
 *
 * Returns: whether no workspace asks where it comes from
 */
gboolean
reeve_caller_is_network_excused (ReeveCaller *self)
{
  return self->network_excused;
}

/**
 * reeve_caller_end:
 * @self: a caller that nobody else has yet
 * @until: µs since the epoch after which it has no further effect; 0 for no end
 */
void
reeve_caller_end (ReeveCaller *self, gint64 until)
{
  self->end = until;
}

/**
 * reeve_caller_get_end:
 * @self: a caller
 *
 * Returns: µs since the epoch after which it has no further effect; 0 for no end
 */
gint64
reeve_caller_get_end (ReeveCaller *self)
{
  return self->end;
}

/**
 * reeve_caller_new_in_tenant:
 * @self: a caller
 * @tenant_id: another tenant
 *
 * Returns: (transfer full): the same caller acting in @tenant_id
 */
ReeveCaller *
reeve_caller_new_in_tenant (ReeveCaller *self, const char *tenant_id)
{
  ReeveCaller *there = reeve_caller_new (self->identity, tenant_id, self->platform_admin,
                                         self->permissions, self->door, self->peer_address);

  memcpy (there->elevations, self->elevations, sizeof there->elevations);
  reeve_caller_describe (there, (const char *const *) self->marks, self->whole, self->holds,
                         self->bound);
  reeve_caller_rest_on (there, self->version, (const char *const *) self->grounds);
  reeve_caller_end (there, self->end);
  there->network_excused = self->network_excused;
  return there;
}

/**
 * reeve_caller_ref:
 * @self: a caller
 *
 * Returns: (transfer full): @self
 */
ReeveCaller *
reeve_caller_ref (ReeveCaller *self)
{
  g_atomic_int_inc (&self->references);
  return self;
}

/**
 * reeve_caller_unref:
 * @self: (transfer full): a caller
 */
void
reeve_caller_unref (ReeveCaller *self)
{
  if (!g_atomic_int_dec_and_test (&self->references))
    return;
  reeve_identity_unref (self->identity);
  g_clear_pointer (&self->places, g_array_unref);
  g_strfreev (self->grounds);
  g_strfreev (self->marks);
  g_free (self->tenant_id);
  g_free (self->door);
  g_free (self->peer_address);
  g_free (self);
}

/**
 * reeve_caller_get_tenant_id:
 * @self: a caller
 *
 * Returns: (transfer none): the tenant it acts in
 */
const char *
reeve_caller_get_tenant_id (ReeveCaller *self)
{
  return self->tenant_id;
}

/**
 * reeve_caller_get_home_tenant_id:
 * @self: a caller
 *
 * Returns: (transfer none): the tenant it belongs to
 */
const char *
reeve_caller_get_home_tenant_id (ReeveCaller *self)
{
  return reeve_identity_get_tenant_id (self->identity);
}

/**
 * reeve_caller_get_user_id:
 * @self: a caller
 *
 * Returns: (transfer none) (nullable): opaque id of the person or service account
 */
const char *
reeve_caller_get_user_id (ReeveCaller *self)
{
  return reeve_identity_get_user_id (self->identity);
}

/**
 * reeve_caller_get_key_id:
 * @self: a caller
 *
 * Returns: (transfer none) (nullable): id of the key it showed
 */
const char *
reeve_caller_get_key_id (ReeveCaller *self)
{
  return reeve_identity_get_key_id (self->identity);
}

/**
 * reeve_caller_get_workspace_id:
 * @self: a caller
 *
 * Returns: (transfer none) (nullable): the only workspace it acts in; %NULL for no such bound
 */
const char *
reeve_caller_get_workspace_id (ReeveCaller *self)
{
  return reeve_identity_get_workspace_id (self->identity);
}

/**
 * reeve_caller_get_scopes:
 * @self: a caller
 *
 * Returns: (transfer none) (nullable): what bounds its roles; %NULL for no such bound
 */
const char *const *
reeve_caller_get_scopes (ReeveCaller *self)
{
  return reeve_identity_get_scopes (self->identity);
}

/**
 * reeve_caller_get_rate_limit:
 * @self: a caller
 *
 * Returns: most requests a minute with the key it showed; 0 for no limit of its own
 */
guint
reeve_caller_get_rate_limit (ReeveCaller *self)
{
  return reeve_identity_get_rate_limit (self->identity);
}

/**
 * reeve_caller_get_roles:
 * @self: a caller
 *
 * Returns: (transfer none): its roles
 */
const char *const *
reeve_caller_get_roles (ReeveCaller *self)
{
  return reeve_identity_get_roles (self->identity);
}

/**
 * reeve_caller_get_method:
 * @self: a caller
 *
 * Returns: (transfer none): how it was authenticated
 */
const char *
reeve_caller_get_method (ReeveCaller *self)
{
  return reeve_identity_get_method (self->identity);
}

/**
 * reeve_caller_get_door:
 * @self: a caller
 *
 * Returns: (transfer none) (nullable): through which door it came
 */
const char *
reeve_caller_get_door (ReeveCaller *self)
{
  return self->door;
}

/**
 * reeve_caller_get_peer_address:
 * @self: a caller
 *
 * Returns: (transfer none) (nullable): numeric address it came from
 */
const char *
reeve_caller_get_peer_address (ReeveCaller *self)
{
  return self->peer_address;
}

/**
 * reeve_caller_is_platform_admin:
 * @self: a caller
 *
 * Returns: whether it may act in every tenant
 */
gboolean
reeve_caller_is_platform_admin (ReeveCaller *self)
{
  return self->platform_admin;
}

/**
 * reeve_caller_get_version:
 * @self: a caller
 *
 * Returns: version of the revocations, before its rights were read
 */
guint64
reeve_caller_get_version (ReeveCaller *self)
{
  return self->version;
}

/**
 * reeve_caller_get_grounds:
 * @self: a caller
 *
 * Returns: (transfer none) (nullable): names of what its rights rest on
 */
const char *const *
reeve_caller_get_grounds (ReeveCaller *self)
{
  return (const char *const *) self->grounds;
}

/**
 * reeve_caller_get_permissions:
 * @self: a caller
 *
 * Returns: what it holds now, elevations that have not ended included
 */
ReevePermissions
reeve_caller_get_permissions (ReeveCaller *self)
{
  ReevePermissions held = self->permissions;

  for (guint i = 0; i < REEVE_CALLER_ELEVATIONS && self->elevations[i].until != 0; i++)
    if (self->elevations[i].until > reeve_times_now ())
      held |= self->elevations[i].permissions;
  return held;
}

/**
 * reeve_caller_get_lasting:
 * @self: a caller
 *
 * Returns: what it holds without its elevations
 */
ReevePermissions
reeve_caller_get_lasting (ReeveCaller *self)
{
  return self->permissions;
}

/**
 * reeve_caller_has_permission:
 * @self: a caller
 * @permission: a permission; with a wildcard, all that it matches are meant
 *
 * Returns: whether it holds it
 */
gboolean
reeve_caller_has_permission (ReeveCaller *self, const char *permission)
{
  ReevePermissions wanted = reeve_roles_match (permission);

  return wanted != 0 && (reeve_caller_get_permissions (self) & wanted) == wanted;
}

/**
 * reeve_caller_has_permission_in:
 * @self: a caller
 * @permission: a permission; with a wildcard, all that it matches are meant
 * @workspace_id: (nullable): where a thing lies; %NULL: in none
 *
 * Returns: whether it holds it there
 */
gboolean
reeve_caller_has_permission_in (ReeveCaller *self, const char *permission, const char *workspace_id)
{
  ReevePermissions wanted = reeve_roles_match (permission);
  ReevePermissions held
      = reeve_caller_get_permissions (self) | reeve_caller_find_place (self, workspace_id);

  return wanted != 0 && (held & wanted) == wanted;
}

/**
 * reeve_caller_get_lasting_in:
 * @self: a caller
 * @workspace_id: a workspace
 *
 * Returns: what it holds there, without its elevations
 */
ReevePermissions
reeve_caller_get_lasting_in (ReeveCaller *self, const char *workspace_id)
{
  return self->permissions | reeve_caller_find_place (self, workspace_id);
}

/**
 * reeve_caller_has_permission_somewhere:
 * @self: a caller
 * @permission: a permission
 *
 * Returns: whether it holds it, in the whole tenant or in a workspace
 */
gboolean
reeve_caller_has_permission_somewhere (ReeveCaller *self, const char *permission)
{
  for (guint i = 0; self->places != NULL && i < self->places->len; i++)
    if (reeve_caller_has_permission_in (
            self, permission, g_array_index (self->places, ReeveCallerPlace, i).workspace_id))
      return TRUE;
  return reeve_caller_has_permission (self, permission);
}

/**
 * reeve_caller_list_permissions:
 * @self: a caller
 *
 * Returns: (transfer full): names of all it holds, sorted
 */
char **
reeve_caller_list_permissions (ReeveCaller *self)
{
  return reeve_roles_names (reeve_caller_get_permissions (self));
}
