/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a folder to write in was granted: out of it, into somebody else's, code from it, more in it
 * than is given. */
#include "attack.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ATTACK_SCRATCH_PAGE  4096
#define ATTACK_SCRATCH_BLOCK (1 << 20)
/* more than the runner of the test has: 16 MiB */
#define ATTACK_SCRATCH_MIB   24
#define ATTACK_SCRATCH_FILES 4000
#define ATTACK_SCRATCH_LOCKS 4096

/* ---- somebody else's, and out of it ---- */

static int
attack_scratch_other_write (const AttackWorld *world)
{
  return attack_create_in (world->other);
}

static int
attack_scratch_other_folder (const AttackWorld *world)
{
  return attack_make_folder_in (world->other, 0700);
}

static int
attack_scratch_other_rename (const AttackWorld *world)
{
  return attack_rename_in (world->other, "secret");
}

static int
attack_scratch_climb (const AttackWorld *world)
{
  g_autofree char *path
      = g_build_filename (world->scratch, "../../../../../..", world->other, "secret", NULL);

  return attack_open (path, O_RDONLY);
}

/* By the folder of another process. */
static int
attack_scratch_of_victim (const AttackWorld *world)
{
  g_autofree char *name = g_build_filename ("root", world->other, "secret", NULL);

  return attack_open_proc (world->victim, name, O_RDONLY);
}

static int
attack_scratch_rename_out (const AttackWorld *world)
{
  g_autofree char *from = g_build_filename (world->scratch, "out", NULL);
  g_autofree char *to = g_build_filename (world->other, "out", NULL);
  int code = attack_open (from, O_WRONLY | O_CREAT);

  if (code == 0)
    code = attack_result (rename (from, to));
  unlink (from);
  unlink (to);
  return code;
}

static int
attack_scratch_link (const AttackWorld *world)
{
  g_autofree char *secret = g_build_filename (world->other, "secret", NULL);
  g_autofree char *path = g_build_filename (world->scratch, "link", NULL);
  int code = attack_result (symlink (secret, path));

  unlink (path);
  return code;
}

static int
attack_scratch_pipe (const AttackWorld *world)
{
  return attack_make_pipe_in (world->scratch);
}

/* A device, if only one that stands for nothing, is what remains at the old name. */
static int
attack_scratch_whiteout (const AttackWorld *world)
{
  g_autofree char *from = g_build_filename (world->scratch, "from", NULL);
  g_autofree char *to = g_build_filename (world->scratch, "to", NULL);
  int code = attack_open (from, O_WRONLY | O_CREAT);

  if (code == 0)
    code = attack_result (renameat2 (AT_FDCWD, from, AT_FDCWD, to, RENAME_WHITEOUT));
  unlink (from);
  unlink (to);
  return code;
}

/* What is in such a folder nobody lists, and so nobody removes. */
static int
attack_scratch_closed (const AttackWorld *world)
{
  return attack_make_folder_in (world->scratch, 0300);
}

/* The same behind a mask. */
static int
attack_scratch_mask (const AttackWorld *world)
{
  /* the C library's function knows of no error */
  long before = syscall (SYS_umask, 0400);
  int code = attack_result (before);

  if (code == 0)
    umask ((mode_t) before);
  return code;
}

/* ---- code ---- */

/* A copy of this module where it may write. (transfer full) (nullable) */
static char *
attack_scratch_copy (const AttackWorld *world)
{
  g_autofree char *path = g_build_filename (world->scratch, "library.so", NULL);
  g_autofree char *bytes = NULL;
  gsize length = 0;
  Dl_info info = { 0 };

  /* its own file is not there to be read: that of a library is */
  if (dladdr ((gpointer) g_strdup, &info) == 0
      || !g_file_get_contents (info.dli_fname, &bytes, &length, NULL)
      || !g_file_set_contents_full (path, bytes, (gssize) length, G_FILE_SET_CONTENTS_NONE, 0700,
                                    NULL))
    return NULL;
  return g_steal_pointer (&path);
}

