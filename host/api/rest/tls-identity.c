/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything that can be wrong with the files is found here, before a client meets it. */
#include "tls-identity.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <reeve-error.h>
#include <string.h>

#define REEVE_REST_TLS_IDENTITY_MAX_FILE  (1024 * 1024)
#define REEVE_REST_TLS_IDENTITY_MAX_CHAIN 16

struct _ReeveRestTlsIdentity
{
  gatomicrefcount references;
  gnutls_certificate_credentials_t credentials;
  char *certificate; /* its file */
  gint64 activation; /* seconds since the epoch */
  gint64 expiry;
};

/* What is being put together. */
typedef struct
{
  const char *certificate_file;
  const char *key_file;
  gnutls_x509_crt_t *chain;
  guint chain_length;
  gnutls_x509_privkey_t key;
} ReeveRestTlsIdentityParts;

static void
reeve_rest_tls_identity_clear_parts (ReeveRestTlsIdentityParts *parts)
{
  for (guint i = 0; i < parts->chain_length; i++)
    gnutls_x509_crt_deinit (parts->chain[i]);
  gnutls_free (parts->chain);
  g_clear_pointer (&parts->key, gnutls_x509_privkey_deinit);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ReeveRestTlsIdentityParts, reeve_rest_tls_identity_clear_parts)

static gboolean
reeve_rest_tls_identity_fail (GError **error, const char *file, const char *why)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "%s: %s", file, why);
  return FALSE;
}

/* The file's text, its end marked by a NUL; secrets are wiped by who asked for it. */
static char *
reeve_rest_tls_identity_read (const char *file, gsize *length, GError **error)
{
  g_autoptr (GFile) path = g_file_new_for_path (file);
  g_autoptr (GError) reason = NULL;
  g_autoptr (GFileInputStream) stream = g_file_read (path, NULL, &reason);
  g_autofree char *text = g_malloc0 (REEVE_REST_TLS_IDENTITY_MAX_FILE + 1);

  if (stream == NULL
      || !g_input_stream_read_all (G_INPUT_STREAM (stream), text,
                                   REEVE_REST_TLS_IDENTITY_MAX_FILE + 1, length, NULL, &reason))
    reeve_rest_tls_identity_fail (error, file, reason->message);
  else if (*length > REEVE_REST_TLS_IDENTITY_MAX_FILE)
    reeve_rest_tls_identity_fail (error, file, "is larger than 1 MiB");
  else
    return g_steal_pointer (&text);
  return NULL;
}

static gboolean
reeve_rest_tls_identity_read_chain (ReeveRestTlsIdentityParts *parts, GError **error)
{
  gsize length = 0;
  g_autofree char *text = reeve_rest_tls_identity_read (parts->certificate_file, &length, error);
  const gnutls_datum_t pem = { (unsigned char *) text, (unsigned int) length };
  int rc = 0;

  if (text == NULL)
    return FALSE;
  rc = gnutls_x509_crt_list_import2 (&parts->chain, &parts->chain_length, &pem, GNUTLS_X509_FMT_PEM,
                                     GNUTLS_X509_CRT_LIST_SORT);
  if (rc >= 0 && parts->chain_length > 0
      && parts->chain_length <= REEVE_REST_TLS_IDENTITY_MAX_CHAIN)
    return TRUE;
  if (rc == GNUTLS_E_NO_CERTIFICATE_FOUND || rc == GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR)
    return reeve_rest_tls_identity_fail (error, parts->certificate_file,
                                         "holds no certificate in PEM form");
  if (rc >= 0)
    return reeve_rest_tls_identity_fail (error, parts->certificate_file,
                                         "holds more than 16 certificates");
  return reeve_rest_tls_identity_fail (error, parts->certificate_file, gnutls_strerror (rc));
}

static gboolean
reeve_rest_tls_identity_is_encrypted (const char *text)
{
  return strstr (text, "-----BEGIN ENCRYPTED PRIVATE KEY-----") != NULL
         || strstr (text, "Proc-Type: 4,ENCRYPTED") != NULL;
}

