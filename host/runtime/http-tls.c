/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TLS 1.2 and 1.3 by GnuTLS, for one connection. */
#include "http-tls.h"

#include <gnutls/x509.h>

#include <reeve-plugin-1.h>

struct _ReeveHttpTls
{
  gnutls_session_t session;
  ReeveHttpTrust *trust;
  char *host;
  gnutls_typed_vdata_st wanted[2]; /* what the peer's certificate must be of, and for */
};

static gboolean
reeve_http_tls_is_address (const char *host)
{
  return g_hostname_is_ip_address (host);
}

/**
 * reeve_http_tls_new:
 * @trust: loaded certificates
 * @host: name or address that the peer's certificate must bear
 * @fd: a connected socket, non-blocking; not owned
 * @error: return location
 *
 * Returns: (transfer full) (nullable): a session
 */
ReeveHttpTls *
reeve_http_tls_new (ReeveHttpTrust *trust, const char *host, int fd, GError **error)
{
  static const char priority[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
  const gnutls_datum_t alpn = { (unsigned char *) "http/1.1", 8 };
  g_autoptr (ReeveHttpTls) self = g_new0 (ReeveHttpTls, 1);
  int rc = gnutls_init (&self->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);

  self->trust = reeve_http_trust_ref (trust);
  self->host = g_strdup (host);
  if (rc >= 0)
    rc = gnutls_priority_set_direct (self->session, priority, NULL);
  if (rc >= 0)
    rc = gnutls_credentials_set (self->session, GNUTLS_CRD_CERTIFICATE,
                                 reeve_http_trust_get_credentials (trust));
  if (rc >= 0)
    rc = gnutls_alpn_set_protocols (self->session, &alpn, 1, 0);
  if (rc >= 0 && !reeve_http_tls_is_address (host))
    rc = gnutls_server_name_set (self->session, GNUTLS_NAME_DNS, host, strlen (host));
  if (rc < 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "starting tls: %s",
                   gnutls_strerror (rc));
      return NULL;
    }
  /* one that is for logging in, signed by the same authority, is no server's (RFC 5280, 4.2.1.12)
   */
  self->wanted[0] = (gnutls_typed_vdata_st){ .type = GNUTLS_DT_DNS_HOSTNAME,
                                             .data = (unsigned char *) self->host };
  self->wanted[1] = (gnutls_typed_vdata_st){ .type = GNUTLS_DT_KEY_PURPOSE_OID,
                                             .data = (unsigned char *) GNUTLS_KP_TLS_WWW_SERVER };
  gnutls_session_set_verify_cert2 (self->session, self->wanted, G_N_ELEMENTS (self->wanted), 0);
  gnutls_transport_set_int (self->session, fd);
  return g_steal_pointer (&self);
}

/**
 * reeve_http_tls_free:
 * @self: (transfer full): a session; its socket stays open
 */
void
reeve_http_tls_free (ReeveHttpTls *self)
{
  g_clear_pointer (&self->session, gnutls_deinit);
  g_clear_pointer (&self->trust, reeve_http_trust_unref);
  g_free (self->host);
  g_free (self);
}

static void
reeve_http_tls_explain (ReeveHttpTls *self, int rc, GError **error)
{
  gnutls_datum_t text = { NULL, 0 };
  guint status = gnutls_session_get_verify_cert_status (self->session);

  if (rc == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR
      && gnutls_certificate_verification_status_print (status, GNUTLS_CRT_X509, &text, 0) >= 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
                 "the certificate of %s is refused: %s", self->host, (const char *) text.data);
  else if (rc == GNUTLS_E_FATAL_ALERT_RECEIVED)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "tls: the peer refused: %s",
                 gnutls_alert_get_name (gnutls_alert_get (self->session)));
  else
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "tls: %s", gnutls_strerror (rc));
  gnutls_free (text.data);
}

/**
 * reeve_http_tls_handshake:
 * @self: a session
 * @error: return location
 *
 * Goes on with the handshake, certificate check included.
 *
 * Returns: OK, AGAIN or FAILED
 */
ReeveHttpTlsResult
reeve_http_tls_handshake (ReeveHttpTls *self, GError **error)
{
  int rc = GNUTLS_E_SUCCESS;

  do
    rc = gnutls_handshake (self->session);
  while (rc == GNUTLS_E_INTERRUPTED || rc == GNUTLS_E_WARNING_ALERT_RECEIVED
         || rc == GNUTLS_E_GOT_APPLICATION_DATA);
  if (rc == GNUTLS_E_AGAIN)
    return REEVE_HTTP_TLS_AGAIN;
  if (rc >= 0)
    return REEVE_HTTP_TLS_OK;
  reeve_http_tls_explain (self, rc, error);
  return REEVE_HTTP_TLS_FAILED;
}

/**
 * reeve_http_tls_read:
 * @self: a session
 * @buffer: for the bytes
 * @size: its size
 * @got: (out): bytes read
 * @error: return location
 *
 * An end of the stream that the peer did not announce is an error: the answer may be cut short.
 *
 * Returns: OK, AGAIN, END or FAILED
 */
ReeveHttpTlsResult
reeve_http_tls_read (ReeveHttpTls *self, guint8 *buffer, gsize size, gsize *got, GError **error)
{
  ssize_t rc = 0;

  *got = 0;
  do
    rc = gnutls_record_recv (self->session, buffer, size);
  while (rc == GNUTLS_E_INTERRUPTED || rc == GNUTLS_E_WARNING_ALERT_RECEIVED);
  if (rc == GNUTLS_E_AGAIN)
    return REEVE_HTTP_TLS_AGAIN;
  if (rc == 0)
    return REEVE_HTTP_TLS_END;
  if (rc < 0)
    {
      reeve_http_tls_explain (self, (int) rc, error);
      return REEVE_HTTP_TLS_FAILED;
    }
  *got = (gsize) rc;
  return REEVE_HTTP_TLS_OK;
}

/**
 * reeve_http_tls_write:
 * @self: a session
 * @data: bytes; after AGAIN the same ones must be given again
 * @length: their number
 * @written: (out): bytes taken
 * @error: return location
 *
 * Returns: OK, AGAIN or FAILED
 */
ReeveHttpTlsResult
reeve_http_tls_write (ReeveHttpTls *self, const guint8 *data, gsize length, gsize *written,
                      GError **error)
{
  ssize_t rc = 0;

  *written = 0;
  do
    rc = gnutls_record_send (self->session, data, length);
  while (rc == GNUTLS_E_INTERRUPTED);
  if (rc == GNUTLS_E_AGAIN)
    return REEVE_HTTP_TLS_AGAIN;
  if (rc < 0)
    {
      reeve_http_tls_explain (self, (int) rc, error);
      return REEVE_HTTP_TLS_FAILED;
    }
  *written = (gsize) rc;
  return REEVE_HTTP_TLS_OK;
}

/**
 * reeve_http_tls_bye:
 * @self: a session
 *
 * Tells the peer that no more comes, without waiting.
 */
void
reeve_http_tls_bye (ReeveHttpTls *self)
{
  (void) gnutls_bye (self->session, GNUTLS_SHUT_WR);
}
