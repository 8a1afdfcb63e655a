/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What GLib synchronises is no race: run under TSan with glib-sync, every case here must stay
 * silent. */

#include <gio/gio.h>

typedef struct
{
  GMutex mutex;
  GCond cond;
  GMainContext *context;
  GMainLoop *loop;
  guint value;
  gboolean done;
} Shared;

static Shared *
shared_new (void)
{
  Shared *shared = g_new0 (Shared, 1);

  g_mutex_init (&shared->mutex);
  g_cond_init (&shared->cond);
  shared->context = g_main_context_new ();
  shared->loop = g_main_loop_new (shared->context, FALSE);
  return shared;
}

static void
shared_free (Shared *shared)
{
  g_main_loop_unref (shared->loop);
  g_main_context_unref (shared->context);
  g_cond_clear (&shared->cond);
  g_mutex_clear (&shared->mutex);
  g_free (shared);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Shared, shared_free)

static gpointer
add_locked (gpointer data)
{
  Shared *shared = data;

  for (guint i = 0; i < 1000; i++)
    {
      g_mutex_lock (&shared->mutex);
      shared->value++;
      g_mutex_unlock (&shared->mutex);
    }
  return NULL;
}

static void
test_mutex (void)
{
  g_autoptr (Shared) shared = shared_new ();
  GThread *threads[4] = { NULL };

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("add", add_locked, shared);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (shared->value, ==, 4000);
}

static gpointer
signal_done (gpointer data)
{
  Shared *shared = data;

  shared->value = 7;
  g_mutex_lock (&shared->mutex);
  shared->done = TRUE;
  g_cond_signal (&shared->cond);
  g_mutex_unlock (&shared->mutex);
  return NULL;
}

static void
test_condition (void)
{
  g_autoptr (Shared) shared = shared_new ();
  GThread *thread = g_thread_new ("signal", signal_done, shared);

  g_mutex_lock (&shared->mutex);
  while (!shared->done)
    g_cond_wait (&shared->cond, &shared->mutex);
  g_mutex_unlock (&shared->mutex);
  g_assert_cmpuint (shared->value, ==, 7);
  g_thread_join (thread);
}

static gboolean
quit_loop (gpointer data)
{
  Shared *shared = data;

  shared->value++;
  g_main_loop_quit (shared->loop);
  return G_SOURCE_REMOVE;
}

static gpointer
invoke (gpointer data)
{
  Shared *shared = data;

  shared->value = 41;
  g_main_context_invoke (shared->context, quit_loop, shared);
  return NULL;
}

static void
test_context (void)
{
  g_autoptr (Shared) shared = shared_new ();
  GThread *thread = NULL;

  g_main_context_push_thread_default (shared->context);
  g_main_context_acquire (shared->context);
  thread = g_thread_new ("invoke", invoke, shared);
  g_main_loop_run (shared->loop);
  g_main_context_release (shared->context);
  g_main_context_pop_thread_default (shared->context);
  g_assert_cmpuint (shared->value, ==, 42);
  g_thread_join (thread);
}

static void
task_thread (GTask *task, gpointer object, gpointer data, GCancellable *cancellable)
{
  guint *number = data;

  *number += 1;
  g_task_return_pointer (task, g_strdup ("done"), g_free);
}

static void
task_done (GObject *object, GAsyncResult *result, gpointer data)
{
  Shared *shared = data;
  g_autofree char *text = g_task_propagate_pointer (G_TASK (result), NULL);

  g_assert_cmpstr (text, ==, "done");
  shared->value = *(guint *) g_task_get_task_data (G_TASK (result));
  g_main_loop_quit (shared->loop);
}

static void
test_task (void)
{
  g_autoptr (Shared) shared = shared_new ();
  g_autoptr (GTask) task = NULL;
  guint *number = g_new0 (guint, 1);

  g_main_context_push_thread_default (shared->context);
  task = g_task_new (NULL, NULL, task_done, shared);
  *number = 41;
  g_task_set_task_data (task, number, g_free);
  g_task_run_in_thread (task, task_thread);
  g_main_loop_run (shared->loop);
  g_main_context_pop_thread_default (shared->context);
  g_assert_cmpuint (shared->value, ==, 42);
}

