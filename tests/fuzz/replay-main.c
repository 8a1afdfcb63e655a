/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Feeds a fuzz target every file of its corpus, one TAP line each, so that any compiler's build
 * keeps what fuzzing found. */

#include <glib.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static int
replay_compare (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(const char *const *) a, *(const char *const *) b);
}

/* The file names of the folder, sorted; empty where there is no folder. */
static GPtrArray *
replay_list (const char *folder)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, replay_compare);
  return g_steal_pointer (&names);
}

static gboolean
replay_file (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *text = NULL;
  g_autofree uint8_t *exact = NULL;
  g_autoptr (GError) error = NULL;
  gsize size = 0;

  if (!g_file_get_contents (path, &text, &size, &error))
    {
      g_printerr ("%s\n", error->message);
      return FALSE;
    }
  /* an own copy without the ending zero, so that a read past the end shows under a sanitizer */
  exact = g_memdup2 (text, size);
  return LLVMFuzzerTestOneInput (exact, size) == 0;
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) names = NULL;
  guint failed = 0;

  if (argc != 2)
    {
      g_printerr ("usage: %s FOLDER\n", argv[0]);
      return 64;
    }
  names = replay_list (argv[1]);
  g_print ("1..%u\n", names->len + 1);
  g_print ("%sok 1 empty input\n",
           LLVMFuzzerTestOneInput ((const uint8_t *) "", 0) == 0 ? "" : "not ");
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      gboolean good = replay_file (argv[1], name);

      failed += !good;
      g_print ("%sok %u %s\n", good ? "" : "not ", i + 2, name);
    }
  return failed > 0 ? 1 : 0;
}
