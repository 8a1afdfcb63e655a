/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks at a store's file before SQLite does, and says why it is refused. */
#pragma once

#include "sqlite-keyring.h"

G_BEGIN_DECLS

typedef enum
{
  SQLITE_GUARD_PLAIN,
  SQLITE_GUARD_SEALED,
  SQLITE_GUARD_UNKNOWN /* neither: SQLite will say so */
} SqliteGuardKind;

/* What a file turned out to be. */
typedef struct
{
  SqliteGuardKind kind;
  ReeveStorageMark mark;
  /* why it will be refused, unless its log mends it: page 1 does not open */
  GError *doubt;
} SqliteGuardVerdict;

gboolean sqlite_guard_look (const char *scope, const char *path, SqliteKeyring *keyring,
                            SqliteGuardVerdict *verdict, GError **error);
gboolean sqlite_guard_expect_new (ReeveStorageKeys *keys, const char *scope, const char *path,
                                  GError **error);
gboolean sqlite_guard_compare (const char *scope, const char *path, const ReeveStorageMark *mark,
                               guint64 sequence, GError **error);
/* pages of a file and frames of its log that are sealed by another key than @id, or not at all */
gboolean sqlite_guard_count_others (const char *path, guint32 id, guint64 *others, GError **error);

G_END_DECLS
