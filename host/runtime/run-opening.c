/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything a run needs is written into its first entry, so that an agent's new version, a restart
 * or a replay changes nothing of it. */
#include "run-opening.h"

#include "base/ids.h"
#include "base/times.h"
#include "listing.h"

#define REEVE_RUN_OPENING_HISTORY 65536 /* bytes of a conversation that are shown to the model */
#define REEVE_RUN_OPENING_SESSION ":session-"
#define REEVE_RUN_OPENING_CITE                                                                     \
  "Search results carry a number in \"citation\". Cite what you use with that number in square "   \
  "brackets, such as [1]. If nothing answers the question, say so."
#define REEVE_RUN_OPENING_ASSISTANT                                                                \
  "You answer questions from the documents of the organisation. Search before you answer."

static JsonObject *
reeve_run_opening_assistant (void)
{
  JsonObject *definition = json_object_new ();
  JsonArray *tools = json_array_new ();

  json_array_add_string_element (tools, "semantic_search");
  json_array_add_string_element (tools, "calculate");
  json_object_set_string_member (definition, "system_prompt", REEVE_RUN_OPENING_ASSISTANT);
  json_object_set_array_member (definition, "tools", tools);
  return definition;
}

static gboolean
reeve_run_opening_has_tool (JsonArray *tools, const char *name)
{
  for (guint i = 0; tools != NULL && i < json_array_get_length (tools); i++)
    {
      if (g_strcmp0 (json_array_get_string_element (tools, i), name) == 0)
        return TRUE;
    }
  return FALSE;
}

/* A model is shown what it could be allowed, and nothing else. */
static gboolean
reeve_run_opening_could_call (const ReeveRunEnvironment *environment, JsonObject *started,
                              const char *name)
{
  ReevePolicyAsk ask = { .tool_name = name,
                         .level = reeve_policy_parse_level (
                             reeve_json_get_string (started, "sandbox_level", NULL)),
                         .counted = TRUE };
  g_auto (ReevePolicyDecision) decision = { 0 };

  if (environment->policies == NULL)
    return TRUE;
  ask.hints = reeve_tools_get_hints (environment->tools, name, &ask.known);
  reeve_policies_decide (
      environment->policies,
      reeve_json_get_string (reeve_json_get_object (started, "caller"), "tenant_id", ""),
      reeve_json_get_string (started, "agent_id", NULL), &ask, &decision);
  return decision.effect != REEVE_POLICY_DENY;
}

static void
reeve_run_opening_add_tools (const ReeveRunEnvironment *environment, JsonObject *started,
                             JsonObject *definition)
{
  JsonArray *tools = reeve_json_get_array (definition, "tools");
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) names = NULL;
  const char *prompt = reeve_json_get_string (definition, "system_prompt", "");
  g_autofree char *cited = NULL;

  for (guint i = 0; tools != NULL && i < json_array_get_length (tools); i++)
    if (reeve_run_opening_could_call (environment, started,
                                      json_array_get_string_element (tools, i)))
      g_strv_builder_add (builder, json_array_get_string_element (tools, i));
  names = g_strv_builder_end (builder);
  if (tools != NULL)
    json_object_set_array_member (started, "tools", json_array_ref (tools));
  json_object_set_array_member (
      started, "tool_definitions",
      reeve_tools_definitions (environment->tools, (const char *const *) names));
  if (reeve_run_opening_has_tool (tools, "semantic_search"))
    cited = g_strconcat (prompt, *prompt != '\0' ? "\n\n" : "", REEVE_RUN_OPENING_CITE, NULL);
  json_object_set_string_member (started, "system_prompt", cited != NULL ? cited : prompt);
}

/* What the definition leaves open is written into the run's first entry: a later change of the
 * configuration does not change a run that has begun. */
static void
reeve_run_opening_add_defaults (const ReeveRunEnvironment *environment, JsonObject *started)
{
  const struct
  {
    const char *member;
    gint64 value;
  } defaults[] = { { "max_iterations", environment->max_iterations },
                   { "max_tokens", environment->max_tokens },
                   { "timeout_seconds", environment->timeout_seconds } };

  for (guint i = 0; i < G_N_ELEMENTS (defaults); i++)
    {
      if (defaults[i].value > 0 && reeve_json_get_int (started, defaults[i].member, 0) <= 0)
        json_object_set_int_member (started, defaults[i].member, defaults[i].value);
    }
}

