/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each sink has a thread and, for each log, the number of the last record that it has: the ledger
 * is the queue, so nothing is kept twice and nobody who appends ever waits. What a sink does goes
 * through the gate once, from its first batch to the stop of the host or the end of the month: a
 * record of each batch would be the next to deliver. Between them only changes are recorded: that
 * it fails, that it is back, that a record was left out. */
#include "sinks-private.h"

#include <string.h>

#include "base/log.h"
#include "governance/bootstrap.h"
#include "governance/ledger-feed.h"
#include "governance/tenants.h"

#include "net-guard.h"

#define REEVE_SINKS_RECORDS  200
#define REEVE_SINKS_BYTES    (512 * 1024)
#define REEVE_SINKS_LOOK_US  (200 * G_TIME_SPAN_MILLISECOND)
#define REEVE_SINKS_SCOPE_US (5 * G_TIME_SPAN_SECOND) /* after which a new tenant is seen */
#define REEVE_SINKS_CALL_US  (60 * G_TIME_SPAN_SECOND)
#define REEVE_SINKS_ADMIT_US (28 * G_TIME_SPAN_DAY) /* of the wall clock, as the ledger's */
#define REEVE_SINKS_ANNOUNCE 3                      /* tries that fail, before it is recorded */

/* Records on their way. */
typedef struct
{
  ReeveSinkBatch *batch;
  GArray *numbers; /* of guint64 */
} ReeveSinksLoad;

G_DEFINE_FINAL_TYPE (ReeveSinks, reeve_sinks, G_TYPE_OBJECT)

static void
reeve_sinks_item_free (gpointer data)
{
  ReeveSinksItem *item = data;

  g_free (item->id);
  g_free (item->plugin_id);
  g_free (item->folder);
  g_strfreev (item->tenants);
  g_strfreev (item->scopes);
  g_clear_pointer (&item->row, json_object_unref);
  g_clear_pointer (&item->positions, g_hash_table_unref);
  g_free (item);
}

static void
reeve_sinks_finalize (GObject *object)
{
  ReeveSinks *self = REEVE_SINKS (object);

  reeve_sinks_stop (self);
  g_clear_pointer (&self->items, g_ptr_array_unref);
  g_clear_pointer (&self->registry, reeve_registry_unref);
  g_clear_object (&self->ledger);
  g_clear_object (&self->admission);
  g_clear_object (&self->cancellable);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->wake);
  g_free (self->folder);
  G_OBJECT_CLASS (reeve_sinks_parent_class)->finalize (object);
}

static void
reeve_sinks_class_init (ReeveSinksClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_sinks_finalize;
}

static void
reeve_sinks_init (ReeveSinks *self)
{
  self->items = g_ptr_array_new_with_free_func (reeve_sinks_item_free);
  self->cancellable = g_cancellable_new ();
  g_mutex_init (&self->mutex);
  g_cond_init (&self->wake);
}

/**
 * reeve_sinks_new:
 * @registry: the plugins
 * @ledger: what is sent on
 * @admission: the gate
 * @folder: where it is written down what was delivered
 *
 * Returns: (transfer full): without sinks
 */
ReeveSinks *
reeve_sinks_new (ReeveRegistry *registry, ReeveLedger *ledger, ReeveAdmission *admission,
                 const char *folder)
{
  ReeveSinks *self = g_object_new (REEVE_TYPE_SINKS, NULL);

  self->registry = reeve_registry_ref (registry);
  self->ledger = g_object_ref (ledger);
  self->admission = g_object_ref (admission);
  self->folder = g_strdup (folder);
  return self;
}

static char **
reeve_sinks_read_tenants (JsonObject *row)
{
  JsonArray *array = reeve_json_get_array (row, "tenants");
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  if (array == NULL)
    return NULL;
  for (guint i = 0; i < json_array_get_length (array); i++)
    g_strv_builder_add (builder, json_array_get_string_element (array, i));
  return g_strv_builder_end (builder);
}