/* @change: first to read, then to execute */
static int
attack_scratch_map_with (const AttackWorld *world, gboolean change)
{
  g_autofree char *path = attack_scratch_copy (world);
  int fd = path != NULL ? open (path, O_RDONLY | O_CLOEXEC) : -1;
  void *memory = MAP_FAILED;
  int code = ENODATA;

  if (fd < 0)
    return code;
  memory = mmap (NULL, ATTACK_SCRATCH_PAGE, change ? PROT_READ : PROT_READ | PROT_EXEC, MAP_PRIVATE,
                 fd, 0);
  code = memory == MAP_FAILED ? errno : 0;
  if (memory != MAP_FAILED && change)
    code = attack_result (mprotect (memory, ATTACK_SCRATCH_PAGE, PROT_READ | PROT_EXEC));
  if (memory != MAP_FAILED)
    munmap (memory, ATTACK_SCRATCH_PAGE);
  close (fd);
  unlink (path);
  return code;
}

static int
attack_scratch_map (const AttackWorld *world)
{
  return attack_scratch_map_with (world, FALSE);
}

static int
attack_scratch_protect (const AttackWorld *world)
{
  return attack_scratch_map_with (world, TRUE);
}

/* The dynamic loader keeps the kernel's answer to itself: `scratch-map` says it. */
static int
attack_scratch_dlopen (const AttackWorld *world)
{
  g_autofree char *path = attack_scratch_copy (world);
  void *library = path != NULL ? dlopen (path, RTLD_NOW | RTLD_LOCAL) : NULL;
  const char *said = library == NULL && path != NULL ? dlerror () : NULL;

  if (path != NULL)
    unlink (path);
  if (library != NULL)
    return 0;
  return said != NULL && strstr (said, "failed to map segment") != NULL ? EACCES : EIO;
}

static int
attack_scratch_execve_now (const AttackWorld *world)
{
  g_autofree char *path = g_build_filename (world->scratch, "program", NULL);
  char *const arguments[] = { path, NULL };
  char *const environment[] = { NULL };

  return attack_result (execve (path, arguments, environment));
}

static int
attack_scratch_execve (const AttackWorld *world)
{
  g_autofree char *path = g_build_filename (world->scratch, "program", NULL);
  int code = 0;

  /* what is executed is a script, which any machine can run */
  if (!g_file_set_contents_full (path, "#!/bin/sh\nexit 0\n", -1, G_FILE_SET_CONTENTS_NONE, 0700,
                                 NULL))
    return ENODATA;
  code = attack_in_child (attack_scratch_execve_now, world);
  unlink (path);
  return code;
}

static int
attack_scratch_mode (const AttackWorld *world)
{
  g_autofree char *path = g_build_filename (world->scratch, "mode", NULL);
  int code = attack_open (path, O_WRONLY | O_CREAT);

  if (code == 0)
    code = attack_result (chmod (path, 04755));
  unlink (path);
  return code;
}

/* ---- more than is given ---- */

