/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys of an issuer. They are asked for anew when four fifths of their time are over, by one caller
 * while the others go on with those there are; when a token names a key that is not among them, at
 * most once in a while, so that nobody can make this host hammer an issuer; and when they cannot be
 * had, the old ones hold for a bounded time. No lock is held while anything is fetched, and no
 * thread but the one that fetches: whoever needs what it will bring is told that it is busy, and is
 * asked about again by the host. */
#include "jwt-source.h"

#include <string.h>

#define JWT_SOURCE_MAX_BYTES (512 * 1024)
#define JWT_SOURCE_FETCH_MS  4000
/* after a failure the next attempt waits this long, or as long as one for an unknown key */
#define JWT_SOURCE_RETRY_SECONDS 2
/* ids of keys that were asked for and not there */
#define JWT_SOURCE_MAX_UNKNOWN     256
#define JWT_SOURCE_UNKNOWN_SECONDS 30

struct _JwtSource
{
  const JwtSettings *settings; /* outlives it */
  GMutex lock;                 /* guards what follows */
  JwtKeySet *keys;             /* (nullable) */
  guint generation;
  gint64 fetched_at; /* monotonic µs, as all times here */
  gint64 failed_at;
  gint64 renewed_at; /* for an unknown key */
  char *failure;     /* (nullable): why the last attempt failed */
  gboolean fetching;
  GHashTable *unknown; /* id -> until when it is not asked for again */
};

/**
 * jwt_source_new:
 * @settings: outlive the source
 *
 * Returns: (transfer full): a source that has not asked for keys yet
 */
JwtSource *
jwt_source_new (const JwtSettings *settings)
{
  JwtSource *self = g_new0 (JwtSource, 1);

  self->settings = settings;
  self->failed_at = G_MININT64 / 2;
  self->renewed_at = G_MININT64 / 2;
  self->unknown = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_mutex_init (&self->lock);
  return self;
}

/**
 * jwt_source_free:
 * @self: (transfer full): a source that nobody asks any more
 */
void
jwt_source_free (JwtSource *self)
{
  g_clear_pointer (&self->keys, jwt_key_set_unref);
  g_hash_table_unref (self->unknown);
  g_free (self->failure);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* ---- over the wire ---- */

/* (transfer full) (nullable): what is at @url; @missing: that nothing is there, which is no error
 */
static GBytes *
jwt_source_download (const char *url, ReeveContext *context, gboolean *missing, GError **error)
{
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("GET", url);
  g_autoptr (ReeveHttpResponse) response = NULL;
  guint status = 0;

  reeve_http_request_add_header (request, "Accept",
                                 "application/json, application/jwk-set+json;q=0.9");
  reeve_http_request_set_idempotent (request, TRUE);
  reeve_http_request_set_max_response (request, JWT_SOURCE_MAX_BYTES);
  reeve_http_request_set_timeout_ms (request, JWT_SOURCE_FETCH_MS);
  response = reeve_context_http (context, request, error);
  if (response == NULL)
    {
      g_prefix_error (error, "%s: ", url);
      return NULL;
    }
  status = reeve_http_response_get_status (response);
  if (status == 200 && reeve_http_response_get_body (response) != NULL)
    return g_bytes_ref (reeve_http_response_get_body (response));
  *missing = status == 404;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM, "%s: answered with status %u", url,
               status);
  return NULL;
}

/* "jwks_uri" of the issuer's own description (OpenID Connect Discovery section 4). The issuer in it
 * must be the one that was asked. */
static char *
jwt_source_read_description (const char *issuer, GBytes *text, GError **error)
{
  gsize length = 0;
  const char *data = g_bytes_get_data (text, &length);
  g_autoptr (JsonNode) node = reeve_json_parse_strict (data, length, error);
  JsonObject *object
      = node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const char *url = reeve_json_get_string (object, "jwks_uri", NULL);

  if (node == NULL)
    return NULL;
  if (g_strcmp0 (reeve_json_get_string (object, "issuer", NULL), issuer) != 0)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM,
                         "the description there is of another issuer");
  else if (url == NULL)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM,
                         "the issuer's description has no jwks_uri");
  else if (g_str_has_prefix (issuer, "https://") && !g_str_has_prefix (url, "https://"))
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM,
                         "the issuer's description names a jwks_uri that is not https");
  else
    return g_strdup (url);
  return NULL;
}

