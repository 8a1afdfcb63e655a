/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The registry: what loads, pins, order, settings, instances, and what a plugin can reach. What is
 * wrong with a plugin itself: tests/broken-plugins. */
#include "loader/registry.h"

#include "base/digests.h"

#include <glib/gstdio.h>
#include <string.h>

#define MAX_PLUGINS 16

/* A folder of plugins, and the pins of what is in it. */
typedef struct
{
  char *root;
  ReevePin pins[MAX_PLUGINS + 1];
  guint n_pins;
  GPtrArray *texts;
  ReeveCapabilities *capabilities;
  ReeveRegistry *registry;
} World;

static World *
world_new (void)
{
  World *world = g_new0 (World, 1);

  world->root = g_build_filename (g_get_tmp_dir (), "plugins.XXXXXX", NULL);
  g_assert_nonnull (g_mkdtemp (world->root));
  world->texts = g_ptr_array_new_with_free_func (g_free);
  world->capabilities = reeve_capabilities_new ();
  return world;
}

static void
world_free (World *world)
{
  if (world->registry != NULL)
    reeve_registry_shutdown (world->registry);
  g_clear_pointer (&world->registry, reeve_registry_unref);
  reeve_capabilities_unref (world->capabilities);
  g_ptr_array_unref (world->texts);
  g_free (world->root);
  g_free (world);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (World, world_free)

static char *
keep (World *world, char *text)
{
  g_ptr_array_add (world->texts, text);
  return text;
}

static char *
digest_of (World *world, const char *path)
{
  g_autofree char *data = NULL;
  gsize length = 0;

  return g_file_get_contents (path, &data, &length, NULL)
             ? keep (world, reeve_digests_sha256_hex (data, length))
             : NULL;
}

/* Adds a plugin; module: which fixture, or NULL for none; more: further lines of the manifest. */
static char *
add (World *world, const char *id, const char *module, const char *more)
{
  g_autofree char *folder = g_build_filename (world->root, id, NULL);
  g_autofree char *file = g_strconcat (id, ".plugin", NULL);
  char *path = keep (world, g_build_filename (folder, file, NULL));
  g_autofree char *text = g_strdup_printf (
      "[Plugin]\nId=%s\nVersion=1.2.3\nName=N\nDescription=D\nKinds=tool\nApi=1.0\n%s", id, more);
  g_autofree char *module_name = g_strconcat (id, ".so", NULL);
  char *module_path = keep (world, g_build_filename (folder, module_name, NULL));

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  if (module != NULL)
    {
      g_autofree char *name = g_strdup_printf ("fixture-%s.so", module);
      g_autofree char *source = g_build_filename (g_getenv ("REEVE_FIXTURES"), name, NULL);
      g_autofree char *data = NULL;
      gsize length = 0;
      g_assert_true (g_file_get_contents (source, &data, &length, NULL));
      g_assert_true (g_file_set_contents (module_path, data, (gssize) length, NULL));
    }
  world->pins[world->n_pins++] = (ReevePin){ keep (world, g_strdup (id)), digest_of (world, path),
                                             digest_of (world, module_path), NULL };
  return path;
}

static ReeveRegistry *
scan (World *world)
{
  const char *const folders[] = { world->root, "/nonexistent", NULL };
  const ReeveRegistrySetup setup
      = { .folders = folders, .extra_pins = world->pins, .capabilities = world->capabilities };

  world->registry = reeve_registry_new (&setup);
  reeve_registry_scan (world->registry);
  return world->registry;
}

static void
assert_reason (ReeveRegistry *registry, const char *id, ReevePluginState state, const char *pattern)
{
  g_autoptr (ReeveRegistryEntry) entry = reeve_registry_get (registry, id);

  g_assert_nonnull (entry);
  g_assert_cmpstr (reeve_plugin_state_get_name (entry->state), ==,
                   reeve_plugin_state_get_name (state));
  if (pattern == NULL)
    g_assert_cmpstr (entry->reason, ==, NULL);
  else if (entry->reason == NULL || !g_pattern_match_simple (pattern, entry->reason))
    g_error ("\"%s\" is not \"%s\"", entry->reason, pattern);
}

static JsonObject *
object (const char *text)
{
  g_autoptr (JsonNode) node = reeve_json_parse_strict (text, strlen (text), NULL);

  return json_node_dup_object (node);
}

static JsonNode *
search (const ReeveCapabilityCaller *caller, JsonNode *params, gpointer user_data, GError **error)
{
  g_autofree char *text = g_strdup_printf ("%s/%s/%s/%s", caller->plugin_id, caller->instance_id,
                                           reeve_json_get_string (caller->settings, "note", "-"),
                                           reeve_context_get_tenant_id (caller->context));

  g_assert_cmpstr (user_data, ==, "closure");
  return json_node_init_string (json_node_alloc (), text);
}

static ReeveHttpResponse *
fetch (const ReeveCapabilityCaller *caller, ReeveHttpRequest *request, gpointer user_data,
       GError **error)
{
  g_assert_cmpstr (reeve_http_request_get_url (request), ==, "http://example.com/");
  return reeve_http_response_new (200);
}

static char *
call (ReeveRegistry *registry, ReevePlugin *plugin, const char *arguments, GError **error)
{
  const ReeveContextInfo info = { .struct_size = sizeof info, .tenant_id = "acme" };
  g_autoptr (ReeveContext) context = reeve_registry_new_context (registry, plugin, &info, NULL);
  g_autoptr (JsonObject) given = object (arguments);
  g_autoptr (ReeveToolResult) result
      = reeve_tool_call (REEVE_TOOL (plugin), "echo", given, context, error);

  return result != NULL ? g_strdup (reeve_tool_result_get_text (result)) : NULL;
}

static void
test_registry_good (void)
{
  g_autoptr (World) world = world_new ();
  g_autoptr (GError) error = NULL;

  add (world, "good", "good",
       "[Capabilities]\nknowledge.search=why\n[Settings]\nSchema={\"type\":\"object\","
       "\"properties\":{\"note\":{\"type\":"
       "\"string\"}},\"additionalProperties\":false}\n");
  reeve_capabilities_provide (world->capabilities, "knowledge.search", search,
                              (gpointer) "closure");
  reeve_capabilities_provide_http (world->capabilities, fetch, NULL);
  ReeveRegistry *registry = scan (world);
  assert_reason (registry, "good", REEVE_PLUGIN_STATE_FOUND, NULL);
  g_auto (GStrv) tools = reeve_registry_list_kind (registry, REEVE_KIND_TOOL);
  g_auto (GStrv) storages = reeve_registry_list_kind (registry, REEVE_KIND_STORAGE);
  g_assert_cmpuint (g_strv_length (tools), ==, 1);
  g_assert_cmpuint (g_strv_length (storages), ==, 0);

  g_autoptr (JsonObject) settings = object ("{\"note\":\"n1\"}");
  ReevePlugin *one
      = reeve_registry_instantiate (registry, "one", "good", REEVE_TYPE_TOOL, settings, &error);
  g_assert_no_error (error);
  ReevePlugin *two
      = reeve_registry_instantiate (registry, "two", "good", REEVE_TYPE_TOOL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (one != two && reeve_registry_get_instance (registry, "two") == two);
  g_assert_null (reeve_registry_get_instance (registry, "three"));
  assert_reason (registry, "good", REEVE_PLUGIN_STATE_LOADED, NULL);
  g_assert_null (g_getenv ("FIXTURE_CHECK_INIT"));

  g_autofree char *answer = call (registry, one, "{}", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (answer, ==, "\"good/one/n1/acme\"");
  g_autofree char *other = call (registry, two, "{}", &error);
  g_assert_cmpstr (other, ==, "\"good/two/-/acme\"");
}

static void
test_registry_capabilities (void)
{
  g_autoptr (World) world = world_new ();
  g_autoptr (GError) error = NULL;

  add (world, "good", "good", "[Capabilities]\nknowledge.search=why\ncredentials.lookup=why\n");
  reeve_capabilities_provide (world->capabilities, "knowledge.search", search,
                              (gpointer) "closure");
  reeve_capabilities_provide_http (world->capabilities, fetch, NULL);
  g_assert_true (reeve_capabilities_has (world->capabilities, "net.http"));
  g_assert_false (reeve_capabilities_has (world->capabilities, "credentials.lookup"));
  ReeveRegistry *registry = scan (world);
  ReevePlugin *one
      = reeve_registry_instantiate (registry, "one", "good", REEVE_TYPE_TOOL, NULL, &error);
  g_assert_no_error (error);

  /* neither requested */
  g_assert_null (call (registry, one, "{\"capability\":\"net.http\"}", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
  g_clear_error (&error);
  g_assert_null (call (registry, one, "{\"capability\":\"credentials.digest\"}", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
  g_clear_error (&error);
  /* requested, but nothing stands behind it */
  g_assert_null (call (registry, one, "{\"capability\":\"credentials.lookup\"}", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
  g_clear_error (&error);
  /* without asking */
  g_autofree char *time = call (registry, one, "{\"capability\":\"clock\"}", &error);
  g_assert_no_error (error);
  g_assert_true (g_str_has_prefix (time, "{\"time\":\"2"));
  g_autofree char *bytes = call (registry, one, "{\"capability\":\"random\",\"length\":3}", &error);
  g_assert_cmpuint (strlen (bytes), ==, strlen ("{\"bytes\":\"abcd\"}"));
  g_assert_null (call (registry, one, "{\"capability\":\"random\",\"length\":0}", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_autofree char *logged
      = call (registry, one, "{\"capability\":\"log\",\"message\":\"hello\"}", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (logged, ==, "null");
  g_assert_null (call (registry, one,
                       "{\"capability\":\"log\",\"message\":\"x\",\"level\":\"error\"}", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);

  /* a context that somebody kept does not outlive its plugin */
  const ReeveContextInfo info = { .struct_size = sizeof info, .tenant_id = "acme" };
  g_autoptr (ReeveContext) kept = reeve_registry_new_context (registry, one, &info, NULL);
  g_autoptr (JsonNode) params = reeve_json_parse_strict ("{}", 2, NULL);
  reeve_registry_shutdown (registry);
  g_assert_null (reeve_context_call (kept, "knowledge.search", params, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
}

static void
test_registry_http (void)
{
  g_autoptr (World) world = world_new ();
  g_autoptr (GError) error = NULL;

  add (world, "good", "good", "[Capabilities]\nnet.http=why\n");
  ReeveRegistry *registry = scan (world);
  ReevePlugin *one
      = reeve_registry_instantiate (registry, "one", "good", REEVE_TYPE_TOOL, NULL, &error);
  g_assert_null (call (registry, one, "{\"capability\":\"net.http\"}", &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
  g_clear_error (&error);
  reeve_capabilities_provide_http (world->capabilities, fetch, NULL);
  g_autofree char *text = call (registry, one, "{\"capability\":\"net.http\"}", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "fetched");
}

static void
overwrite (const char *path, const char *behind)
{
  g_autofree char *data = NULL;
  gsize length = 0;

  g_assert_true (g_file_get_contents (path, &data, &length, NULL));
  g_autoptr (GByteArray) more = g_byte_array_new_take ((guint8 *) g_steal_pointer (&data), length);
  g_byte_array_append (more, (const guint8 *) behind, (guint) strlen (behind));
  g_assert_true (g_file_set_contents (path, (const char *) more->data, more->len, NULL));
}

static void
test_registry_pins (void)
{
  g_autoptr (World) world = world_new ();
  g_autoptr (GError) error = NULL;

  add (world, "unpinned", "good", "");
  world->n_pins--;
  world->pins[world->n_pins] = (ReevePin){ 0 };
  overwrite (add (world, "edited", "good", ""), "\n# one comment more\n");
  add (world, "good", "good", "");
  g_autofree char *module = g_build_filename (world->root, "good", "good.so", NULL);
  overwrite (module, "x");
  g_autofree char *schema = g_build_filename (world->root, "schema", "s.json", NULL);
  g_autofree char *folder = g_path_get_dirname (schema);
  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (schema, "{}", -1, NULL));
  add (world, "schema", "good", "[Settings]\nSchemaFile=s.json\n");

  ReeveRegistry *registry = scan (world);
  assert_reason (registry, "unpinned", REEVE_PLUGIN_STATE_REFUSED,
                 "plugin unpinned is not pinned by this build*");
  assert_reason (registry, "edited", REEVE_PLUGIN_STATE_REFUSED,
                 "manifest *edited.plugin is not the one this build pinned*");
  assert_reason (registry, "schema", REEVE_PLUGIN_STATE_REFUSED,
                 "the settings' schema of plugin schema is not*");
  assert_reason (registry, "good", REEVE_PLUGIN_STATE_FOUND, NULL);
  g_assert_null (reeve_registry_instantiate (registry, "x", "good", REEVE_TYPE_TOOL, NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  g_assert_nonnull (strstr (error->message, "is not the file this build pinned"));
  g_clear_error (&error);
  g_assert_null (
      reeve_registry_instantiate (registry, "x", "unpinned", REEVE_TYPE_TOOL, NULL, &error));
  g_assert_nonnull (strstr (error->message, "is not pinned by this build"));
}

static void
test_registry_settings (void)
{
  g_autoptr (World) world = world_new ();
  g_autoptr (GError) error = NULL;

  add (world, "good", "good",
       "[Settings]\nSchema={\"type\":\"object\",\"properties\":{\"fail\":{\"type\":\"string\"},"
       "\"n\":{\"maximum\":3}},"
       "\"additionalProperties\":false}\n");
  ReeveRegistry *registry = scan (world);
  g_autoptr (JsonObject) wrong = object ("{\"n\":4}");
  g_assert_null (
      reeve_registry_instantiate (registry, "one", "good", REEVE_TYPE_TOOL, wrong, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
  g_assert_cmpstr (error->message, ==, "plugin good (one): settings /n: must be at most 3");
  g_clear_error (&error);

  /* an instance whose setup fails takes no other with it */
  g_autoptr (JsonObject) failing = object ("{\"fail\":\"line-4: login timeout\"}");
  g_assert_null (
      reeve_registry_instantiate (registry, "one", "good", REEVE_TYPE_TOOL, failing, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);
  g_assert_cmpstr (error->message, ==, "plugin good (one): line-4: login timeout");
  assert_reason (registry, "good", REEVE_PLUGIN_STATE_FAILED, "*login timeout*");
  g_clear_error (&error);
  g_assert_null (reeve_registry_get_instance (registry, "one"));
  g_assert_nonnull (
      reeve_registry_instantiate (registry, "one", "good", REEVE_TYPE_TOOL, NULL, &error));
  g_assert_no_error (error);

  g_assert_null (
      reeve_registry_instantiate (registry, "one", "good", REEVE_TYPE_TOOL, NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS);
  g_clear_error (&error);
  g_assert_null (
      reeve_registry_instantiate (registry, "two", "absent", REEVE_TYPE_TOOL, NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (
      reeve_registry_instantiate (registry, "two", "good", REEVE_TYPE_STORAGE, NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  g_assert_nonnull (strstr (error->message, "does not offer ReeveStorage"));
}

static char *
order (ReeveRegistry *registry)
{
  g_autoptr (GPtrArray) entries = reeve_registry_list (registry);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < entries->len; i++)
    {
      const ReeveRegistryEntry *entry = entries->pdata[i];
      g_string_append_printf (text, "%s%s ", entry->state == REEVE_PLUGIN_STATE_REFUSED ? "!" : "",
                              entry->id);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
test_registry_order (void)
{
  g_autoptr (World) world = world_new ();

  add (world, "a", NULL, "RunAfter=c;not-there\n");
  add (world, "b", NULL, "");
  add (world, "c", NULL, "RunAfter=d\n");
  add (world, "d", NULL, "Requires=b\n");
  ReeveRegistry *registry = scan (world);
  g_autofree char *text = order (registry);
  g_assert_cmpstr (text, ==, "b d c a ");
}

static void
test_registry_rules (void)
{
  g_autoptr (World) world = world_new ();

  add (world, "a", NULL, "Requires=gone\n");
  add (world, "b", NULL, "Requires=a\n");
  add (world, "c", NULL, "Conflicts=d;c\n");
  add (world, "d", NULL, "");
  add (world, "l1", NULL, "RunAfter=l2\n");
  add (world, "l2", NULL, "RunAfter=l3\n");
  add (world, "l3", NULL, "RunAfter=l1\n");
  add (world, "needs", NULL, "Requires=l1\n");
  add (world, "self", NULL, "RunAfter=self\n");
  ReeveRegistry *registry = scan (world);
  g_autofree char *text = order (registry);

  assert_reason (registry, "a", REEVE_PLUGIN_STATE_REFUSED,
                 "plugin a requires gone, which is not there");
  assert_reason (registry, "b", REEVE_PLUGIN_STATE_REFUSED,
                 "plugin b requires a, which is refused");
  assert_reason (registry, "c", REEVE_PLUGIN_STATE_REFUSED, "plugin c conflicts with d");
  assert_reason (registry, "d", REEVE_PLUGIN_STATE_FOUND, NULL);
  assert_reason (registry, "l1", REEVE_PLUGIN_STATE_REFUSED, "*loop*");
  assert_reason (registry, "needs", REEVE_PLUGIN_STATE_REFUSED,
                 "plugin needs requires l1, which is refused");
  assert_reason (registry, "self", REEVE_PLUGIN_STATE_REFUSED, "*loop*");
  g_assert_true (g_str_has_prefix (text, "d l3 l2 !"));
}

static void
test_registry_twice (void)
{
  g_autoptr (World) first = world_new ();
  g_autoptr (World) second = world_new ();
  g_autoptr (GError) error = NULL;

  add (first, "good", "good", "");
  add (second, "good", "good", "# another\n");
  g_autofree char *stray = g_build_filename (second->root, "stray", NULL);
  g_autofree char *empty = g_build_filename (second->root, "stray", "README", NULL);
  g_assert_cmpint (g_mkdir (stray, 0700), ==, 0);
  g_assert_true (g_file_set_contents (empty, "", 0, NULL));
  g_autofree char *folder = g_build_filename (second->root, "bad", NULL);
  g_autofree char *manifest = g_build_filename (folder, "bad.plugin", NULL);
  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (manifest, "nonsense", -1, NULL));
  const char *const folders[] = { first->root, second->root, NULL };
  const ReeveRegistrySetup setup = { folders, NULL, first->pins, first->capabilities };

  first->registry = reeve_registry_new (&setup);
  reeve_registry_scan (first->registry);
  g_autoptr (GPtrArray) entries = reeve_registry_list (first->registry);
  g_assert_cmpuint (entries->len, ==, 3);
  for (guint i = 1; i < 3; i++)
    {
      const ReeveRegistryEntry *entry = entries->pdata[i];
      g_assert_cmpint (entry->state, ==, REEVE_PLUGIN_STATE_REFUSED);
      g_assert_true (g_pattern_match_simple (
          strcmp (entry->id, "good") == 0 ? "*stands twice*" : "*manifest*", entry->reason));
    }
  /* the first one counts, and works */
  assert_reason (first->registry, "good", REEVE_PLUGIN_STATE_FOUND, NULL);
  g_assert_nonnull (
      reeve_registry_instantiate (first->registry, "x", "good", REEVE_TYPE_TOOL, NULL, &error));
  g_assert_no_error (error);
}

static void
test_registry_two_plugins (void)
{
  g_autoptr (World) world = world_new ();
  g_autoptr (GError) error = NULL;

  add (world, "good", "good", "");
  add (world, "second", "second", "");
  ReeveRegistry *registry = scan (world);
  ReevePlugin *one
      = reeve_registry_instantiate (registry, "1", "good", REEVE_TYPE_TOOL, NULL, &error);
  g_assert_no_error (error);
  ReevePlugin *two
      = reeve_registry_instantiate (registry, "2", "second", REEVE_TYPE_TOOL, NULL, &error);
  g_assert_no_error (error);
  /* modules with the same symbols are not mixed up */
  g_assert_cmpstr (G_OBJECT_TYPE_NAME (one), ==, "Fixture");
  g_assert_cmpstr (G_OBJECT_TYPE_NAME (two), ==, "Second");
}

static void
test_registry_folders (void)
{
  static const char *const given[] = { "/a", "/b", NULL };

  g_unsetenv ("REEVE_PLUGIN_PATH");
  g_auto (GStrv) plain = reeve_registry_find_folders (NULL);
  g_autofree char *built = g_build_filename (g_getenv ("REEVE_BUILD_DIR"), "plugins", NULL);
  g_assert_cmpuint (g_strv_length (plain), ==, 1);
  g_assert_cmpstr (plain[0], ==, built);
  g_setenv ("REEVE_PLUGIN_PATH", "/c::/d", TRUE);
  g_auto (GStrv) more = reeve_registry_find_folders (given);
  g_autofree char *joined = g_strjoinv (" ", more);
  g_assert_cmpstr (joined, ==, "/a /b /c /d");
  g_unsetenv ("REEVE_PLUGIN_PATH");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/registry/good", test_registry_good);
  g_test_add_func ("/registry/capabilities", test_registry_capabilities);
  g_test_add_func ("/registry/http", test_registry_http);
  g_test_add_func ("/registry/pins", test_registry_pins);
  g_test_add_func ("/registry/settings", test_registry_settings);
  g_test_add_func ("/registry/order", test_registry_order);
  g_test_add_func ("/registry/rules", test_registry_rules);
  g_test_add_func ("/registry/twice", test_registry_twice);
  g_test_add_func ("/registry/two-plugins", test_registry_two_plugins);
  g_test_add_func ("/registry/folders", test_registry_folders);
  return g_test_run ();
}
