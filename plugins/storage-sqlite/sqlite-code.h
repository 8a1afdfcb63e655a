/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Result codes of SQLite as codes of REEVE_ERROR. */
#pragma once

#include <reeve-plugin-1.h>
#include <sqlite3.h>

G_BEGIN_DECLS

ReeveError sqlite_code_map (sqlite3 *db, int code, const char *message);

G_END_DECLS
