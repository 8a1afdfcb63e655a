/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Versions of a plugin that runs in a process of its own, one put in the place of the other while
 * calls go on. The host counts what each call did: none is lost, none is made twice. */
#include "base/digests.h"
#include "loader/registry.h"

#include <glib/gstdio.h>
#include <string.h>

#define CALLERS  4
#define UPGRADES 20
#define CALLS    4000 /* at least */

typedef struct
{
  char *root;
  char *kept;
  ReevePin pins[3];
  char *texts[6];
  ReeveCapabilities *capabilities;
  ReeveConfined *confined;
  ReeveRegistry *registry;
  ReevePlugin *tool;
  GMutex lock;
  GHashTable *marks; /* number of a call -> how often it was made */
  gint next;         /* atomic */
  gint stop;         /* atomic */
  guint answers[2];  /* of either version; atomic */
} World;

static const char manifest_text[]
    = "[Plugin]\nId=changing\nVersion=%s\nName=N\nDescription=D\nKinds=tool\nApi=1.0\n"
      "[Capabilities]\nknowledge.search=to be counted\n%s";

static JsonNode *
count (const ReeveCapabilityCaller *caller, JsonNode *params, gpointer user_data, GError **error)
{
  World *world = user_data;
  gpointer key
      = GINT_TO_POINTER ((int) reeve_json_get_int (json_node_get_object (params), "number", -1));

  g_mutex_lock (&world->lock);
  g_hash_table_insert (
      world->marks, key,
      GINT_TO_POINTER (GPOINTER_TO_INT (g_hash_table_lookup (world->marks, key)) + 1));
  g_mutex_unlock (&world->lock);
  return json_node_init_boolean (json_node_alloc (), TRUE);
}

static char *
digest_of (const char *path)
{
  g_autofree char *data = NULL;
  gsize length = 0;

  return g_file_get_contents (path, &data, &length, NULL) ? reeve_digests_sha256_hex (data, length)
                                                          : NULL;
}

