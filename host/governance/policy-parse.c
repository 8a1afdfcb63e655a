/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the members of a policy's document. Whatever is unknown or of another type is a fault: a
 * limit that is misspelt would limit nothing. */
#include "policy-parse.h"

#include <math.h>
#include <string.h>

#include "policy-glob.h"

#define REEVE_POLICY_PARSE_EXACT 1000 /* weight of a name without wildcards: above every glob's */

typedef gboolean (*ReevePolicyParse) (ReevePolicy *self, JsonNode *node, GError **error);

/* What is wrong with the value of @member of what is read; "": with that itself. */
#define reeve_policy_parse_fault(error, member, ...)                                               \
  (reeve_error_set_member (error, member, __VA_ARGS__), FALSE)

/* A fault of something, told by who read it, is one of member @name. */
static gboolean
reeve_policy_parse_place (GError **error, const char *name)
{
  g_autoptr (GString) escaped = g_string_new (name);

  g_string_replace (escaped, "~", "~0", 0);
  g_string_replace (escaped, "/", "~1", 0);
  reeve_error_prefix_member (error, "/%s", escaped->str);
  return FALSE;
}

static gboolean
reeve_policy_parse_check_members (JsonObject *object, const char *const *known, GError **error)
{
  JsonObjectIter iter;
  const char *name = NULL;

  json_object_iter_init (&iter, object);
  while (json_object_iter_next (&iter, &name, NULL))
    if (!g_strv_contains (known, name))
      {
        reeve_error_set_member (error, "", "unknown member");
        return reeve_policy_parse_place (error, name);
      }
  return TRUE;
}

static guint
reeve_policy_parse_weigh (const char *name)
{
  guint literal = 0;

  if (!reeve_policy_glob_has_wildcard (name))
    return REEVE_POLICY_PARSE_EXACT;
  for (const char *at = name; *at != '\0'; at++)
    literal += *at != '*' && *at != '?';
  return literal;
}

static gboolean
reeve_policy_parse_check_name (const char *name, const char *further, GError **error)
{
  if (name == NULL || *name == '\0' || strlen (name) > REEVE_POLICY_INDEX_LONGEST)
    return reeve_policy_parse_fault (error, "", "not a name of 1 to 255 bytes");
  for (const char *at = name; *at != '\0'; at++)
    if (!g_ascii_isalnum (*at) && strchr ("_.-*?", *at) == NULL && strchr (further, *at) == NULL)
      return reeve_policy_parse_fault (error, "", "\"%s\" holds a character that no name has",
                                       name);
  return TRUE;
}

static gboolean
reeve_policy_parse_effect (JsonObject *entry, ReevePolicyEffect *effect, GError **error)
{
  const char *word = reeve_json_get_string (entry, "effect", "");

  *effect = g_strcmp0 (word, "deny") == 0 ? REEVE_POLICY_DENY : REEVE_POLICY_ALLOW;
  if (*effect == REEVE_POLICY_ALLOW && g_strcmp0 (word, "allow") != 0)
    return reeve_policy_parse_fault (error, "/effect", "\"%s\" is neither allow nor deny", word);
  return TRUE;
}

static gboolean
reeve_policy_parse_tool (ReevePolicy *self, JsonNode *node, GError **error)
{
  static const char *const known[] = { "tool_name", "effect", "constraints", NULL };
  JsonObject *entry = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  JsonObject *limits = entry != NULL ? reeve_json_get_object (entry, "constraints") : NULL;
  const char *name = entry != NULL ? reeve_json_get_string (entry, "tool_name", NULL) : NULL;
  static const char *const limit_members[] = { REEVE_POLICY_CONSTRAINTS_MEMBERS, NULL };
  ReevePolicyEffect effect = REEVE_POLICY_DENY;
  ReevePolicyConstraints *constraints = NULL;
  GError *reason = NULL;

  if (entry == NULL)
    return reeve_policy_parse_fault (error, "", "not an object");
  if (!reeve_policy_parse_check_members (entry, known, error)
      || !reeve_policy_parse_effect (entry, &effect, error))
    return FALSE;
  if (!reeve_policy_parse_check_name (name, ":/", error))
    return reeve_policy_parse_place (error, "tool_name");
  if (limits == NULL && json_object_has_member (entry, "constraints"))
    return reeve_policy_parse_fault (error, "/constraints", "not an object");
  if (limits != NULL && reeve_policy_parse_check_members (limits, limit_members, &reason))
    constraints = reeve_policy_constraints_new (limits, &reason);
  if (reason != NULL)
    {
      g_propagate_error (error, reason);
      return reeve_policy_parse_place (error, "constraints");
    }
  return reeve_policy_parse_rule (self->tools, REEVE_POLICY_RULE_TOOL, effect, name, constraints,
                                  error);
}

