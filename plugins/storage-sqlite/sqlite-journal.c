/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rollback journal of a sealed store. Stores work with a log; a journal is there only until a
 * new file has switched to one. A record is [page number 4][page][checksum 4]: the page is sealed
 * at its offset, and the checksum, which would tell a sum of the page, is masked by a block made of
 * the page's nonce. Headers hold no content. */
#include "sqlite-journal.h"

#include <string.h>

#define JOURNAL_NUMBER     4
#define JOURNAL_MOST_PLAIN 512 /* a header: sectors have that size, see the file layer */

struct _SqliteJournal
{
  sqlite3_file *real;
  SqliteSealer *sealer;
  gint64 record; /* offset of the page read or written last, or -1 */
  guint8 mask[JOURNAL_NUMBER];
  gboolean own; /* pages were written through this: it is nobody's left-over */
  guint8 sealed[SQLITE_SEAL_PAGE];
};

/**
 * sqlite_journal_new:
 * @node: of a sealed file
 * @real: the open journal below; outlives this
 *
 * Returns: (transfer full): the journal
 */
SqliteJournal *
sqlite_journal_new (SqliteNode *node, sqlite3_file *real)
{
  SqliteJournal *self = g_new0 (SqliteJournal, 1);

  self->real = real;
  self->sealer = sqlite_sealer_new (node);
  self->record = -1;
  return self;
}

/**
 * sqlite_journal_free:
 * @self: (transfer full): a journal
 */
void
sqlite_journal_free (SqliteJournal *self)
{
  sqlite_sealer_free (self->sealer);
  g_free (self);
}

static int
sqlite_journal_make_mask (SqliteJournal *self, gint64 offset)
{
  SqliteSeal *seal = sqlite_sealer_find (self->sealer, sqlite_seal_read_id (self->sealed));
  guint8 block[SQLITE_SEAL_BLOCK] = { 'J' };

  memcpy (block + SQLITE_SEAL_BLOCK - SQLITE_SEAL_NONCE, sqlite_seal_read_nonce (self->sealed),
          SQLITE_SEAL_NONCE);
  if (seal == NULL || !sqlite_seal_cover (seal, block))
    return SQLITE_IOERR_AUTH;
  memcpy (self->mask, block, sizeof self->mask);
  self->record = offset;
  return SQLITE_OK;
}

static int
sqlite_journal_place (SqliteJournal *self, gint64 offset, SqliteSealPlace *place)
{
  guint32 page = 0;
  int code = self->real->pMethods->xRead (self->real, &page, sizeof page, offset - JOURNAL_NUMBER);

  *place = (SqliteSealPlace){ .kind = SQLITE_SEAL_JOURNAL,
                              .page = GUINT32_FROM_BE (page),
                              .position = offset };
  return code;
}

static gboolean
sqlite_journal_is_checksum (SqliteJournal *self, int length, gint64 offset)
{
  return self->record >= 0 && length == JOURNAL_NUMBER && offset == self->record + SQLITE_SEAL_PAGE;
}

static void
sqlite_journal_apply_mask (SqliteJournal *self, const guint8 *from, guint8 *to)
{
  for (guint i = 0; i < JOURNAL_NUMBER; i++)
    to[i] = from[i] ^ self->mask[i];
}

static int
sqlite_journal_read_page (SqliteJournal *self, guint8 *data, gint64 offset)
{
  SqliteSealPlace place = { 0 };
  int code = sqlite_journal_place (self, offset, &place);

  if (code == SQLITE_OK)
    code = self->real->pMethods->xRead (self->real, self->sealed, SQLITE_SEAL_PAGE, offset);
  if (code != SQLITE_OK)
    return code;
  code = sqlite_journal_make_mask (self, offset);
  if (code == SQLITE_OK)
    code = sqlite_sealer_open_page (self->sealer, &place, self->sealed, data);
  /* a record that a crash left half written ends a journal that is played back */
  if (code != SQLITE_OK && !self->own)
    return SQLITE_IOERR_SHORT_READ;
  return code;
}

/**
 * sqlite_journal_read:
 * @self: a journal
 * @data: where to
 * @length: of what is read
 * @offset: of what is read
 *
 * Returns: an SQLite result code
 */
int
sqlite_journal_read (SqliteJournal *self, guint8 *data, int length, gint64 offset)
{
  int code = SQLITE_OK;

  if (length == SQLITE_SEAL_PAGE)
    return sqlite_journal_read_page (self, data, offset);
  code = self->real->pMethods->xRead (self->real, data, length, offset);
  if (code == SQLITE_OK && sqlite_journal_is_checksum (self, length, offset))
    sqlite_journal_apply_mask (self, data, data);
  return code;
}

static int
sqlite_journal_write_page (SqliteJournal *self, const guint8 *data, gint64 offset)
{
  SqliteSealPlace place = { 0 };
  int code = sqlite_journal_place (self, offset, &place);

  if (!sqlite_sealer_is_free (data))
    return SQLITE_READONLY;
  if (code == SQLITE_OK)
    code = sqlite_sealer_close_page (self->sealer, &place, data, self->sealed);
  if (code == SQLITE_OK)
    code = sqlite_journal_make_mask (self, offset);
  self->own = TRUE;
  return code == SQLITE_OK
             ? self->real->pMethods->xWrite (self->real, self->sealed, SQLITE_SEAL_PAGE, offset)
             : code;
}

/**
 * sqlite_journal_write:
 * @self: a journal
 * @data: what SQLite writes
 * @length: of it
 * @offset: of it
 *
 * Returns: an SQLite result code
 */
int
sqlite_journal_write (SqliteJournal *self, const guint8 *data, int length, gint64 offset)
{
  guint8 masked[JOURNAL_NUMBER] = { 0 };

  if (length == SQLITE_SEAL_PAGE)
    return sqlite_journal_write_page (self, data, offset);
  if (length > JOURNAL_MOST_PLAIN)
    return SQLITE_IOERR_WRITE;
  if (!sqlite_journal_is_checksum (self, length, offset))
    return self->real->pMethods->xWrite (self->real, data, length, offset);
  sqlite_journal_apply_mask (self, data, masked);
  return self->real->pMethods->xWrite (self->real, masked, length, offset);
}
