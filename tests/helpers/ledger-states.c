/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes the ledger of a state folder longer, in small files: `ledger-states STATE COUNT [hold]`.
 * Those that are complete already are packed before.
 * With `hold` it says `ready` when all is durable, and waits for the end of its input before it
 * stops: whoever copies the folder meanwhile has that of a host that was killed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "governance/ledger.h"

#define SEGMENT 24576
/* so many go to the disk at once, and into one file */
#define AT_ONCE 48

static void
fail (const char *doing, const GError *error)
{
  fprintf (stderr, "%s: %s\n", doing, error != NULL ? error->message : "?");
  exit (1);
}

static void
append (ReeveLedger *ledger, const char *scope, guint number, gboolean wait)
{
  g_autofree char *actor = g_strdup_printf ("usr_%u", number);
  g_autoptr (GError) error = NULL;
  ReeveLedgerRecord record = {
    .kind = number % 3 == 0 ? REEVE_LEDGER_REFUSAL : REEVE_LEDGER_READ,
    .scope = scope,
    .action = "agents.get",
    .actor_type = "user",
    .actor_id = actor,
    .resource_type = "agent",
    .resource_id = number % 7 == 0 ? "a \"quoted\"\tname, \xc3\xa4" : "agt_one",
    .reason = number % 3 == 0 ? "permission_denied" : NULL,
    .door = "rest",
  };

  if (!wait)
    reeve_ledger_append_async (ledger, &record, NULL, NULL);
  else if (reeve_ledger_append (ledger, &record, &error) == 0)
    fail ("appending", error);
}

int
main (int argc, char **argv)
{
  g_autoptr (ReeveLedger) ledger = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = NULL;
  g_autofree char *keys = NULL;
  guint count = 0;

  if (argc < 3)
    return 2;
  count = (guint) strtoul (argv[2], NULL, 10);
  folder = g_build_filename (argv[1], "ledger", NULL);
  keys = g_build_filename (argv[1], "keys", NULL);
  ledger = reeve_ledger_new (folder, keys);
  reeve_ledger_set_segment_size (ledger, SEGMENT);
  reeve_ledger_set_checkpoint_seconds (ledger, 3600);
  if (!reeve_ledger_open (ledger, &error))
    fail ("opening", error);
  if (!reeve_ledger_pack (ledger, &error))
    fail ("packing", error);
  for (guint i = 0; i < count; i++)
    {
      append (ledger, "acme", i, i % AT_ONCE == AT_ONCE - 1);
      if (i % 16 == 0)
        append (ledger, "beta", i, FALSE);
    }
  append (ledger, "beta", count, TRUE);
  append (ledger, "acme", count, TRUE);
  if (argc > 3 && strcmp (argv[3], "hold") == 0)
    {
      printf ("ready\n");
      fflush (stdout);
      while (getchar () != EOF)
        continue;
    }
  reeve_ledger_close (ledger);
  return 0;
}
