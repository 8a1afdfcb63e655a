/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads a policy's document once and for all: names, patterns and constraints are compiled here, so
 * that a decision finds what concerns it and looks at nothing else. */
#include "policy.h"

#include <string.h>

#include "policy-parse.h"

static const char *const reeve_policy_levels[]
    = { NULL, "trusted", "standard", "isolated", "strict" };
static const char *const reeve_policy_effects[] = { "allow", "approval_required", "deny" };

static void
reeve_policy_rule_clear (gpointer data)
{
  ReevePolicyRule *rule = data;

  g_free (rule->name);
  g_clear_pointer (&rule->constraints, reeve_policy_constraints_free);
}

/**
 * reeve_policy_ref:
 * @self: a policy
 *
 * Returns: (transfer full): @self
 */
ReevePolicy *
reeve_policy_ref (ReevePolicy *self)
{
  g_atomic_int_inc (&self->references);
  return self;
}

/**
 * reeve_policy_unref:
 * @self: (transfer full): a policy
 */
void
reeve_policy_unref (ReevePolicy *self)
{
  if (!g_atomic_int_dec_and_test (&self->references))
    return;
  g_clear_pointer (&self->tool_index, reeve_policy_index_free);
  g_clear_pointer (&self->action_index, reeve_policy_index_free);
  g_clear_pointer (&self->named, g_hash_table_unref);
  g_array_unref (self->tools);
  g_array_unref (self->actions);
  g_free (self->document);
  g_free (self->set_by);
  g_free (self);
}

/* ---- making ---- */

/* A level begins with the shipped list unless the policy has its own. */
static void
reeve_policy_add_shipped (ReevePolicy *self, ReevePolicyRuleKind kind, gboolean wider)
{
  const char *const *patterns = reeve_policy_kinds_get_safe (wider);

  if (self->level == REEVE_POLICY_LEVEL_UNSET || (self->own_lists & (1u << kind)) != 0)
    return;
  for (guint i = 0; patterns[i] != NULL; i++)
    if (reeve_policy_parse_rule (self->actions, kind, REEVE_POLICY_ALLOW, patterns[i], NULL, NULL))
      g_array_index (self->actions, ReevePolicyRule, self->actions->len - 1).shipped = TRUE;
}

static ReevePolicyIndex *
reeve_policy_make_index (GArray *rules)
{
  ReevePolicyIndex *index = reeve_policy_index_new ();

  for (guint i = 0; i < rules->len; i++)
    reeve_policy_index_add (index, g_array_index (rules, ReevePolicyRule, i).name, i);
  reeve_policy_index_seal (index);
  return index;
}

static void
reeve_policy_compile (ReevePolicy *self)
{
  self->has_approval = self->own_lists != 0 || self->cost >= 0 || self->risk >= 0;
  reeve_policy_add_shipped (self, REEVE_POLICY_RULE_STANDARD, FALSE);
  reeve_policy_add_shipped (self, REEVE_POLICY_RULE_TRUSTED, TRUE);
  self->tool_index = reeve_policy_make_index (self->tools);
  self->action_index = reeve_policy_make_index (self->actions);
  self->named = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < self->tools->len; i++)
    {
      ReevePolicyRule *rule = &g_array_index (self->tools, ReevePolicyRule, i);

      if (rule->kind != REEVE_POLICY_RULE_LIMITS)
        g_hash_table_add (self->named, rule->name);
    }
}

static char *
reeve_policy_write_document (JsonObject *document)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), document);

  return reeve_json_canonical (node);
}

/**
 * reeve_policy_new:
 * @document: what it says
 * @layer: for the whole tenant or for one agent
 * @revision: which revision of the tenant's policies set it; 0: it is not stored
 * @set_by: (nullable): who did
 * @error: return location: %REEVE_ERROR_INVALID_ARGUMENT
 *
 * Returns: (transfer full): the policy; %NULL with the path of the member that is wrong
 */
ReevePolicy *
reeve_policy_new (JsonObject *document, ReevePolicyLayer layer, gint64 revision, const char *set_by,
                  GError **error)
{
  g_autoptr (ReevePolicy) self = g_new0 (ReevePolicy, 1);

  self->references = 1;
  self->layer = layer;
  self->revision = revision;
  self->set_by = g_strdup (set_by);
  self->cost = -1;
  self->risk = -1;
  self->tools = g_array_new (FALSE, FALSE, sizeof (ReevePolicyRule));
  self->actions = g_array_new (FALSE, FALSE, sizeof (ReevePolicyRule));
  g_array_set_clear_func (self->tools, reeve_policy_rule_clear);
  g_array_set_clear_func (self->actions, reeve_policy_rule_clear);
  if (!reeve_policy_parse (self, document, error))
    return NULL;
  self->document = reeve_policy_write_document (document);
  reeve_policy_compile (self);
  return g_steal_pointer (&self);
}

/**
 * reeve_policy_new_for_profile:
 * @profile: (nullable): name of the profile
 *
 * Returns: (transfer full) (nullable): the org policy that comes with @profile: `dev` allows the
 * first-party tools, every other has none
 */