/* The policy's time bounds the definition's. Its tokens are asked for at every step. */
static void
reeve_run_opening_add_limits (const ReeveRunEnvironment *environment, JsonObject *started)
{
  gint64 own = reeve_json_get_int (started, "timeout_seconds", 0);
  gint64 tokens = 0;
  gint64 seconds = 0;

  if (environment->policies == NULL)
    return;
  reeve_policies_get_limits (
      environment->policies,
      reeve_json_get_string (reeve_json_get_object (started, "caller"), "tenant_id", ""),
      reeve_json_get_string (started, "agent_id", NULL), &tokens, &seconds);
  if (seconds > 0)
    json_object_set_int_member (started, "timeout_seconds", own > 0 ? MIN (own, seconds) : seconds);
  if (tokens > 0)
    json_object_set_int_member (started, "token_limit", tokens);
}

static void
reeve_run_opening_add_definition (const ReeveRunEnvironment *environment, JsonObject *started,
                                  JsonObject *definition, const ReeveRunRequest *request)
{
  static const char *const members[]
      = { "agent_id",       "version_id",        "version_number",      "model",
          "max_iterations", "max_tokens",        "temperature",         "timeout_seconds",
          "citation_style", "max_citations",     "include_score",       "include_page",
          "sandbox_level",  "delegated_user_id", "max_concurrent_runs", NULL };

  reeve_listing_copy (definition, started, members);
  reeve_run_opening_add_defaults (environment, started);
  reeve_run_opening_add_limits (environment, started);
  reeve_run_opening_add_tools (environment, started, definition);
  if (request->max_iterations > 0)
    {
      gint64 own = reeve_json_get_int (started, "max_iterations", request->max_iterations);

      json_object_set_int_member (started, "max_iterations", MIN (own, request->max_iterations));
    }
}

static JsonArray *
reeve_run_opening_strings (const char *const *names)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    json_array_add_string_element (array, names[i]);
  return array;
}

static JsonObject *
reeve_run_opening_caller (ReeveCaller *caller)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "tenant_id", reeve_caller_get_tenant_id (caller));
  json_object_set_string_member (object, "home_tenant_id",
                                 reeve_caller_get_home_tenant_id (caller));
  json_object_set_string_member (object, "user_id", reeve_caller_get_user_id (caller));
  json_object_set_array_member (object, "roles",
                                reeve_run_opening_strings (reeve_caller_get_roles (caller)));
  if (reeve_caller_get_scopes (caller) != NULL)
    json_object_set_array_member (object, "scopes",
                                  reeve_run_opening_strings (reeve_caller_get_scopes (caller)));
  if (reeve_caller_get_workspace_id (caller) != NULL)
    json_object_set_string_member (object, "workspace_id", reeve_caller_get_workspace_id (caller));
  json_object_set_boolean_member (object, "platform_admin",
                                  reeve_caller_is_platform_admin (caller));
  json_object_set_string_member (object, "method", reeve_caller_get_method (caller));
  json_object_set_string_member (object, "door", reeve_caller_get_door (caller));
  if (reeve_caller_get_key_id (caller) != NULL)
    json_object_set_string_member (object, "key_id", reeve_caller_get_key_id (caller));
  if (reeve_caller_get_end (caller) != 0)
    json_object_set_int_member (object, "ends_at", reeve_caller_get_end (caller));
  return object;
}

static char **
reeve_run_opening_read_strings (JsonObject *object, const char *member)
{
  JsonArray *array = reeve_json_get_array (object, member);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    g_strv_builder_add (builder, json_array_get_string_element (array, i));
  return g_strv_builder_end (builder);
}

/**
 * reeve_run_opening_get_workspaces:
 * @started: the first entry of a run
 *
 * Returns: (transfer full) (nullable): the workspaces whose things its tools see
 */
char **
reeve_run_opening_get_workspaces (JsonObject *started)
{
  return json_object_has_member (started, "workspaces")
             ? reeve_run_opening_read_strings (started, "workspaces")
             : NULL;
}

/**
 * reeve_run_opening_get_caller:
 * @environment: what runs work with
 * @started: the first entry of a run
 *
 * Returns: (transfer full): the caller it was started by, as it stands now; with the roles he had
 * then where nobody can say
 */
