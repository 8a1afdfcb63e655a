/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A budget as it is shown outside. */
#include "budget.h"

#include "base/times.h"

#include "budget-window.h"
#include "money.h"

#include <string.h>

/* ISO 4217: no currency */
#define REEVE_BUDGET_SHOW_ANY "XXX"

static void
reeve_budget_show_tokens (const ReeveBudget *self, JsonObject *shown)
{
  json_object_set_int_member (shown, "tokens_used", self->tokens_used);
  json_object_set_int_member (shown, "tokens_reserved", self->tokens_reserved);
  if (self->token_limit == REEVE_BUDGET_NONE)
    {
      json_object_set_null_member (shown, "token_limit");
      json_object_set_null_member (shown, "tokens_remaining");
      return;
    }
  json_object_set_int_member (shown, "token_limit", reeve_budget_get_token_limit (self));
  json_object_set_int_member (shown, "tokens_remaining", reeve_budget_get_tokens_open (self));
}

static void
reeve_budget_show_cost (const ReeveBudget *self, JsonObject *shown)
{
  const struct
  {
    const char *member;
    gint64 amount;
  } rows[] = { { "cost_limit", reeve_budget_get_cost_limit (self) },
               { "cost_used", reeve_budget_get_cost_used (self) },
               { "cost_reserved", reeve_budget_get_cost_reserved (self) },
               { "cost_remaining", reeve_budget_get_cost_open (self) } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (self->cost_limit == REEVE_BUDGET_NONE)
      json_object_set_null_member (shown, rows[i].member);
    else
      json_object_set_object_member (shown, rows[i].member,
                                     reeve_money_show (rows[i].amount, self->currency));
}

/* Whatever has a limit: each currency by itself, by name. */
static void
reeve_budget_show_costs (const ReeveBudget *self, JsonObject *shown)
{
  JsonArray *costs = json_array_new ();
  const char *last = NULL;

  for (guint i = 0; i < self->money.n; i++)
    {
      const ReeveBudgetAmount *next = NULL;

      for (guint j = 0; j < self->money.n; j++)
        if ((last == NULL || strcmp (self->money.rows[j].currency, last) > 0)
            && (next == NULL || strcmp (self->money.rows[j].currency, next->currency) < 0))
          next = &self->money.rows[j];
      last = next->currency;
      if (next->used > 0)
        json_array_add_object_element (
            costs, reeve_money_show (next->used, *last != '\0' ? last : REEVE_BUDGET_SHOW_ANY));
    }
  json_object_set_array_member (shown, "costs_used", costs);
}

static void
reeve_budget_show_time (JsonObject *shown, const char *member, gint64 time)
{
  g_autofree char *text = time > 0 ? reeve_times_format (time) : NULL;

  if (text != NULL)
    json_object_set_string_member (shown, member, text);
  else
    json_object_set_null_member (shown, member);
}

static void
reeve_budget_show_subject (const ReeveBudget *self, JsonObject *shown)
{
  static const struct
  {
    const char *prefix;
    const char *member;
  } rows[] = { { "agents/", "agent_id" },
               { "users/", "user_id" },
               { "keys/", "key_id" },
               { "workspaces/", "workspace_id" } };

  json_object_set_string_member (shown, "scope", self->key);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (g_str_has_prefix (self->key, rows[i].prefix))
      json_object_set_string_member (shown, rows[i].member, self->key + strlen (rows[i].prefix));
  if (!json_object_has_member (shown, "agent_id"))
    json_object_set_null_member (shown, "agent_id");
}

/**
 * reeve_budget_show:
 * @self: a budget
 * @tenant_id: whose
 *
 * Returns: (transfer full): it with what is used, reserved and left, as it is shown outside
 */
JsonObject *
reeve_budget_show (const ReeveBudget *self, const char *tenant_id)
{
  JsonObject *shown = json_object_new ();
  gint64 length = self->period_days * REEVE_TIMES_DAY;
  gint64 began = self->anchor + (self->period - self->base) * length;

  json_object_set_string_member (shown, "budget_id", self->id);
  json_object_set_string_member (shown, "org_id", tenant_id);
  reeve_budget_show_subject (self, shown);
  reeve_budget_show_tokens (self, shown);
  reeve_budget_show_cost (self, shown);
  reeve_budget_show_costs (self, shown);
  reeve_budget_window_show (self, shown);
  json_object_set_int_member (shown, "reset_period_days", self->period_days);
  json_object_set_int_member (shown, "period", self->period);
  reeve_budget_show_time (shown, "last_reset_at", began);
  reeve_budget_show_time (shown, "next_reset_at", length > 0 ? began + length : 0);
  json_object_set_double_member (shown, "alert_at", (double) self->alert_at / 1000);
  json_object_set_int_member (shown, "revision", self->revision);
  if (self->set_by != NULL)
    json_object_set_string_member (shown, "set_by", self->set_by);
  else
    json_object_set_null_member (shown, "set_by");
  reeve_budget_show_time (shown, "created_at", self->created_at);
  reeve_budget_show_time (shown, "updated_at", self->updated_at);
  return shown;
}
