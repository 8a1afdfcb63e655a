/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveOverridesPage: the overrides of one tenant, by what they are about. Immutable once filled,
 * any thread. */
#pragma once

#include <reeve-plugin-1.h>

#include "caller.h"

G_BEGIN_DECLS

typedef struct _ReeveOverridesPage ReeveOverridesPage;

ReeveOverridesPage *reeve_overrides_page_new (void);
ReeveOverridesPage *reeve_overrides_page_ref (ReeveOverridesPage *self);
void reeve_overrides_page_unref (ReeveOverridesPage *self);
void reeve_overrides_page_add (ReeveOverridesPage *self, ReeveRecord *record);
/* %TRUE when one is about it: *allow says what, *override_id (transfer none) which */
gboolean reeve_overrides_page_find (ReeveOverridesPage *self, ReeveCaller *caller,
                                    ReevePermissions wanted, const char *resource_type,
                                    const char *resource_id, gboolean *allow,
                                    const char **override_id);
/* Is that one a denial for @caller? */
gboolean reeve_overrides_page_denies (ReeveOverridesPage *self, ReeveCaller *caller,
                                      const char *override_id);
/* allowed of anything */
ReevePermissions reeve_overrides_page_get_allowed (ReeveOverridesPage *self, ReeveCaller *caller);
guint reeve_overrides_page_get_length (ReeveOverridesPage *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveOverridesPage, reeve_overrides_page_unref)

G_END_DECLS
