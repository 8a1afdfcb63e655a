/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What kind of work a tool does, by what it says of itself and by its name. Pure. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* From harmless to grave: the later one wins where a name says several. */
typedef enum
{
  REEVE_POLICY_KIND_COMPUTE,
  REEVE_POLICY_KIND_READ,
  REEVE_POLICY_KIND_NETWORK,
  REEVE_POLICY_KIND_WRITE,
  REEVE_POLICY_KIND_DELETE,
  REEVE_POLICY_KIND_EXECUTE,
  REEVE_POLICY_KIND_UNKNOWN
} ReevePolicyKind;

typedef enum
{
  REEVE_POLICY_RISK_LOW,
  REEVE_POLICY_RISK_MEDIUM,
  REEVE_POLICY_RISK_HIGH
} ReevePolicyRisk;

/* @known: whether the tool exists and @hints are its own */
ReevePolicyKind reeve_policy_kinds_classify (const char *tool_name, gboolean known,
                                             ReeveToolHints hints);
const char *reeve_policy_kinds_get_name (ReevePolicyKind kind);
ReevePolicyRisk reeve_policy_kinds_get_risk (ReevePolicyKind kind);
const char *reeve_policy_kinds_get_risk_name (ReevePolicyRisk risk); /* low, medium, high */
/* -1 for a word that is none */
int reeve_policy_kinds_parse_risk (const char *word);
/* Whether a call could reach beyond the host; what nobody knows could. */
gboolean reeve_policy_kinds_is_external (ReevePolicyKind kind, gboolean known,
                                         ReeveToolHints hints);
/* (array zero-terminated=1): patterns of actions that are safe where no policy says otherwise:
 * what an allow list of level `standard` and what the wider one of `trusted` begins with. */
const char *const *reeve_policy_kinds_get_safe (gboolean wider);

G_END_DECLS
