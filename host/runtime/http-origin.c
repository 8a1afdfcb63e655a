/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where requests go: names looked up and certificates loaded off the serving thread. */
#include "http-origin.h"

#include <string.h>

/* how long addresses are used before the name is looked up again */
#define REEVE_HTTP_ORIGIN_ADDRESS_TTL   (30 * G_USEC_PER_SEC)
#define REEVE_HTTP_ORIGIN_MAX_ADDRESSES 16

typedef struct
{
  char *host;
  ReeveHttpTrust *trust;
} ReeveHttpOriginJob;

/**
 * reeve_http_origin_spell:
 * @url: an absolute address
 *
 * The default port of a scheme is filled in, so that what is the same origin is the same text.
 *
 * Returns: (transfer full) (nullable): scheme://host:port, %NULL when @url has no host
 */
char *
reeve_http_origin_spell (const char *url)
{
  g_autoptr (GUri) uri
      = g_uri_parse (url, G_URI_FLAGS_ENCODED | G_URI_FLAGS_SCHEME_NORMALIZE, NULL);
  g_autofree char *host = NULL;

  if (uri == NULL || g_uri_get_host (uri) == NULL)
    return NULL;
  host = g_ascii_strdown (g_uri_get_host (uri), -1);
  return g_strdup_printf ("%s://%s:%d", g_uri_get_scheme (uri), host, g_uri_get_port (uri));
}

/**
 * reeve_http_origin_make_key:
 * @uri: an address
 * @trust: (nullable): certificates to trust for it
 *
 * Returns: (transfer full): what two requests must have in common to share connections
 */
char *
reeve_http_origin_make_key (GUri *uri, ReeveHttpTrust *trust)
{
  return g_strdup_printf ("%s://%s:%d %p", g_uri_get_scheme (uri), g_uri_get_host (uri),
                          g_uri_get_port (uri), (gpointer) trust);
}

/**
 * reeve_http_origin_new:
 * @key: its key
 * @uri: an `http` or `https` address
 * @trust: certificates to trust
 *
 * Returns: (transfer full): an origin without connections
 */
ReeveHttpOrigin *
reeve_http_origin_new (const char *key, GUri *uri, ReeveHttpTrust *trust)
{
  ReeveHttpOrigin *self = g_new0 (ReeveHttpOrigin, 1);

  self->key = g_strdup (key);
  self->host = g_strdup (g_uri_get_host (uri));
  self->tls = g_str_equal (g_uri_get_scheme (uri), "https");
  self->port = self->tls ? 443 : 80;
  if (g_uri_get_port (uri) > 0)
    self->port = (guint16) g_uri_get_port (uri);
  self->trust = reeve_http_trust_ref (trust);
  g_queue_init (&self->idle);
  g_queue_init (&self->waiting);
  return self;
}

/**
 * reeve_http_origin_free:
 * @self: (transfer full): an origin without connections and calls
 */
void
reeve_http_origin_free (ReeveHttpOrigin *self)
{
  g_clear_pointer (&self->addresses, g_ptr_array_unref);
  g_clear_pointer (&self->trust, reeve_http_trust_unref);
  g_free (self->key);
  g_free (self->host);
  g_free (self);
}

/**
 * reeve_http_origin_is_unused:
 * @self: an origin
 * @now: monotonic time
 *
 * Returns: whether nothing would be lost with it
 */
gboolean
reeve_http_origin_is_unused (ReeveHttpOrigin *self, gint64 now)
{
  return self->n_connections == 0 && self->waiting.length == 0 && self->warming == 0
         && !self->preparing && (self->addresses == NULL || self->addresses_until <= now);
}

/**
 * reeve_http_origin_is_ready:
 * @self: an origin
 * @call: a call to it
 * @now: monotonic time
 *
 * Returns: whether a connection for @call can be begun at once
 */
gboolean
reeve_http_origin_is_ready (ReeveHttpOrigin *self, ReeveHttpCall *call, gint64 now)
{
  if (self->tls && !reeve_http_trust_is_loaded (self->trust))
    return FALSE;
  return call->options.addresses != NULL
         || (self->addresses != NULL && self->addresses_until > now);
}

/**
 * reeve_http_origin_set_addresses:
 * @self: an origin
 * @addresses: what its name came to
 * @now: monotonic time
 */
