/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The runner with the real kernel: each attempt free (control) and confined, each layer taken away,
 * runners that lie, hang and end, modules that misbehave while they are loaded. As root each runner
 * gets a user of its own; the same program runs a second time as an ordinary user. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attempts.h"
#include "runner-fixture.h"

/* ---- attempts ---- */

static void
test_control (void)
{
  g_autofree char *path = runner_fixture_build_path ("hostile-attempts.so");

  g_assert_true (g_file_test (path, G_FILE_TEST_IS_REGULAR));
  for (guint i = 0; i < n_attempts; i++)
    {
      int code = attempts_make (i);

      /* an attack that does not succeed here proves nothing where it is refused */
      if (code != 0 && g_strcmp0 (attempts[i].name, "keyctl") != 0)
        g_error ("%s does not succeed unconfined: %s", attempts[i].name, g_strerror (code));
    }
}

static void
check_attempts (RunnerLayersProfile profile)
{
  g_autoptr (RunnerFixture) fixture = runner_fixture_new (profile, "hostile-attempts.so");
  g_autoptr (ReeveRunner) runner = NULL;

  runner_fixture_forget_printed ();
  runner = runner_fixture_start (fixture, NULL);
  if (!runner_fixture_offers (profile))
    {
      runner_fixture_assert_refused (runner, fixture->error);
      return;
    }
  g_assert_no_error (fixture->error);
  g_assert_cmpstr (reeve_runner_get_plugin_id (runner), ==, "hostile");
  g_assert_cmpstr (reeve_runner_get_version (runner), ==, "1.0.0");
  g_assert_cmpint (reeve_runner_get_pid (runner), >, 1);
  for (guint i = 0; i < n_attempts; i++)
    {
      int code
          = profile == RUNNER_LAYERS_PROFILE_STRICT ? attempts[i].strict : attempts[i].hardened;
      g_autofree char *line = g_strdup_printf ("attempt %s %d", attempts[i].name, code);
      runner_fixture_assert_printed (line);
    }
  runner_fixture_assert_printed ("sealed");
}

static void
test_strict (void)
{
  check_attempts (RUNNER_LAYERS_PROFILE_STRICT);
}

static void
test_hardened (void)
{
  check_attempts (RUNNER_LAYERS_PROFILE_HARDENED);
}

/* ---- layers taken away ---- */

typedef struct
{
  const char *before;
  RunnerLayers layer;
  gboolean strict;   /* goes on without it */
  gboolean hardened; /* the same */
  gboolean root;     /* is a layer of root hosts alone */
} Missing;

static const Missing missing[] = {
  { "userns", RUNNER_LAYERS_USER_NAMESPACE, TRUE, FALSE, FALSE },
  { "netns", RUNNER_LAYERS_NET_NAMESPACE, TRUE, FALSE, FALSE },
  { "ipcns", RUNNER_LAYERS_IPC_NAMESPACE, TRUE, FALSE, FALSE },
  { "utsns", RUNNER_LAYERS_UTS_NAMESPACE, TRUE, FALSE, FALSE },
  { "cgroupns", RUNNER_LAYERS_CGROUP_NAMESPACE, TRUE, FALSE, FALSE },
  { "mountns", RUNNER_LAYERS_MOUNT_NAMESPACE, TRUE, FALSE, FALSE },
  { "pidns", RUNNER_LAYERS_PID_NAMESPACE, TRUE, FALSE, FALSE },
  { "root", RUNNER_LAYERS_ROOT, TRUE, FALSE, FALSE },
  { "user", RUNNER_LAYERS_USER, FALSE, FALSE, TRUE },
  { "limits", RUNNER_LAYERS_LIMITS, FALSE, FALSE, FALSE },
  { "capabilities", RUNNER_LAYERS_CAPABILITIES, FALSE, FALSE, FALSE },
  { "dumpable", RUNNER_LAYERS_NOT_DUMPABLE, FALSE, FALSE, FALSE },
  { "mdwe", RUNNER_LAYERS_MDWE, TRUE, TRUE, FALSE },
  { "landlock", RUNNER_LAYERS_LANDLOCK, FALSE, FALSE, FALSE },
  { "landlock-abi=2", RUNNER_LAYERS_LANDLOCK_NETWORK, TRUE, TRUE, FALSE },
  { "landlock-abi=5", RUNNER_LAYERS_LANDLOCK_SCOPE, TRUE, TRUE, FALSE },
  { "seccomp", RUNNER_LAYERS_SECCOMP, FALSE, FALSE, FALSE },
};

