/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one place where a tool is called: on a worker, or on the thread that waits for it. */
#include "tools-private.h"

#include "base/log-task.h"
#include "listing.h"

typedef struct
{
  ReeveToolsItem *item;
  ReeveAdmitted *admitted;
  ReeveDelegation *below;
  JsonObject *arguments;
  ReeveContext *context;
} ReeveToolsCall;

static void
reeve_tools_call_free (gpointer data)
{
  ReeveToolsCall *call = data;

  json_object_unref (call->arguments);
  g_object_unref (call->context);
  reeve_delegation_unref (call->below);
  g_free (call);
}

/* The right to the call is used up here, at the last moment before the plugin has it; what was
 * taken away while the call waited for its turn is not done. */
static ReeveToolResult *
reeve_tools_perform (ReeveTools *self, ReeveToolsCall *call, GError **error)
{
  const char *name = reeve_tool_info_get_name (call->item->info);
  g_autoptr (GError) local = NULL;
  ReeveToolResult *result = NULL;

  if (!reeve_context_check (call->context, error)
      || !reeve_registry_check (self->registry, call->item->plugin_id, error)
      || !reeve_admitted_confirm (call->admitted, call->arguments, error))
    return NULL;
  reeve_admitted_consume_exactly (call->admitted, "tool.call", name, call->arguments);
  reeve_delegation_begin (call->below, call->admitted, call->context);
  result = reeve_tool_call (REEVE_TOOL (call->item->plugin), name, call->arguments, call->context,
                            &local);
  reeve_delegation_end (call->below);
  if (result == NULL && local == NULL)
    g_set_error (&local, REEVE_ERROR, REEVE_ERROR_PLUGIN, "plugin %s gave neither result nor error",
                 call->item->plugin_id);
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  return result;
}

static void
reeve_tools_work (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  ReeveToolResult *result = reeve_tools_perform (source, data, &error);

  if (result != NULL)
    g_task_return_pointer (task, result, (GDestroyNotify) reeve_tool_result_unref);
  else
    g_task_return_error (task, error);
}

/* (transfer full) (nullable): %REEVE_ERROR_NOT_FOUND */
static ReeveToolsCall *
reeve_tools_call_new (ReeveTools *self, ReeveAdmitted *admitted, ReeveDelegation *below,
                      const char *name, JsonObject *arguments, const ReeveContextInfo *info,
                      GCancellable *cancellable, GError **error)
{
  ReeveToolsItem *item = reeve_tools_find (self, name);
  ReeveToolsCall *call = NULL;

  if (item == NULL)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no tool \"%s\"", name);
      return NULL;
    }
  call = g_new0 (ReeveToolsCall, 1);
  call->item = item;
  call->admitted = admitted;
  call->below = reeve_delegation_ref (below);
  /* for another thread: counts of objects are not atomic, those of their members are */
  call->arguments = reeve_listing_dup (arguments);
  call->context = reeve_registry_new_context (self->registry, item->plugin, info, cancellable);
  return call;
}

/**
 * reeve_tools_call:
 * @self: tools
 * @admitted: the right to `tool.call`; the caller settles it afterwards
 * @below: the call, as what its plugin asks for stands below it
 * @name: of a tool
 * @arguments: checked by reeve_tools_check()
 * @info: for whom and until when
 * @cancellable: (nullable): ends the call
 * @error: return location: the call could not be made, or nobody knows whether it was
 *
 * Calls a tool on the calling thread, which is no main context's.
 *
 * Returns: (transfer full) (nullable): the result
 */
ReeveToolResult *
reeve_tools_call (ReeveTools *self, ReeveAdmitted *admitted, ReeveDelegation *below,
                  const char *name, JsonObject *arguments, const ReeveContextInfo *info,
                  GCancellable *cancellable, GError **error)
{
  ReeveToolsCall *call
      = reeve_tools_call_new (self, admitted, below, name, arguments, info, cancellable, error);
  ReeveToolResult *result = NULL;

  if (call == NULL)
    return NULL;
  result = reeve_tools_perform (self, call, error);
  reeve_tools_call_free (call);
  return result;
}

/**
 * reeve_tools_call_async:
 * @self: tools
 * @admitted: the right to `tool.call`; the caller settles it afterwards
 * @below: the call, as what its plugin asks for stands below it
 * @name: of a tool
 * @arguments: checked by reeve_tools_check()
 * @info: for whom and until when
 * @cancellable: (nullable): ends the call
 * @callback: called when it has ended
 * @user_data: closure
 *
 * Calls a tool on a worker thread.
 */
void
reeve_tools_call_async (ReeveTools *self, ReeveAdmitted *admitted, ReeveDelegation *below,
                        const char *name, JsonObject *arguments, const ReeveContextInfo *info,
                        GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = reeve_log_task_new (self, NULL, callback, user_data);
  GError *error = NULL;
  ReeveToolsCall *call
      = reeve_tools_call_new (self, admitted, below, name, arguments, info, cancellable, &error);

  g_task_set_source_tag (task, reeve_tools_call_async);
  if (call == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  g_task_set_task_data (task, call, reeve_tools_call_free);
  reeve_workers_run_task (self->workers, task, reeve_tools_work);
}

/**
 * reeve_tools_call_finish:
 * @self: tools
 * @result: of reeve_tools_call_async()
 * @error: return location: the call could not be made, or nobody knows whether it was
 *
 * Returns: (transfer full) (nullable): the result
 */
ReeveToolResult *
reeve_tools_call_finish (ReeveTools *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, reeve_tools_call_async), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}
