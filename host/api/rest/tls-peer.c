/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plugins that know people by their certificates read no certificates: they get what stands in one
 * as JSON, after GnuTLS has found it good. What is ambiguous, a second common name or a text with a
 * NUL in it, is left out, so that no rule can match it. */
#include "tls-peer.h"

#include <reeve-plugin-1.h>

#include <gnutls/x509.h>
#include <string.h>

#include "base/digests.h"

#define REEVE_REST_TLS_PEER_TEXT  1024 /* bytes of a name */
#define REEVE_REST_TLS_PEER_NAMES 64   /* alternative names that are looked at */

/* ---- the handshake ---- */

/* In the handshake, so that the client is told why; 0 lets it go on. */
static int
reeve_rest_tls_peer_verify (gnutls_session_t session)
{
  gnutls_typed_vdata_st purpose
      = { .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *) GNUTLS_KP_TLS_WWW_CLIENT };
  unsigned int count = 0;
  unsigned int status = 0;
  int rc = 0;

  if (gnutls_certificate_get_peers (session, &count) == NULL || count == 0)
    return 0; /* whether that is enough is asked elsewhere */
  rc = gnutls_certificate_verify_peers (session, &purpose, 1, &status);
  if (rc == 0 && status == 0)
    return 0;
  g_debug ("tls: the certificate of a client is not taken: status %x, %s", status,
           gnutls_strerror (rc));
  return GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
}

/**
 * reeve_rest_tls_peer_ask:
 * @session: a server's, its credentials set
 * @required: whether a client without a certificate is sent away
 *
 * Asks the client for a certificate.
 */
void
reeve_rest_tls_peer_ask (gnutls_session_t session, gboolean required)
{
  gnutls_certificate_server_set_request (session,
                                         required ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_REQUEST);
  gnutls_session_set_verify_function (session, reeve_rest_tls_peer_verify);
}

/* ---- what stands in it ---- */

/* (transfer full) (nullable): text that is what it seems to be */
static char *
reeve_rest_tls_peer_take (const void *data, gsize length)
{
  if (length == 0 || length > REEVE_REST_TLS_PEER_TEXT || memchr (data, '\0', length) != NULL
      || !g_utf8_validate_len (data, length, NULL))
    return NULL;
  return g_strndup (data, length);
}

static void
reeve_rest_tls_peer_set (JsonObject *object, const char *member, const void *data, gsize length)
{
  g_autofree char *text = reeve_rest_tls_peer_take (data, length);

  if (text != NULL)
    json_object_set_string_member (object, member, text);
}

typedef int (*ReeveRestTlsPeerDn) (gnutls_x509_crt_t certificate, gnutls_datum_t *dn,
                                   unsigned int flags);

static void
reeve_rest_tls_peer_set_dn (JsonObject *object, const char *member, gnutls_x509_crt_t certificate,
                            ReeveRestTlsPeerDn get)
{
  gnutls_datum_t dn = { NULL, 0 };

  if (get (certificate, &dn, 0) < 0)
    return;
  reeve_rest_tls_peer_set (object, member, dn.data, dn.size);
  gnutls_free (dn.data);
}

