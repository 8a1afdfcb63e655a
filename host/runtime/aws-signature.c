/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* After "Create a signed AWS API request", AWS Identity and Access Management User Guide: a
 * canonical form of the request, a digest of it, and a key for one day, region and service. Paths
 * are normalised and encoded once more than they are sent, but for S3, which takes keys as they
 * are. */
#include "aws-signature.h"

#include <string.h>

#define REEVE_AWS_SIGNATURE_ALGORITHM "AWS4-HMAC-SHA256"
#define REEVE_AWS_SIGNATURE_DIGEST    32

typedef struct
{
  char *name; /* in lower case; of a question: encoded */
  char *value;
} ReeveAwsSignaturePair;

static void
reeve_aws_signature_pair_free (gpointer data)
{
  ReeveAwsSignaturePair *pair = data;

  g_free (pair->name);
  g_free (pair->value);
  g_free (pair);
}

static int
reeve_aws_signature_compare (gconstpointer a, gconstpointer b)
{
  const ReeveAwsSignaturePair *first = *(ReeveAwsSignaturePair *const *) a;
  const ReeveAwsSignaturePair *second = *(ReeveAwsSignaturePair *const *) b;
  int names = strcmp (first->name, second->name);

  return names != 0 ? names : strcmp (first->value, second->value);
}

static void
reeve_aws_signature_add_pair (GPtrArray *pairs, char *name, char *value)
{
  ReeveAwsSignaturePair *pair = g_new (ReeveAwsSignaturePair, 1);

  *pair = (ReeveAwsSignaturePair){ name, value };
  g_ptr_array_add (pairs, pair);
}

/* ---- the canonical form ---- */

/* All but RFC 3986's unreserved letters. */
static char *
reeve_aws_signature_encode (const char *text)
{
  GString *out = g_string_new (NULL);

  for (const char *p = text; *p != '\0'; p++)
    if (g_ascii_isalnum (*p) || strchr ("-_.~", *p) != NULL)
      g_string_append_c (out, *p);
    else
      g_string_append_printf (out, "%%%02X", (guint) (guchar) *p);
  return g_string_free (out, FALSE);
}

/* One encoding, whatever there was. */
static char *
reeve_aws_signature_encode_once (const char *text)
{
  g_autofree char *plain = g_uri_unescape_string (text, NULL);

  return reeve_aws_signature_encode (plain != NULL ? plain : text);
}

/* S3: each part encoded once. */
static void
reeve_aws_signature_append_key (GString *out, const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);

  for (guint i = 0; parts[i] != NULL; i++)
    {
      g_autofree char *part = reeve_aws_signature_encode_once (parts[i]);

      g_string_append_printf (out, "%s%s", i > 0 ? "/" : "", part);
    }
}

/* Without empty parts and dots, each part encoded as it is sent. */
static void
reeve_aws_signature_append_path (GString *out, const char *path)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  g_autoptr (GPtrArray) kept = g_ptr_array_new ();
  gboolean open = FALSE;

  for (guint i = 0; parts[i] != NULL; i++)
    {
      open = *parts[i] == '\0' || strcmp (parts[i], ".") == 0 || strcmp (parts[i], "..") == 0;
      if (!open)
        g_ptr_array_add (kept, parts[i]);
      else if (strcmp (parts[i], "..") == 0 && kept->len > 0)
        g_ptr_array_remove_index (kept, kept->len - 1);
    }
  for (guint i = 0; i < kept->len; i++)
    {
      g_autofree char *part = reeve_aws_signature_encode (g_ptr_array_index (kept, i));

      g_string_append_printf (out, "/%s", part);
    }
  if (open || kept->len == 0)
    g_string_append_c (out, '/');
}

static void
reeve_aws_signature_append_query (GString *out, const char *query)
{
  g_auto (GStrv) words = g_strsplit (query != NULL ? query : "", "&", -1);
  g_autoptr (GPtrArray) pairs = g_ptr_array_new_with_free_func (reeve_aws_signature_pair_free);

  for (guint i = 0; words[i] != NULL; i++)
    {
      char *equals = strchr (words[i], '=');

      if (*words[i] == '\0')
        continue;
      if (equals != NULL)
        *equals = '\0';
      reeve_aws_signature_add_pair (
          pairs, reeve_aws_signature_encode_once (words[i]),
          reeve_aws_signature_encode_once (equals != NULL ? equals + 1 : ""));
    }
  g_ptr_array_sort (pairs, reeve_aws_signature_compare);
  for (guint i = 0; i < pairs->len; i++)
    {
      const ReeveAwsSignaturePair *pair = g_ptr_array_index (pairs, i);

      g_string_append_printf (out, "%s%s=%s", i > 0 ? "&" : "", pair->name, pair->value);
    }
}

