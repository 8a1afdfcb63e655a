/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveDelegation: an admitted call of a plugin, as what its plugin asks for stands below it: who
 * calls, on whose behalf, within what. It goes with the ReeveContext of the call, and ends with it.
 * Any thread. */
#pragma once

#include <reeve-plugin-1.h>

#include "admission.h"

G_BEGIN_DECLS

typedef struct _ReeveDelegation ReeveDelegation;

/* Questions of plugins below one call that no plugin asked for: each leaves records behind. */
#define REEVE_DELEGATION_TURNS 1000

/* of one call: its grant's, and the deployment's */
#define REEVE_DELEGATION_BOUNDS 2

/* What bounds the calls of models below a call that a plugin asked for. */
typedef struct
{
  char *counter; /* (nullable): of the tenant's store; NULL: no bound */
  gint64 limit;
} ReeveDelegationBound;

/* @request: as it is admitted; copied. @above: (nullable): the call in which a plugin asks for it
 */
ReeveDelegation *reeve_delegation_new (const ReeveAdmissionRequest *request,
                                       ReeveDelegation *above) G_GNUC_WARN_UNUSED_RESULT;
ReeveDelegation *reeve_delegation_ref (ReeveDelegation *self);
void reeve_delegation_unref (ReeveDelegation *self);
/* Before it is attached: how many calls may hang below one another below it, and the bounds that it
 * was let through with (%REEVE_DELEGATION_BOUNDS; copied). */
void reeve_delegation_limit (ReeveDelegation *self, guint left, const ReeveDelegationBound *bounds);
/* It is admitted: the call with that context may ask from now on. */
void reeve_delegation_begin (ReeveDelegation *self, ReeveAdmitted *admitted, ReeveContext *context);
/* The call has ended: what it asked for is cut, and nothing more is begun. */
void reeve_delegation_end (ReeveDelegation *self);
/* The same for that with this context, if there is one: whoever keeps the context has nothing left
 * of it. */
void reeve_delegation_end_of (ReeveContext *context);
/* Another question of a plugin: so many may be asked below one call of a run.
 * %REEVE_ERROR_RATE_LIMITED */
gboolean reeve_delegation_take_turn (ReeveDelegation *self, const char *capability, GError **error);
/* (transfer full) (nullable): %REEVE_ERROR_CAPABILITY: no call that somebody made, or one that has
 * ended */
ReeveDelegation *reeve_delegation_find (ReeveContext *context, const char *capability,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Was the call of this context made for somebody, whether it has ended or not? */
gboolean reeve_delegation_is_known (ReeveContext *context);
/* Has its plugin asked for an effect, which outlives it: a connection, a model, a tool? Any thread.
 */
void reeve_delegation_note_asked (ReeveDelegation *self);
gboolean reeve_delegation_has_asked (ReeveContext *context);

guint reeve_delegation_get_level (ReeveDelegation *self);
guint reeve_delegation_get_left (ReeveDelegation *self);
/* (nullable) */
ReeveDelegation *reeve_delegation_get_above (ReeveDelegation *self);
/* %REEVE_DELEGATION_BOUNDS of them */
const ReeveDelegationBound *reeve_delegation_get_bounds (ReeveDelegation *self);
/* Cancelled at its end. */
GCancellable *reeve_delegation_get_over (ReeveDelegation *self);
ReeveCaller *reeve_delegation_get_caller (ReeveDelegation *self);
/* Fills in what everything below it has in common; borrowed. */
void reeve_delegation_describe (ReeveDelegation *self, ReeveAdmissionRequest *request);
/* Tokens that models took below it count for what is above as well. */
void reeve_delegation_note_tokens (ReeveDelegation *self, gint64 input, gint64 output);
gint64 reeve_delegation_hold_tokens (ReeveDelegation *self, gint64 tokens);
/* @held: (nullable): what calls that are under way below it may take yet */
void reeve_delegation_get_tokens (ReeveDelegation *self, gint64 *input, gint64 *output,
                                  gint64 *held);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveDelegation, reeve_delegation_unref)

G_END_DECLS
