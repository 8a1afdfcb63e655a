/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Code that nobody has looked at: programs, memory that was written, libraries that were put
 * somewhere. */
#include "attack.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ATTACK_CODE_PAGE 4096
/* a program that can be read everywhere: the dynamic loader */
#define ATTACK_CODE_PROGRAM "/lib64/ld-linux-x86-64.so.2"

static char *const attack_code_arguments[] = { (char *) "x", (char *) "--version", NULL };
static char *const attack_code_name[] = { (char *) "x", NULL };
static char *const attack_code_environment[] = { NULL };

static int
attack_code_execve_now (const AttackWorld *world)
{
  return attack_result (execve ("/bin/true", attack_code_name, attack_code_environment));
}

static int
attack_code_execve (const AttackWorld *world)
{
  return attack_in_child (attack_code_execve_now, world);
}

static int
attack_code_execveat_now (const AttackWorld *world)
{
  int fd = open (ATTACK_CODE_PROGRAM, O_RDONLY | O_CLOEXEC);

  return attack_result (syscall (SYS_execveat, fd, "", attack_code_arguments,
                                 attack_code_environment, AT_EMPTY_PATH));
}

static int
attack_code_execveat (const AttackWorld *world)
{
  return attack_in_child (attack_code_execveat_now, world);
}

static int
attack_code_spawn (const AttackWorld *world)
{
  pid_t child = 0;
  int code
      = posix_spawn (&child, "/bin/true", NULL, NULL, attack_code_name, attack_code_environment);

  if (code == 0)
    waitpid (child, NULL, 0);
  return code;
}

static int
attack_code_fork (const AttackWorld *world)
{
  return attack_child (syscall (SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
}

static int
attack_code_memfd (const AttackWorld *world)
{
  return attack_fd (syscall (SYS_memfd_create, "attack", 0));
}

static int
attack_code_map_with (int protection, int fd)
{
  void *memory = mmap (NULL, ATTACK_CODE_PAGE, protection,
                       MAP_PRIVATE | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
  int code = errno;

  if (memory == MAP_FAILED)
    return code;
  munmap (memory, ATTACK_CODE_PAGE);
  return 0;
}

static int
attack_code_both (const AttackWorld *world)
{
  return attack_code_map_with (PROT_READ | PROT_WRITE | PROT_EXEC, -1);
}

static int
attack_code_executable (const AttackWorld *world)
{
  return attack_code_map_with (PROT_READ | PROT_EXEC, -1);
}

static int
attack_code_map_library (const AttackWorld *world)
{
  g_autofree char *path = g_build_filename (world->granted, "library.so", NULL);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  int code = fd >= 0 ? attack_code_map_with (PROT_READ | PROT_EXEC, fd) : errno;

  if (fd >= 0)
    close (fd);
  return code;
}

/* The dynamic loader keeps the kernel's answer to itself: `map-library` says it. */
static int
attack_code_dlopen (const AttackWorld *world)
{
  g_autofree char *path = g_build_filename (world->granted, "library.so", NULL);
  void *library = dlopen (path, RTLD_NOW | RTLD_LOCAL);

  if (library != NULL)
    return 0;
  return strstr (dlerror (), "failed to map segment") != NULL ? EACCES : EIO;
}

static int
attack_code_change (long call)
{
  void *memory
      = mmap (NULL, ATTACK_CODE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int code = attack_result (syscall (call, memory, ATTACK_CODE_PAGE, PROT_READ | PROT_EXEC, -1));

  munmap (memory, ATTACK_CODE_PAGE);
  return code;
}

static int
attack_code_mprotect (const AttackWorld *world)
{
  return attack_code_change (SYS_mprotect);
}

static int
attack_code_pkey (const AttackWorld *world)
{
  return attack_code_change (SYS_pkey_mprotect);
}

/* Code that is there becomes writable, and stays executable. */
static int
attack_code_rewrite (const AttackWorld *world)
{
  gsize page = (gsize) attack_code_rewrite & ~(gsize) (ATTACK_CODE_PAGE - 1);
  int code = attack_result (
      mprotect (GSIZE_TO_POINTER (page), ATTACK_CODE_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));

  if (code == 0)
    mprotect (GSIZE_TO_POINTER (page), ATTACK_CODE_PAGE, PROT_READ | PROT_EXEC);
  return code;
}

/* ---- what a plugin may do ---- */

static int
attack_code_memory (const AttackWorld *world)
{
  return attack_code_map_with (PROT_READ | PROT_WRITE, -1);
}

static int
attack_code_map_file (const AttackWorld *world)
{
  g_autofree char *path = g_build_filename (world->granted, "file", NULL);
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  int code = fd >= 0 ? attack_code_map_with (PROT_READ, fd) : errno;

  if (fd >= 0)
    close (fd);
  return code;
}

static int
attack_code_symbol (const AttackWorld *world)
{
  return dlsym (RTLD_DEFAULT, "g_strdup_printf") != NULL ? 0 : ENOENT;
}

const Attack attack_code[] = {
  { "execve", attack_code_execve },
  { "execveat", attack_code_execveat },
  { "spawn", attack_code_spawn },
  { "fork", attack_code_fork },
  { "memfd", attack_code_memfd },
  { "write-and-execute", attack_code_both },
  { "map-executable", attack_code_executable },
  { "map-library", attack_code_map_library },
  { "dlopen", attack_code_dlopen },
  { "mprotect", attack_code_mprotect },
  { "pkey-mprotect", attack_code_pkey },
  { "rewrite-code", attack_code_rewrite },
  { "memory", attack_code_memory },
  { "map-file", attack_code_map_file },
  { "symbol", attack_code_symbol },
  { NULL, NULL },
};