static int
attack_scratch_fill (const AttackWorld *world)
{
  g_autofree char *path = g_build_filename (world->scratch, "fill", NULL);
  g_autofree char *block = g_malloc0 (ATTACK_SCRATCH_BLOCK);
  int fd = open (path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  int code = fd < 0 ? errno : 0;

  for (guint i = 0; i < ATTACK_SCRATCH_MIB && code == 0; i++)
    code = attack_result (write (fd, block, ATTACK_SCRATCH_BLOCK));
  if (fd >= 0)
    close (fd);
  unlink (path);
  return code;
}

static int
attack_scratch_flood (const AttackWorld *world)
{
  int code = 0;

  for (guint i = 0; i < 2 * ATTACK_SCRATCH_FILES; i++)
    {
      g_autofree char *path
          = g_strdup_printf ("%s/flood-%u", world->scratch, i % ATTACK_SCRATCH_FILES);

      if (i >= ATTACK_SCRATCH_FILES)
        unlink (path);
      else if (code == 0)
        code = attack_open (path, O_WRONLY | O_CREAT);
    }
  return code;
}

static int
attack_scratch_stretch (const AttackWorld *world)
{
  return attack_stretch_in (world->scratch);
}

/* Each lock of a range takes memory of the kernel's. */
static int
attack_scratch_lock_all (const AttackWorld *world, int command)
{
  g_autofree char *path = g_build_filename (world->scratch, "locked", NULL);
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
  int code = fd < 0 ? errno : 0;

  for (guint i = 0; i < ATTACK_SCRATCH_LOCKS && code == 0; i++)
    {
      lock.l_start = 2 * i;
      code = attack_result (fcntl (fd, command, &lock));
    }
  if (fd >= 0)
    close (fd);
  unlink (path);
  return code;
}

static int
attack_scratch_locks (const AttackWorld *world)
{
  return attack_scratch_lock_all (world, F_SETLK);
}

static int
attack_scratch_locks_wait (const AttackWorld *world)
{
  return attack_scratch_lock_all (world, F_SETLKW);
}

/* The kernel says of these nobody whose they are. */
static int
attack_scratch_locks_apart (const AttackWorld *world)
{
  return attack_scratch_lock_all (world, F_OFD_SETLK);
}

static int
attack_scratch_lease (const AttackWorld *world)
{
  g_autofree char *path = g_build_filename (world->scratch, "leased", NULL);
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  int code = fd < 0 ? errno : attack_result (fcntl (fd, F_SETLEASE, F_WRLCK));

  if (fd >= 0)
    close (fd);
  unlink (path);
  return code;
}

/* ---- what a plugin may do ---- */

/* As a library does that keeps a database: many times, and few at once. */
static gboolean
attack_scratch_lock_some (int fd)
{
  gboolean good = flock (fd, LOCK_EX) == 0;

  for (guint i = 0; i < ATTACK_SCRATCH_LOCKS && good; i++)
    {
      struct flock lock = { .l_type = i % 2 == 0 ? F_WRLCK : F_UNLCK, .l_whence = SEEK_SET };

      good = fcntl (fd, i % 4 == 0 ? F_SETLKW : F_SETLK, &lock) == 0;
    }
  return good;
}

static int
attack_scratch_work (const AttackWorld *world)
{
  g_autofree char *folder = g_build_filename (world->scratch, "folder", NULL);
  g_autofree char *first = g_build_filename (folder, "first", NULL);
  g_autofree char *second = g_build_filename (world->scratch, "second", NULL);
  g_autofree char *kept = g_build_filename (world->scratch, "kept", NULL);
  g_autofree char *read = NULL;
  int fd = open (kept, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  gboolean good = fd >= 0 && attack_scratch_lock_some (fd) && close (fd) == 0
                  && renameat2 (AT_FDCWD, kept, AT_FDCWD, second, RENAME_NOREPLACE) == 0
                  && mkdir (folder, 0755) == 0 && g_file_set_contents (first, "kept", 4, NULL)
                  && rename (first, second) == 0 && g_file_get_contents (second, &read, NULL, NULL)
                  && strcmp (read, "kept") == 0 && unlink (second) == 0 && rmdir (folder) == 0;

  return good ? 0 : EIO;
}

const Attack attack_scratch[] = {
  { "scratch-other-read", attack_read_other },
  { "scratch-other-write", attack_scratch_other_write },
  { "scratch-other-folder", attack_scratch_other_folder },
  { "scratch-other-rename", attack_scratch_other_rename },
  { "scratch-climb", attack_scratch_climb },
  { "scratch-of-victim", attack_scratch_of_victim },
  { "scratch-rename-out", attack_scratch_rename_out },
  { "scratch-link", attack_scratch_link },
  { "scratch-pipe", attack_scratch_pipe },
  { "scratch-whiteout", attack_scratch_whiteout },
  { "scratch-closed", attack_scratch_closed },
  { "scratch-mask", attack_scratch_mask },
  { "scratch-map", attack_scratch_map },
  { "scratch-protect", attack_scratch_protect },
  { "scratch-dlopen", attack_scratch_dlopen },
  { "scratch-execve", attack_scratch_execve },
  { "scratch-mode", attack_scratch_mode },
  { "scratch-fill", attack_scratch_fill },
  { "scratch-flood", attack_scratch_flood },
  { "scratch-stretch", attack_scratch_stretch },
  { "scratch-locks", attack_scratch_locks },
  { "scratch-locks-wait", attack_scratch_locks_wait },
  { "scratch-locks-apart", attack_scratch_locks_apart },
  { "scratch-lease", attack_scratch_lease },
  { "scratch-work", attack_scratch_work },
  { NULL, NULL },
};
