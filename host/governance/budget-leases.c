/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The platform's counter says what was given to tenants; what a tenant spends of it says its own
 * log. So a host that dies leaves nothing to guess: the next one reads the log, and what was given
 * beyond that comes back. At every point the sum of what tenants spent is no more than what they
 * were given, and that no more than the limit. */
#include "budget-leases-private.h"

#include "budgets.h"
#include "directory.h"

/* other hosts, or a period that ends meanwhile */
#define REEVE_BUDGET_LEASES_TRIES 8
/* a slice: so many calls like the one that asks, or this share of the limit */
#define REEVE_BUDGET_LEASES_CALLS 8
#define REEVE_BUDGET_LEASES_SHARE 128
/* but no more than this part of what nobody has */
#define REEVE_BUDGET_LEASES_PART 4
/* nobody is asked again so soon, where nobody had anything */
#define REEVE_BUDGET_LEASES_DRY (100 * G_TIME_SPAN_MILLISECOND)
/* what was not touched for so long comes back; looked at so often */
#define REEVE_BUDGET_LEASES_IDLE  (2 * G_TIME_SPAN_MINUTE)
#define REEVE_BUDGET_LEASES_SWEEP (20 * G_TIME_SPAN_SECOND)

/**
 * reeve_budget_leases_new:
 * @store: has the counters
 * @ledger: is told of the alert
 * @limits: {token_limit?, cost_limit?, reset_period_days?, alert_at?}
 * @list: all books that there are
 * @user_data: for @list
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the platform's budget; %NULL without an error when it has no
 * limit
 */
ReeveBudgetLeases *
reeve_budget_leases_new (ReeveStore *store, ReeveLedger *ledger, JsonObject *limits,
                         ReeveBudgetLeasesList list, gpointer user_data, GError **error)
{
  g_autoptr (ReeveBudget) model = reeve_budget_new (REEVE_BUDGET_PLATFORM, "");
  ReeveBudgetLeases *self = NULL;

  if (!reeve_budget_set_limits (model, limits, 0, error)
      || (model->token_limit == REEVE_BUDGET_NONE && model->cost_limit == REEVE_BUDGET_NONE))
    return NULL;
  g_free (model->id);
  model->id = g_strdup_printf ("platform-%" G_GINT64_FORMAT, model->period_days);
  self = g_new0 (ReeveBudgetLeases, 1);
  self->table = (ReeveBudgetLeasesTable){ .store = g_object_ref (store),
                                          .host = g_strdup (g_get_host_name ()),
                                          .days = model->period_days,
                                          .token_limit = model->token_limit,
                                          .cost_limit = model->cost_limit };
  memcpy (self->table.currency, model->currency, sizeof model->currency);
  self->ledger = g_object_ref (ledger);
  self->pool = reeve_budget_pool_new (model->token_limit, model->cost_limit);
  self->model = g_steal_pointer (&model);
  self->list = list;
  self->user_data = user_data;
  self->wishes = g_async_queue_new_full ((GDestroyNotify) reeve_budget_leases_wish_free);
  self->told_period = -1;
  self->idle = REEVE_BUDGET_LEASES_IDLE;
  self->sweep = REEVE_BUDGET_LEASES_SWEEP;
  g_mutex_init (&self->lock);
  return self;
}

/**
 * reeve_budget_leases_free:
 * @self: the platform's budget
 *
 * Ends its thread. Blocks.
 */
