/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One thread goes through the logs that have a checkpoint which was not cosigned yet, and asks all
 * witnesses at once, one log after the other and not too many a second. Nobody waits for it: not
 * who appends, not who signs, not who asks for a proof. */
#include "witnesses-private.h"

#include <string.h>

#include "governance/bootstrap.h"
#include "governance/ledger-witness.h"

#include "witness-post.h"

#define REEVE_WITNESSES_LOOK_US (500 * G_TIME_SPAN_MILLISECOND)
#define REEVE_WITNESSES_PAUSE_US                                                                   \
  (20 * G_TIME_SPAN_MILLISECOND)                          /* between two logs that are asked of */
#define REEVE_WITNESSES_LOG_US   G_TIME_SPAN_SECOND       /* between two checkpoints of a log */
#define REEVE_WITNESSES_SCOPE_US (5 * G_TIME_SPAN_SECOND) /* after which a new log is seen */
#define REEVE_WITNESSES_ADMIT_US (28 * G_TIME_SPAN_DAY)   /* of the wall clock, as the ledger's */
#define REEVE_WITNESSES_ROUNDS   3 /* in which a witness may say that it stands elsewhere */

G_DEFINE_FINAL_TYPE (ReeveWitnesses, reeve_witnesses, G_TYPE_OBJECT)

static void
reeve_witnesses_witness_free (gpointer data)
{
  ReeveWitness *witness = data;

  g_free (witness->name);
  g_free (witness->url);
  g_free (witness);
}

static void
reeve_witnesses_finalize (GObject *object)
{
  ReeveWitnesses *self = REEVE_WITNESSES (object);

  reeve_witnesses_stop (self);
  g_clear_pointer (&self->http, reeve_http_thread_free);
  g_clear_pointer (&self->witnesses, g_ptr_array_unref);
  g_clear_pointer (&self->vkeys, g_ptr_array_unref);
  g_clear_pointer (&self->keys, reeve_cosigners_free);
  g_clear_pointer (&self->logs, g_hash_table_unref);
  g_clear_pointer (&self->scopes, g_strfreev);
  g_clear_object (&self->ledger);
  g_clear_object (&self->admission);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->wake);
  G_OBJECT_CLASS (reeve_witnesses_parent_class)->finalize (object);
}

static void
reeve_witnesses_class_init (ReeveWitnessesClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_witnesses_finalize;
}

static void
reeve_witnesses_init (ReeveWitnesses *self)
{
  self->witnesses = g_ptr_array_new_with_free_func (reeve_witnesses_witness_free);
  self->vkeys = g_ptr_array_new_with_free_func (g_free);
  self->logs = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                      (GDestroyNotify) reeve_witness_log_free);
  g_mutex_init (&self->mutex);
  g_cond_init (&self->wake);
}

/**
 * reeve_witnesses_new:
 * @setup: what it works with; referenced
 *
 * Returns: (transfer full): without witnesses
 */
ReeveWitnesses *
reeve_witnesses_new (const ReeveWitnessesSetup *setup)
{
  ReeveWitnesses *self = g_object_new (REEVE_TYPE_WITNESSES, NULL);

  self->ledger = g_object_ref (setup->ledger);
  self->admission = g_object_ref (setup->admission);
  self->http = reeve_http_thread_new ("reeve-witness", setup->trust);
  self->quorum = setup->quorum;
  return self;
}

/**
 * reeve_witnesses_add:
 * @self: witnesses that were not started
 * @row: `{name, url, key}`
 * @member: (out): which member is wrong
 * @error: return location
 *
 * Returns: %FALSE with an error
 */
