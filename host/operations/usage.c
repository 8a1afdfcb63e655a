/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tenant used, over governance/usage.h. Who is bound to a workspace sees what was used
 * there; what is hidden from who asks is in the sums, and is not told apart. */
#include "base/times.h"
#include "governance/usage-csv.h"
#include "governance/usage-groups.h"
#include "governance/usage-list.h"
#include "operation-functions.h"
#include "usage-sight.h"

#include <string.h>

#define REEVE_OP_USAGE_PAGE   50
#define REEVE_OP_USAGE_GROUPS 100
/* no id is like this */
#define REEVE_OP_USAGE_NOTHING "@nothing"

/* members by series */
static const char *const reeve_op_usage_members[REEVE_USAGE_N_SERIES]
    = { "model",  "agent_id",   "user_id",     "workspace_id",
        "key_id", "department", "cost_center", "project" };

/* ---- records ---- */

static gboolean
reeve_op_usage_sees_event (const ReeveUsageEvent *event, gpointer user_data)
{
  ReeveUsageSight *self = user_data;
  const char *agent_id = event->values[REEVE_USAGE_BY_AGENT];
  const char *workspace_id = event->values[REEVE_USAGE_BY_WORKSPACE];

  if (self->bound != NULL)
    return g_strcmp0 (self->bound, workspace_id) == 0;
  return (agent_id == NULL || reeve_usage_sight_sees_thing (self, REEVE_STORE_AGENTS, agent_id))
         && (workspace_id == NULL
             || reeve_usage_sight_sees_thing (self, REEVE_STORE_WORKSPACES, workspace_id));
}

static gboolean
reeve_op_usage_read_list (ReeveCall *call, ReeveUsageListAsk *ask, GError **error)
{
  const char *cursor = reeve_call_get_string (call, "cursor");

  for (guint i = 0; i < REEVE_USAGE_N_SERIES; i++)
    ask->values[i] = reeve_call_get_string (call, reeve_op_usage_members[i]);
  ask->run_id = reeve_call_get_string (call, "run_id");
  ask->session_id = reeve_call_get_string (call, "session_id");
  ask->type = reeve_call_get_string (call, "type");
  ask->limit = (guint) reeve_call_get_int (call, "limit", REEVE_OP_USAGE_PAGE);
  if (cursor != NULL
      && !g_ascii_string_to_unsigned (cursor, 10, 1, G_MAXUINT64, &ask->before, NULL))
    {
      reeve_error_set_member (error, "/cursor", "is not one that this list gave");
      return FALSE;
    }
  return reeve_usage_sight_read_times (call, &ask->begin, &ask->end, error);
}

void
reeve_op_usage_list (ReeveCall *call, ReeveServices *services)
{
  ReeveUsageSight sight = { 0 };
  ReeveUsageListAsk ask = { .sees = reeve_op_usage_sees_event, .user_data = &sight };
  g_autofree char *cursor = NULL;
  GError *error = NULL;
  guint64 next = 0;
  JsonArray *items = NULL;
  JsonObject *page = NULL;

  if (reeve_usage_sight_open (&sight, call, services, &error)
      && reeve_op_usage_read_list (call, &ask, &error))
    items
        = reeve_usage_list (services->usage, reeve_call_get_tenant_id (call), &ask, &next, &error);
  reeve_usage_sight_close (&sight);
  if (items == NULL)
    {
      reeve_call_fail (call, error);
      return;
    }
  page = json_object_new ();
  json_object_set_array_member (page, "items", items);
  cursor = g_strdup_printf ("%" G_GUINT64_FORMAT, next);
  if (next != 0)
    json_object_set_string_member (page, "next_cursor", cursor);
  else
    json_object_set_null_member (page, "next_cursor");
  reeve_call_answer (call, page, NULL);
}

/* ---- sums ---- */

/* What is asked for, and how it is put together. */
typedef struct
{
  ReeveUsageAsk ask;
  const char *group_by; /* (nullable) */
  gboolean parts;       /* by hours or days */
  ReeveUsageSeries series;
  guint limit;
} ReeveOpUsageSums;

