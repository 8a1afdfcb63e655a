/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The write-ahead log of a store. SQLite writes a frame's header, then its page; the header is held
 * back so that both go out in one write. In a sealed store the page keeps key id, nonce and tag in
 * its own last bytes, so that offsets do not change; the header's salts and checksums are encrypted
 * as one block, since a checksum would tell a sum of the page. SQLite computes checksums of what it
 * wrote, and reads back the same.
 *
 * A whole frame is read to recover the log: there one that does not open ends the log, as one with
 * a bad checksum does. Any other read of a frame that does not open is an error. */
#include "sqlite-log.h"

#include <string.h>

#define LOG_AT_SALTS 16 /* in the log's header */
#define LOG_AT_BLOCK 8  /* in a frame's header: salts and checksums */
#define LOG_SALTS    8  /* bytes of them */
#define LOG_AT_ID    (SQLITE_LOG_FRAME_HEADER + SQLITE_SEAL_USABLE)

struct _SqliteLog
{
  sqlite3_file *real;
  SqliteSealer *sealer;  /* NULL: nothing is sealed */
  gint64 held;           /* offset of the header that waits in @frame for its page, or -1 */
  gint64 end;            /* of the frames written here since the log began anew … */
  guint8 era[LOG_SALTS]; /* … which shows in the salts of a frame's header */
  guint8 frame[SQLITE_LOG_FRAME];
  guint8 plain[SQLITE_SEAL_PAGE];
};

/**
 * sqlite_log_new:
 * @node: (nullable): of a sealed store
 * @real: the open file below; outlives this
 *
 * Returns: (transfer full): the log
 */
SqliteLog *
sqlite_log_new (SqliteNode *node, sqlite3_file *real)
{
  SqliteLog *self = g_new0 (SqliteLog, 1);
  guint8 header[SQLITE_LOG_HEADER] = { 0 };

  self->real = real;
  self->held = -1;
  if (node == NULL)
    return self;
  self->sealer = sqlite_sealer_new (node);
  if (real->pMethods->xRead (real, header, sizeof header, 0) == SQLITE_OK)
    sqlite_node_set_log_salts (node, header + LOG_AT_SALTS);
  return self;
}

/**
 * sqlite_log_free:
 * @self: (transfer full): a log that was flushed
 */
void
sqlite_log_free (SqliteLog *self)
{
  g_clear_pointer (&self->sealer, sqlite_sealer_free);
  explicit_bzero (self->frame, sizeof self->frame);
  explicit_bzero (self->plain, sizeof self->plain);
  g_free (self);
}

static gboolean
sqlite_log_is_frame (gint64 offset)
{
  return offset >= SQLITE_LOG_HEADER && (offset - SQLITE_LOG_HEADER) % SQLITE_LOG_FRAME == 0;
}

static SqliteSealPlace
sqlite_log_place (SqliteLog *self, gint64 at)
{
  SqliteSealPlace place = { .kind = SQLITE_SEAL_WAL, .position = at };
  guint32 page = 0;

  memcpy (&page, self->frame, sizeof page);
  place.page = GUINT32_FROM_BE (page);
  sqlite_node_get_log_salts (sqlite_sealer_get_node (self->sealer), place.salts);
  return place;
}

/* the header in @frame is encrypted by the key of the page that follows it */
static int
sqlite_log_cover (SqliteLog *self, guint32 id)
{
  SqliteSeal *seal = sqlite_sealer_find (self->sealer, id);

  if (seal == NULL || !sqlite_seal_cover (seal, self->frame + LOG_AT_BLOCK))
    return SQLITE_IOERR_AUTH;
  return SQLITE_OK;
}

/**
 * sqlite_log_flush:
 * @self: a log
 *
 * Writes out a frame header that was held back and whose page did not follow: SQLite corrects
 * checksums of frames that stand.
 *
 * Returns: an SQLite result code
 */
int
sqlite_log_flush (SqliteLog *self)
{
  gint64 at = self->held;
  guint8 stored[4] = { 0 };
  guint32 id = 0;
  int code = SQLITE_OK;

  if (at < 0)
    return SQLITE_OK;
  self->held = -1;
  if (self->sealer != NULL)
    {
      code = self->real->pMethods->xRead (self->real, stored, sizeof stored, at + LOG_AT_ID);
      if (code != SQLITE_OK)
        return code;
      memcpy (&id, stored, sizeof id);
      code = sqlite_log_cover (self, GUINT32_FROM_BE (id));
    }
  if (code != SQLITE_OK)
    return code;
  return self->real->pMethods->xWrite (self->real, self->frame, SQLITE_LOG_FRAME_HEADER, at);
}

