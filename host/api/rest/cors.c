/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The protocol of the Fetch standard, 3.2. It protects the reader of an answer, not the host: a
 * request that is not a preflight is served whatever its origin, and the browser keeps the answer
 * from a page that is not named. */
#include "cors.h"

#include <reeve-error.h>
#include <string.h>

struct _ReeveRestCors
{
  char **origins;
  char **methods;
  char **headers;
  char *methods_text;
  char *headers_text;
  char *max_age;
  gboolean any; /* origin */
  gboolean credentials;
};

static const char reeve_rest_cors_exposed[]
    = "X-Request-Id, traceparent, Retry-After, RateLimit, RateLimit-Policy, Location";

ReeveRestCors *
reeve_rest_cors_new (ReeveConfig *config)
{
  g_auto (GStrv) origins = reeve_config_get_strv (config, "server.cors.origins");
  ReeveRestCors *self = NULL;

  if (origins[0] == NULL)
    return NULL;
  self = g_new0 (ReeveRestCors, 1);
  self->any = g_strv_contains ((const char *const *) origins, "*");
  self->origins = g_steal_pointer (&origins);
  self->methods = reeve_config_get_strv (config, "server.cors.methods");
  self->headers = reeve_config_get_strv (config, "server.cors.headers");
  self->methods_text = g_strjoinv (", ", self->methods);
  self->headers_text = g_strjoinv (", ", self->headers);
  self->max_age
      = g_strdup_printf ("%" G_GINT64_FORMAT, reeve_config_get_int (config, "server.cors.max_age"));
  self->credentials = reeve_config_get_boolean (config, "server.cors.credentials");
  return self;
}

void
reeve_rest_cors_free (ReeveRestCors *self)
{
  g_strfreev (self->origins);
  g_strfreev (self->methods);
  g_strfreev (self->headers);
  g_free (self->methods_text);
  g_free (self->headers_text);
  g_free (self->max_age);
  g_free (self);
}

static gboolean
reeve_rest_cors_allows_origin (const ReeveRestCors *self, const char *origin)
{
  return self->any || g_strv_contains ((const char *const *) self->origins, origin);
}

/**
 * reeve_rest_cors_set_headers:
 * @self: (nullable): what is allowed
 * @request: headers of the request
 * @answer: headers of its answer
 *
 * Where the answer depends on the origin, it says so even to those who sent none: caches mix them
 * up else.
 */
void
reeve_rest_cors_set_headers (const ReeveRestCors *self, SoupMessageHeaders *request,
                             SoupMessageHeaders *answer)
{
  const char *origin = self != NULL ? soup_message_headers_get_one (request, "Origin") : NULL;

  if (self != NULL && !self->any)
    soup_message_headers_append (answer, "Vary", "Origin");
  if (origin == NULL || !reeve_rest_cors_allows_origin (self, origin))
    return;
  soup_message_headers_replace (answer, "Access-Control-Allow-Origin", self->any ? "*" : origin);
  soup_message_headers_replace (answer, "Access-Control-Expose-Headers", reeve_rest_cors_exposed);
  if (self->credentials)
    soup_message_headers_replace (answer, "Access-Control-Allow-Credentials", "true");
}

gboolean
reeve_rest_cors_is_preflight (const char *method, SoupMessageHeaders *request)
{
  return strcmp (method, "OPTIONS") == 0 && soup_message_headers_get_one (request, "Origin") != NULL
         && soup_message_headers_get_one (request, "Access-Control-Request-Method") != NULL;
}

static gboolean
reeve_rest_cors_has_header (const ReeveRestCors *self, const char *name)
{
  for (char **header = self->headers; *header != NULL; header++)
    if (g_ascii_strcasecmp (*header, name) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
reeve_rest_cors_refuse (GError **error, const char *what)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
               "server.cors does not allow this %s", what);
  return FALSE;
}

/**
 * reeve_rest_cors_answer_preflight:
 * @self: (nullable): what is allowed
 * @request: headers of the preflight
 * @answer: headers of its answer, which has no body
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_PERMISSION_DENIED when the request that it announces may not be
 * sent
 */
gboolean
reeve_rest_cors_answer_preflight (const ReeveRestCors *self, SoupMessageHeaders *request,
                                  SoupMessageHeaders *answer, GError **error)
{
  const char *origin = soup_message_headers_get_one (request, "Origin");
  const char *method = soup_message_headers_get_one (request, "Access-Control-Request-Method");
  const char *headers = soup_message_headers_get_list (request, "Access-Control-Request-Headers");
  g_auto (GStrv) names = g_strsplit (headers != NULL ? headers : "", ",", 64);

  soup_message_headers_append (answer, "Vary", "Access-Control-Request-Method");
  soup_message_headers_append (answer, "Vary", "Access-Control-Request-Headers");
  if (self == NULL || !reeve_rest_cors_allows_origin (self, origin))
    return reeve_rest_cors_refuse (error, "origin");
  if (!g_strv_contains ((const char *const *) self->methods, method))
    return reeve_rest_cors_refuse (error, "method");
  for (char **name = names; *name != NULL; name++)
    if (*g_strstrip (*name) != '\0' && !reeve_rest_cors_has_header (self, *name))
      return reeve_rest_cors_refuse (error, "header");
  soup_message_headers_replace (answer, "Access-Control-Allow-Methods", self->methods_text);
  soup_message_headers_replace (answer, "Access-Control-Allow-Headers", self->headers_text);
  soup_message_headers_replace (answer, "Access-Control-Max-Age", self->max_age);
  return TRUE;
}
