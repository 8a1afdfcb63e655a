/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveUsageLabels: whom a tenant charges for what is used: department, cost centre and project of
 * agents and users, as they are now. A plain value of one thread. */
#pragma once

#include "store/store.h"

#include "usage-event.h"

G_BEGIN_DECLS

typedef struct _ReeveUsageLabels ReeveUsageLabels;

ReeveUsageLabels *reeve_usage_labels_new (ReeveStore *store,
                                          const char *tenant_id) G_GNUC_WARN_UNUSED_RESULT;
void reeve_usage_labels_free (ReeveUsageLabels *self);
/* Fills in what is borrowed of @self. Blocks. */
gboolean reeve_usage_labels_resolve (ReeveUsageLabels *self, ReeveUsageEvent *event,
                                     GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveUsageLabels, reeve_usage_labels_free)

G_END_DECLS
