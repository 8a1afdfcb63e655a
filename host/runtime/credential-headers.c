/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What secrets put into a request, and keep out of its answer. A value is a field's value as RFC
 * 9110 has it, or nothing is sent: whoever keeps a line break in a secret must not write another
 * header with it. */
#include "credential-headers.h"

#include <string.h>

#include "base/http-fields.h"

/* what is shorter is found everywhere, and nobody would guess for long */
#define REEVE_CREDENTIAL_HEADERS_TEXT 6

struct _ReeveCredentialHeaders
{
  GPtrArray *headers; /* name, value, … in the place of those that the plugin gave */
  GPtrArray *texts;   /* what must not come back to the plugin */
};

static void
reeve_credential_headers_wipe (gpointer data)
{
  char *text = data;

  if (text != NULL)
    explicit_bzero (text, strlen (text));
  g_free (text);
}

ReeveCredentialHeaders *
reeve_credential_headers_new (void)
{
  ReeveCredentialHeaders *self = g_new0 (ReeveCredentialHeaders, 1);

  self->headers = g_ptr_array_new_with_free_func (reeve_credential_headers_wipe);
  self->texts = g_ptr_array_new_with_free_func (reeve_credential_headers_wipe);
  return self;
}

void
reeve_credential_headers_free (ReeveCredentialHeaders *self)
{
  g_ptr_array_unref (self->headers);
  g_ptr_array_unref (self->texts);
  g_free (self);
}

/* @text: what must not come back. Blanks around a field's value do not reach the server: it would
 * come back without them. */
void
reeve_credential_headers_hide (ReeveCredentialHeaders *self, const char *text)
{
  char *copy = g_strstrip (g_strdup (text));

  if (strlen (copy) >= REEVE_CREDENTIAL_HEADERS_TEXT)
    g_ptr_array_add (self->texts, copy);
  else
    reeve_credential_headers_wipe (copy);
}

/**
 * reeve_credential_headers_set:
 * @self: what goes into a request
 * @name: of a header
 * @prefix: what stands before the value
 * @value: no secret by itself
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFIGURATION, which does not say the value
 */
gboolean
reeve_credential_headers_set (ReeveCredentialHeaders *self, const char *name, const char *prefix,
                              const char *value, GError **error)
{
  if (*value == '\0' || !reeve_http_fields_is_value (value) || !reeve_http_fields_is_value (prefix))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                           "is empty, or has control characters");
      return FALSE;
    }
  g_ptr_array_add (self->headers, g_strdup (name));
  g_ptr_array_add (self->headers, g_strconcat (prefix, value, NULL));
  return TRUE;
}

/**
 * reeve_credential_headers_add:
 * @self: what goes into a request
 * @name: of a header
 * @prefix: what stands before the secret
 * @value: the secret, which is hidden from now on
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFIGURATION, which does not say the value
 */
gboolean
reeve_credential_headers_add (ReeveCredentialHeaders *self, const char *name, const char *prefix,
                              const char *value, GError **error)
{
  if (!reeve_credential_headers_set (self, name, prefix, value, error))
    return FALSE;
  reeve_credential_headers_hide (self, value);
  return TRUE;
}

/* ---- request and response ---- */

/* Is the plugin's own header of that name left out? One is in the place of it; or the answer could
 * come in a coding in which nobody knows a secret again. */
static gboolean
reeve_credential_headers_replace (ReeveCredentialHeaders *self, const char *name)
{
  if (self->texts->len > 0 && g_ascii_strcasecmp (name, "Accept-Encoding") == 0)
    return TRUE;
  for (guint i = 0; i < self->headers->len; i += 2)
    if (g_ascii_strcasecmp (g_ptr_array_index (self->headers, i), name) == 0)
      return TRUE;
  return FALSE;
}

/**
 * reeve_credential_headers_attach:
 * @self: what was made
 * @request: the plugin's, which stays as it is: the plugin may look at it
 *
 * Returns: (transfer full): what is sent
 */
