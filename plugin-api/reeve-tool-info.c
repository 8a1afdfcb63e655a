/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a tool says of itself. */
#include "reeve-tool.h"

/**
 * ReeveToolInfo:
 *
 * What a tool says of itself to models and policy. Immutable and thread-safe.
 *
 * Since: 1.0
 */
struct _ReeveToolInfo
{
  gatomicrefcount refs;
  char *name;
  char *description;
  JsonNode *parameters;
  ReeveToolHints hints;
};

G_DEFINE_BOXED_TYPE (ReeveToolInfo, reeve_tool_info, reeve_tool_info_ref, reeve_tool_info_unref)

/**
 * reeve_tool_info_new:
 * @name: name by which models call it: 1 to 64 of `a`–`z`, `A`–`Z`, `0`–`9`, `_` and `-`
 * @description: what it does, for models
 * @parameters: (transfer none): JSON Schema (draft 2020-12) of the arguments, an object; sealed by
 * the call
 * @hints: what else it says of itself
 *
 * Returns: (transfer full): a description of a tool
 *
 * Since: 1.0
 */
ReeveToolInfo *
reeve_tool_info_new (const char *name, const char *description, JsonNode *parameters,
                     ReeveToolHints hints)
{
  ReeveToolInfo *self = NULL;

  g_return_val_if_fail (name != NULL && description != NULL, NULL);
  g_return_val_if_fail (parameters != NULL && JSON_NODE_HOLDS_OBJECT (parameters), NULL);

  json_node_seal (parameters);
  self = g_new0 (ReeveToolInfo, 1);
  g_atomic_ref_count_init (&self->refs);
  self->name = g_strdup (name);
  self->description = g_strdup (description);
  self->parameters = json_node_ref (parameters);
  self->hints = hints;
  return self;
}

/**
 * reeve_tool_info_ref:
 * @self: a description of a tool
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
ReeveToolInfo *
reeve_tool_info_ref (ReeveToolInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * reeve_tool_info_unref:
 * @self: (transfer full): a description of a tool
 *
 * Since: 1.0
 */
void
reeve_tool_info_unref (ReeveToolInfo *self)
{
  g_return_if_fail (self != NULL);
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_free (self->name);
  g_free (self->description);
  json_node_unref (self->parameters);
  g_free (self);
}

/**
 * reeve_tool_info_get_name:
 * @self: a description of a tool
 *
 * Returns: (transfer none): the name
 *
 * Since: 1.0
 */
const char *
reeve_tool_info_get_name (ReeveToolInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->name;
}

/**
 * reeve_tool_info_get_description:
 * @self: a description of a tool
 *
 * Returns: (transfer none): what it does
 *
 * Since: 1.0
 */
const char *
reeve_tool_info_get_description (ReeveToolInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->description;
}

/**
 * reeve_tool_info_get_parameters:
 * @self: a description of a tool
 *
 * Returns: (transfer none): JSON Schema of the arguments, immutable
 *
 * Since: 1.0
 */
JsonNode *
reeve_tool_info_get_parameters (ReeveToolInfo *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->parameters;
}

/**
 * reeve_tool_info_get_hints:
 * @self: a description of a tool
 *
 * Returns: what else it says of itself
 *
 * Since: 1.0
 */
ReeveToolHints
reeve_tool_info_get_hints (ReeveToolInfo *self)
{
  g_return_val_if_fail (self != NULL, REEVE_TOOL_NONE);
  return self->hints;
}
