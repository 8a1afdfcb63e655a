/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From an identity that a provider vouches for to a caller of this host. Blocks: worker threads. */
#pragma once

#include "store/store.h"

#include "caller.h"
#include "revocations.h"
#include "role-book.h"
#include "tenants.h"
#include "users.h"

G_BEGIN_DECLS

typedef struct _ReeveAuthenticationAdmit ReeveAuthenticationAdmit;

/* One identity on its way. Steps look at it and change it. */
typedef struct
{
  ReeveIdentity *identity; /* (owned): a step may put another of the same tenant in its place */
  const ReeveCredentials *credentials;
  const char *tenant_id;     /* the identity's: it is there */
  gboolean again;            /* was let in before a restart, and is judged anew */
  gboolean known;            /* there is a record of the user */
  ReeveUsersAccount account; /* what it says; active without one */
  ReevePermissions permissions;
  gboolean whole;         /* that is all that the user's roles hold */
  ReevePermissions cap;   /* nothing beyond it, whatever the roles say */
  GArray *elevations;     /* of ReeveCallerElevation */
  gboolean audits;        /* the user only reads, whatever he is given */
  GArray *places;         /* of ReeveCallerPlace */
  GPtrArray *marks;       /* (owned) every role of the user, be it not of the identity */
  ReevePermissions holds; /* what the user is elevated to, be it not the identity */
  GPtrArray *grounds;     /* (owned) names of reeve-revocations */
  guint64 version;        /* of reeve-revocations: what was taken back later is felt */
  gboolean changed;       /* a step changed the user's record, and took back what rested on it */
  gint64 expires_at;      /* µs since the epoch; 0: never. The earliest end of anything above */
  gint64 ends_at; /* the same, without how long a provider's answer is good: ends runs too */
} ReeveAuthenticationDraft;

/* In this order; what the host itself looks at comes first in each. */
typedef enum
{
  REEVE_ADMIT_TENANT,      /* the tenant is there; may it be used? */
  REEVE_ADMIT_PROVISION,   /* the user's record was looked for: a step may make one (set @known) */
  REEVE_ADMIT_USER,        /* the user is active; may it come in? */
  REEVE_ADMIT_NETWORK,     /* from there? */
  REEVE_ADMIT_PERMISSIONS, /* the roles' are there: more for a time, or other ones */
  REEVE_ADMIT_CAP          /* less: scopes */
} ReeveAuthenticationStage;

/* %FALSE with %REEVE_ERROR_UNAUTHENTICATED, %REEVE_ERROR_PERMISSION_DENIED or what kept it from
 * finding out. May block. */
typedef gboolean (*ReeveAuthenticationStep) (ReeveAuthenticationDraft *draft, gpointer user_data,
                                             GError **error);

ReeveAuthenticationAdmit *reeve_authentication_admit_new (ReeveStore *store, ReeveUsers *users,
                                                          ReeveRevocations *revocations);
void reeve_authentication_admit_free (ReeveAuthenticationAdmit *self);
/* Before the first identity. */
void reeve_authentication_admit_set_tenants (ReeveAuthenticationAdmit *self, ReeveTenants *tenants);
/* Any thread, no I/O. */
ReeveTenantStatus reeve_authentication_admit_get_status (ReeveAuthenticationAdmit *self,
                                                         const char *tenant_id);
/* Before the first identity. */
void reeve_authentication_admit_add_step (ReeveAuthenticationAdmit *self,
                                          ReeveAuthenticationStage stage,
                                          ReeveAuthenticationStep step, gpointer user_data);
/* Before the first identity: without it the shipped roles are all there are. */
void reeve_authentication_admit_set_role_book (ReeveAuthenticationAdmit *self, ReeveRoleBook *book);

/* (transfer full) the caller; @expires_at (out): after that it must be asked for anew, 0: never.
 * %REEVE_ERROR_UNAUTHENTICATED. */
ReeveCaller *reeve_authentication_admit_identity (ReeveAuthenticationAdmit *self,
                                                  ReeveIdentity *identity,
                                                  const ReeveCredentials *credentials,
                                                  gint64 *expires_at, GError **error);

/* The same for who was let in before a restart, by what its run has kept: as things stand now, its
 * key among them, but wherever it came from. */
ReeveCaller *reeve_authentication_admit_again (ReeveAuthenticationAdmit *self,
                                               ReeveIdentity *identity, const char *door,
                                               GError **error);

/* For steps: nothing of @draft holds longer than @until (µs since the epoch; 0: no end). */
void reeve_authentication_draft_end (ReeveAuthenticationDraft *draft, gint64 until);
/* For steps: what is given in one workspace of the tenant. */
void reeve_authentication_draft_place (ReeveAuthenticationDraft *draft, const char *workspace_id,
                                       ReevePermissions permissions);
/* For steps: what is given rests on @ground (transfer full). */
void reeve_authentication_draft_rest_on (ReeveAuthenticationDraft *draft, char *ground);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveAuthenticationAdmit, reeve_authentication_admit_free)

G_END_DECLS
