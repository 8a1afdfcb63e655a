/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plugin's call of a tool: as a run's, but that the tool is called on the thread that waits. */
#include "plugin-calls-private.h"

#include <string.h>

#include "base/digests.h"
#include "governance/admission-records.h"

/* ReevePluginAllows. @data: its name */
static gboolean
reeve_plugin_calls_tool_allows (const ReeveCapabilityTerms *terms, gpointer data)
{
  return terms->tools == NULL || g_strv_contains ((const char *const *) terms->tools, data);
}

static void
reeve_plugin_calls_tool_settle (ReevePluginAsk *ask, ReeveAdmitted *admitted,
                                ReeveToolResult *result, const GError *error)
{
  const char *text = result != NULL ? reeve_tool_result_get_text (result) : "";
  g_autofree char *digest = result != NULL ? reeve_digests_sha256_hex (text, strlen (text)) : NULL;
  g_autoptr (JsonNode) body
      = result != NULL ? json_node_init_string (json_node_alloc (), text) : NULL;
  ReeveSettlement settlement
      = { .outcome = reeve_admitted_judge (admitted, error),
          .reason = error != NULL ? reeve_admission_records_reason (error) : NULL,
          .output_digest = digest,
          .error = error,
          .body = body };

  if (result != NULL && reeve_tool_result_get_is_error (result))
    {
      settlement.outcome = REEVE_OUTCOME_FAILED;
      settlement.reason = "tool_error";
    }
  reeve_admission_settle_async (ask->calls->admission, admitted, &settlement, NULL, NULL);
}

static JsonNode *
reeve_plugin_calls_tool_show (ReeveToolResult *result)
{
  JsonObject *answer = json_object_new ();
  JsonNode *data = reeve_tool_result_get_data (result);

  json_object_set_string_member (answer, "text", reeve_tool_result_get_text (result));
  if (data != NULL)
    json_object_set_member (answer, "data", json_node_ref (data));
  json_object_set_boolean_member (answer, "is_error", reeve_tool_result_get_is_error (result));
  return reeve_plugin_calls_answer (answer);
}

/* It is let through: @below is the call. */
static JsonNode *
reeve_plugin_calls_tool_perform (ReevePluginAsk *ask, ReeveAdmitted *admitted,
                                 ReeveDelegation *below, GError **error)
{
  ReevePluginCalls *calls = ask->calls;
  g_autoptr (GError) problem = NULL;
  g_autoptr (ReeveToolResult) result = NULL;

  if (calls->tool_seconds > 0)
    ask->info.deadline = MIN (ask->info.deadline != 0 ? ask->info.deadline : G_MAXINT64,
                              g_get_monotonic_time () + calls->tool_seconds * G_USEC_PER_SEC);
  result = reeve_tools_call (calls->tools, admitted, below, ask->admission.tool_name,
                             ask->admission.tool_arguments, &ask->info, ask->cancellable, &problem);
  reeve_plugin_calls_tool_settle (ask, admitted, result, problem);
  if (result != NULL)
    return reeve_plugin_calls_tool_show (result);
  g_propagate_prefixed_error (error, g_steal_pointer (&problem),
                              "tool.call: tool \"%s\": ", ask->admission.tool_name);
  return NULL;
}

static JsonNode *
reeve_plugin_calls_tool_admit (ReevePluginAsk *ask, const ReevePluginClaim *claim, GError **error)
{
  g_autoptr (ReeveDelegation) below = reeve_delegation_new (&ask->admission, ask->above);
  ReevePluginJob job = { .ask = ask, .begin = reeve_plugin_calls_job_admit };

  reeve_delegation_limit (below, claim->left, claim->bounds);
  if (!reeve_plugin_calls_job_run (&job, error))
    {
      g_prefix_error (error, "tool.call: tool \"%s\": ", ask->admission.tool_name);
      return NULL;
    }
  return reeve_plugin_calls_tool_perform (ask, job.admitted, below, error);
}

/* Is there such a tool, are these its arguments, and is it granted? */
static gboolean
reeve_plugin_calls_tool_check (ReevePluginAsk *ask, JsonNode *arguments, ReevePluginClaim *claim,
                               GError **error)
{
  const char *name = ask->admission.tool_name;
  g_autofree char *what = g_strdup_printf ("tool \"%s\"", name);

  return reeve_plugin_calls_claim (ask, what, reeve_plugin_calls_tool_allows, (gpointer) name,
                                   claim, error)
         && reeve_tools_check (ask->calls->tools, name, arguments, error);
}

static JsonNode *
reeve_plugin_calls_tool_run (ReevePluginAsk *ask, JsonNode *arguments, GError **error)
{
  ReeveAdmissionRequest *admission = &ask->admission;
  g_autofree char *digest = reeve_admission_records_digest (admission->tool_arguments);
  g_autofree char *told = NULL;
  ReevePluginClaim claim = { 0 };
  GError *problem = NULL;
  JsonNode *answer = NULL;

  admission->permission = "tool:execute";
  admission->input_digest = digest;
  admission->tool_hints
      = reeve_tools_get_hints (ask->calls->tools, admission->tool_name, &admission->tool_known);
  admission->tool_reads = (admission->tool_hints & REEVE_TOOL_READ_ONLY) != 0;
  if (!admission->tool_known)
    {
      told = reeve_admission_name_unknown (ask->calls->admission, admission->tool_name);
      admission->tool_told = told;
    }
  if (reeve_plugin_calls_tool_check (ask, arguments, &claim, &problem))
    answer = reeve_plugin_calls_tool_admit (ask, &claim, error);
  else
    reeve_plugin_calls_refuse (ask, problem, error);
  reeve_plugin_calls_claim_clear (&claim);
  return answer;
}

/* ReeveCapabilityFunc of `tool.call`, within a call. */
JsonNode *
reeve_plugin_calls_ask_tool (ReevePluginAsk *ask, GError **error)
{
  const char *name = reeve_json_get_string (ask->params, "tool", NULL);
  JsonNode *given = json_object_get_member (ask->params, "arguments");
  g_autoptr (JsonNode) arguments
      = given != NULL ? json_node_ref (given) : reeve_plugin_calls_answer (json_object_new ());

  if (name == NULL || *name == '\0' || strlen (name) > 64)
    {
      reeve_error_set_member (error, "/tool", "tool.call: tool is the name of a tool");
      return NULL;
    }
  if (!JSON_NODE_HOLDS_OBJECT (arguments))
    {
      reeve_error_set_member (error, "/arguments", "tool.call: arguments are an object");
      return NULL;
    }
  if (ask->calls->tools == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
                           "tool.call: the host has no tools as yet");
      return NULL;
    }
  ask->admission.tool_name = name;
  ask->admission.tool_arguments = json_node_get_object (arguments);
  return reeve_plugin_calls_tool_run (ask, arguments, error);
}
