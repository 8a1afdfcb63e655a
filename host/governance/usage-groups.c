/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Amounts of different currencies are never added up. */
#include "usage-groups.h"

#include "money.h"

typedef struct
{
  const char *key; /* of the group's own memory */
  gint64 n[REEVE_USAGE_N_COUNTERS];
  GHashTable *costs; /* currency -> gint64*, where a price is known */
} ReeveUsageGroup;

struct _ReeveUsageGroups
{
  gboolean by_model;
  GHashTable *groups; /* key -> ReeveUsageGroup */
};

static ReeveUsageGroup *
reeve_usage_group_new (const char *key)
{
  ReeveUsageGroup *group = g_new0 (ReeveUsageGroup, 1);

  group->key = g_strdup (key);
  group->costs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return group;
}

static void
reeve_usage_group_free (ReeveUsageGroup *group)
{
  g_hash_table_unref (group->costs);
  g_free ((char *) group->key);
  g_free (group);
}

static void
reeve_usage_group_add_cost (ReeveUsageGroup *group, const char *currency, gint64 cost)
{
  gint64 *sum = g_hash_table_lookup (group->costs, currency);

  if (sum == NULL)
    {
      sum = g_new0 (gint64, 1);
      g_hash_table_insert (group->costs, g_strdup (currency), sum);
    }
  if (__builtin_add_overflow (*sum, cost, sum))
    *sum = G_MAXINT64;
}

static void
reeve_usage_group_add_row (ReeveUsageGroup *group, const ReeveUsageRow *row)
{
  reeve_usage_row_add (group->n, row->n);
  if (*row->currency != '\0')
    reeve_usage_group_add_cost (group, row->currency, row->n[REEVE_USAGE_COST]);
}

static void
reeve_usage_group_merge (ReeveUsageGroup *group, ReeveUsageGroup *other)
{
  GHashTableIter iter;
  gpointer currency = NULL;
  gpointer cost = NULL;

  reeve_usage_row_add (group->n, other->n);
  g_hash_table_iter_init (&iter, other->costs);
  while (g_hash_table_iter_next (&iter, &currency, &cost))
    reeve_usage_group_add_cost (group, currency, *(gint64 *) cost);
}

/**
 * reeve_usage_groups_new:
 * @by_model: put together by model, else by value
 *
 * Returns: (transfer full): nothing yet
 */
ReeveUsageGroups *
reeve_usage_groups_new (gboolean by_model)
{
  ReeveUsageGroups *self = g_new0 (ReeveUsageGroups, 1);

  self->by_model = by_model;
  self->groups = g_hash_table_new_full (g_str_hash, g_str_equal, NULL,
                                        (GDestroyNotify) reeve_usage_group_free);
  return self;
}

void
reeve_usage_groups_free (ReeveUsageGroups *self)
{
  g_hash_table_unref (self->groups);
  g_free (self);
}

static void
reeve_usage_groups_add_row (const ReeveUsageRow *row, gpointer user_data)
{
  ReeveUsageGroups *self = user_data;
  const char *key = self->by_model ? row->model : row->value;
  ReeveUsageGroup *group = g_hash_table_lookup (self->groups, key);

  if (group == NULL)
    {
      group = reeve_usage_group_new (key);
      g_hash_table_insert (self->groups, (gpointer) group->key, group);
    }
  reeve_usage_group_add_row (group, row);
}

void
reeve_usage_groups_add (ReeveUsageGroups *self, ReeveUsageTable *table)
{
  reeve_usage_table_foreach (table, reeve_usage_groups_add_row, self);
}

/* ---- showing ---- */

/* (transfer container) in no order */
static GPtrArray *
reeve_usage_groups_collect (GHashTable *table, gboolean keys)
{
  GPtrArray *all = g_ptr_array_sized_new (g_hash_table_size (table));
  GHashTableIter iter;
  gpointer key = NULL;
  gpointer value = NULL;

  g_hash_table_iter_init (&iter, table);
  while (g_hash_table_iter_next (&iter, &key, &value))
    g_ptr_array_add (all, keys ? key : value);
  return all;
}

static gint
reeve_usage_group_compare_text (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(const char *const *) a, *(const char *const *) b);
}

static JsonArray *
reeve_usage_group_show_costs (ReeveUsageGroup *group)
{
  JsonArray *shown = json_array_new ();
  g_autoptr (GPtrArray) currencies = reeve_usage_groups_collect (group->costs, TRUE);

  g_ptr_array_sort (currencies, reeve_usage_group_compare_text);
  for (guint i = 0; i < currencies->len; i++)
    {
      const char *currency = g_ptr_array_index (currencies, i);
      const gint64 *cost = g_hash_table_lookup (group->costs, currency);

      json_array_add_object_element (shown, reeve_money_show (*cost, currency));
    }
  return shown;
}