ReeveCaller *
reeve_run_opening_get_caller (const ReeveRunEnvironment *environment, JsonObject *started)
{
  JsonObject *object = reeve_json_get_object (started, "caller");
  g_auto (GStrv) roles = reeve_run_opening_read_strings (object, "roles");
  g_auto (GStrv) scopes = reeve_run_opening_read_strings (object, "scopes");
  g_autoptr (ReeveIdentity) identity = NULL;
  gboolean platform_admin = reeve_json_get_boolean (object, "platform_admin", FALSE);

  identity = reeve_identity_new (reeve_json_get_string (object, "home_tenant_id", ""),
                                 reeve_json_get_string (object, "user_id", ""),
                                 (const char *const *) roles,
                                 reeve_json_get_string (object, "method", "internal"));
  if (json_object_has_member (object, "scopes"))
    reeve_identity_set_scopes (identity, (const char *const *) scopes);
  reeve_identity_set_workspace_id (identity, reeve_json_get_string (object, "workspace_id", NULL));
  reeve_identity_set_key_id (identity, reeve_json_get_string (object, "key_id", NULL));
  reeve_identity_set_ends_at (identity, reeve_json_get_int (object, "ends_at", 0));
  if (environment->authentication != NULL)
    return reeve_authentication_readmit (environment->authentication, identity,
                                         reeve_json_get_string (object, "tenant_id", ""),
                                         reeve_json_get_string (object, "door", "internal"));
  return reeve_caller_new (
      identity, reeve_json_get_string (object, "tenant_id", ""), platform_admin,
      platform_admin ? reeve_roles_all () : reeve_roles_union ((const char *const *) roles),
      reeve_json_get_string (object, "door", "internal"), NULL);
}

static gboolean
reeve_run_opening_add_history (const ReeveRunEnvironment *environment, ReeveCaller *caller,
                               JsonObject *started, const ReeveRunRequest *request, GError **error)
{
  const char *conversation_id = request->conversation_id;
  JsonArray *history = NULL;

  if (conversation_id == NULL)
    return TRUE;
  json_object_set_string_member (started, "conversation_id", conversation_id);
  if (request->new_conversation)
    return TRUE; /* made at the end of this run, with its first turn */
  history = reeve_conversations_history (environment->conversations, caller, conversation_id,
                                         REEVE_RUN_OPENING_HISTORY, error);
  if (history == NULL)
    return FALSE;
  json_object_set_array_member (started, "history", history);
  return TRUE;
}

static void
reeve_run_opening_add_request (JsonObject *started, ReeveCaller *caller, guint64 intent,
                               const ReeveRunRequest *request)
{
  g_autofree char *uuid = reeve_ids_new_uuid ();
  g_autofree char *session_id = request->session_id != NULL
                                    ? g_strdup (request->session_id)
                                    : g_strconcat (reeve_caller_get_tenant_id (caller),
                                                   REEVE_RUN_OPENING_SESSION, uuid, NULL);

  json_object_set_string_member (started, "type", REEVE_JOURNAL_STARTED);
  json_object_set_int_member (started, "time", reeve_times_now ());
  json_object_set_string_member (started, "operation", request->operation);
  json_object_set_int_member (started, "intent", (gint64) intent);
  json_object_set_string_member (started, "mission", request->mission);
  json_object_set_string_member (started, "session_id", session_id);
  json_object_set_boolean_member (started, "stream", request->stream);
  json_object_set_object_member (started, "caller", reeve_run_opening_caller (caller));
  if (request->trace_id != NULL)
    json_object_set_string_member (started, "trace_id", request->trace_id);
  if (request->traceparent != NULL)
    json_object_set_string_member (started, "traceparent", request->traceparent);
  if (request->tracestate != NULL)
    json_object_set_string_member (started, "tracestate", request->tracestate);
  if (request->request_id != NULL)
    json_object_set_string_member (started, "request_id", request->request_id);
  if (request->context != NULL && json_object_get_size (request->context) > 0)
    {
      g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
      g_autofree char *text = NULL;

      json_node_set_object (node, request->context);
      text = reeve_json_canonical (node);
      json_object_set_string_member (started, "context_text", text);
    }
}

/* ---- workspaces ---- */

/* Nobody is told of an agent that he does not see: in the same words as of one that is not there.
 */