/* whether the log's header on disk has other salts than were taken for true */
static gboolean
sqlite_log_refresh (SqliteLog *self)
{
  SqliteNode *node = sqlite_sealer_get_node (self->sealer);
  guint8 header[SQLITE_LOG_HEADER] = { 0 };
  guint8 known[SQLITE_SEAL_SALTS] = { 0 };

  sqlite_node_get_log_salts (node, known);
  if (self->real->pMethods->xRead (self->real, header, sizeof header, 0) != SQLITE_OK
      || memcmp (header + LOG_AT_SALTS, known, sizeof known) == 0)
    return FALSE;
  sqlite_node_set_log_salts (node, header + LOG_AT_SALTS);
  return TRUE;
}

/* the page of the frame in @frame; once more when the log began anew meanwhile */
static int
sqlite_log_open (SqliteLog *self, gint64 at, guint8 *plain)
{
  SqliteSealPlace place = sqlite_log_place (self, at);
  guint8 *sealed = self->frame + SQLITE_LOG_FRAME_HEADER;
  int code = sqlite_sealer_open_page (self->sealer, &place, sealed, plain);

  if (code == SQLITE_OK || !sqlite_log_refresh (self))
    return code;
  code = self->real->pMethods->xRead (self->real, sealed, SQLITE_SEAL_PAGE,
                                      at + SQLITE_LOG_FRAME_HEADER);
  if (code != SQLITE_OK)
    return code;
  place = sqlite_log_place (self, at);
  return sqlite_sealer_open_page (self->sealer, &place, sealed, plain);
}

static int
sqlite_log_uncover (SqliteLog *self)
{
  guint32 id = sqlite_seal_read_id (self->frame + SQLITE_LOG_FRAME_HEADER);
  SqliteSeal *seal = sqlite_sealer_find (self->sealer, id);

  if (seal == NULL || !sqlite_seal_uncover (seal, self->frame + LOG_AT_BLOCK))
    return SQLITE_IOERR_AUTH;
  return SQLITE_OK;
}

/* from the frame at @at, of which @data gets a part that begins @skip bytes in */
static int
sqlite_log_read_frame (SqliteLog *self, guint8 *data, int length, gint64 at, int skip)
{
  gboolean whole = length == SQLITE_LOG_FRAME;
  guint8 *plain
      = skip == SQLITE_LOG_FRAME_HEADER && length == SQLITE_SEAL_PAGE ? data : self->plain;
  int code = self->real->pMethods->xRead (self->real, self->frame, SQLITE_LOG_FRAME, at);

  memset (data, 0, (gsize) length);
  if (code == SQLITE_OK && skip < SQLITE_LOG_FRAME_HEADER)
    code = sqlite_log_uncover (self);
  if (code == SQLITE_OK && skip + length > SQLITE_LOG_FRAME_HEADER)
    code = sqlite_log_open (self, at, plain);
  if (whole && (code == SQLITE_IOERR_DATA || code == SQLITE_IOERR_AUTH)
      && sqlite_node_is_recovering (sqlite_sealer_get_node (self->sealer)))
    {
      /* a frame of page 0 ends the log */
      g_free (sqlite_node_take_fault (sqlite_sealer_get_node (self->sealer)));
      return SQLITE_OK;
    }
  if (code != SQLITE_OK || plain == data)
    return code;
  memcpy (self->frame + SQLITE_LOG_FRAME_HEADER, self->plain, SQLITE_SEAL_PAGE);
  memcpy (data, self->frame + skip, (gsize) length);
  return SQLITE_OK;
}

/**
 * sqlite_log_read:
 * @self: a log
 * @data: where to
 * @length: of what is read
 * @offset: of what is read
 *
 * Returns: an SQLite result code
 */
int
sqlite_log_read (SqliteLog *self, guint8 *data, int length, gint64 offset)
{
  int code = sqlite_log_flush (self);
  gint64 at = 0;

  if (code != SQLITE_OK)
    return code;
  if (self->sealer == NULL || offset + length <= SQLITE_LOG_HEADER)
    {
      code = self->real->pMethods->xRead (self->real, data, length, offset);
      if (self->sealer != NULL && code == SQLITE_OK && length == SQLITE_LOG_HEADER)
        sqlite_node_set_log_salts (sqlite_sealer_get_node (self->sealer), data + LOG_AT_SALTS);
      return code;
    }
  at = offset - (offset - SQLITE_LOG_HEADER) % SQLITE_LOG_FRAME;
  if (offset < SQLITE_LOG_HEADER || offset + length > at + SQLITE_LOG_FRAME)
    return SQLITE_IOERR_READ;
  return sqlite_log_read_frame (self, data, length, at, (int) (offset - at));
}

