/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Amounts are added up exactly and rounded when they are shown: a subtotal is the sum of what the
 * lines are, not of what they look like. */
#include "cost-report.h"

#include <reeve-plugin-1.h>
#include <string.h>

#include "base/times.h"

#include "csv.h"
#include "money.h"

#define REEVE_COST_REPORT_CURRENCY    "USD"
#define REEVE_COST_REPORT_FOUR        100000 /* nano-units of the fourth decimal */
#define REEVE_COST_REPORT_ADJUSTMENTS 1000
#define REEVE_COST_REPORT_REPORTED    "reported" /* by others, of no model */

__extension__ typedef __int128 ReeveCostWide;

/* One model, or one of whom it is charged to. */
typedef struct
{
  char *name;
  gint64 n[REEVE_USAGE_N_COUNTERS];
} ReeveCostLine;

typedef struct
{
  const char *currency; /* NULL: of rows without a price */
  gboolean by_model;
  ReeveUsageGroupsSees sees;
  gpointer user_data;
  GHashTable *lines; /* name -> ReeveCostLine */
} ReeveCostLines;

static void
reeve_cost_report_free_line (gpointer data)
{
  ReeveCostLine *line = data;

  g_free (line->name);
  g_free (line);
}

static void
reeve_cost_report_add_row (const ReeveUsageRow *row, gpointer user_data)
{
  ReeveCostLines *self = user_data;
  const char *name = self->by_model ? row->model : row->value;
  ReeveCostLine *line = NULL;

  if (self->currency != NULL ? strcmp (row->currency, self->currency) != 0
                             : row->n[REEVE_USAGE_UNPRICED_TOKENS] == 0)
    return;
  if (!self->by_model && self->sees != NULL && *name != '\0' && !self->sees (name, self->user_data))
    name = "";
  line = g_hash_table_lookup (self->lines, name);
  if (line == NULL)
    {
      line = g_new0 (ReeveCostLine, 1);
      line->name = g_strdup (name);
      g_hash_table_insert (self->lines, line->name, line);
    }
  reeve_usage_row_add (line->n, row->n);
}

static gint
reeve_cost_report_compare (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(ReeveCostLine *const *) a)->name, (*(ReeveCostLine *const *) b)->name);
}

/* (transfer container) (element-type ReeveCostLine): by name; they live as long as @self */
static GPtrArray *
reeve_cost_report_collect (ReeveCostLines *self, ReeveUsageTable *table)
{
  GPtrArray *all = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer line = NULL;

  reeve_usage_table_foreach (table, reeve_cost_report_add_row, self);
  g_hash_table_iter_init (&iter, self->lines);
  while (g_hash_table_iter_next (&iter, NULL, &line))
    g_ptr_array_add (all, line);
  g_ptr_array_sort (all, reeve_cost_report_compare);
  return all;
}

/* ---- the draft ---- */

static void
reeve_cost_report_add_line (JsonArray *lines, const char *model, const char *what, gint64 tokens,
                            gint64 nano, gint64 calls, gint64 price)
{
  JsonObject *line = NULL;

  if (tokens == 0 && nano == 0)
    return;
  line = json_object_new ();
  json_object_set_string_member (line, "model", model);
  json_object_set_string_member (line, "what", what);
  json_object_set_int_member (line, "tokens", tokens);
  json_object_set_int_member (line, "nano", nano);
  /* each call was rounded up; a price that has changed since then is not what was paid */
  if (ABS (nano - reeve_money_cost (tokens, price)) <= calls)
    json_object_set_int_member (line, "price", price);
  json_array_add_object_element (lines, line);
}

