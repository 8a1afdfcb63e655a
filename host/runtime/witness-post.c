/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Side by side, so that a witness that stalls costs its time once and not the others theirs. */
#include "witness-post.h"

#include <string.h>

#include "governance/witness-answer.h"

#include "http-exchange.h"

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
} ReeveWitnessPostJob;

static void
reeve_witness_post_on_done (guint status, const GByteArray *body, const GError *error,
                            gpointer user_data)
{
  g_autofree ReeveWitnessPostJob *job = user_data;
  ReeveWitnessPostRun *run = job->run;

  g_byte_array_append (job->post->answer, body->data, body->len);
  job->post->status = error == NULL ? status : 0;
  if (error != NULL)
    {
      job->post->error = g_strdup (error->message);
      job->post->ours = g_error_matches (error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
    }
  g_mutex_lock (&run->mutex);
  run->waiting--;
  g_cond_signal (&run->ended);
  g_mutex_unlock (&run->mutex);
}

static void
reeve_witness_post_send (ReeveHttpThread *thread, ReeveWitnessPostRun *run, ReeveWitnessPost *post)
{
  ReeveWitnessPostJob *job = g_new0 (ReeveWitnessPostJob, 1);
  g_autoptr (GBytes) body = g_bytes_new (post->body, strlen (post->body));
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("POST", post->url);
  const ReeveHttpExchangeSetup exchange = { .thread = thread,
                                            .request = request,
                                            .timeout_ms = REEVE_WITNESS_POST_MS,
                                            .longest = REEVE_WITNESS_ANSWER_LONGEST,
                                            .done = reeve_witness_post_on_done,
                                            .user_data = job };

  job->run = run;
  job->post = post;
  reeve_http_request_set_body (request, "text/plain; charset=utf-8", body);
  /* twice is as once: the witness says which size it has */
  reeve_http_request_set_idempotent (request, TRUE);
  reeve_http_exchange_send (&exchange);
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