/* Lays a version out in @folder; @code: which module it gets. @digests: (out): manifest, module */
static void
lay (World *world, const char *folder, const char *version, const char *code, const char *more,
     char **digests)
{
  g_autofree char *place = g_build_filename (world->root, folder, NULL);
  g_autofree char *path = g_build_filename (place, "changing.plugin", NULL);
  g_autofree char *module = g_build_filename (place, "changing.so", NULL);
  g_autofree char *name = g_strdup_printf ("upgrade-%s.so", code);
  g_autofree char *source = g_build_filename (g_getenv ("REEVE_FIXTURES"), name, NULL);
  g_autofree char *text = g_strdup_printf (manifest_text, version, more);
  g_autofree char *data = NULL;
  gsize length = 0;

  g_assert_cmpint (g_mkdir_with_parents (place, 0755), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_assert_true (g_file_get_contents (source, &data, &length, NULL));
  g_assert_true (g_file_set_contents (module, data, (gssize) length, NULL));
  digests[0] = digest_of (path);
  digests[1] = digest_of (module);
}

static void
start (World *world)
{
  const ReeveConfinedSetup with
      = { .runner = g_getenv ("REEVE_PLUGIN_RUNNER"), .folder = world->kept };
  const char *const folders[] = { world->root, NULL };
  ReeveRegistrySetup setup
      = { .folders = folders, .extra_pins = world->pins, .capabilities = world->capabilities };
  g_autoptr (GError) error = NULL;

  world->confined = reeve_confined_new (&with);
  setup.confined = world->confined;
  world->registry = reeve_registry_new (&setup);
  reeve_registry_scan (world->registry);
  world->tool = reeve_registry_instantiate (world->registry, "it", "changing", REEVE_TYPE_TOOL,
                                            NULL, &error);
  g_assert_no_error (error);
}

static void
end (World *world)
{
  reeve_registry_shutdown (world->registry);
  g_clear_pointer (&world->registry, reeve_registry_unref);
  g_clear_pointer (&world->confined, reeve_confined_unref);
}

static World *
world_new (void)
{
  World *world = g_new0 (World, 1);

  world->root = g_build_filename (g_get_tmp_dir (), "versions.XXXXXX", NULL);
  g_assert_nonnull (g_mkdtemp (world->root));
  world->kept = g_build_filename (world->root, "kept", NULL);
  g_assert_cmpint (g_mkdir (world->kept, 0700), ==, 0);
  g_mutex_init (&world->lock);
  world->marks = g_hash_table_new (NULL, NULL);
  world->capabilities = reeve_capabilities_new ();
  reeve_capabilities_provide (world->capabilities, "knowledge.search", count, world);
  lay (world, "changing", "1.0.0", "1.0.0", "", world->texts);
  lay (world, "changing@1.1.0", "1.1.0", "1.1.0", "", world->texts + 2);
  world->pins[0] = (ReevePin){ "changing", world->texts[0], world->texts[1], NULL };
  world->pins[1] = (ReevePin){ "changing", world->texts[2], world->texts[3], NULL };
  start (world);
  return world;
}

static void
world_free (World *world)
{
  end (world);
  reeve_capabilities_unref (world->capabilities);
  g_hash_table_unref (world->marks);
  g_mutex_clear (&world->lock);
  for (guint i = 0; i < G_N_ELEMENTS (world->texts); i++)
    g_free (world->texts[i]);
  g_free (world->kept);
  g_free (world->root);
  g_free (world);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (World, world_free)

/* (transfer full) (nullable): the version that answered */
static char *
call (World *world, GError **error)
{
  const ReeveContextInfo info = { .struct_size = sizeof info,
                                  .tenant_id = "acme",
                                  .deadline = g_get_monotonic_time () + 60 * G_USEC_PER_SEC };
  g_autoptr (ReeveContext) context
      = reeve_registry_new_context (world->registry, world->tool, &info, NULL);
  g_autoptr (JsonObject) arguments = json_object_new ();
  g_autoptr (ReeveToolResult) result = NULL;

  json_object_set_int_member (arguments, "number", g_atomic_int_add (&world->next, 1));
  result = reeve_tool_call (REEVE_TOOL (world->tool), "mark", arguments, context, error);
  return result != NULL ? g_strdup (reeve_tool_result_get_text (result)) : NULL;
}

static void
assert_answers (World *world, const char *version)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *answer = call (world, &error);
  g_autoptr (ReeveRegistryEntry) entry = reeve_registry_get (world->registry, "changing");

  g_assert_no_error (error);
  g_assert_cmpstr (answer, ==, version);
  g_assert_cmpstr (reeve_manifest_get_version (entry->manifest), ==, version);
}

static gpointer
call_on (gpointer data)
{
  World *world = data;

  while (g_atomic_int_get (&world->stop) == 0)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *answer = call (world, &error);

      g_assert_no_error (error);
      if (g_str_equal (answer, "1.0.0"))
        g_atomic_int_inc (&world->answers[0]);
      else if (g_str_equal (answer, "1.1.0"))
        g_atomic_int_inc (&world->answers[1]);
      else
        g_error ("it says %s", answer);
    }
  return NULL;
}

static void
test_under_load (void)
{
  g_autoptr (World) world = world_new ();
  GThread *callers[CALLERS] = { NULL };
  const ReeveRegistryWanted wanted = { .version = "1.1.0" };
  g_autoptr (GError) error = NULL;
  guint made = 0;

  for (guint i = 0; i < CALLERS; i++)
    callers[i] = g_thread_new ("caller", call_on, world);
  for (guint i = 1; i <= UPGRADES; i++)
    {
      gboolean good = i == 1 ? reeve_registry_upgrade (world->registry, "changing", &wanted, &error)
                             : reeve_registry_rollback (world->registry, "changing", &error);

      g_assert_no_error (error);
      g_assert_true (good);
      while (g_atomic_int_get (&world->next) < (gint) i * CALLS / UPGRADES)
        g_usleep (1000);
    }
  g_atomic_int_set (&world->stop, 1);
  for (guint i = 0; i < CALLERS; i++)
    g_thread_join (callers[i]);
  made = (guint) g_atomic_int_get (&world->next);
  g_assert_cmpuint (made, >=, CALLS);
  g_assert_cmpuint (world->answers[0] + world->answers[1], ==, made);
  g_assert_cmpuint (world->answers[0], >, 0);
  g_assert_cmpuint (world->answers[1], >, 0);
  g_assert_cmpuint (g_hash_table_size (world->marks), ==, made);
  for (guint i = 0; i < made; i++)
    g_assert_cmpint (GPOINTER_TO_INT (g_hash_table_lookup (world->marks, GUINT_TO_POINTER (i))), ==,
                     1);
  g_test_message ("%u calls over %d changes: %u and %u", made, UPGRADES, world->answers[0],
                  world->answers[1]);
}

