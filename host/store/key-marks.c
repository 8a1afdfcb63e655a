/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A header and a slot per scope, each in two halves that are written in turn: one pwrite() of 128
 * bytes, so that a write that is torn leaves what was there before it. A half:
 *
 *      0  8  "reevemk2"
 *      8  8  generation, little-endian: the higher of two valid halves counts
 *     16  8  sequence number, little-endian; in the header: how many slots there are with it
 *     24 16  salt
 *     40 32  SHA-256 of the scope's name
 *     72  4  number of the slot, little-endian; the header is slot 0
 *     76  4  what it is, little-endian: 1 header, 2 vacant, 3 mark
 *     80 16  zero
 *     96 32  HMAC-SHA256 of the above
 *
 * So nothing can be taken away unseen: the header says how many slots there are, one without a mark
 * says that it is vacant, and none is taken for another. Only what the file was earlier, whole or a
 * slot of it, passes for what it is. A half that is damaged costs the last commit's mark, not the
 * one of a store: what a slot is from now on is written into both.
 *
 * The file grows by vacant slots that are on disk before the header counts them; what lies behind
 * those that it counts is what a crash left, and no mark.
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
/* slots that are made at a time */
#define REEVE_KEY_MARKS_GROWTH 16
/* a million tenants */
#define REEVE_KEY_MARKS_MAX      (1U << 20)
#define REEVE_KEY_MARKS_MAX_SIZE ((gsize) REEVE_KEY_MARKS_SLOT * REEVE_KEY_MARKS_MAX)

static const guint8 marks_magic[8] = { 'r', 'e', 'e', 'v', 'e', 'm', 'k', '2' };

typedef enum
{
  REEVE_KEY_MARKS_HEADER = 1,
  REEVE_KEY_MARKS_VACANT = 2,
  REEVE_KEY_MARKS_MARK = 3
} ReeveKeyMarksKind;

/* what a half says */
typedef struct
{
  ReeveKeyMarksKind kind;
  guint slot;
  guint64 generation;
  guint8 digest[REEVE_DIGESTS_LENGTH]; /* of the scope's name */
  ReeveStorageMark mark;
} ReeveKeyMarksHalf;

typedef struct
{
  guint slot;
  guint64 generation;
} ReeveKeyMarksVacancy;

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
  GCond cond;
  gboolean growing;    /* one thread at a time, which holds no lock meanwhile */
  GHashTable *entries; /* name -> ReeveKeyMarksEntry */
  GArray *vacant;      /* ReeveKeyMarksVacancy */
  guint n_slots;       /* the header among them */
  guint64 generation;  /* of the header */
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
  g_cond_clear (&self->cond);
  g_free (self->path);
  g_free (self);
}

/* ---- a half ---- */

static void
reeve_key_marks_format (ReeveKeyMarks *self, const ReeveKeyMarksHalf *half,
                        guint8 bytes[REEVE_KEY_MARKS_HALF])
{
  guint64 generation = GUINT64_TO_LE (half->generation);
  guint64 sequence = GUINT64_TO_LE (half->mark.sequence);
  guint32 slot = GUINT32_TO_LE (half->slot);
  guint32 kind = GUINT32_TO_LE ((guint32) half->kind);

  memset (bytes, 0, REEVE_KEY_MARKS_HALF);
  memcpy (bytes, marks_magic, sizeof marks_magic);
  memcpy (bytes + 8, &generation, 8);
  memcpy (bytes + 16, &sequence, 8);
  memcpy (bytes + 24, half->mark.salt, REEVE_STORAGE_SALT_SIZE);
  memcpy (bytes + 40, half->digest, REEVE_DIGESTS_LENGTH);
  memcpy (bytes + 72, &slot, 4);
  memcpy (bytes + 76, &kind, 4);
  reeve_digests_hmac_sha256 (self->key, REEVE_KEY_MARKS_KEY, bytes, REEVE_KEY_MARKS_MAC,
                             bytes + REEVE_KEY_MARKS_MAC);
}