ReevePolicy *
reeve_policy_new_for_profile (const char *profile)
{
  static const char *const tools[] = { "semantic_search", "calculate", "http_request" };
  g_autoptr (JsonObject) document = json_object_new ();
  JsonArray *entries = json_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (tools); i++)
    {
      JsonObject *entry = json_object_new ();

      json_object_set_string_member (entry, "tool_name", tools[i]);
      json_object_set_string_member (entry, "effect", "allow");
      json_array_add_object_element (entries, entry);
    }
  json_object_set_array_member (document, "tools", entries);
  return g_strcmp0 (profile, "dev") == 0
             ? reeve_policy_new (document, REEVE_POLICY_LAYER_ORG, 0, "profile dev", NULL)
             : NULL;
}

/* ---- asking ---- */

/**
 * reeve_policy_get_layer:
 * @self: a policy
 *
 * Returns: whether it is of the whole tenant or of one agent
 */
ReevePolicyLayer
reeve_policy_get_layer (const ReevePolicy *self)
{
  return self->layer;
}

/**
 * reeve_policy_get_revision:
 * @self: a policy
 *
 * Returns: which revision set it; 0: it is not stored
 */
gint64
reeve_policy_get_revision (const ReevePolicy *self)
{
  return self->revision;
}

/**
 * reeve_policy_get_set_by:
 * @self: a policy
 *
 * Returns: (transfer none) (nullable): who set it
 */
const char *
reeve_policy_get_set_by (const ReevePolicy *self)
{
  return self->set_by;
}

/**
 * reeve_policy_get_token_limit:
 * @self: a policy
 *
 * Returns: how many tokens one execution may take; 0: it does not say
 */
gint64
reeve_policy_get_token_limit (const ReevePolicy *self)
{
  return self->token_limit;
}

/**
 * reeve_policy_get_timeout:
 * @self: a policy
 *
 * Returns: how many seconds one execution may take; 0: it does not say
 */
gint64
reeve_policy_get_timeout (const ReevePolicy *self)
{
  return self->timeout;
}

/**
 * reeve_policy_get_level:
 * @self: a policy
 *
 * Returns: its sandbox level
 */
ReevePolicyLevel
reeve_policy_get_level (const ReevePolicy *self)
{
  return self->level;
}

/**
 * reeve_policy_dup_document:
 * @self: a policy
 *
 * Returns: (transfer full): what it was made of
 */
JsonObject *
reeve_policy_dup_document (const ReevePolicy *self)
{
  g_autoptr (JsonNode) node
      = reeve_json_parse_strict (self->document, strlen (self->document), NULL);

  return node != NULL ? json_node_dup_object (node) : json_object_new ();
}

/**
 * reeve_policy_normalize:
 * @document: what a policy says
 *
 * Returns: (transfer full): the same without members that are null
 */
JsonObject *
reeve_policy_normalize (JsonObject *document)
{
  JsonObject *said = json_object_new ();
  g_autoptr (GList) members = json_object_get_members (document);

  for (GList *l = members; l != NULL; l = l->next)
    {
      JsonNode *node = json_object_get_member (document, l->data);

      if (!JSON_NODE_HOLDS_NULL (node))
        json_object_set_member (said, l->data, json_node_ref (node));
    }
  return said;
}

/**
 * reeve_policy_list_members:
 *
 * Returns: (transfer none) (array zero-terminated=1): names of the members that a document may have
 */
const char *const *
reeve_policy_list_members (void)
{
  static const char *const members[] = { "tools",
                                         "token_limit",
                                         "execution_timeout_seconds",
                                         "sandbox_level",
                                         "security_level",
                                         "levels",
                                         "matrix",
                                         "approval",
                                         "description",
                                         NULL };

  return members;
}

/**
 * reeve_policy_parse_level:
 * @word: (nullable): name of a sandbox level
 *
 * Returns: the level, or unset
 */
ReevePolicyLevel
reeve_policy_parse_level (const char *word)
{
  for (guint i = 1; word != NULL && i < G_N_ELEMENTS (reeve_policy_levels); i++)
    if (strcmp (word, reeve_policy_levels[i]) == 0)
      return (ReevePolicyLevel) i;
  return REEVE_POLICY_LEVEL_UNSET;
}

/**
 * reeve_policy_get_level_name:
 * @level: a level
 *
 * Returns: (nullable): its word; %NULL when unset
 */
const char *
reeve_policy_get_level_name (ReevePolicyLevel level)
{
  return reeve_policy_levels[level];
}

/**
 * reeve_policy_get_effect_name:
 * @effect: an effect
 *
 * Returns: its word
 */
const char *
reeve_policy_get_effect_name (ReevePolicyEffect effect)
{
  return reeve_policy_effects[effect];
}

static gint64
reeve_policy_least (gint64 a, gint64 b)
{
  return a > 0 && b > 0 ? MIN (a, b) : MAX (a, b);
}

/**
 * reeve_policy_merge_token_limit:
 * @org: (nullable): the tenant's policy
 * @agent: (nullable): the agent's
 *
 * Returns: the lesser of their limits; 0: none says
 */
gint64
reeve_policy_merge_token_limit (const ReevePolicy *org, const ReevePolicy *agent)
{
  return reeve_policy_least (org != NULL ? org->token_limit : 0,
                             agent != NULL ? agent->token_limit : 0);
}

/**
 * reeve_policy_merge_timeout:
 * @org: (nullable): the tenant's policy
 * @agent: (nullable): the agent's
 *
 * Returns: the lesser of their times, in seconds; 0: none says
 */
gint64
reeve_policy_merge_timeout (const ReevePolicy *org, const ReevePolicy *agent)
{
  return reeve_policy_least (org != NULL ? org->timeout : 0, agent != NULL ? agent->timeout : 0);
}
