/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads a JWS (RFC 7515 section 7.1) that carries claims (RFC 7519). What a header may hold that
 * would change how the rest is understood is refused before anything else is looked at. */
#include "jwt-token.h"

#include <string.h>

#define JWT_TOKEN_MAX_HEADER 4096
#define JWT_TOKEN_MAX_NAME   256

/* clang-format off */
/* Members of a header that a token has no business with here, and why. */
static const struct
{
  const char *name;
  const char *reason;
} jwt_token_refused[] = {
  { "crit", "it says that an extension must be understood, and none is" },
  { "b64",  "its payload is not encoded" },
  { "jwk",  "it brings its own key" },
  { "jku",  "it says where to fetch its key" },
  { "x5c",  "it brings its own certificate" },
  { "x5u",  "it says where to fetch its certificate" },
  { "enc",  "it is encrypted" },
  { "zip",  "it is compressed" },
  { "cty",  "another token is nested in it" },
};
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

/* (transfer full) (nullable): the JSON object in a part of the token */
static JsonNode *
jwt_token_read_object (const char *text, gsize length, GError **error)
{
  gsize decoded = 0;
  g_autofree guint8 *bytes = reeve_base64url_decode (text, length, &decoded);
  JsonNode *node = NULL;

  if (bytes == NULL)
    {
      jwt_token_fail (error, "a part of it is not base64url");
      return NULL;
    }
  /* the scanner's own words may hold some of the text */
  node = reeve_json_parse_strict ((const char *) bytes, decoded, NULL);
  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    return node;
  g_clear_pointer (&node, json_node_unref);
  jwt_token_fail (error, "a part of it is no JSON object, or names a member twice");
  return NULL;
}

/* (nullable): a text of the header; %FALSE when there is something else of that name */
static gboolean
jwt_token_read_text (JsonObject *header, const char *name, const char **text, GError **error)
{
  *text = reeve_json_get_string (header, name, NULL);
  if (json_object_has_member (header, name) && *text == NULL)
    return jwt_token_fail (error, "alg, typ or kid is no string");
  if (*text != NULL && strlen (*text) > JWT_TOKEN_MAX_NAME)
    return jwt_token_fail (error, "alg, typ or kid is too long");
  return TRUE;
}

static gboolean
jwt_token_read_header (JwtToken *self, JsonObject *header, GError **error)
{
  const char *algorithm = NULL;
  const char *type = NULL;
  const char *kid = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (jwt_token_refused); i++)
    if (json_object_has_member (header, jwt_token_refused[i].name))
      {
        g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED, "%s in its header: %s",
                     jwt_token_refused[i].name, jwt_token_refused[i].reason);
        return FALSE;
      }
  if (!jwt_token_read_text (header, "alg", &algorithm, error)
      || !jwt_token_read_text (header, "typ", &type, error)
      || !jwt_token_read_text (header, "kid", &kid, error))
    return FALSE;
  self->algorithm = jwt_algorithm_find (algorithm);
  if (self->algorithm == NULL)
    return jwt_token_fail (error, "its algorithm is none that is known here");
  self->kid = g_strdup (kid);
  if (type != NULL)
    {
      self->type = g_ascii_strdown (type, -1);
      if (g_str_has_prefix (self->type, "application/"))
        memmove (self->type, self->type + 12, strlen (self->type) - 12 + 1);
    }
  return TRUE;
}

/**
 * jwt_token_new:
 * @text: what was shown; outlives the token
 * @error: return location
 *
 * Returns: (transfer full): its parts; %NULL with %REEVE_ERROR_UNAUTHENTICATED
 */
JwtToken *
jwt_token_new (const char *text, GError **error)
{
  gsize length = strlen (text);
  const char *first = strchr (text, '.');
  const char *second = first != NULL ? strchr (first + 1, '.') : NULL;
  g_autoptr (JwtToken) self = g_new0 (JwtToken, 1);
  g_autoptr (JsonNode) header = NULL;

  if (length > JWT_TOKEN_MAX)
    jwt_token_fail (error, "it is too long");
  else if (second == NULL)
    jwt_token_fail (error, "it does not have three parts");
  else if (strchr (second + 1, '.') != NULL)
    jwt_token_fail (error, "it has more than three parts: encrypted tokens are not taken");
  else if (first - text > JWT_TOKEN_MAX_HEADER)
    jwt_token_fail (error, "its header is too long");
  else
    header = jwt_token_read_object (text, (gsize) (first - text), error);
  if (header == NULL || !jwt_token_read_header (self, json_node_get_object (header), error))
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
  self->claims = jwt_token_read_object (first + 1, (gsize) (second - first - 1), error);
  return self->claims != NULL ? g_steal_pointer (&self) : NULL;
}

/**
 * jwt_token_free:
 * @self: (transfer full): a token
 */
void
jwt_token_free (JwtToken *self)
{
  g_clear_pointer (&self->claims, json_node_unref);
  g_free (self->kid);
  g_free (self->type);
  g_free (self->signature);
  g_free (self);
}
