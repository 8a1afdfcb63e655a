/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Both are written in one form first, so that only what they say differs. The longest common part
 * is found by the usual table of lengths; what is too long for it is shown as a whole. */
#include "cli-policy-diff.h"

#include <string.h>

#define REEVE_CLI_POLICY_DIFF_MOST    (4 * 1024 * 1024) /* cells of the table */
#define REEVE_CLI_POLICY_DIFF_CONTEXT 3

typedef struct
{
  char mark;
  const char *text;
} ReeveCliPolicyLine;

/* (transfer full): lines of a policy in its one form */
static char **
reeve_cli_policy_diff_write (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *canonical = NULL;
  g_autoptr (JsonNode) sorted = NULL;
  g_autofree char *text = NULL;

  if (object == NULL)
    return g_new0 (char *, 1);
  json_node_set_object (node, object);
  canonical = reeve_json_canonical (node);
  sorted = reeve_json_parse_strict (canonical, strlen (canonical), NULL);
  text = json_to_string (sorted != NULL ? sorted : node, TRUE);
  return g_strsplit (text, "\n", -1);
}

static void
reeve_cli_policy_diff_add (GArray *lines, char mark, char **text, gsize from, gsize to)
{
  for (gsize i = from; i < to; i++)
    {
      ReeveCliPolicyLine line = { mark, text[i] };

      g_array_append_val (lines, line);
    }
}

/* The part between what both begin and end with. */
static void
reeve_cli_policy_diff_middle (GArray *lines, char **a, gsize n, char **b, gsize m)
{
  g_autofree guint32 *table = NULL;
  gsize width = m + 1;
  gsize i = 0;
  gsize k = 0;

  if ((n + 1) > REEVE_CLI_POLICY_DIFF_MOST / width)
    {
      reeve_cli_policy_diff_add (lines, '-', a, 0, n);
      reeve_cli_policy_diff_add (lines, '+', b, 0, m);
      return;
    }
  table = g_new0 (guint32, (n + 1) * width);
  for (gsize x = n; x-- > 0;)
    for (gsize y = m; y-- > 0;)
      table[x * width + y] = strcmp (a[x], b[y]) == 0
                                 ? table[(x + 1) * width + y + 1] + 1
                                 : MAX (table[(x + 1) * width + y], table[x * width + y + 1]);
  while (i < n || k < m)
    {
      gboolean same = i < n && k < m && strcmp (a[i], b[k]) == 0;
      gboolean gone
          = !same && i < n && (k == m || table[(i + 1) * width + k] >= table[i * width + k + 1]);

      reeve_cli_policy_diff_add (lines,
                                 same   ? ' '
                                 : gone ? '-'
                                        : '+',
                                 same || gone ? a : b, same || gone ? i : k,
                                 (same || gone ? i : k) + 1);
      i += same || gone ? 1 : 0;
      k += same || !gone ? 1 : 0;
    }
}

static gboolean
reeve_cli_policy_diff_is_near (GArray *lines, guint at)
{
  guint from = at > REEVE_CLI_POLICY_DIFF_CONTEXT ? at - REEVE_CLI_POLICY_DIFF_CONTEXT : 0;

  for (guint i = from; i < lines->len && i <= at + REEVE_CLI_POLICY_DIFF_CONTEXT; i++)
    if (g_array_index (lines, ReeveCliPolicyLine, i).mark != ' ')
      return TRUE;
  return FALSE;
}

/**
 * reeve_cli_policy_diff_new:
 * @before: (nullable): a policy
 * @after: (nullable): what becomes of it
 *
 * Returns: (transfer full): the lines that differ, with some around them
 */
char *
reeve_cli_policy_diff_new (JsonObject *before, JsonObject *after)
{
  g_auto (GStrv) a = reeve_cli_policy_diff_write (before);
  g_auto (GStrv) b = reeve_cli_policy_diff_write (after);
  gsize n = g_strv_length (a);
  gsize m = g_strv_length (b);
  gsize first = 0;
  gsize last = 0;
  g_autoptr (GArray) lines = g_array_new (FALSE, FALSE, sizeof (ReeveCliPolicyLine));
  GString *text = g_string_new (NULL);
  gboolean left_out = FALSE;

  while (first < n && first < m && strcmp (a[first], b[first]) == 0)
    first++;
  while (last < n - first && last < m - first && strcmp (a[n - 1 - last], b[m - 1 - last]) == 0)
    last++;
  reeve_cli_policy_diff_add (lines, ' ', a, 0, first);
  reeve_cli_policy_diff_middle (lines, a + first, n - first - last, b + first, m - first - last);
  reeve_cli_policy_diff_add (lines, ' ', a, n - last, n);
  for (guint i = 0; i < lines->len; i++)
    {
      const ReeveCliPolicyLine *line = &g_array_index (lines, ReeveCliPolicyLine, i);
      gboolean near = reeve_cli_policy_diff_is_near (lines, i);

      if (near)
        g_string_append_printf (text, "%s%c %s\n", left_out ? "  …\n" : "", line->mark, line->text);
      left_out = !near;
    }
  return g_string_free (text, FALSE);
}