static gboolean
reeve_key_marks_parse (ReeveKeyMarks *self, const guint8 *bytes, ReeveKeyMarksHalf *half)
{
  guint8 mac[REEVE_DIGESTS_LENGTH];
  guint32 number = 0;

  reeve_digests_hmac_sha256 (self->key, REEVE_KEY_MARKS_KEY, bytes, REEVE_KEY_MARKS_MAC, mac);
  if (memcmp (bytes, marks_magic, sizeof marks_magic) != 0
      || !reeve_digests_equal (mac, bytes + REEVE_KEY_MARKS_MAC, sizeof mac))
    return FALSE;
  memcpy (&half->generation, bytes + 8, 8);
  half->generation = GUINT64_FROM_LE (half->generation);
  memcpy (&half->mark.sequence, bytes + 16, 8);
  half->mark.sequence = GUINT64_FROM_LE (half->mark.sequence);
  memcpy (half->mark.salt, bytes + 24, REEVE_STORAGE_SALT_SIZE);
  memcpy (half->digest, bytes + 40, REEVE_DIGESTS_LENGTH);
  memcpy (&number, bytes + 72, 4);
  half->slot = GUINT32_FROM_LE (number);
  memcpy (&number, bytes + 76, 4);
  half->kind = (ReeveKeyMarksKind) GUINT32_FROM_LE (number);
  return TRUE;
}

/* the half that counts, of the two of a slot */
static gboolean
reeve_key_marks_parse_slot (ReeveKeyMarks *self, const guint8 *bytes, ReeveKeyMarksHalf *newest)
{
  ReeveKeyMarksHalf second = { 0 };
  gboolean first_valid = reeve_key_marks_parse (self, bytes, newest);
  gboolean second_valid = reeve_key_marks_parse (self, bytes + REEVE_KEY_MARKS_HALF, &second);

  if (second_valid && (!first_valid || second.generation > newest->generation))
    *newest = second;
  return first_valid || second_valid;
}

static off_t
reeve_key_marks_place (guint slot, guint64 generation)
{
  return (off_t) slot * REEVE_KEY_MARKS_SLOT + (off_t) (generation % 2) * REEVE_KEY_MARKS_HALF;
}

/* both halves; the second is the newer one */
static void
reeve_key_marks_format_slot (ReeveKeyMarks *self, ReeveKeyMarksHalf half, guint8 *bytes)
{
  for (half.generation = 0; half.generation < 2; half.generation++)
    reeve_key_marks_format (self, &half, bytes + half.generation * REEVE_KEY_MARKS_HALF);
}

static void
reeve_key_marks_format_vacant (ReeveKeyMarks *self, guint first, guint8 *bytes)
{
  for (guint i = 0; i < REEVE_KEY_MARKS_GROWTH; i++)
    reeve_key_marks_format_slot (
        self, (ReeveKeyMarksHalf){ .kind = REEVE_KEY_MARKS_VACANT, .slot = first + i },
        bytes + (gsize) i * REEVE_KEY_MARKS_SLOT);
}

/* ---- opening ---- */

/* Whole or not at all: one that is shorter than this was cut. */
static gboolean
reeve_key_marks_make_file (ReeveKeyMarks *self, GError **error)
{
  gsize length = (gsize) REEVE_KEY_MARKS_SLOT * (1 + REEVE_KEY_MARKS_GROWTH);
  g_autofree guint8 *bytes = g_malloc0 (length);

  reeve_key_marks_format_slot (self,
                               (ReeveKeyMarksHalf){ .kind = REEVE_KEY_MARKS_HEADER,
                                                    .mark.sequence = 1 + REEVE_KEY_MARKS_GROWTH },
                               bytes);
  reeve_key_marks_format_vacant (self, 1, bytes + REEVE_KEY_MARKS_SLOT);
  return reeve_key_folder_create (self->path, bytes, length, error);
}

