/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* HTTP requests and responses as plain, reference-counted values. */
#include "reeve-http.h"

#include <string.h>

/**
 * ReeveHttpRequest:
 *
 * What a plugin wants to send. Not thread-safe while it is built; immutable once given to the host.
 *
 * Since: 1.0
 */
struct _ReeveHttpRequest
{
  gatomicrefcount refs;
  char *method;
  char *url;
  GPtrArray *headers;     /* name, value, … and a NULL that is not counted out */
  GPtrArray *credentials; /* the same, of slots */
  GBytes *body;
  gboolean idempotent;
  gsize max_response;
  guint timeout_ms;
};

/**
 * ReeveHttpResponse:
 *
 * What came back. Not thread-safe while it is built; immutable once given to a plugin.
 *
 * Since: 1.0
 */
struct _ReeveHttpResponse
{
  gatomicrefcount refs;
  guint status;
  GPtrArray *headers;
  GBytes *body;
};

G_DEFINE_BOXED_TYPE (ReeveHttpRequest, reeve_http_request, reeve_http_request_ref,
                     reeve_http_request_unref)
G_DEFINE_BOXED_TYPE (ReeveHttpResponse, reeve_http_response, reeve_http_response_ref,
                     reeve_http_response_unref)

static GPtrArray *
reeve_http_headers_new (void)
{
  GPtrArray *headers = g_ptr_array_new_with_free_func (g_free);

  g_ptr_array_add (headers, NULL);
  return headers;
}

static void
reeve_http_headers_add (GPtrArray *headers, const char *name, const char *value)
{
  g_ptr_array_insert (headers, (int) headers->len - 1, g_strdup (name));
  g_ptr_array_insert (headers, (int) headers->len - 1, g_strdup (value));
}

/**
 * reeve_http_request_new:
 * @method: such as `GET`
 * @url: absolute, `http` or `https`
 *
 * Returns: (transfer full): a request without headers and body
 *
 * Since: 1.0
 */
ReeveHttpRequest *
reeve_http_request_new (const char *method, const char *url)
{
  ReeveHttpRequest *self = NULL;

  g_return_val_if_fail (method != NULL && url != NULL, NULL);
  self = g_new0 (ReeveHttpRequest, 1);
  g_atomic_ref_count_init (&self->refs);
  self->method = g_strdup (method);
  self->url = g_strdup (url);
  self->headers = reeve_http_headers_new ();
  self->credentials = reeve_http_headers_new ();
  return self;
}

/**
 * reeve_http_request_ref:
 * @self: a request
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
ReeveHttpRequest *
reeve_http_request_ref (ReeveHttpRequest *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * reeve_http_request_unref:
 * @self: (transfer full): a request
 *
 * Since: 1.0
 */
void
reeve_http_request_unref (ReeveHttpRequest *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_free (self->method);
  g_free (self->url);
  g_ptr_array_unref (self->headers);
  g_ptr_array_unref (self->credentials);
  g_clear_pointer (&self->body, g_bytes_unref);
  g_free (self);
}

/**
 * reeve_http_request_get_method:
 * @self: a request
 *
 * Returns: (transfer none): the method
 *
 * Since: 1.0
 */
const char *
reeve_http_request_get_method (ReeveHttpRequest *self)
{
  return self->method;
}

/**
 * reeve_http_request_get_url:
 * @self: a request
 *
 * Returns: (transfer none): the address
 *
 * Since: 1.0
 */
const char *
reeve_http_request_get_url (ReeveHttpRequest *self)
{
  return self->url;
}

/**
 * reeve_http_request_add_header:
 * @self: a request
 * @name: header name
 * @value: its value; line breaks make the host refuse the request
 *
 * Since: 1.0
 */
void
reeve_http_request_add_header (ReeveHttpRequest *self, const char *name, const char *value)
{
  g_return_if_fail (name != NULL && value != NULL);
  reeve_http_headers_add (self->headers, name, value);
}

/**
 * reeve_http_request_get_headers:
 * @self: a request
 *
 * Returns: (transfer none) (array zero-terminated=1): name, value, name, value …
 *
 * Since: 1.0
 */
const char *const *
reeve_http_request_get_headers (ReeveHttpRequest *self)
{
  return (const char *const *) self->headers->pdata;
}

/**
 * reeve_http_request_add_credential:
 * @self: a request
 * @slot: name of a slot: of a secret setting (`x-reeve-slot` of the manifest), or one that an
 * administrator filled
 *
 * Lets the host attach the credential in that slot, in the way that the slot says; in the place of
 * a header of the same name. The plugin never sees the value. The host refuses the request where
 * the slot is empty, or is not for the place that the request goes to.
 *
 * Since: 1.0
 */
void
reeve_http_request_add_credential (ReeveHttpRequest *self, const char *slot)
{
  g_return_if_fail (slot != NULL);
  g_ptr_array_insert (self->credentials, (int) self->credentials->len - 1, g_strdup (slot));
}

/**
 * reeve_http_request_get_credentials:
 * @self: a request
 *
 * Returns: (transfer none) (array zero-terminated=1): names of slots
 *
 * Since: 1.0
 */
const char *const *
reeve_http_request_get_credentials (ReeveHttpRequest *self)
{
  return (const char *const *) self->credentials->pdata;
}

/**
 * reeve_http_request_set_body:
 * @self: a request
 * @content_type: (nullable): adds this `Content-Type`
 * @body: (nullable): the body
 *
 * Since: 1.0
 */