void
reeve_budget_leases_free (ReeveBudgetLeases *self)
{
  reeve_budget_leases_stop (self);
  g_object_unref (self->table.store);
  g_free (self->table.host);
  g_object_unref (self->ledger);
  reeve_budget_unref (self->model);
  reeve_budget_pool_unref (self->pool);
  g_async_queue_unref (self->wishes);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/**
 * reeve_budget_leases_new_budget:
 * @self: the platform's budget
 *
 * Returns: (transfer full): a tenant's part of it: nothing yet
 */
ReeveBudget *
reeve_budget_leases_new_budget (ReeveBudgetLeases *self)
{
  ReeveBudget *budget = reeve_budget_dup (self->model);

  budget->pool = reeve_budget_pool_ref (self->pool);
  if (budget->token_limit != REEVE_BUDGET_NONE)
    budget->token_limit = 0;
  if (budget->cost_limit != REEVE_BUDGET_NONE)
    budget->cost_limit = 0;
  return budget;
}

/* ---- one tenant: on the thread, or before it begins and behind its end ---- */

static void
reeve_budget_leases_tell (ReeveBudgetLeases *self, const char *action, const char *reason)
{
  ReeveLedgerRecord record = { .kind = REEVE_LEDGER_EVENT,
                               .scope = REEVE_SCOPE_PLATFORM,
                               .action = action,
                               .resource_type = "budget",
                               .resource_id = REEVE_BUDGET_PLATFORM,
                               .reason = reason,
                               .door = "internal" };

  g_warning ("the budget of the platform has reached its %s",
             g_str_equal (reason, "alert_at") ? "alert" : "limit");
  reeve_ledger_append_async (self->ledger, &record, NULL, NULL);
}

/* What tenants hold counts as spent here. */
static void
reeve_budget_leases_look (ReeveBudgetLeases *self, const ReeveBudgetLeasesRow *row, gboolean silent)
{
  const ReeveBudget *model = self->model;
  ReeveBudgetAmount given = { .used = row->cost_total };
  /* others read the model meanwhile */
  ReeveBudget seen = { .token_limit = model->token_limit,
                       .cost_limit = model->cost_limit,
                       .alert_at = model->alert_at,
                       .tokens_used = row->tokens_total,
                       .money = { .rows = &given, .n = 1 } };
  guint told = 0;

  /* a tenant that rests stands in a period that is over for the others */
  if (row->period < self->told_period)
    return;
  reeve_budget_pool_set_left (self->pool, row->period, model->token_limit - row->tokens_total,
                              model->cost_limit - row->cost_total);
  seen.told = self->told_period == row->period ? self->told : 0;
  told = reeve_budget_notice (&seen);
  self->told_period = row->period;
  self->told = seen.told;
  if (silent)
    return;
  if ((told & REEVE_BUDGET_TOLD_ALERT) != 0)
    reeve_budget_leases_tell (self, REEVE_BUDGETS_ACTION_ALERT, "alert_at");
  if ((told & REEVE_BUDGET_TOLD_EXHAUSTED) != 0)
    reeve_budget_leases_tell (self, REEVE_BUDGETS_ACTION_EXHAUSTED, "exhausted");
}

static gint64
reeve_budget_leases_plan (gint64 limit, gint64 total, gint64 given, gint64 taken, gint64 wanted)
{
  gint64 left = MAX (limit - total, 0);
  gint64 missing = taken + wanted - given;
  gint64 more = MAX (wanted * (REEVE_BUDGET_LEASES_CALLS - 1), limit / REEVE_BUDGET_LEASES_SHARE);

  if (limit == REEVE_BUDGET_NONE)
    return 0;
  if (missing <= 0)
    return given;
  if (missing < left)
    missing += MIN (more, (left - missing) / REEVE_BUDGET_LEASES_PART);
  /* a service that counts more than was reserved is written down as it counted */
  return given + MAX (MIN (missing, left), taken - given);
}

/* The tenant may have what the row says. */
static void
reeve_budget_leases_open (ReeveBudgetLeases *self, ReeveBudgetBook *book, ReeveBudgetSlice *slice,
                          const ReeveBudgetLeasesRow *row)
{
  slice->tokens = slice->tokens == REEVE_BUDGET_NONE ? REEVE_BUDGET_NONE : row->tokens;
  slice->cost = slice->cost == REEVE_BUDGET_NONE ? REEVE_BUDGET_NONE : row->cost;
  reeve_budget_book_put_slice (book, slice);
}

static gboolean
reeve_budget_leases_is_race (const GError *error)
{
  return g_error_matches (error, REEVE_ERROR, REEVE_ERROR_CONFLICT)
         || g_error_matches (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS)
         || g_error_matches (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND)
         || g_error_matches (error, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE);
}

/* One try to give a tenant so much more than it has taken. *full: it has it now. */
static gboolean
reeve_budget_leases_try_give (ReeveBudgetLeases *self, ReeveBudgetBook *book,
                              const ReeveBudgetLeasesWish *sum, gboolean *full, GError **error)
{
  const ReeveBudgetLeasesTable *table = &self->table;
  ReeveBudgetLeasesRow row = { 0 };
  ReeveBudgetSlice slice = { 0 };
  gint64 new_tokens = 0;
  gint64 new_cost = 0;

  if (!reeve_budget_book_get_slice (book, sum->now, &slice))
    return TRUE;
  if (!reeve_budget_leases_row_read (table, reeve_budget_book_get_tenant_id (book), slice.period,
                                     &row, error))
    return FALSE;
  new_tokens = reeve_budget_leases_plan (table->token_limit, row.tokens_total, row.tokens,
                                         slice.tokens_taken, sum->tokens);
  new_cost = reeve_budget_leases_plan (table->cost_limit, row.cost_total, row.cost,
                                       slice.cost_taken, sum->cost);
  if ((new_tokens != row.tokens || new_cost != row.cost)
      && !reeve_budget_leases_row_write (table, &row, &slice, new_tokens, new_cost, error))
    return FALSE;
  reeve_budget_leases_look (self, &row, FALSE);
  reeve_budget_leases_open (self, book, &slice, &row);
  *full
      = (table->token_limit == REEVE_BUDGET_NONE || row.tokens - slice.tokens_taken >= sum->tokens)
        && (table->cost_limit == REEVE_BUDGET_NONE || row.cost - slice.cost_taken >= sum->cost);
  return TRUE;
}

static gboolean
reeve_budget_leases_give (ReeveBudgetLeases *self, ReeveBudgetBook *book,
                          const ReeveBudgetLeasesWish *sum)
{
  g_autoptr (GError) error = NULL;
  gboolean full = FALSE;
  gboolean good = FALSE;

  for (guint i = 0;
       i == 0 || (!good && i < REEVE_BUDGET_LEASES_TRIES && reeve_budget_leases_is_race (error));
       i++)
    {
      g_clear_error (&error);
      good = reeve_budget_leases_try_give (self, book, sum, &full, &error);
    }
  if (!good)
    g_warning ("a slice of the platform's budget: %s", error->message);
  return full;
}

static gboolean
reeve_budget_leases_try_take (ReeveBudgetLeases *self, ReeveBudgetBook *book, gboolean silent,
                              GError **error)
{
  ReeveBudgetLeasesRow row = { 0 };
  ReeveBudgetSlice slice = { 0 };
  gint64 tokens = 0;
  gint64 cost = 0;

  if (!reeve_budget_book_cut_slice (book, &slice))
    return TRUE;
  if (!reeve_budget_leases_row_read (&self->table, reeve_budget_book_get_tenant_id (book),
                                     slice.period, &row, error))
    return FALSE;
  tokens = slice.tokens != REEVE_BUDGET_NONE ? slice.tokens : 0;
  cost = slice.cost != REEVE_BUDGET_NONE ? slice.cost : 0;
  if ((tokens != row.tokens || cost != row.cost)
      && !reeve_budget_leases_row_write (&self->table, &row, &slice, tokens, cost, error))
    return FALSE;
  reeve_budget_leases_look (self, &row, silent);
  return TRUE;
}

/* What a tenant has not taken comes back. */
static gboolean
reeve_budget_leases_take (ReeveBudgetLeases *self, ReeveBudgetBook *book, gboolean silent)
{
  g_autoptr (GError) error = NULL;
  gboolean good = FALSE;

  for (guint i = 0;
       i == 0 || (!good && i < REEVE_BUDGET_LEASES_TRIES && reeve_budget_leases_is_race (error));
       i++)
    {
      g_clear_error (&error);
      good = reeve_budget_leases_try_take (self, book, silent, &error);
    }
  /* it counts as spent until the next look */
  if (!good)
    g_warning ("giving back a slice of the platform's budget: %s", error->message);
  return good;
}

static gboolean
reeve_budget_leases_has_spare (const ReeveBudgetSlice *slice)
{
  return slice->tokens > slice->tokens_taken || slice->cost > slice->cost_taken;
}

/* It goes: what it has not taken comes back, and what it has taken stays counted. */
static void
reeve_budget_leases_end (ReeveBudgetLeases *self, ReeveBudgetBook *book)
{
  g_autoptr (GError) error = NULL;

  if (!reeve_budget_leases_take (self, book, FALSE)
      || !reeve_budget_leases_row_end (&self->table, reeve_budget_book_get_tenant_id (book),
                                       &error))
    g_message ("the next start sees to what %s had of the platform's budget%s%s",
               reeve_budget_book_get_tenant_id (book), error != NULL ? ": " : "",
               error != NULL ? error->message : "");
}

/* Of all tenants but @but that have not touched theirs since @since. Returns whether anything came
 * back. */
static gboolean
reeve_budget_leases_collect (ReeveBudgetLeases *self, const ReeveBudgetBook *but, gint64 since)
{
  g_autoptr (GPtrArray) books = self->list (self->user_data);
  gboolean back = FALSE;

  for (guint i = 0; i < books->len; i++)
    {
      ReeveBudgetBook *book = g_ptr_array_index (books, i);
      ReeveBudgetSlice slice = { 0 };

      if (book != but && reeve_budget_book_get_slice (book, REEVE_BUDGET_AS_IT_IS, &slice)
          && reeve_budget_leases_has_spare (&slice) && slice.touched <= since)
        back = reeve_budget_leases_take (self, book, FALSE) || back;
    }
  return back;
}

/* ---- the thread ---- */

/* What tenants have not spent may still come back in this period; nothing else does. */
static void
reeve_budget_leases_note_dry (ReeveBudgetLeases *self)
{
  g_autoptr (GPtrArray) books = self->list (self->user_data);
  gint64 tokens = 0;
  gint64 cost = 0;

  for (guint i = 0; i < books->len; i++)
    {
      ReeveBudgetSlice slice = { 0 };

      if (!reeve_budget_book_get_slice (books->pdata[i], REEVE_BUDGET_AS_IT_IS, &slice)
          || slice.period < self->told_period)
        continue;
      tokens = reeve_budget_sum (tokens, MAX (slice.tokens - slice.tokens_spent, 0));
      cost = reeve_budget_sum (cost, MAX (slice.cost - slice.cost_spent, 0));
    }
  reeve_budget_pool_set_dry (self->pool, g_get_monotonic_time () + REEVE_BUDGET_LEASES_DRY, tokens,
                             cost);
}

/* What all that wait for one book want together. */
static void
reeve_budget_leases_serve (ReeveBudgetLeases *self, GPtrArray *wishes, ReeveBudgetBook *book,
                           const ReeveBudgetLeasesWish *sum, gboolean waiting)
{
  gboolean full = reeve_budget_leases_give (self, book, sum);

  /* what is only wanted ahead is not taken from others */
  if (!full && waiting && reeve_budget_leases_collect (self, book, G_MAXINT64))
    full = reeve_budget_leases_give (self, book, sum);
  if (!full && waiting)
    reeve_budget_leases_note_dry (self);
  for (guint i = 0; i < wishes->len; i++)
    {
      ReeveBudgetLeasesWish *wish = g_ptr_array_index (wishes, i);

      if (wish->book != book)
        continue;
      if (wish->ahead)
        reeve_budget_book_was_refilled (book);
      if (wish->task != NULL)
        g_task_return_boolean (wish->task, full);
      g_clear_object (&wish->task);
    }
}

static void
reeve_budget_leases_serve_all (ReeveBudgetLeases *self, GPtrArray *wishes)
{
  g_autoptr (GHashTable) done = g_hash_table_new (g_direct_hash, g_direct_equal);

  for (guint i = 0; i < wishes->len; i++)
    {
      ReeveBudgetLeasesWish *first = g_ptr_array_index (wishes, i);
      ReeveBudgetLeasesWish sum = { 0 };
      gboolean waiting = FALSE;

      if (first->going)
        reeve_budget_leases_end (self, first->book);
      else if (!g_hash_table_add (done, first->book))
        continue;
      for (guint j = i; !first->going && j < wishes->len; j++)
        {
          ReeveBudgetLeasesWish *wish = g_ptr_array_index (wishes, j);

          if (wish->book != first->book || wish->going)
            continue;
          sum.tokens += wish->tokens;
          sum.cost += wish->cost;
          sum.now = MAX (sum.now, wish->now);
          waiting = waiting || wish->task != NULL;
        }
      if (!first->going)
        reeve_budget_leases_serve (self, wishes, first->book, &sum, waiting);
    }
}

static gpointer
reeve_budget_leases_run (gpointer data)
{
  ReeveBudgetLeases *self = data;
  gint64 due = g_get_monotonic_time () + self->sweep;
  gboolean end = FALSE;

  while (!end)
    {
      g_autoptr (GPtrArray) wishes
          = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_budget_leases_wish_free);
      gint64 now = g_get_monotonic_time ();
      ReeveBudgetLeasesWish *wish
          = g_async_queue_timeout_pop (self->wishes, (guint64) CLAMP (due - now, 1, self->sweep));

      now = g_get_monotonic_time ();
      /* also where somebody always wants something */
      if (now >= due)
        {
          reeve_budget_leases_collect (self, NULL, now - self->idle);
          due = now + self->sweep;
        }
      for (; wish != NULL; wish = g_async_queue_try_pop (self->wishes))
        {
          end = end || wish->book == NULL;
          if (wish->book != NULL)
            g_ptr_array_add (wishes, wish);
          else
            reeve_budget_leases_wish_free (wish);
        }
      reeve_budget_leases_serve_all (self, wishes);
    }
  return NULL;
}