static void
reeve_usage_group_show (ReeveUsageGroup *group, JsonObject *shown)
{
  static const struct
  {
    const char *name;
    ReeveUsageCounter counter;
    gint64 unit;
  } members[] = {
    { "api_calls", REEVE_USAGE_API_CALLS, 1 },
    { "runs", REEVE_USAGE_RUNS, 1 },
    { "model_calls", REEVE_USAGE_MODEL_CALLS, 1 },
    { "input_tokens", REEVE_USAGE_INPUT, 1 },
    { "output_tokens", REEVE_USAGE_OUTPUT, 1 },
    { "estimated_tokens", REEVE_USAGE_ESTIMATED, 1 },
    { "total_tool_invocations", REEVE_USAGE_TOOL_CALLS, 1 },
    { "total_execution_duration_ms", REEVE_USAGE_RUN_TIME, G_TIME_SPAN_MILLISECOND },
    { "model_duration_ms", REEVE_USAGE_MODEL_TIME, G_TIME_SPAN_MILLISECOND },
    { "report_count", REEVE_USAGE_REPORTS, 1 },
    { "failed", REEVE_USAGE_FAILED, 1 },
    { "refused", REEVE_USAGE_REFUSED, 1 },
    { "rag_queries", REEVE_USAGE_RAG_QUERIES, 1 },
    { "unpriced_model_calls", REEVE_USAGE_UNPRICED, 1 },
    { "unpriced_tokens", REEVE_USAGE_UNPRICED_TOKENS, 1 },
  };
  const gint64 *n = group->n;

  json_object_set_int_member (shown, "record_count", n[REEVE_USAGE_RECORDS]);
  json_object_set_int_member (shown, "total_tokens",
                              n[REEVE_USAGE_INPUT] > G_MAXINT64 - n[REEVE_USAGE_OUTPUT]
                                  ? G_MAXINT64
                                  : n[REEVE_USAGE_INPUT] + n[REEVE_USAGE_OUTPUT]);
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    json_object_set_int_member (shown, members[i].name, n[members[i].counter] / members[i].unit);
  json_object_set_boolean_member (shown, "priced", n[REEVE_USAGE_UNPRICED_TOKENS] == 0);
  json_object_set_array_member (shown, "costs", reeve_usage_group_show_costs (group));
}

/**
 * reeve_usage_groups_show_totals:
 * @self: groups
 *
 * Returns: (transfer full): the sums of all of them
 */
JsonObject *
reeve_usage_groups_show_totals (ReeveUsageGroups *self)
{
  ReeveUsageGroup *all = reeve_usage_group_new ("");
  JsonObject *shown = json_object_new ();
  GHashTableIter iter;
  gpointer group = NULL;

  g_hash_table_iter_init (&iter, self->groups);
  while (g_hash_table_iter_next (&iter, NULL, &group))
    reeve_usage_group_merge (all, group);
  reeve_usage_group_show (all, shown);
  reeve_usage_group_free (all);
  return shown;
}

/* Whoever took most comes first: by tokens, then records, then the name. */
static gint
reeve_usage_group_compare (gconstpointer a, gconstpointer b)
{
  const ReeveUsageGroup *left = *(ReeveUsageGroup *const *) a;
  const ReeveUsageGroup *right = *(ReeveUsageGroup *const *) b;
  double by_tokens = (double) right->n[REEVE_USAGE_INPUT] + (double) right->n[REEVE_USAGE_OUTPUT]
                     - (double) left->n[REEVE_USAGE_INPUT] - (double) left->n[REEVE_USAGE_OUTPUT];
  gint64 by_records = right->n[REEVE_USAGE_RECORDS] - left->n[REEVE_USAGE_RECORDS];

  if (by_tokens < 0 || by_tokens > 0)
    return by_tokens < 0 ? -1 : 1;
  if (by_records != 0)
    return by_records < 0 ? -1 : 1;
  return g_strcmp0 (left->key, right->key);
}

/**
 * reeve_usage_groups_show:
 * @self: groups
 * @limit: how many at most
 * @sees: (nullable) (scope call): who asks; %NULL: sees all
 * @user_data: for @sees
 * @others: (out) (transfer full) (nullable): the sums of those that are not shown
 *
 * Returns: (transfer full): those that took most, with their key; null is the key of what belongs
 * to none
 */
JsonArray *
reeve_usage_groups_show (ReeveUsageGroups *self, guint limit, ReeveUsageGroupsSees sees,
                         gpointer user_data, JsonObject **others)
{
  g_autoptr (GPtrArray) all = reeve_usage_groups_collect (self->groups, FALSE);
  JsonArray *shown = json_array_new ();
  ReeveUsageGroup *rest = NULL;

  g_ptr_array_sort (all, reeve_usage_group_compare);
  for (guint i = 0; i < all->len; i++)
    {
      ReeveUsageGroup *group = g_ptr_array_index (all, i);
      JsonObject *item = NULL;

      if (json_array_get_length (shown) >= limit
          || (sees != NULL && *group->key != '\0' && !sees (group->key, user_data)))
        {
          rest = rest != NULL ? rest : reeve_usage_group_new ("");
          reeve_usage_group_merge (rest, group);
          continue;
        }
      item = json_object_new ();
      if (*group->key != '\0')
        json_object_set_string_member (item, "key", group->key);
      else
        json_object_set_null_member (item, "key");
      reeve_usage_group_show (group, item);
      json_array_add_object_element (shown, item);
    }
  *others = rest != NULL ? json_object_new () : NULL;
  if (rest != NULL)
    {
      reeve_usage_group_show (rest, *others);
      reeve_usage_group_free (rest);
    }
  return shown;
}
