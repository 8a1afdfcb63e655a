/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every attack of attacks.json in three forms: free in a process of its own, as control, for what
 * does not succeed free proves nothing where it is refused; in a runner with profile strict; and in
 * one with profile hardened. What a plugin may do succeeds in all three. Runs as root and as an
 * ordinary user. */
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test-broker.h"
#include "wire-compare.h"
#include "wire-fixture.h"

#include "runner/runner-plan.h"

#include "hostile-world.h"

#define HOSTILE_GROUPS  7
#define HOSTILE_MEMORY  (G_GUINT64_CONSTANT (4) << 30) /* as the host gives */
#define HOSTILE_THREADS 64                             /* as the host gives */
#define HOSTILE_ROOM    200                            /* threads beyond those that are there */
#define HOSTILE_SCRATCH (16u << 20) /* bytes, where a folder to write in was granted */

typedef enum
{
  HOSTILE_CONTROL,
  HOSTILE_STRICT,
  HOSTILE_HARDENED
} HostileForm;

#define HOSTILE_FORMS 3
static const char *const hostile_forms[HOSTILE_FORMS] = { "control", "strict", "hardened" };

typedef struct
{
  JsonArray *table;
  HostileWorld *world;
  const char *program; /* this one */
} Hostile;

typedef struct
{
  Hostile *hostile;
  const char *group;
  HostileForm form;
} HostileTest;

/* Attacks of one form, in one process after the other. */
typedef struct
{
  Hostile *hostile;
  HostileForm form;
  gboolean scratch;     /* a folder to write in is granted */
  WireFixture *fixture; /* NULL: free */
} HostileRun;

/* ---- one call of the plugin ---- */

/* (transfer full): `succeeded`, an error's name, or the signal that ended the process */
static char *
call_plugin (ReevePlugin *plugin, const char *attack, JsonNode *world)
{
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, broker, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveToolResult) result = reeve_tool_call (
      REEVE_TOOL (plugin), attack, json_node_get_object (world), context, &error);

  if (result != NULL)
    return g_strdup (reeve_tool_result_get_text (result));
  if (strstr (error->message, "was killed by signal 31 (") != NULL)
    return g_strdup ("SIGSYS");
  return g_strdup (error->message);
}

/* What the process does that test_hostile() starts for a control. */
static int
run_control (const char *module, const char *attack, const char *world)
{
  g_autoptr (ReevePlugin) plugin = wire_compare_make_here (module, "{}");
  g_autoptr (JsonNode) arguments = wire_fixture_json (world);
  g_autofree char *answer = call_plugin (plugin, attack, arguments);

  g_print ("%s", answer);
  return 0;
}

static char *
call_free (Hostile *self, const char *attack, JsonNode *world)
{
  g_autofree char *text = json_to_string (world, FALSE);
  const char *const command[]
      = { self->program, "--control", self->world->module, attack, text, NULL };
  g_autofree char *answer = NULL;
  g_autoptr (GError) error = NULL;
  int status = 0;

  g_spawn_sync (NULL, (char **) command, NULL, G_SPAWN_DEFAULT, NULL, NULL, &answer, NULL, &status,
                &error);
  g_assert_no_error (error);
  if (WIFSIGNALED (status))
    return g_strdup_printf ("SIG%s", sigabbrev_np (WTERMSIG (status)));
  g_assert_cmpint (status, ==, 0);
  return g_steal_pointer (&answer);
}

/* Threads of this user's: a limit counts them all where the plugin has no user of its own. */
static guint
count_threads (void)
{
  g_autoptr (GDir) processes = g_dir_open ("/proc", 0, NULL);
  const char *name = NULL;
  guint count = 0;

  while (processes != NULL && (name = g_dir_read_name (processes)) != NULL)
    {
      g_autofree char *path = g_build_filename ("/proc", name, "task", NULL);
      struct stat status = { 0 };
      g_autoptr (GDir) tasks = stat (path, &status) == 0 && status.st_uid == geteuid ()
                                   ? g_dir_open (path, 0, NULL)
                                   : NULL;

      while (tasks != NULL && g_dir_read_name (tasks) != NULL)
        count++;
    }
  return count;
}

