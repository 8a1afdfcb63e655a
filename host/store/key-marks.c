/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A slot per scope, in two halves that are written in turn: one pwrite() of 128 bytes, so that a
 * write that is torn leaves the mark before it. A half:
 *
 *      0  8  "reevemk1"
 *      8  8  generation, little-endian: the higher of two valid halves counts
 *     16  8  sequence number, little-endian
 *     24 16  salt
 *     40 32  SHA-256 of the scope's name
 *     72 24  zero
 *     96 32  HMAC-SHA256 of the above
 *
 * One descriptor however many tenants there are, and no fsync() per commit: after a crash of the
 * process the mark is in the page cache, after one of the machine it may be some seconds old. Too
 * old a mark refuses nothing. */
#include "key-marks.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digests.h"
#include "key-arena.h"
#include "key-folder.h"

#define REEVE_KEY_MARKS_HALF 128
#define REEVE_KEY_MARKS_SLOT (2 * REEVE_KEY_MARKS_HALF)
#define REEVE_KEY_MARKS_MAC  96
/* a million tenants */
#define REEVE_KEY_MARKS_MAX_SIZE ((gsize) REEVE_KEY_MARKS_SLOT << 20)

static const guint8 marks_magic[8] = { 'r', 'e', 'e', 'v', 'e', 'm', 'k', '1' };

typedef struct
{
  char *name; /* hexadecimal SHA-256 of the scope */
  guint slot;
  guint64 generation;
  ReeveStorageMark mark;
} ReeveKeyMarksEntry;

struct _ReeveKeyMarks
{
  GMutex mutex;
  GHashTable *entries; /* name -> ReeveKeyMarksEntry */
  GArray *vacant;      /* slots below n_slots */
  guint n_slots;
  ReeveKeyArena *arena;
  guint8 *key;
  char *path;
  int fd;
};

static void
reeve_key_marks_entry_free (gpointer data)
{
  ReeveKeyMarksEntry *entry = data;

  g_free (entry->name);
  g_free (entry);
}

/**
 * reeve_key_marks_is_set:
 * @mark: a mark
 *
 * Returns: whether it stands for a file
 */
gboolean
reeve_key_marks_is_set (const ReeveStorageMark *mark)
{
  static const ReeveStorageMark none = { 0 };

  return memcmp (mark->salt, none.salt, sizeof none.salt) != 0 || mark->sequence != 0;
}

/**
 * reeve_key_marks_free:
 * @self: marks; makes them durable
 */
void
reeve_key_marks_free (ReeveKeyMarks *self)
{
  if (self->fd >= 0)
    {
      (void) fdatasync (self->fd);
      close (self->fd);
    }
  g_hash_table_unref (self->entries);
  g_array_unref (self->vacant);
  reeve_key_arena_free (self->arena);
  g_mutex_clear (&self->mutex);
  g_free (self->path);
  g_free (self);
}

/* ---- a half ---- */

static void
reeve_key_marks_format (ReeveKeyMarks *self, const guint8 *digest, guint64 generation,
                        const ReeveStorageMark *mark, guint8 half[REEVE_KEY_MARKS_HALF])
{
  guint64 number = GUINT64_TO_LE (generation);
  guint64 sequence = GUINT64_TO_LE (mark->sequence);

  memset (half, 0, REEVE_KEY_MARKS_HALF);
  memcpy (half, marks_magic, sizeof marks_magic);
  memcpy (half + 8, &number, 8);
  memcpy (half + 16, &sequence, 8);
  memcpy (half + 24, mark->salt, REEVE_STORAGE_SALT_SIZE);
  memcpy (half + 40, digest, REEVE_DIGESTS_LENGTH);
  reeve_digests_hmac_sha256 (self->key, REEVE_KEY_MARKS_KEY, half, REEVE_KEY_MARKS_MAC,
                             half + REEVE_KEY_MARKS_MAC);
}

static gboolean
reeve_key_marks_check (ReeveKeyMarks *self, const guint8 *half, guint64 *generation)
{
  guint8 mac[REEVE_DIGESTS_LENGTH];

  if (memcmp (half, marks_magic, sizeof marks_magic) != 0)
    return FALSE;
  reeve_digests_hmac_sha256 (self->key, REEVE_KEY_MARKS_KEY, half, REEVE_KEY_MARKS_MAC, mac);
  memcpy (generation, half + 8, 8);
  *generation = GUINT64_FROM_LE (*generation);
  return reeve_digests_equal (mac, half + REEVE_KEY_MARKS_MAC, sizeof mac);
}

/* ---- opening ---- */

