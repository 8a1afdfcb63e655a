/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Authentication providers, tried in order. */
#pragma once

#include "reeve-plugin.h"

G_BEGIN_DECLS

#define REEVE_TYPE_AUTH     (reeve_auth_get_type ())
#define REEVE_TYPE_IDENTITY (reeve_identity_get_type ())

/**
 * ReeveCredentials:
 * @struct_size: sizeof (ReeveCredentials)
 * @scheme: `bearer`, `api-key`, `basic` or `certificate`
 * @token: what followed it. Of `certificate`: what stands in the certificate of a client that the
 * door has found good, JSON: {fingerprint (SHA-256, hexadecimal), subject, issuer (RFC 4514),
 * common_name?, serial, uris[], emails[], dns_names[], expires_at (microseconds since the epoch)};
 * nothing that a client says brings this scheme about
 * @peer_address: (nullable): numeric address of the caller
 * @door: `rest`, `dbus` or `mcp`
 *
 * What a caller showed.
 *
 * Since: 1.0
 */
typedef struct
{
  guint32 struct_size;
  const char *scheme;
  const char *token;
  const char *peer_address;
  const char *door;
} ReeveCredentials;

/**
 * ReeveIdentity:
 *
 * Who the caller is.
 *
 * Since: 1.0
 */
typedef struct _ReeveIdentity ReeveIdentity;

REEVE_AVAILABLE_IN_1_0
GType reeve_identity_get_type (void) G_GNUC_CONST;
REEVE_AVAILABLE_IN_1_0
ReeveIdentity *reeve_identity_new (const char *tenant_id, const char *user_id,
                                   const char *const *roles, const char *method);
REEVE_AVAILABLE_IN_1_0
ReeveIdentity *reeve_identity_ref (ReeveIdentity *self);
REEVE_AVAILABLE_IN_1_0
void reeve_identity_unref (ReeveIdentity *self);
REEVE_AVAILABLE_IN_1_0
const char *reeve_identity_get_tenant_id (ReeveIdentity *self);
REEVE_AVAILABLE_IN_1_0
const char *reeve_identity_get_user_id (ReeveIdentity *self);
REEVE_AVAILABLE_IN_1_0
const char *const *reeve_identity_get_roles (ReeveIdentity *self);
/* how: `api_key`, `jwt`, … */
REEVE_AVAILABLE_IN_1_0
const char *reeve_identity_get_method (ReeveIdentity *self);
/* (nullable) id of the key or token that was shown */
REEVE_AVAILABLE_IN_1_0
const char *reeve_identity_get_key_id (ReeveIdentity *self);
REEVE_AVAILABLE_IN_1_0
void reeve_identity_set_key_id (ReeveIdentity *self, const char *key_id);
/* microseconds since the epoch after which it no longer holds; 0 for never */
REEVE_AVAILABLE_IN_1_0
gint64 reeve_identity_get_expires_at (ReeveIdentity *self);
REEVE_AVAILABLE_IN_1_0
void reeve_identity_set_expires_at (ReeveIdentity *self, gint64 expires_at);
/* microseconds since the epoch after which nothing that was begun with it goes on; 0 for never */
REEVE_AVAILABLE_IN_1_0
gint64 reeve_identity_get_ends_at (ReeveIdentity *self);
REEVE_AVAILABLE_IN_1_0
void reeve_identity_set_ends_at (ReeveIdentity *self, gint64 ends_at);
/* (nullable) permissions that bound what the roles allow; NULL: nothing does */
REEVE_AVAILABLE_IN_1_0
const char *const *reeve_identity_get_scopes (ReeveIdentity *self);
REEVE_AVAILABLE_IN_1_0
void reeve_identity_set_scopes (ReeveIdentity *self, const char *const *scopes);
/* (nullable) the only workspace that it acts in */
REEVE_AVAILABLE_IN_1_0
const char *reeve_identity_get_workspace_id (ReeveIdentity *self);
REEVE_AVAILABLE_IN_1_0
void reeve_identity_set_workspace_id (ReeveIdentity *self, const char *workspace_id);
/* most requests a minute with what was shown; 0 for no limit of its own */
REEVE_AVAILABLE_IN_1_0
guint reeve_identity_get_rate_limit (ReeveIdentity *self);
REEVE_AVAILABLE_IN_1_0
void reeve_identity_set_rate_limit (ReeveIdentity *self, guint rate_limit);
/* did the provider say which roles there are? */
REEVE_AVAILABLE_IN_1_0
gboolean reeve_identity_has_roles (ReeveIdentity *self);
/* (nullable) who vouches for it outside of this host, and what it is called there */
REEVE_AVAILABLE_IN_1_0
const char *reeve_identity_get_issuer (ReeveIdentity *self);
REEVE_AVAILABLE_IN_1_0
const char *reeve_identity_get_subject (ReeveIdentity *self);
REEVE_AVAILABLE_IN_1_0
void reeve_identity_set_subject (ReeveIdentity *self, const char *issuer, const char *subject);
/* (nullable) for people */
REEVE_AVAILABLE_IN_1_0
const char *reeve_identity_get_username (ReeveIdentity *self);
REEVE_AVAILABLE_IN_1_0
void reeve_identity_set_username (ReeveIdentity *self, const char *username);
REEVE_AVAILABLE_IN_1_0
const char *reeve_identity_get_email (ReeveIdentity *self);
REEVE_AVAILABLE_IN_1_0
void reeve_identity_set_email (ReeveIdentity *self, const char *email);
/* is the host to keep a record of this user? */
REEVE_AVAILABLE_IN_1_0
gboolean reeve_identity_get_provision (ReeveIdentity *self);
REEVE_AVAILABLE_IN_1_0
void reeve_identity_set_provision (ReeveIdentity *self, gboolean provision);
/* microseconds since the epoch when the issuer said all this; 0 when that is not known */
REEVE_AVAILABLE_IN_1_0
gint64 reeve_identity_get_issued_at (ReeveIdentity *self);
REEVE_AVAILABLE_IN_1_0
void reeve_identity_set_issued_at (ReeveIdentity *self, gint64 issued_at);
/* (nullable) an object, immutable */
REEVE_AVAILABLE_IN_1_0
JsonNode *reeve_identity_get_attributes (ReeveIdentity *self);
REEVE_AVAILABLE_IN_1_0
void reeve_identity_set_attributes (ReeveIdentity *self, JsonNode *attributes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveIdentity, reeve_identity_unref)