static void
reeve_cost_report_add_lines (ReeveCostLines *self, ReeveUsageTable *table, ReevePrices *prices,
                             JsonObject *draft)
{
  g_autoptr (GPtrArray) models = reeve_cost_report_collect (self, table);
  JsonArray *lines = json_array_new ();

  for (guint i = 0; i < models->len; i++)
    {
      const ReeveCostLine *model = g_ptr_array_index (models, i);
      const gint64 *n = model->n;
      ReevePrice price = { 0 };

      (void) reeve_prices_find (prices, model->name, &price);
      /* what it was for, only others know */
      if (*model->name == '\0')
        {
          reeve_cost_report_add_line (lines, REEVE_COST_REPORT_REPORTED, "all",
                                      n[REEVE_USAGE_INPUT] + n[REEVE_USAGE_OUTPUT],
                                      n[REEVE_USAGE_COST], n[REEVE_USAGE_REPORTS], 0);
          continue;
        }
      reeve_cost_report_add_line (lines, model->name, "input", n[REEVE_USAGE_INPUT],
                                  n[REEVE_USAGE_INPUT_COST], n[REEVE_USAGE_MODEL_CALLS],
                                  price.input);
      reeve_cost_report_add_line (lines, model->name, "output", n[REEVE_USAGE_OUTPUT],
                                  n[REEVE_USAGE_COST] - n[REEVE_USAGE_INPUT_COST],
                                  n[REEVE_USAGE_MODEL_CALLS], price.output);
    }
  json_object_set_array_member (draft, "lines", lines);
}

static void
reeve_cost_report_add_allocations (ReeveCostLines *self, ReeveUsageTable *table, JsonObject *draft)
{
  g_autoptr (GPtrArray) all = reeve_cost_report_collect (self, table);
  JsonArray *shown = json_array_new ();

  for (guint i = 0; i < all->len; i++)
    {
      const ReeveCostLine *line = g_ptr_array_index (all, i);
      JsonObject *one = json_object_new ();

      if (*line->name != '\0')
        json_object_set_string_member (one, "key", line->name);
      else
        json_object_set_null_member (one, "key");
      json_object_set_int_member (one, "tokens",
                                  line->n[REEVE_USAGE_INPUT] + line->n[REEVE_USAGE_OUTPUT]);
      json_object_set_int_member (one, "nano", line->n[REEVE_USAGE_COST]);
      json_array_add_object_element (shown, one);
    }
  json_object_set_array_member (draft, "allocations", shown);
}

static void
reeve_cost_report_add_unpriced (ReeveCostLines *self, ReeveUsageTable *table, JsonObject *draft)
{
  g_autoptr (GPtrArray) all = reeve_cost_report_collect (self, table);
  JsonArray *shown = json_array_new ();

  for (guint i = 0; i < all->len; i++)
    {
      const ReeveCostLine *line = g_ptr_array_index (all, i);
      JsonObject *one = json_object_new ();

      json_object_set_string_member (one, "model",
                                     *line->name != '\0' ? line->name : REEVE_COST_REPORT_REPORTED);
      json_object_set_int_member (one, "model_calls", line->n[REEVE_USAGE_UNPRICED]);
      json_object_set_int_member (one, "tokens", line->n[REEVE_USAGE_UNPRICED_TOKENS]);
      json_array_add_object_element (shown, one);
    }
  json_object_set_array_member (draft, "unpriced", shown);
}

static void
reeve_cost_report_note_currency (const ReeveUsageRow *row, gpointer user_data)
{
  if (*row->currency != '\0')
    g_hash_table_add (user_data, g_strdup (row->currency));
}

/* Which currency it is in, and which there are besides. */
static void
reeve_cost_report_choose (ReeveUsageTable *table, const char *currency, JsonObject *draft)
{
  g_autoptr (GHashTable) all = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  JsonArray *others = json_array_new ();
  g_autoptr (GList) names = NULL;

  reeve_usage_table_foreach (table, reeve_cost_report_note_currency, all);
  names = g_list_sort (g_hash_table_get_keys (all), (GCompareFunc) strcmp);
  if (currency == NULL)
    currency = names != NULL && names->next == NULL ? names->data : REEVE_COST_REPORT_CURRENCY;
  for (GList *link = names; link != NULL; link = link->next)
    if (strcmp (link->data, currency) != 0)
      json_array_add_string_element (others, link->data);
  json_object_set_string_member (draft, "currency", currency);
  json_object_set_array_member (draft, "other_currencies", others);
}