static WireFixture *
start_runner (const HostileRun *run)
{
  Hostile *self = run->hostile;
  HostileForm form = run->form;
  const char *const folders[] = { self->world->granted, NULL };
  RunnerLayersProfile profile
      = form == HOSTILE_STRICT ? RUNNER_LAYERS_PROFILE_STRICT : RUNNER_LAYERS_PROFILE_HARDENED;
  WireFixture *fixture = wire_fixture_new (profile, NULL, NULL, NULL);

  fixture->memory = HOSTILE_MEMORY;
  /* in a user namespace only what is in there is counted */
  fixture->processes = form == HOSTILE_HARDENED ? HOSTILE_THREADS
                       : geteuid () != 0        ? count_threads () + HOSTILE_ROOM
                                                : 0;
  fixture->folders = folders;
  fixture->scratch = run->scratch ? HOSTILE_SCRATCH : 0;
  wire_fixture_start (fixture, profile, self->world->module, NULL, NULL);
  if (fixture->wire != NULL)
    wire_fixture_set_up (fixture, 0, "{}");
  return fixture;
}

/* ---- what is expected ---- */

static gboolean
has_text (JsonObject *attack, const char *member, const char *text)
{
  JsonArray *list = json_object_has_member (attack, member)
                        ? json_object_get_array_member (attack, member)
                        : NULL;

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++)
    {
      if (g_str_equal (json_array_get_string_element (list, i), text))
        return TRUE;
    }
  return FALSE;
}

/* How @attack ends in @form: one word, or one for each kind of user. */
static const char *
get_expected (JsonObject *attack, HostileForm form)
{
  JsonNode *node = json_object_get_member (attack, hostile_forms[form]);

  if (node == NULL)
    return "succeeded";
  if (JSON_NODE_HOLDS_VALUE (node))
    return json_node_get_string (node);
  return json_object_get_string_member (json_node_get_object (node),
                                        geteuid () == 0 ? "root" : "user");
}

/* A machine that does not have what is attacked says so, and an ordinary user may not all. */
static void
check_control (JsonObject *attack, const char *answer)
{
  const char *name = json_object_get_string_member (attack, "name");

  if (g_str_equal (answer, "succeeded")
      || g_str_equal (answer, get_expected (attack, HOSTILE_CONTROL)))
    return;
  if (has_text (attack, "lacks", answer))
    g_test_message ("%s: this machine does not have it (%s); its refusal is tested all the same",
                    name, answer);
  else
    g_test_fail_printf ("%s does not succeed unconfined: %s", name, answer);
}

/* (transfer full): what an attack of @run is told */
static JsonNode *
describe_world (const HostileRun *run)
{
  return hostile_world_describe (run->hostile->world, 0,
                                 run->fixture != NULL ? RUNNER_PLAN_SCRATCH : NULL);
}

static void
check_attack (HostileRun *run, JsonObject *attack)
{
  const char *name = json_object_get_string_member (attack, "name");
  g_autoptr (JsonNode) world = describe_world (run);
  g_autofree char *answer = NULL;

  if (run->fixture == NULL)
    {
      answer = call_free (run->hostile, name, world);
      check_control (attack, answer);
      return;
    }
  answer = call_plugin (run->fixture->plugin, name, world);
  if (!g_str_equal (answer, get_expected (attack, run->form)))
    g_test_fail_printf ("%s, %s: %s and not %s", name, hostile_forms[run->form], answer,
                        get_expected (attack, run->form));
  if (!reeve_wire_has_ended (run->fixture->wire, NULL))
    return;
  wire_fixture_free (run->fixture);
  run->fixture = start_runner (run);
  g_assert_no_error (run->fixture->error);
}