static gboolean
reeve_policy_parse_tools (ReevePolicy *self, JsonNode *node, GError **error)
{
  JsonArray *array = JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  if (array == NULL)
    return reeve_policy_parse_fault (error, "", "not a list");
  for (guint i = 0; i < json_array_get_length (array); i++)
    if (!reeve_policy_parse_tool (self, json_array_get_element (array, i), error))
      {
        reeve_error_prefix_member (error, "/%u", i);
        return FALSE;
      }
  return TRUE;
}

static gboolean
reeve_policy_parse_row (ReevePolicy *self, const char *name, JsonNode *node, GError **error)
{
  static const char *const known[] = { "allowed", REEVE_POLICY_CONSTRAINTS_MEMBERS, NULL };
  JsonObject *row = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  ReevePolicyConstraints *constraints = NULL;
  JsonNode *allowed = NULL;
  GError *reason = NULL;

  if (row == NULL)
    return reeve_policy_parse_fault (error, "", "not an object");
  if (!reeve_policy_parse_check_name (name, ":/", error)
      || !reeve_policy_parse_check_members (row, known, error))
    return FALSE;
  allowed = json_object_get_member (row, "allowed");
  if (allowed != NULL && json_node_get_value_type (allowed) != G_TYPE_BOOLEAN)
    return reeve_policy_parse_fault (error, "/allowed", "neither true nor false");
  constraints = reeve_policy_constraints_new (row, &reason);
  if (reason != NULL)
    {
      g_propagate_error (error, reason);
      return FALSE;
    }
  if (constraints != NULL
      && !reeve_policy_parse_rule (self->tools, REEVE_POLICY_RULE_LIMITS, REEVE_POLICY_DENY, name,
                                   constraints, error))
    return FALSE;
  return allowed == NULL
         || reeve_policy_parse_rule (self->tools, REEVE_POLICY_RULE_MATRIX,
                                     json_node_get_boolean (allowed) ? REEVE_POLICY_ALLOW
                                                                     : REEVE_POLICY_DENY,
                                     name, NULL, error);
}

static gboolean
reeve_policy_parse_matrix (ReevePolicy *self, JsonNode *node, GError **error)
{
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *row = NULL;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return reeve_policy_parse_fault (error, "", "not an object");
  json_object_iter_init (&iter, json_node_get_object (node));
  while (json_object_iter_next (&iter, &name, &row))
    if (!reeve_policy_parse_row (self, name, row, error))
      return reeve_policy_parse_place (error, name);
  return TRUE;
}

/* A list of patterns of actions. */
static gboolean
reeve_policy_parse_patterns (ReevePolicy *self, JsonObject *object, const char *member,
                             ReevePolicyRuleKind kind, ReevePolicyEffect effect, GError **error)
{
  JsonNode *node = json_object_get_member (object, member);
  JsonArray *array
      = node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  if (node == NULL)
    return TRUE;
  if (array == NULL)
    {
      reeve_error_set_member (error, "", "not a list");
      return reeve_policy_parse_place (error, member);
    }
  self->own_lists |= 1u << kind; /* an empty one too */
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *item = json_array_get_element (array, i);
      const char *text
          = json_node_get_value_type (item) == G_TYPE_STRING ? json_node_get_string (item) : NULL;

      if (!reeve_policy_parse_check_name (text, ":/ @", error)
          || !reeve_policy_parse_rule (self->actions, kind, effect, text, NULL, error))
        {
          reeve_error_prefix_member (error, "/%u", i);
          return reeve_policy_parse_place (error, member);
        }
    }
  return TRUE;
}

