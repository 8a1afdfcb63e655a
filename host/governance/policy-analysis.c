/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A policy names tools by globs, and tools are without end: a glob stands here for names that it
 * matches, made so that they show where it meets others. What is told of a name was decided for
 * this very name. Without arguments: what hangs on those is told as a change of conditions. */
#include "policy-analysis.h"

#include <string.h>

#include "policy-cases.h"
#include "policy-glob.h"
#include "policy-private.h"
#include "policy-trace.h"

#define REEVE_POLICY_ANALYSIS_PAIRS  400000 /* agents by tools that are decided */
#define REEVE_POLICY_ANALYSIS_SHOWN  5000   /* that are told of each kind */
#define REEVE_POLICY_ANALYSIS_CROSS  64     /* globs that are joined with each other */
#define REEVE_POLICY_ANALYSIS_NOBODY "another_tool"

typedef struct
{
  char *name;
  char *glob; /* (nullable): it stands for that one */
  gboolean known;
  ReeveToolHints hints;
} ReevePolicyAnalysisTool;

struct _ReevePolicyAnalysisTools
{
  GHashTable *known; /* name -> ReevePolicyAnalysisTool */
};

/* What hangs on arguments, of one policy. */
typedef struct
{
  GPtrArray *names; /* of entries with constraints */
  GPtrArray *texts; /* theirs */
  char *approval;   /* its lists of patterns */
} ReevePolicyAnalysisConditions;

typedef struct
{
  const ReevePolicyAnalysisSet *before;
  const ReevePolicyAnalysisSet *after;
  GPtrArray *tools;       /* sorted */
  GHashTable *conditions; /* ReevePolicy -> ReevePolicyAnalysisConditions */
  JsonArray *lists[3];    /* by the effect after */
  JsonArray *limits;
  JsonArray *changed;
  gboolean complete;
} ReevePolicyAnalysis;

/* ---- tools ---- */

static void
reeve_policy_analysis_tool_free (gpointer data)
{
  ReevePolicyAnalysisTool *tool = data;

  g_free (tool->name);
  g_free (tool->glob);
  g_free (tool);
}

/**
 * reeve_policy_analysis_tools_new:
 *
 * Returns: (transfer full): no tools
 */
ReevePolicyAnalysisTools *
reeve_policy_analysis_tools_new (void)
{
  ReevePolicyAnalysisTools *self = g_new0 (ReevePolicyAnalysisTools, 1);

  self->known
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, reeve_policy_analysis_tool_free);
  return self;
}

/**
 * reeve_policy_analysis_tools_free:
 * @self: (transfer full): tools
 */
void
reeve_policy_analysis_tools_free (ReevePolicyAnalysisTools *self)
{
  g_hash_table_unref (self->known);
  g_free (self);
}

static void
reeve_policy_analysis_add (ReevePolicyAnalysisTools *self, const char *name, const char *glob,
                           gboolean known, ReeveToolHints hints)
{
  ReevePolicyAnalysisTool *tool = NULL;

  if (*name == '\0' || strlen (name) > REEVE_POLICY_INDEX_LONGEST
      || g_hash_table_contains (self->known, name))
    return;
  tool = g_new0 (ReevePolicyAnalysisTool, 1);
  tool->name = g_strdup (name);
  tool->glob = g_strdup (glob);
  tool->known = known;
  tool->hints = hints;
  g_hash_table_insert (self->known, tool->name, tool);
}

/**
 * reeve_policy_analysis_tools_add:
 * @self: tools
 * @name: of one that there is
 * @hints: what it says of itself
 */
void
reeve_policy_analysis_tools_add (ReevePolicyAnalysisTools *self, const char *name,
                                 ReeveToolHints hints)
{
  reeve_policy_analysis_add (self, name, NULL, TRUE, hints);
}

/* A name that @glob matches: @fill for each star, a letter for each question mark. */
static void
reeve_policy_analysis_add_witness (ReevePolicyAnalysisTools *self, const char *glob,
                                   const char *fill)
{
  g_autoptr (GString) name = g_string_new (NULL);

  for (const char *at = glob; *at != '\0'; at++)
    if (*at == '*')
      g_string_append (name, fill);
    else
      g_string_append_c (name, *at == '?' ? 'x' : *at);
  if (reeve_policy_glob_match (glob, name->str))
    reeve_policy_analysis_add (self, name->str, glob, FALSE, REEVE_TOOL_NONE);
}

