/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of a plugin that change: between check and load, and by one byte. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "wire-fixture.h"
#include "loader/module.h"
#include "loader/registry.h"

#include "../helpers/test-tree.h"

#define SWAP_PLACES 24 /* bytes of each file that are flipped, one after the other */

static char *swap_good;
static char *swap_evil;

static const char swap_manifest[] = "[Plugin]\nId=attacker\nName=a\nVersion=1.0.0\n"
                                    "Description=d\nLicence=LGPL-2.1-or-later\nKinds=tool\n"
                                    "Api=%u.%u\nModule=attacker.so\n"
                                    "[Settings]\nSchemaFile=settings.json\n";
static const char swap_schema[] = "{\"type\": \"object\", \"additionalProperties\": false}\n";

typedef struct
{
  char *top; /* folder of plugins */
  char *folder;
  char *module;
  char *manifest_digest;
  char *module_digest;
  char *schema_digest;
  ReevePin pins[2];
} Swap;

static char *
swap_put (const char *folder, const char *name, const char *bytes, gsize length)
{
  char *path = g_build_filename (folder, name, NULL);

  g_assert_true (g_file_set_contents (path, bytes, (gssize) length, NULL));
  return path;
}

static char *
swap_digest (const char *bytes, gsize length)
{
  return g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) bytes, length);
}

static Swap *
swap_new (void)
{
  Swap *self = g_new0 (Swap, 1);
  g_autofree char *manifest = g_strdup_printf (swap_manifest, REEVE_API_MAJOR, REEVE_API_MINOR);
  g_autofree char *bytes = NULL;
  g_autofree char *one = NULL;
  g_autofree char *two = NULL;
  gsize length = 0;

  self->top = g_dir_make_tmp ("reeve-swap-XXXXXX", NULL);
  self->folder = g_build_filename (self->top, "attacker", NULL);
  g_assert_cmpint (g_mkdir (self->folder, 0755), ==, 0);
  g_assert_true (g_file_get_contents (swap_good, &bytes, &length, NULL));
  self->module = swap_put (self->folder, "attacker.so", bytes, length);
  one = swap_put (self->folder, "attacker.plugin", manifest, strlen (manifest));
  two = swap_put (self->folder, "settings.json", swap_schema, strlen (swap_schema));
  self->module_digest = swap_digest (bytes, length);
  self->manifest_digest = swap_digest (manifest, strlen (manifest));
  self->schema_digest = swap_digest (swap_schema, strlen (swap_schema));
  self->pins[0]
      = (ReevePin){ "attacker", self->manifest_digest, self->module_digest, self->schema_digest };
  return self;
}

static void
swap_free (Swap *self)
{
  test_tree_remove (self->top);
  g_free (self->top);
  g_free (self->folder);
  g_free (self->module);
  g_free (self->manifest_digest);
  g_free (self->module_digest);
  g_free (self->schema_digest);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Swap, swap_free)

/* ---- between check and load ---- */

typedef void (*SwapFunc) (Swap *self);

static void
swap_by_rename (Swap *self)
{
  g_autofree char *bytes = NULL;
  g_autofree char *beside = NULL;
  gsize length = 0;

  g_assert_true (g_file_get_contents (swap_evil, &bytes, &length, NULL));
  beside = swap_put (self->folder, "beside", bytes, length);
  g_assert_cmpint (g_rename (beside, self->module), ==, 0);
}

/* The same file, with other bytes in it. */
static void
swap_in_place (Swap *self)
{
  g_autofree char *bytes = NULL;
  gsize length = 0;
  int fd = open (self->module, O_WRONLY | O_TRUNC | O_CLOEXEC);

  g_assert_true (g_file_get_contents (swap_evil, &bytes, &length, NULL));
  g_assert_cmpint (write (fd, bytes, length), ==, length);
  close (fd);
}

/* What was hashed is what is loaded, whatever lies at its place by then. */
static void
check_swapped (SwapFunc swap, mode_t mode, RunnerLayersProfile profile)
{
  g_autoptr (Swap) self = swap_new ();
  g_autofree char *path = g_build_filename (self->folder, "attacker.plugin", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveManifest) manifest = reeve_manifest_new_from_file (path, &error);
  g_autoptr (WireFixture) fixture = wire_fixture_new (profile, NULL, NULL, NULL);
  g_autofree char *name = NULL;
  int fd = -1;

  g_assert_no_error (error);
  g_assert_cmpint (g_chmod (self->module, mode), ==, 0);
  fd = reeve_module_open_pinned (manifest, &self->pins[0], &error);
  g_assert_no_error (error);
  swap (self);
  lseek (fd, 0, SEEK_SET);
  name = g_strdup_printf ("/proc/self/fd/%d", fd);
  wire_fixture_start (fixture, profile, name, NULL, NULL);
  g_assert_no_error (fixture->error);
  g_assert_cmpstr (reeve_wire_get_type_name (fixture->wire, 0), ==, "Attacker");
  close (fd);
}

