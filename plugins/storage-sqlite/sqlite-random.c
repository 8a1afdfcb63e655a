/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random bytes of the kernel, fetched in bulk by each thread. A pool that was copied by fork is
 * dropped in the child: parent and child would seal under the same nonces otherwise. */
#include "sqlite-random.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#define RANDOM_POOL 480 /* 40 nonces */

typedef struct
{
  guint generation;
  gsize used;
  guint8 bytes[RANDOM_POOL];
} SqliteRandomPool;

static void
sqlite_random_free (gpointer pool)
{
  explicit_bzero (pool, sizeof (SqliteRandomPool));
  g_free (pool);
}

static GPrivate sqlite_random_pool = G_PRIVATE_INIT (sqlite_random_free);
static guint sqlite_random_generation = 1; /* atomic; how often this process was forked */

static void
sqlite_random_forked (void)
{
  g_atomic_int_inc (&sqlite_random_generation);
}

static gpointer
sqlite_random_watch (gpointer data)
{
  return GINT_TO_POINTER (pthread_atfork (NULL, NULL, sqlite_random_forked) == 0);
}

static gboolean
sqlite_random_read (guint8 *bytes, gsize length)
{
  gsize done = 0;

  while (done < length)
    {
      gssize got = getrandom (bytes + done, length - done, 0);

      if (got < 0 && errno != EINTR)
        return FALSE;
      done += (gsize) MAX (got, 0);
    }
  return TRUE;
}

/**
 * sqlite_random_fill:
 * @bytes: where to
 * @length: how many
 *
 * Fills in random bytes that nobody else gets, not even a child made by fork.
 *
 * Returns: %FALSE where the kernel gives none; nothing may be sealed then
 */
gboolean
sqlite_random_fill (guint8 *bytes, gsize length)
{
  static GOnce watch = G_ONCE_INIT;
  SqliteRandomPool *pool = g_private_get (&sqlite_random_pool);
  guint generation = 0;

  if (g_once (&watch, sqlite_random_watch, NULL) == NULL)
    return FALSE;
  if (length > RANDOM_POOL)
    return sqlite_random_read (bytes, length);
  if (pool == NULL)
    {
      pool = g_new0 (SqliteRandomPool, 1);
      g_private_set (&sqlite_random_pool, pool);
    }
  generation = (guint) g_atomic_int_get (&sqlite_random_generation);
  if (pool->generation != generation || pool->used + length > RANDOM_POOL)
    {
      pool->generation = 0;
      if (!sqlite_random_read (pool->bytes, RANDOM_POOL))
        return FALSE;
      pool->generation = generation;
      pool->used = 0;
    }
  memcpy (bytes, pool->bytes + pool->used, length);
  /* what was handed out is not kept */
  explicit_bzero (pool->bytes + pool->used, length);
  pool->used += length;
  return TRUE;
}