static void
reeve_key_marks_add_vacancy (ReeveKeyMarks *self, guint slot, guint64 generation)
{
  ReeveKeyMarksVacancy vacancy = { slot, generation };

  g_array_append_val (self->vacant, vacancy);
}

/* %FALSE where its scope has one already */
static gboolean
reeve_key_marks_adopt (ReeveKeyMarks *self, const ReeveKeyMarksHalf *half)
{
  ReeveKeyMarksEntry *entry = g_new0 (ReeveKeyMarksEntry, 1);

  entry->name = reeve_digests_hex (half->digest, REEVE_DIGESTS_LENGTH);
  entry->slot = half->slot;
  entry->generation = half->generation;
  entry->mark = half->mark;
  return g_hash_table_replace (self->entries, entry->name, entry);
}

static gboolean
reeve_key_marks_refuse (ReeveKeyMarks *self, guint slot, const char *reason, GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT, "%s: slot %u %s", self->path, slot, reason);
  return FALSE;
}

static gboolean
reeve_key_marks_read_header (ReeveKeyMarks *self, const guint8 *data, gsize size, GError **error)
{
  ReeveKeyMarksHalf header = { 0 };

  if (size < REEVE_KEY_MARKS_SLOT)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                   "%s: has %" G_GSIZE_FORMAT " bytes: it was emptied or cut off", self->path,
                   size);
      return FALSE;
    }
  if (!reeve_key_marks_parse_slot (self, data, &header) || header.kind != REEVE_KEY_MARKS_HEADER
      || header.slot != 0)
    return reeve_key_marks_refuse (self, 0,
                                   "is not its header: it was wiped, is damaged, or was "
                                   "made under another key or by an older version",
                                   error);
  if (header.mark.sequence > size / REEVE_KEY_MARKS_SLOT)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                   "%s: was cut off: it had %" G_GUINT64_FORMAT " slots and has %" G_GSIZE_FORMAT,
                   self->path, header.mark.sequence, size / REEVE_KEY_MARKS_SLOT);
      return FALSE;
    }
  self->n_slots = (guint) header.mark.sequence;
  self->generation = header.generation;
  return TRUE;
}

static gboolean
reeve_key_marks_read_slot (ReeveKeyMarks *self, guint number, const guint8 *slot, GError **error)
{
  ReeveKeyMarksHalf half = { 0 };

  if (!reeve_key_marks_parse_slot (self, slot, &half))
    return reeve_key_marks_refuse (self, number,
                                   "was wiped, is damaged, or was made under "
                                   "another key",
                                   error);
  if (half.slot != number)
    return reeve_key_marks_refuse (self, number, "holds what belongs into another", error);
  if (half.kind == REEVE_KEY_MARKS_VACANT)
    reeve_key_marks_add_vacancy (self, number, half.generation);
  else if (half.kind != REEVE_KEY_MARKS_MARK || !reeve_key_marks_adopt (self, &half))
    return reeve_key_marks_refuse (self, number, "is of an older state of the file", error);
  return TRUE;
}

/* A crash while the file grew may have left anything behind the slots that count, but no mark. */
static gboolean
reeve_key_marks_check_rest (ReeveKeyMarks *self, const guint8 *data, gsize size, GError **error)
{
  ReeveKeyMarksHalf half = { 0 };

  for (guint i = self->n_slots; i < size / REEVE_KEY_MARKS_SLOT; i++)
    if (reeve_key_marks_parse_slot (self, data + (gsize) i * REEVE_KEY_MARKS_SLOT, &half)
        && half.kind == REEVE_KEY_MARKS_MARK)
      return reeve_key_marks_refuse (self, 0, "is of an older state of the file", error);
  return TRUE;
}

