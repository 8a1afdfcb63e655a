/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A trace id tells whoever gets it which requests belong together; a tracestate is what systems
 * before this host wrote for their own. */
#include "propagation.h"

#include "http-origin.h"

struct _ReevePropagation
{
  char **parents; /* origins, normalised; `*` */
  char **states;
};

static char **
reeve_propagation_read (const char *const *origins)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (; origins != NULL && *origins != NULL; origins++)
    {
      g_autofree char *origin
          = g_str_equal (*origins, "*") ? g_strdup ("*") : reeve_http_origin_spell (*origins);

      if (origin != NULL)
        g_strv_builder_add (builder, origin);
    }
  return g_strv_builder_end (builder);
}

/**
 * reeve_propagation_new:
 * @traceparent: origins that get it, or `*`
 * @tracestate: origins that get it besides
 *
 * Returns: (transfer full): a rule
 */
ReevePropagation *
reeve_propagation_new (const char *const *traceparent, const char *const *tracestate)
{
  ReevePropagation *self = g_new0 (ReevePropagation, 1);

  self->parents = reeve_propagation_read (traceparent);
  self->states = reeve_propagation_read (tracestate);
  return self;
}

void
reeve_propagation_free (ReevePropagation *self)
{
  g_strfreev (self->parents);
  g_strfreev (self->states);
  g_free (self);
}

static gboolean
reeve_propagation_allows (char **origins, const char *url)
{
  g_autofree char *origin = NULL;

  if (*origins == NULL || g_strv_contains ((const char *const *) origins, "*"))
    return *origins != NULL;
  origin = reeve_http_origin_spell (url);
  return origin != NULL && g_strv_contains ((const char *const *) origins, origin);
}

static gboolean
reeve_propagation_has_header (ReeveHttpRequest *request, const char *name)
{
  const char *const *headers = reeve_http_request_get_headers (request);

  for (; headers != NULL && headers[0] != NULL; headers += 2)
    if (g_ascii_strcasecmp (headers[0], name) == 0)
      return TRUE;
  return FALSE;
}

/**
 * reeve_propagation_add:
 * @self: (nullable): a rule; %NULL: nobody sees anything
 * @request: about to be sent
 * @traceparent: (nullable): what it stands below
 * @tracestate: (nullable): worth something only beside it
 */
void
reeve_propagation_add (ReevePropagation *self, ReeveHttpRequest *request, const char *traceparent,
                       const char *tracestate)
{
  const char *url = reeve_http_request_get_url (request);

  if (self == NULL || traceparent == NULL || reeve_propagation_has_header (request, "traceparent")
      || !reeve_propagation_allows (self->parents, url))
    return;
  reeve_http_request_add_header (request, "traceparent", traceparent);
  if (tracestate != NULL && reeve_propagation_allows (self->states, url))
    reeve_http_request_add_header (request, "tracestate", tracestate);
}
