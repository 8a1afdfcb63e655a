/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pool: bounds, refusal, order at the shutdown, tasks. */
#include "base/workers.h"

#include "base/log.h"

#include <reeve-error.h>

typedef struct
{
  GMutex lock;
  GCond cond;
  guint started;
  guint done;
  gboolean open;
} Gate;

static Gate *
gate_new (void)
{
  Gate *gate = g_new0 (Gate, 1);
  g_mutex_init (&gate->lock);
  g_cond_init (&gate->cond);
  return gate;
}

static void
gate_free (Gate *gate)
{
  g_mutex_clear (&gate->lock);
  g_cond_clear (&gate->cond);
  g_free (gate);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Gate, gate_free)

static void
gate_job (gpointer data)
{
  Gate *gate = data;

  g_mutex_lock (&gate->lock);
  gate->started++;
  g_cond_broadcast (&gate->cond);
  while (!gate->open)
    g_cond_wait (&gate->cond, &gate->lock);
  gate->done++;
  g_mutex_unlock (&gate->lock);
}

static void
gate_wait_started (Gate *gate, guint number)
{
  g_mutex_lock (&gate->lock);
  while (gate->started < number)
    g_cond_wait (&gate->cond, &gate->lock);
  g_mutex_unlock (&gate->lock);
}

static void
gate_open (Gate *gate)
{
  g_mutex_lock (&gate->lock);
  gate->open = TRUE;
  g_cond_broadcast (&gate->cond);
  g_mutex_unlock (&gate->lock);
}

static void
test_workers_bounds (void)
{
  g_autoptr (Gate) gate = gate_new ();
  g_autoptr (ReeveWorkers) workers = reeve_workers_new ("test", 2, 4, 10);
  g_autoptr (GError) error = NULL;
  ReeveWorkersStatus status;

  reeve_workers_get_status (workers, &status);
  g_assert_cmpuint (status.threads, ==, 0);
  for (guint i = 0; i < 14; i++)
    g_assert_true (reeve_workers_push (workers, gate_job, gate, NULL));
  gate_wait_started (gate, 4);
  reeve_workers_get_status (workers, &status);
  g_assert_cmpuint (status.threads, ==, 4);
  g_assert_cmpuint (status.running, ==, 4);
  g_assert_cmpuint (status.depth, ==, 10);
  g_assert_cmpuint (status.queue_limit, ==, 10);

  g_assert_false (reeve_workers_push (workers, gate_job, gate, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_BUSY);
  gate_open (gate);
  reeve_workers_shutdown (workers);
  g_assert_cmpuint (gate->done, ==, 14);
  reeve_workers_get_status (workers, &status);
  g_assert_cmpuint (status.threads, ==, 0);
  g_assert_cmpuint (status.completed, ==, 14);
  g_assert_cmpuint (status.refused, ==, 1);

  g_clear_error (&error);
  g_assert_false (reeve_workers_push (workers, gate_job, gate, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);
  reeve_workers_shutdown (workers);
}

static void
count_job (gpointer data)
{
  g_atomic_int_inc ((gint *) data);
}

static gpointer
pusher (gpointer data)
{
  gpointer *arguments = data;

  for (guint i = 0; i < 2000;)
    {
      if (reeve_workers_push (arguments[0], count_job, arguments[1], NULL))
        i++;
      else
        g_thread_yield ();
    }
  return NULL;
}

static void
test_workers_many (void)
{
  g_autoptr (ReeveWorkers) workers
      = reeve_workers_new ("many", REEVE_WORKERS_MIN, REEVE_WORKERS_MAX, REEVE_WORKERS_QUEUE);
  gint count = 0;
  gpointer arguments[] = { workers, &count };
  GThread *threads[4];

  for (guint i = 0; i < 4; i++)
    threads[i] = g_thread_new ("pusher", pusher, arguments);
  for (guint i = 0; i < 4; i++)
    g_thread_join (threads[i]);
  reeve_workers_shutdown (workers);
  g_assert_cmpint (g_atomic_int_get (&count), ==, 8000);
}

static void
task_func (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  if (data == NULL)
    g_task_return_new_error (task, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "nothing given");
  else
    g_task_return_int (task, GPOINTER_TO_INT (data) + 1);
}

static void
task_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_set_object ((GAsyncResult **) user_data, result);
}

static GTask *
run_task (ReeveWorkers *workers, gpointer data, GCancellable *cancellable)
{
  GAsyncResult *result = NULL;
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, task_done, &result);

  g_task_set_task_data (task, data, NULL);
  reeve_workers_run_task (workers, task, task_func);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return G_TASK (result);
}

static void
test_workers_task (void)
{
  g_autoptr (ReeveWorkers) workers = reeve_workers_new ("task", 1, 2, 4);
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();

  g_autoptr (GTask) good = run_task (workers, GINT_TO_POINTER (41), NULL);
  g_assert_cmpint (g_task_propagate_int (good, &error), ==, 42);
  g_assert_no_error (error);

  g_autoptr (GTask) bad = run_task (workers, NULL, NULL);
  g_task_propagate_int (bad, &error);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_clear_error (&error);

  g_cancellable_cancel (cancelled);
  g_autoptr (GTask) late = run_task (workers, GINT_TO_POINTER (1), cancelled);
  g_task_propagate_int (late, &error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  reeve_workers_shutdown (workers);
  g_autoptr (GTask) refused = run_task (workers, GINT_TO_POINTER (1), NULL);
  g_task_propagate_int (refused, &error);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);
}

static void
context_job (gpointer data)
{
  char **line = data;

  const GLogField fields[] = { { "MESSAGE", "x", -1 } };
  *line = reeve_log_format_line (REEVE_LOG_TEXT, G_LOG_LEVEL_INFO, fields, 1, 0);
}

/* a job's log is that of who gave it, and the next job's is not */
static void
test_workers_log_context (void)
{
  g_autoptr (ReeveWorkers) workers = reeve_workers_new ("context", 1, 1, 4);
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  reeve_log_bind_context (REEVE_LOG_RUN_ID, "run_a", REEVE_LOG_N_FIELDS);
  g_assert_true (reeve_workers_push (workers, context_job, &first, NULL));
  reeve_log_clear_context ();
  g_assert_true (reeve_workers_push (workers, context_job, &second, NULL));
  reeve_workers_shutdown (workers);
  g_assert_true (g_str_has_suffix (first, " x run_id=run_a\n"));
  g_assert_true (g_str_has_suffix (second, " x\n"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/workers/bounds", test_workers_bounds);
  g_test_add_func ("/workers/many", test_workers_many);
  g_test_add_func ("/workers/task", test_workers_task);
  g_test_add_func ("/workers/log-context", test_workers_log_context);
  return g_test_run ();
}