void
reeve_http_request_set_body (ReeveHttpRequest *self, const char *content_type, GBytes *body)
{
  g_clear_pointer (&self->body, g_bytes_unref);
  self->body = body != NULL ? g_bytes_ref (body) : NULL;
  if (content_type != NULL)
    reeve_http_headers_add (self->headers, "Content-Type", content_type);
}

/**
 * reeve_http_request_get_body:
 * @self: a request
 *
 * Returns: (transfer none) (nullable): the body
 *
 * Since: 1.0
 */
GBytes *
reeve_http_request_get_body (ReeveHttpRequest *self)
{
  return self->body;
}

/**
 * reeve_http_request_set_idempotent:
 * @self: a request
 * @idempotent: may it be sent again when nobody can know whether it was executed?
 *
 * Since: 1.0
 */
void
reeve_http_request_set_idempotent (ReeveHttpRequest *self, gboolean idempotent)
{
  self->idempotent = idempotent;
}

/**
 * reeve_http_request_get_idempotent:
 * @self: a request
 *
 * Returns: what was set; %FALSE unless set
 *
 * Since: 1.0
 */
gboolean
reeve_http_request_get_idempotent (ReeveHttpRequest *self)
{
  return self->idempotent;
}

/**
 * reeve_http_request_set_max_response:
 * @self: a request
 * @bytes: longest body that is taken; 0 for the host's default
 *
 * Since: 1.0
 */
void
reeve_http_request_set_max_response (ReeveHttpRequest *self, gsize bytes)
{
  self->max_response = bytes;
}

/**
 * reeve_http_request_get_max_response:
 * @self: a request
 *
 * Returns: bytes; 0 for the host's default
 *
 * Since: 1.0
 */
gsize
reeve_http_request_get_max_response (ReeveHttpRequest *self)
{
  return self->max_response;
}

/**
 * reeve_http_request_set_timeout_ms:
 * @self: a request
 * @timeout_ms: for the whole exchange; 0 for the host's default
 *
 * Since: 1.0
 */
void
reeve_http_request_set_timeout_ms (ReeveHttpRequest *self, guint timeout_ms)
{
  self->timeout_ms = timeout_ms;
}

/**
 * reeve_http_request_get_timeout_ms:
 * @self: a request
 *
 * Returns: milliseconds; 0 for the host's default
 *
 * Since: 1.0
 */
guint
reeve_http_request_get_timeout_ms (ReeveHttpRequest *self)
{
  return self->timeout_ms;
}

/**
 * reeve_http_response_new:
 * @status: status code
 *
 * Returns: (transfer full): a response without headers and body
 *
 * Since: 1.0
 */
ReeveHttpResponse *
reeve_http_response_new (guint status)
{
  ReeveHttpResponse *self = g_new0 (ReeveHttpResponse, 1);

  g_atomic_ref_count_init (&self->refs);
  self->status = status;
  self->headers = reeve_http_headers_new ();
  return self;
}

/**
 * reeve_http_response_ref:
 * @self: a response
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
ReeveHttpResponse *
reeve_http_response_ref (ReeveHttpResponse *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * reeve_http_response_unref:
 * @self: (transfer full): a response
 *
 * Since: 1.0
 */
void
reeve_http_response_unref (ReeveHttpResponse *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_ptr_array_unref (self->headers);
  g_clear_pointer (&self->body, g_bytes_unref);
  g_free (self);
}

/**
 * reeve_http_response_get_status:
 * @self: a response
 *
 * Returns: the status code
 *
 * Since: 1.0
 */
guint
reeve_http_response_get_status (ReeveHttpResponse *self)
{
  return self->status;
}

/**
 * reeve_http_response_add_header:
 * @self: a response
 * @name: header name
 * @value: its value
 *
 * Since: 1.0
 */
void
reeve_http_response_add_header (ReeveHttpResponse *self, const char *name, const char *value)
{
  g_return_if_fail (name != NULL && value != NULL);
  reeve_http_headers_add (self->headers, name, value);
}

/**
 * reeve_http_response_get_headers:
 * @self: a response
 *
 * Returns: (transfer none) (array zero-terminated=1): name, value, name, value …
 *
 * Since: 1.0
 */
const char *const *
reeve_http_response_get_headers (ReeveHttpResponse *self)
{
  return (const char *const *) self->headers->pdata;
}

/**
 * reeve_http_response_get_header:
 * @self: a response
 * @name: header name, in any case
 *
 * Returns: (transfer none) (nullable): its first value, or %NULL when absent
 *
 * Since: 1.0
 */
const char *
reeve_http_response_get_header (ReeveHttpResponse *self, const char *name)
{
  for (guint i = 0; i + 2 < self->headers->len; i += 2)
    {
      if (g_ascii_strcasecmp (g_ptr_array_index (self->headers, i), name) == 0)
        return g_ptr_array_index (self->headers, i + 1);
    }
  return NULL;
}

/**
 * reeve_http_response_set_body:
 * @self: a response
 * @body: (nullable): the body
 *
 * Since: 1.0
 */
void
reeve_http_response_set_body (ReeveHttpResponse *self, GBytes *body)
{
  g_clear_pointer (&self->body, g_bytes_unref);
  self->body = body != NULL ? g_bytes_ref (body) : NULL;
}

/**
 * reeve_http_response_get_body:
 * @self: a response
 *
 * Returns: (transfer none) (nullable): the body
 *
 * Since: 1.0
 */
GBytes *
reeve_http_response_get_body (ReeveHttpResponse *self)
{
  return self->body;
}
