/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates made on the spot, so that tests of TLS need neither files in the tree nor a tool. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Writes PATH.pem (certificate) and PATH.key: self-signed, valid for host (a DNS name or an
 * address); days may be negative: expired. */
void certificates_make (const char *path, const char *host, int days);
/* The same, signed by ISSUER.key, for a purpose (an OID, such as GNUTLS_KP_TLS_WWW_CLIENT). */
void certificates_make_for (const char *path, const char *host, const char *issuer,
                            const char *purpose);

G_END_DECLS
