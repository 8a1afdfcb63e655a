/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is counted goes into the table of its hour. When a day is over the tables of its hours are
 * added up, when a month is, those of its days; a record that comes late, because a clock was set
 * back, goes into all that exist. So a sum over any time adds some dozens of tables. */
#include "usage-state.h"

#define REEVE_USAGE_STATE_HOURS 24

static GArray *
reeve_usage_state_read_numbers (JsonObject *fields, const char *member)
{
  JsonArray *array = reeve_json_get_array (fields, member);
  GArray *numbers = g_array_new (FALSE, FALSE, sizeof (gint64));

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      gint64 number = json_array_get_int_element (array, i);

      g_array_append_val (numbers, number);
    }
  return numbers;
}

static void
reeve_usage_state_write_numbers (JsonObject *fields, const char *member, GArray *numbers)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < numbers->len; i++)
    json_array_add_int_element (array, g_array_index (numbers, gint64, i));
  json_object_set_array_member (fields, member, array);
}

/**
 * reeve_usage_state_load:
 * @store: an open store
 * @tenant_id: whose
 * @error: return location
 *
 * Returns: (transfer full): how far it is; of a tenant that has none yet, the beginning
 */
ReeveUsageState *
reeve_usage_state_load (ReeveStore *store, const char *tenant_id, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (ReeveRecord) record
      = reeve_store_get (store, tenant_id, REEVE_STORE_USAGE, REEVE_USAGE_STATE_ID, &local);
  g_autoptr (JsonObject) none = json_object_new ();
  JsonObject *fields = record != NULL ? reeve_record_get_fields (record) : none;
  ReeveUsageState *self = NULL;

  if (record == NULL && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  self = g_new0 (ReeveUsageState, 1);
  self->seq = (guint64) reeve_json_get_int (fields, "seq", 0);
  self->skipped = (guint64) reeve_json_get_int (fields, "skipped", 0);
  self->first = reeve_json_get_int (fields, "first", -1);
  self->last = reeve_json_get_int (fields, "last", -1);
  self->day = reeve_json_get_int (fields, "day", 0);
  self->month = reeve_json_get_int (fields, "month", 0);
  self->days = reeve_usage_state_read_numbers (fields, "days");
  self->months = reeve_usage_state_read_numbers (fields, "months");
  self->revision = record != NULL ? reeve_record_get_revision (record) : REEVE_REVISION_ABSENT;
  return self;
}

void
reeve_usage_state_free (ReeveUsageState *self)
{
  g_array_unref (self->days);
  g_array_unref (self->months);
  g_free (self);
}

/**
 * reeve_usage_state_save:
 * @self: how far it is
 * @batch: with the tables that go with it; it fails when somebody else was here
 */
void
reeve_usage_state_save (ReeveUsageState *self, ReeveBatch *batch)
{
  g_autoptr (JsonObject) fields = json_object_new ();

  json_object_set_int_member (fields, "seq", (gint64) self->seq);
  json_object_set_int_member (fields, "skipped", (gint64) self->skipped);
  json_object_set_int_member (fields, "first", self->first);
  json_object_set_int_member (fields, "last", self->last);
  json_object_set_int_member (fields, "day", self->day);
  json_object_set_int_member (fields, "month", self->month);
  reeve_usage_state_write_numbers (fields, "days", self->days);
  reeve_usage_state_write_numbers (fields, "months", self->months);
  reeve_batch_put (batch, REEVE_STORE_USAGE, REEVE_USAGE_STATE_ID, fields, self->revision);
}

/* ---- adding ---- */

static void
reeve_usage_state_note (GArray *numbers, gint64 number)
{
  for (guint i = 0; i < numbers->len; i++)
    if (g_array_index (numbers, gint64, i) == number)
      return;
  g_array_append_val (numbers, number);
}

static gint64
reeve_usage_state_month_of (gint64 day)
{
  return reeve_usage_span_of (REEVE_USAGE_MONTH, reeve_usage_span_begin (REEVE_USAGE_DAY, day));
}

static const ReeveUsageChoice reeve_usage_state_flat = { .flat = TRUE };

static gboolean
reeve_usage_state_add_table (ReeveUsagePages *pages, const ReeveUsagePage *page,
                             ReeveUsageTable *added, GError **error)
{
  ReeveUsageTable *table = reeve_usage_pages_change (pages, page, error);

  if (table != NULL)
    reeve_usage_table_merge (table, added, page->flat ? &reeve_usage_state_flat : NULL);
  return table != NULL;
}

static gboolean
reeve_usage_state_add_to (ReeveUsagePages *pages, ReeveUsageSpan span, gint64 number,
                          ReeveUsageTable *const *tables, GError **error)
{
  for (guint i = 0; i < REEVE_USAGE_N_SERIES; i++)
    {
      ReeveUsagePage page = { .span = span, .number = number, .series = (ReeveUsageSeries) i };

      if (!reeve_usage_state_add_table (pages, &page, tables[i], error))
        return FALSE;
      page.flat = TRUE;
      if (span != REEVE_USAGE_HOUR && i != REEVE_USAGE_BY_MODEL
          && !reeve_usage_state_add_table (pages, &page, tables[i], error))
        return FALSE;
    }
  return TRUE;
}

/**
 * reeve_usage_state_add:
 * @self: how far it is
 * @pages: the tables
 * @hour: by number
 * @tables: one for each series: what is added
 * @error: return location
 *
 * Returns: %FALSE when a table cannot be read
 */
gboolean
reeve_usage_state_add (ReeveUsageState *self, ReeveUsagePages *pages, gint64 hour,
                       ReeveUsageTable *const *tables, GError **error)
{
  gint64 day = hour / REEVE_USAGE_STATE_HOURS;
  gint64 month = reeve_usage_state_month_of (day);

  if (self->first < 0 || hour < self->first)
    self->first = hour;
  self->last = MAX (self->last, hour);
  if (!reeve_usage_state_add_to (pages, REEVE_USAGE_HOUR, hour, tables, error))
    return FALSE;
  if (day >= self->day)
    {
      reeve_usage_state_note (self->days, day);
      return TRUE;
    }
  if (!reeve_usage_state_add_to (pages, REEVE_USAGE_DAY, day, tables, error))
    return FALSE;
  if (month >= self->month)
    {
      reeve_usage_state_note (self->months, month);
      return TRUE;
    }
  return reeve_usage_state_add_to (pages, REEVE_USAGE_MONTH, month, tables, error);
}

/* ---- closing ---- */

/* The table of @whole out of those of the smaller span from @first to @last. */
static gboolean
reeve_usage_state_fold_one (ReeveUsagePages *pages, const ReeveUsagePage *whole, gint64 first,
                            gint64 last, GError **error)
{
  ReeveUsageTable *table = reeve_usage_pages_change (pages, whole, error);

  if (table == NULL)
    return FALSE;
  for (gint64 part = first; part <= last; part++)
    {
      const ReeveUsagePage page = { .span = whole->span - 1,
                                    .number = part,
                                    .series = whole->series,
                                    .flat = whole->flat && whole->span == REEVE_USAGE_MONTH };

      if (!reeve_usage_pages_add_to (pages, &page, whole->flat ? &reeve_usage_state_flat : NULL,
                                     table, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
reeve_usage_state_fold (ReeveUsagePages *pages, ReeveUsageSpan span, gint64 number, gint64 first,
                        gint64 last, GError **error)
{
  for (guint i = 0; i < REEVE_USAGE_N_SERIES; i++)
    {
      ReeveUsagePage whole = { .span = span, .number = number, .series = (ReeveUsageSeries) i };

      if (!reeve_usage_state_fold_one (pages, &whole, first, last, error))
        return FALSE;
      whole.flat = TRUE;
      if (i != REEVE_USAGE_BY_MODEL
          && !reeve_usage_state_fold_one (pages, &whole, first, last, error))
        return FALSE;
    }
  return TRUE;
}

static gint64
reeve_usage_state_first_day (gint64 month)
{
  return reeve_usage_span_of (REEVE_USAGE_DAY, reeve_usage_span_begin (REEVE_USAGE_MONTH, month));
}

static gboolean
reeve_usage_state_close_days (ReeveUsageState *self, ReeveUsagePages *pages, gint64 today,
                              GError **error)
{
  for (guint i = self->days->len; i > 0; i--)
    {
      gint64 day = g_array_index (self->days, gint64, i - 1);
      gint64 hour = day * REEVE_USAGE_STATE_HOURS;

      if (day >= today)
        continue;
      if (!reeve_usage_state_fold (pages, REEVE_USAGE_DAY, day, hour,
                                   hour + REEVE_USAGE_STATE_HOURS - 1, error))
        return FALSE;
      reeve_usage_state_note (self->months, reeve_usage_state_month_of (day));
      g_array_remove_index (self->days, i - 1);
    }
  self->day = MAX (self->day, today);
  return TRUE;
}

/**
 * reeve_usage_state_close:
 * @self: how far it is
 * @pages: the tables
 * @hour: of now
 * @error: return location
 *
 * Returns: %FALSE when a table cannot be read
 */
gboolean
reeve_usage_state_close (ReeveUsageState *self, ReeveUsagePages *pages, gint64 hour, GError **error)
{
  gint64 today = hour / REEVE_USAGE_STATE_HOURS;
  gint64 now = reeve_usage_state_month_of (today);

  if (today <= self->day)
    return TRUE;
  if (!reeve_usage_state_close_days (self, pages, today, error))
    return FALSE;
  for (guint i = self->months->len; i > 0; i--)
    {
      gint64 month = g_array_index (self->months, gint64, i - 1);

      if (month >= now)
        continue;
      if (!reeve_usage_state_fold (pages, REEVE_USAGE_MONTH, month,
                                   reeve_usage_state_first_day (month),
                                   reeve_usage_state_first_day (month + 1) - 1, error))
        return FALSE;
      g_array_remove_index (self->months, i - 1);
    }
  self->month = MAX (self->month, now);
  return TRUE;
}

/* ---- summing up ---- */

/* The longest span that begins at @hour, is over and does not reach beyond @end. */
static ReeveUsagePage
reeve_usage_state_choose (const ReeveUsageState *self, gint64 hour, gint64 end, gint64 *next)
{
  gint64 day = hour / REEVE_USAGE_STATE_HOURS;
  gint64 month = reeve_usage_state_month_of (day);
  gint64 after = reeve_usage_state_first_day (month + 1) * REEVE_USAGE_STATE_HOURS;
  gboolean whole = hour % REEVE_USAGE_STATE_HOURS == 0;

  if (whole && day == reeve_usage_state_first_day (month) && month < self->month && after <= end)
    {
      *next = after;
      return (ReeveUsagePage){ .span = REEVE_USAGE_MONTH, .number = month };
    }
  if (whole && day < self->day && hour + REEVE_USAGE_STATE_HOURS <= end)
    {
      *next = hour + REEVE_USAGE_STATE_HOURS;
      return (ReeveUsagePage){ .span = REEVE_USAGE_DAY, .number = day };
    }
  *next = hour + 1;
  return (ReeveUsagePage){ .span = REEVE_USAGE_HOUR, .number = hour };
}

/**
 * reeve_usage_state_sum:
 * @self: how far it is
 * @pages: the tables
 * @series: by what
 * @choice: (nullable): which rows; all
 * @begin: the first hour, by number
 * @end: the hour behind the last
 * @table: where it is added
 * @error: return location
 *
 * Returns: %FALSE when a table cannot be read
 */
gboolean
reeve_usage_state_sum (const ReeveUsageState *self, ReeveUsagePages *pages, ReeveUsageSeries series,
                       const ReeveUsageChoice *choice, gint64 begin, gint64 end,
                       ReeveUsageTable *table, GError **error)
{
  gint64 next = 0;

  if (self->first < 0)
    return TRUE;
  for (gint64 hour = MAX (begin, self->first); hour < end && hour <= self->last; hour = next)
    {
      ReeveUsagePage page = reeve_usage_state_choose (self, hour, end, &next);

      page.series = series;
      page.flat = choice != NULL && choice->flat && page.span != REEVE_USAGE_HOUR
                  && series != REEVE_USAGE_BY_MODEL;
      if (!reeve_usage_pages_add_to (pages, &page, choice, table, error))
        return FALSE;
    }
  return TRUE;
}
