/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveGeography: in which country an address is, by a local database in MaxMind's format. The file
 * may be replaced while addresses are looked up. Any thread. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _ReeveGeography ReeveGeography;

/* two letters of ISO 3166-1, and the end */
#define REEVE_GEOGRAPHY_CODE 3

/* Reads the whole file. Blocks. %REEVE_ERROR_INVALID_ARGUMENT names what is wrong with it. */
ReeveGeography *reeve_geography_new (const char *path, GError **error);
void reeve_geography_free (ReeveGeography *self);
/* Has the file changed, and been left alone since the last time this was asked? Blocks. */
gboolean reeve_geography_has_news (ReeveGeography *self);
/* Reads it again; on error the old one stays. Blocks. */
gboolean reeve_geography_reload (ReeveGeography *self, GError **error);
/* Can the file that lies there now be read? Blocks. */
gboolean reeve_geography_check (ReeveGeography *self, GError **error);
/* FALSE: the database does not know. No I/O. */
gboolean reeve_geography_find (ReeveGeography *self, GInetAddress *address,
                               char country[REEVE_GEOGRAPHY_CODE]);
/* when it was made: µs since the epoch, as it says itself */
gint64 reeve_geography_get_made_at (ReeveGeography *self);
const char *reeve_geography_get_path (ReeveGeography *self);
/* Is it a code that ISO 3166-1 has given to a country? XK, which databases use for Kosovo, too. */
gboolean reeve_geography_is_country (const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveGeography, reeve_geography_free)

G_END_DECLS
