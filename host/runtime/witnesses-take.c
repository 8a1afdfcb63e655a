/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveWitnesses: what the answer of a witness means, and what of it is recorded. */
#include "witnesses-private.h"

#include "governance/witness-answer.h"

#define REEVE_WITNESSES_ANNOUNCE 3 /* tries that fail, before it is recorded */

/* ---- records about it ---- */

static void
reeve_witnesses_note (ReeveWitnesses *self, const char *action, const char *id, const char *reason)
{
  const ReeveLedgerRecord record = {
    .kind = REEVE_LEDGER_EVENT,
    .scope = REEVE_SCOPE_PLATFORM,
    .action = action,
    .actor_type = "system",
    .actor_id = "host",
    .resource_type = "witness",
    .resource_id = id,
    .reason = reason,
    .door = "internal",
  };

  reeve_ledger_append_async (self->ledger, &record, NULL, NULL);
}

/* ---- one answer ---- */

/* Whoever shows it looks under the mutex. */
static void
reeve_witnesses_fail (ReeveWitnesses *self, ReeveWitnessLogEntry *entry, ReeveWitnessLogState state,
                      const char *why)
{
  g_mutex_lock (&self->mutex);
  reeve_witness_log_fail (entry, state, why, g_get_monotonic_time ());
  g_mutex_unlock (&self->mutex);
}

static void
reeve_witnesses_take_failure (ReeveWitness *witness, ReeveWitnessLogEntry *entry, const char *why)
{
  ReeveWitnesses *self = witness->witnesses;
  guint failures = (guint) g_atomic_int_add (&witness->failures, 1) + 1;

  reeve_witnesses_fail (self, entry, REEVE_WITNESS_LOG_FAILING, why);
  witness->next_try = g_get_monotonic_time () + reeve_witness_log_back_off (failures);
  if (failures == 1)
    g_message ("witness %s: %s", witness->name, why);
  if (failures < REEVE_WITNESSES_ANNOUNCE || witness->announced)
    return;
  witness->announced = TRUE;
  g_warning ("witness %s cosigns nothing: %s", witness->name, why);
  reeve_witnesses_note (self, REEVE_WITNESSES_ACTION_FAILING, witness->name, "failed");
}

static void
reeve_witnesses_take_refusal (ReeveWitness *witness, ReeveWitnessLogEntry *entry, const char *scope,
                              const char *why)
{
  ReeveWitnesses *self = witness->witnesses;

  reeve_witnesses_fail (self, entry, REEVE_WITNESS_LOG_REFUSING, why);
  if (entry->failures == 1)
    g_warning ("witness %s does not cosign the log of %s: %s", witness->name, scope, why);
  /* once, not for every log */
  if (witness->announced)
    return;
  witness->announced = TRUE;
  reeve_witnesses_note (self, REEVE_WITNESSES_ACTION_FAILING, witness->name, "refused");
}

static void
reeve_witnesses_take_conflict (ReeveWitness *witness, ReeveWitnessLogEntry *entry,
                               const char *scope, const char *reason, const char *why)
{
  ReeveWitnesses *self = witness->witnesses;
  g_autofree char *id = g_strconcat (witness->name, "/", scope, NULL);

  reeve_witnesses_fail (self, entry, REEVE_WITNESS_LOG_CONFLICTING, why);
  if (entry->alarmed)
    return;
  entry->alarmed = TRUE;
  g_warning (
      "ALARM: witness %s and the log of %s contradict each other: %s. An older state was put "
      "back, or there are two ledgers of this name",
      witness->name, scope, why);
  reeve_witnesses_note (self, REEVE_WITNESSES_ACTION_CONFLICT, id, reason);
}

static void
reeve_witnesses_take_success (ReeveWitness *witness, ReeveWitnessLog *log,
                              const ReeveWitnessesAsk *ask, const ReeveWitnessAnswer *answer)
{
  ReeveWitnesses *self = witness->witnesses;
  ReeveWitnessLogEntry *entry = &log->entries[witness->number];

  g_mutex_lock (&self->mutex);
  reeve_witness_log_succeed (entry, ask->checkpoint.size, answer->time, answer->line);
  if (ask->checkpoint.size != log->checkpoint.size)
    reeve_witness_log_outrun (entry);
  g_mutex_unlock (&self->mutex);
  entry->alarmed = FALSE;
  g_atomic_int_set (&witness->failures, 0);
  witness->next_try = 0;
  if (!witness->announced)
    return;
  witness->announced = FALSE;
  g_message ("witness %s cosigns again", witness->name);
  reeve_witnesses_note (self, REEVE_WITNESSES_ACTION_RESUMED, witness->name, NULL);
}

/* It stands elsewhere than we thought. TRUE: to be asked again, from there. */
static gboolean
reeve_witnesses_take_size (ReeveWitness *witness, ReeveWitnessLogEntry *entry, const char *scope,
                           const ReeveWitnessesAsk *ask, guint64 size)
{
  ReeveWitnesses *self = witness->witnesses;
  guint64 ours = reeve_ledger_get_size (self->ledger, scope);
  g_autofree char *why = NULL;

  if (size > ours)
    {
      why = g_strdup_printf ("it has cosigned %" G_GUINT64_FORMAT " records, %" G_GUINT64_FORMAT
                             " are there",
                             size, ours);
      reeve_witnesses_take_conflict (witness, entry, scope, "rolled_back", why);
      return FALSE;
    }
  if (size == entry->cosigned && size == ask->checkpoint.size)
    {
      why = g_strdup_printf ("it has cosigned another root over %" G_GUINT64_FORMAT " records",
                             size);
      reeve_witnesses_take_conflict (witness, entry, scope, "forked", why);
      return FALSE;
    }
  if (size == entry->cosigned)
    {
      reeve_witnesses_take_failure (witness, entry, "it refuses the size that it asks for");
      return FALSE;
    }
  g_mutex_lock (&self->mutex);
  entry->cosigned = size;
  g_mutex_unlock (&self->mutex);
  return size <= ask->checkpoint.size;
}

gboolean
reeve_witnesses_take (ReeveWitness *witness, ReeveWitnessLog *log, const char *scope,
                      const ReeveWitnessesAsk *ask, const ReeveWitnessPost *post)
{
  ReeveWitnessLogEntry *entry = &log->entries[witness->number];
  g_auto (ReeveWitnessAnswer) answer = { 0 };

  if (post->ours)
    return FALSE;
  if (post->error != NULL)
    {
      reeve_witnesses_take_failure (witness, entry, post->error);
      return FALSE;
    }
  reeve_witness_answer_read (&answer, witness->witnesses->keys, witness->number, ask->note,
                             post->status, (const char *) post->answer->data, post->answer->len);
  switch (answer.verdict)
    {
    case REEVE_WITNESS_COSIGNED:
      reeve_witnesses_take_success (witness, log, ask, &answer);
      return FALSE;
    case REEVE_WITNESS_ELSEWHERE:
      return reeve_witnesses_take_size (witness, entry, scope, ask, answer.size);
    case REEVE_WITNESS_DISAGREES:
      reeve_witnesses_take_conflict (witness, entry, scope, "forked", answer.text);
      return FALSE;
    case REEVE_WITNESS_REFUSED:
      reeve_witnesses_take_refusal (witness, entry, scope, answer.text);
      return FALSE;
    case REEVE_WITNESS_FAILED:
    default:
      reeve_witnesses_take_failure (witness, entry, answer.text);
      return FALSE;
    }
}