/* It is refused and says why, or goes on and says without what. */
static void
check_missing (const Missing *one, RunnerLayersProfile profile)
{
  gboolean expected = profile == RUNNER_LAYERS_PROFILE_STRICT ? one->strict : one->hardened;
  g_autoptr (RunnerFixture) fixture = runner_fixture_new (profile, "hostile-nothing.so");
  g_autoptr (ReeveRunner) runner = runner_fixture_start (fixture, one->before);
  g_autofree char *layer
      = g_strdup_printf ("plugin hostile: layer %s of its confinement is missing (",
                         runner_layers_get_name (one->layer));

  if (!runner_fixture_offers (profile))
    {
      runner_fixture_assert_refused (runner, fixture->error);
      return;
    }
  if (expected)
    {
      g_assert_no_error (fixture->error);
      g_assert_cmpuint (reeve_runner_get_layers (runner) & one->layer, ==, 0);
      return;
    }
  if (runner != NULL)
    g_error ("without %s a plugin was loaded, %s", one->before,
             runner_layers_get_profile_name (profile));
  g_assert_error (fixture->error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  if (!g_str_has_prefix (fixture->error->message, layer))
    g_error ("without %s: %s", one->before, fixture->error->message);
  g_assert_nonnull (strstr (fixture->error->message, runner_layers_get_remedy (one->layer)));
}

static void
test_missing (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (missing); i++)
    {
      if (missing[i].root && geteuid () != 0)
        continue;
      check_missing (&missing[i], RUNNER_LAYERS_PROFILE_STRICT);
      check_missing (&missing[i], RUNNER_LAYERS_PROFILE_HARDENED);
    }
}

/* What an administrator does without for one plugin is not asked for, and all else is. */
static void
test_accepted (void)
{
  g_autoptr (RunnerFixture) fixture
      = runner_fixture_new (RUNNER_LAYERS_PROFILE_HARDENED, "hostile-nothing.so");
  g_autoptr (ReeveRunner) runner = NULL;
  g_autoptr (ReeveRunner) refused = NULL;

  fixture->setup.accept_weaker
      = RUNNER_LAYERS_USER_NAMESPACE | RUNNER_LAYERS_NAMESPACES | RUNNER_LAYERS_ROOT;
  runner = runner_fixture_start (fixture, "userns netns ipcns utsns cgroupns mountns pidns");
  g_assert_no_error (fixture->error);
  g_assert_cmpuint (reeve_runner_get_layers (runner) & RUNNER_LAYERS_NAMESPACES, ==, 0);
  g_assert_nonnull (reeve_runner_get_note (runner, RUNNER_LAYERS_NET_NAMESPACE));
  refused = runner_fixture_start (fixture, "landlock");
  g_assert_null (refused);
  g_assert_nonnull (strstr (fixture->error->message, "landlock"));
}

static void
test_probe (void)
{
  g_autoptr (RunnerFixture) fixture = runner_fixture_new (RUNNER_LAYERS_PROFILE_HARDENED, NULL);
  g_autoptr (ReeveRunner) all = runner_fixture_start (fixture, NULL);
  g_autoptr (ReeveRunner) few = NULL;

  g_assert_no_error (fixture->error);
  g_assert_cmpuint (reeve_runner_get_layers (all) & RUNNER_LAYERS_NO_NEW_PRIVILEGES, !=, 0);
  g_assert_cmpuint (reeve_runner_get_landlock_abi (all), >=, 1);
  few = runner_fixture_start (fixture, "userns landlock seccomp mdwe");
  g_assert_no_error (fixture->error);
  g_assert_cmpuint (reeve_runner_get_layers (few)
                        & (RUNNER_LAYERS_USER_NAMESPACE | RUNNER_LAYERS_LANDLOCK
                           | RUNNER_LAYERS_SECCOMP | RUNNER_LAYERS_SEALED | RUNNER_LAYERS_MDWE),
                    ==, 0);
  g_assert_nonnull (strstr (reeve_runner_get_note (few, RUNNER_LAYERS_LANDLOCK), "landlock_"));
  g_assert_cmpuint (reeve_runner_get_layers (few) & RUNNER_LAYERS_NO_NEW_PRIVILEGES, !=, 0);
}

