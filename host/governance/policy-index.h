/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePolicyIndex: which of many patterns match a name, without looking at the others. Built
 * once, then immutable; any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Longest pattern and longest name. */
#define REEVE_POLICY_INDEX_LONGEST 255

typedef struct _ReevePolicyIndex ReevePolicyIndex;

/* Called for each pattern that matches; FALSE stops. */
typedef gboolean (*ReevePolicyIndexVisit) (guint value, gpointer user_data);

ReevePolicyIndex *reeve_policy_index_new (void);
void reeve_policy_index_free (ReevePolicyIndex *self);
/* Before the first visit. @pattern must outlive the index. */
void reeve_policy_index_add (ReevePolicyIndex *self, const char *pattern, guint value);
void reeve_policy_index_seal (ReevePolicyIndex *self);
/* In no particular order. */
void reeve_policy_index_visit (const ReevePolicyIndex *self, const char *name,
                               ReevePolicyIndexVisit visit, gpointer user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReevePolicyIndex, reeve_policy_index_free)

G_END_DECLS
