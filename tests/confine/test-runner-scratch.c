/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A runner that was granted a folder to write in. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attempts.h"
#include "runner-fixture.h"

/* What a module writes there while it is loaded, before the seal, is no code. */
static void
check_scratch (RunnerLayersProfile profile)
{
  g_autoptr (RunnerFixture) fixture = runner_fixture_new (profile, "hostile-scratch.so");
  g_autoptr (ReeveRunner) runner = NULL;

  runner_fixture_forget_printed ();
  fixture->setup.scratch = 4 << 20;
  fixture->setup.file_size = 8 << 20;
  runner = runner_fixture_start (fixture, NULL);
  g_assert_no_error (fixture->error);
  g_assert_cmpuint (reeve_runner_get_layers (runner) & RUNNER_LAYERS_SCRATCH, !=, 0);
  runner_fixture_assert_printed ("scratch 1"); /* EPERM: it was written, and is not mapped */
  g_clear_pointer (&runner, reeve_runner_free);
  /* without the grant there is none */
  runner_fixture_forget_printed ();
  fixture->setup.scratch = 0;
  runner = runner_fixture_start (fixture, NULL);
  g_assert_no_error (fixture->error);
  g_assert_cmpuint (reeve_runner_get_layers (runner) & RUNNER_LAYERS_SCRATCH, ==, 0);
  runner_fixture_assert_printed (profile == RUNNER_LAYERS_PROFILE_STRICT ? "scratch 13"
                                                                         : "scratch 2");
}

/* The kernel counts nobody's locks: the host does, and where it is not asked there are none. What
 * nobody could count is refused. */
static void
check_locks (RunnerLayersProfile profile, const char *without, const char *const *said)
{
  g_autoptr (RunnerFixture) fixture = runner_fixture_new (profile, "hostile-locks.so");
  g_autoptr (ReeveRunner) runner = NULL;

  runner_fixture_forget_printed ();
  fixture->setup.scratch = 4 << 20;
  fixture->setup.file_size = 8 << 20;
  runner = runner_fixture_start (fixture, without);
  g_assert_no_error (fixture->error);
  for (guint i = 0; said[i] != NULL; i++)
    runner_fixture_assert_printed (said[i]);
}

static void
test_locks (void)
{
  static const char *const counted[]
      = { "locks many 37", "waits none 37", "again many 37", "apart none 1", NULL };
  static const char *const none[]
      = { "locks none 37", "waits none 37", "again none 37", "apart none 1", NULL };

  if (!runner_fixture_offers (RUNNER_LAYERS_PROFILE_HARDENED))
    {
      g_test_message ("this machine has no namespaces: nobody gets a folder");
      return;
    }
  check_locks (RUNNER_LAYERS_PROFILE_STRICT, NULL, counted);
  check_locks (RUNNER_LAYERS_PROFILE_HARDENED, NULL, counted);
  /* somebody else listens, and there can be one */
  check_locks (RUNNER_LAYERS_PROFILE_STRICT, "landlock-abi=5", none);
}

/* One on the disk is closed until nothing becomes code any more, counted from then on, and gone
 * with its process. */
static void
test_scratch_on_disk (void)
{
  g_autoptr (RunnerFixture) fixture
      = runner_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, "hostile-scratch.so");
  g_autofree char *parent = g_dir_make_tmp ("scratch.XXXXXX", NULL);
  g_autoptr (ReeveRunnerFolder) folder
      = reeve_runner_folder_new (parent, "hostile", 1 << 20, 0, &fixture->error);
  g_autoptr (ReeveRunner) runner = NULL;
  g_autofree char *path = NULL;
  g_autofree char *large = NULL;
  g_autofree char *how = NULL;
  g_autofree char *block = g_malloc0 (2 << 20);
  struct stat status = { 0 };

  g_assert_no_error (fixture->error);
  path = g_strdup (reeve_runner_folder_get_path (folder));
  large = g_build_filename (path, "large", NULL);
  runner_fixture_forget_printed ();
  fixture->setup.scratch = 1 << 20;
  fixture->setup.folder = folder;
  runner = runner_fixture_start (fixture, "userns");
  g_assert_no_error (fixture->error);
  runner_fixture_assert_printed ("scratch here 13");
  g_assert_true (reeve_runner_get_folder (runner) == folder);
  g_assert_cmpint (stat (path, &status), ==, 0);
  g_assert_cmpuint (status.st_mode & 0777, ==, 0700);
  g_assert_cmpuint (status.st_uid, ==, geteuid () == 0 ? RUNNER_FIXTURE_UID : geteuid ());
  g_assert_cmpint (reeve_runner_folder_look (folder, 1), >, 1);
  memset (block, 'b', 2 << 20);
  g_assert_true (g_file_set_contents (large, block, 2 << 20, NULL));
  g_assert_cmpint (reeve_runner_folder_look (folder, 1), ==, 0);
  for (guint i = 0; i < 1000 && how == NULL; i++)
    {
      how = reeve_runner_describe_end (runner);
      if (strstr (how, "scratch limit") == NULL)
        g_clear_pointer (&how, g_free);
      g_usleep (10000);
    }
  g_assert_nonnull (how);
  g_clear_pointer (&runner, reeve_runner_free);
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  g_clear_pointer (&folder, reeve_runner_folder_unref);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  g_assert_cmpint (rmdir (parent), ==, 0);
}

