/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveHttpTrust: the certificates that upstream servers are checked against, loaded when first
 * needed and shared by all threads: the system's store costs 10 MiB and half a hundred
 * milliseconds. */
#pragma once

#include <gio/gio.h>
#include <gnutls/gnutls.h>

G_BEGIN_DECLS

typedef struct _ReeveHttpTrust ReeveHttpTrust;

ReeveHttpTrust *reeve_http_trust_new (const char *ca_file);
ReeveHttpTrust *reeve_http_trust_ref (ReeveHttpTrust *self);
void reeve_http_trust_unref (ReeveHttpTrust *self);
gboolean reeve_http_trust_is_loaded (ReeveHttpTrust *self);
gboolean reeve_http_trust_load (ReeveHttpTrust *self, GError **error);
gnutls_certificate_credentials_t reeve_http_trust_get_credentials (ReeveHttpTrust *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveHttpTrust, reeve_http_trust_unref)

G_END_DECLS
