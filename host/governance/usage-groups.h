/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveUsageGroups: rows of usage put together as they are asked for, and shown. A plain value of
 * one thread. */
#pragma once

#include <json-glib/json-glib.h>

#include "usage-table.h"

G_BEGIN_DECLS

typedef struct _ReeveUsageGroups ReeveUsageGroups;

/* Is the thing of this id shown to who asks? */
typedef gboolean (*ReeveUsageGroupsSees) (const char *id, gpointer user_data);

/* by_model: else by value */
ReeveUsageGroups *reeve_usage_groups_new (gboolean by_model) G_GNUC_WARN_UNUSED_RESULT;
void reeve_usage_groups_free (ReeveUsageGroups *self);
void reeve_usage_groups_add (ReeveUsageGroups *self, ReeveUsageTable *table);
/* (transfer full): the sums of all */
JsonObject *reeve_usage_groups_show_totals (ReeveUsageGroups *self);
/* (transfer full): {key, …} of those that took most, `limit` of them; @sees (nullable): the others
 * are not told apart; *others (out) (transfer full) (nullable): the sums of what is left over */
JsonArray *reeve_usage_groups_show (ReeveUsageGroups *self, guint limit, ReeveUsageGroupsSees sees,
                                    gpointer user_data, JsonObject **others);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveUsageGroups, reeve_usage_groups_free)

G_END_DECLS
