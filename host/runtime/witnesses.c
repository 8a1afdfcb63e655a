/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each witness has a thread that goes through the logs which have a checkpoint it has not cosigned
 * yet, one after the other and not too many a second: one that stalls keeps nobody but itself.
 * Nobody waits for them: not who appends, not who signs, not who asks for a proof. */
#include "witnesses-private.h"

#include <string.h>

#include "governance/bootstrap.h"
#include "governance/ledger-witness.h"

#include "witness-post.h"

#define REEVE_WITNESSES_LOOK_US (500 * G_TIME_SPAN_MILLISECOND)
#define REEVE_WITNESSES_PAUSE_US                                                                   \
  (20 * G_TIME_SPAN_MILLISECOND)                  /* between two logs that are asked of */
#define REEVE_WITNESSES_LOG_US G_TIME_SPAN_SECOND /* between two checkpoints of a log */
#define REEVE_WITNESSES_HOLD_US                                                                    \
  (3 * G_TIME_SPAN_SECOND) /* the same, while one that answers is slow */
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
  g_strfreev (witness->scopes);
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
  witness->witnesses = self;
  witness->number = self->witnesses->len;
  witness->name = g_strdup (name);
  witness->url = g_strdup_printf ("%.*s/add-checkpoint",
                                  (int) (g_str_has_suffix (url, "/") ? length - 1 : length), url);
  g_ptr_array_add (self->witnesses, witness);
  return TRUE;
}

/* The right to ask a witness, taken at the first time. */
static gboolean
reeve_witnesses_admit (ReeveWitness *witness)
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
  witness->admitted = reeve_admission_begin (witness->witnesses->admission, &request, &error);
  if (witness->admitted == NULL)
    {
      g_message ("witness %s: %s", witness->name, error->message);
      return FALSE;
    }
  reeve_admitted_consume (witness->admitted, REEVE_WITNESSES_ACTION_ASK);
  witness->admitted_at = g_get_real_time ();
  return TRUE;
}

static void
reeve_witnesses_settle (ReeveWitness *witness, const char *reason)
{
  const ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED, .reason = reason };

  if (witness->admitted != NULL)
    reeve_admission_settle_async (witness->witnesses->admission,
                                  g_steal_pointer (&witness->admitted), &settlement, NULL, NULL);
}

/* An intent without an outcome holds the records behind it, so none lasts for years. */
static void
reeve_witnesses_settle_old (ReeveWitness *witness)
{
  if (ABS (g_get_real_time () - witness->admitted_at) >= REEVE_WITNESSES_ADMIT_US)
    reeve_witnesses_settle (witness, "continued");
}

/* ---- one log ---- */

/* Reading files comes first: nothing is read under the lock. */
static ReeveWitnessLog *
reeve_witnesses_find_log (ReeveWitnesses *self, const char *scope)
{
  ReeveWitnessLog *log = NULL;
  ReeveWitnessLog *made = NULL;
  g_autofree char *note = NULL;
  ReeveCheckpoint checkpoint = { 0 };

  g_mutex_lock (&self->mutex);
  log = g_hash_table_lookup (self->logs, scope);
  g_mutex_unlock (&self->mutex);
  if (log != NULL)
    return log;
  made = reeve_witness_log_new (self->witnesses->len);
  note = reeve_ledger_witness_load (self->ledger, scope, &checkpoint, NULL);
  if (note != NULL)
    reeve_witness_log_recall (made, self->keys, note, &checkpoint);
  g_mutex_lock (&self->mutex);
  log = g_hash_table_lookup (self->logs, scope);
  if (log == NULL)
    {
      log = g_steal_pointer (&made);
      g_hash_table_insert (self->logs, g_strdup (scope), log);
    }
  g_mutex_unlock (&self->mutex);
  g_clear_pointer (&made, reeve_witness_log_free);
  return log;
}

/* Under the lock: may a newer checkpoint take the place of the one that is being cosigned? Those
 * who answer are to have had a go at it, or a slow one would never cosign the same as the others.
 */
static gboolean
reeve_witnesses_gives_way (ReeveWitnesses *self, const ReeveWitnessLog *log, gint64 now)
{
  if (log->note == NULL || now >= log->begun_at + REEVE_WITNESSES_HOLD_US)
    return TRUE;
  if (now < log->begun_at + REEVE_WITNESSES_LOG_US)
    return FALSE;
  for (guint i = 0; i < log->count; i++)
    {
      ReeveWitness *witness = g_ptr_array_index (self->witnesses, i);

      if (log->entries[i].line == NULL && log->entries[i].failures == 0
          && g_atomic_int_get (&witness->failures) == 0)
        return FALSE;
    }
  return TRUE;
}

