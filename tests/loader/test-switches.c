/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Switches of plugins: kept, refused in words, and never half. */
#include "loader/switches.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct
{
  char *folder;
  char *path;
  ReeveSwitches *switches;
} World;

static void
world_set_up (World *world, gconstpointer data)
{
  world->folder = g_dir_make_tmp ("reeve-switches-XXXXXX", NULL);
  world->path = g_build_filename (world->folder, "tool-x.disabled", NULL);
  world->switches = reeve_switches_new (world->folder);
}

static void
world_tear_down (World *world, gconstpointer data)
{
  reeve_switches_unref (world->switches);
  g_remove (world->path);
  g_rmdir (world->folder);
  g_free (world->path);
  g_free (world->folder);
}

static void
world_reopen (World *world)
{
  reeve_switches_unref (world->switches);
  world->switches = reeve_switches_new (world->folder);
}

static void
check_refused (World *world, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (reeve_switches_check (world->switches, "tool-x", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);
  g_assert_nonnull (strstr (error->message, text));
  g_assert_true (reeve_switches_is_off (world->switches, "tool-x"));
  g_assert_true (reeve_switches_check (world->switches, "tool-y", NULL));
}

static void
test_switches_kept (World *world, gconstpointer data)
{
  g_autoptr (ReeveSwitchesEntry) first = NULL;
  g_autoptr (ReeveSwitchesEntry) again = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_switches_check (world->switches, "tool-x", NULL));
  g_assert_true (
      reeve_switches_disable (world->switches, "tool-x", "usr_1", "a \"flaw\"\n", &error));
  g_assert_no_error (error);
  check_refused (world, "by usr_1: a \"flaw\"\n; `reevectl plugins enable tool-x`");
  first = reeve_switches_get (world->switches, "tool-x");
  world_reopen (world);
  check_refused (world, "by usr_1: a \"flaw\"\n; `reevectl plugins enable tool-x`");
  /* whoever was first stays */
  g_assert_true (reeve_switches_disable (world->switches, "tool-x", "usr_2", NULL, &error));
  again = reeve_switches_get (world->switches, "tool-x");
  g_assert_cmpstr (first->since, ==, again->since);
  g_assert_cmpstr ("usr_1", ==, again->by);
  g_assert_true (reeve_switches_enable (world->switches, "tool-x", &error));
  g_assert_true (reeve_switches_enable (world->switches, "tool-x", &error));
  g_assert_true (reeve_switches_check (world->switches, "tool-x", NULL));
  g_assert_false (g_file_test (world->path, G_FILE_TEST_EXISTS));
  world_reopen (world);
  g_assert_false (reeve_switches_is_off (world->switches, "tool-x"));
}

static void
test_switches_configured (World *world, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  reeve_switches_configure (world->switches, "tool-x");
  check_refused (world, "plugins.disabled");
  g_assert_true (reeve_switches_disable (world->switches, "tool-x", "usr_1", NULL, NULL));
  g_assert_false (reeve_switches_enable (world->switches, "tool-x", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
  g_assert_false (g_file_test (world->path, G_FILE_TEST_EXISTS));
}

/* What cannot be kept is not done. */
static void
test_switches_not_kept (World *world, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (reeve_switches_disable (world->switches, "tool-x", "usr_1", NULL, NULL));
  g_remove (world->path);
  g_rmdir (world->folder);
  g_assert_false (reeve_switches_enable (world->switches, "tool-x", &error));
  g_assert_nonnull (strstr (error->message, "plugin tool-x stays as it was"));
  check_refused (world, "by usr_1");
  g_clear_error (&error);
  g_assert_false (reeve_switches_disable (world->switches, "tool-y", "usr_1", NULL, &error));
  g_assert_nonnull (strstr (error->message, "plugin tool-y stays as it was"));
  g_assert_false (reeve_switches_is_off (world->switches, "tool-y"));
}

static void
test_switches_damaged (World *world, gconstpointer data)
{
  static const char *const texts[] = { "", "{", "[]", "\xff", "{\"by\": 7}" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_assert_true (g_file_set_contents (world->path, texts[i], -1, NULL));
      world_reopen (world);
      check_refused (world, "plugin tool-x is disabled; `");
    }
}

static gpointer
toggle (gpointer data)
{
  World *world = data;

  for (guint i = 0; i < 50; i++)
    {
      g_assert_true (reeve_switches_disable (world->switches, "tool-x", "usr_1", NULL, NULL));
      g_assert_true (reeve_switches_enable (world->switches, "tool-x", NULL));
    }
  return NULL;
}

/* Many at once: what is known is what is kept. */
static void
test_switches_at_once (World *world, gconstpointer data)
{
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("toggle", toggle, world);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (reeve_switches_is_off (world->switches, "tool-x"), ==,
                   g_file_test (world->path, G_FILE_TEST_EXISTS));
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*func) (World *world, gconstpointer data);
  } tests[] = {
    { "/switches/kept", test_switches_kept },
    { "/switches/configured", test_switches_configured },
    { "/switches/not-kept", test_switches_not_kept },
    { "/switches/damaged", test_switches_damaged },
    { "/switches/at-once", test_switches_at_once },
  };

  g_test_init (&argc, &argv, NULL);
  /* files that cannot be read are warned of */
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, World, NULL, world_set_up, tests[i].func, world_tear_down);
  return g_test_run ();
}