/* ---- runners that are none ---- */

static void
check_liar (const char *words, int code, const char *text)
{
  g_autoptr (RunnerFixture) fixture
      = runner_fixture_new (RUNNER_LAYERS_PROFILE_HARDENED, "hostile-nothing.so");
  g_autoptr (ReeveRunner) runner = NULL;
  g_auto (GStrv) rest = g_strsplit (words, " ", 0);
  gboolean fell = FALSE;

  fixture->setup.fell = &fell;
  g_ptr_array_add (fixture->command, runner_fixture_build_path ("liar"));
  for (guint i = 0; rest[i] != NULL; i++)
    g_ptr_array_add (fixture->command, g_strdup (rest[i]));
  g_ptr_array_add (fixture->command, NULL);
  fixture->setup.command = (const char *const *) fixture->command->pdata;
  if (strcmp (words, "hang") == 0)
    fixture->setup.wait_us = 50 * 1000;
  runner = reeve_runner_new (fixture->launcher, &fixture->setup, fixture->module, &fixture->error);
  g_assert_null (runner);
  g_assert_error (fixture->error, REEVE_ERROR, code);
  if (strstr (fixture->error->message, text) == NULL)
    g_error ("%s: %s", words, fixture->error->message);
  /* what it says behind the loading of the module, that may say; what it says before it cannot */
  g_assert_cmpint (fell, ==, strcmp (text, "went on without") == 0);
}

static void
test_liars (void)
{
  const char *namespaces = "user user-namespace net-namespace ipc-namespace uts-namespace "
                           "cgroup-namespace mount-namespace pid-namespace";
  g_autofree char *capabilities = g_strdup_printf ("%s capabilities", namespaces);
  g_autofree char *privileges = g_strdup_printf ("%s capabilities no-new-privileges", namespaces);
  g_autofree char *nothing
      = g_strdup_printf ("%s session limits capabilities no-new-privileges not-dumpable landlock "
                         "seccomp sealed root",
                         namespaces);

  if (geteuid () == 0)
    check_liar ("", REEVE_ERROR_PLUGIN, "layer user is in force, and the kernel says: Uid is");
  check_liar ("user", REEVE_ERROR_PLUGIN, "layer user-namespace is in force, and the kernel says");
  check_liar ("user user-namespace", REEVE_ERROR_PLUGIN, "layer net-namespace is in force");
  check_liar (namespaces, REEVE_ERROR_PLUGIN, "no filter was added");
  check_liar (geteuid () == 0 ? nothing : privileges, REEVE_ERROR_PLUGIN,
              geteuid () == 0 ? "went on without" : "no filter was added");
  check_liar (nothing, REEVE_ERROR_PLUGIN, "went on without");
  check_liar ("skip", REEVE_ERROR_PLUGIN, "left out a step");
  check_liar ("noise", REEVE_ERROR_PLUGIN, "ended before it was ready");
  check_liar ("end", REEVE_ERROR_PLUGIN, "ended before it was ready");
  check_liar ("hang", REEVE_ERROR_TIMEOUT, "does not answer");
}

static void
test_no_runner (void)
{
  static const char *const command[] = { "/nonexistent/reeve-plugin-runner", NULL };
  g_autoptr (RunnerFixture) fixture
      = runner_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, "hostile-nothing.so");

  fixture->setup.command = command;
  g_assert_null (
      reeve_runner_new (fixture->launcher, &fixture->setup, fixture->module, &fixture->error));
  g_assert_error (fixture->error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  g_assert_cmpstr (fixture->error->message, ==,
                   "plugin hostile: starting /nonexistent/reeve-plugin-runner: No such file or "
                   "directory");
}

/* ---- modules that misbehave while they are loaded ---- */

static void
check_module (const char *module, int code, const char *text)
{
  g_autoptr (RunnerFixture) fixture = runner_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, module);
  g_autoptr (ReeveRunner) runner = NULL;
  gboolean fell = FALSE;

  if (code == REEVE_ERROR_TIMEOUT)
    fixture->setup.wait_us = 2 * G_USEC_PER_SEC;
  fixture->setup.fell = &fell;
  runner = runner_fixture_start (fixture, NULL);
  /* there was code of the plugin's, whatever is said of its end */
  g_assert_true (fell);
  if (runner != NULL)
    g_error ("%s was loaded", module);
  g_assert_error (fixture->error, REEVE_ERROR, code);
  if (strstr (fixture->error->message, text) == NULL)
    g_error ("%s: %s", module, fixture->error->message);
}