/* The newest checkpoint is the one to be cosigned. FALSE: there is none. */
static gboolean
reeve_witnesses_renew (ReeveWitnesses *self, ReeveWitnessLog *log, const char *scope)
{
  guint64 size = reeve_ledger_witness_get_size (self->ledger, scope);
  gint64 now = g_get_monotonic_time ();
  ReeveCheckpoint checkpoint = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *note = NULL;
  gboolean wanted = FALSE;

  g_mutex_lock (&self->mutex);
  wanted = size != log->checkpoint.size && reeve_witnesses_gives_way (self, log, now);
  g_mutex_unlock (&self->mutex);
  if (size == 0 || !wanted)
    return size != 0;
  note = reeve_ledger_witness_read (self->ledger, scope, &checkpoint, &error);
  if (note == NULL)
    {
      g_message ("no checkpoint for witnesses: %s", error->message);
      return FALSE;
    }
  g_mutex_lock (&self->mutex);
  if (log->begun_at == 0 || checkpoint.size > log->checkpoint.size)
    {
      reeve_witness_log_begin (log, g_steal_pointer (&note), &checkpoint);
      log->begun_at = now;
    }
  g_mutex_unlock (&self->mutex);
  return TRUE;
}

/* Is the witness to be asked now? Then *ask (out): for what. */
static gboolean
reeve_witnesses_begin_ask (ReeveWitness *witness, ReeveWitnessLog *log, ReeveWitnessesAsk *ask)
{
  ReeveWitnesses *self = witness->witnesses;
  const ReeveWitnessLogEntry *entry = &log->entries[witness->number];
  gint64 now = g_get_monotonic_time ();
  gboolean due = FALSE;

  g_mutex_lock (&self->mutex);
  due = log->note != NULL && entry->line == NULL && now >= entry->next_try
        && now >= witness->next_try && entry->cosigned <= log->checkpoint.size;
  if (due)
    {
      ask->note = g_strdup (log->note);
      ask->checkpoint = log->checkpoint;
    }
  g_mutex_unlock (&self->mutex);
  return due;
}

/* Asks once. TRUE: it is to be asked again. */
static gboolean
reeve_witnesses_ask (ReeveWitness *witness, ReeveWitnessLog *log, const char *scope,
                     const ReeveWitnessesAsk *ask)
{
  ReeveWitnesses *self = witness->witnesses;
  g_autoptr (GError) error = NULL;
  g_autofree char *body
      = reeve_ledger_witness_ask (self->ledger, scope, log->entries[witness->number].cosigned,
                                  &ask->checkpoint, ask->note, &error);
  ReeveWitnessPost post = { .url = witness->url, .body = body };
  gboolean again = FALSE;

  if (body == NULL)
    {
      g_warning ("no proof for witnesses of the log of %s: %s", scope, error->message);
      return FALSE;
    }
  reeve_witness_post_run (self->http, &post, 1);
  again = reeve_witnesses_take (witness, log, scope, ask, &post);
  reeve_witness_post_clear (&post);
  return again;
}

/* Under the lock: what is to be kept now, for who has the turn to write; else nobody has it. */
static gboolean
reeve_witnesses_take_change (ReeveWitnesses *self, ReeveWitnessLog *log, char **note, guint *count)
{
  if (!log->changed)
    {
      log->storing = FALSE;
      return FALSE;
    }
  log->changed = FALSE;
  *note = reeve_witness_log_make_note (log, self->quorum, count);
  return TRUE;
}

/* One at a time writes; what changes meanwhile is written by him too. */
static void
reeve_witnesses_store (ReeveWitnesses *self, ReeveWitnessLog *log, const char *scope)
{
  gboolean go_on = FALSE;

  g_mutex_lock (&self->mutex);
  log->changed = TRUE;
  go_on = !log->storing;
  log->storing = TRUE;
  g_mutex_unlock (&self->mutex);
  while (go_on)
    {
      g_autofree char *note = NULL;
      g_autoptr (GError) error = NULL;
      gboolean saved = FALSE;
      guint count = 0;

      g_mutex_lock (&self->mutex);
      go_on = reeve_witnesses_take_change (self, log, &note, &count);
      g_mutex_unlock (&self->mutex);
      if (note == NULL)
        continue;
      saved = reeve_ledger_witness_save (self->ledger, scope, note, &error);
      if (!saved)
        g_warning ("what witnesses of the log of %s have signed is not kept: %s", scope,
                   error->message);
      g_mutex_lock (&self->mutex);
      if (saved)
        log->stored = count;
      g_mutex_unlock (&self->mutex);
    }
}

