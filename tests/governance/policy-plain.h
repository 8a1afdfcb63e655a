/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests of policies share: the plainest matcher of globs there is, and JSON in single quotes.
 */
#pragma once

#include <string.h>

#include <reeve-plugin-1.h>

static inline gboolean
policy_plain_match (const char *pattern, const char *text)
{
  if (*pattern == '\0')
    return *text == '\0';
  if (*pattern == '*')
    return policy_plain_match (pattern + 1, text)
           || (*text != '\0' && policy_plain_match (pattern, text + 1));
  return *text != '\0' && (*pattern == '?' || *pattern == *text)
         && policy_plain_match (pattern + 1, text + 1);
}

static inline JsonObject *
policy_plain_parse (const char *text)
{
  g_autofree char *quoted = g_strdelimit (g_strdup (text), "'", '"');
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = reeve_json_parse_strict (quoted, strlen (quoted), &error);

  g_assert_no_error (error);
  return json_node_dup_object (node);
}