static void
check_twin (const HostileRun *run, const char *name)
{
  g_autoptr (JsonNode) world = describe_world (run);
  g_autofree char *answer = run->fixture == NULL ? call_free (run->hostile, name, world)
                                                 : call_plugin (run->fixture->plugin, name, world);

  if (!g_str_equal (answer, "succeeded"))
    g_test_fail_printf ("%s, %s, is no attack and answers %s", name, hostile_forms[run->form],
                        answer);
}

/* @item: of the table, or what of it is tried where more was granted */
static void
check_item (HostileRun *run, JsonObject *item)
{
  JsonArray *attacks = json_object_has_member (item, "attacks")
                           ? json_object_get_array_member (item, "attacks")
                           : NULL;

  for (guint i = 0; attacks != NULL && i < json_array_get_length (attacks); i++)
    check_attack (run, json_array_get_object_element (attacks, i));
  if (attacks != NULL)
    check_twin (run, json_object_get_string_member (item, "twin"));
}

static void
check_group (HostileRun *run, const char *group)
{
  for (guint i = 0; i < json_array_get_length (run->hostile->table); i++)
    {
      JsonObject *item = json_array_get_object_element (run->hostile->table, i);

      if (!g_str_equal (json_object_get_string_member (item, "group"), group))
        continue;
      if (!run->scratch)
        check_item (run, item);
      else if (json_object_has_member (item, "scratch"))
        check_item (run, json_object_get_object_member (item, "scratch"));
    }
}

/* FALSE: this machine does not offer the form, and says so. */
static gboolean
start_run (HostileRun *run)
{
  if (run->form == HOSTILE_CONTROL)
    return TRUE;
  run->fixture = start_runner (run);
  if (run->form == HOSTILE_HARDENED && !wire_fixture_offers (RUNNER_LAYERS_PROFILE_HARDENED))
    {
      g_assert_error (run->fixture->error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
      g_assert_nonnull (strstr (run->fixture->error->message, " of its confinement is missing ("));
      g_test_message ("this machine does not offer it: %s", run->fixture->error->message);
      return FALSE;
    }
  g_assert_no_error (run->fixture->error);
  return TRUE;
}

/* Once without, and once where the plugin was granted a folder to write in. */
static void
test_hostile (gconstpointer data)
{
  const HostileTest *test = data;

  for (guint i = 0; i < 2; i++)
    {
      HostileRun run = { .hostile = test->hostile, .form = test->form, .scratch = i > 0 };

      if (start_run (&run))
        check_group (&run, test->group);
      g_clear_pointer (&run.fixture, wire_fixture_free);
    }
}

int
main (int argc, char **argv)
{
  static const char *const groups[HOSTILE_GROUPS]
      = { "Files", "Memory", "Network", "Code", "Kernel", "Exhaustion", "Life" };
  HostileTest tests[HOSTILE_GROUPS][HOSTILE_FORMS];
  g_autofree char *table = NULL;
  g_autofree char *module = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  Hostile hostile = { .program = "/proc/self/exe" };
  int code = 0;

  if (argc == 5 && strcmp (argv[1], "--control") == 0)
    return run_control (argv[2], argv[3], argv[4]);
  g_test_init (&argc, &argv, NULL);
  module = wire_fixture_find (argv[0], "tests/hostile/attacker.so");
  table = wire_fixture_find (argv[0], "tests/hostile/attacks.json");
  json_parser_load_from_file (parser, table, &error);
  g_assert_no_error (error);
  hostile.table = json_node_get_array (json_parser_get_root (parser));
  hostile.world = hostile_world_new (module);
  for (guint i = 0; i < G_N_ELEMENTS (groups); i++)
    {
      for (guint j = 0; j < G_N_ELEMENTS (hostile_forms); j++)
        {
          g_autofree char *path = g_strdup_printf ("/hostile/%s/%s", groups[i], hostile_forms[j]);

          tests[i][j] = (HostileTest){ &hostile, groups[i], (HostileForm) j };
          g_test_add_data_func (path, &tests[i][j], test_hostile);
        }
    }
  code = g_test_run ();
  hostile_world_free (hostile.world);
  return code;
}
