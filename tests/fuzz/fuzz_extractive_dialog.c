/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any JSON as the conversation of llm-extractive: it must end in calls or in a text. */
/* covers: plugins/llm-extractive/extractive-dialog.c
 * plugins/llm-extractive/extractive-turn.c */
#include "extractive-turn.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (JsonNode) node = reeve_json_parse_strict ((const char *) data, size, NULL);
  g_autoptr (ExtractiveDialog) dialog = NULL;
  g_autoptr (ExtractiveTurn) turn = NULL;
  JsonObject *object;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return 0;
  object = json_node_get_object (node);
  dialog = extractive_dialog_new (reeve_json_get_array (object, "messages"),
                                  reeve_json_get_array (object, "tools"));
  turn = extractive_turn_new (dialog);
  if ((turn->calls->len == 0) != (turn->text != NULL))
    abort ();
  return 0;
}