/* An address to which nothing is ever sent is told at the start, and not by each try. */
static gboolean
reeve_sinks_check_url (JsonObject *row, GError **error)
{
  const char *url = reeve_json_get_string (reeve_json_get_object (row, "settings"), "url", "");
  g_autoptr (ReeveNetGuardTarget) target = NULL;

  if (!g_str_has_prefix (url, "http://") && !g_str_has_prefix (url, "https://"))
    return TRUE;
  target = reeve_net_guard_target_new (url, error);
  return target != NULL;
}

/**
 * reeve_sinks_add:
 * @self: sinks that were not started
 * @row: `{id, plugin, settings?, tenants?, format?, filter?, skip_refused_after?}`
 * @member: (out): which member is wrong
 * @error: return location
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_sinks_add (ReeveSinks *self, JsonObject *row, const char **member, GError **error)
{
  const char *id = reeve_json_get_string (row, "id", "");
  JsonObject *filter = reeve_json_get_object (row, "filter");
  g_autofree char *instance = g_strconcat (REEVE_SINKS_INSTANCE, id, NULL);
  g_autofree char *folder = g_build_filename (self->folder, id, NULL);
  ReevePlugin *plugin = NULL;
  ReeveSinksItem *item = NULL;

  *member = "settings.url";
  if (!reeve_sinks_check_url (row, error))
    return FALSE;
  *member = "plugin";
  plugin = reeve_registry_instantiate (self->registry, instance,
                                       reeve_json_get_string (row, "plugin", ""), REEVE_TYPE_SINK,
                                       reeve_json_get_object (row, "settings"), error);
  if (plugin == NULL)
    {
      if (error != NULL && g_error_matches (*error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION))
        *member = "settings";
      return FALSE;
    }
  *member = "id";
  if (g_mkdir_with_parents (folder, 0700) != 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_FAILED, "%s cannot be made", folder);
      return FALSE;
    }
  item = g_new0 (ReeveSinksItem, 1);
  item->sinks = self;
  item->id = g_strdup (id);
  item->plugin_id = g_strdup (reeve_json_get_string (row, "plugin", ""));
  item->plugin = plugin;
  item->folder = g_steal_pointer (&folder);
  item->tenants = reeve_sinks_read_tenants (row);
  item->row = json_object_ref (row);
  (void) reeve_ledger_format_find (reeve_json_get_string (row, "format", "json"), &item->format);
  item->skip_after = (guint) reeve_json_get_int (row, "skip_refused_after", 0);
  if (filter != NULL)
    {
      item->filter.action = reeve_json_get_string (filter, "action", NULL);
      item->filter.kind = reeve_json_get_string (filter, "kind", NULL);
      item->filter.outcome = reeve_json_get_string (filter, "outcome", NULL);
    }
  item->positions = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                           (GDestroyNotify) reeve_sink_position_free);
  g_ptr_array_add (self->items, item);
  return TRUE;
}

/* ---- records about it ---- */

static void
reeve_sinks_note (ReeveSinksItem *item, const char *action, const char *scope, const char *reason)
{
  g_autofree char *name = g_strconcat (item->id, "/", scope, NULL);
  const ReeveLedgerRecord record = {
    .kind = REEVE_LEDGER_EVENT,
    .scope = REEVE_TENANTS_DEFAULT,
    .action = action,
    .actor_type = "system",
    .actor_id = "host",
    .resource_type = "sink",
    .resource_id = name,
    .reason = reason,
    .door = "internal",
  };

  reeve_ledger_append_async (item->sinks->ledger, &record, NULL, NULL);
}

/* The right to serve a sink, taken at its first batch. */
static gboolean
reeve_sinks_admit (ReeveSinksItem *item, GError **error)
{
  g_autoptr (ReeveCaller) caller = NULL;
  ReeveAdmissionRequest request = { 0 };

  if (item->admitted != NULL)
    return TRUE;
  caller = reeve_bootstrap_make_caller ();
  request = (ReeveAdmissionRequest){ .caller = caller,
                                     .operation = REEVE_SINKS_ACTION_DELIVER,
                                     .resource_type = "sink",
                                     .resource_id = item->id };
  item->admitted = reeve_admission_begin (item->sinks->admission, &request, error);
  if (item->admitted == NULL)
    return FALSE;
  reeve_admitted_consume (item->admitted, REEVE_SINKS_ACTION_DELIVER);
  item->admitted_at = g_get_real_time ();
  return TRUE;
}

