/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Performs HTTP requests of plugins: callers block on worker threads, all sockets stand on one
 * thread of its own. What an instance may reach stands in its settings, where an administrator
 * wrote it:
 *
 *   granted_origins  origins exempt from the guard, private ones too
 *   issuer, jwks_uri, or whatever other name: an address written there grants its origin
 *   only_granted     TRUE: nothing else may be reached
 *   methods          allowed methods
 *
 * Grants say which of it holds: one that names origins is for these and for what settings name, one
 * that names none is for whatever is public. The deployment's ceiling is above both. */
#include "net-http.h"

#include <string.h>

#include "base/digests.h"

#include "http-thread.h"
#include "net-credential.h"
#include "net-guard.h"
#include "net-http-job.h"
#include "net-rate.h"
#include "net-record.h"

#define REEVE_NET_HTTP_TIMEOUT_MS   30000
#define REEVE_NET_HTTP_MAX_RESPONSE (1024 * 1024)

struct _ReeveNetHttp
{
  ReeveHttpThread *thread;
  ReevePropagation *propagation; /* (nullable) */
  ReeveNetCredentialSource source;
  ReeveRateLimits *rates;
  ReeveNetRecords *records; /* (nullable) */
};

static ReeveHttpResponse *reeve_net_http_fetch_token (const ReeveCapabilityCaller *caller,
                                                      ReeveHttpRequest *request, gpointer user_data,
                                                      GError **error);

/**
 * reeve_net_http_new:
 * @trust: certificates to trust
 *
 * Returns: (transfer full): a provider of `net.http`
 */
ReeveNetHttp *
reeve_net_http_new (ReeveHttpTrust *trust)
{
  ReeveNetHttp *self = g_new0 (ReeveNetHttp, 1);

  self->thread = reeve_http_thread_new ("reeve-net", trust);
  self->source.tokens = reeve_oauth_tokens_new (reeve_net_http_fetch_token, self);
  self->rates = reeve_rate_limits_new ();
  return self;
}

/**
 * reeve_net_http_set_propagation:
 * @self: a provider that was not used as yet
 * @propagation: (nullable): which origins are told of the trace of a call
 */
void
reeve_net_http_set_propagation (ReeveNetHttp *self, ReevePropagation *propagation)
{
  self->propagation = propagation;
}

/**
 * reeve_net_http_set_secrets:
 * @self: a provider that was not used as yet
 * @secrets: what administrators put into the slots of plugins; outlives it
 */
void
reeve_net_http_set_secrets (ReeveNetHttp *self, ReevePluginSecrets *secrets)
{
  self->source.secrets = secrets;
}

/**
 * reeve_net_http_set_records:
 * @self: a provider that was not used as yet
 * @records: (nullable): where connections are recorded; outlives it
 */
void
reeve_net_http_set_records (ReeveNetHttp *self, ReeveNetRecords *records)
{
  self->records = records;
}

/**
 * reeve_net_http_shutdown:
 * @self: a provider
 *
 * Ends what is under way with %REEVE_ERROR_CANCELLED and refuses what comes. Twice is as once.
 */
void
reeve_net_http_shutdown (ReeveNetHttp *self)
{
  reeve_http_thread_shutdown (self->thread);
}

/**
 * reeve_net_http_free:
 * @self: (transfer full): a provider that nobody can call any more
 */
void
reeve_net_http_free (ReeveNetHttp *self)
{
  reeve_http_thread_free (self->thread);
  reeve_oauth_tokens_free (self->source.tokens);
  reeve_rate_limits_free (self->rates);
  g_free (self);
}

static gboolean
reeve_net_http_contains (JsonArray *array, const char *text)
{
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      const char *element = json_node_get_string (json_array_get_element (array, i));

      if (element != NULL && g_ascii_strcasecmp (element, text) == 0)
        return TRUE;
    }
  return FALSE;
}

/* Addresses that an administrator wrote as the value of a setting. */
static void
reeve_net_http_add_addresses (GStrvBuilder *builder, JsonObject *settings)
{
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *value = NULL;

  json_object_iter_init (&iter, settings);
  while (json_object_iter_next (&iter, &name, &value))
    {
      const char *text = JSON_NODE_HOLDS_VALUE (value) ? json_node_get_string (value) : NULL;

      if (text != NULL
          && (g_str_has_prefix (text, "https://") || g_str_has_prefix (text, "http://")))
        g_strv_builder_add (builder, text);
    }
}

