/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What comes from outside to whoever attaches secrets: a token endpoint's answer, an address that a
 * plugin wants signed, and an answer that may say what was sent. The first byte is the status: 0
 * for 200. No token has letters that a header does not, no error has anything of an answer but one
 * word, and what is concealed is not there any more.
 * covers: host/runtime/oauth-tokens.c host/runtime/aws-signature.c
 * host/runtime/credential-headers.c
 */
#include <string.h>

#include "runtime/aws-signature.h"
#include "runtime/oauth-tokens.h"

#define SECRET "s3cret-canary"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
try_token (guint status, const char *text, gsize length)
{
  g_autoptr (GError) error = NULL;
  gint64 seconds = 0;
  g_autofree char *token = reeve_oauth_tokens_read (status, text, length, &seconds, &error);

  if ((token == NULL) != (error != NULL) || (token != NULL && status != 200))
    g_error ("a token by status %u", status);
  if (token != NULL
      && (seconds < 1 || *token == '\0' || strpbrk (token, "\r\n \"\\") != NULL
          || !g_str_is_ascii (token)))
    g_error ("that is no token: %s", token);
  if (error != NULL && (strlen (error->message) > 128 || !g_str_is_ascii (error->message)))
    g_error ("an error tells an answer: %s", error->message);
}

static void
try_signature (const char *text)
{
  const ReeveAwsSignatureKey keys[] = { { "AKIDEXAMPLE", SECRET, NULL, "r", "s3" },
                                        { "AKIDEXAMPLE", SECRET, "token", "r", "other" } };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      g_autofree char *url = g_strconcat ("https://h.example/", text, NULL);
      g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("GET", url);
      g_autoptr (ReeveCredentialHeaders) headers = reeve_credential_headers_new ();
      g_autoptr (ReeveHttpRequest) full = NULL;
      const char *const *made = NULL;

      reeve_http_request_add_header (request, "X-Amz-Meta", text);
      if (!reeve_aws_signature_add (&keys[i], request, 1440938160, headers, NULL))
        continue;
      full = reeve_credential_headers_attach (headers, request);
      made = reeve_http_request_get_headers (full);
      /* the first is the plugin's own */
      for (guint k = 2; made[k] != NULL; k++)
        if (strstr (made[k], SECRET) != NULL || strpbrk (made[k], "\r\n") != NULL)
          g_error ("a header tells more than it should: %s", made[k]);
    }
}

static void
try_answer (const char *text, gsize length)
{
  g_autoptr (ReeveCredentialHeaders) headers = reeve_credential_headers_new ();
  g_autoptr (ReeveHttpResponse) response = reeve_http_response_new (200);
  g_autoptr (GBytes) body = g_bytes_new (text, length);
  GBytes *clean = NULL;

  reeve_credential_headers_hide (headers, SECRET);
  reeve_http_response_add_header (response, "X-Echo", text);
  reeve_http_response_set_body (response, body);
  response = reeve_credential_headers_conceal (headers, g_steal_pointer (&response));
  clean = reeve_http_response_get_body (response);
  if (g_bytes_get_size (clean) != length
      || (length > 0
          && memmem (g_bytes_get_data (clean, NULL), length, SECRET, strlen (SECRET)) != NULL)
      || strstr (reeve_http_response_get_header (response, "X-Echo"), SECRET) != NULL)
    g_error ("what was attached came back");
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  guint status = size > 0 && data[0] != 0 && data[0] != '\n' ? 200u + data[0] : 200u;
  gsize length = size > 0 ? size - 1 : 0;
  g_autofree char *text = g_strndup (size > 0 ? (const char *) data + 1 : "", length);

  try_token (status, text, length);
  try_signature (text);
  try_answer (text, strlen (text));
  return 0;
}
