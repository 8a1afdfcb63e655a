/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What changes when some policies take the place of others: decided, not guessed, for each agent
 * and each tool that is known or that a policy names. Pure; any thread. */
#pragma once

#include "policy-decision.h"

G_BEGIN_DECLS

/* All policies of a tenant at one time. */
typedef struct
{
  ReevePolicy *org;   /* (nullable) */
  GHashTable *agents; /* id -> ReevePolicy */
} ReevePolicyAnalysisSet;

typedef struct _ReevePolicyAnalysisTools ReevePolicyAnalysisTools;

/* Tools to decide about. */
ReevePolicyAnalysisTools *reeve_policy_analysis_tools_new (void);
void reeve_policy_analysis_tools_free (ReevePolicyAnalysisTools *self);
/* One that there is, and what it says of itself. */
void reeve_policy_analysis_tools_add (ReevePolicyAnalysisTools *self, const char *name,
                                      ReeveToolHints hints);

/* (transfer full) {agents, tools, complete, newly_allowed [], newly_denied [],
 * newly_approval_required [], limits [], conditions []}. @tools: names and globs of the policies
 * are added. %REEVE_ERROR_TOO_LARGE */
JsonObject *reeve_policy_analysis_compare (const ReevePolicyAnalysisSet *before,
                                           const ReevePolicyAnalysisSet *after,
                                           ReevePolicyAnalysisTools *tools, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReevePolicyAnalysisTools, reeve_policy_analysis_tools_free)

G_END_DECLS