/**
 * reeve_net_http_dup_origins:
 * @settings: (nullable): of an instance
 *
 * Returns: (transfer full): the addresses that the administrator wrote into its settings, each of
 * which grants its origin
 */
char **
reeve_net_http_dup_origins (JsonObject *settings)
{
  JsonArray *array = settings != NULL ? reeve_json_get_array (settings, "granted_origins") : NULL;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (settings != NULL)
    reeve_net_http_add_addresses (builder, settings);
  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      const char *origin = json_node_get_string (json_array_get_element (array, i));

      if (origin != NULL)
        g_strv_builder_add (builder, origin);
    }
  return g_strv_builder_end (builder);
}

static gboolean
reeve_net_http_refuse (const ReeveCapabilityCaller *caller, const char *what, const char *why,
                       GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED, "%.300s %s", what, why);
  return FALSE;
}

/* What the deployment's ceiling leaves, whoever granted it. */
static gboolean
reeve_net_http_check_ceiling (const ReeveCapabilityCaller *caller, const char *method,
                              const ReeveNetGuardTarget *target, GError **error)
{
  const ReeveCapabilityTerms *ceiling
      = caller->lease != NULL ? reeve_capability_lease_get_ceiling (caller->lease) : NULL;

  if (ceiling == NULL)
    return TRUE;
  if (!reeve_capability_terms_has ((const char *const *) ceiling->methods, method))
    return reeve_net_http_refuse (
        caller, method, "is beyond what this deployment allows: plugins.ceiling.methods", error);
  if (!reeve_capability_terms_has ((const char *const *) ceiling->origins, target->origin))
    return reeve_net_http_refuse (caller, target->origin,
                                  "is beyond what this deployment allows: plugins.ceiling.origins",
                                  error);
  return TRUE;
}

/* Which grants allow the request; *named: one of them names the origin. 0 with an error. */
static guint64
reeve_net_http_find_grants (const ReeveCapabilityCaller *caller, const char *method,
                            const ReeveNetGuardTarget *target, gboolean by_settings,
                            gboolean *named, GError **error)
{
  guint64 mask = 0;
  g_autofree char *remedy = NULL;

  for (guint i = 0; i < reeve_capability_lease_get_length (caller->lease); i++)
    {
      const ReeveCapabilityTerms *terms = reeve_capability_lease_get_terms (caller->lease, i);
      gboolean names
          = terms->origins != NULL
            && reeve_capability_terms_has ((const char *const *) terms->origins, target->origin);

      if (!reeve_capability_terms_has ((const char *const *) terms->methods, method)
          || (!by_settings && !names && terms->origins != NULL))
        continue;
      *named = *named || names;
      mask |= G_GUINT64_CONSTANT (1) << i;
    }
  if (mask != 0)
    return mask;
  remedy = g_strdup_printf ("is not granted to plugin %s: reevectl plugins grant %s net.http "
                            "--param origins=%s --reason WHY",
                            caller->plugin_id, caller->plugin_id, target->origin);
  reeve_net_http_refuse (caller, target->origin, remedy, error);
  return 0;
}

/* Settings, grants and ceiling. *granted: the origin stands in settings or in a grant. */
static gboolean
reeve_net_http_check_grants (ReeveNetHttp *self, const ReeveCapabilityCaller *caller,
                             const char *method, const ReeveNetGuardTarget *target,
                             gboolean *granted, GError **error)
{
  g_auto (GStrv) origins = reeve_net_http_dup_origins (caller->settings);
  guint64 mask = 0;

  *granted = reeve_net_guard_is_granted (target, (const char *const *) origins);
  if (caller->lease == NULL)
    return TRUE;
  if (!reeve_net_http_check_ceiling (caller, method, target, error))
    return FALSE;
  mask = reeve_net_http_find_grants (caller, method, target, *granted, granted, error);
  return mask != 0 && reeve_capability_lease_rest_on (caller->lease, mask, error)
         && reeve_net_rate_take (self->rates, caller, mask, error);
}

/* What settings and grants say, then the guard. *granted: they name the origin. Returns: the
 * addresses that may be connected to. */
