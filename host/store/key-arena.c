/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages of slots. A heap block would share its page with anything, could be swapped out and would
 * be in every core dump; a page for each key would use up what may be locked. */
#include "key-arena.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define REEVE_KEY_ARENA_CHUNK 16384

struct _ReeveKeyArena
{
  GMutex mutex;
  GPtrArray *chunks; /* of REEVE_KEY_ARENA_CHUNK bytes */
  GPtrArray *vacant; /* slots */
  gboolean locked;
};

/**
 * reeve_key_arena_new:
 *
 * Returns: (transfer full): an arena without pages
 */
ReeveKeyArena *
reeve_key_arena_new (void)
{
  ReeveKeyArena *self = g_new0 (ReeveKeyArena, 1);

  g_mutex_init (&self->mutex);
  self->chunks = g_ptr_array_new ();
  self->vacant = g_ptr_array_new ();
  self->locked = TRUE;
  return self;
}

/**
 * reeve_key_arena_free:
 * @self: an arena; no slot of it is used again
 *
 * Wipes all slots.
 */
void
reeve_key_arena_free (ReeveKeyArena *self)
{
  for (guint i = 0; i < self->chunks->len; i++)
    {
      void *chunk = g_ptr_array_index (self->chunks, i);

      explicit_bzero (chunk, REEVE_KEY_ARENA_CHUNK);
      munmap (chunk, REEVE_KEY_ARENA_CHUNK);
    }
  g_ptr_array_unref (self->chunks);
  g_ptr_array_unref (self->vacant);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

/* Locking is best effort: RLIMIT_MEMLOCK may forbid it, and a host without is better than none. */
static void
reeve_key_arena_grow (ReeveKeyArena *self)
{
  guint8 *chunk = mmap (NULL, REEVE_KEY_ARENA_CHUNK, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (chunk == MAP_FAILED)
    g_error ("no memory for keys: %s", g_strerror (errno));
  self->locked &= mlock (chunk, REEVE_KEY_ARENA_CHUNK) == 0;
  (void) madvise (chunk, REEVE_KEY_ARENA_CHUNK, MADV_DONTDUMP);
  (void) madvise (chunk, REEVE_KEY_ARENA_CHUNK, MADV_DONTFORK);
  g_ptr_array_add (self->chunks, chunk);
  for (gsize at = 0; at < REEVE_KEY_ARENA_CHUNK; at += REEVE_KEY_ARENA_SLOT)
    g_ptr_array_add (self->vacant, chunk + at);
}

/**
 * reeve_key_arena_take:
 * @self: an arena
 *
 * Returns: (transfer none): %REEVE_KEY_ARENA_SLOT zero bytes, until they are given back
 */
guint8 *
reeve_key_arena_take (ReeveKeyArena *self)
{
  guint8 *slot = NULL;

  g_mutex_lock (&self->mutex);
  if (self->vacant->len == 0)
    reeve_key_arena_grow (self);
  slot = g_ptr_array_steal_index_fast (self->vacant, self->vacant->len - 1);
  g_mutex_unlock (&self->mutex);
  return slot;
}

/**
 * reeve_key_arena_give:
 * @self: an arena
 * @slot: one of its slots
 *
 * Wipes a slot and takes it back.
 */
void
reeve_key_arena_give (ReeveKeyArena *self, guint8 *slot)
{
  explicit_bzero (slot, REEVE_KEY_ARENA_SLOT);
  g_mutex_lock (&self->mutex);
  g_ptr_array_add (self->vacant, slot);
  g_mutex_unlock (&self->mutex);
}

/**
 * reeve_key_arena_is_locked:
 * @self: an arena
 *
 * Returns: whether all of it is kept out of swap
 */
gboolean
reeve_key_arena_is_locked (ReeveKeyArena *self)
{
  gboolean locked = FALSE;

  g_mutex_lock (&self->mutex);
  locked = self->locked;
  g_mutex_unlock (&self->mutex);
  return locked;
}