gboolean
reeve_witnesses_add (ReeveWitnesses *self, JsonObject *row, const char **member, GError **error)
{
  const char *name = reeve_json_get_string (row, "name", "");
  const char *url = reeve_json_get_string (row, "url", "");
  gsize length = strlen (url);
  g_autoptr (GPtrArray) vkeys = g_ptr_array_new ();
  ReeveWitness *witness = NULL;
  ReeveCosigners *keys = NULL;

  *member = "name";
  for (guint i = 0; i < self->witnesses->len; i++)
    if (strcmp (((ReeveWitness *) self->witnesses->pdata[i])->name, name) == 0)
      {
        g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION, "%s stands there twice", name);
        return FALSE;
      }
  *member = "key";
  g_ptr_array_extend (vkeys, self->vkeys, NULL, NULL);
  g_ptr_array_add (vkeys, (gpointer) reeve_json_get_string (row, "key", ""));
  g_ptr_array_add (vkeys, NULL);
  keys = reeve_cosigners_new ((const char *const *) vkeys->pdata, error);
  if (keys == NULL)
    return FALSE;
  g_clear_pointer (&self->keys, reeve_cosigners_free);
  self->keys = keys;
  g_ptr_array_add (self->vkeys, g_strdup (reeve_json_get_string (row, "key", "")));
  witness = g_new0 (ReeveWitness, 1);
  witness->name = g_strdup (name);
  witness->url = g_strdup_printf ("%.*s/add-checkpoint",
                                  (int) (g_str_has_suffix (url, "/") ? length - 1 : length), url);
  g_ptr_array_add (self->witnesses, witness);
  return TRUE;
}

/* The right to ask a witness, taken at the first time. */
static gboolean
reeve_witnesses_admit (ReeveWitnesses *self, ReeveWitness *witness)
{
  g_autoptr (ReeveCaller) caller = NULL;
  g_autoptr (GError) error = NULL;
  ReeveAdmissionRequest request = { 0 };

  if (witness->admitted != NULL)
    return TRUE;
  caller = reeve_bootstrap_make_caller ();
  request = (ReeveAdmissionRequest){ .caller = caller,
                                     .operation = REEVE_WITNESSES_ACTION_ASK,
                                     .resource_type = "witness",
                                     .resource_id = witness->name };
  witness->admitted = reeve_admission_begin (self->admission, &request, &error);
  if (witness->admitted == NULL)
    {
      g_message ("witness %s: %s", witness->name, error->message);
      return FALSE;
    }
  reeve_admitted_consume (witness->admitted, REEVE_WITNESSES_ACTION_ASK);
  witness->admitted_at = g_get_real_time ();
  return TRUE;
}

/* An intent without an outcome holds the records behind it, so none lasts for years. */
static void
reeve_witnesses_settle_old (ReeveWitnesses *self)
{
  const ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED, .reason = "continued" };

  for (guint i = 0; i < self->witnesses->len; i++)
    {
      ReeveWitness *witness = g_ptr_array_index (self->witnesses, i);

      if (witness->admitted != NULL
          && ABS (g_get_real_time () - witness->admitted_at) >= REEVE_WITNESSES_ADMIT_US)
        reeve_admission_settle_async (self->admission, g_steal_pointer (&witness->admitted),
                                      &settlement, NULL, NULL);
    }
}

/* ---- one log ---- */

/* Reading files comes first: nothing is read under the lock. */
static ReeveWitnessLog *
reeve_witnesses_find_log (ReeveWitnesses *self, const char *scope)
{
  /* only this thread puts anything in */
  ReeveWitnessLog *log = g_hash_table_lookup (self->logs, scope);
  g_autofree char *note = NULL;
  ReeveCheckpoint checkpoint = { 0 };

  if (log != NULL)
    return log;
  log = reeve_witness_log_new (self->witnesses->len);
  note = reeve_ledger_witness_load (self->ledger, scope, &checkpoint, NULL);
  if (note != NULL)
    reeve_witness_log_recall (log, self->keys, note, &checkpoint);
  g_mutex_lock (&self->mutex);
  g_hash_table_insert (self->logs, g_strdup (scope), log);
  g_mutex_unlock (&self->mutex);
  return log;
}

/* Who is to be asked now. */
static guint
reeve_witnesses_list_due (ReeveWitnesses *self, const ReeveWitnessLog *log, guint *due)
{
  gint64 now = g_get_monotonic_time ();
  guint count = 0;

  for (guint i = 0; i < log->count; i++)
    {
      const ReeveWitness *witness = g_ptr_array_index (self->witnesses, i);
      const ReeveWitnessLogEntry *entry = &log->entries[i];

      if (entry->line == NULL && now >= entry->next_try && now >= witness->next_try
          && entry->cosigned <= log->checkpoint.size)
        due[count++] = i;
    }
  return count;
}

