/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One question, one POST; never twice but on a stale connection, since a question has no effect.
 * After one that was not answered nobody is sent for a while, then one alone, until one is
 * answered: calls of tools do not queue up behind an agent that is down. */
#include "opa-client.h"

#include <string.h>

#include "opa-request.h"

struct _ReeveOpaClient
{
  GObject parent_instance;

  char *base_url;      /* without a slash at its end */
  char *decision_path; /* {tenant} stands for one */
  char *health_url;
  char *authorization; /* (nullable) */
  guint timeout_ms;
  gint64 backoff;
  gboolean closed;
  ReeveHttpThread *thread;
  GMutex lock;     /* guards what follows */
  gint64 retry_at; /* monotonic; 0: it was reached */
  gboolean trying; /* one is sent to see whether it is back */
};

/* One request. */
typedef struct
{
  ReeveOpaClient *client;
  gboolean health; /* whether it is there is all that is asked */
  gboolean trial;
  ReevePolicyAdviserDone done;
  gpointer user_data;
} ReeveOpaClientJob;

static void reeve_opa_client_adviser_init (ReevePolicyAdviserInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ReeveOpaClient, reeve_opa_client, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_POLICY_ADVISER,
                                                      reeve_opa_client_adviser_init))

static void
reeve_opa_client_finalize (GObject *object)
{
  ReeveOpaClient *self = REEVE_OPA_CLIENT (object);

  g_clear_pointer (&self->thread, reeve_http_thread_free);
  g_free (self->base_url);
  g_free (self->decision_path);
  g_free (self->health_url);
  g_free (self->authorization);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (reeve_opa_client_parent_class)->finalize (object);
}

static void
reeve_opa_client_class_init (ReeveOpaClientClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_opa_client_finalize;
}

static void
reeve_opa_client_init (ReeveOpaClient *self)
{
  g_mutex_init (&self->lock);
}

/**
 * reeve_opa_client_new:
 * @settings: how it is reached
 * @trust: certificates to trust unless @settings names a file
 *
 * Returns: (transfer full): a client; nothing is sent yet
 */
ReeveOpaClient *
reeve_opa_client_new (const ReeveOpaClientSettings *settings, ReeveHttpTrust *trust)
{
  ReeveOpaClient *self = g_object_new (REEVE_TYPE_OPA_CLIENT, NULL);
  gsize length = strlen (settings->url);
  g_autofree char *base
      = g_strndup (settings->url, g_str_has_suffix (settings->url, "/") ? length - 1 : length);
  g_autoptr (ReeveHttpTrust) own
      = settings->ca != NULL ? reeve_http_trust_new (settings->ca) : reeve_http_trust_ref (trust);

  self->health_url = g_strconcat (base, "/health", NULL);
  self->base_url = g_steal_pointer (&base);
  self->decision_path = g_strdup (settings->path);
  if (settings->token != NULL && *settings->token != '\0')
    self->authorization = g_strconcat ("Bearer ", settings->token, NULL);
  self->timeout_ms = settings->timeout_ms;
  self->backoff = (gint64) settings->backoff_ms * 1000;
  self->closed = settings->closed;
  self->thread = reeve_http_thread_new ("reeve-opa", own);
  return self;
}

/**
 * reeve_opa_client_shutdown:
 * @self: a client
 *
 * Twice is as once.
 */
void
reeve_opa_client_shutdown (ReeveOpaClient *self)
{
  reeve_http_thread_shutdown (self->thread);
}

/* ---- whether it is worth asking ---- */

/* FALSE: it was not reached a moment ago. *@trial: it is to be seen whether it is back. */
static gboolean
reeve_opa_client_may_ask (ReeveOpaClient *self, gboolean *trial)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  *trial = FALSE;
  if (self->retry_at == 0)
    return TRUE;
  if (self->trying || g_get_monotonic_time () < self->retry_at)
    return FALSE;
  self->trying = *trial = TRUE;
  return TRUE;
}

/* What the end of a request tells of the other side. */
static void
reeve_opa_client_learn (ReeveOpaClient *self, gboolean trial, gboolean reached, const char *text)
{
  gboolean changed = FALSE;

  g_mutex_lock (&self->lock);
  changed = (self->retry_at == 0) != reached;
  self->retry_at = reached ? 0 : g_get_monotonic_time () + self->backoff;
  if (trial)
    self->trying = FALSE;
  g_mutex_unlock (&self->lock);
  if (changed && reached)
    g_message ("the policy agent at %s answers again", self->base_url);
  else if (changed)
    g_warning ("the policy agent at %s does not answer, %s decides: %s", self->base_url,
               self->closed ? "nobody, so that no tool is called," : "the tool policy alone",
               text != NULL ? text : "");
}

static void
reeve_opa_client_give_up_trial (ReeveOpaClient *self, gboolean trial)
{
  if (!trial)
    return;
  g_mutex_lock (&self->lock);
  self->trying = FALSE;
  g_mutex_unlock (&self->lock);
}

