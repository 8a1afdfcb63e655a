/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a tool answered. */
#include "reeve-tool.h"

/**
 * ReeveToolResult:
 *
 * What a tool answered. Immutable and thread-safe.
 *
 * Since: 1.0
 */
struct _ReeveToolResult
{
  gatomicrefcount refs;
  char *text;
  JsonNode *data;
  gboolean is_error;
};

G_DEFINE_BOXED_TYPE (ReeveToolResult, reeve_tool_result, reeve_tool_result_ref,
                     reeve_tool_result_unref)

/**
 * reeve_tool_result_new:
 * @text: what the model reads; bytes that are not UTF-8 are replaced by U+FFFD
 * @data: (nullable) (transfer none): structured form; sealed by the call
 * @is_error: the tool ran and says that it failed; the model reads @text and may mend its call
 *
 * Returns: (transfer full): a result
 *
 * Since: 1.0
 */
ReeveToolResult *
reeve_tool_result_new (const char *text, JsonNode *data, gboolean is_error)
{
  ReeveToolResult *self = NULL;

  g_return_val_if_fail (text != NULL, NULL);

  if (data != NULL)
    json_node_seal (data);
  self = g_new0 (ReeveToolResult, 1);
  g_atomic_ref_count_init (&self->refs);
  self->text = g_utf8_make_valid (text, -1);
  self->data = data != NULL ? json_node_ref (data) : NULL;
  self->is_error = is_error;
  return self;
}

/**
 * reeve_tool_result_ref:
 * @self: a result
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
ReeveToolResult *
reeve_tool_result_ref (ReeveToolResult *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * reeve_tool_result_unref:
 * @self: (transfer full): a result
 *
 * Since: 1.0
 */
void
reeve_tool_result_unref (ReeveToolResult *self)
{
  g_return_if_fail (self != NULL);
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_free (self->text);
  g_clear_pointer (&self->data, json_node_unref);
  g_free (self);
}

/**
 * reeve_tool_result_get_text:
 * @self: a result
 *
 * Returns: (transfer none): what the model reads, UTF-8
 *
 * Since: 1.0
 */
const char *
reeve_tool_result_get_text (ReeveToolResult *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->text;
}

/**
 * reeve_tool_result_get_data:
 * @self: a result
 *
 * Returns: (transfer none) (nullable): structured form, immutable
 *
 * Since: 1.0
 */
JsonNode *
reeve_tool_result_get_data (ReeveToolResult *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->data;
}

/**
 * reeve_tool_result_get_is_error:
 * @self: a result
 *
 * Returns: whether the tool says that it failed
 *
 * Since: 1.0
 */
gboolean
reeve_tool_result_get_is_error (ReeveToolResult *self)
{
  g_return_val_if_fail (self != NULL, TRUE);
  return self->is_error;
}
