/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that are not the plugin's, by every way that leads to them, and changes of those that it
 * may read. */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int
attack_files_passwd (const AttackWorld *world)
{
  return attack_open ("/etc/passwd", O_RDONLY);
}

static int
attack_files_proc_root (const AttackWorld *world)
{
  return attack_open ("/proc/self/root/etc/passwd", O_RDONLY);
}

static int
attack_files_dot_dot (const AttackWorld *world)
{
  return attack_open_in (world->granted, "../other/secret", O_RDONLY);
}

static int
attack_files_link (const AttackWorld *world)
{
  return attack_open_in (world->granted, "link", O_RDONLY);
}

static int
attack_files_relative_link (const AttackWorld *world)
{
  return attack_open_in (world->granted, "relative-link", O_RDONLY);
}

/* A descriptor that only stands for a path is given to everybody: what is made of it is not. */
static int
attack_files_path_open (const AttackWorld *world)
{
  g_autofree char *path = g_build_filename (world->other, "secret", NULL);
  int fd = open (path, O_PATH | O_CLOEXEC);
  int code = errno;

  if (fd < 0)
    return code;
  code = attack_open_again (fd, O_RDONLY);
  close (fd);
  return code;
}

static int
attack_files_path_folder (const AttackWorld *world)
{
  int fd = open (world->other, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int code = errno;

  if (fd < 0)
    return code;
  code = attack_fd (openat (fd, "secret", O_RDONLY | O_CLOEXEC));
  close (fd);
  return code;
}

static int
attack_files_hard_link (const AttackWorld *world)
{
  g_autofree char *from = g_build_filename (world->other, "secret", NULL);
  g_autofree char *to = g_build_filename (world->other, "second-name", NULL);
  int code = attack_result (link (from, to));

  unlink (to);
  return code;
}

static int
attack_files_other_list (const AttackWorld *world)
{
  return attack_open (world->other, O_RDONLY | O_DIRECTORY);
}

static int
attack_files_other_write (const AttackWorld *world)
{
  return attack_create_in (world->other);
}

static int
attack_files_granted_create (const AttackWorld *world)
{
  return attack_create_in (world->granted);
}

static int
attack_files_beside (const AttackWorld *world)
{
  g_autofree char *folder = g_path_get_dirname (world->module);

  return attack_create_in (folder);
}

static int
attack_files_module_write (const AttackWorld *world)
{
  return attack_open (world->module, O_WRONLY);
}

/* Opens what it has for reading once more, for writing. */
static int
attack_files_reopen (const AttackWorld *world)
{
  g_autofree char *path = g_build_filename (world->granted, "file", NULL);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  int code = errno;

  if (fd < 0)
    return code;
  code = attack_open_again (fd, O_RDWR);
  close (fd);
  return code;
}

static int
attack_files_sparse (const AttackWorld *world)
{
  return attack_stretch_in (world->other);
}

static int
attack_files_truncate (const AttackWorld *world)
{
  g_autofree char *path = g_build_filename (world->granted, "empty", NULL);

  return attack_result (truncate (path, 0));
}

static int
attack_files_open_truncate (const AttackWorld *world)
{
  return attack_open_in (world->granted, "empty", O_RDONLY | O_TRUNC);
}

static int
attack_files_append (const AttackWorld *world)
{
  return attack_open_in (world->granted, "file", O_WRONLY | O_APPEND);
}

static int
attack_files_rename (const AttackWorld *world)
{
  return attack_rename_in (world->granted, "file");
}

static int
attack_files_chmod (const AttackWorld *world)
{
  g_autofree char *path = g_build_filename (world->granted, "file", NULL);

  return attack_result (chmod (path, 0644));
}

static int
attack_files_touch (const AttackWorld *world)
{
  g_autofree char *path = g_build_filename (world->granted, "file", NULL);

  return attack_result (utimensat (AT_FDCWD, path, NULL, 0));
}

static int
attack_files_make_folder (const AttackWorld *world)
{
  return attack_make_folder_in (world->other, 0700);
}

static int
attack_files_make_pipe (const AttackWorld *world)
{
  return attack_make_pipe_in (world->other);
}

/* ---- what a plugin may do ---- */

static int
attack_files_granted_read (const AttackWorld *world)
{
  g_autofree char *path = g_build_filename (world->granted, "file", NULL);
  g_autofree char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) && g_str_equal (text, "granted\n") ? 0 : EIO;
}

static int
attack_files_granted_list (const AttackWorld *world)
{
  g_autoptr (GDir) folder = g_dir_open (world->granted, 0, NULL);

  return folder != NULL && g_dir_read_name (folder) != NULL ? 0 : EIO;
}

static int
attack_files_libraries (const AttackWorld *world)
{
  return attack_open ("/usr/lib", O_RDONLY | O_DIRECTORY);
}

const Attack attack_files[] = {
  { "passwd", attack_files_passwd },
  { "proc-root", attack_files_proc_root },
  { "dot-dot", attack_files_dot_dot },
  { "link", attack_files_link },
  { "relative-link", attack_files_relative_link },
  { "path-open", attack_files_path_open },
  { "path-folder", attack_files_path_folder },
  { "hard-link", attack_files_hard_link },
  { "other-read", attack_read_other },
  { "other-list", attack_files_other_list },
  { "other-write", attack_files_other_write },
  { "granted-create", attack_files_granted_create },
  { "beside", attack_files_beside },
  { "module-write", attack_files_module_write },
  { "reopen", attack_files_reopen },
  { "sparse", attack_files_sparse },
  { "truncate", attack_files_truncate },
  { "open-truncate", attack_files_open_truncate },
  { "append", attack_files_append },
  { "rename", attack_files_rename },
  { "chmod", attack_files_chmod },
  { "touch", attack_files_touch },
  { "make-folder", attack_files_make_folder },
  { "make-pipe", attack_files_make_pipe },
  { "granted-read", attack_files_granted_read },
  { "granted-list", attack_files_granted_list },
  { "libraries", attack_files_libraries },
  { NULL, NULL },
};
