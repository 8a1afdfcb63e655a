/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The merge of TPL-02 as a document, in two passes: first what the org denies, which always wins;
 * then the org's other entries, each replaced where the agent has one of the same name, and the
 * agent's further ones. Numbers are the lesser of both. */
#include "policy-merge.h"

#include "policy-glob.h"
#include "policy-private.h"

typedef struct
{
  const ReevePolicy *policy;
  JsonObject *document;
} ReevePolicyMergeSide;

static JsonObject *
reeve_policy_merge_copy (JsonObject *from)
{
  JsonObject *to = json_object_new ();
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *node = NULL;

  json_object_iter_init (&iter, from);
  while (json_object_iter_next (&iter, &name, &node))
    json_object_set_member (to, name, json_node_copy (node));
  return to;
}

static JsonObject *
reeve_policy_merge_sign (JsonObject *entry, const ReevePolicy *policy)
{
  JsonObject *signed_entry = reeve_policy_merge_copy (entry);

  json_object_set_string_member (signed_entry, "source",
                                 policy->layer == REEVE_POLICY_LAYER_ORG ? "org" : "agent");
  json_object_set_int_member (signed_entry, "revision", policy->revision);
  return signed_entry;
}

/* Does a denial of the org cover all that this name can mean? */
static gboolean
reeve_policy_merge_is_denied (JsonArray *org, const char *name)
{
  for (guint i = 0; org != NULL && i < json_array_get_length (org); i++)
    {
      JsonObject *entry = json_array_get_object_element (org, i);

      if (g_strcmp0 (reeve_json_get_string (entry, "effect", ""), "deny") == 0
          && reeve_policy_glob_covers (reeve_json_get_string (entry, "tool_name", ""), name))
        return TRUE;
    }
  return FALSE;
}

static GHashTable *
reeve_policy_merge_names (JsonArray *entries)
{
  GHashTable *names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; entries != NULL && i < json_array_get_length (entries); i++)
    g_hash_table_add (names, (gpointer) reeve_json_get_string (
                                 json_array_get_object_element (entries, i), "tool_name", ""));
  return names;
}

static JsonArray *
reeve_policy_merge_tools (const ReevePolicyMergeSide *org, const ReevePolicyMergeSide *agent)
{
  JsonArray *merged = json_array_new ();
  JsonArray *above = reeve_json_get_array (org->document, "tools");
  JsonArray *own = reeve_json_get_array (agent->document, "tools");
  g_autoptr (GHashTable) replaced = reeve_policy_merge_names (own);

  for (guint i = 0; above != NULL && i < json_array_get_length (above); i++)
    {
      JsonObject *entry = json_array_get_object_element (above, i);
      const char *name = reeve_json_get_string (entry, "tool_name", "");
      gboolean deny = g_strcmp0 (reeve_json_get_string (entry, "effect", ""), "deny") == 0;

      if (deny
          || (!g_hash_table_contains (replaced, name)
              && !reeve_policy_merge_is_denied (above, name)))
        json_array_add_object_element (merged, reeve_policy_merge_sign (entry, org->policy));
    }
  for (guint i = 0; own != NULL && i < json_array_get_length (own); i++)
    {
      JsonObject *entry = json_array_get_object_element (own, i);

      if (!reeve_policy_merge_is_denied (above, reeve_json_get_string (entry, "tool_name", "")))
        json_array_add_object_element (merged, reeve_policy_merge_sign (entry, agent->policy));
    }
  return merged;
}

/* Rows of both hold at once: they are listed, not folded. */
static JsonArray *
reeve_policy_merge_matrix (const ReevePolicyMergeSide *org, const ReevePolicyMergeSide *agent)
{
  JsonArray *merged = json_array_new ();
  const ReevePolicyMergeSide *sides[] = { org, agent };

  for (guint i = 0; i < G_N_ELEMENTS (sides); i++)
    {
      JsonObject *matrix = reeve_json_get_object (sides[i]->document, "matrix");
      JsonObjectIter iter;
      const char *name = NULL;
      JsonNode *row = NULL;

      if (matrix == NULL)
        continue;
      json_object_iter_init (&iter, matrix);
      while (json_object_iter_next (&iter, &name, &row))
        {
          JsonObject *entry
              = reeve_policy_merge_sign (json_node_get_object (row), sides[i]->policy);

          json_object_set_string_member (entry, "tool_name", name);
          json_array_add_object_element (merged, entry);
        }
    }
  return merged;
}

/* Lists of patterns of both, one behind the other, each once. */
static void
reeve_policy_merge_list (JsonObject *to, JsonObject *org, JsonObject *agent, const char *member)
{
  JsonObject *sides[] = { org, agent };
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  JsonArray *merged = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (sides); i++)
    {
      JsonArray *list = reeve_json_get_array (sides[i], member);

      if (list != NULL && merged == NULL)
        merged = json_array_new ();
      for (guint k = 0; list != NULL && k < json_array_get_length (list); k++)
        {
          const char *text = json_array_get_string_element (list, k);

          if (g_hash_table_add (seen, (gpointer) text))
            json_array_add_string_element (merged, text);
        }
    }
  if (merged != NULL)
    json_object_set_array_member (to, member, merged);
}

