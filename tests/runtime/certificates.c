/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Self-signed certificates by GnuTLS. */
#include "certificates.h"

#include <arpa/inet.h>
#include <gnutls/x509.h>
#include <string.h>
#include <time.h>

static void
certificates_save (const char *path, const char *suffix, const gnutls_datum_t *pem)
{
  g_autofree char *name = g_strconcat (path, suffix, NULL);

  g_assert_true (g_file_set_contents (name, (const char *) pem->data, (gssize) pem->size, NULL));
}

static void
certificates_set_host (gnutls_x509_crt_t certificate, const char *host)
{
  struct in_addr address;
  int rc = 0;

  if (inet_aton (host, &address))
    rc = gnutls_x509_crt_set_subject_alt_name (certificate, GNUTLS_SAN_IPADDRESS, &address,
                                               sizeof address, GNUTLS_FSAN_SET);
  else
    rc = gnutls_x509_crt_set_subject_alt_name (certificate, GNUTLS_SAN_DNSNAME, host,
                                               (guint) strlen (host), GNUTLS_FSAN_SET);
  g_assert_cmpint (rc, >=, 0);
}

/* @certificate, signed by who signs itself at @issuer. */
static void
certificates_sign (gnutls_x509_crt_t certificate, const char *issuer)
{
  g_autofree char *pem_path = g_strconcat (issuer, ".pem", NULL);
  g_autofree char *key_path = g_strconcat (issuer, ".key", NULL);
  gnutls_x509_privkey_t key = NULL;
  gnutls_x509_crt_t authority = NULL;
  gnutls_datum_t pem = { NULL, 0 };

  gnutls_x509_privkey_init (&key);
  gnutls_x509_crt_init (&authority);
  g_assert_cmpint (gnutls_load_file (pem_path, &pem), >=, 0);
  g_assert_cmpint (gnutls_x509_crt_import (authority, &pem, GNUTLS_X509_FMT_PEM), >=, 0);
  gnutls_free (pem.data);
  g_assert_cmpint (gnutls_load_file (key_path, &pem), >=, 0);
  g_assert_cmpint (gnutls_x509_privkey_import (key, &pem, GNUTLS_X509_FMT_PEM), >=, 0);
  gnutls_free (pem.data);
  g_assert_cmpint (gnutls_x509_crt_sign2 (certificate, authority, key, GNUTLS_DIG_SHA256, 0), >=,
                   0);
  gnutls_x509_crt_deinit (authority);
  gnutls_x509_privkey_deinit (key);
}

static void
certificates_write (const char *path, const char *host, int days, const char *issuer,
                    const char *purpose)
{
  gnutls_x509_privkey_t key = NULL;
  gnutls_x509_crt_t certificate = NULL;
  gnutls_datum_t pem = { NULL, 0 };
  time_t now = time (NULL);

  gnutls_x509_privkey_init (&key);
  g_assert_cmpint (gnutls_x509_privkey_generate (
                       key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP256R1), 0),
                   >=, 0);
  gnutls_x509_crt_init (&certificate);
  gnutls_x509_crt_set_version (certificate, 3);
  gnutls_x509_crt_set_serial (certificate, "\x01", 1);
  gnutls_x509_crt_set_dn (certificate, issuer != NULL ? "CN=Reeve leaf" : "CN=Reeve test", NULL);
  gnutls_x509_crt_set_activation_time (certificate, now - 30 * 86400);
  gnutls_x509_crt_set_expiration_time (certificate, now + days * 86400);
  gnutls_x509_crt_set_basic_constraints (certificate, issuer == NULL, -1);
  gnutls_x509_crt_set_key_usage (certificate,
                                 GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_CERT_SIGN);
  certificates_set_host (certificate, host);
  gnutls_x509_crt_set_key (certificate, key);
  if (purpose != NULL)
    g_assert_cmpint (gnutls_x509_crt_set_key_purpose_oid (certificate, purpose, 0), >=, 0);
  if (issuer != NULL)
    certificates_sign (certificate, issuer);
  else
    g_assert_cmpint (gnutls_x509_crt_sign2 (certificate, certificate, key, GNUTLS_DIG_SHA256, 0),
                     >=, 0);
  g_assert_cmpint (gnutls_x509_crt_export2 (certificate, GNUTLS_X509_FMT_PEM, &pem), >=, 0);
  certificates_save (path, ".pem", &pem);
  gnutls_free (pem.data);
  g_assert_cmpint (gnutls_x509_privkey_export2 (key, GNUTLS_X509_FMT_PEM, &pem), >=, 0);
  certificates_save (path, ".key", &pem);
  gnutls_free (pem.data);
  gnutls_x509_crt_deinit (certificate);
  gnutls_x509_privkey_deinit (key);
}

void
certificates_make (const char *path, const char *host, int days)
{
  certificates_write (path, host, days, NULL, NULL);
}

void
certificates_make_for (const char *path, const char *host, const char *issuer, const char *purpose)
{
  certificates_write (path, host, 30, issuer, purpose);
}
