/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes a store file's tables and moves them between migrations, with a history. */
#pragma once

#include "sqlite-schema.h"

G_BEGIN_DECLS

gboolean sqlite_migration_create (SqliteConnection *connection, GError **error);
gboolean sqlite_migration_check_format (SqliteConnection *connection, GError **error);
gboolean sqlite_migration_get_number (SqliteConnection *connection, guint *number, GError **error);
gboolean sqlite_migration_run (SqliteConnection *connection, const ReeveMigration *migrations,
                               guint number, GError **error);
GPtrArray *sqlite_migration_get_history (SqliteConnection *connection, GError **error);

G_END_DECLS
