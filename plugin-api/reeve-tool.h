/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tools: one, or a source of many. */
#pragma once

#include "reeve-plugin.h"

G_BEGIN_DECLS

#define REEVE_TYPE_TOOL        (reeve_tool_get_type ())
#define REEVE_TYPE_TOOL_INFO   (reeve_tool_info_get_type ())
#define REEVE_TYPE_TOOL_RESULT (reeve_tool_result_get_type ())

/**
 * ReeveToolHints:
 * @REEVE_TOOL_NONE: nothing is said
 * @REEVE_TOOL_READ_ONLY: changes nothing
 * @REEVE_TOOL_DESTRUCTIVE: may destroy
 * @REEVE_TOOL_IDEMPOTENT: twice is as once
 * @REEVE_TOOL_OPEN_WORLD: reaches outside
 *
 * What a tool says of itself: input to policy, never proof.
 *
 * Since: 1.0
 */
typedef enum
{
  REEVE_TOOL_NONE = 0,
  REEVE_TOOL_READ_ONLY = 1 << 0,
  REEVE_TOOL_DESTRUCTIVE = 1 << 1,
  REEVE_TOOL_IDEMPOTENT = 1 << 2,
  REEVE_TOOL_OPEN_WORLD = 1 << 3
} ReeveToolHints;

typedef struct _ReeveToolInfo ReeveToolInfo;
typedef struct _ReeveToolResult ReeveToolResult;

REEVE_AVAILABLE_IN_1_0
GType reeve_tool_info_get_type (void) G_GNUC_CONST;
/* parameters: JSON Schema (draft 2020-12) of the arguments object */
REEVE_AVAILABLE_IN_1_0
ReeveToolInfo *reeve_tool_info_new (const char *name, const char *description, JsonNode *parameters,
                                    ReeveToolHints hints);
REEVE_AVAILABLE_IN_1_0
ReeveToolInfo *reeve_tool_info_ref (ReeveToolInfo *self);
REEVE_AVAILABLE_IN_1_0
void reeve_tool_info_unref (ReeveToolInfo *self);
REEVE_AVAILABLE_IN_1_0
const char *reeve_tool_info_get_name (ReeveToolInfo *self);
REEVE_AVAILABLE_IN_1_0
const char *reeve_tool_info_get_description (ReeveToolInfo *self);
REEVE_AVAILABLE_IN_1_0
JsonNode *reeve_tool_info_get_parameters (ReeveToolInfo *self);
REEVE_AVAILABLE_IN_1_0
ReeveToolHints reeve_tool_info_get_hints (ReeveToolInfo *self);

REEVE_AVAILABLE_IN_1_0
GType reeve_tool_result_get_type (void) G_GNUC_CONST;
/* text: what the model reads; data: (nullable) structured form; is_error: the tool ran and says it
 * failed */
REEVE_AVAILABLE_IN_1_0
ReeveToolResult *reeve_tool_result_new (const char *text, JsonNode *data, gboolean is_error);
REEVE_AVAILABLE_IN_1_0
ReeveToolResult *reeve_tool_result_ref (ReeveToolResult *self);
REEVE_AVAILABLE_IN_1_0
void reeve_tool_result_unref (ReeveToolResult *self);
REEVE_AVAILABLE_IN_1_0
const char *reeve_tool_result_get_text (ReeveToolResult *self);
REEVE_AVAILABLE_IN_1_0
JsonNode *reeve_tool_result_get_data (ReeveToolResult *self);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_tool_result_get_is_error (ReeveToolResult *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveToolInfo, reeve_tool_info_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveToolResult, reeve_tool_result_unref)

REEVE_AVAILABLE_IN_1_0
G_DECLARE_INTERFACE (ReeveTool, reeve_tool, REEVE, TOOL, GObject)

/**
 * ReeveToolInterface:
 * @parent_iface: the parent
 * @list: the tools on offer, #ReeveToolInfo each; order is stable
 * @call: runs one; the host validated @arguments against the schema. A #GError means that the call
 * could not be made; a failure that the model should read and mend is a result with is_error
 *
 * Since: 1.0
 */
struct _ReeveToolInterface
{
  GTypeInterface parent_iface;

  GPtrArray *(*list) (ReeveTool *self, ReeveContext *context, GError **error);
  ReeveToolResult *(*call) (ReeveTool *self, const char *name, JsonObject *arguments,
                            ReeveContext *context, GError **error);
  /*< private >*/
  gpointer reserved[6];
};

REEVE_AVAILABLE_IN_1_0
GPtrArray *reeve_tool_list (ReeveTool *self, ReeveContext *context, GError **error);
REEVE_AVAILABLE_IN_1_0
ReeveToolResult *reeve_tool_call (ReeveTool *self, const char *name, JsonObject *arguments,
                                  ReeveContext *context, GError **error);

G_END_DECLS