/* One filter besides the model. */
static gboolean
reeve_op_usage_read_filter (ReeveCall *call, ReeveUsageSight *sight, ReeveUsageAsk *ask,
                            GError **error)
{
  for (guint i = REEVE_USAGE_BY_AGENT; i < REEVE_USAGE_N_SERIES; i++)
    {
      const char *member = reeve_op_usage_members[i];
      const char *value = reeve_call_get_string (call, member);
      g_autofree char *pointer = g_strconcat ("/", member, NULL);

      if (value == NULL)
        continue;
      if (ask->value != NULL)
        {
          reeve_error_set_member (error, pointer, "is one filter too many: one, and the model");
          return FALSE;
        }
      ask->filter = (ReeveUsageSeries) i;
      ask->value = value;
      sight->collection = reeve_usage_sight_collection (ask->filter);
      if (!reeve_usage_sight_sees (value, sight))
        ask->value = REEVE_OP_USAGE_NOTHING;
    }
  if (sight->bound == NULL)
    return TRUE;
  /* sums have a workspace or another filter: of what he may not see, there is nothing */
  if (ask->value != NULL
      && (ask->filter != REEVE_USAGE_BY_WORKSPACE || strcmp (ask->value, sight->bound) != 0))
    {
      ask->value = REEVE_OP_USAGE_NOTHING;
      return TRUE;
    }
  ask->filter = REEVE_USAGE_BY_WORKSPACE;
  ask->value = sight->bound;
  return TRUE;
}

static gboolean
reeve_op_usage_read_sums (ReeveCall *call, ReeveUsageSight *sight, ReeveOpUsageSums *self,
                          GError **error)
{
  self->group_by = reeve_call_get_string (call, "group_by");
  self->limit = (guint) reeve_call_get_int (call, "limit", REEVE_OP_USAGE_GROUPS);
  self->ask.model = reeve_call_get_string (call, "model");
  if (!reeve_usage_sight_read_times (call, &self->ask.begin, &self->ask.end, error)
      || !reeve_op_usage_read_filter (call, sight, &self->ask, error))
    return FALSE;
  if (self->group_by == NULL)
    return TRUE;
  self->parts = !reeve_usage_series_find (self->group_by, &self->series);
  if (self->parts || self->series == REEVE_USAGE_BY_MODEL || self->ask.value == NULL)
    {
      if (!self->parts && self->series != REEVE_USAGE_BY_MODEL)
        self->ask.filter = self->series;
      return TRUE;
    }
  if (self->series == self->ask.filter)
    return TRUE;
  reeve_error_set_member (error, "/group_by", "does not go with this filter: model, hour or day");
  return FALSE;
}

static void
reeve_op_usage_show_spread (const ReeveUsageSpread *spread, JsonObject *shown)
{
  char time[REEVE_TIMES_BUFFER];

  reeve_times_print (spread->begin, time);
  json_object_set_string_member (shown, "period_start", time);
  reeve_times_print (spread->end, time);
  json_object_set_string_member (shown, "period_end", time);
  json_object_set_boolean_member (shown, "complete", spread->complete);
  if (spread->skipped > 0)
    json_object_set_int_member (shown, "skipped_records", (gint64) spread->skipped);
}

static void
reeve_op_usage_show_totals (JsonObject *totals, JsonObject *shown)
{
  json_object_set_int_member (shown, "record_count",
                              json_object_get_int_member (totals, "record_count"));
  json_object_set_object_member (shown, "totals", totals);
}

static void
reeve_op_usage_show_others (JsonObject *others, JsonObject *shown)
{
  if (others != NULL)
    json_object_set_object_member (shown, "others", others);
  else
    json_object_set_null_member (shown, "others");
}

