/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveTools: the tools all plugins offer, by name, and the one place where one is called. */
#pragma once

#include <reeve-plugin-1.h>

#include "base/workers.h"
#include "governance/delegation.h"
#include "loader/registry.h"

G_BEGIN_DECLS

#define REEVE_TYPE_TOOLS (reeve_tools_get_type ())
G_DECLARE_FINAL_TYPE (ReeveTools, reeve_tools, REEVE, TOOLS, GObject)

ReeveTools *reeve_tools_new (ReeveRegistry *registry, ReeveWorkers *workers);
/* Before runs begin: takes up the tools of a plugin, as instance of the plugin's id. Blocks. */
gboolean reeve_tools_add (ReeveTools *self, const char *plugin_id, JsonObject *settings,
                          GError **error);
/* (nullable) (transfer none) */
ReeveToolInfo *reeve_tools_lookup (ReeveTools *self, const char *name);
/* What a policy decides by: what the tool says of itself, and %REEVE_TOOL_OPEN_WORLD where its
 * plugin may reach the network. @known (out): whether there is such a tool. */
ReeveToolHints reeve_tools_get_hints (ReeveTools *self, const char *name, gboolean *known);
/* (transfer full) tools as a model reads them (OpenAI's shape), those of @names that exist, in that
 * order */
JsonArray *reeve_tools_definitions (ReeveTools *self, const char *const *names);
/* (transfer full) [{name, description, parameters, hints{}, plugin_id}], sorted by name */
JsonArray *reeve_tools_list (ReeveTools *self);
/* Validates arguments against the tool's schema. %REEVE_ERROR_INVALID_ARGUMENT,
 * %REEVE_ERROR_NOT_FOUND. Any thread. */
gboolean reeve_tools_check (ReeveTools *self, const char *name, JsonNode *arguments,
                            GError **error);
/* Consumes @admitted (operation "tool.call") and calls the tool on a worker thread; the caller
 * settles it. */
void reeve_tools_call_async (ReeveTools *self, ReeveAdmitted *admitted, ReeveDelegation *below,
                             const char *name, JsonObject *arguments, const ReeveContextInfo *info,
                             GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer user_data);
/* The same on the calling thread, which waits. */
ReeveToolResult *reeve_tools_call (ReeveTools *self, ReeveAdmitted *admitted,
                                   ReeveDelegation *below, const char *name, JsonObject *arguments,
                                   const ReeveContextInfo *info, GCancellable *cancellable,
                                   GError **error);
ReeveToolResult *reeve_tools_call_finish (ReeveTools *self, GAsyncResult *result, GError **error);

G_END_DECLS
