/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every row of plugins.json in one registry: each broken plugin is refused, or fails, with its
 * reason, and those beside it are used. */
#include "loader/pins.h"
#include "runtime/tools.h"

#include <glib/gstdio.h>

#define WAIT_SECONDS 30

typedef struct
{
  const char *place;
  const char *folder;
  const char *id;
  const char *state;
  const char *reason; /* a pattern */
} BrokenRow;

#include "broken-table.h"

typedef struct
{
  ReeveCapabilities *capabilities;
  ReeveRegistry *registry;
  ReeveWorkers *workers;
  ReeveTools *tools;
} World;

static void
world_open (World *world, const char *first, const char *second, gint64 setup_us)
{
  g_autofree char *one = g_build_filename (g_getenv ("BROKEN_FOLDERS"), first, NULL);
  g_autofree char *two
      = second != NULL ? g_build_filename (g_getenv ("BROKEN_FOLDERS"), second, NULL) : NULL;
  const char *const folders[] = { one, two, NULL };

  world->capabilities = reeve_capabilities_new ();
  const ReeveRegistrySetup setup = { .folders = folders,
                                     .pins = reeve_pins_built_in,
                                     .capabilities = world->capabilities,
                                     .setup_us = setup_us };
  world->registry = reeve_registry_new (&setup);
  reeve_registry_scan (world->registry);
  world->workers = reeve_workers_new ("test", 1, 1, 1);
  world->tools = reeve_tools_new (world->registry, world->workers);
}

/* As the host does at its start: all that are not refused already; what fails is left out. */
static void
world_add_tools (World *world)
{
  g_auto (GStrv) ids = reeve_registry_list_kind (world->registry, REEVE_KIND_TOOL);

  for (guint i = 0; ids[i] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;
      gboolean good = reeve_tools_add (world->tools, ids[i], NULL, &error);

      g_assert_true (good == (error == NULL));
      g_assert_true (good == g_str_equal (ids[i], "well"));
      g_assert_true (good == (reeve_registry_get_instance (world->registry, ids[i]) != NULL));
    }
}

static void
world_close (World *world)
{
  g_object_unref (world->tools);
  reeve_workers_shutdown (world->workers);
  reeve_workers_unref (world->workers);
  reeve_registry_shutdown (world->registry);
  reeve_registry_unref (world->registry);
  reeve_capabilities_unref (world->capabilities);
}

static const ReeveRegistryEntry *
find_entry (GPtrArray *entries, const BrokenRow *row)
{
  g_autofree char *end = g_strdup_printf ("/%s/%s/%s.plugin", row->place, row->folder, row->folder);

  for (guint i = 0; i < entries->len; i++)
    {
      const ReeveRegistryEntry *entry = g_ptr_array_index (entries, i);

      if (g_str_has_suffix (entry->path, end))
        return entry;
    }
  g_error ("%s is not listed", end);
  return NULL;
}

static void
check_row (GPtrArray *entries, const BrokenRow *row)
{
  const ReeveRegistryEntry *entry = find_entry (entries, row);

  g_assert_cmpstr (entry->id, ==, row->id);
  if (g_strcmp0 (reeve_plugin_state_get_name (entry->state), row->state) != 0)
    g_error ("%s/%s is %s, not %s: %s", row->place, row->folder,
             reeve_plugin_state_get_name (entry->state), row->state, entry->reason);
  if (row->reason == NULL)
    g_assert_cmpstr (entry->reason, ==, NULL);
  else if (entry->reason == NULL || !g_pattern_match_simple (row->reason, entry->reason))
    g_error ("%s/%s: \"%s\" is not \"%s\"", row->place, row->folder, entry->reason, row->reason);
}

static void
test_broken_refused (void)
{
  World world = { 0 };
  g_autoptr (GPtrArray) entries = NULL;

  world_open (&world, "plugins", "again", 0);
  world_add_tools (&world);
  entries = reeve_registry_list (world.registry);
  for (guint i = 0; i < G_N_ELEMENTS (broken_rows); i++)
    {
      if (g_str_equal (broken_rows[i].place, "plugins")
          || g_str_equal (broken_rows[i].place, "again"))
        check_row (entries, &broken_rows[i]);
    }
  /* of a plugin whose second tool is bad the first is not there either */
  g_assert_nonnull (reeve_tools_lookup (world.tools, "tool-of-well"));
  g_assert_null (reeve_tools_lookup (world.tools, "a-good-one"));
  g_assert_null (reeve_tools_lookup (world.tools, "same"));
  world_close (&world);
}

static gboolean
was_shut_down (const char *folder)
{
  g_autofree char *name = g_strconcat ("shutdown-of-", folder, NULL);
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), name, NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* the host waits no longer than it said, and what comes back afterwards finds every door closed and
 * is shut down */
static void
test_broken_hanging (void)
{
  World world = { 0 };
  g_autoptr (GPtrArray) entries = NULL;
  gint64 end = 0;

  /* as long as one that only lists late needs to be set up, on a busy machine too */
  world_open (&world, "hanging", NULL, G_USEC_PER_SEC);
  world_add_tools (&world);
  entries = reeve_registry_list (world.registry);
  for (guint i = 0; i < G_N_ELEMENTS (broken_rows); i++)
    {
      if (g_str_equal (broken_rows[i].place, "hanging"))
        check_row (entries, &broken_rows[i]);
    }
  world_close (&world);
  end = g_get_monotonic_time () + WAIT_SECONDS * G_USEC_PER_SEC;
  while (!was_shut_down ("setup-late") && g_get_monotonic_time () < end)
    g_usleep (1000);
  g_assert_true (was_shut_down ("setup-late"));
  g_assert_false (was_shut_down ("setup-hangs"));
}

/* what is refused once is refused again, with the same words, and takes nobody with it */
static void
test_broken_again (void)
{
  World world = { 0 };

  world_open (&world, "plugins", NULL, 0);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (reeve_tools_add (world.tools, "wrong-magic", NULL, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
      g_clear_error (&error);
      g_assert_false (reeve_tools_add (world.tools, "setup-fails", NULL, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);
    }
  g_assert_true (reeve_tools_add (world.tools, "well", NULL, NULL));
  world_close (&world);
  g_assert_true (was_shut_down ("well"));
  g_assert_false (was_shut_down ("setup-fails"));
  g_assert_false (was_shut_down ("setup-contradicts"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* GObject has a critical to say when a constructor makes nothing */
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  g_test_add_func ("/broken-plugins/refused", test_broken_refused);
  g_test_add_func ("/broken-plugins/hanging", test_broken_hanging);
  g_test_add_func ("/broken-plugins/again", test_broken_again);
  return g_test_run ();
}
