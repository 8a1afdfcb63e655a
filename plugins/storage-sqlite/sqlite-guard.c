/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks at a store's file before SQLite does, and says why it is refused: SQLite would only say
 * that it is no database. Nothing is written. That the file is an older version of itself is known
 * only by the number of its last commit, which is compared with the scope's mark after its log was
 * read; everything else can be told from its pages. */
#include "sqlite-guard.h"

#include "sqlite-log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* pages beside the first that are tried to tell a wrong key from a damaged page */
#define GUARD_PAGES 16

static int
sqlite_guard_open (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);

  if (fd < 0)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "opening %s: %s", path,
                 g_strerror (errno));
  return fd;
}

static SqliteGuardKind
sqlite_guard_tell (const guint8 *page, gssize length)
{
  /* bytes 16, 17 and 20 to 23 of any store of ours: page size, reserve, fixed numbers */
  static const guint8 fixed[] = { 0x10, 0x00, 0, 0, SQLITE_SEAL_TRAILER, 64, 32, 32 };

  if (length < 24)
    return SQLITE_GUARD_UNKNOWN;
  if (memcmp (page, "SQLite format 3", 16) == 0)
    return SQLITE_GUARD_PLAIN;
  return memcmp (page + 16, fixed, 2) == 0 && memcmp (page + 20, fixed + 4, 4) == 0
             ? SQLITE_GUARD_SEALED
             : SQLITE_GUARD_UNKNOWN;
}

static gboolean
sqlite_guard_has_mark (const ReeveStorageMark *mark)
{
  static const guint8 none[REEVE_STORAGE_SALT_SIZE];

  return memcmp (mark->salt, none, sizeof none) != 0;
}

/* does page @number open by the key that it names? @known: whether there is that key */
static gboolean
sqlite_guard_try (SqliteKeyring *keyring, const guint8 *salt, guint8 *page, guint32 number,
                  gboolean *known)
{
  const SqliteSealPlace place = { .kind = SQLITE_SEAL_MAIN,
                                  .page = number,
                                  .position = (gint64) (number - 1) * SQLITE_SEAL_PAGE };
  ReeveStorageKey key = { 0 };
  g_autoptr (SqliteSeal) seal = NULL;
  guint8 plain[SQLITE_SEAL_PAGE];
  gboolean opens = FALSE;

  *known = sqlite_keyring_get (keyring, sqlite_seal_read_id (page), &key, NULL);
  if (*known)
    seal = sqlite_seal_new (&key, salt);
  opens = seal != NULL && sqlite_seal_open (seal, &place, page, plain);
  explicit_bzero (&key, sizeof key);
  explicit_bzero (plain, sizeof plain);
  return opens;
}

static gboolean
sqlite_guard_any_opens (int fd, SqliteKeyring *keyring, const guint8 *salt)
{
  guint8 page[SQLITE_SEAL_PAGE];
  gboolean known = FALSE;

  for (guint32 number = 2; number < 2 + GUARD_PAGES; number++)
    if (pread (fd, page, sizeof page, (off_t) (number - 1) * SQLITE_SEAL_PAGE) == sizeof page
        && sqlite_guard_try (keyring, salt, page, number, &known))
      return TRUE;
  return FALSE;
}

/* page 1 of a sealed file */
static void
sqlite_guard_doubt (const char *scope, const char *path, int fd, guint8 *page,
                    SqliteKeyring *keyring, GError **doubt)
{
  guint8 salt[REEVE_STORAGE_SALT_SIZE] = { 0 };
  guint32 id = sqlite_seal_read_id (page);
  gboolean known = FALSE;

  memcpy (salt, page, sizeof salt);
  if (sqlite_guard_try (keyring, salt, page, 1, &known))
    return;
  if (sqlite_guard_any_opens (fd, keyring, salt))
    g_set_error (doubt, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                 "scope %s: page 1 of %s is damaged; put back a copy of the file", scope, path);
  else if (!known)
    g_set_error (doubt, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
                 "scope %s: %s is sealed by key %u, which is not there; put back the keys that "
                 "belong to it",
                 scope, path, id);
  else
    g_set_error (
        doubt, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
        "scope %s: %s does not open by key %u, so that is not the one it was sealed by; put "
        "back the keys that belong to it",
        scope, path, id);
}

static gboolean
sqlite_guard_has_log (const char *path)
{
  g_autofree char *log = g_strconcat (path, "-wal", NULL);
  int fd = open (log, O_RDONLY | O_CLOEXEC);
  off_t size = fd >= 0 ? lseek (fd, 0, SEEK_END) : 0;

  if (fd >= 0)
    close (fd);
  return size > SQLITE_LOG_HEADER;
}

/* with keys */
static gboolean
sqlite_guard_judge (const char *scope, const char *path, int fd, guint8 *page,
                    SqliteKeyring *keyring, SqliteGuardVerdict *verdict, GError **error)
{
  gboolean marked = sqlite_guard_has_mark (&verdict->mark);

  if (verdict->kind == SQLITE_GUARD_PLAIN && marked)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                   "scope %s: %s is not encrypted, but the scope's store was: it is another file; "
                   "put back the right one",
                   scope, path);
      return FALSE;
    }
  if (verdict->kind != SQLITE_GUARD_SEALED)
    return TRUE;
  if (marked && memcmp (page, verdict->mark.salt, sizeof verdict->mark.salt) != 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
                   "scope %s: %s is not the file that the scope had last; put back that one, or "
                   "take this one by reeve-host --accept-stores %s",
                   scope, path, scope);
      return FALSE;
    }
  sqlite_guard_doubt (scope, path, fd, page, keyring, &verdict->doubt);
  if (verdict->doubt == NULL || sqlite_guard_has_log (path))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&verdict->doubt));
  return FALSE;
}