JsonObject *
reeve_cost_report_draft (ReeveUsageTable *table, const ReeveUsageSpread *spread,
                         ReeveUsageSeries series, const char *currency, ReevePrices *prices,
                         ReeveUsageGroupsSees sees, gpointer user_data)
{
  JsonObject *draft = json_object_new ();
  ReeveCostLines lines = { .by_model = TRUE, .sees = sees, .user_data = user_data };
  g_autoptr (GHashTable) rows
      = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, reeve_cost_report_free_line);

  json_object_set_int_member (draft, "begin", spread->begin);
  json_object_set_int_member (draft, "end", spread->end);
  json_object_set_boolean_member (draft, "complete", spread->complete);
  json_object_set_string_member (draft, "allocate_by", reeve_usage_series_name (series));
  reeve_cost_report_choose (table, currency, draft);
  lines.lines = rows;
  lines.currency = json_object_get_string_member (draft, "currency");
  reeve_cost_report_add_lines (&lines, table, prices, draft);
  g_hash_table_remove_all (rows);
  lines.by_model = FALSE;
  reeve_cost_report_add_allocations (&lines, table, draft);
  g_hash_table_remove_all (rows);
  lines.by_model = TRUE;
  lines.currency = NULL;
  reeve_cost_report_add_unpriced (&lines, table, draft);
  json_object_set_array_member (draft, "adjustments", json_array_new ());
  return draft;
}

/* ---- adjustments ---- */

static gint64 reeve_cost_report_sum (JsonObject *draft, const char *member);

/* Whether what the adjustments come to with one more, and the total with them, are numbers. */
static gboolean
reeve_cost_report_has_room (JsonObject *draft, gint64 nano)
{
  gint64 adjusted = 0;
  gint64 total = 0;

  return !__builtin_add_overflow (reeve_cost_report_sum (draft, "adjustments"), nano, &adjusted)
         && !__builtin_add_overflow (reeve_cost_report_sum (draft, "lines"), adjusted, &total);
}

gboolean
reeve_cost_report_adjust (JsonObject *draft, const char *amount, const char *reason,
                          const char *user_id, gint64 time, GError **error)
{
  JsonArray *before = json_object_get_array_member (draft, "adjustments");
  JsonArray *adjustments = NULL;
  gboolean minus = *amount == '-';
  gint64 nano = 0;
  JsonObject *one = NULL;

  if (!reeve_money_parse (amount + (minus ? 1 : 0), 9, &nano, error))
    {
      reeve_error_prefix_member (error, "/amount");
      return FALSE;
    }
  if (json_array_get_length (before) >= REEVE_COST_REPORT_ADJUSTMENTS)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE,
                   "a report has at most %d adjustments", REEVE_COST_REPORT_ADJUSTMENTS);
      return FALSE;
    }
  nano = minus ? -nano : nano;
  if (!reeve_cost_report_has_room (draft, nano))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "with %s the report is more than can be counted", amount);
      reeve_error_prefix_member (error, "/amount");
      return FALSE;
    }
  /* what is read of the store is not changed */
  adjustments = json_array_new ();
  for (guint i = 0; i < json_array_get_length (before); i++)
    json_array_add_element (adjustments, json_node_copy (json_array_get_element (before, i)));
  one = json_object_new ();
  json_object_set_int_member (one, "nano", nano);
  json_object_set_string_member (one, "reason", reason);
  json_object_set_string_member (one, "by", user_id);
  json_object_set_int_member (one, "at", time);
  json_array_add_object_element (adjustments, one);
  json_object_set_array_member (draft, "adjustments", adjustments);
  return TRUE;
}

/* ---- showing ---- */

/**
 * reeve_cost_report_format:
 * @nano: an amount
 * @four: with four decimals, rounded half away from zero; else exactly
 *
 * Returns: (transfer full): decimal text
 */
char *
reeve_cost_report_format (gint64 nano, gboolean four)
{
  guint64 size = nano < 0 ? 0 - (guint64) nano : (guint64) nano;
  guint64 parts = 0;

  if (!four)
    return reeve_money_format (nano);
  parts = size / REEVE_COST_REPORT_FOUR
          + (size % REEVE_COST_REPORT_FOUR >= REEVE_COST_REPORT_FOUR / 2);
  return g_strdup_printf ("%s%" G_GUINT64_FORMAT ".%04" G_GUINT64_FORMAT,
                          nano < 0 && parts > 0 ? "-" : "", parts / 10000, parts % 10000);
}

static gint64
reeve_cost_report_sum (JsonObject *draft, const char *member)
{
  JsonArray *array = json_object_get_array_member (draft, member);
  gint64 sum = 0;

  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      gint64 nano = json_object_get_int_member (json_array_get_object_element (array, i), "nano");

      if (__builtin_add_overflow (sum, nano, &sum))
        sum = nano < 0 ? G_MININT64 : G_MAXINT64;
    }
  return sum;
}