/* What does not come up changes nothing. */
static void
assert_refused (World *world, const ReeveRegistryWanted *wanted, int code, const char *pattern)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (reeve_registry_upgrade (world->registry, "changing", wanted, &error));
  if (error == NULL || !g_pattern_match_simple (pattern, error->message))
    g_error ("\"%s\" is not \"%s\"", error != NULL ? error->message : "", pattern);
  g_assert_error (error, REEVE_ERROR, code);
  assert_answers (world, "1.0.0");
}

static void
refuse (World *world, const char *folder, const char *version, const char *code, const char *more,
        int error, const char *pattern)
{
  char *digests[2] = { NULL };
  ReeveRegistryWanted wanted = { .version = version };

  lay (world, folder, version, code, more, digests);
  wanted.manifest = digests[0];
  wanted.module = digests[1];
  assert_refused (world, &wanted, error, pattern);
  g_free (digests[0]);
  g_free (digests[1]);
}

static void
test_what_does_not_come_up (void)
{
  g_autoptr (World) world = world_new ();
  const char *nothing = "0000000000000000000000000000000000000000000000000000000000000000";
  ReeveRegistryWanted wanted = { .version = "9.9.9" };
  char *digests[2] = { NULL };

  assert_refused (world, &wanted, REEVE_ERROR_NOT_FOUND, "there is no folder changing@9.9.9 *");
  wanted.version = "1.0.0";
  assert_refused (world, &wanted, REEVE_ERROR_CONFLICT, "*is of version 1.0.0 already");
  refuse (world, "changing@1.2.0", "1.2.0", "1.2.0", "", REEVE_ERROR_UNAVAILABLE,
          "*version 1.2.0: *not today*");
  refuse (world, "changing@1.3.0", "1.3.0", "1.3.0", "", REEVE_ERROR_PLUGIN,
          "*ended before it was ready*");
  refuse (world, "changing@1.4.0", "1.4.0", "1.4.0", "", REEVE_ERROR_CONFLICT,
          "*version 1.4.0 offers other tools, which takes a restart*");
  refuse (world, "changing@1.5.0", "1.5.0", "1.1.0", "", REEVE_ERROR_PLUGIN,
          "descriptor: *\"changing\" 1.1.0, the manifest's \"changing\" 1.5.0");
  refuse (world, "changing@1.6.0", "1.6.0", "1.1.0", "net.http=why\n", REEVE_ERROR_CONFLICT,
          "*asks for the network*");
  refuse (world, "changing@1.7.0", "1.7.0", "1.1.0",
          "[Settings]\nSchema={\"type\":\"object\",\"required\":[\"url\"]}\n",
          REEVE_ERROR_CONFIGURATION, "*version 1.7.0: settings*url*");
  lay (world, "changing@1.8.0", "1.8.0", "1.1.0", "", digests);
  wanted.version = "1.8.0";
  assert_refused (world, &wanted, REEVE_ERROR_PLUGIN, "*not pinned by this build*");
  wanted.manifest = nothing;
  wanted.module = digests[1];
  assert_refused (world, &wanted, REEVE_ERROR_PLUGIN, "manifest *, named is 000*");
  wanted.manifest = digests[0];
  wanted.module = nothing;
  assert_refused (world, &wanted, REEVE_ERROR_PLUGIN, "*its SHA-256 is *");
  g_free (digests[0]);
  g_free (digests[1]);
}

/* One that an administrator named by its digests holds across a restart, and so does the way back;
 * where its files were changed it is refused, and nothing else stands in for it. */
