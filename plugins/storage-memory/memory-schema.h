/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is declared in a scope after so many migrations. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

gboolean memory_schema_check (const ReeveMigration *migrations, GError **error);
guint memory_schema_count (const ReeveMigration *migrations);
gboolean memory_schema_has (const ReeveMigration *migrations, guint number, ReeveStepKind kind,
                            const char *name, GError **error);
gboolean memory_schema_find_field (const ReeveMigration *migrations, guint number,
                                   const char *collection, const char *name, ReeveFieldType *type,
                                   GError **error);
gboolean memory_schema_accepts (ReeveFieldType type, JsonNode *value);
gboolean memory_schema_check_record (const ReeveMigration *migrations, guint number,
                                     const char *collection, JsonObject *record, GError **error);

G_END_DECLS
