/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRunQueue: which runs of an agent go, and which wait for one of them to end. Users take
 * turns. No lock, no clock and no I/O of its own: it belongs to ReeveRuns, under its lock. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ReeveRunQueue ReeveRunQueue;

typedef struct
{
  const char *tenant_id;
  const char *agent_id;
  const char *user_id; /* who asked */
  const char *run_id;
  const char *workspace_id; /* (nullable): where the agent lies */
  guint limit;              /* how many of the agent's go at once, as its definition says; 0: all */
  guint bound;              /* … as its tenant says; 0: all */
  guint length;             /* how many of its may wait */
  gint64 now;               /* monotonic µs */
} ReeveRunQueueAsk;

typedef enum
{
  REEVE_RUN_QUEUE_GO,
  REEVE_RUN_QUEUE_WAIT, /* it stands in the queue now */
  REEVE_RUN_QUEUE_FULL  /* there is no place for it */
} ReeveRunQueueAnswer;

typedef struct
{
  guint place;   /* 1: the next one */
  guint waiting; /* how many of the agent's wait */
  guint going;
  guint limit;
} ReeveRunQueueState;

ReeveRunQueue *reeve_run_queue_new (void) G_GNUC_WARN_UNUSED_RESULT;
void reeve_run_queue_free (ReeveRunQueue *self);
/* A new run. */
ReeveRunQueueAnswer reeve_run_queue_enter (ReeveRunQueue *self, const ReeveRunQueueAsk *ask);
/* Would a new run of this user go, wait or find no place? Nothing is changed; its limit is that of
 * the agent's last run, unless it has none now, and put into @ask. Place 0: it would go. */
ReeveRunQueueAnswer reeve_run_queue_look (ReeveRunQueue *self, ReeveRunQueueAsk *ask,
                                          ReeveRunQueueState *state);
/* Would a new run of this user go or wait? Its limit is that of the agent's last run, and put into
 * @ask. *workspace_id (transfer none) (nullable): where the agent lies. */
gboolean reeve_run_queue_has_place (ReeveRunQueue *self, ReeveRunQueueAsk *ask,
                                    const char **workspace_id);
/* TRUE: the first of the user's that had no place since one had. */
gboolean reeve_run_queue_note_refused (ReeveRunQueue *self, const ReeveRunQueueAsk *ask);
/* One that goes already, whatever the limit. */
void reeve_run_queue_add_going (ReeveRunQueue *self, const ReeveRunQueueAsk *ask);
/* A run has ended, or waits no more. bound: of the tenant, as it is now. (transfer full): ids of
 * those that go now. */
char **reeve_run_queue_leave (ReeveRunQueue *self, const char *tenant_id, const char *agent_id,
                              const char *run_id, guint bound, gint64 now);
/* Limits may have changed; limit (nullable): that of the definition. The same. */
char **reeve_run_queue_review (ReeveRunQueue *self, const char *tenant_id, const char *agent_id,
                               const guint *limit, guint bound, gint64 now);
/* (transfer full): the agents of a tenant that have runs. */
char **reeve_run_queue_list_agents (ReeveRunQueue *self, const char *tenant_id);
/* FALSE: it does not wait. */
gboolean reeve_run_queue_find (ReeveRunQueue *self, const char *tenant_id, const char *agent_id,
                               const char *run_id, ReeveRunQueueState *state);
/* How many of a user's wait, and of all; in how many seconds a place may be free. */
void reeve_run_queue_describe (ReeveRunQueue *self, const ReeveRunQueueAsk *ask, guint *own,
                               guint *waiting, guint *wait);
/* How many of a tenant's wait. */
guint reeve_run_queue_get_waiting (ReeveRunQueue *self, const char *tenant_id);
/* How many agents have runs. */
guint reeve_run_queue_get_size (ReeveRunQueue *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRunQueue, reeve_run_queue_free)

G_END_DECLS