static gboolean
reeve_policy_parse_sandboxs (ReevePolicy *self, JsonNode *node, GError **error)
{
  static const char *const known[] = { "standard", "trusted", NULL };
  JsonObject *levels = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;

  if (levels == NULL)
    return reeve_policy_parse_fault (error, "", "not an object");
  return reeve_policy_parse_check_members (levels, known, error)
         && reeve_policy_parse_patterns (self, levels, "standard", REEVE_POLICY_RULE_STANDARD,
                                         REEVE_POLICY_ALLOW, error)
         && reeve_policy_parse_patterns (self, levels, "trusted", REEVE_POLICY_RULE_TRUSTED,
                                         REEVE_POLICY_ALLOW, error);
}

static gboolean
reeve_policy_parse_threshold (ReevePolicy *self, JsonObject *approval, GError **error)
{
  static const char *const known[] = { "cost", "risk", NULL };
  JsonObject *above = reeve_json_get_object (approval, "requires_approval_above");
  JsonNode *cost = NULL;

  if (above == NULL)
    return !json_object_has_member (approval, "requires_approval_above")
           || reeve_policy_parse_fault (error, "/requires_approval_above", "not an object");
  if (!reeve_policy_parse_check_members (above, known, error))
    return FALSE;
  cost = json_object_get_member (above, "cost");
  if (cost != NULL)
    {
      GType type = json_node_get_value_type (cost);

      self->cost = type == G_TYPE_INT64 || type == G_TYPE_DOUBLE ? json_node_get_double (cost) : -1;
      if (!isfinite (self->cost) || self->cost < 0)
        return reeve_policy_parse_fault (error, "/requires_approval_above/cost",
                                         "not a number from 0");
    }
  if (!json_object_has_member (above, "risk"))
    return TRUE;
  self->risk = reeve_policy_kinds_parse_risk (reeve_json_get_string (above, "risk", NULL));
  return self->risk >= 0
         || reeve_policy_parse_fault (error, "/requires_approval_above/risk",
                                      "neither low, medium nor high");
}

static gboolean
reeve_policy_parse_approval (ReevePolicy *self, JsonNode *node, GError **error)
{
  static const char *const known[] = { "allowlist", "approval_required",       "blocked",
                                       "approvers", "requires_approval_above", NULL };
  JsonObject *approval = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;

  if (approval == NULL)
    return reeve_policy_parse_fault (error, "", "not an object");
  if (json_object_has_member (approval, "approvers")
      && reeve_json_get_object (approval, "approvers") == NULL)
    return reeve_policy_parse_fault (error, "/approvers", "not an object");
  return reeve_policy_parse_check_members (approval, known, error)
         && reeve_policy_parse_patterns (self, approval, "blocked", REEVE_POLICY_RULE_BLOCKED,
                                         REEVE_POLICY_DENY, error)
         && reeve_policy_parse_patterns (self, approval, "approval_required",
                                         REEVE_POLICY_RULE_APPROVAL, REEVE_POLICY_APPROVAL_REQUIRED,
                                         error)
         && reeve_policy_parse_patterns (self, approval, "allowlist", REEVE_POLICY_RULE_ALLOWLIST,
                                         REEVE_POLICY_ALLOW, error)
         && reeve_policy_parse_threshold (self, approval, error);
}

