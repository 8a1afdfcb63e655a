/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* covers: host/operations/openai-members.c
 * Which members a caller's own body may have: the names are those that a tree of it has. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "operations/openai-members.h"
#include <reeve-json.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static gboolean
may_have (const char *name)
{
  static const char *const own[]
      = { "max_completion_tokens", "max_tokens", "messages", "model", "n", "stream",
          "stream_options",        NULL };
  static const char *const others[]
      = { "content_policy_fallbacks", "context_window_fallbacks", "fallbacks", "models", NULL };
  g_autofree char *folded = g_utf8_casefold (name, -1);

  return g_strv_contains (own, name)
         || (!g_strv_contains (own, folded) && !g_strv_contains (others, folded));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const one[] = { "model", NULL };
  ReeveJsonSlice slice = { NULL, 0 };
  /* not terminated: nothing is read behind its end */
  g_autofree char *text = g_memdup2 (data, size);
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GList) names = NULL;
  gboolean good = TRUE;

  if (size == 0 || !reeve_json_find_members (text, size, one, &slice, NULL))
    return 0;
  node = reeve_json_parse_strict (text, size, NULL);
  g_assert (node != NULL && JSON_NODE_HOLDS_OBJECT (node));
  names = json_object_get_members (json_node_get_object (node));
  for (GList *at = names; at != NULL; at = at->next)
    good = good && may_have (at->data);
  g_assert_cmpint (reeve_openai_members_check (text, size, &error), ==, good);
  g_assert_true (good == (error == NULL));
  return 0;
}
