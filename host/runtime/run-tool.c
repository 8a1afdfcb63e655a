/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One tool call of a run. What the model asked for wrongly or may not have is told to the model;
 * only an attempted call is an effect. */
#include "run-private.h"

#include "base/digests.h"
#include "governance/admission-records.h"

typedef struct
{
  ReeveRun *run;
  char *call_id;
  char *name;
  char *told; /* (nullable): stands for it in records */
  JsonNode *arguments;
  char *digest;
  ReeveAdmitted *admitted;
  ReeveDelegation *below; /* (nullable): until it is asked for */
  ReeveSpan *span;        /* (nullable): of the call under way */
  char traceparent[REEVE_TRACE_LENGTH + 1];
} ReeveRunTool;

static void
reeve_run_tool_free (ReeveRunTool *self)
{
  g_clear_pointer (&self->arguments, json_node_unref);
  g_clear_pointer (&self->below, reeve_delegation_unref);
  g_free (self->call_id);
  g_free (self->name);
  g_free (self->told);
  g_free (self->digest);
  g_object_unref (self->run);
  g_free (self);
}

static JsonObject *
reeve_run_tool_entry (ReeveRunTool *self, const char *type)
{
  JsonObject *entry = reeve_run_new_entry (type);

  json_object_set_string_member (entry, "call_id", self->call_id);
  json_object_set_string_member (entry, "name", self->name);
  return entry;
}

static void
reeve_run_tool_refuse (ReeveRunTool *self, const GError *error)
{
  g_autoptr (ReeveRun) run = g_object_ref (self->run);
  JsonObject *entries[] = { reeve_run_tool_entry (self, REEVE_JOURNAL_TOOL_REFUSED), NULL };
  g_autofree char *text = g_strconcat ("error: ", error->message, NULL);

  json_object_set_string_member (entries[0], "outcome", "blocked");
  json_object_set_string_member (entries[0], "text", text);
  json_object_set_boolean_member (entries[0], "is_error", TRUE);
  reeve_run_tool_free (self);
  reeve_run_append (run, entries, reeve_run_advance);
}

/* ---- the outcome ---- */

static gboolean
reeve_run_tool_is_read_only (ReeveRunTool *self)
{
  ReeveToolInfo *info = reeve_tools_lookup (self->run->env.tools, self->name);

  return info != NULL && (reeve_tool_info_get_hints (info) & REEVE_TOOL_READ_ONLY) != 0;
}

/* A tool that says it only reads is believed here: the worst case is an answer lost. */
static const char *
reeve_run_tool_classify (ReeveRunTool *self, const GError *error)
{
  return reeve_run_tool_is_read_only (self) ? "failed" : reeve_run_classify (self->admitted, error);
}

static void
reeve_run_tool_fill (ReeveRunTool *self, JsonObject *entry, ReeveToolResult *result)
{
  JsonNode *data = reeve_tool_result_get_data (result);
  g_autofree char *numbered = reeve_citations_add (self->run->citations, data);
  const char *text = reeve_tool_result_get_text (result);

  json_object_set_string_member (entry, "outcome", "succeeded");
  json_object_set_string_member (entry, "text", numbered != NULL ? numbered : text);
  json_object_set_boolean_member (entry, "is_error", reeve_tool_result_get_is_error (result));
  if (data != NULL)
    json_object_set_member (entry, "data", json_node_ref (data));
}

static void
reeve_run_tool_fill_error (JsonObject *entry, const char *outcome, const GError *error)
{
  g_autofree char *text = g_strconcat ("error: ", error->message, NULL);
  const char *code = error->domain == REEVE_ERROR ? reeve_error_get_name (error->code) : "failed";

  json_object_set_string_member (entry, "outcome", outcome);
  json_object_set_string_member (entry, "text", text);
  json_object_set_boolean_member (entry, "is_error", TRUE);
  json_object_set_object_member (entry, "error", reeve_run_describe_error (code, error->message));
}

/* What models took for its plugin counts as the run's; and so does, for its limit, what those may
 * take yet that its plugin left behind: they are cut, and nobody waits for that. */
static void
reeve_run_tool_fill_usage (ReeveRunTool *self, JsonObject *entry)
{
  JsonObject *usage = NULL;
  gint64 input = 0;
  gint64 output = 0;
  gint64 held = 0;

  reeve_delegation_get_tokens (self->below, &input, &output, &held);
  if (input + output + held == 0)
    return;
  usage = json_object_new ();
  json_object_set_int_member (usage, "input_tokens", input);
  json_object_set_int_member (usage, "output_tokens", output);
  if (held > 0)
    json_object_set_int_member (usage, "held_tokens", held);
  json_object_set_object_member (entry, "usage", usage);
}