/* (transfer full) (nullable): where the keys are */
static char *
jwt_source_find_url (JwtSource *self, ReeveContext *context, GError **error)
{
  const char *issuer = self->settings->issuer;
  g_autofree char *base = NULL;
  g_autofree char *url = NULL;
  g_autoptr (GBytes) text = NULL;
  g_autoptr (GError) local = NULL;
  gboolean missing = FALSE;

  if (self->settings->jwks_uri != NULL)
    return g_strdup (self->settings->jwks_uri);
  base = g_strndup (issuer, strlen (issuer) - (g_str_has_suffix (issuer, "/") ? 1 : 0));
  url = g_strconcat (base, "/.well-known/openid-configuration", NULL);
  text = jwt_source_download (url, context, &missing, &local);
  if (text != NULL)
    return jwt_source_read_description (issuer, text, error);
  /* an issuer that describes itself nowhere has its keys at the usual place */
  if (missing)
    return g_strconcat (base, "/.well-known/jwks.json", NULL);
  g_propagate_error (error, g_steal_pointer (&local));
  return NULL;
}

static JwtKeySet *
jwt_source_download_keys (JwtSource *self, ReeveContext *context, GError **error)
{
  g_autofree char *url = jwt_source_find_url (self, context, error);
  g_autoptr (GBytes) text = NULL;
  g_autoptr (JwtKeySet) keys = NULL;
  gboolean missing = FALSE;
  gsize length = 0;
  const char *data = NULL;

  text = url != NULL ? jwt_source_download (url, context, &missing, error) : NULL;
  if (text == NULL)
    return NULL;
  data = g_bytes_get_data (text, &length);
  keys = jwt_key_set_new_from_text (data, length, error);
  if (keys != NULL && jwt_key_set_get_size (keys) > 0)
    return g_steal_pointer (&keys);
  if (keys != NULL)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM, "there is no usable key");
  g_prefix_error (error, "%s: ", url);
  return NULL;
}

/* ---- under the lock ---- */

static gint64
jwt_source_seconds (gint64 seconds)
{
  return seconds * G_USEC_PER_SEC;
}

/* Lets go of the lock while it fetches. */
static void
jwt_source_fetch (JwtSource *self, ReeveContext *context, gint64 now)
{
  g_autoptr (GError) error = NULL;
  JwtKeySet *keys = NULL;

  self->fetching = TRUE;
  g_mutex_unlock (&self->lock);
  keys = jwt_source_download_keys (self, context, &error);
  g_mutex_lock (&self->lock);
  self->fetching = FALSE;
  g_clear_pointer (&self->failure, g_free);
  if (keys != NULL)
    {
      g_clear_pointer (&self->keys, jwt_key_set_unref);
      self->keys = keys;
      self->generation++;
      /* of the time before it was asked: what was changed while it answered may not be in it */
      self->fetched_at = now;
      self->failed_at = G_MININT64 / 2;
    }
  else
    {
      self->failure = g_strdup (error != NULL ? error->message : "they could not be fetched");
      self->failed_at = now;
    }
}

static gboolean
jwt_source_put_off (GError **error)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_BUSY,
                       "the keys of the issuer are being fetched");
  return FALSE;
}

static gboolean
jwt_source_may_retry (JwtSource *self, gint64 now)
{
  gint64 pause = MIN (JWT_SOURCE_RETRY_SECONDS, self->settings->refetch_seconds);

  return now - self->failed_at >= jwt_source_seconds (pause);
}

/* What there is, if it still holds. */
static gboolean
jwt_source_give (JwtSource *self, gint64 now, JwtSourceKeys *given, GError **error)
{
  gint64 fresh = self->fetched_at + jwt_source_seconds (self->settings->cache_seconds);

  if (self->keys == NULL || now >= fresh + jwt_source_seconds (self->settings->stale_seconds))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
                   "the keys of the issuer cannot be had: %s",
                   self->failure != NULL ? self->failure : "nobody has asked yet");
      return FALSE;
    }
  given->keys = jwt_key_set_ref (self->keys);
  given->generation = self->generation;
  given->until = now < fresh ? fresh : now + jwt_source_seconds (JWT_SOURCE_RETRY_SECONDS);
  return TRUE;
}

