/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fold over a run's entries. Everything decide() looks at is derived here, in one pass, entry
 * by entry. */
#include "journal.h"

#include <reeve-json.h>

struct _ReeveJournal
{
  GPtrArray *entries; /* JsonObject */
  JsonObject *started;
  JsonObject *ended;
  const char *interruption;
  guint steps;
  gboolean model_open;
  JsonObject *model_outcome;
  GPtrArray *calls; /* ReeveJournalCall */
  gint64 input_tokens;
  gint64 held_tokens;
  gint64 output_tokens;
  gboolean usage_estimated;
  gboolean queued; /* until it has begun */
};

typedef gboolean (*ReeveJournalFold) (ReeveJournal *self, JsonObject *entry, GError **error);

/**
 * reeve_journal_new:
 *
 * Returns: (transfer full): a journal without entries
 */
ReeveJournal *
reeve_journal_new (void)
{
  ReeveJournal *self = g_new0 (ReeveJournal, 1);

  self->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  self->calls = g_ptr_array_new_with_free_func (g_free);
  return self;
}

/**
 * reeve_journal_free:
 * @self: (transfer full): a journal
 */
void
reeve_journal_free (ReeveJournal *self)
{
  g_ptr_array_unref (self->calls);
  g_ptr_array_unref (self->entries);
  g_free (self);
}

static gboolean
reeve_journal_misplaced (JsonObject *entry, const char *why, GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT,
               "journal entry \"%s\" cannot stand here: %s",
               reeve_json_get_string (entry, "type", ""), why);
  return FALSE;
}

static ReeveJournalCall *
reeve_journal_find_call (ReeveJournal *self, const char *call_id)
{
  for (guint i = 0; i < self->calls->len; i++)
    {
      ReeveJournalCall *call = g_ptr_array_index (self->calls, i);

      if (g_strcmp0 (call->call_id, call_id) == 0)
        return call;
    }
  return NULL;
}

static gboolean
reeve_journal_fold_started (ReeveJournal *self, JsonObject *entry, GError **error)
{
  if (self->started != NULL)
    return reeve_journal_misplaced (entry, "the run has started already", error);
  self->started = entry;
  self->queued = reeve_json_get_boolean (entry, "queued", FALSE);
  return TRUE;
}

static gboolean
reeve_journal_fold_begun (ReeveJournal *self, JsonObject *entry, GError **error)
{
  if (!self->queued)
    return reeve_journal_misplaced (entry, "the run does not wait for its turn", error);
  self->queued = FALSE;
  return TRUE;
}

static gboolean
reeve_journal_fold_model_intent (ReeveJournal *self, JsonObject *entry, GError **error)
{
  if (self->model_open)
    return reeve_journal_misplaced (entry, "a model call is under way", error);
  self->model_open = TRUE;
  self->steps++;
  return TRUE;
}

/* The calls borrow their strings from the entry, which the journal keeps. */
static void
reeve_journal_take_calls (ReeveJournal *self, JsonArray *calls)
{
  guint n = calls != NULL ? json_array_get_length (calls) : 0;

  g_ptr_array_set_size (self->calls, 0);
  for (guint i = 0; i < n; i++)
    {
      JsonObject *object = json_array_get_object_element (calls, i);
      JsonObject *function = reeve_json_get_object (object, "function");
      ReeveJournalCall *call = g_new0 (ReeveJournalCall, 1);

      call->call_id = reeve_json_get_string (object, "id", "");
      call->name = function != NULL ? reeve_json_get_string (function, "name", "") : "";
      call->arguments = function != NULL ? reeve_json_get_string (function, "arguments", "") : "";
      g_ptr_array_add (self->calls, call);
    }
}

static void
reeve_journal_take_usage (ReeveJournal *self, JsonObject *usage)
{
  if (usage == NULL)
    return;
  self->input_tokens += reeve_json_get_int (usage, "input_tokens", 0);
  self->output_tokens += reeve_json_get_int (usage, "output_tokens", 0);
  self->held_tokens += reeve_json_get_int (usage, "held_tokens", 0);
  if (reeve_json_get_boolean (usage, "estimated", FALSE))
    self->usage_estimated = TRUE;
}

static gboolean
reeve_journal_fold_model_outcome (ReeveJournal *self, JsonObject *entry, GError **error)
{
  if (!self->model_open)
    return reeve_journal_misplaced (entry, "no model call is under way", error);
  self->model_open = FALSE;
  self->model_outcome = entry;
  /* who is asked in its place takes the same step */
  if (reeve_journal_get_fallback (self) != NULL)
    self->steps--;
  reeve_journal_take_calls (self, reeve_json_get_array (entry, "tool_calls"));
  reeve_journal_take_usage (self, reeve_json_get_object (entry, "usage"));
  return TRUE;
}