/* Tenants that went while nobody saw to it: what of their slices they spent is not known any more,
 * so all of it stays counted. */
static gboolean
reeve_budget_leases_end_absent (ReeveBudgetLeases *self, GPtrArray *books, GError **error)
{
  g_autoptr (GHashTable) there = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) rows = reeve_directory_read_all (
      self->table.store, REEVE_SCOPE_PLATFORM, REEVE_STORE_BUDGET_LEASES, NULL, NULL, error);

  if (rows == NULL)
    return FALSE;
  for (guint i = 0; i < books->len; i++)
    g_hash_table_add (there, (char *) reeve_budget_book_get_tenant_id (books->pdata[i]));
  for (guint i = 0; i < rows->len; i++)
    {
      const char *tenant_id = reeve_record_get_id (rows->pdata[i]);

      if (!g_hash_table_contains (there, tenant_id)
          && !reeve_budget_leases_row_end (&self->table, tenant_id, error))
        return FALSE;
    }
  return TRUE;
}

/* A period that a call had begun goes on, also where it took nothing of it. */
static gboolean
reeve_budget_leases_catch_up (ReeveBudgetLeases *self, ReeveBudgetBook *book, GError **error)
{
  ReeveBudgetLeasesRow row = { 0 };
  ReeveBudgetSlice slice = { 0 };

  if (!reeve_budget_book_get_slice (book, REEVE_BUDGET_AS_IT_IS, &slice))
    return TRUE;
  if (!reeve_budget_leases_row_read (&self->table, reeve_budget_book_get_tenant_id (book),
                                     slice.period, &row, error))
    return FALSE;
  reeve_budget_book_begin_slice (book, row.given_period);
  return TRUE;
}

