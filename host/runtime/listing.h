/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pages of records as they are shown outside: {items, next_cursor}. */
#pragma once

#include "store/store.h"

G_BEGIN_DECLS

typedef JsonObject *(*ReeveListingDescribe) (ReeveRecord *record);
typedef gboolean (*ReeveListingMatch) (ReeveRecord *record, JsonObject *params);

/* Takes `limit` and `cursor` of @params (nullable) into the query, newest first by @order. seen:
 * workspaces whose things are shown (reeve_workspaces_list_seen()). */
JsonObject *reeve_listing_new (ReeveStore *store, ReeveQuery *query, const char *order,
                               JsonObject *params, const char *const *seen,
                               ReeveListingDescribe describe, GError **error);
/* The same with a filter of one's own. */
JsonObject *reeve_listing_new_matching (ReeveStore *store, ReeveQuery *query, const char *order,
                                        JsonObject *params, const char *const *seen,
                                        ReeveListingMatch match, ReeveListingDescribe describe,
                                        GError **error);
/* Replaces a member that holds µs since the epoch by RFC 3339 text. */
void reeve_listing_set_time (JsonObject *object, const char *member);
/* Copies those members that are there. */
void reeve_listing_copy (JsonObject *from, JsonObject *to, const char *const *members);
/* (transfer full) a copy that may be changed */
JsonObject *reeve_listing_dup (JsonObject *object);

G_END_DECLS