/**
 * jwt_source_get:
 * @self: a source
 * @context: of the call
 * @now: monotonic µs
 * @given: (out): the keys; those in it are the caller's
 * @error: return location
 *
 * May fetch.
 *
 * Returns: %FALSE with %REEVE_ERROR_UNAVAILABLE, or with %REEVE_ERROR_BUSY while another fetches
 */
gboolean
jwt_source_get (JwtSource *self, ReeveContext *context, gint64 now, JwtSourceKeys *given,
                GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  gint64 cache = jwt_source_seconds (self->settings->cache_seconds);
  gint64 age = now - self->fetched_at;

  if (self->fetching && (self->keys == NULL || age >= cache))
    return jwt_source_put_off (error);
  if (!self->fetching && (self->keys == NULL || age >= cache / 5 * 4)
      && jwt_source_may_retry (self, now))
    jwt_source_fetch (self, context, now);
  return jwt_source_give (self, now, given, error);
}

/**
 * jwt_source_warm:
 * @self: a source
 * @context: of the call
 * @now: monotonic µs
 * @error: return location
 *
 * Fetches before anybody needs the keys. When that fails the first caller tries at once.
 *
 * Returns: %FALSE with %REEVE_ERROR_UNAVAILABLE
 */
gboolean
jwt_source_warm (JwtSource *self, ReeveContext *context, gint64 now, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->fetching || self->keys != NULL)
    return TRUE;
  jwt_source_fetch (self, context, now);
  self->failed_at = G_MININT64 / 2;
  if (self->keys == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
                 "the keys of the issuer cannot be had: %s", self->failure);
  return self->keys != NULL;
}

/**
 * jwt_source_renew:
 * @self: a source
 * @kid: (nullable): the key that is not among those there are
 * @context: of the call
 * @now: monotonic µs
 * @given: the keys that did not do; newer ones are put in their place
 * @error: return location
 *
 * Fetches anew, if that is not asked for too often.
 *
 * Returns: whether there are others now; %FALSE with an error only when that cannot be known
 */
gboolean
jwt_source_renew (JwtSource *self, const char *kid, ReeveContext *context, gint64 now,
                  JwtSourceKeys *given, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  const gint64 *until = kid != NULL ? g_hash_table_lookup (self->unknown, kid) : NULL;
  gint64 pause = jwt_source_seconds (self->settings->refetch_seconds);

  if (self->generation == given->generation)
    {
      if (until != NULL && now < *until)
        return FALSE;
      if (self->fetching)
        return jwt_source_put_off (error);
    }
  if (self->generation == given->generation && now - self->renewed_at >= pause
      && jwt_source_may_retry (self, now))
    {
      self->renewed_at = now;
      jwt_source_fetch (self, context, now);
    }
  if (self->generation == given->generation)
    return FALSE;
  g_clear_pointer (&given->keys, jwt_key_set_unref);
  return jwt_source_give (self, now, given, error);
}

static gboolean
jwt_source_is_over (gpointer key, gpointer value, gpointer user_data)
{
  return *(const gint64 *) value <= *(const gint64 *) user_data;
}

/**
 * jwt_source_note_unknown:
 * @self: a source
 * @kid: a key that was not among those fetched anew
 * @now: monotonic µs
 *
 * Lets it not be asked for again for a while: a client that goes on with an old token costs the
 * issuer nothing.
 */
void
jwt_source_note_unknown (JwtSource *self, const char *kid, gint64 now)
{
  gint64 until = now + jwt_source_seconds (JWT_SOURCE_UNKNOWN_SECONDS);

  g_mutex_lock (&self->lock);
  g_hash_table_foreach_remove (self->unknown, jwt_source_is_over, &now);
  if (g_hash_table_size (self->unknown) < JWT_SOURCE_MAX_UNKNOWN)
    g_hash_table_replace (self->unknown, g_strdup (kid), g_memdup2 (&until, sizeof until));
  g_mutex_unlock (&self->lock);
}
