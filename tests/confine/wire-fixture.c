/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* As root each runner has a user of its own, as in a host. */
#include "wire-fixture.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The kernel counts the threads of a user: each test has users of its own, also beside others. */
#define UID_OF_PLUGINS 1879050000u

/* What the build says, and nothing else will do. */
static const char *
wire_fixture_get_variable (const char *name)
{
  const char *value = g_getenv (name);

  if (value == NULL)
    g_error ("%s is not set: run it by meson test", name);
  return value;
}

char *
wire_fixture_get_path (const char *name)
{
  return g_build_filename (wire_fixture_get_variable ("REEVE_CONFINE_DIR"), name, NULL);
}

char *
wire_fixture_find (const char *program, const char *file)
{
  g_autofree char *folder = g_path_get_dirname (program);
  g_autofree char *found = g_build_filename (folder, "..", "..", file, NULL);

  if (!g_file_test (found, G_FILE_TEST_EXISTS))
    g_error ("%s is not there: build it first", found);
  return g_steal_pointer (&found);
}

char *
wire_fixture_get_plugin (const char *id)
{
  g_autofree char *file = g_strdup_printf ("%s.so", id);

  return g_build_filename (wire_fixture_get_variable ("REEVE_CONFINE_DIR"), "..", "..", "plugins",
                           id, file, NULL);
}

JsonNode *
wire_fixture_json (const char *text)
{
  g_autoptr (GError) error = NULL;
  JsonNode *node = reeve_json_parse_strict (text, strlen (text), &error);

  g_assert_no_error (error);
  json_node_seal (node);
  return node;
}

ReeveContext *
wire_fixture_context (guint ms, ReeveBroker *broker, GCancellable *cancellable)
{
  static const char *const roles[] = { "operator", "viewer", NULL };
  static const char *const workspaces[] = { "", "w1", NULL };
  const ReeveContextInfo info = {
    .struct_size = sizeof info,
    .tenant_id = "t1",
    .user_id = "u1",
    .run_id = "r1",
    .deadline = ms != 0 ? g_get_monotonic_time () + (gint64) ms * 1000 : 0,
    .roles = roles,
    .workspaces = workspaces,
  };

  return reeve_context_new (&info, broker, cancellable);
}

static ReeveRunner *
wire_fixture_make_runner (WireFixture *self, RunnerLayersProfile profile, const char *module,
                          const char *const *program)
{
  const char *const usual[] = { wire_fixture_get_variable ("REEVE_PLUGIN_RUNNER"), NULL };
  const ReeveRunnerSetup setup = {
    .command = program != NULL ? program : usual,
    .name = "tested",
    .profile = profile,
    .accept_weaker = program != NULL ? (RunnerLayers) ~0u : 0,
    .uid = geteuid () == 0 && program == NULL ? UID_OF_PLUGINS + ((guint) getpid () & 0xffff) : 0,
    .memory = self->memory,
    .processes = self->processes != 0 ? self->processes
                 : geteuid () != 0    ? 4096
                                      : 24,
    .files = 64,
    .file_size = (1 << 20) + self->scratch,
    .scratch = self->scratch,
    .folders = self->folders,
    .interpreter = self->interpreter,
    .imports = self->imports,
    .tcp = self->tcp,
    .throttle = self->throttle,
    .cpu = self->cpu,
    .version = "1.0.0",
    .wait_us = WIRE_FIXTURE_WAIT_US,
  };
  int fd = module != NULL ? open (module, O_RDONLY | O_CLOEXEC) : -1;
  ReeveRunner *runner = NULL;

  if (module != NULL && fd < 0)
    g_error ("%s is not there", module);
  runner = reeve_runner_new (self->launcher, &setup, fd, &self->error);
  if (fd >= 0)
    close (fd);
  return runner;
}

void
wire_fixture_start (WireFixture *self, RunnerLayersProfile profile, const char *module,
                    const char *const *program, const ReeveWireLimits *limits)
{
  ReeveRunner *runner = wire_fixture_make_runner (self, profile, module, program);

  const ReeveWireOpening opening = {
    .limits = limits,
    .hello_us = self->hello_us != 0 ? self->hello_us : WIRE_FIXTURE_WAIT_US,
    .kept = self->kept,
    .fell = &self->fell,
  };

  if (runner != NULL)
    self->wire = reeve_wire_new (self->hub, runner, &opening, &self->error);
}

gboolean
wire_fixture_set_up (WireFixture *self, guint type, const char *settings)
{
  g_autoptr (JsonNode) node = wire_fixture_json (settings);
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);

  g_clear_object (&self->plugin);
  self->plugin = reeve_wire_instance_new (self->wire, type);
  return reeve_plugin_setup (self->plugin, json_node_get_object (node), context, &self->error);
}

WireFixture *
wire_fixture_new (RunnerLayersProfile profile, const char *module, const char *const *program,
                  const char *settings)
{
  WireFixture *self = g_new0 (WireFixture, 1);

  self->launcher = reeve_runner_launcher_new ();
  self->hub = reeve_wire_hub_new (&self->error);
  g_assert_no_error (self->error);
  if (module != NULL)
    wire_fixture_start (self, profile, module, program, NULL);
  if (self->wire != NULL && settings != NULL)
    wire_fixture_set_up (self, 0, settings);
  return self;
}

void
wire_fixture_free (WireFixture *self)
{
  g_clear_object (&self->plugin);
  if (self->wire != NULL)
    reeve_wire_close (self->wire);
  g_clear_pointer (&self->wire, reeve_wire_unref);
  reeve_wire_hub_unref (self->hub);
  reeve_runner_launcher_unref (self->launcher);
  g_clear_error (&self->error);
  g_free (self->interpreter);
  g_free (self);
}

gboolean
wire_fixture_offers (RunnerLayersProfile profile)
{
  g_autoptr (ReeveRunnerLauncher) launcher = reeve_runner_launcher_new ();
  WireFixture fixture = { .launcher = launcher };
  g_autoptr (ReeveRunner) probe = wire_fixture_make_runner (&fixture, profile, NULL, NULL);
  RunnerLayers required = runner_layers_get_required (profile, geteuid () == 0);

  g_assert_no_error (fixture.error);
  return (required & ~reeve_runner_get_layers (probe)) == 0;
}
