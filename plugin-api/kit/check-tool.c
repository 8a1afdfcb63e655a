/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checks of kind tool: what it lists, and every listed tool called with arguments that its
 * schema allows. */
#include "check-tool.h"

#include <string.h>

#include "check-sample.h"

/* one tool with one set of arguments, for all the threads that call it */
typedef struct
{
  ReevePlugin *plugin;
  const char *name;
  JsonNode *arguments;
  ReeveContext *context;
  int results;
  int errors;
} CheckToolCall;

static GPtrArray *
check_tool_list (CheckRun *run, ReevePlugin *plugin)
{
  g_autoptr (ReeveContext) context = check_run_new_context (run, plugin, NULL);
  g_autoptr (GError) error = NULL;
  GPtrArray *tools = reeve_tool_list (REEVE_TOOL (plugin), context, &error);

  check_report_expect (check_run_get_report (run), tools != NULL, "listing: %s",
                       error != NULL ? error->message : "");
  return tools;
}

/* A schema with everything that is wrong with a tool's description reported. */
static ReeveSchema *
check_tool_describe (CheckReport *report, ReeveToolInfo *info)
{
  const char *name = reeve_tool_info_get_name (info);
  const char *description = reeve_tool_info_get_description (info);
  JsonObject *parameters = json_node_get_object (reeve_tool_info_get_parameters (info));
  g_autoptr (GError) error = NULL;
  ReeveSchema *schema = NULL;

  check_report_expect (report, g_regex_match_simple ("^[A-Za-z0-9_-]{1,64}$", name, 0, 0),
                       "name '%s' is not 1 to 64 of a-z, A-Z, 0-9, _ and -", name);
  check_report_expect (report, *description != '\0' && g_utf8_validate (description, -1, NULL),
                       "%s: the description is empty or not UTF-8", name);
  check_report_expect (report,
                       strcmp (reeve_json_get_string (parameters, "type", ""), "object") == 0,
                       "%s: the schema of its arguments is not of type object", name);
  schema = reeve_schema_new_from_json (reeve_tool_info_get_parameters (info), &error);
  check_report_expect (report, schema != NULL, "%s: the schema of its arguments: %s", name,
                       error != NULL ? error->message : "");
  return schema;
}

static void
check_tool_lists (CheckRun *run, ReevePlugin *plugin)
{
  CheckReport *report = check_run_get_report (run);
  g_autoptr (GPtrArray) tools = NULL;
  g_autoptr (GPtrArray) again = NULL;
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  check_report_begin (report, "tool: the tools it lists are described completely");
  tools = check_tool_list (run, plugin);
  for (guint i = 0; tools != NULL && i < tools->len; i++)
    {
      ReeveToolInfo *info = g_ptr_array_index (tools, i);
      g_autoptr (ReeveSchema) schema = check_tool_describe (report, info);

      check_report_expect (report,
                           g_hash_table_add (names, (char *) reeve_tool_info_get_name (info)),
                           "two tools are called %s", reeve_tool_info_get_name (info));
    }
  check_report_end (report);

  check_report_begin (report, "tool: the list is the same when asked again");
  again = check_tool_list (run, plugin);
  check_report_expect (report, again == NULL || tools == NULL || again->len == tools->len,
                       "another number of tools");
  for (guint i = 0; again != NULL && tools != NULL && i < MIN (again->len, tools->len); i++)
    check_report_expect (report,
                         strcmp (reeve_tool_info_get_name (g_ptr_array_index (tools, i)),
                                 reeve_tool_info_get_name (g_ptr_array_index (again, i)))
                             == 0,
                         "another order");
  check_report_end (report);
}

static GError *
check_tool_call (CheckToolCall *call)
{
  GError *error = NULL;
  g_autoptr (JsonNode) own = NULL;
  g_autoptr (ReeveToolResult) result = NULL;
  g_autofree char *text = reeve_json_canonical (call->arguments);

  /* a tree of its own for each thread: the host never shares one between calls */
  own = reeve_json_parse_strict (text, strlen (text), NULL);
  result = reeve_tool_call (REEVE_TOOL (call->plugin), call->name, json_node_get_object (own),
                            call->context, &error);
  g_atomic_int_inc (result != NULL ? &call->results : &call->errors);
  return error;
}

static gpointer
check_tool_thread (gpointer data)
{
  g_autoptr (GError) error = check_tool_call (data);

  return NULL;
}

/* once on this thread, with the error looked at, then on four at once */
static void
check_tool_arguments (CheckRun *run, CheckToolCall *call)
{
  CheckReport *report = check_run_get_report (run);
  g_autofree char *text = reeve_json_canonical (call->arguments);
  g_autoptr (GError) error = NULL;

  check_report_begin (report, "tool %s: called with %.200s", call->name, text);
  error = check_tool_call (call);
  check_report_expect_error (report, error, "the call");
  check_report_end (report);
  if (error != NULL)
    check_report_note (report, "%s could not be called: %s", call->name, error->message);

  check_report_begin (report, "tool %s: four calls at once", call->name);
  check_run_parallel (check_tool_thread, call);
  check_report_expect (report, call->results + call->errors == 5, "a call was lost");
  check_report_end (report);
}