static void
test_across_restarts (void)
{
  g_autoptr (World) world = world_new ();
  char *digests[2] = { NULL };
  ReeveRegistryWanted wanted = { .version = "1.1.0" };
  g_autofree char *path = g_build_filename (world->root, "changing@1.1.0", "changing.plugin", NULL);
  g_autoptr (ReeveRegistryEntry) entry = NULL;
  g_autoptr (GError) error = NULL;

  lay (world, "changing@1.1.0", "1.1.0", "1.1.0", "clock=to know the time\n", digests);
  wanted.manifest = digests[0];
  wanted.module = digests[1];
  g_assert_false (reeve_registry_rollback (world->registry, "changing", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFLICT);
  g_clear_error (&error);
  g_assert_true (reeve_registry_upgrade (world->registry, "changing", &wanted, &error));
  assert_answers (world, "1.1.0");
  end (world);
  start (world);
  assert_answers (world, "1.1.0");
  g_assert_true (reeve_registry_rollback (world->registry, "changing", &error));
  assert_answers (world, "1.0.0");
  end (world);
  start (world);
  assert_answers (world, "1.0.0");
  g_assert_true (reeve_registry_rollback (world->registry, "changing", &error));
  assert_answers (world, "1.1.0");
  end (world);
  g_assert_true (g_file_set_contents (path, "[Plugin]\n", -1, NULL));
  world->confined = reeve_confined_new (&(ReeveConfinedSetup){ .folder = world->kept });
  {
    const char *const folders[] = { world->root, NULL };
    const ReeveRegistrySetup setup = { .folders = folders,
                                       .extra_pins = world->pins,
                                       .capabilities = world->capabilities,
                                       .confined = world->confined };

    world->registry = reeve_registry_new (&setup);
  }
  reeve_registry_scan (world->registry);
  entry = reeve_registry_get (world->registry, "changing");
  g_assert_cmpint (entry->state, ==, REEVE_PLUGIN_STATE_REFUSED);
  g_assert_nonnull (strstr (entry->reason, "version 1.1.0 was chosen, and cannot be used"));
  g_free (digests[0]);
  g_free (digests[1]);
}

/* @version: of the manifest; @code: which module it gets; @how: what each start says */
static void
assert_falls (const char *version, const char *code, const char *how)
{
  g_autoptr (World) world = world_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveRegistryEntry) entry = NULL;
  char *digests[2] = { NULL };
  GLogLevelFlags fatal = 0;

  end (world);
  lay (world, "changing", version, code,
       "[Offers]\nTools=[{\"name\":\"mark\",\"description\":\"x\",\"hints\":[\"read_only\"],"
       "\"parameters\":{\"type\":\"object\"}}]\n",
       digests);
  world->pins[0] = (ReevePin){ "changing", digests[0], digests[1], NULL };
  start (world);
  /* the quarantine is a warning */
  fatal = g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  for (guint i = 0; i < 5; i++)
    {
      g_clear_error (&error);
      /* a wait that is too long for a call is sat out */
      do
        {
          g_clear_error (&error);
          g_free (call (world, &error));
        }
      while (g_error_matches (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE)
             && (g_usleep (G_USEC_PER_SEC / 10), TRUE));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
      g_assert_nonnull (strstr (error->message, how));
    }
  g_clear_error (&error);
  g_assert_null (call (world, &error));
  g_assert_nonnull (strstr (error->message, "is quarantined: 5 crashes in 10 minutes"));
  g_log_set_always_fatal (fatal);
  entry = reeve_registry_get (world->registry, "changing");
  g_assert_cmpint (entry->keeper.state, ==, REEVE_KEEPER_QUARANTINED);
  world->pins[0].manifest = world->texts[0];
  g_free (digests[0]);
  g_free (digests[1]);
}

/* A module that ends its process while it is loaded is quarantined like one that ends it later. */
static void
test_falls_while_it_is_loaded (void)
{
  assert_falls ("1.3.0", "1.3.0", "before it was ready: it was killed by signal 11");
}

/* So is one that says that it is another one. */
static void
test_lies_while_it_is_loaded (void)
{
  assert_falls ("1.3.0", "1.1.0",
                "its id and version are \"changing\" 1.1.0, the manifest's \"changing\" 1.3.0");
}

static gpointer
cut_soon (gpointer data)
{
  World *world = data;

  g_usleep (G_USEC_PER_SEC / 2);
  reeve_registry_cut (world->registry);
  return NULL;
}

