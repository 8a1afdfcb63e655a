/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The schemes, one row each. */
#include "credential-scheme.h"

#include <string.h>

#include "base/http-fields.h"

#include "aws-signature.h"

typedef gboolean (*ReeveCredentialSchemeFunc) (JsonObject *secret, ReeveHttpRequest *request,
                                               ReeveCredentialHeaders *headers, GError **error);

/* RFC 6750 */
static gboolean
reeve_credential_scheme_bearer (JsonObject *secret, ReeveHttpRequest *request,
                                ReeveCredentialHeaders *headers, GError **error)
{
  return reeve_credential_headers_add (headers, "Authorization", "Bearer ",
                                       reeve_json_get_string (secret, "value", ""), error);
}

static gboolean
reeve_credential_scheme_header (JsonObject *secret, ReeveHttpRequest *request,
                                ReeveCredentialHeaders *headers, GError **error)
{
  return reeve_credential_headers_add (headers, reeve_json_get_string (secret, "header", ""),
                                       reeve_json_get_string (secret, "prefix", ""),
                                       reeve_json_get_string (secret, "value", ""), error);
}

/* RFC 7617 */
static gboolean
reeve_credential_scheme_basic (JsonObject *secret, ReeveHttpRequest *request,
                               ReeveCredentialHeaders *headers, GError **error)
{
  const char *user = reeve_json_get_string (secret, "username", "");
  const char *password = reeve_json_get_string (secret, "value", "");
  g_autofree char *pair = g_strconcat (user, ":", password, NULL);
  g_autofree char *encoded = g_base64_encode ((const guchar *) pair, strlen (pair));
  gboolean good = FALSE;

  if (strchr (user, ':') != NULL || !reeve_http_fields_is_value (pair))
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                         "has control characters, or a colon in the name");
  else
    good = reeve_credential_headers_add (headers, "Authorization", "Basic ", encoded, error);
  reeve_credential_headers_hide (headers, password);
  explicit_bzero (pair, strlen (pair));
  return good;
}

static gboolean
reeve_credential_scheme_headers (JsonObject *secret, ReeveHttpRequest *request,
                                 ReeveCredentialHeaders *headers, GError **error)
{
  JsonObject *given = reeve_json_get_object (secret, "headers");
  g_autoptr (GList) names = given != NULL ? json_object_get_members (given) : NULL;

  for (GList *l = names; l != NULL; l = l->next)
    if (!reeve_credential_headers_add (headers, l->data, "",
                                       reeve_json_get_string (given, l->data, ""), error))
      {
        g_prefix_error (error, "header %s ", (const char *) l->data);
        return FALSE;
      }
  return TRUE;
}

static const char *
reeve_credential_scheme_find_header (ReeveHttpRequest *request, const char *name)
{
  const char *const *headers = reeve_http_request_get_headers (request);

  for (guint i = 0; headers[i] != NULL; i += 2)
    if (g_ascii_strcasecmp (headers[i], name) == 0)
      return headers[i + 1];
  return NULL;
}

/* Standard Webhooks 1.0.0: HMAC-SHA-256 over "<id>.<time>.<body>", in base64; a secret that begins
 * with whsec_ is base64 itself. */
static gboolean
reeve_credential_scheme_webhook (JsonObject *secret, ReeveHttpRequest *request,
                                 ReeveCredentialHeaders *headers, GError **error)
{
  const char *text = reeve_json_get_string (secret, "value", "");
  const char *id = reeve_credential_scheme_find_header (request, "webhook-id");
  const char *time = reeve_credential_scheme_find_header (request, "webhook-timestamp");
  GBytes *body = reeve_http_request_get_body (request);
  gsize length = strlen (text);
  gsize size = 32;
  guint8 digest[32];
  g_autofree guint8 *key = NULL;
  g_autofree char *head = NULL;
  g_autofree char *encoded = NULL;
  g_autoptr (GHmac) hmac = NULL;

  if (id == NULL || time == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "signs requests with the headers webhook-id and webhook-timestamp");
      return FALSE;
    }
  key = g_str_has_prefix (text, "whsec_") ? g_base64_decode (text + 6, &length)
                                          : (guint8 *) g_memdup2 (text, length + 1);
  head = g_strdup_printf ("%s.%s.", id, time);
  hmac = g_hmac_new (G_CHECKSUM_SHA256, key, length);
  g_hmac_update (hmac, (const guchar *) head, (gssize) strlen (head));
  if (body != NULL && g_bytes_get_size (body) > 0)
    g_hmac_update (hmac, g_bytes_get_data (body, NULL), (gssize) g_bytes_get_size (body));
  g_hmac_get_digest (hmac, digest, &size);
  explicit_bzero (key, length);
  encoded = g_base64_encode (digest, size);
  reeve_credential_headers_hide (headers, text);
  return reeve_credential_headers_set (headers, "webhook-signature", "v1,", encoded, error);
}

static gboolean
reeve_credential_scheme_aws (JsonObject *secret, ReeveHttpRequest *request,
                             ReeveCredentialHeaders *headers, GError **error)
{
  const ReeveAwsSignatureKey key = {
    .access_key_id = reeve_json_get_string (secret, "access_key_id", ""),
    .secret_access_key = reeve_json_get_string (secret, "value", ""),
    .session_token = reeve_json_get_string (secret, "session_token", NULL),
    .region = reeve_json_get_string (secret, "region", ""),
    .service = reeve_json_get_string (secret, "service", ""),
  };

  return reeve_aws_signature_add (&key, request, g_get_real_time () / G_USEC_PER_SEC, headers,
                                  error);
}

static const struct
{
  const char *name;
  ReeveCredentialSchemeFunc func;
} reeve_credential_schemes[] = {
  { "bearer", reeve_credential_scheme_bearer },   { "header", reeve_credential_scheme_header },
  { "basic", reeve_credential_scheme_basic },     { "headers", reeve_credential_scheme_headers },
  { "webhook", reeve_credential_scheme_webhook }, { "aws-sigv4", reeve_credential_scheme_aws },
};

/**
 * reeve_credential_scheme_apply:
 * @secret: what is in a slot, and how it is used
 * @request: as the plugin wants it
 * @headers: takes what it makes
 * @error: return location
 *
 * Returns: %FALSE with an error whose message goes behind the slot's name
 */
gboolean
reeve_credential_scheme_apply (JsonObject *secret, ReeveHttpRequest *request,
                               ReeveCredentialHeaders *headers, GError **error)
{
  const char *scheme = reeve_json_get_string (secret, "scheme", "");

  for (guint i = 0; i < G_N_ELEMENTS (reeve_credential_schemes); i++)
    if (strcmp (scheme, reeve_credential_schemes[i].name) == 0)
      return reeve_credential_schemes[i].func (secret, request, headers, error);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "has an unknown scheme \"%s\"",
               scheme);
  return FALSE;
}
