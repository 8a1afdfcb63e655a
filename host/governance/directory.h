/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tenants, users and keys have in common: records in, objects as they are shown outside out.
 */
#pragma once

#include "store/store.h"

G_BEGIN_DECLS

typedef JsonObject *(*ReeveDirectoryShow) (ReeveRecord *record);

JsonObject *reeve_directory_list (ReeveStore *store, ReeveQuery *query, JsonObject *params,
                                  ReeveDirectoryShow show, GError **error);
/* (transfer full) a record of the platform's that is @tenant_id's; another tenant's takes no longer
 * than none */
ReeveRecord *reeve_directory_get_of_tenant (ReeveStore *store, const char *collection,
                                            const char *id, const char *tenant_id, GError **error);
JsonObject *reeve_directory_dup (JsonObject *object);
/* (transfer full) every record of a collection, of ReeveRecord, oldest first; @field (nullable):
 * only those where it is @value */
GPtrArray *reeve_directory_read_all (ReeveStore *store, const char *scope, const char *collection,
                                     const char *field, const char *value, GError **error);
void reeve_directory_copy (JsonObject *from, JsonObject *to, const char *member);
void reeve_directory_show_time (JsonObject *from, JsonObject *to, const char *member);
char **reeve_directory_get_strings (JsonObject *object, const char *member);
void reeve_directory_set_strings (JsonObject *object, const char *member,
                                  const char *const *strings);

G_END_DECLS