static GPtrArray *
reeve_net_http_admit (ReeveNetHttp *self, const ReeveCapabilityCaller *caller,
                      ReeveHttpRequest *request, gboolean *granted, GError **error)
{
  static const char *const usual[]
      = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", NULL };
  JsonArray *methods
      = caller->settings != NULL ? reeve_json_get_array (caller->settings, "methods") : NULL;
  const char *method = reeve_http_request_get_method (request);
  const char *url = reeve_http_request_get_url (request);
  g_autoptr (ReeveNetGuardTarget) target = reeve_net_guard_target_new (url, error);
  const char *origin[] = { NULL, NULL };

  *granted = FALSE;
  if (target == NULL)
    return NULL;
  if (!g_strv_contains (usual, method)
      || (methods != NULL && !reeve_net_http_contains (methods, method)))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED, "method %.16s is not allowed",
                   method);
      return NULL;
    }
  if (!reeve_net_http_check_grants (self, caller, method, target, granted, error))
    return NULL;
  if (caller->settings != NULL && reeve_json_get_boolean (caller->settings, "only_granted", FALSE)
      && !*granted)
    {
      reeve_net_http_refuse (caller, target->origin, "is not granted", error);
      return NULL;
    }
  if (*granted)
    origin[0] = target->origin;
  return reeve_net_guard_resolve (url, origin, reeve_capabilities_get_cancellable (caller), error);
}

/* The longest answer that a grant of the call lets in, and the ceiling: 0 where none says. */
static gint64
reeve_net_http_get_bound (const ReeveCapabilityCaller *caller)
{
  const ReeveCapabilityTerms *ceiling = NULL;
  gint64 bound = 0;

  if (caller->lease == NULL)
    return 0;
  for (guint i = 0; i < reeve_capability_lease_get_length (caller->lease); i++)
    {
      gint64 one = reeve_capability_lease_get_terms (caller->lease, i)->max_bytes;

      bound = i == 0 ? one : one == 0 || bound == 0 ? 0 : MAX (bound, one);
    }
  ceiling = reeve_capability_lease_get_ceiling (caller->lease);
  if (ceiling != NULL && ceiling->max_bytes != 0)
    bound = bound == 0 ? ceiling->max_bytes : MIN (bound, ceiling->max_bytes);
  return bound;
}

/* No more time than the caller has. */
static gboolean
reeve_net_http_limit (const ReeveCapabilityCaller *caller, ReeveHttpRequest *request,
                      ReeveUpstreamOptions *options, GError **error)
{
  ReeveContext *context = caller->context;
  gint64 bound = reeve_net_http_get_bound (caller);
  gint64 deadline = reeve_context_get_deadline (context);
  guint wanted = reeve_http_request_get_timeout_ms (request);
  gint64 left = G_MAXINT;

  if (!reeve_context_check (context, error))
    return FALSE;
  if (deadline != 0)
    left = MAX ((deadline - g_get_monotonic_time () + 999) / 1000, 1);
  options->total_ms = (guint) MIN (left, wanted != 0 ? wanted : REEVE_NET_HTTP_TIMEOUT_MS);
  options->first_byte_ms = options->idle_ms = options->total_ms;
  options->max_response = reeve_http_request_get_max_response (request);
  if (options->max_response == 0)
    options->max_response = REEVE_NET_HTTP_MAX_RESPONSE;
  if (bound != 0)
    options->max_response = MIN (options->max_response, (gsize) bound);
  return TRUE;
}

/* Path and query; of a URL without a path what there is. */
static const char *
reeve_net_http_find_target (ReeveHttpRequest *request)
{
  const char *after = strstr (reeve_http_request_get_url (request), "://");

  return after != NULL ? after + strlen ("://") + strcspn (after + strlen ("://"), "/?#") : NULL;
}

/* (transfer full) (nullable): of the body that came */
static char *
reeve_net_http_digest (ReeveHttpResponse *response)
{
  GBytes *body = response != NULL ? reeve_http_response_get_body (response) : NULL;

  return body != NULL
             ? reeve_digests_sha256_hex (g_bytes_get_data (body, NULL), g_bytes_get_size (body))
             : NULL;
}

/* One request that was let through, with its record. Takes the options' addresses over. @named: an
 * administrator wrote where it goes */