void
reeve_http_origin_set_addresses (ReeveHttpOrigin *self, GPtrArray *addresses, gint64 now)
{
  g_clear_pointer (&self->addresses, g_ptr_array_unref);
  self->addresses = g_ptr_array_ref (addresses);
  self->addresses_until = now + REEVE_HTTP_ORIGIN_ADDRESS_TTL;
}

/**
 * reeve_http_origin_enqueue:
 * @self: an origin
 * @call: a call that is to wait
 */
void
reeve_http_origin_enqueue (ReeveHttpOrigin *self, ReeveHttpCall *call)
{
  g_return_if_fail (!call->waiting);
  call->waiting = TRUE;
  g_queue_push_tail_link (&self->waiting, &call->queue_link);
}

/**
 * reeve_http_origin_dequeue:
 * @self: an origin
 * @call: a call; nothing happens when it does not wait
 */
void
reeve_http_origin_dequeue (ReeveHttpOrigin *self, ReeveHttpCall *call)
{
  if (!call->waiting)
    return;
  call->waiting = FALSE;
  g_queue_unlink (&self->waiting, &call->queue_link);
}

static void
reeve_http_origin_job_free (ReeveHttpOriginJob *job)
{
  g_free (job->host);
  g_clear_pointer (&job->trust, reeve_http_trust_unref);
  g_free (job);
}

static GPtrArray *
reeve_http_origin_resolve (const char *host, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) addresses = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GInetAddress) literal = g_inet_address_new_from_string (host);
  g_autoptr (GResolver) resolver = NULL;
  g_autoptr (GError) local = NULL;
  GList *found = NULL;

  if (literal != NULL)
    {
      g_ptr_array_add (addresses, g_steal_pointer (&literal));
      return g_steal_pointer (&addresses);
    }
  resolver = g_resolver_get_default ();
  found = g_resolver_lookup_by_name (resolver, host, cancellable, &local);
  for (GList *l = found; l != NULL && addresses->len < REEVE_HTTP_ORIGIN_MAX_ADDRESSES; l = l->next)
    g_ptr_array_add (addresses, g_object_ref (l->data));
  g_resolver_free_addresses (found);
  if (addresses->len > 0)
    return g_steal_pointer (&addresses);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "looking up %s: %s", host,
               local != NULL ? local->message : "no address");
  return NULL;
}

static void
reeve_http_origin_run (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  ReeveHttpOriginJob *job = data;
  GError *error = NULL;
  GPtrArray *addresses = NULL;

  if (job->trust != NULL && !reeve_http_trust_load (job->trust, &error))
    addresses = NULL;
  else if (job->host == NULL)
    addresses = g_ptr_array_new_with_free_func (g_object_unref);
  else
    addresses = reeve_http_origin_resolve (job->host, cancellable, &error);
  if (addresses != NULL)
    g_task_return_pointer (task, addresses, (GDestroyNotify) g_ptr_array_unref);
  else
    g_task_return_error (task, error);
}

/**
 * reeve_http_origin_prepare_async:
 * @self: an origin; need not live until the end
 * @call: the call that waits for it
 * @cancellable: to give up
 * @callback: in the thread-default main context
 * @user_data: for it
 *
 * Looks up the name and loads the certificates, on another thread.
 */
void
reeve_http_origin_prepare_async (ReeveHttpOrigin *self, ReeveHttpCall *call,
                                 GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  ReeveHttpOriginJob *job = g_new0 (ReeveHttpOriginJob, 1);

  job->host = call->options.addresses == NULL ? g_strdup (self->host) : NULL;
  job->trust = self->tls ? reeve_http_trust_ref (self->trust) : NULL;
  g_task_set_source_tag (task, reeve_http_origin_prepare_async);
  g_task_set_task_data (task, job, (GDestroyNotify) reeve_http_origin_job_free);
  /* a lookup takes as long as its name server likes: who shuts down must not wait for it, nor be
   * kept alive by it */
  g_task_set_return_on_cancel (task, TRUE);
  g_task_run_in_thread (task, reeve_http_origin_run);
}

/**
 * reeve_http_origin_prepare_finish:
 * @result: what the callback got
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the addresses; empty when @call brought its own
 */
GPtrArray *
reeve_http_origin_prepare_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, reeve_http_origin_prepare_async), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}