static gboolean
reeve_journal_fold_tool_intent (ReeveJournal *self, JsonObject *entry, GError **error)
{
  ReeveJournalCall *call
      = reeve_journal_find_call (self, reeve_json_get_string (entry, "call_id", ""));

  if (call == NULL || call->attempted || call->result != NULL)
    return reeve_journal_misplaced (entry, "no such call is open", error);
  call->attempted = TRUE;
  return TRUE;
}

static gboolean
reeve_journal_fold_tool_outcome (ReeveJournal *self, JsonObject *entry, GError **error)
{
  ReeveJournalCall *call
      = reeve_journal_find_call (self, reeve_json_get_string (entry, "call_id", ""));

  if (call == NULL || !call->attempted || call->result != NULL)
    return reeve_journal_misplaced (entry, "no such call was attempted", error);
  call->result = entry;
  reeve_journal_take_usage (self, reeve_json_get_object (entry, "usage"));
  return TRUE;
}

static gboolean
reeve_journal_fold_tool_refused (ReeveJournal *self, JsonObject *entry, GError **error)
{
  ReeveJournalCall *call
      = reeve_journal_find_call (self, reeve_json_get_string (entry, "call_id", ""));

  if (call == NULL || call->attempted || call->result != NULL)
    return reeve_journal_misplaced (entry, "no such call is open", error);
  call->result = entry;
  return TRUE;
}

/* As if it had never been tried. */
static gboolean
reeve_journal_fold_given_up (ReeveJournal *self, JsonObject *entry, GError **error)
{
  const char *call_id = reeve_json_get_string (entry, "call_id", NULL);
  ReeveJournalCall *call = call_id != NULL ? reeve_journal_find_call (self, call_id) : NULL;

  if (call_id != NULL)
    {
      if (call == NULL || !call->attempted || call->result != NULL)
        return reeve_journal_misplaced (entry, "no such call was attempted", error);
      call->attempted = FALSE;
      reeve_journal_take_usage (self, reeve_json_get_object (entry, "usage"));
      return TRUE;
    }
  if (!self->model_open)
    return reeve_journal_misplaced (entry, "no model call is under way", error);
  self->model_open = FALSE;
  self->steps--;
  return TRUE;
}

static gboolean
reeve_journal_fold_interrupted (ReeveJournal *self, JsonObject *entry, GError **error)
{
  if (self->interruption == NULL)
    self->interruption = reeve_json_get_string (entry, "reason", "cancelled");
  return TRUE;
}

static gboolean
reeve_journal_fold_ended (ReeveJournal *self, JsonObject *entry, GError **error)
{
  self->ended = entry;
  return TRUE;
}

static const struct
{
  const char *type;
  ReeveJournalFold fold;
} reeve_journal_folds[] = {
  { REEVE_JOURNAL_STARTED, reeve_journal_fold_started },
  { REEVE_JOURNAL_BEGUN, reeve_journal_fold_begun },
  { REEVE_JOURNAL_MODEL_INTENT, reeve_journal_fold_model_intent },
  { REEVE_JOURNAL_MODEL_OUTCOME, reeve_journal_fold_model_outcome },
  { REEVE_JOURNAL_TOOL_INTENT, reeve_journal_fold_tool_intent },
  { REEVE_JOURNAL_TOOL_OUTCOME, reeve_journal_fold_tool_outcome },
  { REEVE_JOURNAL_TOOL_REFUSED, reeve_journal_fold_tool_refused },
  { REEVE_JOURNAL_GIVEN_UP, reeve_journal_fold_given_up },
  { REEVE_JOURNAL_INTERRUPTED, reeve_journal_fold_interrupted },
  { REEVE_JOURNAL_ENDED, reeve_journal_fold_ended },
};

/**
 * reeve_journal_add:
 * @self: a journal
 * @entry: (transfer none): the next entry; not changed by anybody from now on
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_CORRUPT when @entry cannot stand here
 */