static gboolean
reeve_policy_parse_count (JsonNode *node, gint64 *count, GError **error)
{
  if (JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  *count = json_node_get_value_type (node) == G_TYPE_INT64 ? json_node_get_int (node) : 0;
  return *count > 0 || reeve_policy_parse_fault (error, "", "not a whole number from 1");
}

static gboolean
reeve_policy_parse_token_limit (ReevePolicy *self, JsonNode *node, GError **error)
{
  return reeve_policy_parse_count (node, &self->token_limit, error);
}

static gboolean
reeve_policy_parse_timeout (ReevePolicy *self, JsonNode *node, GError **error)
{
  return reeve_policy_parse_count (node, &self->timeout, error);
}

static gboolean
reeve_policy_parse_sandbox (ReevePolicy *self, JsonNode *node, GError **error)
{
  if (JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  self->level = json_node_get_value_type (node) == G_TYPE_STRING
                    ? reeve_policy_parse_level (json_node_get_string (node))
                    : REEVE_POLICY_LEVEL_UNSET;
  return self->level != REEVE_POLICY_LEVEL_UNSET
         || reeve_policy_parse_fault (error, "", "neither strict, standard, trusted nor isolated");
}

static gboolean
reeve_policy_parse_security (ReevePolicy *self, JsonNode *node, GError **error)
{
  static const char *const words[] = { NULL, "full", "allowlist", "deny" };

  if (JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  for (guint i = 1; json_node_get_value_type (node) == G_TYPE_STRING && i < G_N_ELEMENTS (words);
       i++)
    if (strcmp (words[i], json_node_get_string (node)) == 0)
      self->security = (ReevePolicySecurity) i;
  return self->security != REEVE_POLICY_SECURITY_UNSET
         || reeve_policy_parse_fault (error, "", "neither deny, allowlist nor full");
}

static gboolean
reeve_policy_parse_description (ReevePolicy *self, JsonNode *node, GError **error)
{
  return JSON_NODE_HOLDS_NULL (node) || json_node_get_value_type (node) == G_TYPE_STRING
         || reeve_policy_parse_fault (error, "", "not a text");
}

static const struct
{
  const char *member;
  ReevePolicyParse read;
} reeve_policy_parse_members[] = {
  { "tools", reeve_policy_parse_tools },
  { "token_limit", reeve_policy_parse_token_limit },
  { "execution_timeout_seconds", reeve_policy_parse_timeout },
  { "sandbox_level", reeve_policy_parse_sandbox },
  { "security_level", reeve_policy_parse_security },
  { "levels", reeve_policy_parse_sandboxs },
  { "matrix", reeve_policy_parse_matrix },
  { "approval", reeve_policy_parse_approval },
  { "description", reeve_policy_parse_description },
};

static gboolean
reeve_policy_parse_member (ReevePolicy *self, const char *name, JsonNode *node, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (reeve_policy_parse_members); i++)
    {
      if (strcmp (reeve_policy_parse_members[i].member, name) != 0)
        continue;
      if (reeve_policy_parse_members[i].read (self, node, error))
        return TRUE;
      return reeve_policy_parse_place (error, name);
    }
  reeve_error_set_member (error, "", "unknown member");
  return reeve_policy_parse_place (error, name);
}

/**
 * reeve_policy_parse:
 * @self: a policy under making
 * @document: what it says
 * @error: return location: %REEVE_ERROR_INVALID_ARGUMENT
 *
 * Returns: %FALSE with the path of the member that is wrong, in its text too
 */
gboolean
reeve_policy_parse (ReevePolicy *self, JsonObject *document, GError **error)
{
  JsonObjectIter iter;
  const char *name = NULL;
  JsonNode *node = NULL;
  g_autoptr (GError) reason = NULL;

  json_object_iter_init (&iter, document);
  while (json_object_iter_next (&iter, &name, &node))
    if (!reeve_policy_parse_member (self, name, node, &reason))
      {
        g_prefix_error (&reason, "%s: ", reeve_error_get_member (reason) + 1);
        g_propagate_error (error, g_steal_pointer (&reason));
        return FALSE;
      }
  return TRUE;
}

/**
 * reeve_policy_parse_rule:
 * @rules: to which it is added
 * @kind: where it stands
 * @effect: what it says
 * @name: of a tool, or a pattern
 * @constraints: (transfer full) (nullable): on its arguments
 * @error: return location
 *
 * Returns: %FALSE when there are too many
 */
gboolean
reeve_policy_parse_rule (GArray *rules, ReevePolicyRuleKind kind, ReevePolicyEffect effect,
                         const char *name, ReevePolicyConstraints *constraints, GError **error)
{
  ReevePolicyRule rule = { .kind = kind,
                           .effect = effect,
                           .name = g_strdup (name),
                           .weight = reeve_policy_parse_weigh (name),
                           .constraints = constraints };

  if (rules->len >= REEVE_POLICY_MOST_RULES)
    {
      g_free (rule.name);
      g_clear_pointer (&rule.constraints, reeve_policy_constraints_free);
      return reeve_policy_parse_fault (error, "", "more rules than a policy may have");
    }
  g_array_append_val (rules, rule);
  return TRUE;
}
