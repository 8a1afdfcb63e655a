/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Side by side, so that a witness that stalls costs its time once and not the others theirs. */
#include "witness-post.h"

#include <string.h>

#include "governance/witness-answer.h"

/* for all of a request */
#define REEVE_WITNESS_POST_MS 5000

/* One call of run(). */
typedef struct
{
  GMutex mutex;
  GCond ended;
  guint waiting; /* under the mutex */
} ReeveWitnessPostRun;

/* One request: the thread's until it has ended. */
typedef struct
{
  ReeveWitnessPostRun *run;
  ReeveWitnessPost *post;
  ReeveHttpRequest *request;
  ReeveHttpClient *http;
} ReeveWitnessPostJob;

/* (transfer full) job */
static void
reeve_witness_post_end (ReeveWitnessPostJob *job, const GError *error)
{
  ReeveWitnessPostRun *run = job->run;

  if (error != NULL)
    {
      job->post->status = 0;
      job->post->error = g_strdup (error->message);
      job->post->ours = g_error_matches (error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
    }
  g_clear_object (&job->http);
  g_clear_pointer (&job->request, reeve_http_request_unref);
  g_free (job);
  g_mutex_lock (&run->mutex);
  run->waiting--;
  g_cond_signal (&run->ended);
  g_mutex_unlock (&run->mutex);
}

static void
reeve_witness_post_on_head (ReeveUpstreamCall *call, ReeveHttpResponse *head, gpointer user_data)
{
  ((ReeveWitnessPostJob *) user_data)->post->status = reeve_http_response_get_status (head);
}

static void
reeve_witness_post_on_data (ReeveUpstreamCall *call, const guint8 *data, gsize length,
                            gpointer user_data)
{
  g_byte_array_append (((ReeveWitnessPostJob *) user_data)->post->answer, data, (guint) length);
}

static void
reeve_witness_post_on_done (ReeveUpstreamCall *call, const GError *error, gpointer user_data)
{
  reeve_witness_post_end (user_data, error);
}

static const ReeveUpstreamHandlers reeve_witness_post_handlers = {
  .head = reeve_witness_post_on_head,
  .data = reeve_witness_post_on_data,
  .done = reeve_witness_post_on_done,
};

/* On the thread. */
static gboolean
reeve_witness_post_start (gpointer user_data)
{
  ReeveWitnessPostJob **slot = user_data;
  ReeveWitnessPostJob *job = g_steal_pointer (slot);
  const ReeveUpstreamOptions options = { .connect_ms = REEVE_WITNESS_POST_MS,
                                         .first_byte_ms = REEVE_WITNESS_POST_MS,
                                         .idle_ms = REEVE_WITNESS_POST_MS,
                                         .total_ms = REEVE_WITNESS_POST_MS,
                                         .max_response = REEVE_WITNESS_ANSWER_LONGEST };

  reeve_upstream_start (REEVE_UPSTREAM (job->http), job->request, &options,
                        &reeve_witness_post_handlers, job);
  return G_SOURCE_REMOVE;
}

/* One that was never started: the host is shutting down. */
static void
reeve_witness_post_drop (gpointer data)
{
  ReeveWitnessPostJob **slot = data;

  if (*slot != NULL)
    {
      g_autoptr (GError) error
          = g_error_new_literal (REEVE_ERROR, REEVE_ERROR_CANCELLED, "the host is shutting down");

      reeve_witness_post_end (*slot, error);
    }
  g_free (slot);
}

static void
reeve_witness_post_send (ReeveHttpThread *thread, ReeveWitnessPostRun *run, ReeveWitnessPost *post)
{
  ReeveWitnessPostJob *job = g_new0 (ReeveWitnessPostJob, 1);
  ReeveWitnessPostJob **slot = g_new (ReeveWitnessPostJob *, 1);
  g_autoptr (GBytes) body = g_bytes_new (post->body, strlen (post->body));

  job->run = run;
  job->post = post;
  job->request = reeve_http_request_new ("POST", post->url);
  reeve_http_request_set_body (job->request, "text/plain; charset=utf-8", body);
  /* twice is as once: the witness says which size it has */
  reeve_http_request_set_idempotent (job->request, TRUE);
  job->http = reeve_http_thread_ref_client (thread, NULL);
  *slot = job;
  if (job->http != NULL)
    reeve_http_thread_submit (thread, reeve_witness_post_start, slot, reeve_witness_post_drop,
                              NULL);
  else
    reeve_witness_post_drop (slot);
}

/**
 * reeve_witness_post_run:
 * @thread: what serves the connections
 * @posts: url and body of each; the rest is set
 * @count: how many
 */
void
reeve_witness_post_run (ReeveHttpThread *thread, ReeveWitnessPost *posts, guint count)
{
  ReeveWitnessPostRun run = { .waiting = count };

  g_mutex_init (&run.mutex);
  g_cond_init (&run.ended);
  for (guint i = 0; i < count; i++)
    {
      posts[i].answer = g_byte_array_new ();
      reeve_witness_post_send (thread, &run, &posts[i]);
    }
  g_mutex_lock (&run.mutex);
  while (run.waiting > 0)
    g_cond_wait (&run.ended, &run.mutex);
  g_mutex_unlock (&run.mutex);
  g_cond_clear (&run.ended);
  g_mutex_clear (&run.mutex);
}

/**
 * reeve_witness_post_clear:
 * @self: one that was sent
 */
void
reeve_witness_post_clear (ReeveWitnessPost *self)
{
  g_clear_pointer (&self->answer, g_byte_array_unref);
  g_clear_pointer (&self->error, g_free);
}
