/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sums of usage as a table: a row for all, for each group, and for the groups that are left out. */
#include "usage-csv.h"

#include <reeve-json.h>

#include "csv.h"

/* numbers of each row, in their order */
static const char *const reeve_usage_csv_members[] = { "record_count",
                                                       "total_tokens",
                                                       "input_tokens",
                                                       "output_tokens",
                                                       "estimated_tokens",
                                                       "api_calls",
                                                       "runs",
                                                       "total_execution_duration_ms",
                                                       "model_calls",
                                                       "model_duration_ms",
                                                       "total_tool_invocations",
                                                       "rag_queries",
                                                       "report_count",
                                                       "failed",
                                                       "refused",
                                                       "unpriced_model_calls",
                                                       "unpriced_tokens" };

static void
reeve_usage_csv_print_start (GString *out, JsonObject *sums, const char *kind, const char *key)
{
  g_string_append_printf (out, "%s,", kind);
  reeve_csv_append (out, key);
  for (guint i = 0; i < G_N_ELEMENTS (reeve_usage_csv_members); i++)
    {
      g_string_append_c (out, ',');
      if (sums != NULL)
        g_string_append_printf (out, "%" G_GINT64_FORMAT,
                                json_object_get_int_member (sums, reeve_usage_csv_members[i]));
    }
}

/* Money of two currencies is never added up: each has a row, of which the first has the numbers. */
static void
reeve_usage_csv_print_row (GString *out, JsonObject *sums, const char *kind, const char *key)
{
  JsonArray *costs = json_object_get_array_member (sums, "costs");

  reeve_usage_csv_print_start (out, sums, kind, key);
  if (json_array_get_length (costs) == 0)
    g_string_append (out, ",,\r\n");
  for (guint i = 0; i < json_array_get_length (costs); i++)
    {
      JsonObject *cost = json_array_get_object_element (costs, i);

      if (i > 0)
        reeve_usage_csv_print_start (out, NULL, kind, key);
      g_string_append_printf (out, ",%s,%s\r\n", json_object_get_string_member (cost, "amount"),
                              json_object_get_string_member (cost, "currency"));
    }
}

static void
reeve_usage_csv_print_groups (GString *out, JsonObject *shown, const char *member, const char *kind)
{
  JsonArray *groups = reeve_json_get_array (shown, member);

  for (guint i = 0; groups != NULL && i < json_array_get_length (groups); i++)
    {
      JsonObject *group = json_array_get_object_element (groups, i);

      reeve_usage_csv_print_row (out, group, kind, reeve_json_get_string (group, "key", ""));
    }
}

/**
 * reeve_usage_csv_print:
 * @shown: sums as they are shown, all members of UsageAggregation
 *
 * Returns: (transfer full): RFC 4180 with a header: `kind` is `total`, what is grouped by, or
 *   `others`; a group without a name is what belongs to none
 */
char *
reeve_usage_csv_print (JsonObject *shown)
{
  GString *out = g_string_new ("kind,key");
  JsonObject *others = reeve_json_get_object (shown, "others");

  for (guint i = 0; i < G_N_ELEMENTS (reeve_usage_csv_members); i++)
    g_string_append_printf (out, ",%s", reeve_usage_csv_members[i]);
  g_string_append (out, ",cost,currency\r\n");
  reeve_usage_csv_print_row (out, json_object_get_object_member (shown, "totals"), "total", "");
  reeve_usage_csv_print_groups (out, shown, "by_model", "model");
  reeve_usage_csv_print_groups (out, shown, "by_agent", "agent");
  reeve_usage_csv_print_groups (out, shown, "groups",
                                reeve_json_get_string (shown, "group_by", ""));
  if (others != NULL)
    reeve_usage_csv_print_row (out, others, "others", "");
  return g_string_free (out, FALSE);
}