static void
reeve_run_tool_settle (ReeveRunTool *self, JsonObject *entry, const GError *error)
{
  const char *outcome = reeve_json_get_string (entry, "outcome", "failed");
  const char *text = reeve_json_get_string (entry, "text", "");
  g_autofree char *digest = error == NULL ? reeve_digests_sha256_hex (text, strlen (text)) : NULL;
  g_autoptr (JsonNode) body
      = error == NULL ? json_node_init_string (json_node_alloc (), text) : NULL;
  ReeveSettlement settlement = {
    .outcome = REEVE_OUTCOME_SUCCEEDED, .output_digest = digest, .error = error, .body = body
  };

  if (g_strcmp0 (outcome, "unknown") == 0)
    settlement.outcome = REEVE_OUTCOME_UNKNOWN;
  else if (error != NULL || reeve_json_get_boolean (entry, "is_error", FALSE))
    settlement.outcome = REEVE_OUTCOME_FAILED;
  if (error != NULL)
    settlement.reason
        = error->domain == REEVE_ERROR ? reeve_error_get_name (error->code) : "failed";
  else if (settlement.outcome == REEVE_OUTCOME_FAILED)
    settlement.reason = "tool_error";
  reeve_admission_settle_async (self->run->env.admission, g_steal_pointer (&self->admitted),
                                &settlement, NULL, NULL);
}

static void
reeve_run_tool_end_span (ReeveRunTool *self, JsonObject *entry, const GError *error)
{
  if (error == NULL && reeve_json_get_boolean (entry, "is_error", FALSE))
    reeve_span_fail (self->span, "tool_error");
  reeve_span_fail_with (self->span, error);
  reeve_span_end (g_steal_pointer (&self->span));
}

static void
reeve_run_tool_on_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ReeveRunTool *self = user_data;
  g_autoptr (ReeveRun) run = g_object_ref (self->run);
  g_auto (ReeveLogScope) scope = reeve_log_scope (run->log);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveToolResult) answer
      = reeve_tools_call_finish (REEVE_TOOLS (source), result, &error);
  /* one that only reads is called again */
  gboolean again = reeve_run_is_cut (run, error) && reeve_run_tool_is_read_only (self);
  JsonObject *entries[]
      = { reeve_run_tool_entry (self, again ? REEVE_JOURNAL_GIVEN_UP : REEVE_JOURNAL_TOOL_OUTCOME),
          NULL };

  if (answer != NULL)
    reeve_run_tool_fill (self, entries[0], answer);
  else
    reeve_run_tool_fill_error (entries[0], reeve_run_tool_classify (self, error), error);
  reeve_run_tool_fill_usage (self, entries[0]);
  reeve_run_tool_end_span (self, entries[0], error);
  reeve_run_tool_settle (self, entries[0], error);
  reeve_run_tool_free (self);
  reeve_run_append (run, entries, reeve_run_advance);
}

/* ---- before it ---- */

static void
reeve_run_tool_send (ReeveRun *run)
{
  ReeveRunTool *self = g_steal_pointer (&run->effect);
  ReeveContextInfo info = { 0 };

  reeve_run_describe_context (run, &info);
  self->span = reeve_run_trace_open_tool (run, self->name, self->call_id);
  if (self->span != NULL)
    {
      reeve_trace_write (&self->span->trace, self->traceparent);
      info.traceparent = self->traceparent;
    }
  if (run->env.tool_seconds > 0)
    info.deadline = MIN (info.deadline != 0 ? info.deadline : G_MAXINT64,
                         g_get_monotonic_time () + run->env.tool_seconds * G_USEC_PER_SEC);
  reeve_tools_call_async (run->env.tools, self->admitted, self->below, self->name,
                          json_node_get_object (self->arguments), &info, run->cancellable,
                          reeve_run_tool_on_result, self);
}

/* A call that never left. */
static void
reeve_run_tool_drop (gpointer data)
{
  ReeveRunTool *self = data;
  const ReeveSettlement settlement
      = { .outcome = REEVE_OUTCOME_FAILED, .reason = "journal_failed" };

  reeve_admission_settle_async (self->run->env.admission, g_steal_pointer (&self->admitted),
                                &settlement, NULL, NULL);
  reeve_run_tool_free (self);
}