/* Where one glob's end meets another one's begin: ab* and *bc meet at ab…bc. */
static void
reeve_policy_analysis_add_meeting (ReevePolicyAnalysisTools *self, const char *one,
                                   const char *other)
{
  gsize before = strcspn (one, "*");
  const char *star = strrchr (other, '*');
  g_autofree char *begin = g_strndup (one, before);
  g_autofree char *name = NULL;

  if (star == NULL || one[before] == '\0')
    return;
  name = g_strconcat (begin, star + 1, NULL);
  g_strdelimit (name, "?", 'x');
  if (strchr (name, '*') == NULL && reeve_policy_glob_match (one, name)
      && reeve_policy_glob_match (other, name))
    reeve_policy_analysis_add (self, name, one, FALSE, REEVE_TOOL_NONE);
}

/* A pattern of an action may be a tool, or a tool behind a kind. */
static void
reeve_policy_analysis_take_name (ReevePolicyAnalysisTools *self, const char *name, gboolean action,
                                 GHashTable *globs)
{
  const char *colon = action ? strchr (name, ':') : NULL;

  if (colon != NULL)
    name = colon + 1;
  if (*name == '\0' || strpbrk (name, " @") != NULL)
    return;
  if (reeve_policy_glob_has_wildcard (name))
    g_hash_table_add (globs, (gpointer) name);
  else
    reeve_policy_analysis_add (self, name, NULL, FALSE, REEVE_TOOL_NONE);
}

static void
reeve_policy_analysis_take_rules (ReevePolicyAnalysisTools *self, const ReevePolicy *policy,
                                  GHashTable *globs)
{
  for (guint i = 0; policy != NULL && i < policy->tools->len; i++)
    reeve_policy_analysis_take_name (self, g_array_index (policy->tools, ReevePolicyRule, i).name,
                                     FALSE, globs);
  for (guint i = 0; policy != NULL && i < policy->actions->len; i++)
    reeve_policy_analysis_take_name (self, g_array_index (policy->actions, ReevePolicyRule, i).name,
                                     TRUE, globs);
}

static void
reeve_policy_analysis_take_globs (ReevePolicyAnalysisTools *self, GHashTable *globs)
{
  g_autofree const char **list = (const char **) g_hash_table_get_keys_as_array (globs, NULL);
  guint length = g_hash_table_size (globs);

  for (guint i = 0; i < length; i++)
    {
      reeve_policy_analysis_add_witness (self, list[i], "");
      reeve_policy_analysis_add_witness (self, list[i], "x");
      reeve_policy_analysis_add_witness (self, list[i], "_zz_");
    }
  for (guint i = 0; i < length && length <= REEVE_POLICY_ANALYSIS_CROSS; i++)
    for (guint k = 0; k < length; k++)
      if (i != k)
        reeve_policy_analysis_add_meeting (self, list[i], list[k]);
}

/* One name of each kind of work, for what hangs on the kind and on no name. */
static void
reeve_policy_analysis_take_kinds (ReevePolicyAnalysisTools *self)
{
  static const char *const names[]
      = { "calculate_zz", "read_zz", "fetch_zz", "write_zz", "delete_zz", "execute_zz" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *kind
          = g_strconcat (reeve_policy_kinds_get_name ((ReevePolicyKind) i), ":*", NULL);

      reeve_policy_analysis_add (self, names[i], kind, FALSE, REEVE_TOOL_NONE);
    }
  reeve_policy_analysis_add (self, REEVE_POLICY_ANALYSIS_NOBODY, "*", FALSE, REEVE_TOOL_NONE);
}

static void
reeve_policy_analysis_take_set (ReevePolicyAnalysisTools *self, const ReevePolicyAnalysisSet *set,
                                GHashTable *globs)
{
  GHashTableIter iter;
  gpointer policy = NULL;

  reeve_policy_analysis_take_rules (self, set->org, globs);
  g_hash_table_iter_init (&iter, set->agents);
  while (g_hash_table_iter_next (&iter, NULL, &policy))
    reeve_policy_analysis_take_rules (self, policy, globs);
}

static gint
reeve_policy_analysis_compare_tools (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(ReevePolicyAnalysisTool *const *) a)->name,
                 (*(ReevePolicyAnalysisTool *const *) b)->name);
}

static GPtrArray *
reeve_policy_analysis_list_tools (ReevePolicyAnalysisTools *self)
{
  GPtrArray *tools = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer tool = NULL;

  g_hash_table_iter_init (&iter, self->known);
  while (g_hash_table_iter_next (&iter, NULL, &tool))
    g_ptr_array_add (tools, tool);
  g_ptr_array_sort (tools, reeve_policy_analysis_compare_tools);
  return tools;
}