static void
reeve_cost_report_set_amount (JsonObject *shown, const char *member, gint64 nano, gboolean four)
{
  g_autofree char *text = reeve_cost_report_format (nano, four);

  json_object_set_string_member (shown, member, text);
}

static void
reeve_cost_report_set_time (JsonObject *shown, const char *member, gint64 time)
{
  char text[REEVE_TIMES_BUFFER];

  reeve_times_print (time, text);
  json_object_set_string_member (shown, member, text);
}

/* (transfer full) price of a thousand: the table's, else what was paid on average */
static char *
reeve_cost_report_price (JsonObject *line)
{
  gint64 tokens = json_object_get_int_member (line, "tokens");
  gint64 nano = json_object_get_int_member (line, "nano");
  ReeveCostWide wide = (ReeveCostWide) nano * 1000;

  if (json_object_has_member (line, "price"))
    {
      /* pico-units: three digits more */
      gint64 pico = json_object_get_int_member (line, "price");
      g_autofree char *text = reeve_money_format (pico / 1000);

      if (pico % 1000 == 0)
        return g_steal_pointer (&text);
      return g_strdup_printf ("%" G_GINT64_FORMAT ".%012" G_GINT64_FORMAT,
                              pico / G_GINT64_CONSTANT (1000000000000),
                              pico % G_GINT64_CONSTANT (1000000000000));
    }
  return reeve_money_format (tokens > 0 ? (gint64) (wide / tokens) : 0);
}

static JsonObject *
reeve_cost_report_show_line (JsonObject *line)
{
  g_autofree char *description
      = g_strdup_printf ("%s: %s tokens", json_object_get_string_member (line, "model"),
                         json_object_get_string_member (line, "what"));
  g_autofree char *price = reeve_cost_report_price (line);
  /* thousands with their decimals */
  g_autofree char *quantity
      = reeve_money_format (json_object_get_int_member (line, "tokens") * 1000000);
  JsonObject *shown = json_object_new ();

  json_object_set_string_member (shown, "description", description);
  json_object_set_string_member (shown, "quantity", quantity);
  json_object_set_string_member (shown, "unit", "1000 tokens");
  json_object_set_string_member (shown, "unit_price", price);
  json_object_set_boolean_member (shown, "average", !json_object_has_member (line, "price"));
  reeve_cost_report_set_amount (shown, "total", json_object_get_int_member (line, "nano"), TRUE);
  return shown;
}

static JsonObject *
reeve_cost_report_show_allocation (JsonObject *one)
{
  JsonObject *shown = json_object_new ();

  json_object_set_member (shown, "key", json_node_copy (json_object_get_member (one, "key")));
  json_object_set_int_member (shown, "total_tokens", json_object_get_int_member (one, "tokens"));
  reeve_cost_report_set_amount (shown, "total", json_object_get_int_member (one, "nano"), TRUE);
  return shown;
}

static JsonObject *
reeve_cost_report_show_adjustment (JsonObject *one)
{
  JsonObject *shown = json_object_new ();

  reeve_cost_report_set_amount (shown, "amount", json_object_get_int_member (one, "nano"), TRUE);
  json_object_set_string_member (shown, "reason", json_object_get_string_member (one, "reason"));
  json_object_set_string_member (shown, "by", json_object_get_string_member (one, "by"));
  reeve_cost_report_set_time (shown, "at", json_object_get_int_member (one, "at"));
  return shown;
}

static void
reeve_cost_report_show_all (JsonObject *draft, const char *from, const char *to,
                            JsonObject *(*show) (JsonObject *one), JsonObject *shown)
{
  JsonArray *array = json_object_get_array_member (draft, from);
  JsonArray *all = json_array_new ();

  for (guint i = 0; i < json_array_get_length (array); i++)
    json_array_add_object_element (all, show (json_array_get_object_element (array, i)));
  json_object_set_array_member (shown, to, all);
}

static void
reeve_cost_report_copy (JsonObject *draft, JsonObject *shown, const char *member)
{
  json_object_set_member (shown, member, json_node_copy (json_object_get_member (draft, member)));
}

