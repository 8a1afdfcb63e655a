/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The interface behind which whoever advises stands, and the two ways to wait for him. */
#include "policy-adviser.h"

#include "base/log-task.h"

G_DEFINE_INTERFACE (ReevePolicyAdviser, reeve_policy_adviser, G_TYPE_OBJECT)

/* One who blocks until he has his answer. */
typedef struct
{
  GMutex lock;
  GCond changed;
  ReevePolicyAdvice *advice;
} ReevePolicyAdviserWait;

static void
reeve_policy_adviser_default_init (ReevePolicyAdviserInterface *iface)
{
}

static void
reeve_policy_adviser_on_task (ReevePolicyAdvice *advice, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  g_task_return_pointer (task, advice, (GDestroyNotify) reeve_policy_advice_free);
}

/**
 * reeve_policy_adviser_ask_async:
 * @self: an adviser
 * @tenant_id: whose call it is
 * @question: JSON
 * @callback: called in the caller's thread-default context
 * @user_data: for @callback
 */
void
reeve_policy_adviser_ask_async (ReevePolicyAdviser *self, const char *tenant_id, GBytes *question,
                                GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = reeve_log_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, reeve_policy_adviser_ask_async);
  REEVE_POLICY_ADVISER_GET_IFACE (self)->ask (self, tenant_id, question,
                                              reeve_policy_adviser_on_task, task);
}

/**
 * reeve_policy_adviser_ask_finish:
 * @self: an adviser
 * @result: what the callback got
 *
 * Returns: (transfer full): the advice, never %NULL
 */
ReevePolicyAdvice *
reeve_policy_adviser_ask_finish (ReevePolicyAdviser *self, GAsyncResult *result)
{
  return g_task_propagate_pointer (G_TASK (result), NULL);
}

static void
reeve_policy_adviser_on_wait (ReevePolicyAdvice *advice, gpointer user_data)
{
  ReevePolicyAdviserWait *wait = user_data;

  g_mutex_lock (&wait->lock);
  wait->advice = advice;
  g_cond_signal (&wait->changed);
  g_mutex_unlock (&wait->lock);
}

static void
reeve_policy_adviser_wait_init (ReevePolicyAdviserWait *wait)
{
  g_mutex_init (&wait->lock);
  g_cond_init (&wait->changed);
  wait->advice = NULL;
}

/* Returns: (transfer full): the advice, when it is there; clears @wait */
static ReevePolicyAdvice *
reeve_policy_adviser_wait (ReevePolicyAdviserWait *wait)
{
  g_mutex_lock (&wait->lock);
  while (wait->advice == NULL)
    g_cond_wait (&wait->changed, &wait->lock);
  g_mutex_unlock (&wait->lock);
  g_mutex_clear (&wait->lock);
  g_cond_clear (&wait->changed);
  return wait->advice;
}

/**
 * reeve_policy_adviser_ask:
 * @self: an adviser
 * @tenant_id: whose call it is
 * @question: JSON
 *
 * Blocks; worker threads.
 *
 * Returns: (transfer full): the advice, never %NULL
 */
ReevePolicyAdvice *
reeve_policy_adviser_ask (ReevePolicyAdviser *self, const char *tenant_id, GBytes *question)
{
  ReevePolicyAdviserWait wait;

  reeve_policy_adviser_wait_init (&wait);
  REEVE_POLICY_ADVISER_GET_IFACE (self)->ask (self, tenant_id, question,
                                              reeve_policy_adviser_on_wait, &wait);
  return reeve_policy_adviser_wait (&wait);
}

/**
 * reeve_policy_adviser_check:
 * @self: an adviser
 *
 * Blocks; worker threads.
 *
 * Returns: (transfer full): %REEVE_POLICY_ADVICE_ALLOW where it is there and well, else why not
 */
ReevePolicyAdvice *
reeve_policy_adviser_check (ReevePolicyAdviser *self)
{
  ReevePolicyAdviserWait wait;

  reeve_policy_adviser_wait_init (&wait);
  REEVE_POLICY_ADVISER_GET_IFACE (self)->check (self, reeve_policy_adviser_on_wait, &wait);
  return reeve_policy_adviser_wait (&wait);
}