/* @text (nullable) */
static void
reeve_policy_analysis_set (JsonObject *entry, const char *member, const char *text)
{
  if (text != NULL)
    json_object_set_string_member (entry, member, text);
  else
    json_object_set_null_member (entry, member);
}

/* ---- what hangs on arguments ---- */

static void
reeve_policy_analysis_conditions_free (gpointer data)
{
  ReevePolicyAnalysisConditions *self = data;

  g_ptr_array_unref (self->names);
  g_ptr_array_unref (self->texts);
  g_free (self->approval);
  g_free (self);
}

static char *
reeve_policy_analysis_write (JsonObject *object)
{
  g_autoptr (JsonNode) node = NULL;

  if (object == NULL)
    return g_strdup ("");
  node = json_node_init_object (json_node_alloc (), object);
  return reeve_json_canonical (node);
}

static void
reeve_policy_analysis_add_condition (ReevePolicyAnalysisConditions *self, const char *name,
                                     JsonObject *limits)
{
  if (limits == NULL)
    return;
  g_ptr_array_add (self->names, g_strdup (name));
  g_ptr_array_add (self->texts, reeve_policy_analysis_write (limits));
}

static ReevePolicyAnalysisConditions *
reeve_policy_analysis_read_conditions (const ReevePolicy *policy)
{
  ReevePolicyAnalysisConditions *self = g_new0 (ReevePolicyAnalysisConditions, 1);
  g_autoptr (JsonObject) document = reeve_policy_dup_document (policy);
  JsonArray *tools = reeve_json_get_array (document, "tools");
  JsonObject *matrix = reeve_json_get_object (document, "matrix");
  g_autoptr (GList) rows = matrix != NULL ? json_object_get_members (matrix) : NULL;
  g_autofree char *approval
      = reeve_policy_analysis_write (reeve_json_get_object (document, "approval"));
  g_autofree char *levels
      = reeve_policy_analysis_write (reeve_json_get_object (document, "levels"));

  self->names = g_ptr_array_new_with_free_func (g_free);
  self->texts = g_ptr_array_new_with_free_func (g_free);
  self->approval = g_strconcat (approval, levels, NULL);
  for (guint i = 0; tools != NULL && i < json_array_get_length (tools); i++)
    {
      JsonObject *tool = json_array_get_object_element (tools, i);

      reeve_policy_analysis_add_condition (self, reeve_json_get_string (tool, "tool_name", ""),
                                           reeve_json_get_object (tool, "constraints"));
    }
  for (GList *l = rows; l != NULL; l = l->next)
    {
      JsonObject *row = json_object_get_object_member (matrix, l->data);

      json_object_remove_member (row, "allowed");
      if (json_object_get_size (row) > 0)
        reeve_policy_analysis_add_condition (self, l->data, row);
    }
  return self;
}

/* (nullable), as @policy is */
static ReevePolicyAnalysisConditions *
reeve_policy_analysis_get_conditions (ReevePolicyAnalysis *self, ReevePolicy *policy)
{
  ReevePolicyAnalysisConditions *found
      = policy != NULL ? g_hash_table_lookup (self->conditions, policy) : NULL;

  if (policy == NULL || found != NULL)
    return found;
  found = reeve_policy_analysis_read_conditions (policy);
  g_hash_table_insert (self->conditions, policy, found);
  return found;
}

/* Adds what of a policy limits the arguments of that tool. */
static void
reeve_policy_analysis_tell_conditions (ReevePolicyAnalysis *self, ReevePolicy *policy,
                                       const char *tool, GString *text)
{
  ReevePolicyAnalysisConditions *of = reeve_policy_analysis_get_conditions (self, policy);

  g_string_append_c (text, '\n');
  for (guint i = 0; of != NULL && i < of->names->len; i++)
    if (reeve_policy_glob_match (g_ptr_array_index (of->names, i), tool))
      g_string_append_printf (text, "%s %s\n", (const char *) g_ptr_array_index (of->names, i),
                              (const char *) g_ptr_array_index (of->texts, i));
}

static void
reeve_policy_analysis_add_changed (ReevePolicyAnalysis *self, const char *agent_id,
                                   const char *tool, const char *what)
{
  JsonObject *entry = NULL;

  if (json_array_get_length (self->changed) >= REEVE_POLICY_ANALYSIS_SHOWN)
    {
      self->complete = FALSE;
      return;
    }
  entry = json_object_new ();
  reeve_policy_analysis_set (entry, "agent_id", agent_id);
  reeve_policy_analysis_set (entry, "tool", tool);
  json_object_set_string_member (entry, "what", what);
  json_array_add_object_element (self->changed, entry);
}

/* ---- deciding ---- */