static gboolean
reeve_key_marks_is_blank (const guint8 *slot)
{
  for (gsize i = 0; i < REEVE_KEY_MARKS_SLOT; i++)
    if (slot[i] != 0)
      return FALSE;
  return TRUE;
}

static void
reeve_key_marks_adopt (ReeveKeyMarks *self, guint number, const guint8 *half, guint64 generation)
{
  ReeveKeyMarksEntry *entry = g_new0 (ReeveKeyMarksEntry, 1);
  const ReeveKeyMarksEntry *other = NULL;

  entry->name = reeve_digests_hex (half + 40, REEVE_DIGESTS_LENGTH);
  entry->slot = number;
  entry->generation = generation;
  memcpy (&entry->mark.sequence, half + 16, 8);
  entry->mark.sequence = GUINT64_FROM_LE (entry->mark.sequence);
  memcpy (entry->mark.salt, half + 24, REEVE_STORAGE_SALT_SIZE);
  other = g_hash_table_lookup (self->entries, entry->name);
  if (other != NULL && other->generation >= generation)
    reeve_key_marks_entry_free (entry);
  else
    g_hash_table_replace (self->entries, entry->name, entry);
}

static gboolean
reeve_key_marks_read_slot (ReeveKeyMarks *self, guint number, const guint8 *slot, GError **error)
{
  const guint8 *halves[] = { slot, slot + REEVE_KEY_MARKS_HALF };
  guint64 generations[2] = { 0 };
  gboolean valid[2] = { FALSE };
  guint newest = 0;

  if (reeve_key_marks_is_blank (slot))
    {
      g_array_append_val (self->vacant, number);
      return TRUE;
    }
  for (guint i = 0; i < 2; i++)
    valid[i] = reeve_key_marks_check (self, halves[i], &generations[i]);
  if (!valid[0] && !valid[1])
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                   "%s: slot %u is damaged or was made under another key: restore the folder of "
                   "keys, or see --accept-stores",
                   self->path, number);
      return FALSE;
    }
  newest = valid[1] && (!valid[0] || generations[1] > generations[0]) ? 1 : 0;
  reeve_key_marks_adopt (self, number, halves[newest], generations[newest]);
  return TRUE;
}

/* A crash while the file grew may have left half a slot: the rest of it is zero. */
static gboolean
reeve_key_marks_read_file (ReeveKeyMarks *self, GError **error)
{
  g_autoptr (GBytes) bytes = reeve_key_folder_read (self->path, REEVE_KEY_MARKS_MAX_SIZE, error);
  const guint8 *data = NULL;
  gsize size = 0;

  if (bytes == NULL)
    return FALSE;
  data = g_bytes_get_data (bytes, &size);
  for (gsize at = 0; at < size; at += REEVE_KEY_MARKS_SLOT)
    {
      guint8 slot[REEVE_KEY_MARKS_SLOT] = { 0 };

      memcpy (slot, data + at, MIN (sizeof slot, size - at));
      if (!reeve_key_marks_read_slot (self, self->n_slots++, slot, error))
        return FALSE;
    }
  return TRUE;
}

/**
 * reeve_key_marks_open:
 * @path: of the file
 * @key: %REEVE_KEY_MARKS_KEY bytes by which marks are authenticated
 * @fresh: whether there is no file yet
 * @error: return location
 *
 * Returns: (transfer full): the marks; %NULL with %REEVE_ERROR_CORRUPT, or
 * %REEVE_ERROR_NOT_FOUND when a file that should be there is not
 */
ReeveKeyMarks *
reeve_key_marks_open (const char *path, const guint8 *key, gboolean fresh, GError **error)
{
  g_autoptr (ReeveKeyMarks) self = g_new0 (ReeveKeyMarks, 1);

  g_mutex_init (&self->mutex);
  self->entries = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, reeve_key_marks_entry_free);
  self->vacant = g_array_new (FALSE, FALSE, sizeof (guint));
  self->arena = reeve_key_arena_new ();
  self->key = reeve_key_arena_take (self->arena);
  memcpy (self->key, key, REEVE_KEY_MARKS_KEY);
  self->path = g_strdup (path);
  self->fd = -1;
  if (fresh && !reeve_key_folder_create (path, "", 0, error))
    return NULL;
  if (!reeve_key_marks_read_file (self, error))
    return NULL;
  self->fd = open (path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  if (self->fd >= 0)
    return g_steal_pointer (&self);
  reeve_key_folder_set_error (error, errno, "opening", path);
  return NULL;
}

/* ---- marks ---- */

/**
 * reeve_key_marks_read:
 * @self: marks
 * @scope: a scope
 * @mark: (out caller-allocates): its mark
 */
