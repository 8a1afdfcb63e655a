/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A session holds the identity that it began with, so a new one disturbs nobody. Files are compared
 * by what stat() says of where their names lead now, which works for renamed files, for links that
 * are turned around, and on file systems that tell nothing. */
#include "tls.h"

#include <reeve-error.h>
#include <string.h>
#include <sys/stat.h>

#include "tls-peer.h"

/* Forward secrecy and authenticated encryption only; no finite-field groups, which cost a server
 * much more than the client that asks for them. The profile judges certificates of clients: RSA of
 * 2048 bits, SHA-256. */
#define REEVE_REST_TLS_COMMON                                                                      \
  ":-CIPHER-ALL:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:-MAC-ALL:+AEAD"                       \
  ":-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1"                                    \
  ":-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:%SERVER_PRECEDENCE:%PROFILE_MEDIUM"
#define REEVE_REST_TLS_13 "NORMAL:-VERS-ALL:+VERS-TLS1.3" REEVE_REST_TLS_COMMON
#define REEVE_REST_TLS_12                                                                          \
  "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-"                        \
  "RSA" REEVE_REST_TLS_COMMON

/* What stat() says of the files. */
typedef struct
{
  struct stat parts[REEVE_REST_TLS_IDENTITY_N_PARTS];
} ReeveRestTlsStamp;

static const char *const reeve_rest_tls_paths[REEVE_REST_TLS_IDENTITY_N_PARTS] = {
  [REEVE_REST_TLS_IDENTITY_CERTIFICATE] = "tls.certificate",
  [REEVE_REST_TLS_IDENTITY_KEY] = "tls.key",
  [REEVE_REST_TLS_IDENTITY_CLIENT_CA] = "tls.client_ca",
  [REEVE_REST_TLS_IDENTITY_CLIENT_CRL] = "tls.client_crl",
};

struct _ReeveRestTls
{
  ReeveConfig *config;
  gboolean asks;     /* clients for a certificate … */
  gboolean requires; /* … without which they are sent away */
  gnutls_priority_t priority;
  gnutls_datum_t ticket_key;

  GMutex lock; /* guards identity */
  ReeveRestTlsIdentity *identity;

  GMutex files; /* one reads at a time; guards what follows */
  ReeveRestTlsStamp loaded;
  ReeveRestTlsStamp seen; /* when has_news() last looked */
};

gboolean
reeve_rest_tls_is_configured (ReeveConfig *config)
{
  return reeve_config_get_string (config, "tls.certificate") != NULL;
}

/* (nullable) */
static const char *
reeve_rest_tls_get_file (ReeveRestTls *self, ReeveRestTlsIdentityPart part)
{
  if (part >= REEVE_REST_TLS_IDENTITY_CLIENT_CA && !self->asks)
    return NULL;
  return reeve_config_get_string (self->config, reeve_rest_tls_paths[part]);
}

/* ---- files ---- */

/* A file that is not there counts as one that was never changed. */
static ReeveRestTlsStamp
reeve_rest_tls_look (ReeveRestTls *self)
{
  ReeveRestTlsStamp stamp = { 0 };

  for (guint i = 0; i < REEVE_REST_TLS_IDENTITY_N_PARTS; i++)
    {
      const char *file = reeve_rest_tls_get_file (self, i);

      if (file == NULL || stat (file, &stamp.parts[i]) != 0)
        memset (&stamp.parts[i], 0, sizeof stamp.parts[i]);
    }
  return stamp;
}

