/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a call locks or unlocks stands in memory of the runner's, which the host does not read,
 * and which may say something else when the kernel does. So it counts calls, of which each leaves
 * two locks more at most (it cuts one in three), and looks up what has become of them when they are
 * as many as there may be. */
#include "runner-locks.h"

#include <stdio.h>
#include <string.h>

#define REEVE_RUNNER_LOCKS_PER_CALL 2
#define REEVE_RUNNER_LOCKS_FILE     "/proc/locks"

/* NUMBER: POSIX ADVISORY WRITE PID DEVICE:INODE START END; who waits has an arrow behind the number
 * and is one of the threads, which are counted; a lock of an open file description has -1 */
static gboolean
reeve_runner_locks_is_of (const char *line, GPid pid)
{
  int found = 0;

  return sscanf (line, "%*s %*s %*s %*s %d", &found) == 1 && found == pid;
}

/* The kernel shows its table a page at a time, and a line again where one before it has gone
 * meanwhile. No process has two equal locks of ranges, for those become one. */
static gboolean
reeve_runner_locks_is_new (GHashTable *seen, const char *line)
{
  const char *lock = strchr (line, ' ');

  return lock == NULL || strstr (lock, "POSIX") == NULL || g_hash_table_add (seen, (gpointer) lock);
}

guint
reeve_runner_locks_count (const char *path, GPid pid)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree char *text = NULL;
  guint count = 0;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return G_MAXUINT;
  for (char *line = text; line != NULL && *line != '\0';)
    {
      char *end = strchr (line, '\n');

      if (end != NULL)
        *end = '\0';
      count += reeve_runner_locks_is_of (line, pid) && reeve_runner_locks_is_new (seen, line);
      line = end != NULL ? end + 1 : NULL;
    }
  return count;
}

static gboolean
reeve_runner_locks_has_room (const ReeveRunnerLocks *self)
{
  return self->counted < REEVE_RUNNER_LOCKS_MOST
         && self->counted + REEVE_RUNNER_LOCKS_PER_CALL * (self->since + 1)
                <= REEVE_RUNNER_LOCKS_MOST;
}

/**
 * reeve_runner_locks_take:
 * @self: locks of a runner
 * @costly: (out): it was looked, and will soon be again: it has more than half of what it may
 *
 * Returns: %FALSE where it has as many as it may have, or nobody can tell
 */
gboolean
reeve_runner_locks_take (ReeveRunnerLocks *self, gboolean *costly)
{
  *costly = FALSE;
  if (!reeve_runner_locks_has_room (self))
    {
      self->counted = reeve_runner_locks_count (REEVE_RUNNER_LOCKS_FILE, self->pid);
      self->since = 0;
      *costly = self->counted > REEVE_RUNNER_LOCKS_MOST / 2;
    }
  if (!reeve_runner_locks_has_room (self))
    return FALSE;
  self->since++;
  return TRUE;
}
