/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a runner keeps of the memory that it is handed. A runner of the tests' own keeps the
 * descriptors, which no limit of its address space counts; a plugin in the real one keeps what it
 * was answered, which is mapped. Each has a twin that does the same and keeps nothing. */
#include "test-broker.h"
#include "wire-fixture.h"

#include "../helpers/test-fds.h"

#include <string.h>
#include <sys/resource.h>

#define DOCUMENT (1 << 20)
#define KEPT     (4 * DOCUMENT)

static gboolean
extract (WireFixture *fixture, GError **error)
{
  g_autoptr (GBytes) document = g_bytes_new_take (g_malloc0 (DOCUMENT), DOCUMENT);
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);
  g_autoptr (ReeveExtract) read = reeve_extractor_extract (
      REEVE_EXTRACTOR (fixture->plugin), document, "text/plain", NULL, context, error);

  return read != NULL;
}

static WireFixture *
new_extractor (const char *mode, guint64 kept)
{
  g_autofree char *module = wire_fixture_get_plugin ("tool-calculate");
  g_autofree char *program = wire_fixture_get_path ("wire-liar");
  const char *const command[] = { program, mode, NULL };
  WireFixture *fixture = wire_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, NULL, NULL, NULL);

  fixture->kept = kept;
  wire_fixture_start (fixture, RUNNER_LAYERS_PROFILE_STRICT, module, command, NULL);
  g_assert_no_error (fixture->error);
  g_assert_true (wire_fixture_set_up (fixture, 0, "{}"));
  return fixture;
}

/* It has as many as it may; the next call ends it, and says why. */
static void
test_keeps (void)
{
  g_autoptr (WireFixture) fixture = new_extractor ("keeps", KEPT);
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) end = NULL;

  for (guint i = 0; i < KEPT / DOCUMENT; i++)
    {
      extract (fixture, &error);
      g_assert_no_error (error);
    }
  g_assert_false (extract (fixture, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  g_assert (strstr (error->message, "it keeps 4194304 bytes in 4 pieces") != NULL);
  g_assert_true (reeve_wire_has_ended (fixture->wire, &end));
  g_assert (strstr (end->message, "was ended: it keeps 4194304 bytes") != NULL);
}

/* The control: with room for it, all of that is kept, and the host has a descriptor of each. */
static void
test_may_keep (void)
{
  g_autoptr (WireFixture) fixture = new_extractor ("keeps", 64 * KEPT);
  g_autoptr (GError) error = NULL;
  guint before = test_fds_count ();

  for (guint i = 0; i < 4 * KEPT / DOCUMENT; i++)
    {
      extract (fixture, &error);
      g_assert_no_error (error);
    }
  g_assert_cmpuint (test_fds_count (), >=, before + 4 * KEPT / DOCUMENT);
}

/* So many pieces, however small: descriptors are the host's too. */
static void
test_pieces (void)
{
  g_autoptr (WireFixture) fixture = new_extractor ("keeps", 0);
  g_autoptr (GBytes) document = g_bytes_new_static ("a", 1);
  g_autoptr (GError) error = NULL;
  guint n = 0;

  while (error == NULL && n <= REEVE_WIRE_LOANS_MOST)
    {
      g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);
      g_autoptr (ReeveExtract) read = reeve_extractor_extract (
          REEVE_EXTRACTOR (fixture->plugin), document, "text/plain", NULL, context, &error);

      n += read != NULL;
    }
  g_assert_cmpuint (n, ==, MIN (REEVE_WIRE_LOANS_MOST, reeve_wire_allowance_read_most ()));
  g_assert_true (reeve_wire_has_ended (fixture->wire, NULL));
}

static void
test_closes (void)
{
  g_autoptr (WireFixture) fixture = new_extractor ("closes", KEPT);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 4 * KEPT / DOCUMENT; i++)
    {
      extract (fixture, &error);
      g_assert_no_error (error);
    }
}

static gboolean
use (WireFixture *fixture, const char *name, GError **error)
{
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, broker, NULL);
  g_autoptr (JsonNode) none = wire_fixture_json ("{}");
  g_autoptr (ReeveToolResult) result = reeve_tool_call (
      REEVE_TOOL (fixture->plugin), name, json_node_get_object (none), context, error);

  return result != NULL;
}

/* What it is answered it may keep beyond its call, up to so much; then it is told, and goes on when
 * it has let go. */
static void
test_answers (void)
{
  g_autofree char *module = wire_fixture_get_path ("wire-plugin.so");
  g_autoptr (WireFixture) fixture
      = wire_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;

  fixture->kept = KEPT;
  wire_fixture_start (fixture, RUNNER_LAYERS_PROFILE_STRICT, module, NULL, NULL);
  g_assert_no_error (fixture->error);
  g_assert_true (wire_fixture_set_up (fixture, 0, "{}"));
  for (guint round = 0; round < 2; round++)
    {
      for (guint i = 0; i < KEPT / DOCUMENT; i++)
        {
          use (fixture, "hoard", &error);
          g_assert_no_error (error);
        }
      g_assert_false (use (fixture, "hoard", &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE);
      g_clear_error (&error);
      use (fixture, "let-go", &error);
      g_assert_no_error (error);
    }
  /* its twin */
  for (guint i = 0; i < 4 * KEPT / DOCUMENT; i++)
    {
      use (fixture, "send-much", &error);
      g_assert_no_error (error);
    }
}

int
main (int argc, char **argv)
{
  struct rlimit files = { 0 };

  g_test_init (&argc, &argv, NULL);
  /* as the host does: what runners may keep is a part of it */
  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &files), ==, 0);
  files.rlim_cur = files.rlim_max;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &files), ==, 0);
  g_test_add_func ("/wire/kept/keeps", test_keeps);
  g_test_add_func ("/wire/kept/may-keep", test_may_keep);
  g_test_add_func ("/wire/kept/pieces", test_pieces);
  g_test_add_func ("/wire/kept/closes", test_closes);
  g_test_add_func ("/wire/kept/answers", test_answers);
  return g_test_run ();
}
