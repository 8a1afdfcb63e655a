/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of the witnesses of a log is in memory; what a start does not know, the witness
 * says when it is asked. */
#include "witness-log.h"

#include <string.h>

#define REEVE_WITNESS_LOG_FIRST_US   G_TIME_SPAN_SECOND
#define REEVE_WITNESS_LOG_LONGEST_US G_TIME_SPAN_MINUTE

/**
 * reeve_witness_log_new:
 * @count: how many witnesses there are
 *
 * Returns: (transfer full): nothing is known
 */
ReeveWitnessLog *
reeve_witness_log_new (guint count)
{
  ReeveWitnessLog *self = g_new0 (ReeveWitnessLog, 1);

  self->count = count;
  return self;
}

/**
 * reeve_witness_log_free:
 * @self: (transfer full): a log
 */
void
reeve_witness_log_free (ReeveWitnessLog *self)
{
  for (guint i = 0; i < self->count; i++)
    {
      g_free (self->entries[i].line);
      g_free (self->entries[i].last_error);
    }
  g_free (self->note);
  g_free (self);
}

/**
 * reeve_witness_log_recall:
 * @self: a log of which nothing is known
 * @keys: keys of the witnesses
 * @note: what was kept
 * @checkpoint: what it says
 *
 * Takes over who has cosigned it; what is not good counts as not there.
 */
void
reeve_witness_log_recall (ReeveWitnessLog *self, const ReeveCosigners *keys, const char *note,
                          const ReeveCheckpoint *checkpoint)
{
  const char *end = strstr (note, "\n\n");
  g_autofree char *body = end != NULL ? g_strndup (note, (gsize) (end - note) + 1) : NULL;
  g_auto (GStrv) lines = g_strsplit (end != NULL ? end + 2 : "", "\n", -1);
  guint number = 0;

  for (guint i = 1; i < g_strv_length (lines); i++)
    {
      ReeveWitnessLogEntry *entry = NULL;
      guint64 time = 0;

      if (reeve_cosigners_find (keys, lines[i], &number))
        time = reeve_cosigners_check_line (keys, number, body, lines[i], NULL);
      if (time == 0)
        continue;
      entry = &self->entries[number];
      self->stored += entry->line == NULL;
      reeve_witness_log_succeed (entry, checkpoint->size, time, lines[i]);
    }
  self->checkpoint = *checkpoint;
  self->note = g_strconcat (body, "\n", lines[0], "\n", NULL);
}

/**
 * reeve_witness_log_begin:
 * @self: a log
 * @note: (transfer full): a new checkpoint
 * @checkpoint: what it says
 */
void
reeve_witness_log_begin (ReeveWitnessLog *self, char *note, const ReeveCheckpoint *checkpoint)
{
  g_free (self->note);
  self->note = note;
  self->checkpoint = *checkpoint;
  for (guint i = 0; i < self->count; i++)
    {
      ReeveWitnessLogEntry *entry = &self->entries[i];

      g_clear_pointer (&entry->line, g_free);
      if (entry->state == REEVE_WITNESS_LOG_CURRENT)
        entry->state = REEVE_WITNESS_LOG_WAITING;
    }
}

/**
 * reeve_witness_log_make_note:
 * @self: a log
 * @quorum: how many must have cosigned
 * @count: (out): how many have
 *
 * Returns: (transfer full) (nullable): the checkpoint with all cosignatures, if it is to be kept:
 * enough have cosigned it, or not fewer than what is kept, which has too few
 */
char *
reeve_witness_log_make_note (const ReeveWitnessLog *self, guint quorum, guint *count)
{
  g_autoptr (GString) text = g_string_new (self->note);

  *count = 0;
  for (guint i = 0; i < self->count; i++)
    if (self->entries[i].line != NULL)
      {
        g_string_append_printf (text, "%s\n", self->entries[i].line);
        *count += 1;
      }
  if (*count == 0 || (*count < quorum && *count < self->stored))
    return NULL;
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/**
 * reeve_witness_log_back_off:
 * @failures: tries in a row that did not succeed
 *
 * Returns: µs to wait: twice as long each time, between half and all of it by chance
 */
gint64
reeve_witness_log_back_off (guint failures)
{
  gint64 wait = MIN (REEVE_WITNESS_LOG_FIRST_US << MIN (MAX (failures, 1) - 1, 10),
                     REEVE_WITNESS_LOG_LONGEST_US);

  return wait / 2 + g_random_int_range (0, (gint32) (wait / 2));
}

/**
 * reeve_witness_log_fail:
 * @entry: a witness of a log
 * @state: how it stands
 * @why: of the failure
 * @now: monotonic µs
 */
void
reeve_witness_log_fail (ReeveWitnessLogEntry *entry, ReeveWitnessLogState state, const char *why,
                        gint64 now)
{
  /* what conflicts is no better for a stall */
  if (state != REEVE_WITNESS_LOG_FAILING || entry->state != REEVE_WITNESS_LOG_CONFLICTING)
    entry->state = state;
  g_free (entry->last_error);
  entry->last_error = g_strdup (why);
  entry->failures++;
  entry->next_try = now + reeve_witness_log_back_off (entry->failures);
}

/**
 * reeve_witness_log_succeed:
 * @entry: a witness of a log
 * @size: how many records it has cosigned
 * @time: when, seconds since 1970
 * @line: its cosignature
 */
void
reeve_witness_log_succeed (ReeveWitnessLogEntry *entry, guint64 size, guint64 time,
                           const char *line)
{
  g_free (entry->line);
  g_clear_pointer (&entry->last_error, g_free);
  entry->line = g_strdup (line);
  entry->state = REEVE_WITNESS_LOG_CURRENT;
  entry->cosigned = size;
  entry->time = time;
  entry->failures = 0;
  entry->next_try = 0;
}

/**
 * reeve_witness_log_outrun:
 * @entry: a witness that has just cosigned
 *
 * The log went on meanwhile: it is to cosign what came since.
 */
void
reeve_witness_log_outrun (ReeveWitnessLogEntry *entry)
{
  g_clear_pointer (&entry->line, g_free);
  entry->state = REEVE_WITNESS_LOG_WAITING;
}

/**
 * reeve_witness_log_get_state_name:
 * @state: how a witness stands
 *
 * Returns: the word for it
 */
const char *
reeve_witness_log_get_state_name (ReeveWitnessLogState state)
{
  static const char *const names[] = { "waiting", "current", "failing", "refusing", "conflicting" };

  return names[state];
}