static gboolean
reeve_rest_tls_is_same_file (const struct stat *a, const struct stat *b)
{
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size
         && a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static gboolean
reeve_rest_tls_is_same (const ReeveRestTlsStamp *a, const ReeveRestTlsStamp *b)
{
  for (guint i = 0; i < REEVE_REST_TLS_IDENTITY_N_PARTS; i++)
    if (!reeve_rest_tls_is_same_file (&a->parts[i], &b->parts[i]))
      return FALSE;
  return TRUE;
}

static ReeveRestTlsIdentity *
reeve_rest_tls_load (ReeveRestTls *self, GError **error)
{
  ReeveRestTlsIdentityPart part = REEVE_REST_TLS_IDENTITY_CERTIFICATE;
  const char *files[REEVE_REST_TLS_IDENTITY_N_PARTS] = { NULL };
  ReeveRestTlsIdentity *identity = NULL;
  const char *path = NULL;

  for (guint i = 0; i < REEVE_REST_TLS_IDENTITY_N_PARTS; i++)
    files[i] = reeve_rest_tls_get_file (self, i);
  identity = reeve_rest_tls_identity_new (files, &part, error);
  path = reeve_rest_tls_paths[part];
  if (identity == NULL)
    g_prefix_error (error, "%s: %s: ", reeve_config_get_origin (self->config, path), path);
  return identity;
}

static void
reeve_rest_tls_warn_of_mode (ReeveRestTls *self)
{
  if (self->loaded.parts[REEVE_REST_TLS_IDENTITY_KEY].st_mode & (S_IROTH | S_IWOTH))
    g_warning ("tls.key: everybody can read or write %s: give it mode 0600",
               reeve_rest_tls_get_file (self, REEVE_REST_TLS_IDENTITY_KEY));
}

/* ---- life ---- */

static gboolean
reeve_rest_tls_set_up (ReeveRestTls *self, GError **error)
{
  gboolean old = g_strcmp0 (reeve_config_get_string (self->config, "tls.min_version"), "1.2") == 0;
  int rc
      = gnutls_priority_init (&self->priority, old ? REEVE_REST_TLS_12 : REEVE_REST_TLS_13, NULL);

  if (rc >= 0)
    rc = gnutls_session_ticket_key_generate (&self->ticket_key);
  if (rc >= 0)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "starting tls: %s", gnutls_strerror (rc));
  return FALSE;
}

/* Are clients asked, and is there somebody to vouch for them? */
static gboolean
reeve_rest_tls_read_clients (ReeveRestTls *self, GError **error)
{
  const char *auth = reeve_config_get_string (self->config, "tls.client_auth");
  gboolean known = reeve_config_get_string (self->config, "tls.client_ca") != NULL;
  gboolean listed = reeve_config_get_string (self->config, "tls.client_crl") != NULL;

  self->requires = g_strcmp0 (auth, "required") == 0;
  self->asks = known && g_strcmp0 (auth, "none") != 0;
  if (known || (!self->requires && !listed))
    return TRUE;
  g_set_error (
      error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
      "%s: tls.%s: needs tls.client_ca, the authorities that vouch for clients",
      reeve_config_get_origin (self->config, listed ? "tls.client_crl" : "tls.client_auth"),
      listed ? "client_crl" : "client_auth");
  return FALSE;
}

/**
 * reeve_rest_tls_new:
 * @config: with a certificate and a key
 * @error: return location
 *
 * An expired certificate is only warned of: a host that restarts shall not stay away for it.
 *
 * Returns: (transfer full) (nullable): how to encrypt
 */
ReeveRestTls *
reeve_rest_tls_new (ReeveConfig *config, GError **error)
{
  g_autoptr (ReeveRestTls) self = g_new0 (ReeveRestTls, 1);
  g_autoptr (GError) late = NULL;

  g_mutex_init (&self->lock);
  g_mutex_init (&self->files);
  self->config = reeve_config_ref (config);
  if (!reeve_rest_tls_read_clients (self, error) || !reeve_rest_tls_set_up (self, error))
    return NULL;
  self->loaded = self->seen = reeve_rest_tls_look (self);
  self->identity = reeve_rest_tls_load (self, error);
  if (self->identity == NULL)
    return NULL;
  reeve_rest_tls_warn_of_mode (self);
  if (!reeve_rest_tls_identity_check_time (self->identity, g_get_real_time () / G_USEC_PER_SEC,
                                           &late))
    g_warning ("tls.certificate: %s", late->message);
  return g_steal_pointer (&self);
}