/* By hours or days: those with nothing in them are left out. */
static JsonObject *
reeve_op_usage_sum_parts (ReeveUsageSight *sight, ReeveOpUsageSums *self, GError **error)
{
  gboolean days = g_str_equal (self->group_by, "day");
  gint64 width = days ? G_TIME_SPAN_DAY : G_TIME_SPAN_HOUR;
  ReeveUsageSpread spread = { 0 };
  g_autoptr (GPtrArray) parts
      = reeve_usage_sum_parts (sight->services->usage, reeve_call_get_tenant_id (sight->call),
                               &self->ask, days, &spread, error);
  g_autoptr (ReeveUsageGroups) all = reeve_usage_groups_new (TRUE);
  JsonArray *groups = NULL;
  JsonObject *shown = NULL;

  if (parts == NULL)
    return NULL;
  shown = json_object_new ();
  groups = json_array_new ();
  reeve_op_usage_show_spread (&spread, shown);
  for (guint i = 0; i < parts->len; i++)
    {
      g_autoptr (ReeveUsageGroups) part = reeve_usage_groups_new (TRUE);
      char time[REEVE_TIMES_BUFFER];
      JsonObject *item = NULL;

      if (reeve_usage_table_get_size (parts->pdata[i]) == 0)
        continue;
      reeve_usage_groups_add (all, parts->pdata[i]);
      reeve_usage_groups_add (part, parts->pdata[i]);
      item = reeve_usage_groups_show_totals (part);
      reeve_times_print (spread.begin + i * width, time);
      json_object_set_string_member (item, "key", time);
      json_array_add_object_element (groups, item);
    }
  reeve_op_usage_show_totals (reeve_usage_groups_show_totals (all), shown);
  json_object_set_string_member (shown, "group_by", self->group_by);
  json_object_set_array_member (shown, "groups", groups);
  return shown;
}

/* (transfer full) (nullable) */
static ReeveUsageTable *
reeve_op_usage_sum (ReeveUsageSight *sight, const ReeveUsageAsk *ask, ReeveUsageSpread *spread,
                    GError **error)
{
  g_autoptr (ReeveUsageTable) table = reeve_usage_table_new ();

  return reeve_usage_sum (sight->services->usage, reeve_call_get_tenant_id (sight->call), ask,
                          table, spread, error)
             ? g_steal_pointer (&table)
             : NULL;
}

static JsonObject *
reeve_op_usage_sum_groups (ReeveUsageSight *sight, ReeveOpUsageSums *self, GError **error)
{
  ReeveUsageSpread spread = { 0 };
  gboolean by_model = self->series == REEVE_USAGE_BY_MODEL;
  g_autoptr (ReeveUsageGroups) groups = reeve_usage_groups_new (by_model);
  g_autoptr (ReeveUsageTable) table = NULL;
  JsonObject *others = NULL;
  JsonArray *items = NULL;
  JsonObject *shown = NULL;

  self->ask.flat = !by_model;
  table = reeve_op_usage_sum (sight, &self->ask, &spread, error);
  if (table == NULL)
    return NULL;
  reeve_usage_groups_add (groups, table);
  sight->collection = by_model ? NULL : reeve_usage_sight_collection (self->series);
  shown = json_object_new ();
  reeve_op_usage_show_spread (&spread, shown);
  reeve_op_usage_show_totals (reeve_usage_groups_show_totals (groups), shown);
  items = reeve_usage_groups_show (groups, self->limit, reeve_usage_sight_sees, sight, &others);
  json_object_set_string_member (shown, "group_by", self->group_by);
  json_object_set_array_member (shown, "groups", items);
  reeve_op_usage_show_others (others, shown);
  return shown;
}

static void
reeve_op_usage_show_by (ReeveUsageSight *sight, ReeveUsageGroups *groups, guint limit,
                        const char *member, JsonObject *shown)
{
  g_autoptr (JsonObject) others = NULL;

  json_object_set_array_member (
      shown, member,
      reeve_usage_groups_show (groups, limit, reeve_usage_sight_sees, sight, &others));
}

/* By model, and where no other filter is given by agent: of one table, so that they agree. */
static JsonObject *
reeve_op_usage_sum_all (ReeveUsageSight *sight, ReeveOpUsageSums *self, GError **error)
{
  ReeveUsageSpread spread = { 0 };
  g_autoptr (ReeveUsageGroups) models = reeve_usage_groups_new (TRUE);
  g_autoptr (ReeveUsageGroups) agents = reeve_usage_groups_new (FALSE);
  g_autoptr (ReeveUsageTable) table = NULL;
  JsonObject *shown = NULL;

  if (self->ask.value == NULL)
    self->ask.filter = REEVE_USAGE_BY_AGENT;
  table = reeve_op_usage_sum (sight, &self->ask, &spread, error);
  if (table == NULL)
    return NULL;
  reeve_usage_groups_add (models, table);
  reeve_usage_groups_add (agents, table);
  shown = json_object_new ();
  reeve_op_usage_show_spread (&spread, shown);
  reeve_op_usage_show_totals (reeve_usage_groups_show_totals (models), shown);
  sight->collection = NULL;
  reeve_op_usage_show_by (sight, models, self->limit, "by_model", shown);
  sight->collection = REEVE_STORE_AGENTS;
  if (self->ask.filter == REEVE_USAGE_BY_AGENT)
    reeve_op_usage_show_by (sight, agents, self->limit, "by_agent", shown);
  return shown;
}