static ReevePolicy *
reeve_policy_analysis_get_agent (const ReevePolicyAnalysisSet *set, const char *agent_id)
{
  return agent_id != NULL ? g_hash_table_lookup (set->agents, agent_id) : NULL;
}

static void
reeve_policy_analysis_decide (const ReevePolicyAnalysisSet *set, const char *agent_id,
                              const ReevePolicyAnalysisTool *tool, ReevePolicyDecision *decision)
{
  const ReevePolicyAsk ask
      = { .tool_name = tool->name, .known = tool->known, .hints = tool->hints };

  reeve_policy_decision_make (set->org, reeve_policy_analysis_get_agent (set, agent_id), &ask,
                              decision);
}

static void
reeve_policy_analysis_tell (ReevePolicyAnalysis *self, const char *agent_id,
                            const ReevePolicyAnalysisTool *tool, const ReevePolicyDecision *before,
                            const ReevePolicyDecision *after)
{
  JsonArray *list = self->lists[after->effect];
  JsonObject *entry = NULL;

  if (json_array_get_length (list) >= REEVE_POLICY_ANALYSIS_SHOWN)
    {
      self->complete = FALSE;
      return;
    }
  entry = json_object_new ();
  reeve_policy_analysis_set (entry, "agent_id", agent_id);
  json_object_set_string_member (entry, "tool", tool->name);
  if (tool->glob != NULL)
    json_object_set_string_member (entry, "witness_of", tool->glob);
  json_object_set_boolean_member (entry, "known", tool->known);
  json_object_set_string_member (entry, "before", reeve_policy_cases_get_word (before->effect));
  json_object_set_string_member (entry, "after", reeve_policy_cases_get_word (after->effect));
  json_object_set_string_member (entry, "reason", after->reason);
  json_object_set_object_member (entry, "rule_before", reeve_policy_trace_new_rule (before));
  json_object_set_object_member (entry, "rule_after", reeve_policy_trace_new_rule (after));
  json_array_add_object_element (list, entry);
}

static void
reeve_policy_analysis_compare_tool (ReevePolicyAnalysis *self, const char *agent_id,
                                    const ReevePolicyAnalysisTool *tool)
{
  g_auto (ReevePolicyDecision) before = { 0 };
  g_auto (ReevePolicyDecision) after = { 0 };
  g_autoptr (GString) old = NULL;
  g_autoptr (GString) new = NULL;

  reeve_policy_analysis_decide (self->before, agent_id, tool, &before);
  reeve_policy_analysis_decide (self->after, agent_id, tool, &after);
  if (before.effect != after.effect)
    {
      reeve_policy_analysis_tell (self, agent_id, tool, &before, &after);
      return;
    }
  if (after.effect == REEVE_POLICY_DENY)
    return;
  old = g_string_new (NULL);
  new = g_string_new (NULL);
  reeve_policy_analysis_tell_conditions (self, self->before->org, tool->name, old);
  reeve_policy_analysis_tell_conditions (
      self, reeve_policy_analysis_get_agent (self->before, agent_id), tool->name, old);
  reeve_policy_analysis_tell_conditions (self, self->after->org, tool->name, new);
  reeve_policy_analysis_tell_conditions (
      self, reeve_policy_analysis_get_agent (self->after, agent_id), tool->name, new);
  if (!g_string_equal (old, new))
    reeve_policy_analysis_add_changed (self, agent_id, tool->name, "constraints");
}

static void
reeve_policy_analysis_compare_limit (ReevePolicyAnalysis *self, const char *agent_id,
                                     const char *member, gint64 before, gint64 after)
{
  JsonObject *entry = NULL;

  if (before == after)
    return;
  entry = json_object_new ();
  reeve_policy_analysis_set (entry, "agent_id", agent_id);
  json_object_set_string_member (entry, "limit", member);
  json_object_set_int_member (entry, "before", before);
  json_object_set_int_member (entry, "after", after);
  json_array_add_object_element (self->limits, entry);
}

static const char *
reeve_policy_analysis_get_approval (ReevePolicyAnalysis *self, ReevePolicy *policy)
{
  ReevePolicyAnalysisConditions *of = reeve_policy_analysis_get_conditions (self, policy);

  return of != NULL ? of->approval : "";
}