/* Returns whether it was asked. */
static gboolean
reeve_witnesses_step (ReeveWitness *witness, const char *scope)
{
  ReeveWitnesses *self = witness->witnesses;
  ReeveWitnessLog *log = reeve_witnesses_find_log (self, scope);
  ReeveWitnessLogEntry *entry = &log->entries[witness->number];
  ReeveWitnessesAsk ask = { 0 };
  gboolean again = TRUE;

  if (g_get_monotonic_time () < entry->next_look)
    return FALSE;
  entry->next_look = g_get_monotonic_time () + REEVE_WITNESSES_LOG_US;
  if (!reeve_witnesses_renew (self, log, scope) || !reeve_witnesses_begin_ask (witness, log, &ask))
    return FALSE;
  again = reeve_witnesses_admit (witness);
  for (guint i = 0; i < REEVE_WITNESSES_ROUNDS && again; i++)
    again = reeve_witnesses_ask (witness, log, scope, &ask);
  g_free (ask.note);
  reeve_witnesses_store (self, log, scope);
  return TRUE;
}

/* ---- the thread of a witness ---- */

static void
reeve_witnesses_look_for_scopes (ReeveWitness *witness)
{
  ReeveWitnesses *self = witness->witnesses;
  gint64 now = g_get_monotonic_time ();
  GHashTableIter iter;
  gpointer scope = NULL;
  gpointer log = NULL;

  if (witness->scopes != NULL && now < witness->scopes_at + REEVE_WITNESSES_SCOPE_US)
    return;
  g_clear_pointer (&witness->scopes, g_strfreev);
  witness->scopes = reeve_ledger_list_scopes (self->ledger, NULL);
  witness->scopes_at = now;
  if (witness->scopes == NULL)
    return;
  g_mutex_lock (&self->mutex);
  g_hash_table_iter_init (&iter, self->logs);
  while (g_hash_table_iter_next (&iter, &scope, &log))
    ((ReeveWitnessLog *) log)->gone
        = !g_strv_contains ((const char *const *) witness->scopes, scope);
  g_mutex_unlock (&self->mutex);
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
  ReeveWitness *witness = data;
  ReeveWitnesses *self = witness->witnesses;
  gboolean go_on = TRUE;

  while (go_on)
    {
      reeve_witnesses_settle_old (witness);
      reeve_witnesses_look_for_scopes (witness);
      for (guint i = 0; go_on && witness->scopes != NULL && witness->scopes[i] != NULL; i++)
        if (reeve_witnesses_step (witness, witness->scopes[i]))
          go_on = reeve_witnesses_wait (self, REEVE_WITNESSES_PAUSE_US);
      go_on = go_on && reeve_witnesses_wait (self, REEVE_WITNESSES_LOOK_US);
    }
  return NULL;
}

void
reeve_witnesses_start (ReeveWitnesses *self)
{
  for (guint i = 0; i < self->witnesses->len; i++)
    {
      ReeveWitness *witness = g_ptr_array_index (self->witnesses, i);

      witness->thread = g_thread_new ("reeve-witnesses", reeve_witnesses_run, witness);
    }
}

void
reeve_witnesses_stop (ReeveWitnesses *self)
{
  g_mutex_lock (&self->mutex);
  self->stopping = TRUE;
  g_cond_broadcast (&self->wake);
  g_mutex_unlock (&self->mutex);
  reeve_http_thread_shutdown (self->http);
  for (guint i = 0; i < self->witnesses->len; i++)
    {
      ReeveWitness *witness = g_ptr_array_index (self->witnesses, i);

      g_clear_pointer (&witness->thread, g_thread_join);
      reeve_witnesses_settle (witness, "stopped");
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
    for (guint i = 0; i < self->witnesses->len && !((ReeveWitnessLog *) value)->gone; i++)
      {
        ReeveWitnessLogState state = ((ReeveWitnessLog *) value)->entries[i].state;

        tally->conflicting += state == REEVE_WITNESS_LOG_CONFLICTING;
        tally->failing += state == REEVE_WITNESS_LOG_FAILING || state == REEVE_WITNESS_LOG_REFUSING;
      }
  g_mutex_unlock (&self->mutex);
}