void
reeve_rest_tls_free (ReeveRestTls *self)
{
  g_clear_pointer (&self->identity, reeve_rest_tls_identity_unref);
  g_clear_pointer (&self->priority, gnutls_priority_deinit);
  if (self->ticket_key.data != NULL)
    gnutls_memset (self->ticket_key.data, 0, self->ticket_key.size);
  gnutls_free (self->ticket_key.data);
  g_mutex_clear (&self->lock);
  g_mutex_clear (&self->files);
  reeve_config_unref (self->config);
  g_free (self);
}

/**
 * reeve_rest_tls_reload:
 * @self: how to encrypt
 * @error: return location
 *
 * Reads the files again, for the connections to come.
 *
 * Returns: %FALSE when they are not good, an expired certificate among that: nothing has changed
 */
gboolean
reeve_rest_tls_reload (ReeveRestTls *self, GError **error)
{
  g_autoptr (GMutexLocker) reading = g_mutex_locker_new (&self->files);
  ReeveRestTlsStamp stamp = reeve_rest_tls_look (self);
  g_autoptr (ReeveRestTlsIdentity) identity = NULL;

  /* whatever comes of it, these files have had their chance */
  self->loaded = self->seen = stamp;
  identity = reeve_rest_tls_load (self, error);
  if (identity == NULL)
    return FALSE;
  if (!reeve_rest_tls_identity_check_time (identity, g_get_real_time () / G_USEC_PER_SEC, error))
    {
      g_prefix_error (error, "%s: tls.certificate: ",
                      reeve_config_get_origin (self->config, "tls.certificate"));
      return FALSE;
    }
  reeve_rest_tls_warn_of_mode (self);
  g_mutex_lock (&self->lock);
  {
    ReeveRestTlsIdentity *old = self->identity;

    self->identity = g_steal_pointer (&identity);
    identity = old;
  }
  g_mutex_unlock (&self->lock);
  return TRUE;
}

/**
 * reeve_rest_tls_has_news:
 * @self: how to encrypt
 *
 * Certificate and key are two files and more, so they change one after the other: only what looks
 * the same twice is worth reading.
 *
 * Returns: whether reeve_rest_tls_reload() would find other files
 */
gboolean
reeve_rest_tls_has_news (ReeveRestTls *self)
{
  g_autoptr (GMutexLocker) reading = g_mutex_locker_new (&self->files);
  ReeveRestTlsStamp stamp = reeve_rest_tls_look (self);
  gboolean settled = reeve_rest_tls_is_same (&stamp, &self->seen);

  self->seen = stamp;
  return settled && !reeve_rest_tls_is_same (&stamp, &self->loaded);
}

gint64
reeve_rest_tls_get_hsts (ReeveRestTls *self)
{
  return reeve_config_get_int (self->config, "tls.hsts");
}

/**
 * reeve_rest_tls_prepare:
 * @self: how to encrypt
 * @session: a server's, new
 *
 * Returns: (transfer full): what the session shows to its client, and must keep alive
 */
ReeveRestTlsIdentity *
reeve_rest_tls_prepare (ReeveRestTls *self, gnutls_session_t session)
{
  const gnutls_datum_t alpn = { (unsigned char *) "http/1.1", 8 };
  ReeveRestTlsIdentity *identity = NULL;

  g_mutex_lock (&self->lock);
  identity = reeve_rest_tls_identity_ref (self->identity);
  g_mutex_unlock (&self->lock);
  gnutls_priority_set (session, self->priority);
  gnutls_credentials_set (session, GNUTLS_CRD_CERTIFICATE,
                          reeve_rest_tls_identity_get_credentials (identity));
  gnutls_alpn_set_protocols (session, &alpn, 1, GNUTLS_ALPN_MANDATORY);
  /* a session that is resumed shows no certificate again: it might have been revoked meanwhile */
  if (self->asks)
    reeve_rest_tls_peer_ask (session, self->requires);
  else
    gnutls_session_ticket_enable_server (session, &self->ticket_key);
  return identity;
}