static gpointer
drop_bytes (gpointer data)
{
  g_autoptr (GBytes) bytes = data;

  g_assert_cmpint (((const char *) g_bytes_get_data (bytes, NULL))[0], ==, 'x');
  return NULL;
}

static void
test_reference (void)
{
  for (guint i = 0; i < 100; i++)
    {
      GBytes *bytes = g_bytes_new_take (g_strdup ("x"), 2);
      GThread *thread = g_thread_new ("drop", drop_bytes, g_bytes_ref (bytes));

      g_assert_cmpint (((const char *) g_bytes_get_data (bytes, NULL))[0], ==, 'x');
      g_bytes_unref (bytes);
      g_thread_join (thread);
    }
}

static gpointer
once (gpointer data)
{
  static gsize ready;
  static guint *number;

  if (g_once_init_enter (&ready))
    {
      number = g_new0 (guint, 1);
      g_usleep (20000);
      *number = 42;
      g_once_init_leave (&ready, 1);
    }
  g_assert_cmpuint (*number, ==, 42);
  return NULL;
}

/* One makes it, the others wait. */
static void
test_once (void)
{
  GThread *threads[4] = { NULL };

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("once", once, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

enum
{
  CROWD_THREADS = 4,
  CROWD_TASKS = 500
};

static gpointer
return_task (gpointer data)
{
  g_autoptr (GPtrArray) tasks = data;

  for (guint i = 0; i < tasks->len; i++)
    g_task_return_boolean (g_ptr_array_index (tasks, i), TRUE);
  return NULL;
}

static void
count_task (GObject *object, GAsyncResult *result, gpointer data)
{
  *(guint *) data += 1;
}

/* The last reference to a source is now and then dropped by the thread that attached it: what the
 * context keeps of it was allocated in one thread, and is freed in another. */
static void
test_crowd (void)
{
  GThread *threads[CROWD_THREADS] = { NULL };
  guint done = 0;

  for (guint i = 0; i < CROWD_THREADS; i++)
    {
      GPtrArray *tasks = g_ptr_array_new_with_free_func (g_object_unref);

      for (guint t = 0; t < CROWD_TASKS; t++)
        g_ptr_array_add (tasks, g_task_new (NULL, NULL, count_task, &done));
      threads[i] = g_thread_new ("return", return_task, tasks);
    }
  while (done < CROWD_THREADS * CROWD_TASKS)
    g_main_context_iteration (NULL, TRUE);
  for (guint i = 0; i < CROWD_THREADS; i++)
    g_thread_join (threads[i]);
}

static void
work_on (gpointer data, gpointer user_data)
{
  Shared *shared = user_data;
  guint *number = data;

  g_mutex_lock (&shared->mutex);
  shared->value += *number;
  g_mutex_unlock (&shared->mutex);
  g_free (number);
}

static void
test_pool (void)
{
  g_autoptr (Shared) shared = shared_new ();
  GThreadPool *pool = g_thread_pool_new (work_on, shared, 4, FALSE, NULL);

  for (guint i = 0; i < 1000; i++)
    {
      guint *number = g_new (guint, 1);

      *number = i;
      g_thread_pool_push (pool, number, NULL);
    }
  g_thread_pool_free (pool, FALSE, TRUE);
  g_mutex_lock (&shared->mutex);
  g_assert_cmpuint (shared->value, ==, 999 * 500);
  g_mutex_unlock (&shared->mutex);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sync/mutex", test_mutex);
  g_test_add_func ("/sync/condition", test_condition);
  g_test_add_func ("/sync/context", test_context);
  g_test_add_func ("/sync/task", test_task);
  g_test_add_func ("/sync/reference", test_reference);
  g_test_add_func ("/sync/once", test_once);
  g_test_add_func ("/sync/crowd", test_crowd);
  g_test_add_func ("/sync/pool", test_pool);
  return g_test_run ();
}