static gboolean
reeve_run_opening_check_agent (const ReeveRunEnvironment *environment, ReeveCaller *caller,
                               const char *agent_id, GError **error)
{
  gboolean exists = FALSE;

  if (environment->workspaces == NULL || agent_id == NULL)
    return TRUE;
  if (!reeve_workspaces_exists (environment->workspaces, caller, REEVE_STORE_AGENTS, agent_id, TRUE,
                                &exists, error))
    return FALSE;
  if (!exists)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, REEVE_STORE_MISSING,
                 REEVE_STORE_AGENTS);
  return exists;
}

static gboolean
reeve_run_opening_is_session_of (GPtrArray *runs, const char *user_id)
{
  JsonObject *first = runs->len > 0 ? reeve_record_get_fields (g_ptr_array_index (runs, 0)) : NULL;

  return first == NULL || g_strcmp0 (reeve_json_get_string (first, "user_id", NULL), user_id) == 0;
}

/* A session is its user's, from its first run on; its id begins with the tenant when the host made
 * it. Of another's one hears what one hears of none. */
static gboolean
reeve_run_opening_check_session (const ReeveRunEnvironment *environment, ReeveCaller *caller,
                                 const char *session_id, GError **error)
{
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  const char *mark = session_id != NULL ? strstr (session_id, REEVE_RUN_OPENING_SESSION) : NULL;
  g_autoptr (ReeveQuery) query = NULL;
  g_autoptr (ReeveQueryResult) found = NULL;
  gboolean own = mark == NULL
                 || (strlen (tenant_id) == (gsize) (mark - session_id)
                     && g_str_has_prefix (session_id, tenant_id));

  if (session_id == NULL)
    return TRUE;
  if (own)
    {
      query = reeve_query_new (tenant_id, REEVE_STORE_RUNS);
      reeve_query_filter_string (query, "session_id", REEVE_FILTER_EQ, session_id);
      reeve_query_order (query, "created_at", FALSE);
      reeve_query_limit (query, 1);
      found = reeve_store_query (environment->store, query, error);
      if (found == NULL)
        return FALSE;
      own = reeve_run_opening_is_session_of (reeve_query_result_get_records (found),
                                             reeve_caller_get_user_id (caller));
    }
  if (!own)
    g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no such session");
  return own;
}

/* A turn of one workspace is no history of another. */
static gboolean
reeve_run_opening_check_conversation (const ReeveRunEnvironment *environment, ReeveCaller *caller,
                                      const ReeveRunRequest *request, const char *workspace_id,
                                      GError **error)
{
  g_autofree char *lies_in = NULL;

  if (request->conversation_id == NULL || request->new_conversation)
    return TRUE;
  if (!reeve_conversations_locate (environment->conversations, caller, request->conversation_id,
                                   &lies_in, error))
    return FALSE;
  if (g_strcmp0 (lies_in, workspace_id) == 0)
    return TRUE;
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CONFLICT,
                       "the conversation does not lie in the workspace of this agent");
  return FALSE;
}

/* What its tools see: of what the caller sees, that of the agent's workspace and of none. */
static gboolean
reeve_run_opening_add_sight (const ReeveRunEnvironment *environment, JsonObject *started,
                             ReeveCaller *caller, const char *workspace_id, GError **error)
{
  g_auto (GStrv) seen = reeve_workspaces_list_seen (environment->workspaces, caller, NULL, error);
  JsonArray *array = NULL;

  if (seen == NULL)
    return FALSE;
  if (workspace_id == NULL)
    {
      json_object_set_array_member (started, "workspaces",
                                    reeve_run_opening_strings ((const char *const *) seen));
      return TRUE;
    }
  array = json_array_new ();
  if (reeve_workspaces_is_seen ((const char *const *) seen, NULL))
    json_array_add_string_element (array, REEVE_WORKSPACES_NONE);
  json_array_add_string_element (array, workspace_id);
  json_object_set_array_member (started, "workspaces", array);
  json_object_set_string_member (started, "workspace_id", workspace_id);
  return TRUE;
}

/* Settings of the workspace stand where the definition leaves them open. */
static gboolean
reeve_run_opening_add_settings (const ReeveRunEnvironment *environment, ReeveCaller *caller,
                                const char *workspace_id, JsonObject *definition, GError **error)
{
  static const char *const members[]
      = { "model", "max_iterations", "max_tokens", "timeout_seconds", NULL };
  g_autoptr (JsonObject) settings = reeve_workspaces_get_settings (
      environment->workspaces, reeve_caller_get_tenant_id (caller), workspace_id, error);

  if (settings == NULL)
    return FALSE;
  for (guint i = 0; members[i] != NULL; i++)
    {
      const char *const one[] = { members[i], NULL };

      if (!json_object_has_member (definition, members[i]))
        reeve_listing_copy (settings, definition, one);
    }
  return TRUE;
}

