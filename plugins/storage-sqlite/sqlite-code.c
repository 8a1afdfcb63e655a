/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Result codes of SQLite as codes of REEVE_ERROR. */
#include "sqlite-code.h"

#include <errno.h>

/* errors of the disk: those of writing say that the storage cannot be written, as a full one does
 */
static ReeveError
sqlite_code_map_io (int code)
{
  switch (code)
    {
    case SQLITE_IOERR_WRITE:
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_DIR_FSYNC:
    case SQLITE_IOERR_TRUNCATE:
    case SQLITE_IOERR_DELETE:
      return REEVE_ERROR_READ_ONLY;
    case SQLITE_IOERR_DATA: /* a page that does not open */
    case SQLITE_IOERR_AUTH: /* one whose key is not there */
      return REEVE_ERROR_CORRUPT;
    default:
      return REEVE_ERROR_FAILED;
    }
}

/* a file that cannot be opened is often one that cannot be made: what did the system say? */
static ReeveError
sqlite_code_map_open (sqlite3 *db)
{
  switch (db != NULL ? sqlite3_system_errno (db) : 0)
    {
    case ENOSPC:
    case EDQUOT:
    case EROFS:
    case EACCES:
    case EIO:
    case ENOENT: /* a log that could not be made: SQLite has looked for an old one since */
      return REEVE_ERROR_READ_ONLY;
    default:
      return REEVE_ERROR_FAILED;
    }
}

/**
 * sqlite_code_map:
 * @db: (nullable): the handle that met it
 * @code: a result code of SQLite
 * @message: what SQLite says about it
 *
 * Returns: the code of ours that tells a caller what to do
 */
ReeveError
sqlite_code_map (sqlite3 *db, int code, const char *message)
{
  switch (code & 0xff)
    {
    case SQLITE_CANTOPEN:
      return sqlite_code_map_open (db);
    case SQLITE_IOERR:
      return sqlite_code_map_io (code);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return REEVE_ERROR_CORRUPT;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_FULL:
      return REEVE_ERROR_READ_ONLY;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return REEVE_ERROR_BUSY;
    case SQLITE_INTERRUPT:
      return REEVE_ERROR_CANCELLED;
    case SQLITE_TOOBIG:
      return REEVE_ERROR_TOO_LARGE;
    case SQLITE_ERROR:
      return g_strcmp0 (message, "integer overflow") == 0 ? REEVE_ERROR_OUT_OF_RANGE
                                                          : REEVE_ERROR_FAILED;
    default:
      return REEVE_ERROR_FAILED;
    }
}
