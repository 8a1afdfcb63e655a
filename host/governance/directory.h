/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tenants, users and keys have in common: records in, objects as they are shown outside out.
 */
#pragma once

#include "store/store.h"

G_BEGIN_DECLS

typedef JsonObject *(*ReeveDirectoryShow) (ReeveRecord *record);

JsonObject *reeve_directory_list (ReeveStore *store, ReeveQuery *query, JsonObject *params,
                                  ReeveDirectoryShow show, GError **error);
JsonObject *reeve_directory_dup (JsonObject *object);
void reeve_directory_copy (JsonObject *from, JsonObject *to, const char *member);
void reeve_directory_show_time (JsonObject *from, JsonObject *to, const char *member);
char **reeve_directory_get_strings (JsonObject *object, const char *member);
void reeve_directory_set_strings (JsonObject *object, const char *member,
                                  const char *const *strings);
gboolean reeve_directory_check_roles (const char *const *roles, GError **error);

G_END_DECLS
