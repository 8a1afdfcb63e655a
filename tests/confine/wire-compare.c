/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors are compared with their text, the time to wait and the member that they name. */
#include "wire-compare.h"

#include <dlfcn.h>

ReevePlugin *
wire_compare_make_here (const char *path, const char *settings)
{
  void *module = dlopen (path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  const ReevePluginDescriptor *descriptor
      = module != NULL ? dlsym (module, REEVE_PLUGIN_SYMBOL) : NULL;
  g_autoptr (ReevePlugin) plugin = NULL;
  g_autoptr (JsonNode) node = wire_fixture_json (settings);
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert (descriptor != NULL);
  plugin = g_object_new (descriptor->query_types ()[0], NULL);
  reeve_plugin_setup (plugin, json_node_get_object (node), context, &error);
  g_assert_no_error (error);
  return g_steal_pointer (&plugin);
}

/* Says where they part, and not all that they hold. */
static void
wire_compare_check (const char *here, const char *there)
{
  gsize same = 0;
  gsize start = 0;

  while (here[same] == there[same] && here[same] != '\0')
    same++;
  if (here[same] == there[same])
    return;
  start = same > 100 ? same - 100 : 0;
  g_error ("here: ...%.200s\n\nthere: ...%.200s", here + start, there + start);
}

static void
wire_compare_all (const char *path, const char *settings, guint64 scratch, WireCompareScript script,
                  gpointer user_data)
{
  g_autoptr (ReevePlugin) here = wire_compare_make_here (path, settings);
  g_autoptr (WireFixture) fixture
      = wire_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, NULL, NULL, NULL);
  g_autoptr (GString) said_here = g_string_new (NULL);
  g_autoptr (GString) said_there = g_string_new (NULL);

  fixture->scratch = scratch;
  wire_fixture_start (fixture, RUNNER_LAYERS_PROFILE_STRICT, path, NULL, NULL);
  g_assert_no_error (fixture->error);
  wire_fixture_set_up (fixture, 0, settings);
  g_assert_no_error (fixture->error);
  script (here, said_here, user_data);
  script (fixture->plugin, said_there, user_data);
  g_assert_cmpuint (said_here->len, >, 0);
  wire_compare_check (said_here->str, said_there->str);
  reeve_plugin_shutdown (fixture->plugin);
  g_assert_false (reeve_wire_has_ended (fixture->wire, NULL));
}

void
wire_compare (const char *path, const char *settings, WireCompareScript script, gpointer user_data)
{
  wire_compare_all (path, settings, 0, script, user_data);
}

void
wire_compare_with_scratch (const char *path, guint64 scratch, WireCompareScript script,
                           gpointer user_data)
{
  wire_compare_all (path, "{}", scratch, script, user_data);
}

void
wire_compare_note_error (GString *transcript, GError **error)
{
  const GError *it = *error;
  const char *member = NULL;

  if (it == NULL)
    return;
  g_assert_true (it->domain == REEVE_ERROR);
  member = reeve_error_get_member (it);
  g_string_append_printf (transcript, "error %s (%u, %s): %s\n",
                          reeve_error_get_name ((ReeveError) it->code), reeve_error_get_wait (it),
                          member != NULL ? member : "-", it->message);
  g_clear_error (error);
}
