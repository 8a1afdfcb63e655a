/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestTlsIdentity: a certificate chain and its key, loaded, checked and immutable: what the
 * host shows to its clients. Any thread. */
#pragma once

#include <gio/gio.h>
#include <gnutls/gnutls.h>

G_BEGIN_DECLS

typedef struct _ReeveRestTlsIdentity ReeveRestTlsIdentity;

/* Which of the two files is at fault. */
typedef enum
{
  REEVE_REST_TLS_IDENTITY_CERTIFICATE,
  REEVE_REST_TLS_IDENTITY_KEY
} ReeveRestTlsIdentityPart;

/* Blocks. REEVE_ERROR_CONFIGURATION names the file; fault (nullable): which one it is. */
ReeveRestTlsIdentity *reeve_rest_tls_identity_new (const char *certificate, const char *key,
                                                   ReeveRestTlsIdentityPart *fault, GError **error);
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