static gboolean
reeve_key_marks_read_file (ReeveKeyMarks *self, GError **error)
{
  g_autoptr (GBytes) bytes = reeve_key_folder_read (self->path, REEVE_KEY_MARKS_MAX_SIZE, error);
  const guint8 *data = NULL;
  gsize size = 0;

  if (bytes == NULL)
    return FALSE;
  data = g_bytes_get_data (bytes, &size);
  if (!reeve_key_marks_read_header (self, data, size, error))
    return FALSE;
  /* the first ones are taken first */
  for (guint i = self->n_slots - 1; i > 0; i--)
    if (!reeve_key_marks_read_slot (self, i, data + (gsize) i * REEVE_KEY_MARKS_SLOT, error))
      return FALSE;
  return reeve_key_marks_check_rest (self, data, size, error);
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
  g_cond_init (&self->cond);
  self->entries = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, reeve_key_marks_entry_free);
  self->vacant = g_array_new (FALSE, FALSE, sizeof (ReeveKeyMarksVacancy));
  self->arena = reeve_key_arena_new ();
  self->key = reeve_key_arena_take (self->arena);
  memcpy (self->key, key, REEVE_KEY_MARKS_KEY);
  self->path = g_strdup (path);
  self->fd = -1;
  if (fresh && !reeve_key_marks_make_file (self, error))
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

static gboolean
reeve_key_marks_put (ReeveKeyMarks *self, const ReeveKeyMarksHalf *half, gboolean durable,
                     GError **error)
{
  guint8 bytes[REEVE_KEY_MARKS_HALF];

  reeve_key_marks_format (self, half, bytes);
  return reeve_key_marks_pwrite (self, bytes, sizeof bytes,
                                 reeve_key_marks_place (half->slot, half->generation), durable,
                                 error);
}

/* Into both halves, one after the other: then the slot does not fall back to what it was before
 * when one is damaged. */
static gboolean
reeve_key_marks_put_twice (ReeveKeyMarks *self, ReeveKeyMarksHalf half, GError **error)
{
  gboolean put = reeve_key_marks_put (self, &half, TRUE, error);

  half.generation++;
  return put && reeve_key_marks_put (self, &half, TRUE, error);
}

/* By the one thread whose turn it is: vacant slots, then the header that counts them. */
static gboolean
reeve_key_marks_grow (ReeveKeyMarks *self, GError **error)
{
  const ReeveKeyMarksHalf header = {
    .kind = REEVE_KEY_MARKS_HEADER,
    .generation = self->generation + 1,
    .mark.sequence = (guint64) self->n_slots + REEVE_KEY_MARKS_GROWTH,
  };
  gsize length = (gsize) REEVE_KEY_MARKS_SLOT * REEVE_KEY_MARKS_GROWTH;
  g_autofree guint8 *bytes = g_malloc0 (length);

  if (header.mark.sequence > REEVE_KEY_MARKS_MAX)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "%s: has no room for more stores",
                   self->path);
      return FALSE;
    }
  reeve_key_marks_format_vacant (self, self->n_slots, bytes);
  return reeve_key_marks_pwrite (self, bytes, length, reeve_key_marks_place (self->n_slots, 0),
                                 TRUE, error)
         && reeve_key_marks_put_twice (self, header, error);
}

/* Under the mutex, which is given up meanwhile: sees to it that there is a vacant slot. */
static gboolean
reeve_key_marks_make_room (ReeveKeyMarks *self, GError **error)
{
  gboolean grown = FALSE;

  if (self->growing)
    {
      g_cond_wait (&self->cond, &self->mutex);
      return TRUE;
    }
  self->growing = TRUE;
  g_mutex_unlock (&self->mutex);
  grown = reeve_key_marks_grow (self, error);
  g_mutex_lock (&self->mutex);
  self->growing = FALSE;
  g_cond_broadcast (&self->cond);
  if (!grown)
    return FALSE;
  self->generation += 2;
  self->n_slots += REEVE_KEY_MARKS_GROWTH;
  for (guint i = 1; i <= REEVE_KEY_MARKS_GROWTH; i++)
    reeve_key_marks_add_vacancy (self, self->n_slots - i, 1);
  return TRUE;
}