gboolean
reeve_journal_add (ReeveJournal *self, JsonObject *entry, GError **error)
{
  const char *type = reeve_json_get_string (entry, "type", "");

  if (self->ended != NULL)
    return reeve_journal_misplaced (entry, "the run has ended", error);
  if (self->started == NULL && g_strcmp0 (type, REEVE_JOURNAL_STARTED) != 0)
    return reeve_journal_misplaced (entry, "the run has not started", error);
  for (guint i = 0; i < G_N_ELEMENTS (reeve_journal_folds); i++)
    {
      if (g_strcmp0 (type, reeve_journal_folds[i].type) != 0)
        continue;
      if (!reeve_journal_folds[i].fold (self, entry, error))
        return FALSE;
      g_ptr_array_add (self->entries, json_object_ref (entry));
      return TRUE;
    }
  return reeve_journal_misplaced (entry, "unknown type", error);
}

/**
 * reeve_journal_get_length:
 * @self: a journal
 *
 * Returns: the number of entries
 */
guint
reeve_journal_get_length (ReeveJournal *self)
{
  return self->entries->len;
}

/**
 * reeve_journal_get_entry:
 * @self: a journal
 * @position: from 0
 *
 * Returns: (transfer none): an entry
 */
JsonObject *
reeve_journal_get_entry (ReeveJournal *self, guint position)
{
  return g_ptr_array_index (self->entries, position);
}

/**
 * reeve_journal_get_started:
 * @self: a journal
 *
 * Returns: (transfer none) (nullable): the first entry
 */
JsonObject *
reeve_journal_get_started (ReeveJournal *self)
{
  return self->started;
}

/**
 * reeve_journal_get_ended:
 * @self: a journal
 *
 * Returns: (transfer none) (nullable): the last entry of a run that has ended
 */
JsonObject *
reeve_journal_get_ended (ReeveJournal *self)
{
  return self->ended;
}

/**
 * reeve_journal_get_interruption:
 * @self: a journal
 *
 * Returns: (transfer none) (nullable): `cancelled`, `timeout` or `queue_timeout`
 */
const char *
reeve_journal_get_interruption (ReeveJournal *self)
{
  return self->interruption;
}

/**
 * reeve_journal_is_queued:
 * @self: a journal
 *
 * Returns: whether the run waits for its turn
 */
gboolean
reeve_journal_is_queued (ReeveJournal *self)
{
  return self->queued;
}

/**
 * reeve_journal_get_steps:
 * @self: a journal
 *
 * Returns: how many model calls were tried
 */
guint
reeve_journal_get_steps (ReeveJournal *self)
{
  return self->steps;
}

/**
 * reeve_journal_is_model_open:
 * @self: a journal
 *
 * Returns: whether a model call has an intent and no outcome
 */
gboolean
reeve_journal_is_model_open (ReeveJournal *self)
{
  return self->model_open;
}

/**
 * reeve_journal_get_model_outcome:
 * @self: a journal
 *
 * Returns: (transfer none) (nullable): the outcome of the last model call
 */
JsonObject *
reeve_journal_get_model_outcome (ReeveJournal *self)
{
  return self->model_outcome;
}

/**
 * reeve_journal_get_fallback:
 * @self: a journal
 *
 * Returns: (transfer none) (nullable): which model is to be asked in the place of the last one,
 * which failed: `{model, intent}`, the latter of the call that failed
 */
JsonObject *
reeve_journal_get_fallback (ReeveJournal *self)
{
  return self->model_outcome != NULL ? reeve_json_get_object (self->model_outcome, "fallback")
                                     : NULL;
}

/**
 * reeve_journal_get_calls:
 * @self: a journal
 *
 * Returns: (transfer none) (element-type ReeveJournalCall): tool calls of the last model answer
 */
GPtrArray *
reeve_journal_get_calls (ReeveJournal *self)
{
  return self->calls;
}

/**
 * reeve_journal_get_input_tokens:
 * @self: a journal
 *
 * Returns: tokens read by models so far
 */
gint64
reeve_journal_get_input_tokens (ReeveJournal *self)
{
  return self->input_tokens;
}

/**
 * reeve_journal_get_output_tokens:
 * @self: a journal
 *
 * Returns: tokens written by models so far
 */
gint64
reeve_journal_get_output_tokens (ReeveJournal *self)
{
  return self->output_tokens;
}

/**
 * reeve_journal_get_bound_tokens:
 * @self: a journal
 *
 * Returns: tokens that models took so far, and those that they may have taken behind the end of the
 * tool calls that they were asked in
 */
gint64
reeve_journal_get_bound_tokens (ReeveJournal *self)
{
  return self->input_tokens + self->output_tokens + self->held_tokens;
}

/**
 * reeve_journal_is_usage_estimated:
 * @self: a journal
 *
 * Returns: whether a service left out its counts, so that ours are estimates
 */
gboolean
reeve_journal_is_usage_estimated (ReeveJournal *self)
{
  return self->usage_estimated;
}
