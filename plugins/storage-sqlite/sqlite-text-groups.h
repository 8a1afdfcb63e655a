/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Full-text search in some groups, as if there were no others. */
#pragma once

#include "sqlite-schema.h"
#include "sqlite-text.h"

G_BEGIN_DECLS

GPtrArray *sqlite_text_groups_search (SqliteConnection *connection, const SqliteTextIndex *index,
                                      const char *match, const SqliteTextSearch *search,
                                      GError **error);

G_END_DECLS