/* The one common name; of several nobody knows which is meant. */
static void
reeve_rest_tls_peer_set_common_name (JsonObject *object, gnutls_x509_crt_t certificate)
{
  char name[REEVE_REST_TLS_PEER_TEXT + 1] = { 0 };
  size_t size = sizeof name;
  char other[REEVE_REST_TLS_PEER_TEXT + 1] = { 0 };
  size_t other_size = sizeof other;

  if (gnutls_x509_crt_get_dn_by_oid (certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size)
          == 0
      && gnutls_x509_crt_get_dn_by_oid (certificate, GNUTLS_OID_X520_COMMON_NAME, 1, 0, other,
                                        &other_size)
             == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
    reeve_rest_tls_peer_set (object, "common_name", name, size);
}

static const char *
reeve_rest_tls_peer_name_kind (int kind)
{
  switch (kind)
    {
    case GNUTLS_SAN_URI:
      return "uris";
    case GNUTLS_SAN_RFC822NAME:
      return "emails";
    case GNUTLS_SAN_DNSNAME:
      return "dns_names";
    default:
      return NULL;
    }
}

static void
reeve_rest_tls_peer_set_names (JsonObject *object, gnutls_x509_crt_t certificate)
{
  static const char *const members[] = { "uris", "emails", "dns_names" };

  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    json_object_set_array_member (object, members[i], json_array_new ());
  for (guint i = 0; i < REEVE_REST_TLS_PEER_NAMES; i++)
    {
      char name[REEVE_REST_TLS_PEER_TEXT + 1] = { 0 };
      size_t size = sizeof name;
      int kind = gnutls_x509_crt_get_subject_alt_name (certificate, i, name, &size, NULL);
      const char *member = reeve_rest_tls_peer_name_kind (kind);
      g_autofree char *text = member != NULL ? reeve_rest_tls_peer_take (name, size) : NULL;

      if (kind == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        break;
      if (text != NULL)
        json_array_add_string_element (json_object_get_array_member (object, member), text);
    }
}

static void
reeve_rest_tls_peer_set_serial (JsonObject *object, gnutls_x509_crt_t certificate)
{
  guint8 serial[64] = { 0 };
  size_t size = sizeof serial;
  g_autofree char *hex = NULL;

  if (gnutls_x509_crt_get_serial (certificate, serial, &size) < 0)
    return;
  hex = reeve_digests_hex (serial, size);
  json_object_set_string_member (object, "serial", hex);
}

/**
 * reeve_rest_tls_peer_describe:
 * @der: a certificate
 *
 * {fingerprint (SHA-256 of the whole, hexadecimal), subject, issuer (RFC 4514), common_name?,
 * serial, uris[], emails[], dns_names[], expires_at (µs since the epoch)}. Does not ask whether it
 * is good.
 *
 * Returns: (transfer full) (nullable): JSON; %NULL when @der is no certificate
 */
char *
reeve_rest_tls_peer_describe (const gnutls_datum_t *der)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *fingerprint = reeve_digests_sha256_hex (der->data, der->size);
  gnutls_x509_crt_t certificate = NULL;
  gint64 end = 0;

  if (gnutls_x509_crt_init (&certificate) < 0)
    return NULL;
  if (gnutls_x509_crt_import (certificate, der, GNUTLS_X509_FMT_DER) < 0)
    {
      gnutls_x509_crt_deinit (certificate);
      return NULL;
    }
  end = (gint64) gnutls_x509_crt_get_expiration_time (certificate);
  json_object_set_string_member (object, "fingerprint", fingerprint);
  reeve_rest_tls_peer_set_dn (object, "subject", certificate, gnutls_x509_crt_get_dn3);
  reeve_rest_tls_peer_set_dn (object, "issuer", certificate, gnutls_x509_crt_get_issuer_dn3);
  reeve_rest_tls_peer_set_common_name (object, certificate);
  reeve_rest_tls_peer_set_serial (object, certificate);
  reeve_rest_tls_peer_set_names (object, certificate);
  json_object_set_int_member (object, "expires_at",
                              CLAMP (end, 0, G_MAXINT64 / G_USEC_PER_SEC) * G_USEC_PER_SEC);
  gnutls_x509_crt_deinit (certificate);
  node = json_node_init_object (json_node_alloc (), object);
  return reeve_json_canonical (node);
}

/**
 * reeve_rest_tls_peer_describe_session:
 * @session: after its handshake
 *
 * Returns: (transfer full) (nullable): as reeve_rest_tls_peer_describe() of the client's
 * certificate; %NULL when it showed none
 */
char *
reeve_rest_tls_peer_describe_session (gnutls_session_t session)
{
  unsigned int count = 0;
  const gnutls_datum_t *chain = gnutls_certificate_get_peers (session, &count);

  return chain != NULL && count > 0 ? reeve_rest_tls_peer_describe (&chain[0]) : NULL;
}
