/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads a JWS (RFC 7515 section 7.1) that carries claims (RFC 7519). What a header may hold that
 * would change how the rest is understood is refused before anything else is looked at. */
#include "jwt-token.h"

#include <string.h>

#define JWT_TOKEN_MAX_HEADER 4096
#define JWT_TOKEN_MAX_NAME   256

/* clang-format off */
/* What is looked for in a header: three texts, and members that a token has no business with here,
 * and why. */
static const char *const jwt_token_names[] = {
  "alg", "typ", "kid", "crit", "b64", "jwk", "jku", "x5c", "x5u", "enc", "zip", "cty", NULL
};
static const char *const jwt_token_refused[] = {
  NULL, NULL, NULL,
  "it says that an extension must be understood, and none is",
  "its payload is not encoded",
  "it brings its own key",
  "it says where to fetch its key",
  "it brings its own certificate",
  "it says where to fetch its certificate",
  "it is encrypted",
  "it is compressed",
  "another token is nested in it",
};
#define JWT_TOKEN_NAMES (G_N_ELEMENTS (jwt_token_names) - 1)
G_STATIC_ASSERT (G_N_ELEMENTS (jwt_token_refused) == JWT_TOKEN_NAMES);
/* clang-format on */

static gboolean
jwt_token_fail (GError **error, const char *text)
{
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED, text);
  return FALSE;
}

/**
 * jwt_token_is_one:
 * @text: what was shown as a bearer token
 *
 * Returns: whether it has the form of a JWT: the base64url of what begins like an object, and
 * two dots or more
 */
gboolean
jwt_token_is_one (const char *text)
{
  const char *dot = strchr (text, '.');

  return text[0] == 'e' && dot != NULL && strchr (dot + 1, '.') != NULL;
}

/* (transfer full) (nullable): the claims in the second part of the token */
static JwtClaimSet *
jwt_token_read_claims (const char *text, gsize length, const char *const *names, GError **error)
{
  gsize decoded = 0;
  guint8 *bytes = reeve_base64url_decode (text, length, &decoded);
  JwtClaimSet *claims = NULL;

  if (bytes == NULL)
    {
      jwt_token_fail (error, "a part of it is not base64url");
      return NULL;
    }
  claims = jwt_claim_set_new ((char *) bytes, decoded, names);
  if (claims == NULL)
    jwt_token_fail (error, "a part of it is no JSON object, or names a member twice");
  return claims;
}

/* A text of the header, whose value stands at @slice; %NULL in @text where there is none, %FALSE
 * where there is something else of that name. */
static gboolean
jwt_token_read_text (const ReeveJsonSlice *slice, char **text, GError **error)
{
  g_autoptr (JsonNode) node = NULL;

  *text = NULL;
  if (slice->start == NULL)
    return TRUE;
  if (*slice->start != '"')
    return jwt_token_fail (error, "alg, typ or kid is no string");
  /* what has no escapes is what it says */
  if (memchr (slice->start, '\\', slice->length) == NULL)
    *text = g_strndup (slice->start + 1, slice->length - 2);
  else
    {
      node = reeve_json_parse_strict (slice->start, slice->length, NULL);
      *text = node != NULL ? json_node_dup_string (node) : NULL;
    }
  if (*text == NULL || strlen (*text) > JWT_TOKEN_MAX_NAME)
    return jwt_token_fail (error, "alg, typ or kid is too long");
  return TRUE;
}

/* The header is scanned as strictly as any JSON, but no tree is made of it. */
static gboolean
jwt_token_read_header (JwtToken *self, const char *text, gsize length, GError **error)
{
  ReeveJsonSlice slices[JWT_TOKEN_NAMES];
  gsize decoded = 0;
  g_autofree guint8 *bytes = reeve_base64url_decode (text, length, &decoded);
  g_autofree char *algorithm = NULL;

  if (bytes == NULL)
    return jwt_token_fail (error, "a part of it is not base64url");
  if (!reeve_json_find_members ((const char *) bytes, decoded, jwt_token_names, slices, NULL))
    return jwt_token_fail (error, "a part of it is no JSON object, or names a member twice");
  for (guint i = 0; i < JWT_TOKEN_NAMES; i++)
    if (jwt_token_refused[i] != NULL && slices[i].start != NULL)
      {
        g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED, "%s in its header: %s",
                     jwt_token_names[i], jwt_token_refused[i]);
        return FALSE;
      }
  if (!jwt_token_read_text (&slices[0], &algorithm, error)
      || !jwt_token_read_text (&slices[1], &self->type, error)
      || !jwt_token_read_text (&slices[2], &self->kid, error))
    return FALSE;
  self->algorithm = jwt_algorithm_find (algorithm);
  if (self->algorithm == NULL)
    return jwt_token_fail (error, "its algorithm is none that is known here");
  for (char *c = self->type; c != NULL && *c != '\0'; c++)
    *c = g_ascii_tolower (*c);
  if (self->type != NULL && g_str_has_prefix (self->type, "application/"))
    memmove (self->type, self->type + 12, strlen (self->type) - 12 + 1);
  return TRUE;
}

/**
 * jwt_token_new:
 * @text: what was shown; outlives the token
 * @claims: names of those that will be asked for; outlive the token
 * @error: return location
 *
 * Returns: (transfer full): its parts; %NULL with %REEVE_ERROR_UNAUTHENTICATED
 */
JwtToken *
jwt_token_new (const char *text, const char *const *claims, GError **error)
{
  gsize length = strlen (text);
  const char *first = strchr (text, '.');
  const char *second = first != NULL ? strchr (first + 1, '.') : NULL;
  g_autoptr (JwtToken) self = g_new0 (JwtToken, 1);
  gboolean good = FALSE;

  if (length > JWT_TOKEN_MAX)
    jwt_token_fail (error, "it is too long");
  else if (second == NULL)
    jwt_token_fail (error, "it does not have three parts");
  else if (strchr (second + 1, '.') != NULL)
    jwt_token_fail (error, "it has more than three parts: encrypted tokens are not taken");
  else if (first - text > JWT_TOKEN_MAX_HEADER)
    jwt_token_fail (error, "its header is too long");
  else
    good = jwt_token_read_header (self, text, (gsize) (first - text), error);
  if (!good)
    return NULL;
  self->text = text;
  self->signed_length = (gsize) (second - text);
  self->signature
      = reeve_base64url_decode (second + 1, strlen (second + 1), &self->signature_length);
  if (self->signature == NULL || self->signature_length == 0)
    {
      jwt_token_fail (error, "its signature is missing or is not base64url");
      return NULL;
    }
  self->claims = jwt_token_read_claims (first + 1, (gsize) (second - first - 1), claims, error);
  return self->claims != NULL ? g_steal_pointer (&self) : NULL;
}

/**
 * jwt_token_free:
 * @self: (transfer full): a token
 */
void
jwt_token_free (JwtToken *self)
{
  g_clear_pointer (&self->claims, jwt_claim_set_free);
  g_free (self->kid);
  g_free (self->type);
  g_free (self->signature);
  g_free (self);
}
