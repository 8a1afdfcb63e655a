/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestTlsIdentity: a certificate chain and its key, loaded, checked and immutable: what the
 * host shows to its clients, and whom it trusts to vouch for them. Any thread. */
#pragma once

#include <gio/gio.h>
#include <gnutls/gnutls.h>

G_BEGIN_DECLS

typedef struct _ReeveRestTlsIdentity ReeveRestTlsIdentity;

/* Its files. */
typedef enum
{
  REEVE_REST_TLS_IDENTITY_CERTIFICATE,
  REEVE_REST_TLS_IDENTITY_KEY,
  REEVE_REST_TLS_IDENTITY_CLIENT_CA,  /* authorities of clients */
  REEVE_REST_TLS_IDENTITY_CLIENT_CRL, /* what they took back */
  REEVE_REST_TLS_IDENTITY_N_PARTS
} ReeveRestTlsIdentityPart;

/* Blocks. files: names by part, NULL for one that there is not; the first two are there.
 * REEVE_ERROR_CONFIGURATION names the file; fault (nullable): which one it is. */
ReeveRestTlsIdentity *reeve_rest_tls_identity_new (
    const char *const files[REEVE_REST_TLS_IDENTITY_N_PARTS], ReeveRestTlsIdentityPart *fault,
    GError **error);
ReeveRestTlsIdentity *reeve_rest_tls_identity_ref (ReeveRestTlsIdentity *self);
void reeve_rest_tls_identity_unref (ReeveRestTlsIdentity *self);
/* (transfer none): live as long as the identity */
gnutls_certificate_credentials_t reeve_rest_tls_identity_get_credentials (
    ReeveRestTlsIdentity *self);
/* Is the certificate good at that time? REEVE_ERROR_CONFIGURATION says since or until when. */
gboolean reeve_rest_tls_identity_check_time (ReeveRestTlsIdentity *self, gint64 now,
                                             GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRestTlsIdentity, reeve_rest_tls_identity_unref)

G_END_DECLS
