/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveAuthenticationLogins: who is on the way in. Each provider has a lane of its own, the same
 * credentials at once are asked about once, and who has to wait holds no thread. */
#pragma once

#include <gio/gio.h>

#include "authentication-cache.h"
#include "authentication-lane.h"

G_BEGIN_DECLS

typedef struct _ReeveAuthenticationLogins ReeveAuthenticationLogins;

/* What a login is made of; called on threads of the lanes, without a lock, where
 * nothing else is said. */
typedef struct
{
  /* any thread: how often somebody was taken something */
  guint (*get_version) (gpointer data);
  /* (transfer full) (nullable): who that is, when it is known without asking */
  ReeveCaller *(*look_up) (const guint8 *key, gpointer data);
  /* any thread, does not block: is the provider to be asked? */
  gboolean (*knows) (guint provider, const ReeveCredentials *credentials, gpointer data);
  void (*warm) (guint provider, gpointer data);
  /* (transfer full) (nullable): as reeve_auth_authenticate() */
  ReeveIdentity *(*ask) (guint provider, const ReeveCredentials *credentials, gpointer data,
                         GError **error);
  /* (transfer full): lets in whom a provider vouches for. version: before it was asked */
  ReeveCaller *(*let_in) (ReeveIdentity *identity, const ReeveCredentials *credentials,
                          const guint8 *key, guint version, gpointer data, GError **error);
} ReeveAuthenticationLoginsHooks;

ReeveAuthenticationLogins *reeve_authentication_logins_new (
    const ReeveAuthenticationLoginsHooks *hooks, gpointer data);
void reeve_authentication_logins_free (ReeveAuthenticationLogins *self);
/* Before the first login: one more provider behind those there are. */
void reeve_authentication_logins_set_alone (ReeveAuthenticationLogins *self, gboolean alone);
void reeve_authentication_logins_add_lane (ReeveAuthenticationLogins *self, const char *name);
/* Any thread. The task returns a ReeveCaller; %REEVE_ERROR_BUSY when too many come at once or it
 * takes too long, what the provider said otherwise. key: digest of @credentials. */
void reeve_authentication_logins_begin (ReeveAuthenticationLogins *self, const guint8 *key,
                                        const ReeveCredentials *credentials, GTask *task);
/* Lets each provider get ready, in its lane. */
void reeve_authentication_logins_warm (ReeveAuthenticationLogins *self);
/* Ends all logins with %REEVE_ERROR_UNAVAILABLE, joins the threads. Idempotent. */
void reeve_authentication_logins_shutdown (ReeveAuthenticationLogins *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveAuthenticationLogins, reeve_authentication_logins_free)

G_END_DECLS
