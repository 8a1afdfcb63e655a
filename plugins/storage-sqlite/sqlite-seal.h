/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a page is sealed: AES-256-GCM by a key derived for one file. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define SQLITE_SEAL_PAGE 4096
/* at the end of each page: key id, nonce, tag */
#define SQLITE_SEAL_TRAILER 32
#define SQLITE_SEAL_USABLE  (SQLITE_SEAL_PAGE - SQLITE_SEAL_TRAILER)
#define SQLITE_SEAL_NONCE   12
#define SQLITE_SEAL_TAG     16
#define SQLITE_SEAL_BLOCK   16
#define SQLITE_SEAL_SALTS   8 /* of a log, as its header has them */

typedef enum
{
  SQLITE_SEAL_MAIN = 'D',
  SQLITE_SEAL_WAL = 'W',
  SQLITE_SEAL_JOURNAL = 'J'
} SqliteSealKind;

/* Where a page stands; it opens nowhere else. */
typedef struct
{
  SqliteSealKind kind;
  guint32 page;
  gint64 position;
  guint8 salts[SQLITE_SEAL_SALTS]; /* of the log, zero elsewhere */
} SqliteSealPlace;

typedef struct _SqliteSeal SqliteSeal;

SqliteSeal *sqlite_seal_new (const ReeveStorageKey *key, const guint8 *salt);
void sqlite_seal_free (SqliteSeal *self);
guint32 sqlite_seal_get_id (SqliteSeal *self);

/* @plain and @sealed are whole pages and do not overlap; opening clobbers @sealed */
gboolean sqlite_seal_close (SqliteSeal *self, const SqliteSealPlace *place, const guint8 *plain,
                            guint8 *sealed);
gboolean sqlite_seal_open (SqliteSeal *self, const SqliteSealPlace *place, guint8 *sealed,
                           guint8 *plain);
gboolean sqlite_seal_cover (SqliteSeal *self, guint8 *block);
gboolean sqlite_seal_uncover (SqliteSeal *self, guint8 *block);

/* number of the key by which a page is sealed */
guint32 sqlite_seal_read_id (const guint8 *sealed);
/* of a page's trailer */
const guint8 *sqlite_seal_read_nonce (const guint8 *sealed);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SqliteSeal, sqlite_seal_free)

G_END_DECLS