void
reeve_op_usage_aggregate (ReeveCall *call, ReeveServices *services)
{
  ReeveUsageSight sight = { 0 };
  ReeveOpUsageSums sums = { 0 };
  GError *error = NULL;
  JsonObject *shown = NULL;

  if (reeve_usage_sight_open (&sight, call, services, &error)
      && reeve_op_usage_read_sums (call, &sight, &sums, &error))
    {
      if (sums.group_by == NULL)
        shown = reeve_op_usage_sum_all (&sight, &sums, &error);
      else if (sums.parts)
        shown = reeve_op_usage_sum_parts (&sight, &sums, &error);
      else
        shown = reeve_op_usage_sum_groups (&sight, &sums, &error);
    }
  reeve_usage_sight_close (&sight);
  reeve_usage_sight_answer (call, shown, reeve_usage_csv_print, error);
}

/* ---- reports by others ---- */

/* Members that go together. */
static gboolean
reeve_op_usage_check_report (ReeveCall *call, GError **error)
{
  JsonObject *params = reeve_call_get_params (call);
  const char *type = reeve_json_get_string (params, "type", "tokens");
  gboolean tokens = json_object_has_member (params, "tokens_used");
  gboolean amount = json_object_has_member (params, "amount");
  gboolean parts = json_object_has_member (params, "input_tokens")
                   || json_object_has_member (params, "output_tokens");
  gint64 sum = reeve_call_get_int (call, "input_tokens", 0)
               + reeve_call_get_int (call, "output_tokens", 0);

  if (g_str_equal (type, "tokens") && !tokens && !parts && !amount)
    reeve_error_set_member (error, "/tokens_used", "is missing");
  else if (amount && (tokens || parts) && g_str_equal (type, "tokens"))
    reeve_error_set_member (error, "/amount", "is tokens_used: report one of them");
  else if (tokens && parts && sum != reeve_call_get_int (call, "tokens_used", 0))
    reeve_error_set_member (error, "/tokens_used", "is not input_tokens and output_tokens");
  else if (!g_str_equal (type, "tokens") && (tokens || parts))
    reeve_error_set_member (error, "/type", "is not tokens: report these apart");
  else if (g_str_equal (type, "cost") && !json_object_has_member (params, "cost"))
    reeve_error_set_member (error, "/cost", "is missing");
  else if (g_str_equal (type, "cost") ? amount : !g_str_equal (type, "tokens") && !amount)
    reeve_error_set_member (error, "/amount", amount ? "is none of cost" : "is missing");
  else
    return TRUE;
  return FALSE;
}

void
reeve_op_usage_report (ReeveCall *call, ReeveServices *services)
{
  ReeveAdmitted *admitted = reeve_call_get_admitted (call);
  const char *tenant_id = reeve_call_get_tenant_id (call);
  const ReeveBudgetWho who = { .agent_id = reeve_call_get_string (call, "agent_id") };
  g_autoptr (JsonObject) left = NULL;
  JsonObject *shown = NULL;
  GError *error = NULL;
  gboolean exists = FALSE;

  if (!reeve_workspaces_exists (services->workspaces, reeve_call_get_caller (call),
                                REEVE_STORE_AGENTS, who.agent_id, TRUE, &exists, &error))
    exists = FALSE;
  if (!exists && error == NULL)
    g_set_error (&error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, REEVE_STORE_MISSING,
                 REEVE_STORE_AGENTS);
  if (error == NULL && reeve_op_usage_check_report (call, &error))
    {
      /* it stands in its intent, and is spent with the outcome */
      reeve_admitted_consume_exactly (admitted, REEVE_USAGE_ACTION_REPORT, NULL,
                                      reeve_call_get_params (call));
      left = reeve_budgets_check (services->budgets, tenant_id, &who, NULL, 0);
    }
  if (left != NULL)
    {
      shown = json_object_new ();
      json_object_set_boolean_member (shown, "success", TRUE);
      json_object_set_member (shown, "remaining",
                              json_node_copy (json_object_get_member (left, "remaining")));
    }
  reeve_call_answer (call, shown, error);
}
