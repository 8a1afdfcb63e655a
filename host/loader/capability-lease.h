/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveCapabilityLease: the right to one call of a capability. It rests on grants, and is cut when
 * the last of them ends, while the call is under way. Thread-safe. */
#pragma once

#include <gio/gio.h>

#include "capability-terms.h"

G_BEGIN_DECLS

/* A lease rests on this many grants at most. */
#define REEVE_CAPABILITY_LEASE_MAX 64

typedef struct _ReeveCapabilityLease ReeveCapabilityLease;
typedef gboolean (*ReeveCapabilityLeaseHolds) (const ReeveCapabilityTerms *terms,
                                               gpointer user_data);

/* (transfer full) @terms: ReeveCapabilityTerms, at least one; (nullable) @ceiling */
ReeveCapabilityLease *reeve_capability_lease_new (const char *plugin_id, const char *capability,
                                                  GPtrArray *terms, ReeveCapabilityTerms *ceiling)
    G_GNUC_WARN_UNUSED_RESULT;
ReeveCapabilityLease *reeve_capability_lease_ref (ReeveCapabilityLease *self);
void reeve_capability_lease_unref (ReeveCapabilityLease *self);

const char *reeve_capability_lease_get_plugin_id (ReeveCapabilityLease *self);
const char *reeve_capability_lease_get_capability (ReeveCapabilityLease *self);
guint reeve_capability_lease_get_length (ReeveCapabilityLease *self);
/* (transfer none) */
const ReeveCapabilityTerms *reeve_capability_lease_get_terms (ReeveCapabilityLease *self,
                                                              guint number);
/* (transfer none) (nullable): there is none */
const ReeveCapabilityTerms *reeve_capability_lease_get_ceiling (ReeveCapabilityLease *self);
/* Cancelled when it is cut. */
GCancellable *reeve_capability_lease_get_cancellable (ReeveCapabilityLease *self);

/* The call is one that the grants of @mask allow, bit by number, and no others: it rests on them
 * alone from now on. %FALSE with %REEVE_ERROR_CAPABILITY_REVOKED where they have ended. */
gboolean reeve_capability_lease_rest_on (ReeveCapabilityLease *self, guint64 mask, GError **error);
/* Forgets the grants that do not hold any more; TRUE when none is left now: the caller then cuts
 * it, and holds no lock. */
gboolean reeve_capability_lease_review (ReeveCapabilityLease *self, ReeveCapabilityLeaseHolds holds,
                                        gpointer user_data);
void reeve_capability_lease_cut (ReeveCapabilityLease *self);
gboolean reeve_capability_lease_is_cut (ReeveCapabilityLease *self);
/* What a call ends with that was cut: %REEVE_ERROR_CAPABILITY_REVOKED. */
void reeve_capability_lease_set_error (ReeveCapabilityLease *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveCapabilityLease, reeve_capability_lease_unref)

G_END_DECLS