static void
reeve_run_tool_on_admitted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ReeveRunTool *self = user_data;
  ReeveRun *run = self->run;
  g_auto (ReeveLogScope) scope = reeve_log_scope (run->log);
  g_autoptr (GError) error = NULL;
  JsonObject *entries[] = { NULL, NULL };

  self->admitted = reeve_admission_begin_finish (REEVE_ADMISSION (source), result, &error);
  if (self->admitted == NULL)
    {
      reeve_run_tool_refuse (self, error);
      return;
    }
  entries[0] = reeve_run_tool_entry (self, REEVE_JOURNAL_TOOL_INTENT);
  json_object_set_int_member (entries[0], "intent",
                              (gint64) reeve_admitted_get_intent (self->admitted));
  json_object_set_member (entries[0], "arguments", json_node_ref (self->arguments));
  json_object_set_string_member (entries[0], "input_digest", self->digest);
  run->effect = self;
  run->drop = reeve_run_tool_drop;
  reeve_run_append (run, entries, reeve_run_tool_send);
}

static gboolean
reeve_run_tool_is_offered (ReeveRun *run, const char *name)
{
  JsonArray *names = reeve_json_get_array (reeve_journal_get_started (run->journal), "tools");

  for (guint i = 0; names != NULL && i < json_array_get_length (names); i++)
    {
      if (g_strcmp0 (json_array_get_string_element (names, i), name) == 0)
        return TRUE;
    }
  return FALSE;
}

static gboolean
reeve_run_tool_parse (ReeveRunTool *self, const char *arguments, GError **error)
{
  const char *text = *arguments != '\0' ? arguments : "{}";

  if (!reeve_run_tool_is_offered (self->run, self->name))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no tool \"%s\"",
                   self->name);
      return FALSE;
    }
  self->arguments = reeve_json_parse_strict (text, strlen (text), error);
  if (self->arguments == NULL)
    {
      g_prefix_error (error, "arguments of tool \"%s\": ", self->name);
      return FALSE;
    }
  if (!JSON_NODE_HOLDS_OBJECT (self->arguments))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "arguments of tool \"%s\" are not an object", self->name);
      return FALSE;
    }
  return reeve_tools_check (self->run->env.tools, self->name, self->arguments, error);
}

static char **
reeve_run_tool_names (ReeveRun *run)
{
  JsonArray *names = reeve_json_get_array (reeve_journal_get_started (run->journal), "tools");
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; names != NULL && i < json_array_get_length (names); i++)
    g_strv_builder_add (builder, json_array_get_string_element (names, i));
  return g_strv_builder_end (builder);
}

/* What the policy decides by. */
static void
reeve_run_tool_describe (ReeveRunTool *self, ReeveAdmissionRequest *admission)
{
  ReeveJournal *journal = self->run->journal;

  admission->tool_name = self->name;
  admission->tool_hints
      = reeve_tools_get_hints (self->run->env.tools, self->name, &admission->tool_known);
  /* a model invents names, and may write anything for one */
  if (!admission->tool_known)
    {
      self->told = reeve_admission_name_unknown (self->run->env.admission, self->name);
      admission->tool_told = self->told;
    }
  admission->sandbox_level
      = reeve_json_get_string (reeve_journal_get_started (journal), "sandbox_level", NULL);
  admission->estimated_tokens = reeve_journal_get_bound_tokens (journal);
}

void
reeve_run_tool_call (ReeveRun *run, const ReeveJournalCall *call)
{
  ReeveRunTool *self = g_new0 (ReeveRunTool, 1);
  g_auto (GStrv) names = reeve_run_tool_names (run);
  g_autoptr (GError) error = NULL;
  ReeveAdmissionRequest admission = { .operation = "tool.call", .permission = "tool:execute" };
  gboolean good = FALSE;

  self->run = g_object_ref (run);
  self->call_id = g_strdup (call->call_id);
  self->name = g_strdup (call->name);
  reeve_run_describe (run, &admission);
  reeve_run_tool_describe (self, &admission);
  admission.tool_reads = reeve_run_tool_is_read_only (self);
  admission.agent_tools = (const char *const *) names;
  good = reeve_run_tool_parse (self, call->arguments, &error);
  /* of their canonical form; of the text where a model wrote what is no object */
  self->digest = self->arguments != NULL && JSON_NODE_HOLDS_OBJECT (self->arguments)
                     ? reeve_admission_records_digest (json_node_get_object (self->arguments))
                     : reeve_digests_sha256_hex (call->arguments, strlen (call->arguments));
  admission.input_digest = self->digest;
  if (good)
    admission.tool_arguments = json_node_get_object (self->arguments);
  else
    {
      reeve_admission_refuse (run->env.admission, &admission, error);
      reeve_run_tool_refuse (self, error);
      return;
    }
  self->below = reeve_delegation_new (&admission, NULL);
  reeve_admission_begin_async (run->env.admission, &admission, reeve_run_tool_on_admitted, self);
}