static gboolean
reeve_run_opening_enter (const ReeveRunEnvironment *environment, ReeveCaller *caller,
                         const ReeveRunRequest *request, JsonObject *definition,
                         JsonObject *started, GError **error)
{
  const char *workspace_id = reeve_json_get_string (definition, "workspace_id", NULL);

  if (environment->workspaces == NULL)
    return TRUE;
  /* the built-in assistant is wherever its caller is */
  if (request->agent_id == NULL)
    workspace_id = reeve_caller_get_workspace_id (caller);
  return reeve_run_opening_check_conversation (environment, caller, request, workspace_id, error)
         && (workspace_id == NULL
             || reeve_run_opening_add_settings (environment, caller, workspace_id, definition,
                                                error))
         && reeve_run_opening_add_sight (environment, started, caller, workspace_id, error);
}

/* What the gate could not ask: it did not know where the agent lies, nor its model. */
static gboolean
reeve_run_opening_can_pay (const ReeveRunEnvironment *environment, ReeveCaller *caller,
                           const ReeveRunRequest *request, JsonObject *definition,
                           JsonObject *started, GError **error)
{
  g_autofree char *fallback
      = environment->models != NULL ? reeve_models_get_default (environment->models) : NULL;

  return reeve_admission_can_begin_run (
      environment->admission, caller, request->agent_id,
      reeve_json_get_string (started, "workspace_id", NULL),
      reeve_json_get_string (definition, "model", fallback != NULL ? fallback : ""), error);
}

static JsonObject *
reeve_run_opening_record (JsonObject *started, ReeveCaller *caller)
{
  static const char *const members[] = {
    "agent_id", "version_id", "session_id", "conversation_id", "mission", "workspace_id", NULL
  };
  JsonObject *record = json_object_new ();
  gint64 now = reeve_json_get_int (started, "time", 0);

  reeve_listing_copy (started, record, members);
  json_object_set_string_member (record, "user_id", reeve_caller_get_user_id (caller));
  json_object_set_string_member (record, "status", "running");
  json_object_set_int_member (record, "created_at", now);
  json_object_set_int_member (record, "updated_at", now);
  return record;
}

/**
 * reeve_run_opening_new:
 * @environment: what runs work with
 * @agents: the agents
 * @caller: who asks
 * @intent: sequence number of the admitted execution
 * @request: what is asked
 * @record: (out) (transfer full): fields of the run's record
 * @error: return location
 *
 * Gathers what a run is: definition, tools, history, mission.
 *
 * Returns: (transfer full) (nullable): the first entry
 */
JsonObject *
reeve_run_opening_new (const ReeveRunEnvironment *environment, ReeveAgents *agents,
                       ReeveCaller *caller, guint64 intent, const ReeveRunRequest *request,
                       JsonObject **record, GError **error)
{
  g_autoptr (JsonObject) started = json_object_new ();
  g_autoptr (JsonObject) definition = NULL;

  if (!reeve_run_opening_check_agent (environment, caller, request->agent_id, error)
      || !reeve_run_opening_check_session (environment, caller, request->session_id, error)
      || (environment->policies != NULL
          && !reeve_policies_prepare (environment->policies, reeve_caller_get_tenant_id (caller),
                                      error)))
    return NULL;
  if (request->agent_id != NULL)
    definition = reeve_agents_get_definition (agents, reeve_caller_get_tenant_id (caller),
                                              request->agent_id, error);
  else
    definition = reeve_run_opening_assistant ();
  if (definition == NULL
      || !reeve_run_opening_enter (environment, caller, request, definition, started, error)
      || !reeve_run_opening_can_pay (environment, caller, request, definition, started, error))
    return NULL;
  reeve_run_opening_add_request (started, caller, intent, request);
  reeve_run_opening_add_definition (environment, started, definition, request);
  if (!reeve_run_opening_add_history (environment, caller, started, request, error))
    return NULL;
  *record = reeve_run_opening_record (started, caller);
  return g_steal_pointer (&started);
}