static gboolean
write_file (const char *path, const char *text)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  gboolean good = fd >= 0 && write (fd, text, strlen (text)) == (gssize) strlen (text);

  if (fd >= 0)
    close (fd);
  return good;
}

/* A disk of 8 MiB at @path, for this process alone. FALSE: this machine gives none */
static gboolean
mount_small_disk (const char *path)
{
  g_autofree char *user = g_strdup_printf ("0 %u 1", geteuid ());
  g_autofree char *group = g_strdup_printf ("0 %u 1", getegid ());

  return unshare (CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_file ("/proc/self/setgroups", "deny")
         && write_file ("/proc/self/uid_map", user) && write_file ("/proc/self/gid_map", group)
         && mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
         && mount ("tmpfs", path, "tmpfs", 0, "size=8m") == 0;
}

/* What a process has without a name is counted nowhere, but the disk has less for it. 0: as it is
 * to be; 77: this machine does not let it try */
static int
try_full_disk (const char *parent)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveRunnerFolder) folder = NULL;
  g_autofree char *block = g_malloc0 (7 << 20);
  pid_t process = -1;
  int status = 0;
  int fd = -1;

  if (!mount_small_disk (parent))
    return 77;
  if (reeve_runner_folder_new (parent, "hostile", 1 << 20, 9 << 20, &error) != NULL || error == NULL
      || strstr (error->message, "less than 9 MiB are left") == NULL)
    return 1;
  folder = reeve_runner_folder_new (parent, "hostile", 1 << 20, 2 << 20, NULL);
  process = folder != NULL ? fork () : -1;
  if (process == 0)
    {
      prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
      for (;;)
        pause ();
    }
  if (process < 0
      || !reeve_runner_folder_open (folder, 0, process, (int) syscall (SYS_pidfd_open, process, 0))
      || reeve_runner_folder_look (folder, 1) <= 1)
    return 2;
  fd = open (reeve_runner_folder_get_path (folder), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0 || write (fd, block, 7 << 20) != 7 << 20)
    return 3;
  if (reeve_runner_folder_look (folder, 1) != 0 || waitpid (process, &status, 0) != process
      || !WIFSIGNALED (status) || WTERMSIG (status) != SIGKILL)
    return 4;
  return strstr (reeve_runner_folder_get_fault (folder), "nearly full") != NULL ? 0 : 5;
}