static int
sqlite_log_write_header (SqliteLog *self, const guint8 *data)
{
  int code = self->real->pMethods->xWrite (self->real, data, SQLITE_LOG_HEADER, 0);

  if (code == SQLITE_OK && self->sealer != NULL)
    sqlite_node_set_log_salts (sqlite_sealer_get_node (self->sealer), data + LOG_AT_SALTS);
  self->end = SQLITE_LOG_HEADER;
  return code;
}

/* the header in @frame as it stands on disk before a page that takes the place of another; it is
 * encrypted by the other's key */
static int
sqlite_log_load_header (SqliteLog *self, gint64 at, gboolean *whole)
{
  SqliteSeal *seal = NULL;
  int code = self->real->pMethods->xRead (self->real, self->frame, SQLITE_LOG_FRAME, at);
  guint32 id = sqlite_seal_read_id (self->frame + SQLITE_LOG_FRAME_HEADER);

  if (code != SQLITE_OK || self->sealer == NULL)
    return code;
  seal = sqlite_sealer_get_current (self->sealer);
  if (seal == NULL)
    return SQLITE_IOERR_AUTH;
  *whole = sqlite_seal_get_id (seal) != id;
  return *whole ? sqlite_log_uncover (self) : SQLITE_OK;
}

/* the page of the frame at @at; its header waits, or stands on disk already */
static int
sqlite_log_write_page (SqliteLog *self, const guint8 *data, gint64 at)
{
  gboolean whole = self->held == at;
  guint8 *page = self->frame + SQLITE_LOG_FRAME_HEADER;
  SqliteSealPlace place = { 0 };
  int code = SQLITE_OK;

  if (!sqlite_sealer_is_free (data))
    return SQLITE_READONLY;
  if (!whole)
    code = sqlite_log_load_header (self, at, &whole);
  self->held = -1;
  if (code != SQLITE_OK)
    return code;
  place = self->sealer != NULL ? sqlite_log_place (self, at) : place;
  if (self->sealer == NULL)
    memcpy (page, data, SQLITE_SEAL_PAGE);
  else
    code = sqlite_sealer_close_page (self->sealer, &place, data, page);
  if (code == SQLITE_OK && whole && self->sealer != NULL)
    code = sqlite_log_cover (self, sqlite_seal_read_id (page));
  if (code != SQLITE_OK)
    return code;
  code = whole ? self->real->pMethods->xWrite (self->real, self->frame, SQLITE_LOG_FRAME, at)
               : self->real->pMethods->xWrite (self->real, page, SQLITE_SEAL_PAGE,
                                               at + SQLITE_LOG_FRAME_HEADER);
  /* a frame stands when it is written, not when that was tried */
  if (code == SQLITE_OK)
    self->end = MAX (self->end, at + SQLITE_LOG_FRAME);
  return code;
}

/* Another connection may have begun the log anew, and cut the file short, since this one wrote. A
 * header whose checksum is still to come has no salts, and follows one that has. */
static void
sqlite_log_enter_era (SqliteLog *self, const guint8 *header)
{
  static const guint8 none[LOG_SALTS] = { 0 };

  if (memcmp (self->era, header + LOG_AT_BLOCK, LOG_SALTS) == 0
      || memcmp (none, header + LOG_AT_BLOCK, LOG_SALTS) == 0)
    return;
  memcpy (self->era, header + LOG_AT_BLOCK, LOG_SALTS);
  self->end = SQLITE_LOG_HEADER;
}

/**
 * sqlite_log_write:
 * @self: a log
 * @data: what SQLite writes
 * @length: of it
 * @offset: of it
 *
 * Returns: an SQLite result code
 */
int
sqlite_log_write (SqliteLog *self, const guint8 *data, int length, gint64 offset)
{
  gint64 at = offset - SQLITE_LOG_FRAME_HEADER;
  int code = SQLITE_OK;

  if (self->held != at)
    code = sqlite_log_flush (self);
  if (code != SQLITE_OK)
    return code;
  if (length == SQLITE_SEAL_PAGE && sqlite_log_is_frame (at))
    return sqlite_log_write_page (self, data, at);
  code = sqlite_log_flush (self);
  if (code != SQLITE_OK)
    return code;
  if (length == SQLITE_LOG_HEADER && offset == 0)
    return sqlite_log_write_header (self, data);
  if (length != SQLITE_LOG_FRAME_HEADER || !sqlite_log_is_frame (offset))
    return SQLITE_IOERR_WRITE;
  memcpy (self->frame, data, SQLITE_LOG_FRAME_HEADER);
  self->held = offset;
  sqlite_log_enter_era (self, data);
  /* the header of a frame that stands is corrected, and no page will follow */
  return offset < self->end ? sqlite_log_flush (self) : SQLITE_OK;
}