/* An intent without an outcome holds the records behind it: that of a host which runs for years
 * would hold them all. The next batch begins another. */
static void
reeve_sinks_settle_old (ReeveSinksItem *item)
{
  const ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED, .reason = "continued" };

  if (item->admitted != NULL
      && ABS (g_get_real_time () - item->admitted_at) >= REEVE_SINKS_ADMIT_US)
    reeve_admission_settle_async (item->sinks->admission, g_steal_pointer (&item->admitted),
                                  &settlement, NULL, NULL);
}

/* ---- one batch ---- */

static void
reeve_sinks_load (const ReeveLedgerRecord *record, const char *text, gpointer user_data)
{
  ReeveSinksLoad *load = user_data;
  char id[REEVE_LEDGER_FORMAT_ID_SIZE];

  reeve_ledger_format_print_id (record, id);
  reeve_sink_batch_add (load->batch, id, record->time, reeve_ledger_format_get_severity (record),
                        text);
  g_array_append_val (load->numbers, record->seq);
}

static guint
reeve_sinks_deliver (ReeveSinksItem *item, ReeveSinkBatch *batch, GError **error)
{
  const ReeveContextInfo info
      = { .struct_size = sizeof info, .deadline = g_get_monotonic_time () + REEVE_SINKS_CALL_US };
  g_autoptr (ReeveContext) context = reeve_registry_new_context (
      item->sinks->registry, item->plugin, &info, item->sinks->cancellable);

  return reeve_sink_deliver (REEVE_SINK (item->plugin), batch, context, error);
}

/* A record that is refused for what it is: after so many tries it is left out, where that is
 * configured. */
static gboolean
reeve_sinks_leave_out (ReeveSinksItem *item, const char *scope, ReeveSinkPosition *position,
                       ReeveSinksLoad *load, const GError *why)
{
  g_autoptr (GError) error = NULL;
  guint64 seq = g_array_index (load->numbers, guint64, 0);

  if (item->skip_after == 0 || reeve_sink_batch_get_length (load->batch) != 1
      || position->failures + 1 < item->skip_after)
    return FALSE;
  if (!reeve_sink_position_skip (position, item->folder, scope,
                                 reeve_sink_batch_get_id (load->batch, 0), why->message, &error))
    {
      g_warning ("sink %s: %s", item->id, error->message);
      return FALSE;
    }
  position->delivered = seq;
  reeve_sinks_note (item, REEVE_SINKS_ACTION_SKIPPED, scope, "refused");
  return TRUE;
}

static void
reeve_sinks_take_failure (ReeveSinksItem *item, const char *scope, ReeveSinkPosition *position,
                          ReeveSinksLoad *load, const GError *why)
{
  gboolean refused = g_error_matches (why, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);

  if (refused && load->numbers->len > 0)
    position->single_until = MAX (position->single_until,
                                  g_array_index (load->numbers, guint64, load->numbers->len - 1));
  if (refused && load->numbers->len > 0 && reeve_sinks_leave_out (item, scope, position, load, why))
    {
      reeve_sink_position_succeed (position);
      return;
    }
  if (position->failures == 0)
    g_message ("sink %s, log of %s: %s", item->id, scope, why->message);
  reeve_sink_position_fail (position, why);
  if (position->failures < REEVE_SINKS_ANNOUNCE || position->announced)
    return;
  position->announced = TRUE;
  g_warning ("sink %s takes nothing of the log of %s: %s", item->id, scope, why->message);
  reeve_sinks_note (item, REEVE_SINKS_ACTION_FAILING, scope,
                    reeve_error_get_name (why->domain == REEVE_ERROR ? (ReeveError) why->code
                                                                     : REEVE_ERROR_FAILED));
}