static void
check_tool_each (CheckRun *run, ReevePlugin *plugin, ReeveToolInfo *info)
{
  CheckReport *report = check_run_get_report (run);
  g_autoptr (ReeveSchema) schema
      = reeve_schema_new_from_json (reeve_tool_info_get_parameters (info), NULL);
  g_autoptr (ReeveContext) context = check_run_new_context (run, plugin, NULL);
  g_autoptr (JsonNode) least = NULL;
  g_autoptr (JsonNode) most = NULL;
  CheckToolCall call
      = { .plugin = plugin, .name = reeve_tool_info_get_name (info), .context = context };

  if (schema == NULL)
    return;
  least = check_run_get_arguments (run, call.name);
  if (least == NULL)
    {
      least = check_sample_make (schema, FALSE);
      most = check_sample_make (schema, TRUE);
    }
  check_report_begin (report, "tool %s: there are arguments to call it with", call.name);
  if (check_report_expect (report, least != NULL || most != NULL,
                           "none could be made from its schema; give some with --arguments %s=JSON",
                           call.name))
    check_report_expect (report,
                         reeve_schema_validate (schema, least != NULL ? least : most, NULL, NULL),
                         "those of --arguments are not what its schema allows");
  check_report_end (report);

  if (reeve_tool_info_get_hints (info) & REEVE_TOOL_DESTRUCTIVE
      && !check_run_get_options (run)->destructive)
    {
      check_report_note (report, "%s says that it may destroy: not called without --destructive",
                         call.name);
      return;
    }
  for (guint i = 0; i < 2; i++)
    {
      call.arguments = i == 0 ? least : most;
      call.results = call.errors = 0;
      if (call.arguments != NULL)
        check_tool_arguments (run, &call);
    }
}

static void
check_tool_ended_calls (CheckRun *run, ReevePlugin *plugin, ReeveToolInfo *info)
{
  CheckReport *report = check_run_get_report (run);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ReeveContext) cancelled = check_run_new_context (run, plugin, cancellable);
  g_autoptr (ReeveContext) late = check_run_new_late_context (run, plugin);
  g_autoptr (ReeveSchema) schema
      = reeve_schema_new_from_json (reeve_tool_info_get_parameters (info), NULL);
  g_autoptr (JsonNode) arguments = schema != NULL ? check_sample_make (schema, TRUE) : NULL;
  CheckToolCall call
      = { .plugin = plugin, .name = reeve_tool_info_get_name (info), .arguments = arguments };

  if (arguments == NULL || reeve_tool_info_get_hints (info) & REEVE_TOOL_DESTRUCTIVE)
    return;
  g_cancellable_cancel (cancellable);
  for (guint i = 0; i < 2; i++)
    {
      gint64 start = g_get_monotonic_time ();
      g_autoptr (GError) error = NULL;

      check_report_begin (report, "tool %s: a call %s returns at once", call.name,
                          i == 0 ? "that was cancelled" : "past its deadline");
      call.context = i == 0 ? cancelled : late;
      error = check_tool_call (&call);
      check_report_expect_error (report, error, "the call");
      check_report_expect (report, g_get_monotonic_time () - start < 2 * G_USEC_PER_SEC,
                           "it took more than two seconds");
      check_report_end (report);
    }
}

static void
check_tool_unknown (CheckRun *run, ReevePlugin *plugin)
{
  CheckReport *report = check_run_get_report (run);
  g_autoptr (ReeveContext) context = check_run_new_context (run, plugin, NULL);
  g_autoptr (JsonObject) arguments = json_object_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveToolResult) result = NULL;

  check_report_begin (report, "tool: a tool that it does not list is not found");
  result = reeve_tool_call (REEVE_TOOL (plugin), "reeve-plugin-check-no-such-tool", arguments,
                            context, &error);
  check_report_expect (report, result == NULL, "it answered");
  check_report_expect (report, g_error_matches (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND),
                       "its error is not REEVE_ERROR_NOT_FOUND");
  check_report_end (report);
}

void
check_tool_run (CheckRun *run, ReevePlugin *plugin)
{
  g_autoptr (ReeveContext) context = check_run_new_context (run, plugin, NULL);
  g_autoptr (GPtrArray) tools = NULL;

  check_tool_lists (run, plugin);
  check_tool_unknown (run, plugin);
  tools = reeve_tool_list (REEVE_TOOL (plugin), context, NULL);
  for (guint i = 0; tools != NULL && i < tools->len; i++)
    {
      check_tool_each (run, plugin, g_ptr_array_index (tools, i));
      check_tool_ended_calls (run, plugin, g_ptr_array_index (tools, i));
    }
}
