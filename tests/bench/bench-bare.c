/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The floor of bench_memory.py: a process that has GIO's types and a thread, as the runner of a
 * plugin has, and does nothing. */
#include <gio/gio.h>
#include <stdio.h>

static gpointer
bench_bare_wait (gpointer data)
{
  GAsyncQueue *queue = data;

  return g_async_queue_pop (queue);
}

int
main (void)
{
  g_autoptr (GAsyncQueue) queue = g_async_queue_new ();
  GThread *thread = NULL;

  g_type_ensure (G_TYPE_TASK);
  g_type_ensure (G_TYPE_DBUS_MESSAGE);
  thread = g_thread_new ("bare", bench_bare_wait, queue);
  printf ("%s\n", "ready");
  fflush (stdout);
  /* until whoever measures goes */
  while (getchar () != EOF)
    ;
  g_async_queue_push (queue, queue);
  g_thread_join (thread);
  return 0;
}
