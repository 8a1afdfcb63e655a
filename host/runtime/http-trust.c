/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trusted certificates, loaded lazily and at most once. */
#include "http-trust.h"

#include <reeve-plugin-1.h>

struct _ReeveHttpTrust
{
  gatomicrefcount refs;
  char *ca_file;
  GMutex lock; /* guards loading; a reader needs only `loaded` */
  GCond changed;
  gboolean loading;
  int loaded;
  gnutls_certificate_credentials_t credentials;
};

/**
 * reeve_http_trust_new:
 * @ca_file: (nullable): PEM file of the authorities to trust instead of the system's
 *
 * Returns: (transfer full): a set of trusted certificates; nothing is read yet
 */
ReeveHttpTrust *
reeve_http_trust_new (const char *ca_file)
{
  ReeveHttpTrust *self = g_new0 (ReeveHttpTrust, 1);

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->ca_file = g_strdup (ca_file);
  return self;
}

/**
 * reeve_http_trust_ref:
 * @self: a set
 *
 * Returns: (transfer full): @self
 */
ReeveHttpTrust *
reeve_http_trust_ref (ReeveHttpTrust *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * reeve_http_trust_unref:
 * @self: (transfer full): a set
 */
void
reeve_http_trust_unref (ReeveHttpTrust *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_clear_pointer (&self->credentials, gnutls_certificate_free_credentials);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  g_free (self->ca_file);
  g_free (self);
}

/**
 * reeve_http_trust_is_loaded:
 * @self: a set
 *
 * Returns: whether reeve_http_trust_load() would return at once
 */
gboolean
reeve_http_trust_is_loaded (ReeveHttpTrust *self)
{
  return g_atomic_int_get (&self->loaded) != 0;
}

static gnutls_certificate_credentials_t
reeve_http_trust_read (ReeveHttpTrust *self, GError **error)
{
  gnutls_certificate_credentials_t credentials = NULL;
  int count = 0;

  if (gnutls_certificate_allocate_credentials (&credentials) < 0)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_FAILED, "no memory for certificates");
      return NULL;
    }
  if (self->ca_file != NULL)
    count
        = gnutls_certificate_set_x509_trust_file (credentials, self->ca_file, GNUTLS_X509_FMT_PEM);
  else
    count = gnutls_certificate_set_x509_system_trust (credentials);
  if (count > 0)
    return credentials;
  gnutls_certificate_free_credentials (credentials);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "no trusted certificates in %s: %s",
               self->ca_file != NULL ? self->ca_file : "the system's store",
               count < 0 ? gnutls_strerror (count) : "it is empty");
  return NULL;
}

/* Waits for another thread that loads; FALSE when this one is to. */
static gboolean
reeve_http_trust_wait (ReeveHttpTrust *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (self->loading)
    g_cond_wait (&self->changed, &self->lock);
  self->loading = !self->loaded;
  return self->loaded;
}

/**
 * reeve_http_trust_load:
 * @self: a set
 * @error: return location
 *
 * Reads the certificates unless that was done; blocks, so not on a thread that serves requests.
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFIGURATION when there is none
 */
gboolean
reeve_http_trust_load (ReeveHttpTrust *self, GError **error)
{
  gnutls_certificate_credentials_t credentials = NULL;

  if (reeve_http_trust_wait (self))
    return TRUE;
  credentials = reeve_http_trust_read (self, error);
  g_mutex_lock (&self->lock);
  self->credentials = credentials;
  g_atomic_int_set (&self->loaded, credentials != NULL);
  self->loading = FALSE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  return credentials != NULL;
}

/**
 * reeve_http_trust_get_credentials:
 * @self: a loaded set
 *
 * Returns: (transfer none): its certificates in GnuTLS's form
 */
gnutls_certificate_credentials_t
reeve_http_trust_get_credentials (ReeveHttpTrust *self)
{
  g_return_val_if_fail (reeve_http_trust_is_loaded (self), NULL);
  return self->credentials;
}