/**
 * sqlite_guard_look:
 * @scope: a scope
 * @path: of its store file
 * @keyring: (nullable): its keys; %NULL where nothing is sealed
 * @verdict: (out caller-allocates): what the file is; its doubt is (transfer full)
 * @error: return location
 *
 * Looks at page 1.
 *
 * Returns: %FALSE where the file is refused: with %REEVE_ERROR_CONFIGURATION when it is encrypted
 * and encryption is off, %REEVE_ERROR_UNAVAILABLE when the keys are missing or wrong,
 * %REEVE_ERROR_CORRUPT when it is damaged or not the scope's file
 */
gboolean
sqlite_guard_look (const char *scope, const char *path, SqliteKeyring *keyring,
                   SqliteGuardVerdict *verdict, GError **error)
{
  guint8 page[SQLITE_SEAL_PAGE] = { 0 };
  gboolean good = TRUE;
  int fd = -1;

  *verdict = (SqliteGuardVerdict){ 0 };
  if (keyring != NULL && !sqlite_keyring_read_mark (keyring, &verdict->mark, error))
    return FALSE;
  fd = sqlite_guard_open (path, error);
  if (fd < 0)
    return FALSE;
  verdict->kind = sqlite_guard_tell (page, pread (fd, page, sizeof page, 0));
  if (keyring != NULL)
    good = sqlite_guard_judge (scope, path, fd, page, keyring, verdict, error);
  else if (verdict->kind == SQLITE_GUARD_SEALED)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
                   "scope %s: %s is encrypted, and encryption is off; turn it on", scope, path);
      good = FALSE;
    }
  close (fd);
  return good;
}

/**
 * sqlite_guard_expect_new:
 * @keys: the host's keys
 * @scope: a scope
 * @path: of its store file, which is not there
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT where there was one that held something
 */
gboolean
sqlite_guard_expect_new (ReeveStorageKeys *keys, const char *scope, const char *path,
                         GError **error)
{
  ReeveStorageMark mark = { 0 };

  if (!reeve_storage_keys_read_mark (keys, scope, &mark, error))
    return FALSE;
  if (mark.sequence == 0)
    return TRUE;
  g_set_error (
      error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
      "scope %s: %s is missing, and commit %" G_GUINT64_FORMAT
      " was acknowledged; put back the newest copy with its -wal, or an older one and take "
      "that by reeve-host --accept-stores %s",
      scope, path, mark.sequence, scope);
  return FALSE;
}

/**
 * sqlite_guard_compare:
 * @scope: a scope
 * @path: of its store file
 * @mark: its mark
 * @sequence: number of the last commit in the file
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT when commits that were acknowledged are not there
 */
gboolean
sqlite_guard_compare (const char *scope, const char *path, const ReeveStorageMark *mark,
                      guint64 sequence, GError **error)
{
  if (!sqlite_guard_has_mark (mark) || sequence >= mark->sequence)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
               "scope %s: %s was rolled back, or lost its log: it ends at commit %" G_GUINT64_FORMAT
               ", and %" G_GUINT64_FORMAT
               " was acknowledged; put back the newest copy with its -wal, or take this one by "
               "reeve-host --accept-stores %s",
               scope, path, sequence, mark->sequence, scope);
  return FALSE;
}

/* reads the numbers of keys at the end of units of @size from @start on */
static gboolean
sqlite_guard_count (const char *path, gint64 start, gint64 size, guint32 id, guint64 *others,
                    GError **error)
{
  int fd = sqlite_guard_open (path, error);
  guint8 page[SQLITE_SEAL_PAGE];
  gint64 at = start + size - SQLITE_SEAL_PAGE;

  if (fd < 0)
    return FALSE;
  while (pread (fd, page, sizeof page, at) == sizeof page)
    {
      if (sqlite_seal_read_id (page) != id)
        (*others)++;
      at += size;
    }
  close (fd);
  return TRUE;
}

/**
 * sqlite_guard_count_others:
 * @path: of a sealed store file that nobody writes meanwhile
 * @id: number of a key
 * @others: (out): pages and frames that name another key
 * @error: return location
 *
 * Looks at every page of the file and every frame of its log, those that do not count any more
 * included.
 *
 * Returns: %FALSE on error
 */
gboolean
sqlite_guard_count_others (const char *path, guint32 id, guint64 *others, GError **error)
{
  g_autofree char *log = g_strconcat (path, "-wal", NULL);

  *others = 0;
  return sqlite_guard_count (path, 0, SQLITE_SEAL_PAGE, id, others, error)
         && (access (log, F_OK) != 0
             || sqlite_guard_count (log, SQLITE_LOG_HEADER, SQLITE_LOG_FRAME, id, others, error));
}