void
reeve_cost_report_show (JsonObject *draft, JsonObject *shown)
{
  gint64 subtotal = reeve_cost_report_sum (draft, "lines");
  gint64 adjusted = reeve_cost_report_sum (draft, "adjustments");
  gint64 total = 0;

  if (__builtin_add_overflow (subtotal, adjusted, &total))
    total = adjusted < 0 ? G_MININT64 : G_MAXINT64;
  reeve_cost_report_set_time (shown, "period_start", json_object_get_int_member (draft, "begin"));
  reeve_cost_report_set_time (shown, "period_end", json_object_get_int_member (draft, "end"));
  reeve_cost_report_copy (draft, shown, "complete");
  reeve_cost_report_copy (draft, shown, "currency");
  reeve_cost_report_copy (draft, shown, "other_currencies");
  reeve_cost_report_show_all (draft, "lines", "line_items", reeve_cost_report_show_line, shown);
  reeve_cost_report_set_amount (shown, "subtotal", subtotal, TRUE);
  reeve_cost_report_show_all (draft, "adjustments", "adjustments",
                              reeve_cost_report_show_adjustment, shown);
  reeve_cost_report_set_amount (shown, "total", total, TRUE);
  reeve_cost_report_set_amount (shown, "exact_total", total, FALSE);
  reeve_cost_report_copy (draft, shown, "allocate_by");
  reeve_cost_report_show_all (draft, "allocations", "allocations",
                              reeve_cost_report_show_allocation, shown);
  reeve_cost_report_copy (draft, shown, "unpriced");
}

/* ---- CSV ---- */

static void
reeve_cost_report_print_row (GString *out, const char *kind, const char *description,
                             const char *rest, const char *total, const char *currency)
{
  g_string_append_printf (out, "%s,", kind);
  reeve_csv_append (out, description);
  g_string_append_printf (out, ",%s,%s,%s\r\n", rest, total, currency);
}

static void
reeve_cost_report_print_lines (GString *out, JsonArray *lines, const char *currency)
{
  for (guint i = 0; i < json_array_get_length (lines); i++)
    {
      JsonObject *line = json_array_get_object_element (lines, i);
      g_autofree char *rest
          = g_strdup_printf ("%s,1000 tokens,%s", json_object_get_string_member (line, "quantity"),
                             json_object_get_string_member (line, "unit_price"));

      reeve_cost_report_print_row (out, "line_item",
                                   json_object_get_string_member (line, "description"), rest,
                                   json_object_get_string_member (line, "total"), currency);
    }
}

static void
reeve_cost_report_print_others (GString *out, JsonArray *all, const char *kind, const char *name,
                                const char *amount, const char *currency)
{
  for (guint i = 0; i < json_array_get_length (all); i++)
    {
      JsonObject *one = json_array_get_object_element (all, i);

      reeve_cost_report_print_row (out, kind, reeve_json_get_string (one, name, ""), ",,",
                                   json_object_get_string_member (one, amount), currency);
    }
}

/**
 * reeve_cost_report_print_csv:
 * @shown: a report as it is shown
 *
 * Returns: (transfer full): a row for each line, adjustment and allocation, by its kind
 */
char *
reeve_cost_report_print_csv (JsonObject *shown)
{
  const char *currency = json_object_get_string_member (shown, "currency");
  GString *out = g_string_new ("kind,description,quantity,unit,unit_price,total,currency\r\n");
  JsonArray *unpriced = json_object_get_array_member (shown, "unpriced");

  reeve_cost_report_print_lines (out, json_object_get_array_member (shown, "line_items"), currency);
  reeve_cost_report_print_row (out, "subtotal", "", ",,",
                               json_object_get_string_member (shown, "subtotal"), currency);
  reeve_cost_report_print_others (out, json_object_get_array_member (shown, "adjustments"),
                                  "adjustment", "reason", "amount", currency);
  reeve_cost_report_print_row (out, "total", "", ",,",
                               json_object_get_string_member (shown, "total"), currency);
  reeve_cost_report_print_others (out, json_object_get_array_member (shown, "allocations"),
                                  "allocation", "key", "total", currency);
  for (guint i = 0; i < json_array_get_length (unpriced); i++)
    {
      JsonObject *one = json_array_get_object_element (unpriced, i);
      g_autofree char *rest = g_strdup_printf ("%" G_GINT64_FORMAT ",tokens,unknown",
                                               json_object_get_int_member (one, "tokens"));

      reeve_cost_report_print_row (out, "unpriced", json_object_get_string_member (one, "model"),
                                   rest, "unknown", currency);
    }
  return g_string_free (out, FALSE);
}
