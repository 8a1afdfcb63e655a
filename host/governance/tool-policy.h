/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveToolPolicy: which tools a tenant lets its agents call. Closed when unset; a denial wins. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ReeveToolPolicy ReeveToolPolicy;

typedef enum
{
  REEVE_TOOL_POLICY_ALLOW,
  REEVE_TOOL_POLICY_DENY
} ReeveToolPolicyEffect;

/* An empty policy: everything is denied. Build it, then share it; it does not change once it is
 * shared. */
ReeveToolPolicy *reeve_tool_policy_new (void);
/* The org policy that a profile ships: `dev` allows the first-party tools, every other ships none.
 */
ReeveToolPolicy *reeve_tool_policy_new_for_profile (const char *profile);
ReeveToolPolicy *reeve_tool_policy_ref (ReeveToolPolicy *self);
void reeve_tool_policy_unref (ReeveToolPolicy *self);
/* tool_name may end in `*`. */
void reeve_tool_policy_add (ReeveToolPolicy *self, const char *tool_name,
                            ReeveToolPolicyEffect effect);
/* agent_tools (nullable): tools of the agent's definition; a tool that is not among them is denied.
 * @reason: word for the record, static. */
gboolean reeve_tool_policy_evaluate (ReeveToolPolicy *self, const char *tool_name,
                                     const char *const *agent_tools, const char **reason);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveToolPolicy, reeve_tool_policy_unref)

G_END_DECLS