static gboolean
reeve_rest_tls_identity_read_key (ReeveRestTlsIdentityParts *parts, GError **error)
{
  gsize length = 0;
  char *text = reeve_rest_tls_identity_read (parts->key_file, &length, error);
  const gnutls_datum_t pem = { (unsigned char *) text, (unsigned int) length };
  gboolean encrypted = FALSE;
  int rc = 0;

  if (text == NULL)
    return FALSE;
  encrypted = reeve_rest_tls_identity_is_encrypted (text);
  if (!encrypted)
    {
      gnutls_x509_privkey_init (&parts->key);
      rc = gnutls_x509_privkey_import2 (parts->key, &pem, GNUTLS_X509_FMT_PEM, NULL,
                                        GNUTLS_PKCS_PLAIN);
    }
  gnutls_memset (text, 0, length);
  g_free (text);
  if (encrypted)
    return reeve_rest_tls_identity_fail (
        error, parts->key_file,
        "is encrypted, and nobody is there to type its passphrase: decrypt it (openssl pkey) and "
        "keep it readable for the host alone");
  if (rc == GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR || rc == GNUTLS_E_BASE64_DECODING_ERROR
      || rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
    return reeve_rest_tls_identity_fail (error, parts->key_file, "holds no key in PEM form");
  return rc >= 0 ? TRUE
                 : reeve_rest_tls_identity_fail (error, parts->key_file, gnutls_strerror (rc));
}

/* What every client of today would refuse is refused here. */
static gboolean
reeve_rest_tls_identity_check_strength (ReeveRestTlsIdentityParts *parts, GError **error)
{
  unsigned int bits = 0;
  int algorithm = gnutls_x509_crt_get_pk_algorithm (parts->chain[0], &bits);

  if (algorithm < 0)
    return reeve_rest_tls_identity_fail (error, parts->certificate_file,
                                         gnutls_strerror (algorithm));
  if (gnutls_pk_bits_to_sec_param ((gnutls_pk_algorithm_t) algorithm, bits)
      < GNUTLS_SEC_PARAM_MEDIUM)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                   "%s: a key of %u bits is too weak: RSA needs 2048, an elliptic curve 256",
                   parts->certificate_file, bits);
      return FALSE;
    }
  return TRUE;
}

static ReeveRestTlsIdentity *
reeve_rest_tls_identity_join (ReeveRestTlsIdentityParts *parts, ReeveRestTlsIdentityPart *fault,
                              GError **error)
{
  g_autoptr (ReeveRestTlsIdentity) self = g_new0 (ReeveRestTlsIdentity, 1);
  int rc = gnutls_certificate_allocate_credentials (&self->credentials);

  g_atomic_ref_count_init (&self->references);
  self->certificate = g_strdup (parts->certificate_file);
  self->activation = (gint64) gnutls_x509_crt_get_activation_time (parts->chain[0]);
  self->expiry = (gint64) gnutls_x509_crt_get_expiration_time (parts->chain[0]);
  if (rc >= 0)
    rc = gnutls_certificate_set_x509_key (self->credentials, parts->chain,
                                          (int) parts->chain_length, parts->key);
  if (rc >= 0)
    return g_steal_pointer (&self);
  if (rc == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
    {
      *fault = REEVE_REST_TLS_IDENTITY_KEY;
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                   "%s: is not the key of the certificate in %s", parts->key_file,
                   parts->certificate_file);
    }
  else
    reeve_rest_tls_identity_fail (error, parts->certificate_file, gnutls_strerror (rc));
  return NULL;
}

/* ---- whom clients are vouched for by ---- */

typedef int (*ReeveRestTlsIdentityAdd) (gnutls_certificate_credentials_t credentials,
                                        const gnutls_datum_t *pem, gnutls_x509_crt_fmt_t format);

/* Adds what the file holds; @what it has to hold. */
static gboolean
reeve_rest_tls_identity_add (ReeveRestTlsIdentity *self, const char *file,
                             ReeveRestTlsIdentityAdd add, const char *what, GError **error)
{
  gsize length = 0;
  g_autofree char *text = NULL;
  gnutls_datum_t pem = { NULL, 0 };
  int count = 0;

  if (file == NULL)
    return TRUE;
  text = reeve_rest_tls_identity_read (file, &length, error);
  if (text == NULL)
    return FALSE;
  pem = (gnutls_datum_t){ (unsigned char *) text, (unsigned int) length };
  count = add (self->credentials, &pem, GNUTLS_X509_FMT_PEM);
  if (count > 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "%s: holds no %s in PEM form", file,
               what);
  return FALSE;
}

