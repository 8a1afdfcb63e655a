/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bounded pool of threads for work that blocks. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define REEVE_WORKERS_MIN   8
#define REEVE_WORKERS_MAX   16
#define REEVE_WORKERS_QUEUE 256

typedef struct _ReeveWorkers ReeveWorkers;

typedef void (*ReeveWorkersFunc) (gpointer data);

typedef struct
{
  guint threads;     /* alive now */
  guint running;     /* jobs being run */
  guint depth;       /* jobs waiting */
  guint queue_limit; /* how many may wait */
  guint64 completed;
  guint64 refused;
} ReeveWorkersStatus;

/* min and max threads; queue: how many jobs may wait beyond those that run */
ReeveWorkers *reeve_workers_new (const char *name, guint min_threads, guint max_threads,
                                 guint queue) G_GNUC_WARN_UNUSED_RESULT;
ReeveWorkers *reeve_workers_ref (ReeveWorkers *self);
void reeve_workers_unref (ReeveWorkers *self);

/* The job logs with the context of who gave it.
 * REEVE_ERROR_BUSY when the queue is full, REEVE_ERROR_UNAVAILABLE after the shutdown; data is then
 * the caller's still */
gboolean reeve_workers_push (ReeveWorkers *self, ReeveWorkersFunc func, gpointer data,
                             GError **error);
/* Runs func in the pool with the task; func returns through g_task_return_*(). A refusal is
 * returned through the task too. */
void reeve_workers_run_task (ReeveWorkers *self, GTask *task, GTaskThreadFunc func);

/* Takes no new job, finishes the queued ones, joins the threads. Not from a job. Idempotent. */
void reeve_workers_shutdown (ReeveWorkers *self);
void reeve_workers_get_status (ReeveWorkers *self, ReeveWorkersStatus *status);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveWorkers, reeve_workers_unref)

G_END_DECLS
