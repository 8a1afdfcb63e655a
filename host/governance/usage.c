/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whoever asks reads on first, so that what was just done is in the answer; a thread does the same
 * now and then. Of one log there is one reader at a time: the others wait for him, and find it
 * done.
 */
#include "usage-private.h"

#include "base/times.h"

#define REEVE_USAGE_LOOK_US (5 * G_TIME_SPAN_SECOND)

G_DEFINE_FINAL_TYPE (ReeveUsage, reeve_usage, G_TYPE_OBJECT)

static void
reeve_usage_free_book (gpointer data)
{
  ReeveUsageBook *book = data;

  g_hash_table_unref (book->open);
  g_free (book);
}

static void
reeve_usage_finalize (GObject *object)
{
  ReeveUsage *self = REEVE_USAGE (object);

  reeve_usage_stop (self);
  g_hash_table_unref (self->books);
  g_clear_object (&self->store);
  g_clear_object (&self->ledger);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->wake);
  G_OBJECT_CLASS (reeve_usage_parent_class)->finalize (object);
}

static void
reeve_usage_class_init (ReeveUsageClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_usage_finalize;
}

static void
reeve_usage_init (ReeveUsage *self)
{
  g_mutex_init (&self->mutex);
  g_cond_init (&self->wake);
  self->books = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, reeve_usage_free_book);
}

/**
 * reeve_usage_new:
 * @store: where the sums are kept
 * @ledger: what is summed up
 * @prices: (transfer none): what models cost; outlives this
 *
 * Returns: (transfer full): usage of all tenants
 */
ReeveUsage *
reeve_usage_new (ReeveStore *store, ReeveLedger *ledger, ReevePrices *prices)
{
  ReeveUsage *self = g_object_new (REEVE_TYPE_USAGE, NULL);

  self->store = g_object_ref (store);
  self->ledger = g_object_ref (ledger);
  self->prices = prices;
  return self;
}

/* ---- one reader of each log ---- */

static ReeveUsageBook *
reeve_usage_take_book (ReeveUsage *self, const char *tenant_id)
{
  ReeveUsageBook *book = NULL;

  g_mutex_lock (&self->mutex);
  book = g_hash_table_lookup (self->books, tenant_id);
  if (book == NULL)
    {
      book = g_new0 (ReeveUsageBook, 1);
      book->open = g_hash_table_new_full (g_direct_hash, g_direct_equal, NULL,
                                          (GDestroyNotify) reeve_usage_intent_free);
      g_hash_table_insert (self->books, g_strdup (tenant_id), book);
    }
  while (book->busy)
    g_cond_wait (&self->wake, &self->mutex);
  book->busy = TRUE;
  g_mutex_unlock (&self->mutex);
  return book;
}

static void
reeve_usage_give_book (ReeveUsage *self, ReeveUsageBook *book)
{
  g_mutex_lock (&self->mutex);
  book->busy = FALSE;
  g_cond_broadcast (&self->wake);
  g_mutex_unlock (&self->mutex);
}

/**
 * reeve_usage_catch_up:
 * @self: usage
 * @tenant_id: whose
 * @most: how many records at most; some more may be
 * @complete: (out): whether all is summed up that was in the log when it was called
 * @error: return location
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_usage_catch_up (ReeveUsage *self, const char *tenant_id, guint64 most, gboolean *complete,
                      GError **error)
{
  guint64 size = reeve_ledger_get_size (self->ledger, tenant_id);
  ReeveUsageBook *book = reeve_usage_take_book (self, tenant_id);
  guint64 begin = 0;
  gboolean good = TRUE;
  gboolean ended = book->position >= size;
  gboolean said = FALSE;

  while (good && !ended && (begin == 0 || book->position < begin + most))
    {
      good = reeve_usage_read_on (self, book, tenant_id, &ended, error);
      begin = begin == 0 ? MAX (book->position, 1) : begin;
      ended = ended || book->position >= size;
    }
  *complete = ended;
  said = !good && book->stuck;
  book->stuck = !good;
  reeve_usage_give_book (self, book);
  g_prefix_error (error, "summing up what %s used: ", tenant_id);
  /* it is tried again: nothing is lost, and whoever asks is told */
  if (!good && !said)
    g_warning ("%s", error != NULL && *error != NULL ? (*error)->message : "usage is stuck");
  return good;
}

/* ---- the thread ---- */

static gboolean
reeve_usage_is_stopping (ReeveUsage *self)
{
  gboolean stopping = FALSE;

  g_mutex_lock (&self->mutex);
  stopping = self->stopping;
  g_mutex_unlock (&self->mutex);
  return stopping;
}

static void
reeve_usage_follow (ReeveUsage *self, const char *tenant_id)
{
  g_autoptr (GError) error = NULL;
  gboolean complete = FALSE;

  while (!complete && error == NULL && !reeve_usage_is_stopping (self))
    (void) reeve_usage_catch_up (self, tenant_id, 1, &complete, &error);
}

/* TRUE: go on */
static gboolean
reeve_usage_wait (ReeveUsage *self)
{
  gint64 end = g_get_monotonic_time () + REEVE_USAGE_LOOK_US;
  gboolean go_on = FALSE;

  g_mutex_lock (&self->mutex);
  while (!self->stopping && g_get_monotonic_time () < end)
    (void) g_cond_wait_until (&self->wake, &self->mutex, end);
  go_on = !self->stopping;
  g_mutex_unlock (&self->mutex);
  return go_on;
}

