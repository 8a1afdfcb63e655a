/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The interface of tools. */
#include "reeve-tool.h"

#include "reeve-outcome.h"

/**
 * ReeveTool:
 *
 * One tool, or a source of many. Functions block and may be called from several threads at once.
 *
 * Since: 1.0
 */
G_DEFINE_INTERFACE (ReeveTool, reeve_tool, G_TYPE_OBJECT)

static void
reeve_tool_default_init (ReeveToolInterface *iface)
{
}

/**
 * reeve_tool_list:
 * @self: a source of tools
 * @context: context of the call
 * @error: return location
 *
 * Returns: (transfer container) (element-type ReeveToolInfo): the tools on offer, in a stable
 * order; %NULL with an error
 *
 * Since: 1.0
 */
GPtrArray *
reeve_tool_list (ReeveTool *self, ReeveContext *context, GError **error)
{
  g_autoptr (GPtrArray) tools = NULL;
  GError *problem = NULL;
  ReeveToolInterface *iface = NULL;

  g_return_val_if_fail (REEVE_IS_TOOL (self) && REEVE_IS_CONTEXT (context), NULL);

  iface = REEVE_TOOL_GET_IFACE (self);
  if (iface->list == NULL)
    {
      reeve_outcome_unsupported (self, "list", error);
      return NULL;
    }
  tools = iface->list (self, context, &problem);
  if (!reeve_outcome_settle (tools != NULL, problem, self, "list", error))
    return NULL;
  return g_steal_pointer (&tools);
}

/**
 * reeve_tool_call:
 * @self: a source of tools
 * @name: one of the tools it lists
 * @arguments: arguments that are right by the tool's schema; immutable
 * @context: context of the call
 * @error: return location
 *
 * Runs a tool. An error means that the call could not be made; a failure that the model should read
 * and mend is a result that says so.
 *
 * Returns: (transfer full): the result; %NULL with an error, %REEVE_ERROR_NOT_FOUND for a name that
 * is not listed
 *
 * Since: 1.0
 */
ReeveToolResult *
reeve_tool_call (ReeveTool *self, const char *name, JsonObject *arguments, ReeveContext *context,
                 GError **error)
{
  g_autoptr (ReeveToolResult) result = NULL;
  GError *problem = NULL;
  ReeveToolInterface *iface = NULL;

  g_return_val_if_fail (REEVE_IS_TOOL (self) && REEVE_IS_CONTEXT (context), NULL);
  g_return_val_if_fail (name != NULL && arguments != NULL, NULL);

  iface = REEVE_TOOL_GET_IFACE (self);
  if (iface->call == NULL)
    {
      reeve_outcome_unsupported (self, "call", error);
      return NULL;
    }
  result = iface->call (self, name, arguments, context, &problem);
  if (!reeve_outcome_settle (result != NULL, problem, self, "call", error))
    return NULL;
  return g_steal_pointer (&result);
}
