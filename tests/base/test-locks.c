/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A debug build ends the program where a lock is held across what may wait or call back. This file
 * is compiled as those of host/ are. */
#include <reeve-plugin-1.h>

typedef struct
{
  GMutex lock;
  GMutex other;
  GCond changed;
} Locks;

static void
call_fsync (Locks *locks)
{
  g_mutex_lock (&locks->lock);
  (void) fsync (-1);
}

static void
call_pwrite (Locks *locks)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&locks->lock);

  (void) pwrite (-1, "", 0, 0);
}

static void
call_open (Locks *locks)
{
  g_assert_true (g_mutex_trylock (&locks->lock));
  (void) open ("/dev/null", O_RDONLY);
}

static void
call_plugin (Locks *locks)
{
  g_mutex_lock (&locks->lock);
  (void) reeve_tool_list (NULL, NULL, NULL);
}

static void
call_storage (Locks *locks)
{
  g_mutex_lock (&locks->lock);
  reeve_storage_close (NULL);
}

static void
call_back (Locks *locks)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);

  g_mutex_lock (&locks->lock);
  g_task_return_new_error (task, REEVE_ERROR, REEVE_ERROR_FAILED, "no");
}

static void
wait_with_two (Locks *locks)
{
  g_mutex_lock (&locks->lock);
  g_mutex_lock (&locks->other);
  g_cond_wait_until (&locks->changed, &locks->other, 0);
}

/* the inner one given back, the outer still held */
static void
call_under_outer (Locks *locks)
{
  g_mutex_lock (&locks->lock);
  g_mutex_lock (&locks->other);
  g_mutex_unlock (&locks->other);
  (void) fsync (-1);
}

static void
unlock_unheld (Locks *locks)
{
  g_mutex_unlock (&locks->lock);
}

static const struct
{
  const char *name;
  void (*func) (Locks *locks);
  const char *message;
} breaches[] = {
  { "fsync", call_fsync, "*fsync () under a lock*addr2line*test-base-locks 0x*" },
  { "pwrite", call_pwrite, "*pwrite () under a lock*" },
  { "open", call_open, "*open () under a lock*" },
  { "plugin", call_plugin, "*reeve_tool_list () under a lock*" },
  { "storage", call_storage, "*reeve_storage_close () under a lock*" },
  { "callback", call_back, "*g_task_return_new_error () under a lock*" },
  { "wait", wait_with_two, "*waiting for a condition under a lock*" },
  { "outer", call_under_outer, "*fsync () under a lock*" },
  { "unheld", unlock_unheld, "*does not hold*" },
};

static void
test_breach (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  Locks locks = { 0 };

  if (g_test_subprocess ())
    {
      g_mutex_init (&locks.lock);
      g_mutex_init (&locks.other);
      g_cond_init (&locks.changed);
      breaches[i].func (&locks);
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr (breaches[i].message);
}

static void
test_allowed (void)
{
  Locks locks = { 0 };
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "file", NULL);
  int fd = 0;

  g_mutex_init (&locks.lock);
  g_mutex_init (&locks.other);
  g_cond_init (&locks.changed);
  g_mutex_lock (&locks.lock);
  g_assert_false (g_cond_wait_until (&locks.changed, &locks.lock, 0));
  g_mutex_lock (&locks.other);
  /* in the order they were taken, too */
  g_mutex_unlock (&locks.lock);
  g_mutex_unlock (&locks.other);
  fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (pwrite (fd, "word", 4, 0), ==, 4);
  g_assert_cmpint (fsync (fd), ==, 0);
  close (fd);
  g_mutex_clear (&locks.lock);
  g_mutex_clear (&locks.other);
  g_cond_clear (&locks.changed);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/locks/allowed", test_allowed);
  for (guint i = 0; i < G_N_ELEMENTS (breaches); i++)
    {
      g_autofree char *path = g_strconcat ("/locks/", breaches[i].name, NULL);

      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_breach);
    }
  return g_test_run ();
}