ReeveHttpRequest *
reeve_credential_headers_attach (ReeveCredentialHeaders *self, ReeveHttpRequest *request)
{
  ReeveHttpRequest *copy = reeve_http_request_new (reeve_http_request_get_method (request),
                                                   reeve_http_request_get_url (request));
  const char *const *headers = reeve_http_request_get_headers (request);

  for (guint i = 0; headers[i] != NULL; i += 2)
    if (!reeve_credential_headers_replace (self, headers[i]))
      reeve_http_request_add_header (copy, headers[i], headers[i + 1]);
  for (guint i = 0; i < self->headers->len; i += 2)
    reeve_http_request_add_header (copy, g_ptr_array_index (self->headers, i),
                                   g_ptr_array_index (self->headers, i + 1));
  reeve_http_request_set_body (copy, NULL, reeve_http_request_get_body (request));
  reeve_http_request_set_idempotent (copy, reeve_http_request_get_idempotent (request));
  reeve_http_request_set_max_response (copy, reeve_http_request_get_max_response (request));
  reeve_http_request_set_timeout_ms (copy, reeve_http_request_get_timeout_ms (request));
  return copy;
}

/* Stars of the same length: what is counted or parsed stays so. Found in @data and written into
 * @copy of it: one secret may be a part of another, or begin in it. TRUE: there was one */
static gboolean
reeve_credential_headers_mask (ReeveCredentialHeaders *self, const char *data, char *copy,
                               gsize length)
{
  gboolean found = FALSE;

  for (guint i = 0; i < self->texts->len; i++)
    {
      const char *text = g_ptr_array_index (self->texts, i);
      gsize size = strlen (text);
      const char *at = data;

      while ((at = memmem (at, length - (gsize) (at - data), text, size)) != NULL)
        {
          memset (copy + (at - data), '*', size);
          at += size;
          found = TRUE;
        }
    }
  return found;
}

/* (transfer full) */
static char *
reeve_credential_headers_dup_masked (ReeveCredentialHeaders *self, const char *text)
{
  char *copy = g_strdup (text);

  reeve_credential_headers_mask (self, text, copy, strlen (text));
  return copy;
}

/**
 * reeve_credential_headers_conceal:
 * @self: what was attached
 * @response: (transfer full): the answer
 *
 * A server that says what it was sent would tell the plugin; where it says it as it is, the host
 * knows it again. In another coding it does not.
 *
 * Returns: (transfer full): the answer without it
 */
ReeveHttpResponse *
reeve_credential_headers_conceal (ReeveCredentialHeaders *self, ReeveHttpResponse *response)
{
  const char *const *headers = reeve_http_response_get_headers (response);
  ReeveHttpResponse *clean = NULL;
  GBytes *body = reeve_http_response_get_body (response);
  gsize length = body != NULL ? g_bytes_get_size (body) : 0;
  g_autofree char *copy = length > 0 && self->texts->len > 0
                              ? g_memdup2 (g_bytes_get_data (body, NULL), length)
                              : NULL;
  if (self->texts->len == 0)
    return response;
  clean = reeve_http_response_new (reeve_http_response_get_status (response));
  for (guint i = 0; headers[i] != NULL; i += 2)
    {
      g_autofree char *name = reeve_credential_headers_dup_masked (self, headers[i]);
      g_autofree char *value = reeve_credential_headers_dup_masked (self, headers[i + 1]);

      reeve_http_response_add_header (clean, name, value);
    }
  if (copy != NULL
      && reeve_credential_headers_mask (self, g_bytes_get_data (body, NULL), copy, length))
    {
      g_autoptr (GBytes) masked = g_bytes_new_take (g_steal_pointer (&copy), length);

      reeve_http_response_set_body (clean, masked);
    }
  else
    reeve_http_response_set_body (clean, body);
  reeve_http_response_unref (response);
  return clean;
}