static void
reeve_sinks_take_success (ReeveSinksItem *item, const char *scope, ReeveSinkPosition *position)
{
  reeve_sink_position_succeed (position);
  if (!position->announced)
    return;
  position->announced = FALSE;
  g_message ("sink %s takes the log of %s again", item->id, scope);
  reeve_sinks_note (item, REEVE_SINKS_ACTION_RESUMED, scope, NULL);
}

/* Reading the file comes first: nothing is read under a lock. Only the sink's own thread changes
 * what is found. */
ReeveSinkPosition *
reeve_sinks_find_position (ReeveSinksItem *item, const char *scope)
{
  ReeveSinkPosition *position = NULL;
  ReeveSinkPosition *loaded = NULL;

  g_mutex_lock (&item->sinks->mutex);
  position = g_hash_table_lookup (item->positions, scope);
  g_mutex_unlock (&item->sinks->mutex);
  if (position != NULL)
    return position;
  loaded = reeve_sink_position_load (item->folder, scope);
  /* an older state was put back: what is written from here on is new */
  loaded->delivered = MIN (loaded->delivered, reeve_ledger_get_size (item->sinks->ledger, scope));
  g_mutex_lock (&item->sinks->mutex);
  position = g_hash_table_lookup (item->positions, scope);
  if (position == NULL)
    {
      position = g_steal_pointer (&loaded);
      g_hash_table_insert (item->positions, g_strdup (scope), position);
    }
  g_mutex_unlock (&item->sinks->mutex);
  g_clear_pointer (&loaded, reeve_sink_position_free);
  return position;
}

/* What came of a batch: worked out on a copy, then shown. */
static void
reeve_sinks_settle (ReeveSinksItem *item, const char *scope, ReeveSinkPosition *position,
                    ReeveSinksLoad *load, guint count, guint64 last, const GError *why)
{
  g_auto (ReeveLogScope) about = reeve_log_scope_tenant (scope);
  ReeveSinkPosition now = *position;
  g_autofree char *before = NULL;
  g_autoptr (GError) error = NULL;

  now.last_error = g_strdup (position->last_error);
  if (count > 0)
    now.delivered = g_array_index (load->numbers, guint64, count - 1);
  if (why == NULL)
    {
      now.delivered = MAX (now.delivered, last);
      reeve_sinks_take_success (item, scope, &now);
    }
  else if (!g_cancellable_is_cancelled (item->sinks->cancellable))
    reeve_sinks_take_failure (item, scope, &now, load, why);
  if (!reeve_sink_position_save (&now, item->folder, scope, &error))
    g_warning ("sink %s: %s", item->id, error->message);
  g_mutex_lock (&item->sinks->mutex);
  before = position->last_error;
  *position = now;
  g_mutex_unlock (&item->sinks->mutex);
}

/* One batch of one log. Returns whether there was anything to do. */
static gboolean
reeve_sinks_step (ReeveSinksItem *item, const char *scope)
{
  ReeveSinkPosition *position = reeve_sinks_find_position (item, scope);
  guint64 size = reeve_ledger_get_size (item->sinks->ledger, scope);
  g_autoptr (ReeveSinkBatch) batch = NULL;
  g_autoptr (GArray) numbers = NULL;
  g_autoptr (GError) error = NULL;
  ReeveSinksLoad load = { 0 };
  ReeveLedgerFeed feed = { .filter = &item->filter,
                           .format = item->format,
                           .max_records = REEVE_SINKS_RECORDS,
                           .max_bytes = REEVE_SINKS_BYTES };
  guint64 last = 0;
  guint count = 0;

  /* that is no failure: it goes on where it was */
  if (reeve_registry_is_off (item->sinks->registry, item->plugin_id))
    return FALSE;
  if (position->delivered >= size || g_get_monotonic_time () < position->next_try)
    return FALSE;
  if (position->delivered < position->single_until)
    feed.max_records = 1;
  batch = load.batch = reeve_sink_batch_new (scope);
  numbers = load.numbers = g_array_new (FALSE, FALSE, sizeof (guint64));
  last = position->delivered;
  if (reeve_ledger_feed_read (item->sinks->ledger, scope, &feed, position->delivered,
                              reeve_sinks_load, &load, &last, &error)
      && numbers->len > 0 && reeve_sinks_admit (item, &error))
    count = reeve_sinks_deliver (item, batch, &error);
  reeve_sinks_settle (item, scope, position, &load, count, last, error);
  return error == NULL;
}