/**
 * reeve_budget_leases_start:
 * @self: the platform's budget
 * @error: return location
 *
 * What an earlier host gave to tenants and their logs do not know as spent comes back. Blocks.
 *
 * Returns: %FALSE with an error of the store
 */
gboolean
reeve_budget_leases_start (ReeveBudgetLeases *self, GError **error)
{
  g_autoptr (GPtrArray) books = self->list (self->user_data);

  if (!reeve_budget_leases_row_begin (&self->table, error)
      || !reeve_budget_leases_end_absent (self, books, error))
    {
      g_prefix_error (error, "the platform's budget: ");
      return FALSE;
    }
  for (guint i = 0; i < books->len; i++)
    {
      if (!reeve_budget_leases_catch_up (self, books->pdata[i], error))
        return FALSE;
      reeve_budget_leases_take (self, books->pdata[i], TRUE);
    }
  self->thread = g_thread_new ("budget-leases", reeve_budget_leases_run, self);
  return TRUE;
}

/**
 * reeve_budget_leases_stop:
 * @self: the platform's budget
 *
 * What tenants have not spent comes back. Idempotent. Blocks.
 */
void
reeve_budget_leases_stop (ReeveBudgetLeases *self)
{
  g_autoptr (GPtrArray) books = NULL;

  if (self->thread == NULL)
    return;
  g_mutex_lock (&self->lock);
  self->stopped = TRUE;
  g_async_queue_push (self->wishes, g_new0 (ReeveBudgetLeasesWish, 1));
  g_mutex_unlock (&self->lock);
  g_thread_join (g_steal_pointer (&self->thread));
  books = self->list (self->user_data);
  for (guint i = 0; i < books->len; i++)
    {
      ReeveBudgetBook *book = g_ptr_array_index (books, i);
      ReeveBudgetSlice slice = { 0 };

      if (reeve_budget_book_get_slice (book, REEVE_BUDGET_AS_IT_IS, &slice)
          && (slice.tokens != slice.tokens_taken || slice.cost != slice.cost_taken))
        reeve_budget_leases_take (self, book, FALSE);
    }
}