void
reeve_key_marks_read (ReeveKeyMarks *self, const char *scope, ReeveStorageMark *mark)
{
  g_autofree char *name = reeve_digests_sha256_hex (scope, strlen (scope));
  const ReeveKeyMarksEntry *entry = NULL;

  *mark = (ReeveStorageMark){ 0 };
  g_mutex_lock (&self->mutex);
  entry = g_hash_table_lookup (self->entries, name);
  if (entry != NULL)
    *mark = entry->mark;
  g_mutex_unlock (&self->mutex);
}

static guint
reeve_key_marks_take_slot (ReeveKeyMarks *self)
{
  guint slot = self->n_slots;

  if (self->vacant->len == 0)
    {
      self->n_slots++;
      return slot;
    }
  slot = g_array_index (self->vacant, guint, self->vacant->len - 1);
  g_array_set_size (self->vacant, self->vacant->len - 1);
  return slot;
}

/* Under the mutex: what the entry of a scope is from now on. */
static ReeveKeyMarksEntry *
reeve_key_marks_advance (ReeveKeyMarks *self, const char *name, const ReeveStorageMark *mark)
{
  ReeveKeyMarksEntry *entry = g_hash_table_lookup (self->entries, name);

  if (entry == NULL)
    {
      entry = g_new0 (ReeveKeyMarksEntry, 1);
      entry->name = g_strdup (name);
      entry->slot = reeve_key_marks_take_slot (self);
      g_hash_table_replace (self->entries, entry->name, entry);
    }
  entry->generation++;
  entry->mark = *mark;
  return entry;
}

static gboolean
reeve_key_marks_pwrite (ReeveKeyMarks *self, gconstpointer data, gsize length, off_t offset,
                        gboolean durable, GError **error)
{
  ssize_t n = pwrite (self->fd, data, length, offset);

  while (n < 0 && errno == EINTR)
    n = pwrite (self->fd, data, length, offset);
  if (n == (ssize_t) length && (!durable || fdatasync (self->fd) == 0))
    return TRUE;
  reeve_key_folder_set_error (error, n >= 0 && n < (ssize_t) length ? ENOSPC : errno, "writing",
                              self->path);
  return FALSE;
}

/**
 * reeve_key_marks_write:
 * @self: marks
 * @scope: a scope
 * @mark: its mark
 * @durable: whether it has to outlive a crash of the machine
 * @error: return location
 *
 * Sets a mark. Marks of one scope come from one thread at a time, else the last one may not win.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_key_marks_write (ReeveKeyMarks *self, const char *scope, const ReeveStorageMark *mark,
                       gboolean durable, GError **error)
{
  guint8 digest[REEVE_DIGESTS_LENGTH];
  guint8 half[REEVE_KEY_MARKS_HALF];
  g_autofree char *name = NULL;
  const ReeveKeyMarksEntry *entry = NULL;
  guint64 generation = 0;
  off_t offset = 0;

  reeve_digests_sha256 (scope, strlen (scope), digest);
  name = reeve_digests_hex (digest, sizeof digest);
  g_mutex_lock (&self->mutex);
  entry = reeve_key_marks_advance (self, name, mark);
  generation = entry->generation;
  offset = (off_t) entry->slot * REEVE_KEY_MARKS_SLOT
           + (off_t) (generation % 2) * REEVE_KEY_MARKS_HALF;
  g_mutex_unlock (&self->mutex);
  reeve_key_marks_format (self, digest, generation, mark, half);
  return reeve_key_marks_pwrite (self, half, sizeof half, offset, durable, error);
}

/**
 * reeve_key_marks_forget:
 * @self: marks
 * @scope: a scope
 * @error: return location
 *
 * Takes a scope's mark away, durably.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_key_marks_forget (ReeveKeyMarks *self, const char *scope, GError **error)
{
  static const guint8 zeros[REEVE_KEY_MARKS_SLOT] = { 0 };
  g_autofree char *name = reeve_digests_sha256_hex (scope, strlen (scope));
  const ReeveKeyMarksEntry *entry = NULL;
  gboolean found = FALSE;
  guint slot = 0;

  g_mutex_lock (&self->mutex);
  entry = g_hash_table_lookup (self->entries, name);
  if (entry != NULL)
    {
      found = TRUE;
      slot = entry->slot;
      g_hash_table_remove (self->entries, name);
    }
  g_mutex_unlock (&self->mutex);
  if (!found)
    return TRUE;
  if (!reeve_key_marks_pwrite (self, zeros, sizeof zeros, (off_t) slot * REEVE_KEY_MARKS_SLOT, TRUE,
                               error))
    return FALSE;
  g_mutex_lock (&self->mutex);
  g_array_append_val (self->vacant, slot);
  g_mutex_unlock (&self->mutex);
  return TRUE;
}
