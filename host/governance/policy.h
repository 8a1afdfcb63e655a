/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePolicy: one policy of a tenant, for all of it (org) or for one agent: which tools may be
 * called, with which arguments, how often, and what needs an approval. Made from its document and
 * immutable from then on; any thread. Pure: no store, no clock.
 *
 * A document:
 *   {tools [{tool_name, effect allow|deny, constraints{}?}], token_limit,
 * execution_timeout_seconds, sandbox_level strict|standard|trusted|isolated, security_level
 * deny|allowlist|full, levels {standard [patterns], trusted [patterns]}, matrix {TOOL {allowed?,
 * rate_limit, paths[], domains[], operations[], arguments{}}}, approval {allowlist[],
 * approval_required[], blocked[], requires_approval_above{cost, risk}, approvers{roles[],
 * users[]}}} A tool's name may be a glob; a pattern of approval is a tool's name or `kind:target`,
 * globs both, as read:*, write:documents/x, execute:safe/y. `description` is anyone's. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define REEVE_POLICY_MOST_RULES 20000 /* tools and matrix, patterns: each */

typedef struct _ReevePolicy ReevePolicy;

typedef enum
{
  REEVE_POLICY_LAYER_ORG,
  REEVE_POLICY_LAYER_AGENT
} ReevePolicyLayer;

/* From the mildest to the strictest. */
typedef enum
{
  REEVE_POLICY_ALLOW,
  REEVE_POLICY_APPROVAL_REQUIRED,
  REEVE_POLICY_DENY
} ReevePolicyEffect;

typedef enum
{
  REEVE_POLICY_LEVEL_UNSET,
  REEVE_POLICY_LEVEL_TRUSTED,
  REEVE_POLICY_LEVEL_STANDARD,
  REEVE_POLICY_LEVEL_ISOLATED, /* standard, and nothing that reaches outside */
  REEVE_POLICY_LEVEL_STRICT
} ReevePolicyLevel;

/* %REEVE_ERROR_INVALID_ARGUMENT: the path of the faulty member and what is wrong. @revision 0: not
 * stored. @set_by (nullable). */
ReevePolicy *reeve_policy_new (JsonObject *document, ReevePolicyLayer layer, gint64 revision,
                               const char *set_by, GError **error);
ReevePolicy *reeve_policy_ref (ReevePolicy *self);
void reeve_policy_unref (ReevePolicy *self);
/* The org policy that a profile ships; NULL: none. */
ReevePolicy *reeve_policy_new_for_profile (const char *profile);

ReevePolicyLayer reeve_policy_get_layer (const ReevePolicy *self);
gint64 reeve_policy_get_revision (const ReevePolicy *self);
const char *reeve_policy_get_set_by (const ReevePolicy *self);
gint64 reeve_policy_get_token_limit (const ReevePolicy *self); /* 0: none */
gint64 reeve_policy_get_timeout (const ReevePolicy *self);     /* seconds; 0: none */
ReevePolicyLevel reeve_policy_get_level (const ReevePolicy *self);
JsonObject *reeve_policy_dup_document (
    const ReevePolicy *self); /* (transfer full) as it was given */

/* (transfer full): a document without its members that are null, which say nothing. */
JsonObject *reeve_policy_normalize (JsonObject *document);
/* Names of the members that a document may have. */
const char *const *reeve_policy_list_members (void);
/* UNSET for NULL and for a word that is none. */
ReevePolicyLevel reeve_policy_parse_level (const char *word);
const char *reeve_policy_get_level_name (ReevePolicyLevel level); /* NULL when unset */
const char *reeve_policy_get_effect_name (ReevePolicyEffect effect);

/* Minimum of what both say; 0: neither. Both nullable. */
gint64 reeve_policy_merge_token_limit (const ReevePolicy *org, const ReevePolicy *agent);
gint64 reeve_policy_merge_timeout (const ReevePolicy *org, const ReevePolicy *agent);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReevePolicy, reeve_policy_unref)

G_END_DECLS
