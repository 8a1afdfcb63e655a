/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of SqliteStore, and who replaces a store's file, share. */
#pragma once

#include "sqlite-store.h"

G_BEGIN_DECLS

struct _SqliteStore
{
  const SqliteStoreKind *kind;
  char *scope;
  char *path;
  int lock;
  SqliteKeyring *keyring; /* NULL: nothing is sealed */
  SqliteNode *node;
  SqliteTally *tally;   /* with the keyring */
  SqliteSchema *schema; /* owned by the kind */
  GMutex mutex;
  GCond given;
  GQueue idle; /* of SqliteConnection, last used first */
  guint connections;
  gboolean writing;         /* somebody has the connection that writes */
  gboolean closed;          /* the file is being replaced: nobody gets a connection */
  SqliteConnection *source; /* while the file is copied: the only one that may write */
  guint writers_waiting;    /* of those who are not polite */
  GHashTable *frequencies;  /* "index term" -> SqliteStoreFrequency */
};

/* from errno */
void sqlite_store_set_error (GError **error, const char *doing, const char *path);
gboolean sqlite_store_sync (const char *path, int flags, GError **error);
gboolean sqlite_store_sync_folder (const char *path, GError **error);
gboolean sqlite_store_unlink (const char *path, const char *suffix, GError **error);
gboolean sqlite_store_make_file (const char *path, GError **error);
gboolean sqlite_store_move_in (const char *fresh, const char *path, GError **error);

G_END_DECLS
