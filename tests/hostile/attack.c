/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all attacks share. */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

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
