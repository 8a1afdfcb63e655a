/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plugin that is whole: it takes as much of the machine as it is told to, and says how far it
 * came. How far the host lets it is what tests look at. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "one-tool.h"

/* MiB of address space. Returns errno, or 0 */
static int
hungry_take_space (gint64 amount)
{
  gsize size = (gsize) amount * 1024 * 1024;
  void *memory = mmap (NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

  if (memory == MAP_FAILED)
    return errno;
  munmap (memory, size);
  return 0;
}

/* MiB of memory, written to. */
static int
hungry_take_memory (gint64 amount)
{
  gsize size = (gsize) amount * 1024 * 1024;
  void *memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (memory == MAP_FAILED)
    return errno;
  for (gsize i = 0; i < size; i += 4096)
    ((volatile char *) memory)[i] = 1;
  munmap (memory, size);
  return 0;
}

static GMutex hungry_gate;

static gpointer
hungry_stay (gpointer data)
{
  g_mutex_lock (&hungry_gate);
  g_mutex_unlock (&hungry_gate);
  return NULL;
}

/* Threads at once. */
static int
hungry_take_threads (gint64 amount)
{
  g_autofree pthread_t *threads = g_new0 (pthread_t, amount);
  gint64 n = 0;
  int code = 0;

  g_mutex_lock (&hungry_gate);
  while (n < amount && (code = pthread_create (&threads[n], NULL, hungry_stay, NULL)) == 0)
    n++;
  g_mutex_unlock (&hungry_gate);
  while (n > 0)
    pthread_join (threads[--n], NULL);
  return code;
}

static gpointer
hungry_spin (gpointer data)
{
  struct timespec used = { 0 };
  gint64 until = GPOINTER_TO_INT (data);

  while (used.tv_sec * 1000 + used.tv_nsec / 1000000 < until)
    clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &used);
  return NULL;
}

/* Milliseconds of the processors, by four threads. */
static int
hungry_take_cpu (gint64 amount)
{
  struct timespec used = { 0 };
  GThread *threads[4] = { NULL };

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &used);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new (
        "spins", hungry_spin,
        GINT_TO_POINTER ((int) (used.tv_sec * 1000 + used.tv_nsec / 1000000 + amount)));
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  return 0;
}

/* Code that is made while it runs: a function that returns 42, where it is known how. */
static int
hungry_make_code (gint64 amount)
{
  void *memory = mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int code = 0;

  if (memory == MAP_FAILED)
    return errno;
#ifdef __x86_64__
  memcpy (memory, "\xb8\x2a\x00\x00\x00\xc3", 6);
#endif
  code = mprotect (memory, 4096, PROT_READ | PROT_EXEC) == 0 ? 0 : errno;
#ifdef __x86_64__
  if (code == 0)
    {
      int (*made) (void) = NULL;

      memcpy (&made, &memory, sizeof made);
      code = made () == 42 ? 0 : ENOEXEC;
    }
#endif
  munmap (memory, 4096);
  return code;
}

static const struct
{
  const char *name;
  int (*take) (gint64 amount);
} hungry_ways[] = { { "space", hungry_take_space },
                    { "memory", hungry_take_memory },
                    { "threads", hungry_take_threads },
                    { "cpu", hungry_take_cpu },
                    { "code", hungry_make_code } };

/* {what, amount}: the number of the error, or 0 */
static ReeveToolResult *
one_tool_call (ReeveTool *tool, const char *name, JsonObject *arguments, ReeveContext *context,
               GError **error)
{
  const char *what = reeve_json_get_string (arguments, "what", "");
  int code = -1;
  g_autofree char *text = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (hungry_ways); i++)
    {
      if (strcmp (hungry_ways[i].name, what) == 0)
        code = hungry_ways[i].take (reeve_json_get_int (arguments, "amount", 0));
    }
  text = g_strdup_printf ("%d", code);
  return reeve_tool_result_new (text, NULL, FALSE);
}

ONE_TOOL_PLUGIN ("hungry");