static void
check_all_swapped (SwapFunc swap, mode_t mode)
{
  check_swapped (swap, mode, RUNNER_LAYERS_PROFILE_STRICT);
  if (wire_fixture_offers (RUNNER_LAYERS_PROFILE_HARDENED))
    check_swapped (swap, mode, RUNNER_LAYERS_PROFILE_HARDENED);
}

static void
test_rename (void)
{
  check_all_swapped (swap_by_rename, 0644);
  check_all_swapped (swap_by_rename, 0666);
}

/* By whoever may write to it: its owner, and others where its mode lets them. */
static void
test_in_place (void)
{
  check_all_swapped (swap_in_place, geteuid () == 0 ? 0666 : 0644);
}

/* ---- one byte ---- */

/* (transfer full) (nullable): why the plugin is not loaded */
static char *
find_refusal (Swap *self)
{
  const char *const folders[] = { self->top, NULL };
  g_autoptr (ReeveCapabilities) capabilities = reeve_capabilities_new ();
  const ReeveRegistrySetup setup
      = { .folders = folders, .pins = self->pins, .capabilities = capabilities };
  g_autoptr (ReeveRegistry) registry = reeve_registry_new (&setup);
  g_autoptr (GPtrArray) entries = NULL;
  g_autoptr (GError) error = NULL;
  const ReeveRegistryEntry *entry = NULL;
  char *reason = NULL;

  reeve_registry_scan (registry);
  if (reeve_registry_instantiate (registry, "attacker", "attacker", REEVE_TYPE_TOOL, NULL, &error)
      == NULL)
    {
      entries = reeve_registry_list (registry);
      g_assert_cmpuint (entries->len, ==, 1);
      entry = g_ptr_array_index (entries, 0);
      g_assert_cmpint (entry->state, ==, REEVE_PLUGIN_STATE_REFUSED);
      reason = g_strdup (entry->reason);
      g_assert_true (reason != NULL && *reason != '\0');
    }
  reeve_registry_shutdown (registry);
  return reason;
}

static void
check_flipped (Swap *self, const char *name)
{
  g_autofree char *path = g_build_filename (self->folder, name, NULL);
  g_autofree char *bytes = NULL;
  gsize length = 0;

  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  for (gsize i = 0; i < SWAP_PLACES; i++)
    {
      gsize place = i * (length - 1) / (SWAP_PLACES - 1);
      char bit = (char) (1 << i % 8);
      g_autofree char *reason = NULL;

      bytes[place] ^= bit;
      g_assert_true (g_file_set_contents (path, bytes, (gssize) length, NULL));
      reason = find_refusal (self);
      if (reason == NULL)
        g_error ("%s was loaded with another byte %" G_GSIZE_FORMAT, name, place);
      bytes[place] ^= bit;
    }
  g_assert_true (g_file_set_contents (path, bytes, (gssize) length, NULL));
}

static void
test_flipped (void)
{
  g_autoptr (Swap) self = swap_new ();
  g_autofree char *reason = NULL;

  check_flipped (self, "attacker.plugin");
  check_flipped (self, "attacker.so");
  check_flipped (self, "settings.json");
  /* and as it was it is loaded */
  reason = find_refusal (self);
  g_assert_cmpstr (reason, ==, NULL);
}

int
main (int argc, char **argv)
{
  int code = 0;

  g_test_init (&argc, &argv, NULL);
  swap_good = wire_fixture_find (argv[0], "tests/hostile/attacker.so");
  swap_evil = wire_fixture_find (argv[0], "tests/confine/wire-plugin.so");
  g_test_add_func ("/swap/rename", test_rename);
  g_test_add_func ("/swap/in-place", test_in_place);
  g_test_add_func ("/swap/flipped", test_flipped);
  code = g_test_run ();
  g_free (swap_good);
  g_free (swap_evil);
  return code;
}
