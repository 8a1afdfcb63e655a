/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePolicyConstraints: what the arguments of a call may be, and how often it may be made.
 * Immutable; any thread. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

typedef struct _ReevePolicyConstraints ReevePolicyConstraints;

/* Members of an object that are constraints. */
#define REEVE_POLICY_CONSTRAINTS_MEMBERS "rate_limit", "paths", "domains", "operations", "arguments"

/* {rate_limit "100/hour", paths[], domains[], operations[], arguments{paths[], domains[],
 * operations[]}}; other members are not looked at. NULL without an error when there are none. */
ReevePolicyConstraints *reeve_policy_constraints_new (JsonObject *object, GError **error);
void reeve_policy_constraints_free (ReevePolicyConstraints *self);
/* Which constraint is broken, as a word: paths, domains, operations; NULL: none. @detail (out)
 * (transfer full) (nullable) (optional): what was asked for. A constraint that finds nothing to
 * check is broken. */
const char *reeve_policy_constraints_check (const ReevePolicyConstraints *self,
                                            JsonObject *arguments, char **detail);
/* Whether they look at arguments at all. */
gboolean reeve_policy_constraints_has_arguments (const ReevePolicyConstraints *self);
/* Calls in a time, 0: any number */
guint reeve_policy_constraints_get_rate (const ReevePolicyConstraints *self, guint *seconds);

/* What of the arguments names paths, domains or commands, canonical: for patterns of approval. */
typedef enum
{
  REEVE_POLICY_TARGET_CERTAIN = 1 << 0, /* has a canonical form, does no more than one thing */
  REEVE_POLICY_TARGET_COMMAND = 1 << 1,
  REEVE_POLICY_TARGET_DOUBTFUL = 1 << 2 /* could be what a pattern blocks and not look like it */
} ReevePolicyTarget;

typedef void (*ReevePolicyConstraintsTarget) (const char *target, ReevePolicyTarget traits,
                                              gpointer user_data);
void reeve_policy_constraints_targets (JsonObject *arguments, ReevePolicyConstraintsTarget found,
                                       gpointer user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReevePolicyConstraints, reeve_policy_constraints_free)

G_END_DECLS
