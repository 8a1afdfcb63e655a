/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveAuthentication: from what a caller showed to who it is, by the auth plugins in their
 * configured order. */
#pragma once

#include "loader/registry.h"
#include "store/store.h"

#include "admission.h"
#include "authentication-admit.h"
#include "caller.h"
#include "tenants.h"

G_BEGIN_DECLS

#define REEVE_TYPE_AUTHENTICATION (reeve_authentication_get_type ())
G_DECLARE_FINAL_TYPE (ReeveAuthentication, reeve_authentication, REEVE, AUTHENTICATION, GObject)

ReeveAuthentication *reeve_authentication_new (ReeveStore *store);
/* Before the first call: adds a provider behind those there are. registry: makes the contexts;
 * instance: one that it made. */
void reeve_authentication_add_provider (ReeveAuthentication *self, const char *id,
                                        ReeveRegistry *registry, ReevePlugin *instance);

gboolean reeve_authentication_has_provider (ReeveAuthentication *self);
/* After the last provider: each gets ready for the first caller, in the background. */
void reeve_authentication_warm (ReeveAuthentication *self);
/* Nobody is let in by what was found out before; before anything listens. */
void reeve_authentication_verify_every_request (ReeveAuthentication *self);
/* Before the store is closed and the last reference dropped: ends who waits, joins the threads. */
void reeve_authentication_shutdown (ReeveAuthentication *self);

/* Any thread, no I/O: (transfer full) (nullable) the caller, when these credentials were accepted
 * lately and nothing was revoked since. Ask it first. */
ReeveCaller *reeve_authentication_lookup (ReeveAuthentication *self,
                                          const ReeveCredentials *credentials);
/* Asks the providers on threads of their own; about the same credentials at once it asks once. The
 * callback comes in the caller's thread-default context. %REEVE_ERROR_UNAUTHENTICATED,
 * %REEVE_ERROR_BUSY. */
void reeve_authentication_authenticate_async (ReeveAuthentication *self,
                                              const ReeveCredentials *credentials,
                                              GAsyncReadyCallback callback, gpointer user_data);
ReeveCaller *reeve_authentication_authenticate_finish (ReeveAuthentication *self,
                                                       GAsyncResult *result, GError **error);
/* The same, blocking; worker threads. */
ReeveCaller *reeve_authentication_authenticate (ReeveAuthentication *self,
                                                const ReeveCredentials *credentials,
                                                GError **error);

/* X-Tenant-ID: (transfer full) the caller acting in @tenant_id (nullable: its own).
 * %REEVE_ERROR_NOT_FOUND for everybody but the platform admin when it is another, and for a tenant
 * that is not there. Any thread. */
ReeveCaller *reeve_authentication_enter_tenant (ReeveAuthentication *self, ReeveCaller *caller,
                                                const char *tenant_id, GError **error);
/* (transfer full) Recovery: who began a run before the host started, as it stands now; one that
 * would not be let in any more has no effect: REEVE_ERROR_CALLER_REVOKED. Blocks. */
ReeveCaller *reeve_authentication_readmit (ReeveAuthentication *self, ReeveIdentity *identity,
                                           const char *tenant_id, const char *door);
/* The bootstrap's: which user that is. */
void reeve_authentication_set_owner (ReeveAuthentication *self, const char *user_id);
/* Before anything listens: which tenants are active. */
void reeve_authentication_set_tenants (ReeveAuthentication *self, ReeveTenants *tenants);
/* (transfer full) the owner of the session bus: the platform admin in tenant `default`. */
ReeveCaller *reeve_authentication_new_owner (ReeveAuthentication *self, const char *door);

/* Before the first call: what roles hold; changes of @book are heard. It is kept. */
void reeve_authentication_set_role_book (ReeveAuthentication *self, ReeveRoleBook *book);

/* (transfer none) The way from an identity to a caller, for the parts that have steps on it. */
ReeveAuthenticationAdmit *reeve_authentication_get_admit (ReeveAuthentication *self);

/* Something was changed: who was let in is asked for anew at the next request. After the commit,
 * before the answer. Any thread. */
void reeve_authentication_invalidate (ReeveAuthentication *self);
/* The same, and more: whose rights rest on that has no further effect in runs under way either. For
 * a user that was disabled, deleted or given less; a key that was revoked or given less; a tenant
 * that is closed; a role that holds less; an elevation that was taken back. */
void reeve_authentication_revoke_user (ReeveAuthentication *self, const char *tenant_id,
                                       const char *user_id);
void reeve_authentication_revoke_key (ReeveAuthentication *self, const char *key_id);
void reeve_authentication_revoke_tenant (ReeveAuthentication *self, const char *tenant_id);
/* @ground: a name of reeve-revocations */
void reeve_authentication_revoke (ReeveAuthentication *self, const char *ground);
/* A check of the gate (REEVE_STAGE_AUTHORISE): %REEVE_ERROR_CALLER_REVOKED. */
gboolean reeve_authentication_check (const ReeveAdmissionRequest *request,
                                     const ReeveSettlement *settlement, gpointer authentication,
                                     GError **error);

G_END_DECLS
