/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One transfer is bounded by what carries it; many at once are by this. */
#include "byte-room.h"

struct _ReeveByteRoom
{
  gatomicrefcount references;
  GMutex lock;
  guint64 all;         /* with lock */
  GHashTable *plugins; /* with lock: id -> guint64; who holds nothing is not there */
};

struct _ReeveByteHold
{
  ReeveByteRoom *room;
  char *plugin_id;
  guint64 bytes;
};

ReeveByteRoom *
reeve_byte_room_new (void)
{
  ReeveByteRoom *self = g_new0 (ReeveByteRoom, 1);

  g_atomic_ref_count_init (&self->references);
  g_mutex_init (&self->lock);
  self->plugins = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

ReeveByteRoom *
reeve_byte_room_ref (ReeveByteRoom *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
reeve_byte_room_unref (ReeveByteRoom *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_hash_table_unref (self->plugins);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* Under the lock. */
static guint64
reeve_byte_room_get (ReeveByteRoom *self, const char *plugin_id)
{
  const guint64 *held = g_hash_table_lookup (self->plugins, plugin_id);

  return held != NULL ? *held : 0;
}

/* Under the lock. */
static void
reeve_byte_room_set (ReeveByteRoom *self, const char *plugin_id, guint64 bytes)
{
  if (bytes == 0)
    g_hash_table_remove (self->plugins, plugin_id);
  else
    g_hash_table_replace (self->plugins, g_strdup (plugin_id), g_memdup2 (&bytes, sizeof bytes));
}

/**
 * reeve_byte_room_take:
 * @self: a room
 * @plugin_id: for whom
 * @bytes: how many
 * @error: return location
 *
 * Returns: (transfer full) (nullable): as many, until that is freed; %NULL with %REEVE_ERROR_BUSY
 * where the plugin, or all of them, hold too many: when others end there is room again
 */
ReeveByteHold *
reeve_byte_room_take (ReeveByteRoom *self, const char *plugin_id, gsize bytes, GError **error)
{
  ReeveByteHold *hold = NULL;
  guint64 held = 0;
  gboolean all = FALSE;

  g_mutex_lock (&self->lock);
  held = reeve_byte_room_get (self, plugin_id);
  all = bytes > REEVE_BYTE_ROOM_ALL || self->all > REEVE_BYTE_ROOM_ALL - bytes;
  if (!all && bytes <= REEVE_BYTE_ROOM_PLUGIN && held <= REEVE_BYTE_ROOM_PLUGIN - bytes)
    {
      self->all += bytes;
      reeve_byte_room_set (self, plugin_id, held + bytes);
      hold = g_new (ReeveByteHold, 1);
      *hold = (ReeveByteHold){ reeve_byte_room_ref (self), g_strdup (plugin_id), bytes };
    }
  g_mutex_unlock (&self->lock);
  if (hold == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_BUSY,
                 "%" G_GSIZE_FORMAT " bytes more are too many at once: %s%s hold%s "
                 "%" G_GUINT64_FORMAT " at most; wait until other transfers have ended",
                 bytes, all ? "all plugins" : "plugin ", all ? "" : plugin_id, all ? "" : "s",
                 all ? REEVE_BYTE_ROOM_ALL : REEVE_BYTE_ROOM_PLUGIN);
  return hold;
}

void
reeve_byte_room_give (ReeveByteHold *hold)
{
  ReeveByteRoom *room = hold->room;

  g_mutex_lock (&room->lock);
  room->all -= hold->bytes;
  reeve_byte_room_set (room, hold->plugin_id,
                       reeve_byte_room_get (room, hold->plugin_id) - hold->bytes);
  g_mutex_unlock (&room->lock);
  reeve_byte_room_unref (room);
  g_free (hold->plugin_id);
  g_free (hold);
}