static ReeveHttpResponse *
reeve_net_http_send (ReeveNetHttp *self, const ReeveCapabilityCaller *caller,
                     ReeveHttpRequest *request, const ReeveUpstreamOptions *options, gboolean named,
                     GError **error)
{
  g_autoptr (ReeveNetGuardTarget) target
      = reeve_net_guard_target_new (reeve_http_request_get_url (request), error);
  const ReeveNetRecordPlace place
      = { .capability = "net.http",
          .place = target != NULL ? strstr (target->origin, "://") + strlen ("://") : NULL,
          .named = named,
          .method = reeve_http_request_get_method (request),
          .target = reeve_net_http_find_target (request),
          .body = reeve_http_request_get_body (request) };
  ReeveNetRecord *record = NULL;
  ReeveNetRecordEnd end = { 0 };
  g_autofree char *digest = NULL;
  ReeveHttpResponse *response = NULL;
  GError *problem = NULL;

  if (target == NULL || !reeve_net_record_begin (self->records, caller, &place, &record, error))
    {
      g_ptr_array_unref (options->addresses);
      return NULL;
    }
  reeve_propagation_add (self->propagation, request,
                         reeve_context_get_traceparent (caller->context),
                         reeve_context_get_tracestate (caller->context));
  response = reeve_net_http_job_run (self->thread, request, options,
                                     reeve_capabilities_get_cancellable (caller), &end.received,
                                     &problem);
  digest = record != NULL ? reeve_net_http_digest (response) : NULL;
  end.sent = place.body != NULL ? g_bytes_get_size (place.body) : 0;
  end.digest = digest;
  end.error = problem;
  reeve_net_record_end (record, &end);
  if (problem != NULL)
    g_propagate_error (error, problem);
  return response;
}

/* An administrator wrote that address beside the secret: it may be internal. The deployment's
 * ceiling is above him. */
static ReeveHttpResponse *
reeve_net_http_fetch_token (const ReeveCapabilityCaller *caller, ReeveHttpRequest *request,
                            gpointer user_data, GError **error)
{
  const char *url = reeve_http_request_get_url (request);
  g_autoptr (ReeveNetGuardTarget) target = reeve_net_guard_target_new (url, error);
  const char *origin[] = { target != NULL ? target->origin : NULL, NULL };
  ReeveUpstreamOptions options = { 0 };

  if (target == NULL || !reeve_net_http_check_ceiling (caller, "POST", target, error)
      || !reeve_net_http_limit (caller, request, &options, error))
    return NULL;
  options.max_response = reeve_http_request_get_max_response (request);
  options.addresses
      = reeve_net_guard_resolve (url, origin, reeve_capabilities_get_cancellable (caller), error);
  return options.addresses != NULL
             ? reeve_net_http_send (user_data, caller, request, &options, TRUE, error)
             : NULL;
}

/**
 * reeve_net_http_perform:
 * @caller: which instance, with its settings
 * @request: what it wants; redirects are not followed but handed back
 * @user_data: a #ReeveNetHttp
 * @error: return location
 *
 * Checks and performs one request; blocks, on a worker thread.
 *
 * Returns: (transfer full) (nullable): the response with its body; %NULL with
 * %REEVE_ERROR_PERMISSION_DENIED, %REEVE_ERROR_INVALID_ARGUMENT, %REEVE_ERROR_UNAVAILABLE,
 * %REEVE_ERROR_UNKNOWN_OUTCOME, %REEVE_ERROR_TIMEOUT …
 */
ReeveHttpResponse *
reeve_net_http_perform (const ReeveCapabilityCaller *caller, ReeveHttpRequest *request,
                        gpointer user_data, GError **error)
{
  ReeveNetHttp *self = user_data;
  ReeveUpstreamOptions options = { 0 };
  g_autoptr (ReeveCredentialHeaders) headers = NULL;
  g_autoptr (ReeveHttpRequest) full = NULL;
  ReeveHttpResponse *response = NULL;
  gboolean granted = FALSE;

  if (!reeve_net_http_limit (caller, request, &options, error))
    return NULL;
  options.addresses = reeve_net_http_admit (self, caller, request, &granted, error);
  if (options.addresses == NULL)
    return NULL;
  headers = reeve_net_credential_find (caller, request, &self->source, error);
  if (headers == NULL)
    {
      g_ptr_array_unref (options.addresses);
      return NULL;
    }
  full = reeve_credential_headers_attach (headers, request);
  response = reeve_net_http_send (self, caller, full, &options, granted, error);
  if (response != NULL && reeve_http_response_get_status (response) == 401)
    reeve_net_credential_forget (caller, request, &self->source);
  return response != NULL ? reeve_credential_headers_conceal (headers, response) : NULL;
}
