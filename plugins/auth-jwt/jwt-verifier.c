/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The order: form, algorithm, signature, claims. Claims are read before the signature is verified
 * for one thing only: to see whether the token says it is of our issuer at all. */
#include "jwt-verifier.h"

#include "jwt-claims.h"
#include "jwt-source.h"
#include "jwt-token.h"

struct _JwtVerifier
{
  JwtSettings *settings;
  JwtSource *source; /* (nullable) */
};

/**
 * jwt_verifier_new:
 * @settings: (transfer full): what is wanted of tokens
 *
 * Returns: (transfer full): a verifier
 */
JwtVerifier *
jwt_verifier_new (JwtSettings *settings)
{
  JwtVerifier *self = g_new0 (JwtVerifier, 1);

  self->settings = settings;
  self->source = settings->remote ? jwt_source_new (settings) : NULL;
  return self;
}

/**
 * jwt_verifier_free:
 * @self: (transfer full): a verifier
 */
void
jwt_verifier_free (JwtVerifier *self)
{
  g_clear_pointer (&self->source, jwt_source_free);
  jwt_settings_free (self->settings);
  g_free (self);
}

/**
 * jwt_verifier_warm:
 * @self: a verifier
 * @context: of the call
 * @monotonic: µs of the monotonic clock
 * @error: return location
 *
 * Fetches the issuer's keys before they are needed.
 *
 * Returns: %FALSE with %REEVE_ERROR_UNAVAILABLE
 */
gboolean
jwt_verifier_warm (JwtVerifier *self, ReeveContext *context, gint64 monotonic, GError **error)
{
  return self->source == NULL || jwt_source_warm (self->source, context, monotonic, error);
}

static JwtToken *
jwt_verifier_read (JwtVerifier *self, const char *text, GError **error)
{
  return jwt_token_new (text, (const char *const *) self->settings->claims, error);
}

/**
 * jwt_verifier_knows:
 * @self: a verifier
 * @text: a token
 *
 * Returns: whether jwt_verifier_verify() would say that it is ours; what is no token is, so that it
 * is refused
 */
gboolean
jwt_verifier_knows (JwtVerifier *self, const char *text)
{
  g_autoptr (JwtToken) token = jwt_verifier_read (self, text, NULL);

  return token == NULL || jwt_claims_is_ours (self->settings, token->claims);
}

static JwtVerdict
jwt_verifier_try (const JwtToken *token, JwtKeySet *keys)
{
  return jwt_key_set_verify (keys, token->algorithm, token->kid, token->text, token->signed_length,
                             token->signature, token->signature_length);
}

/* With the issuer's keys. @until: (out): monotonic µs until which they are good for that. */
static JwtVerdict
jwt_verifier_try_source (JwtVerifier *self, const JwtToken *token, ReeveContext *context,
                         gint64 monotonic, gint64 *until, GError **error)
{
  JwtSourceKeys given = { NULL };
  JwtVerdict verdict = JWT_VERDICT_UNKNOWN;
  g_autoptr (GError) local = NULL;

  if (!jwt_source_get (self->source, context, monotonic, &given, error))
    return JWT_VERDICT_UNKNOWN;
  verdict = jwt_verifier_try (token, given.keys);
  /* a token that names no key may be of one that is not there yet */
  if (verdict == JWT_VERDICT_UNKNOWN || (verdict == JWT_VERDICT_BAD && token->kid == NULL))
    {
      if (jwt_source_renew (self->source, token->kid, context, monotonic, &given, &local))
        {
          verdict = jwt_verifier_try (token, given.keys);
          if (verdict == JWT_VERDICT_UNKNOWN && token->kid != NULL)
            jwt_source_note_unknown (self->source, token->kid, monotonic);
        }
      if (local != NULL)
        g_propagate_error (error, g_steal_pointer (&local));
    }
  *until = given.until;
  g_clear_pointer (&given.keys, jwt_key_set_unref);
  return verdict;
}

static gboolean
jwt_verifier_check_signature (JwtVerifier *self, const JwtToken *token, ReeveContext *context,
                              gint64 monotonic, gint64 *until, GError **error)
{
  JwtVerdict verdict = jwt_verifier_try (token, self->settings->keys);
  g_autoptr (GError) local = NULL;

  *until = 0;
  /* a shared secret never comes from an address */
  if (verdict != JWT_VERDICT_GOOD && self->source != NULL
      && token->algorithm->family != JWT_FAMILY_HMAC)
    verdict = jwt_verifier_try_source (self, token, context, monotonic, until, &local);
  if (verdict == JWT_VERDICT_GOOD)
    return TRUE;
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  else
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED,
                         verdict == JWT_VERDICT_BAD ? "its signature is not good"
                                                    : "no key that is known fits it");
  return FALSE;
}

/**
 * jwt_verifier_verify:
 * @self: a verifier
 * @text: the token
 * @context: of the call
 * @now: µs since the epoch
 * @monotonic: µs of the monotonic clock
 * @ours: (out): %FALSE when it is of another issuer
 * @error: return location
 *
 * Returns: (transfer full): whom it speaks of; %NULL with %REEVE_ERROR_UNAUTHENTICATED and the
 * reason, which is for the log alone, or with what kept the keys from being had
 */
ReeveIdentity *
jwt_verifier_verify (JwtVerifier *self, const char *text, ReeveContext *context, gint64 now,
                     gint64 monotonic, gboolean *ours, GError **error)
{
  g_autoptr (JwtToken) token = jwt_verifier_read (self, text, error);
  ReeveIdentity *identity = NULL;
  gint64 expires_at = 0;
  gint64 until = 0;

  *ours = token == NULL || jwt_claims_is_ours (self->settings, token->claims);
  if (token == NULL)
    return NULL;
  if (!*ours)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED,
                           "it is of another issuer");
      return NULL;
    }
  if (!jwt_settings_allows (self->settings, token->algorithm))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED,
                   "its algorithm %s is not among those allowed", token->algorithm->name);
      return NULL;
    }
  if (!jwt_verifier_check_signature (self, token, context, monotonic, &until, error)
      || !jwt_claims_check (self->settings, token, now, &expires_at, error))
    return NULL;
  identity = jwt_claims_make_identity (self->settings, token->claims, error);
  if (identity == NULL)
    return NULL;
  reeve_identity_set_ends_at (identity, expires_at);
  /* who was let in by a key is looked at again when the key is */
  if (until != 0 && (expires_at == 0 || now + until - monotonic < expires_at))
    expires_at = now + until - monotonic;
  reeve_identity_set_expires_at (identity, expires_at);
  return identity;
}