static ReevePolicyAdvice *
reeve_opa_client_fail (ReeveOpaClient *self, const char *text)
{
  ReevePolicyAdvice *advice = reeve_policy_advice_new (REEVE_POLICY_ADVICE_UNREACHABLE, text);

  advice->closed = self->closed;
  return advice;
}

/* ---- one request ---- */

static void
reeve_opa_client_on_answer (ReevePolicyAdvice *advice, gboolean ours, gpointer user_data)
{
  ReeveOpaClientJob *job = user_data;
  g_autoptr (ReeveOpaClient) self = job->client;

  advice->closed = self->closed;
  if (ours || job->health)
    reeve_opa_client_give_up_trial (self, job->trial);
  else
    reeve_opa_client_learn (self, job->trial, advice->kind != REEVE_POLICY_ADVICE_UNREACHABLE,
                            advice->text);
  /* it is there, so no other question waits for this one; who wrote its policy wants to know */
  if (advice->kind == REEVE_POLICY_ADVICE_UNREADABLE && !job->health)
    g_warning ("the policy agent at %s gives an answer that cannot be read, which is a no: %s",
               self->base_url, advice->text != NULL ? advice->text : "");
  job->done (advice, job->user_data);
  g_free (job);
}

/* (transfer full) request; done() is called in any case. */
static void
reeve_opa_client_send (ReeveOpaClientJob *job, ReeveHttpRequest *request)
{
  const ReeveOpaRequestSetup setup = { .thread = job->client->thread,
                                       .request = request,
                                       .timeout_ms = job->client->timeout_ms,
                                       .health = job->health,
                                       .done = reeve_opa_client_on_answer,
                                       .user_data = job };

  if (job->client->authorization != NULL)
    reeve_http_request_add_header (request, "Authorization", job->client->authorization);
  reeve_http_request_add_header (request, "Accept", "application/json");
  reeve_http_request_set_idempotent (request, TRUE);
  reeve_opa_request_send (&setup);
  reeve_http_request_unref (request);
}

static ReeveOpaClientJob *
reeve_opa_client_job_new (ReeveOpaClient *self, ReevePolicyAdviserDone done, gpointer user_data)
{
  ReeveOpaClientJob *job = g_new0 (ReeveOpaClientJob, 1);

  job->client = g_object_ref (self);
  job->done = done;
  job->user_data = user_data;
  return job;
}

/* ---- as an adviser ---- */

/* Where the decision about a tenant's calls stands. */
static char *
reeve_opa_client_write_url (ReeveOpaClient *self, const char *tenant_id)
{
  g_autofree char *escaped = g_uri_escape_string (tenant_id, NULL, FALSE);
  g_autoptr (GString) url = g_string_new (self->decision_path);

  g_string_replace (url, "{tenant}", escaped, 0);
  g_string_prepend_c (url, '/');
  g_string_prepend (url, self->base_url);
  return g_string_free (g_steal_pointer (&url), FALSE);
}

static void
reeve_opa_client_ask (ReevePolicyAdviser *adviser, const char *tenant_id, GBytes *question,
                      ReevePolicyAdviserDone done, gpointer user_data)
{
  ReeveOpaClient *self = REEVE_OPA_CLIENT (adviser);
  ReeveOpaClientJob *job = NULL;
  ReeveHttpRequest *request = NULL;
  g_autofree char *url = NULL;
  gboolean trial = FALSE;

  /* whoever calls with much must not get by unasked */
  if (g_bytes_get_size (question) > REEVE_OPA_CLIENT_LONGEST)
    {
      done (reeve_policy_advice_new (REEVE_POLICY_ADVICE_DENY, "the question is too long"),
            user_data);
      return;
    }
  if (!reeve_opa_client_may_ask (self, &trial))
    {
      done (reeve_opa_client_fail (self, "it was not reached a moment ago"), user_data);
      return;
    }
  job = reeve_opa_client_job_new (self, done, user_data);
  job->trial = trial;
  url = reeve_opa_client_write_url (self, tenant_id);
  request = reeve_http_request_new ("POST", url);
  reeve_http_request_set_body (request, "application/json", question);
  reeve_opa_client_send (job, request);
}

static void
reeve_opa_client_check (ReevePolicyAdviser *adviser, ReevePolicyAdviserDone done,
                        gpointer user_data)
{
  ReeveOpaClient *self = REEVE_OPA_CLIENT (adviser);
  ReeveOpaClientJob *job = reeve_opa_client_job_new (self, done, user_data);

  job->health = TRUE;
  reeve_opa_client_send (job, reeve_http_request_new ("GET", self->health_url));
}

static void
reeve_opa_client_adviser_init (ReevePolicyAdviserInterface *iface)
{
  iface->ask = reeve_opa_client_ask;
  iface->check = reeve_opa_client_check;
}