/* Asks some once; leaves in @due who is to be asked again. */
static guint
reeve_witnesses_ask (ReeveWitnesses *self, ReeveWitnessLog *log, const char *scope, guint *due,
                     guint count)
{
  ReeveWitnessPost posts[REEVE_COSIGNERS_MAX] = { 0 };
  g_autoptr (GPtrArray) bodies = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  guint again = 0;

  for (guint i = 0; i < count; i++)
    {
      ReeveWitness *witness = g_ptr_array_index (self->witnesses, due[i]);
      char *body = reeve_ledger_witness_ask (self->ledger, scope, log->entries[due[i]].cosigned,
                                             &log->checkpoint, log->note, &error);

      if (body == NULL)
        {
          g_warning ("no proof for witnesses of the log of %s: %s", scope, error->message);
          return 0;
        }
      g_ptr_array_add (bodies, body);
      posts[i].url = witness->url;
      posts[i].body = body;
    }
  reeve_witness_post_run (self->http, posts, count);
  for (guint i = 0; i < count; i++)
    {
      if (reeve_witnesses_take (self, log, due[i], scope, &posts[i]))
        due[again++] = due[i];
      reeve_witness_post_clear (&posts[i]);
    }
  return again;
}

static void
reeve_witnesses_store (ReeveWitnesses *self, ReeveWitnessLog *log, const char *scope)
{
  guint count = 0;
  g_autofree char *note = reeve_witness_log_make_note (log, self->quorum, &count);
  g_autoptr (GError) error = NULL;

  if (note == NULL)
    return;
  if (reeve_ledger_witness_save (self->ledger, scope, note, &error))
    log->stored = count;
  else
    g_warning ("what witnesses of the log of %s have signed is not kept: %s", scope,
               error->message);
}

/* The newest checkpoint is the one to be cosigned. */
static gboolean
reeve_witnesses_renew (ReeveWitnesses *self, ReeveWitnessLog *log, const char *scope)
{
  guint64 size = reeve_ledger_witness_get_size (self->ledger, scope);
  ReeveCheckpoint checkpoint = { 0 };
  g_autoptr (GError) error = NULL;
  char *note = NULL;

  if (size == 0 || (log->note != NULL && size == log->checkpoint.size))
    return size != 0;
  note = reeve_ledger_witness_read (self->ledger, scope, &checkpoint, &error);
  if (note == NULL)
    {
      g_message ("no checkpoint for witnesses: %s", error->message);
      return FALSE;
    }
  g_mutex_lock (&self->mutex);
  reeve_witness_log_begin (log, note, &checkpoint);
  g_mutex_unlock (&self->mutex);
  return TRUE;
}

/* Returns whether anybody was asked. */
static gboolean
reeve_witnesses_step (ReeveWitnesses *self, const char *scope)
{
  ReeveWitnessLog *log = reeve_witnesses_find_log (self, scope);
  guint due[REEVE_COSIGNERS_MAX] = { 0 };
  guint count = 0;

  if (g_get_monotonic_time () < log->next_look)
    return FALSE;
  log->next_look = g_get_monotonic_time () + REEVE_WITNESSES_LOG_US;
  if (!reeve_witnesses_renew (self, log, scope))
    return FALSE;
  count = reeve_witnesses_list_due (self, log, due);
  for (guint i = 0; i < count; i++)
    if (!reeve_witnesses_admit (self, g_ptr_array_index (self->witnesses, due[i])))
      return FALSE;
  if (count == 0)
    return FALSE;
  for (guint i = 0; i < REEVE_WITNESSES_ROUNDS && count > 0; i++)
    count = reeve_witnesses_ask (self, log, scope, due, count);
  reeve_witnesses_store (self, log, scope);
  return TRUE;
}

/* ---- the thread ---- */

static void
reeve_witnesses_look_for_scopes (ReeveWitnesses *self)
{
  gint64 now = g_get_monotonic_time ();

  if (self->scopes != NULL && now < self->scopes_at + REEVE_WITNESSES_SCOPE_US)
    return;
  g_clear_pointer (&self->scopes, g_strfreev);
  self->scopes = reeve_ledger_list_scopes (self->ledger, NULL);
  self->scopes_at = now;
}