static void
test_modules (void)
{
  check_module ("hostile-exit.so", REEVE_ERROR_PLUGIN, "ended before it was ready");
  check_module ("hostile-crash.so", REEVE_ERROR_PLUGIN, "ended before it was ready");
  check_module ("hostile-hang.so", REEVE_ERROR_TIMEOUT, "does not answer");
  check_module ("hostile-claim.so", REEVE_ERROR_PLUGIN, "layer sealed is in force");
  check_module ("hostile-give-up.so", REEVE_ERROR_PLUGIN, "layer sealed of its confinement");
  check_module ("without", REEVE_ERROR_PLUGIN, "its module: ");
}

/* Whoever says that it is sealed is sealed: by the host, whatever filter it added itself. */
static void
test_pretended (void)
{
  g_autoptr (RunnerFixture) fixture
      = runner_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, "hostile-pretend.so");
  g_autoptr (ReeveRunner) runner = NULL;

  runner_fixture_forget_printed ();
  runner = runner_fixture_start (fixture, NULL);
  g_assert_no_error (fixture->error);
  runner_fixture_assert_printed ("sealed");
}

/* Behind the seal it was stopped for a moment, so that nothing from before is under way. */
static void
test_still (void)
{
  for (guint i = 0; i < 2; i++)
    {
      RunnerLayersProfile profile
          = i == 0 ? RUNNER_LAYERS_PROFILE_STRICT : RUNNER_LAYERS_PROFILE_HARDENED;
      g_autoptr (RunnerFixture) fixture = runner_fixture_new (profile, "hostile-still.so");
      g_autoptr (ReeveRunner) runner = NULL;

      runner_fixture_forget_printed ();
      runner = runner_fixture_start (fixture, NULL);
      if (!runner_fixture_offers (profile))
        {
          runner_fixture_assert_refused (runner, fixture->error);
          continue;
        }
      g_assert_no_error (fixture->error);
      runner_fixture_assert_printed ("went on");
    }
}

/* ---- what was refused last ---- */

static gboolean
is_gone (GPid pid)
{
  gint64 end = g_get_monotonic_time () + RUNNER_FIXTURE_WAIT_US;
  g_autofree char *path = g_strdup_printf ("/proc/%d/status", pid);

  while (g_get_monotonic_time () < end)
    {
      g_autofree char *status = NULL;
      if (!g_file_get_contents (path, &status, NULL, NULL) || strstr (status, "State:\tZ") != NULL)
        return TRUE;
      g_usleep (2000);
    }
  return FALSE;
}

/* How the load of @module ended, under @profile and without what @before takes away. */
static char *
get_end (RunnerLayersProfile profile, const char *before, const char *module)
{
  g_autoptr (RunnerFixture) fixture = runner_fixture_new (profile, module);
  g_autoptr (ReeveRunner) runner = runner_fixture_start (fixture, before);

  if (runner != NULL)
    g_error ("%s was loaded", module);
  return g_strdup (fixture->error->message);
}

static void
check_end (RunnerLayersProfile profile, const char *before, const char *module, const char *end)
{
  g_autofree char *text = get_end (profile, before, module);

  if (!g_str_has_suffix (text, end))
    g_error ("%s: %s", module, text);
}

static void
test_refused (void)
{
  for (guint i = 0; i < 2; i++)
    {
      RunnerLayersProfile profile
          = i == 0 ? RUNNER_LAYERS_PROFILE_STRICT : RUNNER_LAYERS_PROFILE_HARDENED;

      if (!runner_fixture_offers (profile))
        continue;
      check_end (profile, NULL, "hostile-refused.so", " (seccomp: socket)");
      check_end (profile, NULL, "hostile-fork.so", "code 3 (seccomp: clone)");
      /* nothing was refused */
      check_end (profile, NULL, "hostile-exit.so", "code 0");
    }
  /* somebody outside listens already, and there can be one: it is refused as it was, unnamed */
  check_end (RUNNER_LAYERS_PROFILE_STRICT, "landlock-abi=5", "hostile-fork.so", "code 3");
}

