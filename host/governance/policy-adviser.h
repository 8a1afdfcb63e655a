/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePolicyAdviser: somebody outside the host who is asked about a call of a tool besides the
 * tool policy, such as an Open Policy Agent. He can say no, never more than the tool policy allows.
 *
 * Ownership: ask() takes its own reference on the question; done() is called exactly once, on any
 * thread, also from within ask(), and gets the advice (transfer full). There is always an answer.
 */
#pragma once

#include <gio/gio.h>

#include "policy-advice.h"

G_BEGIN_DECLS

#define REEVE_TYPE_POLICY_ADVISER (reeve_policy_adviser_get_type ())
G_DECLARE_INTERFACE (ReevePolicyAdviser, reeve_policy_adviser, REEVE, POLICY_ADVISER, GObject)

typedef void (*ReevePolicyAdviserDone) (ReevePolicyAdvice *advice, gpointer user_data);

struct _ReevePolicyAdviserInterface
{
  GTypeInterface parent_iface;

  void (*ask) (ReevePolicyAdviser *self, const char *tenant_id, GBytes *question,
               ReevePolicyAdviserDone done, gpointer user_data);
  void (*check) (ReevePolicyAdviser *self, ReevePolicyAdviserDone done, gpointer user_data);
};

/* Any thread; does not block. The callback comes in the caller's thread-default context. */
void reeve_policy_adviser_ask_async (ReevePolicyAdviser *self, const char *tenant_id,
                                     GBytes *question, GAsyncReadyCallback callback,
                                     gpointer user_data);
ReevePolicyAdvice *reeve_policy_adviser_ask_finish (ReevePolicyAdviser *self, GAsyncResult *result);
/* The same, blocking; worker threads. */
ReevePolicyAdvice *reeve_policy_adviser_ask (ReevePolicyAdviser *self, const char *tenant_id,
                                             GBytes *question);

/* Is it there? Blocks; worker threads. (transfer full): allow, or why not */
ReevePolicyAdvice *reeve_policy_adviser_check (ReevePolicyAdviser *self);

G_END_DECLS
