/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pages of a sealed store file. A read of a whole page is strict. SQLite also reads a few bytes
 * of page 1 when it opens a file, before it recovers the log; these reads must succeed on a page
 * that a power cut has torn, or the log that mends it is never reached: they get what stays
 * readable, and zeros. There are no holes: what was skipped is filled with sealed zeros, so that a
 * page of plain zeros is a fault. */
#include "sqlite-pages.h"

#include <string.h>

/* bytes of page 1 that are not encrypted, but for the salt */
#define PAGES_READABLE    16
#define PAGES_READABLE_TO 24

struct _SqlitePages
{
  sqlite3_file *real;
  SqliteSealer *sealer;
  guint8 sealed[SQLITE_SEAL_PAGE];
  guint8 plain[SQLITE_SEAL_PAGE];
};

/**
 * sqlite_pages_new:
 * @node: of a sealed file
 * @real: the open file below; outlives this
 *
 * Returns: (transfer full): its pages
 */
SqlitePages *
sqlite_pages_new (SqliteNode *node, sqlite3_file *real)
{
  SqlitePages *self = g_new0 (SqlitePages, 1);

  self->real = real;
  self->sealer = sqlite_sealer_new (node);
  return self;
}

/**
 * sqlite_pages_free:
 * @self: (transfer full): pages
 */
void
sqlite_pages_free (SqlitePages *self)
{
  sqlite_sealer_free (self->sealer);
  explicit_bzero (self->plain, sizeof self->plain);
  g_free (self);
}

static SqliteSealPlace
sqlite_pages_place (gint64 offset)
{
  return (SqliteSealPlace){ .kind = SQLITE_SEAL_MAIN,
                            .page = (guint32) (offset / SQLITE_SEAL_PAGE) + 1,
                            .position = offset };
}

/* whole page at @offset into @plain */
static int
sqlite_pages_open (SqlitePages *self, guint8 *plain, gint64 offset)
{
  const SqliteSealPlace place = sqlite_pages_place (offset);
  int code = sqlite_node_load_salt (sqlite_sealer_get_node (self->sealer), self->real);

  if (code == SQLITE_OK)
    code = self->real->pMethods->xRead (self->real, self->sealed, SQLITE_SEAL_PAGE, offset);
  if (code != SQLITE_OK)
    {
      memset (plain, 0, SQLITE_SEAL_PAGE);
      return code;
    }
  return sqlite_sealer_open_page (self->sealer, &place, self->sealed, plain);
}

/* a page 1 that does not open shows what is not encrypted, and is an error only when it is read
 * whole */
static int
sqlite_pages_read_part (SqlitePages *self, guint8 *data, int length, gint64 offset)
{
  gint64 start = offset / SQLITE_SEAL_PAGE * SQLITE_SEAL_PAGE;
  int code = SQLITE_OK;

  if (offset + length > start + SQLITE_SEAL_PAGE)
    return SQLITE_IOERR_READ;
  code = sqlite_pages_open (self, self->plain, start);
  if (start == 0 && (code == SQLITE_IOERR_DATA || code == SQLITE_IOERR_AUTH))
    {
      memcpy (self->plain + PAGES_READABLE, self->sealed + PAGES_READABLE,
              PAGES_READABLE_TO - PAGES_READABLE);
      g_free (sqlite_node_take_fault (sqlite_sealer_get_node (self->sealer)));
      code = SQLITE_OK;
    }
  memcpy (data, self->plain + (offset - start), (gsize) length);
  return code;
}

/**
 * sqlite_pages_read:
 * @self: pages
 * @data: where to
 * @length: of what is read
 * @offset: of what is read
 *
 * Returns: an SQLite result code
 */
int
sqlite_pages_read (SqlitePages *self, guint8 *data, int length, gint64 offset)
{
  if (length != SQLITE_SEAL_PAGE || offset % SQLITE_SEAL_PAGE != 0)
    return sqlite_pages_read_part (self, data, length, offset);
  return sqlite_pages_open (self, data, offset);
}

static int
sqlite_pages_put (SqlitePages *self, const guint8 *plain, gint64 offset)
{
  const SqliteSealPlace place = sqlite_pages_place (offset);
  int code = sqlite_sealer_close_page (self->sealer, &place, plain, self->sealed);

  if (code == SQLITE_OK)
    code = self->real->pMethods->xWrite (self->real, self->sealed, SQLITE_SEAL_PAGE, offset);
  if (code == SQLITE_OK)
    sqlite_node_grow (sqlite_sealer_get_node (self->sealer), offset + SQLITE_SEAL_PAGE);
  return code;
}

/* seals zeros from the end of the file on up to @offset */
static int
sqlite_pages_fill (SqlitePages *self, gint64 offset)
{
  sqlite3_int64 size = 0;
  int code = self->real->pMethods->xFileSize (self->real, &size);

  memset (self->plain, 0, sizeof self->plain);
  for (gint64 at = size / SQLITE_SEAL_PAGE * SQLITE_SEAL_PAGE; code == SQLITE_OK && at < offset;
       at += SQLITE_SEAL_PAGE)
    code = sqlite_pages_put (self, self->plain, at);
  return code;
}

/**
 * sqlite_pages_write:
 * @self: pages
 * @data: a whole page
 * @offset: of the page
 *
 * Returns: an SQLite result code
 */
int
sqlite_pages_write (SqlitePages *self, const guint8 *data, gint64 offset)
{
  SqliteNode *node = sqlite_sealer_get_node (self->sealer);
  int code = sqlite_node_load_salt (node, self->real);

  if (code == SQLITE_OK && offset > sqlite_node_get_size (node))
    code = sqlite_pages_fill (self, offset);
  return code == SQLITE_OK ? sqlite_pages_put (self, data, offset) : code;
}
