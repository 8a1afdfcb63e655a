/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all attacks share. */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ATTACK_STRETCH (64ll << 30)

int
attack_result (long value)
{
  int code = errno;

  return value >= 0 ? 0 : code;
}

int
attack_fd (long fd)
{
  int code = errno;

  if (fd < 0)
    return code;
  close ((int) fd);
  return 0;
}

int
attack_open (const char *path, int flags)
{
  return attack_fd (open (path, flags | O_CLOEXEC | O_NOCTTY, 0600));
}

int
attack_open_in (const char *folder, const char *name, int flags)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  return attack_open (path, flags);
}

int
attack_open_proc (gint64 pid, const char *name, int flags)
{
  g_autofree char *path = g_strdup_printf ("/proc/%" G_GINT64_FORMAT "/%s", pid, name);

  return attack_open (path, flags);
}

int
attack_open_again (int fd, int flags)
{
  g_autofree char *name = g_strdup_printf ("/proc/self/fd/%d", fd);

  return attack_open (name, flags);
}

int
attack_create_in (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "new", NULL);
  int code = attack_open (path, O_WRONLY | O_CREAT);

  unlink (path);
  return code;
}

int
attack_make_folder_in (const char *folder, unsigned mode)
{
  g_autofree char *path = g_build_filename (folder, "folder", NULL);
  int code = attack_result (mkdir (path, mode));

  rmdir (path);
  return code;
}

int
attack_make_pipe_in (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "pipe", NULL);
  int code = attack_result (mkfifo (path, 0600));

  unlink (path);
  return code;
}

int
attack_stretch_in (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "stretch", NULL);
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  int code = errno;

  if (fd < 0)
    return code;
  code = attack_result (ftruncate (fd, ATTACK_STRETCH));
  close (fd);
  unlink (path);
  return code;
}

int
attack_rename_in (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  return attack_result (rename (path, path));
}

int
attack_read_other (const AttackWorld *world)
{
  return attack_open_in (world->other, "secret", O_RDONLY);
}

int
attack_child (long child)
{
  int code = errno;

  if (child == 0)
    _exit (0);
  if (child < 0)
    return code;
  waitpid ((pid_t) child, NULL, 0);
  return 0;
}

int
attack_in_child (AttackFunc make, const AttackWorld *world)
{
  pid_t child = fork ();
  int status = 0;

  if (child < 0)
    return make (world);
  if (child == 0)
    {
      close (STDOUT_FILENO);
      open ("/dev/null", O_WRONLY);
      _exit (make (world));
    }
  waitpid (child, &status, 0);
  return WIFEXITED (status) ? WEXITSTATUS (status) : EINTR;
}