/* (transfer full): as a header's value is compared: no blanks around, one between */
static char *
reeve_aws_signature_fold (const char *value)
{
  GString *out = g_string_new (NULL);

  for (const char *p = value; *p != '\0'; p++)
    if ((*p != ' ' && *p != '\t') || (out->len > 0 && out->str[out->len - 1] != ' '))
      g_string_append_c (out, *p == '\t' ? ' ' : *p);
  if (out->len > 0 && out->str[out->len - 1] == ' ')
    g_string_truncate (out, out->len - 1);
  return g_string_free (out, FALSE);
}

/* What others on the way may change, and what is made here. */
static gboolean
reeve_aws_signature_is_signed (const char *name)
{
  static const char *const others[]
      = { "authorization", "user-agent", "x-amzn-trace-id",      "traceparent",
          "tracestate",    "x-amz-date", "x-amz-content-sha256", "x-amz-security-token",
          "host",          NULL };

  return !g_strv_contains (others, name);
}

/* A name that is there more than once is one, whose values stand in their order. */
static void
reeve_aws_signature_add_header (GPtrArray *pairs, const char *name, const char *value)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);
  g_autofree char *folded = reeve_aws_signature_fold (value);

  for (guint i = 0; i < pairs->len; i++)
    {
      ReeveAwsSignaturePair *pair = g_ptr_array_index (pairs, i);

      if (strcmp (pair->name, lower) == 0)
        {
          char *joined = g_strconcat (pair->value, ",", folded, NULL);

          g_free (pair->value);
          pair->value = joined;
          return;
        }
    }
  reeve_aws_signature_add_pair (pairs, g_steal_pointer (&lower), g_steal_pointer (&folded));
}

/* (transfer full): the headers in the order in which they are signed */
static GPtrArray *
reeve_aws_signature_gather (ReeveHttpRequest *request, const char *const *made, const char *host)
{
  const char *const *headers = reeve_http_request_get_headers (request);
  GPtrArray *pairs = g_ptr_array_new_with_free_func (reeve_aws_signature_pair_free);

  reeve_aws_signature_add_header (pairs, "host", host);
  for (guint i = 0; made[i] != NULL; i += 2)
    reeve_aws_signature_add_header (pairs, made[i], made[i + 1]);
  for (guint i = 0; headers[i] != NULL; i += 2)
    {
      g_autofree char *lower = g_ascii_strdown (headers[i], -1);

      if (reeve_aws_signature_is_signed (lower))
        reeve_aws_signature_add_header (pairs, lower, headers[i + 1]);
    }
  g_ptr_array_sort (pairs, reeve_aws_signature_compare);
  return pairs;
}

/* ---- the signature ---- */

static void
reeve_aws_signature_hmac (guint8 *key, gsize length, const char *text,
                          guint8 out[REEVE_AWS_SIGNATURE_DIGEST])
{
  g_autoptr (GHmac) hmac = g_hmac_new (G_CHECKSUM_SHA256, key, length);
  gsize size = REEVE_AWS_SIGNATURE_DIGEST;

  g_hmac_update (hmac, (const guchar *) text, (gssize) strlen (text));
  g_hmac_get_digest (hmac, out, &size);
}

/* (transfer full): hexadecimal */
static char *
reeve_aws_signature_sign (const ReeveAwsSignatureKey *key, const char *day, const char *text)
{
  const char *const steps[] = { day, key->region, key->service, "aws4_request", text };
  g_autofree char *secret = g_strconcat ("AWS4", key->secret_access_key, NULL);
  guint8 digest[REEVE_AWS_SIGNATURE_DIGEST] = { 0 };
  GString *out = g_string_new (NULL);

  reeve_aws_signature_hmac ((guint8 *) secret, strlen (secret), steps[0], digest);
  for (guint i = 1; i < G_N_ELEMENTS (steps); i++)
    reeve_aws_signature_hmac (digest, sizeof digest, steps[i], digest);
  explicit_bzero (secret, strlen (secret));
  for (guint i = 0; i < sizeof digest; i++)
    g_string_append_printf (out, "%02x", (guint) digest[i]);
  explicit_bzero (digest, sizeof digest);
  return g_string_free (out, FALSE);
}