/* Whoever makes refused calls without end keeps nobody else from starting, and can be ended. */
static void
test_flood (void)
{
  g_autoptr (RunnerFixture) fixture
      = runner_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, "hostile-flood.so");
  g_autoptr (ReeveRunner) runner = runner_fixture_start (fixture, NULL);
  GPid pid = 0;

  g_assert_no_error (fixture->error);
  pid = reeve_runner_get_pid (runner);
  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (RunnerFixture) other
          = runner_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, "hostile-nothing.so");
      g_autoptr (ReeveRunner) one = NULL;

      /* on the thread that answers the first one */
      reeve_runner_launcher_unref (other->launcher);
      other->launcher = reeve_runner_launcher_ref (fixture->launcher);
      one = runner_fixture_start (other, NULL);
      g_assert_no_error (other->error);
    }
  g_assert_false (reeve_runner_wait (runner, 0));
  reeve_runner_kill (runner);
  g_clear_pointer (&runner, reeve_runner_free);
  g_assert_true (is_gone (pid));
}

static void
test_prints (void)
{
  g_autoptr (RunnerFixture) fixture
      = runner_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, "hostile-print.so");
  g_autoptr (ReeveRunner) runner = NULL;

  runner_fixture_forget_printed ();
  runner = runner_fixture_start (fixture, NULL);
  g_assert_no_error (fixture->error);
  runner_fixture_assert_printed (
      "\\x1b[2Jxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
  g_clear_pointer (&runner, reeve_runner_free);
  runner_fixture_assert_printed ("too much");
}

/* ---- the end ---- */

static void
test_ends (void)
{
  g_autoptr (RunnerFixture) fixture
      = runner_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, "hostile-nothing.so");
  g_autoptr (ReeveRunner) runner = runner_fixture_start (fixture, NULL);
  GPid pid = 0;

  g_assert_no_error (fixture->error);
  pid = reeve_runner_get_pid (runner);
  g_assert_false (reeve_runner_wait (runner, 0));
  g_clear_pointer (&runner, reeve_runner_free);
  g_assert_true (is_gone (pid));
}

/* The host is killed while a module hangs in its constructor: nothing of it is left. */
static void
check_host_killed (RunnerLayersProfile profile)
{
  int ends[2] = { -1, -1 };
  pid_t host = 0;
  GPid runner = 0;

  g_assert_cmpint (pipe (ends), ==, 0);
  host = fork ();
  if (host == 0)
    {
      RunnerFixture *fixture = runner_fixture_new (profile, "hostile-nothing.so");
      ReeveRunner *one = runner_fixture_start (fixture, NULL);
      GPid pid = one != NULL ? reeve_runner_get_pid (one) : 0;

      if (write (ends[1], &pid, sizeof pid) == sizeof pid)
        pause ();
      _exit (1);
    }
  g_assert_cmpint (read (ends[0], &runner, sizeof runner), ==, sizeof runner);
  g_assert_cmpint (runner, >, 1);
  /* it would go by the end of its socket; stopped, it cannot see that */
  g_assert_cmpint (kill (runner, SIGSTOP), ==, 0);
  g_assert_cmpint (kill (host, SIGKILL), ==, 0);
  waitpid (host, NULL, 0);
  g_assert_true (is_gone (runner));
  close (ends[0]);
  close (ends[1]);
}

static void
test_host_killed (void)
{
  check_host_killed (RUNNER_LAYERS_PROFILE_STRICT);
  if (runner_fixture_offers (RUNNER_LAYERS_PROFILE_HARDENED))
    check_host_killed (RUNNER_LAYERS_PROFILE_HARDENED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/runner/control", test_control);
  g_test_add_func ("/runner/strict", test_strict);
  g_test_add_func ("/runner/hardened", test_hardened);
  g_test_add_func ("/runner/missing", test_missing);
  g_test_add_func ("/runner/accepted", test_accepted);
  g_test_add_func ("/runner/probe", test_probe);
  g_test_add_func ("/runner/liars", test_liars);
  g_test_add_func ("/runner/no-runner", test_no_runner);
  g_test_add_func ("/runner/modules", test_modules);
  g_test_add_func ("/runner/pretended", test_pretended);
  g_test_add_func ("/runner/still", test_still);
  g_test_add_func ("/runner/refused", test_refused);
  g_test_add_func ("/runner/flood", test_flood);
  g_test_add_func ("/runner/prints", test_prints);
  g_test_add_func ("/runner/ends", test_ends);
  g_test_add_func ("/runner/host-killed", test_host_killed);
  return runner_fixture_run ();
}