static void
reeve_policy_merge_approval (JsonObject *to, JsonObject *org, JsonObject *agent,
                             const ReevePolicy *const *policies)
{
  static const char *const lists[] = { "blocked", "approval_required", "allowlist" };
  JsonObject *above = reeve_json_get_object (org, "approval");
  JsonObject *own = reeve_json_get_object (agent, "approval");
  JsonObject *merged = json_object_new ();
  JsonObject *threshold = json_object_new ();
  JsonObject *approvers = reeve_json_get_object (own, "approvers");
  static const char *const risks[] = { "low", "medium", "high" };
  gdouble cost = -1;
  int risk = -1;

  for (guint i = 0; i < G_N_ELEMENTS (lists); i++)
    reeve_policy_merge_list (merged, above, own, lists[i]);
  for (guint i = 0; i < 2; i++)
    {
      if (policies[i] != NULL && policies[i]->cost >= 0)
        cost = cost < 0 ? policies[i]->cost : MIN (cost, policies[i]->cost);
      if (policies[i] != NULL && policies[i]->risk >= 0)
        risk = risk < 0 ? policies[i]->risk : MIN (risk, policies[i]->risk);
    }
  if (cost >= 0)
    json_object_set_double_member (threshold, "cost", cost);
  if (risk >= 0)
    json_object_set_string_member (threshold, "risk", risks[risk]);
  json_object_set_object_member (merged, "requires_approval_above", threshold);
  if (approvers == NULL)
    approvers = reeve_json_get_object (above, "approvers");
  if (approvers != NULL)
    json_object_set_object_member (merged, "approvers", reeve_policy_merge_copy (approvers));
  json_object_set_object_member (to, "approval", merged);
}

static void
reeve_policy_merge_numbers (JsonObject *to, const ReevePolicy *org, const ReevePolicy *agent)
{
  const struct
  {
    const char *member;
    gint64 value;
  } rows[] = { { "token_limit", reeve_policy_merge_token_limit (org, agent) },
               { "execution_timeout_seconds", reeve_policy_merge_timeout (org, agent) } };
  ReevePolicyLevel level = MAX (org != NULL ? org->level : REEVE_POLICY_LEVEL_UNSET,
                                agent != NULL ? agent->level : REEVE_POLICY_LEVEL_UNSET);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (rows[i].value > 0)
      json_object_set_int_member (to, rows[i].member, rows[i].value);
    else
      json_object_set_null_member (to, rows[i].member);
  if (level != REEVE_POLICY_LEVEL_UNSET)
    json_object_set_string_member (to, "sandbox_level", reeve_policy_get_level_name (level));
  else
    json_object_set_null_member (to, "sandbox_level");
}

static void
reeve_policy_merge_security (JsonObject *to, const ReevePolicy *org, const ReevePolicy *agent)
{
  static const char *const words[] = { "allowlist", "full", "allowlist", "deny" };
  ReevePolicySecurity above = org != NULL ? org->security : REEVE_POLICY_SECURITY_UNSET;
  ReevePolicySecurity own = agent != NULL ? agent->security : REEVE_POLICY_SECURITY_UNSET;
  gboolean denied = above == REEVE_POLICY_SECURITY_DENY || own == REEVE_POLICY_SECURITY_UNSET;

  json_object_set_string_member (to, "security_level", words[denied ? above : own]);
}

/**
 * reeve_policy_merge:
 * @org: (nullable): the tenant's policy
 * @agent: (nullable): the agent's
 *
 * Returns: (transfer full): the effective policy as a document
 */
JsonObject *
reeve_policy_merge (const ReevePolicy *org, const ReevePolicy *agent)
{
  const ReevePolicy *policies[] = { org, agent };
  g_autoptr (JsonObject) above = org != NULL ? reeve_policy_dup_document (org) : json_object_new ();
  g_autoptr (JsonObject) own
      = agent != NULL ? reeve_policy_dup_document (agent) : json_object_new ();
  const ReevePolicyMergeSide sides[] = { { org, above }, { agent, own } };
  JsonObject *levels_above = reeve_json_get_object (above, "levels");
  JsonObject *levels_own = reeve_json_get_object (own, "levels");
  JsonObject *merged = json_object_new ();
  JsonObject *levels = json_object_new ();

  json_object_set_array_member (merged, "tools", reeve_policy_merge_tools (&sides[0], &sides[1]));
  json_object_set_array_member (merged, "matrix", reeve_policy_merge_matrix (&sides[0], &sides[1]));
  reeve_policy_merge_numbers (merged, org, agent);
  reeve_policy_merge_security (merged, org, agent);
  reeve_policy_merge_list (levels, levels_above, levels_own, "standard");
  reeve_policy_merge_list (levels, levels_above, levels_own, "trusted");
  json_object_set_object_member (merged, "levels", levels);
  reeve_policy_merge_approval (merged, above, own, policies);
  return merged;
}
