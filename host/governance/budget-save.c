/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The record of a budget. */
#include "budget-window.h"

#include <string.h>

/**
 * reeve_budget_save:
 * @self: a budget
 *
 * Returns: (transfer full): fields of its record; what is spent is in counters
 */
JsonObject *
reeve_budget_save (const ReeveBudget *self)
{
  JsonObject *fields = json_object_new ();
  const char *slash = strchr (self->key, '/');
  g_autofree char *kind
      = slash != NULL ? g_strndup (self->key, (gsize) (slash - self->key)) : g_strdup (self->key);

  json_object_set_string_member (fields, "kind", kind);
  json_object_set_string_member (fields, "subject", slash != NULL ? slash + 1 : "");
  json_object_set_string_member (fields, "budget_id", self->id);
  json_object_set_int_member (fields, "token_limit", self->token_limit);
  json_object_set_int_member (fields, "cost_limit", self->cost_limit);
  json_object_set_string_member (fields, "currency", self->currency);
  json_object_set_int_member (fields, "period_days", self->period_days);
  json_object_set_int_member (fields, "anchor", self->anchor);
  json_object_set_int_member (fields, "base", self->base);
  json_object_set_int_member (fields, "period", self->period);
  json_object_set_int_member (fields, "alert_at", self->alert_at);
  json_object_set_string_member (fields, "set_by", self->set_by != NULL ? self->set_by : "");
  json_object_set_int_member (fields, "revision", self->revision);
  json_object_set_int_member (fields, "created_at", self->created_at);
  json_object_set_int_member (fields, "from_seq", self->from_seq);
  json_object_set_int_member (fields, "updated_at", self->updated_at);
  reeve_budget_window_save (self, fields);
  return fields;
}

/**
 * reeve_budget_load:
 * @key: whose it is
 * @fields: what reeve_budget_save() made
 *
 * Returns: (transfer full): the budget, nothing spent
 */
/* layers: allow prefix: reads what is saved */
ReeveBudget *
reeve_budget_load (const char *key, JsonObject *fields)
{
  ReeveBudget *self = reeve_budget_new (key, reeve_json_get_string (fields, "budget_id", key));

  self->token_limit = reeve_json_get_int (fields, "token_limit", REEVE_BUDGET_NONE);
  self->cost_limit = reeve_json_get_int (fields, "cost_limit", REEVE_BUDGET_NONE);
  g_strlcpy (self->currency, reeve_json_get_string (fields, "currency", ""), sizeof self->currency);
  self->period_days = reeve_json_get_int (fields, "period_days", REEVE_BUDGET_PERIOD_DAYS);
  self->anchor = reeve_json_get_int (fields, "anchor", 0);
  self->base = reeve_json_get_int (fields, "base", 0);
  self->period = MAX (self->base, reeve_json_get_int (fields, "period", 0));
  self->alert_at = reeve_json_get_int (fields, "alert_at", REEVE_BUDGET_ALERT);
  self->set_by = g_strdup (reeve_json_get_string (fields, "set_by", ""));
  self->revision = reeve_json_get_int (fields, "revision", 0);
  self->created_at = reeve_json_get_int (fields, "created_at", 0);
  self->from_seq = reeve_json_get_int (fields, "from_seq", 0);
  self->updated_at = reeve_json_get_int (fields, "updated_at", 0);
  reeve_budget_window_load (self, fields);
  return self;
}