static gboolean
reeve_rest_tls_identity_trust (ReeveRestTlsIdentity *self, const char *const *files,
                               ReeveRestTlsIdentityPart *fault, GError **error)
{
  *fault = REEVE_REST_TLS_IDENTITY_CLIENT_CA;
  if (!reeve_rest_tls_identity_add (self, files[REEVE_REST_TLS_IDENTITY_CLIENT_CA],
                                    gnutls_certificate_set_x509_trust_mem, "certificate", error))
    return FALSE;
  *fault = REEVE_REST_TLS_IDENTITY_CLIENT_CRL;
  return reeve_rest_tls_identity_add (self, files[REEVE_REST_TLS_IDENTITY_CLIENT_CRL],
                                      gnutls_certificate_set_x509_crl_mem, "revocation list",
                                      error);
}

static ReeveRestTlsIdentity *
reeve_rest_tls_identity_load (ReeveRestTlsIdentityParts *parts, ReeveRestTlsIdentityPart *fault,
                              GError **error)
{
  *fault = REEVE_REST_TLS_IDENTITY_CERTIFICATE;
  if (!reeve_rest_tls_identity_read_chain (parts, error)
      || !reeve_rest_tls_identity_check_strength (parts, error))
    return NULL;
  *fault = REEVE_REST_TLS_IDENTITY_KEY;
  if (!reeve_rest_tls_identity_read_key (parts, error))
    return NULL;
  *fault = REEVE_REST_TLS_IDENTITY_CERTIFICATE;
  return reeve_rest_tls_identity_join (parts, fault, error);
}

/**
 * reeve_rest_tls_identity_new:
 * @files: by part: the chain, PEM, the host's own certificate among them; its key, PEM, not
 * encrypted; (nullable) certificates of authorities of clients; (nullable) their revocation lists
 * @fault: (out) (optional): the file that is wrong
 * @error: return location
 *
 * Returns: (transfer full) (nullable): what clients are shown, and what is asked of theirs
 */
ReeveRestTlsIdentity *
reeve_rest_tls_identity_new (const char *const files[REEVE_REST_TLS_IDENTITY_N_PARTS],
                             ReeveRestTlsIdentityPart *fault, GError **error)
{
  g_auto (ReeveRestTlsIdentityParts) parts
      = { .certificate_file = files[REEVE_REST_TLS_IDENTITY_CERTIFICATE],
          .key_file = files[REEVE_REST_TLS_IDENTITY_KEY] };
  ReeveRestTlsIdentityPart part = REEVE_REST_TLS_IDENTITY_CERTIFICATE;
  g_autoptr (ReeveRestTlsIdentity) self = reeve_rest_tls_identity_load (&parts, &part, error);

  if (self != NULL && !reeve_rest_tls_identity_trust (self, files, &part, error))
    g_clear_pointer (&self, reeve_rest_tls_identity_unref);
  if (fault != NULL)
    *fault = part;
  return g_steal_pointer (&self);
}

ReeveRestTlsIdentity *
reeve_rest_tls_identity_ref (ReeveRestTlsIdentity *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
reeve_rest_tls_identity_unref (ReeveRestTlsIdentity *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_clear_pointer (&self->credentials, gnutls_certificate_free_credentials);
  g_free (self->certificate);
  g_free (self);
}

gnutls_certificate_credentials_t
reeve_rest_tls_identity_get_credentials (ReeveRestTlsIdentity *self)
{
  return self->credentials;
}

/**
 * reeve_rest_tls_identity_check_time:
 * @self: an identity
 * @now: seconds since the epoch
 * @error: return location
 *
 * Returns: whether the certificate is valid then
 */
gboolean
reeve_rest_tls_identity_check_time (ReeveRestTlsIdentity *self, gint64 now, GError **error)
{
  gboolean early = now < self->activation;
  g_autoptr (GDateTime) when
      = g_date_time_new_from_unix_utc (early ? self->activation : self->expiry);
  g_autofree char *text = when != NULL ? g_date_time_format_iso8601 (when) : NULL;

  if (!early && now <= self->expiry)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "%s: the certificate %s %s",
               self->certificate, early ? "is not valid before" : "expired on",
               text != NULL ? text : "a time that cannot be written");
  return FALSE;
}