/* (transfer full): the request as one text; @names: (out) of the headers in it */
static char *
reeve_aws_signature_spell (ReeveHttpRequest *request, GUri *uri, gboolean s3, GPtrArray *pairs,
                           const char *content, char **names)
{
  GString *out = g_string_new (NULL);
  g_autoptr (GString) signed_names = g_string_new (NULL);

  g_string_append_printf (out, "%s\n", reeve_http_request_get_method (request));
  if (s3 && *g_uri_get_path (uri) != '\0')
    reeve_aws_signature_append_key (out, g_uri_get_path (uri));
  else
    reeve_aws_signature_append_path (out, g_uri_get_path (uri));
  g_string_append_c (out, '\n');
  reeve_aws_signature_append_query (out, g_uri_get_query (uri));
  g_string_append_c (out, '\n');
  for (guint i = 0; i < pairs->len; i++)
    {
      const ReeveAwsSignaturePair *pair = g_ptr_array_index (pairs, i);

      g_string_append_printf (out, "%s:%s\n", pair->name, pair->value);
      g_string_append_printf (signed_names, "%s%s", i > 0 ? ";" : "", pair->name);
    }
  g_string_append_printf (out, "\n%s\n%s", signed_names->str, content);
  *names = g_string_free (g_steal_pointer (&signed_names), FALSE);
  return g_string_free (out, FALSE);
}

/* (transfer full): the value of Authorization */
static char *
reeve_aws_signature_make (const ReeveAwsSignatureKey *key, ReeveHttpRequest *request, GUri *uri,
                          const char *const *made, const char *stamp, const char *content)
{
  gint port = g_uri_get_port (uri);
  gboolean usual = port < 0 || port == (strcmp (g_uri_get_scheme (uri), "https") == 0 ? 443 : 80);
  gboolean bracket = strchr (g_uri_get_host (uri), ':') != NULL;
  g_autofree char *name = g_strdup_printf (bracket ? "[%s]" : "%s", g_uri_get_host (uri));
  g_autofree char *host = usual ? g_strdup (name) : g_strdup_printf ("%s:%d", name, port);
  g_autoptr (GPtrArray) pairs = reeve_aws_signature_gather (request, made, host);
  g_autofree char *names = NULL;
  g_autofree char *canonical = reeve_aws_signature_spell (
      request, uri, strcmp (key->service, "s3") == 0, pairs, content, &names);
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, canonical, -1);
  g_autofree char *day = g_strndup (stamp, 8);
  g_autofree char *scope
      = g_strdup_printf ("%s/%s/%s/aws4_request", day, key->region, key->service);
  g_autofree char *text
      = g_strdup_printf (REEVE_AWS_SIGNATURE_ALGORITHM "\n%s\n%s\n%s", stamp, scope, digest);
  g_autofree char *signature = reeve_aws_signature_sign (key, day, text);

  return g_strdup_printf ("Credential=%s/%s, SignedHeaders=%s, Signature=%s", key->access_key_id,
                          scope, names, signature);
}

/**
 * reeve_aws_signature_add:
 * @key: who signs, and for what
 * @request: what is signed, with its body
 * @now: seconds since the epoch
 * @headers: takes `x-amz-date`, `Authorization` and, where they are needed, `x-amz-content-sha256`
 * and `x-amz-security-token`
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT or %REEVE_ERROR_CONFIGURATION
 */
gboolean
reeve_aws_signature_add (const ReeveAwsSignatureKey *key, ReeveHttpRequest *request, gint64 now,
                         ReeveCredentialHeaders *headers, GError **error)
{
  g_autoptr (GUri) uri
      = g_uri_parse (reeve_http_request_get_url (request), G_URI_FLAGS_ENCODED, NULL);
  g_autoptr (GDateTime) date = g_date_time_new_from_unix_utc (now);
  g_autofree char *stamp = date != NULL ? g_date_time_format (date, "%Y%m%dT%H%M%SZ") : NULL;
  GBytes *body = reeve_http_request_get_body (request);
  g_autoptr (GBytes) empty = g_bytes_new_static ("", 0);
  g_autofree char *content
      = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, body != NULL ? body : empty);
  const char *made[7] = { "x-amz-date", stamp };
  guint n = 2;
  g_autofree char *value = NULL;

  if (uri == NULL || g_uri_get_host (uri) == NULL || stamp == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "cannot sign a request for that address");
      return FALSE;
    }
  if (strcmp (key->service, "s3") == 0)
    {
      made[n++] = "x-amz-content-sha256";
      made[n++] = content;
    }
  if (key->session_token != NULL)
    {
      made[n++] = "x-amz-security-token";
      made[n++] = key->session_token;
    }
  value = reeve_aws_signature_make (key, request, uri, made, stamp, content);
  for (guint i = 0; made[i] != NULL; i += 2)
    if (!reeve_credential_headers_set (headers, made[i], "", made[i + 1], error))
      return FALSE;
  reeve_credential_headers_hide (headers, key->secret_access_key);
  if (key->session_token != NULL)
    reeve_credential_headers_hide (headers, key->session_token);
  return reeve_credential_headers_set (headers, "Authorization", REEVE_AWS_SIGNATURE_ALGORITHM " ",
                                       value, error);
}