/* ---- the thread of a sink ---- */

static void
reeve_sinks_look_for_scopes (ReeveSinksItem *item)
{
  gint64 now = g_get_monotonic_time ();

  if (item->scopes != NULL && now < item->scopes_at + REEVE_SINKS_SCOPE_US)
    return;
  g_clear_pointer (&item->scopes, g_strfreev);
  item->scopes = reeve_ledger_list_scopes (item->sinks->ledger, NULL);
  item->scopes_at = now;
}

/* TRUE: go on */
static gboolean
reeve_sinks_wait (ReeveSinks *self, gboolean worked)
{
  gint64 end = g_get_monotonic_time () + REEVE_SINKS_LOOK_US;
  gboolean go_on = FALSE;

  g_mutex_lock (&self->mutex);
  while (!worked && !self->stopping && g_cond_wait_until (&self->wake, &self->mutex, end))
    ;
  go_on = !self->stopping;
  g_mutex_unlock (&self->mutex);
  return go_on;
}

static gpointer
reeve_sinks_run (gpointer data)
{
  ReeveSinksItem *item = data;
  gboolean worked = TRUE;

  while (reeve_sinks_wait (item->sinks, worked))
    {
      worked = FALSE;
      reeve_sinks_settle_old (item);
      reeve_sinks_look_for_scopes (item);
      for (guint i = 0; item->scopes != NULL && item->scopes[i] != NULL; i++)
        if ((item->tenants == NULL
             || g_strv_contains ((const char *const *) item->tenants, item->scopes[i]))
            && !g_cancellable_is_cancelled (item->sinks->cancellable))
          worked = reeve_sinks_step (item, item->scopes[i]) || worked;
    }
  return NULL;
}

void
reeve_sinks_start (ReeveSinks *self)
{
  for (guint i = 0; i < self->items->len; i++)
    {
      ReeveSinksItem *item = g_ptr_array_index (self->items, i);

      item->thread = g_thread_new ("reeve-sink", reeve_sinks_run, item);
    }
}

void
reeve_sinks_stop (ReeveSinks *self)
{
  const ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED, .reason = "stopped" };

  g_mutex_lock (&self->mutex);
  self->stopping = TRUE;
  g_cond_broadcast (&self->wake);
  g_mutex_unlock (&self->mutex);
  g_cancellable_cancel (self->cancellable);
  for (guint i = 0; i < self->items->len; i++)
    {
      ReeveSinksItem *item = g_ptr_array_index (self->items, i);

      g_clear_pointer (&item->thread, g_thread_join);
      if (item->admitted != NULL)
        reeve_admission_settle_async (self->admission, g_steal_pointer (&item->admitted),
                                      &settlement, NULL, NULL);
    }
}

/**
 * reeve_sinks_get_delivered:
 * @self: sinks
 * @scope: a log
 *
 * Reads what is not known yet. Blocks.
 *
 * Returns: the last record of that log which each sink has that is to have it; %G_MAXUINT64 when
 * there is no such sink
 */
guint64
reeve_sinks_get_delivered (ReeveSinks *self, const char *scope)
{
  guint64 least = G_MAXUINT64;

  for (guint i = 0; i < self->items->len; i++)
    {
      ReeveSinksItem *item = g_ptr_array_index (self->items, i);
      ReeveSinkPosition *position = NULL;

      if (item->tenants != NULL && !g_strv_contains ((const char *const *) item->tenants, scope))
        continue;
      position = reeve_sinks_find_position (item, scope);
      g_mutex_lock (&self->mutex);
      least = MIN (least, position->delivered);
      g_mutex_unlock (&self->mutex);
    }
  return least;
}