/* @agent_id NULL: whoever has no policy of its own */
static void
reeve_policy_analysis_compare_agent (ReevePolicyAnalysis *self, const char *agent_id)
{
  ReevePolicy *before = reeve_policy_analysis_get_agent (self->before, agent_id);
  ReevePolicy *after = reeve_policy_analysis_get_agent (self->after, agent_id);
  ReevePolicy *above = self->before->org;
  ReevePolicy *then = self->after->org;

  reeve_policy_analysis_compare_limit (self, agent_id, "token_limit",
                                       reeve_policy_merge_token_limit (above, before),
                                       reeve_policy_merge_token_limit (then, after));
  reeve_policy_analysis_compare_limit (self, agent_id, "execution_timeout_seconds",
                                       reeve_policy_merge_timeout (above, before),
                                       reeve_policy_merge_timeout (then, after));
  if (strcmp (reeve_policy_analysis_get_approval (self, above),
              reeve_policy_analysis_get_approval (self, then))
          != 0
      || strcmp (reeve_policy_analysis_get_approval (self, before),
                 reeve_policy_analysis_get_approval (self, after))
             != 0)
    reeve_policy_analysis_add_changed (self, agent_id, NULL, "approval");
  for (guint i = 0; i < self->tools->len; i++)
    reeve_policy_analysis_compare_tool (self, agent_id, g_ptr_array_index (self->tools, i));
}

/* ---- all ---- */

static gint
reeve_policy_analysis_compare_ids (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* (transfer container): agents that have a policy before or after */
static GPtrArray *
reeve_policy_analysis_list_agents (const ReevePolicyAnalysisSet *before,
                                   const ReevePolicyAnalysisSet *after)
{
  GPtrArray *ids = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer id = NULL;

  g_hash_table_iter_init (&iter, before->agents);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    g_ptr_array_add (ids, id);
  g_hash_table_iter_init (&iter, after->agents);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    if (!g_hash_table_contains (before->agents, id))
      g_ptr_array_add (ids, id);
  g_ptr_array_sort (ids, reeve_policy_analysis_compare_ids);
  return ids;
}

static JsonObject *
reeve_policy_analysis_answer (ReevePolicyAnalysis *self, guint agents)
{
  static const char *const names[] = { "newly_allowed", "newly_approval_required", "newly_denied" };
  JsonObject *answer = json_object_new ();

  json_object_set_int_member (answer, "agents", agents);
  json_object_set_int_member (answer, "tools", self->tools->len);
  json_object_set_boolean_member (answer, "complete", self->complete);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    json_object_set_array_member (answer, names[i], self->lists[i]);
  json_object_set_array_member (answer, "limits", self->limits);
  json_object_set_array_member (answer, "conditions", self->changed);
  return answer;
}

/**
 * reeve_policy_analysis_compare:
 * @before: the policies that hold
 * @after: those that would
 * @tools: tools that there are; names and globs of the policies are added
 * @error: return location
 *
 * By the policies alone: what the definition of an agent allows it is not looked at. An agent that
 * is %NULL in the answer stands for all that have no policy of their own.
 *
 * Returns: (transfer full): what changes; %NULL with %REEVE_ERROR_TOO_LARGE
 */
JsonObject *
reeve_policy_analysis_compare (const ReevePolicyAnalysisSet *before,
                               const ReevePolicyAnalysisSet *after, ReevePolicyAnalysisTools *tools,
                               GError **error)
{
  ReevePolicyAnalysis self = { .before = before, .after = after, .complete = TRUE };
  g_autoptr (GHashTable) globs = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) agents = reeve_policy_analysis_list_agents (before, after);
  g_autoptr (GPtrArray) list = NULL;
  g_autoptr (GHashTable) conditions
      = g_hash_table_new_full (NULL, NULL, NULL, reeve_policy_analysis_conditions_free);

  reeve_policy_analysis_take_set (tools, before, globs);
  reeve_policy_analysis_take_set (tools, after, globs);
  reeve_policy_analysis_take_globs (tools, globs);
  reeve_policy_analysis_take_kinds (tools);
  list = reeve_policy_analysis_list_tools (tools);
  if ((guint64) list->len * (agents->len + 1) > REEVE_POLICY_ANALYSIS_PAIRS)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                   "%u agents by %u tools are more than %u decisions", agents->len + 1, list->len,
                   REEVE_POLICY_ANALYSIS_PAIRS);
      return NULL;
    }
  self.tools = list;
  self.conditions = conditions;
  for (guint i = 0; i < G_N_ELEMENTS (self.lists); i++)
    self.lists[i] = json_array_new ();
  self.limits = json_array_new ();
  self.changed = json_array_new ();
  reeve_policy_analysis_compare_agent (&self, NULL);
  for (guint i = 0; i < agents->len; i++)
    reeve_policy_analysis_compare_agent (&self, g_ptr_array_index (agents, i));
  return reeve_policy_analysis_answer (&self, agents->len);
}
