/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveGrantsPage: all grants as they were at one moment, in memory. Immutable once it is read. */
#pragma once

#include "grant-parameters.h"

#include "store/store.h"

G_BEGIN_DECLS

typedef struct _ReeveGrantsPage ReeveGrantsPage;

typedef struct
{
  char *tenant_id; /* NULL: all of the platform */
  gint64 until;    /* µs since the epoch; 0: without end */
  gint64 revoked_at;
  ReeveCapabilityTerms *terms;
} ReeveGrantsPageRow;

ReeveGrantsPage *reeve_grants_page_new (void);
ReeveGrantsPage *reeve_grants_page_ref (ReeveGrantsPage *self);
void reeve_grants_page_unref (ReeveGrantsPage *self);
void reeve_grants_page_add (ReeveGrantsPage *self, ReeveRecord *record);
/* (transfer none) (nullable) (element-type ReeveGrantsPageRow) oldest first, those that ended too
 */
GPtrArray *reeve_grants_page_find (ReeveGrantsPage *self, const char *plugin_id,
                                   const char *capability);
/* The earliest end that is still to come; 0: none. */
gint64 reeve_grants_page_get_next_end (ReeveGrantsPage *self, gint64 now);
/* Does the grant with these terms hold at @now? */
gboolean reeve_grants_page_holds (ReeveGrantsPage *self, const char *grant_id, gint64 now);
gboolean reeve_grants_page_row_holds (const ReeveGrantsPageRow *row, gint64 now);
/* Is the row about calls in that tenant (nullable: of the host itself)? */
gboolean reeve_grants_page_row_concerns (const ReeveGrantsPageRow *row, const char *tenant_id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveGrantsPage, reeve_grants_page_unref)

G_END_DECLS