static void
test_full_disk (void)
{
  g_autofree char *parent = g_dir_make_tmp ("scratch.XXXXXX", NULL);
  pid_t child = fork ();
  int status = 0;

  if (child == 0)
    {
      prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
      _exit (try_full_disk (parent));
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  if (WEXITSTATUS (status) == 77)
    g_test_message ("this machine has no namespaces: nobody gets a disk of his own");
  else
    g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  g_assert_cmpint (rmdir (parent), ==, 0);
}

/* Holds a file of @bytes that has no name, open or mapped, and then waits for its end. @ready: an
 * end of a pipe */
static void
hold_removed (const char *folder, gsize bytes, gboolean mapped, int ready)
{
  /* also where the test fails */
  int bound = prctl (PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  g_autofree char *block = g_malloc0 (bytes);
  int fd = open (folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  gboolean good = bound == 0 && fd >= 0 && write (fd, block, bytes) == (gssize) bytes;

  if (good && mapped)
    {
      good = mmap (NULL, bytes, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED;
      close (fd);
    }
  if (!good || write (ready, "", 1) != 1)
    _exit (1);
  for (;;)
    pause ();
}

/* Two that write on the same disk: the one that hides more than was granted is ended, the other one
 * goes on. */
static void
check_hidden (gboolean mapped)
{
  static const gsize bytes[] = { 2 << 20, 512 << 10 };
  g_autofree char *parent = g_dir_make_tmp ("scratch.XXXXXX", NULL);
  ReeveRunnerFolder *folders[2] = { NULL };
  GPid all[2] = { 0 };
  g_autoptr (GError) error = NULL;
  int status = 0;

  for (guint i = 0; i < 2; i++)
    {
      int ends[2] = { -1, -1 };
      char byte = 0;

      folders[i] = reeve_runner_folder_new (parent, "hostile", 1 << 20, 0, &error);
      g_assert_no_error (error);
      g_assert_cmpint (g_chmod (reeve_runner_folder_get_path (folders[i]), 0700), ==, 0);
      g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
      all[i] = fork ();
      if (all[i] == 0)
        hold_removed (reeve_runner_folder_get_path (folders[i]), bytes[i], mapped, ends[1]);
      close (ends[1]);
      g_assert_cmpint (read (ends[0], &byte, 1), ==, 1);
      close (ends[0]);
      g_assert_true (reeve_runner_folder_open (folders[i], 0, all[i],
                                               (int) syscall (SYS_pidfd_open, all[i], 0)));
    }
  g_assert_cmpint (reeve_runner_folder_look (folders[0], 1), ==, 0);
  g_assert_cmpint (reeve_runner_folder_look (folders[1], 1), >, 1);
  g_assert_cmpstr (reeve_runner_folder_get_fault (folders[0]), ==,
                   "it had more in scratch than was granted");
  g_assert_null (reeve_runner_folder_get_fault (folders[1]));
  g_assert_cmpint (waitpid (all[0], &status, 0), ==, all[0]);
  g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
  g_assert_cmpint (waitpid (all[1], &status, WNOHANG), ==, 0);
  kill (all[1], SIGKILL);
  g_assert_cmpint (waitpid (all[1], &status, 0), ==, all[1]);
  for (guint i = 0; i < 2; i++)
    reeve_runner_folder_unref (folders[i]);
  g_assert_cmpint (rmdir (parent), ==, 0);
}

static void
test_hidden (void)
{
  check_hidden (FALSE);
  check_hidden (TRUE);
}

/* What is nothing but mapped is found of any process, whoever the host is: its list was opened in
 * time. */
static void
test_mapped (void)
{
  g_autoptr (RunnerFixture) fixture
      = runner_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, "hostile-hide.so");
  g_autofree char *parent = g_dir_make_tmp ("scratch.XXXXXX", NULL);
  g_autoptr (ReeveRunnerFolder) folder
      = reeve_runner_folder_new (parent, "hostile", 1 << 20, 0, &fixture->error);
  g_autoptr (ReeveRunner) runner = NULL;

  g_assert_no_error (fixture->error);
  runner_fixture_forget_printed ();
  fixture->setup.scratch = 1 << 20;
  fixture->setup.file_size = 8 << 20;
  fixture->setup.folder = folder;
  runner = runner_fixture_start (fixture, "userns");
  g_assert_no_error (fixture->error);
  runner_fixture_assert_printed ("hidden");
  g_assert_cmpint (reeve_runner_folder_look (folder, 1), ==, 0);
  g_assert_cmpstr (reeve_runner_folder_get_fault (folder), ==,
                   "it had more in scratch than was granted");
  g_clear_pointer (&runner, reeve_runner_free);
  g_clear_pointer (&folder, reeve_runner_folder_unref);
  g_assert_cmpint (rmdir (parent), ==, 0);
}

/* What the kernel gives is taken rather. */
static void
test_scratch_not_on_disk (void)
{
  g_autoptr (RunnerFixture) fixture
      = runner_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, "hostile-nothing.so");
  g_autofree char *parent = g_dir_make_tmp ("scratch.XXXXXX", NULL);
  g_autoptr (ReeveRunnerFolder) folder
      = reeve_runner_folder_new (parent, "hostile", 1 << 20, 0, &fixture->error);
  g_autoptr (ReeveRunner) runner = NULL;

  g_assert_no_error (fixture->error);
  fixture->setup.scratch = 1 << 20;
  fixture->setup.folder = folder;
  runner = runner_fixture_start (fixture, NULL);
  g_assert_no_error (fixture->error);
  if ((reeve_runner_get_layers (runner) & RUNNER_LAYERS_SCRATCH) != 0)
    g_assert_null (reeve_runner_get_folder (runner));
  else
    g_test_message ("this machine has no namespaces");
  g_clear_pointer (&runner, reeve_runner_free);
  g_clear_pointer (&folder, reeve_runner_folder_unref);
  g_assert_cmpint (rmdir (parent), ==, 0);
}

static void
test_scratch (void)
{
  g_autoptr (RunnerFixture) fixture
      = runner_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, "hostile-nothing.so");
  g_autoptr (ReeveRunner) runner = NULL;

  g_assert_cmpint (attempts_run_from (g_get_tmp_dir ()), ==, 0);
  if (!runner_fixture_offers (RUNNER_LAYERS_PROFILE_HARDENED))
    g_test_message ("this machine has no namespaces: nobody gets a folder");
  else
    {
      check_scratch (RUNNER_LAYERS_PROFILE_STRICT);
      check_scratch (RUNNER_LAYERS_PROFILE_HARDENED);
    }
  fixture->setup.scratch = 4 << 20;
  runner = runner_fixture_start (fixture, "userns");
  g_assert_no_error (fixture->error);
  g_assert_cmpuint (reeve_runner_get_layers (runner) & RUNNER_LAYERS_SCRATCH, ==, 0);
  g_assert_nonnull (
      strstr (reeve_runner_get_note (runner, RUNNER_LAYERS_SCRATCH), "CLONE_NEWUSER"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/runner/scratch", test_scratch);
  g_test_add_func ("/runner/scratch/locks", test_locks);
  g_test_add_func ("/runner/scratch/on-disk", test_scratch_on_disk);
  g_test_add_func ("/runner/scratch/full-disk", test_full_disk);
  g_test_add_func ("/runner/scratch/hidden", test_hidden);
  g_test_add_func ("/runner/scratch/mapped", test_mapped);
  g_test_add_func ("/runner/scratch/not-on-disk", test_scratch_not_on_disk);
  return runner_fixture_run ();
}
