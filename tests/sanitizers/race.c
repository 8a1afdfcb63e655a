/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Races on purpose: `race NAME` makes that one, and test_race.py holds that the checker, with all
 * its suppressions, reports it. Never linked to anything else. */

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <stdlib.h>

typedef struct
{
  char *text;
  GHashTable *table;
  GPtrArray *array;
  GString *string;
  GQueue *queue;
  GList *list;
  GError *error;
  GBytes *bytes;
  JsonObject *object;
  guint number;
  GMutex lock;
} Race;

/* the two threads meet at no primitive that the checker knows */
static guint race_turn;

static void
race_wait (guint turn)
{
  while (__atomic_load_n (&race_turn, __ATOMIC_RELAXED) < turn)
    g_usleep (100);
}

static void
race_next (void)
{
  __atomic_fetch_add (&race_turn, 1, __ATOMIC_RELAXED);
}

static void
memory_one (Race *race)
{
  race->text[0] = 'a';
}

static void
free_one (Race *race)
{
  g_free (race->text);
}

static void
strdup_one (Race *race)
{
  g_free (g_strdup (race->text));
}

static void
table_one (Race *race)
{
  g_hash_table_add (race->table, race);
}

static void
table_two (Race *race)
{
  g_hash_table_contains (race->table, race);
}

static void
array_one (Race *race)
{
  g_ptr_array_add (race->array, race);
}

static void
array_two (Race *race)
{
  race->number += race->array->len;
}

static void
string_one (Race *race)
{
  g_string_append (race->string, "more");
}

static void
queue_one (Race *race)
{
  g_queue_push_tail (race->queue, race);
}

static void
queue_two (Race *race)
{
  g_queue_pop_head (race->queue);
}

static void
list_one (Race *race)
{
  race->list->data = NULL;
}

static void
error_one (Race *race)
{
  g_error_free (race->error);
}

static void
error_two (Race *race)
{
  race->number += (guint) race->error->code;
}

static void
bytes_one (Race *race)
{
  ((char *) g_bytes_get_data (race->bytes, NULL))[0] = 'y';
}

/* the count of a JsonObject is not atomic */
static void
object_one (Race *race)
{
  json_object_ref (race->object);
}

/* one of the two without the lock */
static void
lock_one (Race *race)
{
  g_mutex_lock (&race->lock);
  race->number++;
  g_mutex_unlock (&race->lock);
}

static void
lock_two (Race *race)
{
  race->number++;
}

/* a task was returned, and what it brought is touched again */
static void
task_one (Race *race)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);

  g_task_return_boolean (task, TRUE);
  race->number++;
}

static const struct
{
  const char *name;
  void (*one) (Race *race);
  void (*two) (Race *race);
} races[] = {
  { "memory", memory_one, memory_one }, { "free", memory_one, free_one },
  { "copy", memory_one, strdup_one },   { "table", table_one, table_two },
  { "array", array_one, array_two },    { "string", string_one, string_one },
  { "queue", queue_one, queue_two },    { "list", list_one, list_one },
  { "error", error_two, error_one },    { "bytes", bytes_one, bytes_one },
  { "lock", lock_one, lock_two },       { "task", task_one, lock_two },
  { "object", object_one, object_one },
};

typedef struct
{
  Race *race;
  void (*func) (Race *race);
  guint turn;
} Side;

static gpointer
race_run (gpointer data)
{
  const Side *side = data;

  race_wait (side->turn);
  side->func (side->race);
  race_next ();
  return NULL;
}

int
main (int argc, char **argv)
{
  Race race = { .text = g_strdup ("text"),
                .table = g_hash_table_new (NULL, NULL),
                .array = g_ptr_array_new (),
                .string = g_string_new (NULL),
                .queue = g_queue_new (),
                .list = g_list_prepend (NULL, &race),
                .error = g_error_new_literal (G_IO_ERROR, 1, "wrong"),
                .bytes = g_bytes_new ("x", 2),
                .object = json_object_new () };

  g_mutex_init (&race.lock);
  for (guint i = 0; argc == 2 && i < G_N_ELEMENTS (races); i++)
    if (g_str_equal (argv[1], races[i].name))
      {
        Side one = { &race, races[i].one, 0 };
        Side two = { &race, races[i].two, 1 };
        GThread *first = g_thread_new ("one", race_run, &one);
        GThread *second = g_thread_new ("two", race_run, &two);

        g_thread_join (first);
        g_thread_join (second);
        return EXIT_SUCCESS;
      }
  for (guint i = 0; i < G_N_ELEMENTS (races); i++)
    g_print ("%s\n", races[i].name);
  return EXIT_SUCCESS;
}
