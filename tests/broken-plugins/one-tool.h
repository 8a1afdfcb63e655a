/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a plugin with one tool is besides what that does. Who includes it writes one_tool_call(),
 * and ends with ONE_TOOL_PLUGIN(). */
#pragma once

#include <reeve-plugin-1.h>

G_DECLARE_FINAL_TYPE (OneTool, one_tool, ONE, TOOL, ReevePlugin)

struct _OneTool
{
  ReevePlugin parent_instance;
};

static void one_tool_iface_init (ReeveToolInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (OneTool, one_tool, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_TOOL, one_tool_iface_init))

static const char *one_tool_get_name (void);
static ReeveToolResult *one_tool_call (ReeveTool *tool, const char *name, JsonObject *arguments,
                                       ReeveContext *context, GError **error);

static GPtrArray *
one_tool_list (ReeveTool *tool, ReeveContext *context, GError **error)
{
  g_autoptr (JsonNode) schema = reeve_json_parse_strict ("{\"type\":\"object\"}", 17, NULL);
  GPtrArray *tools = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_tool_info_unref);

  g_ptr_array_add (tools,
                   reeve_tool_info_new (one_tool_get_name (), "Takes what it can.", schema, 0));
  return tools;
}

static void
one_tool_iface_init (ReeveToolInterface *iface)
{
  iface->list = one_tool_list;
  iface->call = one_tool_call;
}

static void
one_tool_class_init (OneToolClass *klass)
{
}

static void
one_tool_init (OneTool *self)
{
}

static const GType *
one_tool_query_types (void)
{
  static GType types[2] = { G_TYPE_INVALID, G_TYPE_INVALID };

  types[0] = one_tool_get_type ();
  return types;
}

/* Its tool is called tool-of-@id. */
#define ONE_TOOL_PLUGIN(id)                                                                        \
  static const char *one_tool_get_name (void)                                                      \
  {                                                                                                \
    return "tool-of-" id;                                                                          \
  }                                                                                                \
  REEVE_DEFINE_PLUGIN (id, "1.2.3", one_tool_query_types)
