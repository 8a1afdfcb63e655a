/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The thread that asked waits; all else happens on the thread of the client. */
#include "net-http-job.h"

#include "http-client.h"

/* One request, shared by the thread that waits and the thread that works. */
typedef struct
{
  gatomicrefcount refs;
  ReeveHttpClient *client;
  GMainContext *context;
  ReeveHttpRequest *request;
  ReeveUpstreamOptions options;
  ReeveUpstreamCall *call; /* (nullable): the working thread's */
  GByteArray *body;        /* the working thread's */
  gboolean cancelled;      /* the working thread's */
  GMutex lock;             /* guards what follows */
  GCond changed;
  gboolean done;
  ReeveHttpResponse *response;
  GError *error;
} ReeveNetHttpJob;

static ReeveNetHttpJob *
reeve_net_http_job_ref (ReeveNetHttpJob *job)
{
  g_atomic_ref_count_inc (&job->refs);
  return job;
}

static void
reeve_net_http_job_unref (gpointer data)
{
  ReeveNetHttpJob *job = data;

  if (!g_atomic_ref_count_dec (&job->refs))
    return;
  g_clear_object (&job->client);
  g_clear_pointer (&job->context, g_main_context_unref);
  g_clear_pointer (&job->request, reeve_http_request_unref);
  g_clear_pointer (&job->options.addresses, g_ptr_array_unref);
  g_clear_pointer (&job->body, g_byte_array_unref);
  g_clear_pointer (&job->response, reeve_http_response_unref);
  g_clear_error (&job->error);
  g_mutex_clear (&job->lock);
  g_cond_clear (&job->changed);
  g_free (job);
}

static void
reeve_net_http_job_end (ReeveNetHttpJob *job, GError *error)
{
  g_mutex_lock (&job->lock);
  job->error = error;
  job->done = TRUE;
  g_cond_signal (&job->changed);
  g_mutex_unlock (&job->lock);
  reeve_net_http_job_unref (job);
}

static void
reeve_net_http_job_on_head (ReeveUpstreamCall *call, ReeveHttpResponse *head, gpointer user_data)
{
  ReeveNetHttpJob *job = user_data;

  job->response = reeve_http_response_ref (head);
}

static void
reeve_net_http_job_on_data (ReeveUpstreamCall *call, const guint8 *data, gsize length,
                            gpointer user_data)
{
  g_byte_array_append (((ReeveNetHttpJob *) user_data)->body, data, (guint) length);
}

static void
reeve_net_http_job_on_done (ReeveUpstreamCall *call, const GError *error, gpointer user_data)
{
  ReeveNetHttpJob *job = user_data;

  job->call = NULL;
  if (error == NULL)
    {
      g_autoptr (GBytes) body = g_byte_array_free_to_bytes (g_steal_pointer (&job->body));

      reeve_http_response_set_body (job->response, body);
    }
  reeve_net_http_job_end (job, error != NULL ? g_error_copy (error) : NULL);
}

static const ReeveUpstreamHandlers reeve_net_http_job_handlers = {
  .head = reeve_net_http_job_on_head,
  .data = reeve_net_http_job_on_data,
  .done = reeve_net_http_job_on_done,
};

static gboolean
reeve_net_http_job_start (gpointer user_data)
{
  ReeveNetHttpJob *job = user_data;

  reeve_net_http_job_ref (job);
  if (job->cancelled)
    {
      reeve_net_http_job_end (
          job, g_error_new_literal (REEVE_ERROR, REEVE_ERROR_CANCELLED, "the call was cancelled"));
      return G_SOURCE_REMOVE;
    }
  job->call = reeve_upstream_start (REEVE_UPSTREAM (job->client), job->request, &job->options,
                                    &reeve_net_http_job_handlers, job);
  return G_SOURCE_REMOVE;
}

static gboolean
reeve_net_http_job_cancel (gpointer user_data)
{
  ReeveNetHttpJob *job = user_data;

  job->cancelled = TRUE;
  if (job->call == NULL)
    return G_SOURCE_REMOVE;
  reeve_upstream_call_cancel (g_steal_pointer (&job->call));
  reeve_net_http_job_end (
      job, g_error_new_literal (REEVE_ERROR, REEVE_ERROR_CANCELLED, "the call was cancelled"));
  return G_SOURCE_REMOVE;
}

/* On any thread, under the cancellable's lock. */
static void
reeve_net_http_job_on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  ReeveNetHttpJob *job = user_data;

  g_main_context_invoke_full (job->context, G_PRIORITY_DEFAULT, reeve_net_http_job_cancel,
                              reeve_net_http_job_ref (job), reeve_net_http_job_unref);
}

static ReeveHttpResponse *
reeve_net_http_job_wait (ReeveNetHttpJob *job, GCancellable *cancellable, GError **error)
{
  gulong handler = 0;
  ReeveHttpResponse *response = NULL;

  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (reeve_net_http_job_on_cancelled),
                                     reeve_net_http_job_ref (job), reeve_net_http_job_unref);
  g_mutex_lock (&job->lock);
  while (!job->done)
    g_cond_wait (&job->changed, &job->lock);
  if (job->error != NULL)
    g_propagate_error (error, g_steal_pointer (&job->error));
  else
    response = g_steal_pointer (&job->response);
  g_mutex_unlock (&job->lock);
  if (handler != 0)
    g_cancellable_disconnect (cancellable, handler);
  return response;
}

/**
 * reeve_net_http_job_run:
 * @thread: where it is done
 * @request: what is asked
 * @options: limits; its addresses are taken over
 * @cancellable: (nullable): ends it with %REEVE_ERROR_CANCELLED
 * @received: (out): bytes of its body that came, whether it came to its end or not
 * @error: return location
 *
 * Asks once and waits. On a thread that may block.
 *
 * Returns: (transfer full) (nullable): the response with its body
 */
ReeveHttpResponse *
reeve_net_http_job_run (ReeveHttpThread *thread, ReeveHttpRequest *request,
                        const ReeveUpstreamOptions *options, GCancellable *cancellable,
                        guint64 *received, GError **error)
{
  ReeveNetHttpJob *job = g_new0 (ReeveNetHttpJob, 1);
  ReeveHttpResponse *response = NULL;
  GBytes *body = NULL;

  g_atomic_ref_count_init (&job->refs);
  g_mutex_init (&job->lock);
  g_cond_init (&job->changed);
  job->context = g_main_context_ref (reeve_http_thread_get_context (thread));
  job->request = reeve_http_request_ref (request);
  job->options = *options;
  job->body = g_byte_array_new ();
  job->client = reeve_http_thread_ref_client (thread, error);
  if (job->client != NULL
      && reeve_http_thread_submit (thread, reeve_net_http_job_start, reeve_net_http_job_ref (job),
                                   reeve_net_http_job_unref, error))
    response = reeve_net_http_job_wait (job, cancellable, error);
  body = response != NULL ? reeve_http_response_get_body (response) : NULL;
  if (body != NULL)
    *received = g_bytes_get_size (body);
  else
    *received = job->body != NULL ? job->body->len : 0;
  reeve_net_http_job_unref (job);
  return response;
}