/* TRUE: go on */
static gboolean
reeve_witnesses_wait (ReeveWitnesses *self, gint64 span)
{
  gint64 end = g_get_monotonic_time () + span;
  gboolean go_on = FALSE;

  g_mutex_lock (&self->mutex);
  while (!self->stopping && g_cond_wait_until (&self->wake, &self->mutex, end))
    ;
  go_on = !self->stopping;
  g_mutex_unlock (&self->mutex);
  return go_on;
}

static gpointer
reeve_witnesses_run (gpointer data)
{
  ReeveWitnesses *self = data;
  gboolean go_on = TRUE;

  while (go_on)
    {
      reeve_witnesses_settle_old (self);
      reeve_witnesses_look_for_scopes (self);
      for (guint i = 0; go_on && self->scopes != NULL && self->scopes[i] != NULL; i++)
        if (reeve_witnesses_step (self, self->scopes[i]))
          go_on = reeve_witnesses_wait (self, REEVE_WITNESSES_PAUSE_US);
      go_on = go_on && reeve_witnesses_wait (self, REEVE_WITNESSES_LOOK_US);
    }
  return NULL;
}

void
reeve_witnesses_start (ReeveWitnesses *self)
{
  if (self->witnesses->len > 0)
    self->thread = g_thread_new ("reeve-witnesses", reeve_witnesses_run, self);
}

void
reeve_witnesses_stop (ReeveWitnesses *self)
{
  const ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED, .reason = "stopped" };

  g_mutex_lock (&self->mutex);
  self->stopping = TRUE;
  g_cond_broadcast (&self->wake);
  g_mutex_unlock (&self->mutex);
  reeve_http_thread_shutdown (self->http);
  g_clear_pointer (&self->thread, g_thread_join);
  for (guint i = 0; i < self->witnesses->len; i++)
    {
      ReeveWitness *witness = g_ptr_array_index (self->witnesses, i);

      if (witness->admitted != NULL)
        reeve_admission_settle_async (self->admission, g_steal_pointer (&witness->admitted),
                                      &settlement, NULL, NULL);
    }
}

/* ---- how it stands ---- */

static JsonObject *
reeve_witnesses_describe (const ReeveWitness *witness, const ReeveWitnessLogEntry *entry)
{
  JsonObject *shown = json_object_new ();

  json_object_set_string_member (shown, "name", witness->name);
  json_object_set_string_member (shown, "state", reeve_witness_log_get_state_name (entry->state));
  json_object_set_int_member (shown, "size", (gint64) entry->cosigned);
  if (entry->last_error != NULL)
    json_object_set_string_member (shown, "last_error", entry->last_error);
  return shown;
}

/**
 * reeve_witnesses_show:
 * @self: witnesses
 * @scope: whose log
 *
 * Returns: (transfer full) (element-type JsonObject): {name, state, size, last_error?} of each
 */
JsonArray *
reeve_witnesses_show (ReeveWitnesses *self, const char *scope)
{
  const ReeveWitnessLogEntry nothing = { 0 };
  JsonArray *shown = json_array_new ();
  ReeveWitnessLog *log = NULL;

  g_mutex_lock (&self->mutex);
  log = g_hash_table_lookup (self->logs, scope);
  for (guint i = 0; i < self->witnesses->len; i++)
    json_array_add_object_element (
        shown, reeve_witnesses_describe (g_ptr_array_index (self->witnesses, i),
                                         log != NULL ? &log->entries[i] : &nothing));
  g_mutex_unlock (&self->mutex);
  return shown;
}

/**
 * reeve_witnesses_count:
 * @self: witnesses
 * @tally: (out caller-allocates): how many do what, over all logs
 */
void
reeve_witnesses_count (ReeveWitnesses *self, ReeveWitnessesTally *tally)
{
  GHashTableIter iter;
  gpointer value = NULL;

  *tally = (ReeveWitnessesTally){ .witnesses = self->witnesses->len };
  g_mutex_lock (&self->mutex);
  g_hash_table_iter_init (&iter, self->logs);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    for (guint i = 0; i < self->witnesses->len; i++)
      {
        ReeveWitnessLogState state = ((ReeveWitnessLog *) value)->entries[i].state;

        tally->conflicting += state == REEVE_WITNESS_LOG_CONFLICTING;
        tally->failing += state == REEVE_WITNESS_LOG_FAILING || state == REEVE_WITNESS_LOG_REFUSING;
      }
  g_mutex_unlock (&self->mutex);
}
