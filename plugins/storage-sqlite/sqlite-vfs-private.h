/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the two halves of the file layer share: sqlite-vfs.c is the layer, sqlite-vfs-file.c an open
 * file. */
#pragma once

#include "sqlite-index.h"
#include "sqlite-journal.h"
#include "sqlite-log.h"
#include "sqlite-pages.h"
#include "sqlite-temp.h"
#include "sqlite-vfs.h"

G_BEGIN_DECLS

struct _SqliteVfs
{
  sqlite3_vfs base;
  sqlite3_vfs *real;
  char *name;
  SqliteIndexSet *indexes;
  gboolean keys_required;
  GMutex mutex;
  GHashTable *nodes; /* path -> SqliteNode */
  guint open_files;  /* atomic */
};

typedef enum
{
  SQLITE_VFS_MAIN,
  SQLITE_VFS_WAL,
  SQLITE_VFS_JOURNAL,
  SQLITE_VFS_TEMP
} SqliteVfsKind;

/* followed in memory by the unix layer's own file */
typedef struct
{
  sqlite3_file base;
  SqliteVfs *vfs;
  SqliteVfsKind kind;
  char *path;
  SqliteIndexHandle *index; /* SQLITE_VFS_MAIN, from the first xShmMap on */
  SqliteNode *node;         /* NULL: nothing is sealed */
  SqlitePages *pages;       /* SQLITE_VFS_MAIN, sealed */
  SqliteLog *log;           /* SQLITE_VFS_WAL, sealed or not */
  SqliteJournal *journal;   /* SQLITE_VFS_JOURNAL, sealed */
  SqliteTemp *temp;         /* SQLITE_VFS_TEMP, sealed */
} SqliteVfsFile;

int sqlite_vfs_open (sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags,
                     int *out_flags);
SqliteNode *sqlite_vfs_find_node (SqliteVfs *self, SqliteVfsKind kind, const char *name);

G_END_DECLS
