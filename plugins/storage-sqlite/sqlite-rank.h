/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ranking function of text indexes. */
#pragma once

#include <reeve-plugin-1.h>
#include <sqlite3.h>

G_BEGIN_DECLS

#define SQLITE_RANK_MAX_TERMS 32

/* (nullable): the full-text module of a connection */
fts5_api *sqlite_rank_get_api (sqlite3 *db);
gboolean sqlite_rank_register (sqlite3 *db, GError **error);
double sqlite_rank_weigh (gint64 texts, gint64 frequency);
double sqlite_rank_score (double weight, double frequency, double length);

G_END_DECLS