static gpointer
reeve_usage_run (gpointer data)
{
  ReeveUsage *self = data;

  while (reeve_usage_wait (self))
    {
      g_auto (GStrv) scopes = reeve_ledger_list_scopes (self->ledger, NULL);

      for (guint i = 0; scopes != NULL && scopes[i] != NULL; i++)
        if (*scopes[i] != '@' && reeve_store_has_scope (self->store, scopes[i]))
          reeve_usage_follow (self, scopes[i]);
    }
  return NULL;
}

void
reeve_usage_start (ReeveUsage *self)
{
  self->thread = g_thread_new ("reeve-usage", reeve_usage_run, self);
}

void
reeve_usage_stop (ReeveUsage *self)
{
  g_mutex_lock (&self->mutex);
  self->stopping = TRUE;
  g_cond_broadcast (&self->wake);
  g_mutex_unlock (&self->mutex);
  g_clear_pointer (&self->thread, g_thread_join);
}

/* ---- questions ---- */

static gboolean
reeve_usage_sum_hours (ReeveUsagePages *pages, const ReeveUsageState *state,
                       const ReeveUsageAsk *ask, gint64 begin, gint64 end, ReeveUsageTable *table,
                       GError **error)
{
  /* a table without models cannot be searched for one */
  const ReeveUsageChoice choice
      = { .value = ask->value, .model = ask->model, .flat = ask->flat && ask->model == NULL };

  return reeve_usage_state_sum (state, pages, ask->filter, &choice, begin, end, table, error);
}

/* Catches up, and finds out which hours are meant. */
static ReeveUsageState *
reeve_usage_prepare (ReeveUsage *self, const char *tenant_id, const ReeveUsageAsk *ask,
                     gint64 *first, gint64 *end, ReeveUsageSpread *spread, GError **error)
{
  gint64 until = ask->end > 0 ? ask->end : reeve_times_now () + 1;
  ReeveUsageState *state = NULL;

  reeve_ledger_wait (self->ledger);
  if (!reeve_usage_catch_up (self, tenant_id, REEVE_USAGE_MOST, &spread->complete, error))
    return NULL;
  state = reeve_usage_state_load (self->store, tenant_id, error);
  if (state == NULL)
    return NULL;
  *end = reeve_usage_span_of (REEVE_USAGE_HOUR, until + G_TIME_SPAN_HOUR - 1);
  *first = ask->begin > 0      ? reeve_usage_span_of (REEVE_USAGE_HOUR, ask->begin)
           : state->first >= 0 ? state->first
                               : *end - 1;
  *first = MIN (*first, *end);
  spread->begin = reeve_usage_span_begin (REEVE_USAGE_HOUR, *first);
  spread->end = reeve_usage_span_begin (REEVE_USAGE_HOUR, *end);
  spread->skipped = state->skipped;
  return state;
}

/**
 * reeve_usage_sum:
 * @self: usage
 * @tenant_id: whose
 * @ask: what is asked
 * @table: where the rows are added, by the value of the filter's series
 * @spread: (out caller-allocates): what the sums are of
 * @error: return location
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_usage_sum (ReeveUsage *self, const char *tenant_id, const ReeveUsageAsk *ask,
                 ReeveUsageTable *table, ReeveUsageSpread *spread, GError **error)
{
  gint64 first = 0;
  gint64 end = 0;
  g_autoptr (ReeveUsageState) state
      = reeve_usage_prepare (self, tenant_id, ask, &first, &end, spread, error);
  g_autoptr (ReeveUsagePages) pages = reeve_usage_pages_new (self->store, tenant_id);

  return state != NULL && reeve_usage_sum_hours (pages, state, ask, first, end, table, error);
}

/**
 * reeve_usage_sum_parts:
 * @self: usage
 * @tenant_id: whose
 * @ask: what is asked
 * @days: by days of UTC, else by hours
 * @spread: (out caller-allocates): what the sums are of; of days, whole ones
 * @error: return location
 *
 * Returns: (transfer full) (element-type ReeveUsageTable): one for each, oldest first; %NULL with
 * %REEVE_ERROR_INVALID_ARGUMENT or a store's error
 */
GPtrArray *
reeve_usage_sum_parts (ReeveUsage *self, const char *tenant_id, const ReeveUsageAsk *ask,
                       gboolean days, ReeveUsageSpread *spread, GError **error)
{
  gint64 width = days ? G_TIME_SPAN_DAY / G_TIME_SPAN_HOUR : 1;
  gint64 first = 0;
  gint64 end = 0;
  g_autoptr (ReeveUsageState) state
      = reeve_usage_prepare (self, tenant_id, ask, &first, &end, spread, error);
  g_autoptr (ReeveUsagePages) pages = reeve_usage_pages_new (self->store, tenant_id);
  g_autoptr (GPtrArray) parts
      = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_usage_table_free);

  if (state == NULL)
    return NULL;
  first -= first % width;
  end += (width - end % width) % width;
  if ((end - first) / width > REEVE_USAGE_MOST_PARTS)
    {
      reeve_error_set_member (error, "/start", "is too long ago for so small parts");
      return NULL;
    }
  for (gint64 hour = first; hour < end; hour += width)
    {
      ReeveUsageTable *part = reeve_usage_table_new ();

      g_ptr_array_add (parts, part);
      if (!reeve_usage_sum_hours (pages, state, ask, hour, hour + width, part, error))
        return NULL;
    }
  spread->begin = reeve_usage_span_begin (REEVE_USAGE_HOUR, first);
  spread->end = reeve_usage_span_begin (REEVE_USAGE_HOUR, end);
  return g_steal_pointer (&parts);
}
