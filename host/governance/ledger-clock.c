/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Retention deletes by the clock, and what is deleted does not come back: a clock that is set
 * forward by ten years must not empty the ledger. A leap of up to a month is believed, for a host
 * may have been off for so long. After a longer one time goes on from where it was, as fast as it
 * is seen to pass: records are kept longer than they must be, which is no harm. */
#include "ledger-clock.h"

#include <string.h>

#include "ledger-file.h"

struct _ReeveLedgerClock
{
  char *path;
  gint64 seen;      /* 0: not known yet */
  gint64 monotonic; /* of the last tick */
};

/**
 * reeve_ledger_clock_new:
 * @folder: folder of all logs, where it is written down what was seen
 *
 * Returns: (transfer full): a clock. Without the file it believes the first time it is told.
 */
ReeveLedgerClock *
reeve_ledger_clock_new (const char *folder)
{
  ReeveLedgerClock *self = g_new0 (ReeveLedgerClock, 1);
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *text = NULL;

  self->path = g_build_filename (folder, REEVE_LEDGER_CLOCK_FILE, NULL);
  bytes = reeve_ledger_file_read (self->path, 32, NULL);
  if (bytes != NULL)
    text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  if (text != NULL)
    {
      g_strchomp (text);
      (void) g_ascii_string_to_signed (text, 10, 1, G_MAXINT64, &self->seen, NULL);
    }
  return self;
}

/**
 * reeve_ledger_clock_free:
 * @self: a clock
 */
void
reeve_ledger_clock_free (ReeveLedgerClock *self)
{
  g_free (self->path);
  g_free (self);
}

/**
 * reeve_ledger_clock_tick:
 * @self: a clock
 * @wall: what the machine says the time is, µs
 * @monotonic: a clock that nobody sets, µs
 *
 * To be called at least once a month.
 *
 * Returns: the time by which something may be called old, µs
 */
gint64
reeve_ledger_clock_tick (ReeveLedgerClock *self, gint64 wall, gint64 monotonic)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  if (self->seen == 0)
    self->seen = wall;
  else if (wall > self->seen && wall - self->seen <= REEVE_LEDGER_CLOCK_LEAP)
    self->seen = wall;
  else if (wall > self->seen && self->monotonic != 0)
    self->seen += MAX (monotonic - self->monotonic, 0);
  self->monotonic = monotonic;
  text = g_strdup_printf ("%" G_GINT64_FORMAT "\n", self->seen);
  if (!reeve_ledger_file_rewrite (self->path, text, strlen (text), &error))
    g_message ("ledger: %s", error->message);
  return MIN (wall, self->seen);
}
