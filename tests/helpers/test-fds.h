/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many descriptors this process has open. */
#pragma once

#include <glib.h>

static inline guint
test_fds_count (void)
{
  g_autoptr (GDir) folder = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (folder) != NULL)
    n++;
  return n;
}