/* Under the mutex: the entry of a scope, which gets a slot when it has none; %NULL with an error.
 */
static ReeveKeyMarksEntry *
reeve_key_marks_take (ReeveKeyMarks *self, const char *name, gboolean *first, GError **error)
{
  ReeveKeyMarksEntry *entry = g_hash_table_lookup (self->entries, name);
  const ReeveKeyMarksVacancy *vacancy = NULL;

  *first = entry == NULL;
  if (entry != NULL)
    return entry;
  while (self->vacant->len == 0)
    if (!reeve_key_marks_make_room (self, error))
      return NULL;
  vacancy = &g_array_index (self->vacant, ReeveKeyMarksVacancy, self->vacant->len - 1);
  entry = g_new0 (ReeveKeyMarksEntry, 1);
  entry->name = g_strdup (name);
  entry->slot = vacancy->slot;
  entry->generation = vacancy->generation;
  g_array_set_size (self->vacant, self->vacant->len - 1);
  g_hash_table_replace (self->entries, entry->name, entry);
  return entry;
}

/**
 * reeve_key_marks_write:
 * @self: marks
 * @scope: a scope
 * @mark: its mark
 * @durable: whether it has to outlive a crash of the machine
 * @error: return location
 *
 * Sets a mark; the first one of a scope is always durable. Marks of one scope come from one thread
 * at a time, else the last one may not win.
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_key_marks_write (ReeveKeyMarks *self, const char *scope, const ReeveStorageMark *mark,
                       gboolean durable, GError **error)
{
  ReeveKeyMarksHalf half = { .kind = REEVE_KEY_MARKS_MARK, .mark = *mark };
  g_autofree char *name = NULL;
  ReeveKeyMarksEntry *entry = NULL;
  gboolean first = FALSE;

  reeve_digests_sha256 (scope, strlen (scope), half.digest);
  name = reeve_digests_hex (half.digest, sizeof half.digest);
  g_mutex_lock (&self->mutex);
  entry = reeve_key_marks_take (self, name, &first, error);
  if (entry != NULL)
    {
      half.slot = entry->slot;
      half.generation = entry->generation + 1;
      entry->generation += first ? 2 : 1;
      entry->mark = *mark;
    }
  g_mutex_unlock (&self->mutex);
  if (entry == NULL)
    return FALSE;
  return first ? reeve_key_marks_put_twice (self, half, error)
               : reeve_key_marks_put (self, &half, durable, error);
}

/**
 * reeve_key_marks_forget:
 * @self: marks
 * @scope: a scope
 * @error: return location
 *
 * Takes a scope's mark away, durably: both halves say then that the slot is vacant.
 *
 * Returns: %FALSE with an error; it is to be tried again then
 */
gboolean
reeve_key_marks_forget (ReeveKeyMarks *self, const char *scope, GError **error)
{
  ReeveKeyMarksHalf half = { .kind = REEVE_KEY_MARKS_VACANT };
  g_autofree char *name = reeve_digests_sha256_hex (scope, strlen (scope));
  const ReeveKeyMarksEntry *entry = NULL;
  gboolean found = FALSE;

  g_mutex_lock (&self->mutex);
  entry = g_hash_table_lookup (self->entries, name);
  found = entry != NULL;
  if (found)
    {
      half.slot = entry->slot;
      half.generation = entry->generation + 1;
    }
  g_mutex_unlock (&self->mutex);
  if (found && !reeve_key_marks_put_twice (self, half, error))
    return FALSE;
  g_mutex_lock (&self->mutex);
  if (found && g_hash_table_remove (self->entries, name))
    reeve_key_marks_add_vacancy (self, half.slot, half.generation + 1);
  g_mutex_unlock (&self->mutex);
  return TRUE;
}