REEVE_AVAILABLE_IN_1_0
G_DECLARE_INTERFACE (ReeveAuth, reeve_auth, REEVE, AUTH, GObject)

/**
 * ReeveAuthInterface:
 * @parent_iface: the parent
 * @authenticate: the identity behind @credentials; %NULL without error when they are not of its
 * kind (the next provider is asked); %NULL with %REEVE_ERROR_UNAUTHENTICATED when they are, and are
 * bad; %NULL with %REEVE_ERROR_BUSY when it cannot say as yet, so that it is asked again a little
 * later while others are asked about. Blocks, on one of a few threads that the provider has to
 * itself
 * @warm: (nullable): gets ready for the first caller: called once, in the background, when the host
 * has started, perhaps while callers come already. A failure harms nothing. Blocks
 * @knows: (nullable): whether @credentials could be of its kind; without, they always could. Takes
 * no I/O and does not block: it is called where requests are served, and lets the host go past a
 * provider that is occupied with others
 *
 * Runs in the host and means full trust.
 *
 * Since: 1.0
 */
struct _ReeveAuthInterface
{
  GTypeInterface parent_iface;

  ReeveIdentity *(*authenticate) (ReeveAuth *self, const ReeveCredentials *credentials,
                                  ReeveContext *context, GError **error);
  gboolean (*warm) (ReeveAuth *self, ReeveContext *context, GError **error);
  gboolean (*knows) (ReeveAuth *self, const ReeveCredentials *credentials);
  /*< private >*/
  gpointer reserved[2];
};

REEVE_AVAILABLE_IN_1_0
ReeveIdentity *reeve_auth_authenticate (ReeveAuth *self, const ReeveCredentials *credentials,
                                        ReeveContext *context, GError **error);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_auth_warm (ReeveAuth *self, ReeveContext *context, GError **error);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_auth_knows (ReeveAuth *self, const ReeveCredentials *credentials);

G_END_DECLS