/* The host ends while a constructor hangs: whoever waits for it is told so, and long before the
 * start's own end. */
static void
test_a_constructor_that_hangs (void)
{
  g_autoptr (World) world = world_new ();
  ReeveRegistryWanted wanted = { .version = "1.5.0" };
  char *digests[2] = { NULL };
  g_autoptr (GError) error = NULL;
  gint64 begun = 0;
  GThread *cutter = NULL;

  lay (world, "changing@1.5.0", "1.5.0", "1.5.0", "", digests);
  wanted.manifest = digests[0];
  wanted.module = digests[1];
  begun = g_get_monotonic_time ();
  cutter = g_thread_new ("cutter", cut_soon, world);
  g_assert_false (reeve_registry_upgrade (world->registry, "changing", &wanted, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (g_get_monotonic_time () - begun, <, 25 * G_USEC_PER_SEC);
  g_thread_join (cutter);
  g_free (digests[0]);
  g_free (digests[1]);
}

static gpointer
call_it (gpointer data)
{
  g_autoptr (GError) error = NULL;

  /* its process never comes up, and the host ends */
  g_assert_null (call (data, &error));
  return NULL;
}

static gpointer
cut_when_it_is_kept (gpointer data)
{
  World *world = data;
  g_autofree char *path = g_build_filename (world->kept, "changing.version", NULL);

  while (!g_file_test (path, G_FILE_TEST_EXISTS))
    g_usleep (1000);
  reeve_registry_cut (world->registry);
  return NULL;
}

/* The host ends behind the word which version is chosen, and before calls go there: what the answer
 * says the next start does. */
static void
test_an_end_between (void)
{
  g_autoptr (World) world = world_new ();
  ReeveRegistryWanted wanted = { .version = "1.1.0" };
  char *digests[2] = { NULL };
  char *next[2] = { NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveRegistryEntry) entry = NULL;
  const char *const tools
      = "[Offers]\nTools=[{\"name\":\"mark\",\"description\":\"x\",\"hints\":[\"read_only\"],"
        "\"parameters\":{\"type\":\"object\"}}]\n";
  GThread *caller = NULL;
  GThread *cutter = NULL;

  end (world);
  lay (world, "changing", "1.5.0", "1.5.0", tools, digests);
  lay (world, "changing@1.1.0", "1.1.0", "1.1.0", tools, next);
  world->pins[0] = (ReevePin){ "changing", digests[0], digests[1], NULL };
  start (world);
  wanted.manifest = next[0];
  wanted.module = next[1];
  /* while the present version starts, the other one waits */
  caller = g_thread_new ("caller", call_it, world);
  do
    {
      g_clear_pointer (&entry, reeve_registry_entry_free);
      g_usleep (1000);
      entry = reeve_registry_get (world->registry, "changing");
    }
  while (entry->keeper.state != REEVE_KEEPER_STARTING);
  g_clear_pointer (&entry, reeve_registry_entry_free);
  cutter = g_thread_new ("cutter", cut_when_it_is_kept, world);
  g_assert_false (reeve_registry_upgrade (world->registry, "changing", &wanted, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);
  g_thread_join (cutter);
  g_thread_join (caller);
  end (world);
  start (world);
  entry = reeve_registry_get (world->registry, "changing");
  g_assert_cmpstr (reeve_manifest_get_version (entry->manifest), ==, "1.5.0");
  world->pins[0].manifest = world->texts[0];
  for (guint i = 0; i < 2; i++)
    {
      g_free (digests[i]);
      g_free (next[i]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/upgrade/under-load", test_under_load);
  g_test_add_func ("/upgrade/what-does-not-come-up", test_what_does_not_come_up);
  g_test_add_func ("/upgrade/across-restarts", test_across_restarts);
  g_test_add_func ("/upgrade/falls-while-it-is-loaded", test_falls_while_it_is_loaded);
  g_test_add_func ("/upgrade/lies-while-it-is-loaded", test_lies_while_it_is_loaded);
  g_test_add_func ("/upgrade/a-constructor-that-hangs", test_a_constructor_that_hangs);
  g_test_add_func ("/upgrade/an-end-between", test_an_end_between);
  return g_test_run ();
}
