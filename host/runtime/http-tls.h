/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveHttpTls: one client-side TLS session over a non-blocking socket; the certificate is always
 * verified. */
#pragma once

#include "http-trust.h"

G_BEGIN_DECLS

typedef struct _ReeveHttpTls ReeveHttpTls;

/* What a step came to. */
typedef enum
{
  REEVE_HTTP_TLS_OK,
  REEVE_HTTP_TLS_AGAIN, /* the socket is not ready */
  REEVE_HTTP_TLS_END,   /* the peer said that it ends */
  REEVE_HTTP_TLS_FAILED /* error is set */
} ReeveHttpTlsResult;

ReeveHttpTls *reeve_http_tls_new (ReeveHttpTrust *trust, const char *host, int fd, GError **error);
void reeve_http_tls_free (ReeveHttpTls *self);
ReeveHttpTlsResult reeve_http_tls_handshake (ReeveHttpTls *self, GError **error);
ReeveHttpTlsResult reeve_http_tls_read (ReeveHttpTls *self, guint8 *buffer, gsize size, gsize *got,
                                        GError **error);
ReeveHttpTlsResult reeve_http_tls_write (ReeveHttpTls *self, const guint8 *data, gsize length,
                                         gsize *written, GError **error);
void reeve_http_tls_bye (ReeveHttpTls *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveHttpTls, reeve_http_tls_free)

G_END_DECLS
