/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestTls: how the HTTP door encrypts: certificate, versions, ciphers; the certificate can be
 * replaced while connections live. Any thread. */
#pragma once

#include "base/config.h"

#include "tls-identity.h"

G_BEGIN_DECLS

typedef struct _ReeveRestTls ReeveRestTls;

gboolean reeve_rest_tls_is_configured (ReeveConfig *config);
/* Blocks. REEVE_ERROR_CONFIGURATION names the place of the key in the configuration and the file.
 */
ReeveRestTls *reeve_rest_tls_new (ReeveConfig *config, GError **error);
void reeve_rest_tls_free (ReeveRestTls *self);
/* Reads the files again; on error the old certificate stays. Blocks. */
gboolean reeve_rest_tls_reload (ReeveRestTls *self, GError **error);
/* Have the files changed, and been left alone since the last time this was asked? Blocks. */
gboolean reeve_rest_tls_has_news (ReeveRestTls *self);
/* seconds that a browser shall remember to come encrypted only; 0: not said */
gint64 reeve_rest_tls_get_hsts (ReeveRestTls *self);
/* Sets a server's session up. (transfer full): hold it as long as the session */
ReeveRestTlsIdentity *reeve_rest_tls_prepare (ReeveRestTls *self, gnutls_session_t session);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRestTls, reeve_rest_tls_free)

G_END_DECLS
