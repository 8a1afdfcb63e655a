/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Durable appends and verification, each as a ratio to a floor of the same run: the same bytes in a
 * plain file with fdatasync, alone and behind one bare group committer; and the hash alone. Then
 * all that is complete is packed: how fast, what a record takes on the disk before and after, and
 * verification again. Usage: bench-ledger [SECONDS] [ROUNDS] */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "base/digests.h"
#include "governance/ledger-verify.h"
#include "governance/ledger.h"
#include "../helpers/test-tree.h"

#define WAITERS 64
#define RECORD  450
#define VERIFY  200000

static double seconds = 1;

static double
now (void)
{
  return (double) g_get_monotonic_time () / G_USEC_PER_SEC;
}

/* of the processor: what waits for nothing is not measured by what else the machine does */
static double
busy (void)
{
  return (double) clock () / CLOCKS_PER_SEC;
}

/* ---- floors ---- */

static double
floor_alone (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "plain", NULL);
  char record[RECORD];
  int fd = open (path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND, 0600);
  double start = now ();
  guint count = 0;

  memset (record, 'x', sizeof record);
  for (; now () - start < seconds; count++)
    if (write (fd, record, sizeof record) != sizeof record || fdatasync (fd) != 0)
      exit (1);
  close (fd);
  return count / (now () - start);
}

/* threads that wait for one committer, which does nothing but write and sync */
typedef struct
{
  GMutex mutex;
  GCond work;
  GCond done;
  guint64 submitted;
  guint64 committed;
  gboolean stop;
} Group;

static gpointer
group_waiter (gpointer data)
{
  Group *group = data;

  g_mutex_lock (&group->mutex);
  while (!group->stop)
    {
      guint64 mine = ++group->submitted;

      g_cond_signal (&group->work);
      while (group->committed < mine && !group->stop)
        g_cond_wait (&group->done, &group->mutex);
    }
  g_mutex_unlock (&group->mutex);
  return NULL;
}

static double
floor_grouped (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "grouped", NULL);
  g_autofree char *records = g_strnfill (WAITERS * RECORD, 'x');
  int fd = open (path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND, 0600);
  Group group = { 0 };
  GThread *threads[WAITERS];
  double start = 0;
  double rate = 0;

  for (guint i = 0; i < WAITERS; i++)
    threads[i] = g_thread_new ("waiter", group_waiter, &group);
  start = now ();
  g_mutex_lock (&group.mutex);
  while (now () - start < seconds)
    {
      guint64 upto = 0;

      while (group.submitted == group.committed)
        g_cond_wait (&group.work, &group.mutex);
      upto = group.submitted;
      g_mutex_unlock (&group.mutex);
      if (write (fd, records, (upto - group.committed) * RECORD) < 0 || fdatasync (fd) != 0)
        exit (1);
      g_mutex_lock (&group.mutex);
      group.committed = upto;
      g_cond_broadcast (&group.done);
    }
  rate = (double) group.committed / (now () - start);
  group.stop = TRUE;
  g_cond_broadcast (&group.done);
  g_mutex_unlock (&group.mutex);
  for (guint i = 0; i < WAITERS; i++)
    g_thread_join (threads[i]);
  close (fd);
  return rate;
}

/* The two hashes that each record needs, and one inner node. */
static double
floor_hashes (void)
{
  guint8 buffer[RECORD + 40] = { 0 };
  double start = busy ();
  guint64 count = 0;

  for (; busy () - start < seconds; count++)
    {
      reeve_digests_sha256 (buffer, sizeof buffer, buffer);
      reeve_digests_sha256 (buffer, sizeof buffer, buffer);
      reeve_digests_sha256 (buffer, 65, buffer);
    }
  return (double) count / (busy () - start);
}

/* ---- the ledger ---- */

typedef struct
{
  ReeveLedger *ledger;
  double until;
  guint64 count;
} Waiter;

static const ReeveLedgerRecord sample = {
  .kind = REEVE_LEDGER_READ,
  .scope = "acme",
  .action = "agents.get",
  .actor_type = "user",
  .actor_id = "usr_7n5c2q4x6z3a7k9m2p5r8t4v6y",
  .key_id = "key_7n5c2q4x6z3a7k9m2p5r8t4v6y",
  .agent_id = "agt_7n5c2q4x6z3a7k9m2p5r8t4v6y",
  .resource_type = "agent",
  .resource_id = "agt_7n5c2q4x6z3a7k9m2p5r8t4v6y",
  .outcome = REEVE_OUTCOME_SUCCEEDED,
  .door = "rest",
  .trace_id = "0af7651916cd43dd8448eb211c80319c",
};

static gpointer
ledger_waiter (gpointer data)
{
  Waiter *waiter = data;

  for (; now () < waiter->until; waiter->count++)
    if (reeve_ledger_append (waiter->ledger, &sample, NULL) == 0)
      exit (1);
  return NULL;
}

static double
ledger_rate (ReeveLedger *ledger, guint n)
{
  Waiter waiters[WAITERS];
  GThread *threads[WAITERS];
  double start = now ();
  guint64 count = 0;

  for (guint i = 0; i < n; i++)
    {
      waiters[i] = (Waiter){ ledger, start + seconds, 0 };
      threads[i] = g_thread_new ("waiter", ledger_waiter, &waiters[i]);
    }
  for (guint i = 0; i < n; i++)
    {
      g_thread_join (threads[i]);
      count += waiters[i].count;
    }
  return (double) count / (now () - start);
}

/* one thread, and nobody waits but at the end */
static void
fill (ReeveLedger *ledger)
{
  guint64 size = reeve_ledger_get_size (ledger, "acme");

  for (; size + 1 < VERIFY; size++)
    {
      reeve_ledger_append_async (ledger, &sample, NULL, NULL);
      if (size % 10000 == 0)
        reeve_ledger_append (ledger, &sample, NULL);
    }
  reeve_ledger_append (ledger, &sample, NULL);
}

static double
verify_rate (ReeveLedger *ledger)
{
  guint64 size = reeve_ledger_get_size (ledger, "acme");
  double start = busy ();
  JsonObject *verdict = reeve_ledger_verify (ledger, "acme", NULL);

  start = busy () - start;
  if (!json_object_get_boolean_member (verdict, "valid"))
    exit (1);
  json_object_unref (verdict);
  return (double) size / start;
}

/* bytes of all files below */
static guint64
measure (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name = NULL;
  guint64 sum = 0;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      GStatBuf status;

      if (g_lstat (path, &status) == 0)
        sum += S_ISDIR (status.st_mode) ? measure (path) : (guint64) status.st_size;
    }
  return sum;
}

/* All that is complete and signed, by the next host. */
static void
run_packed (const char *folder, const char *keys, double hashes)
{
  g_autoptr (ReeveLedger) ledger = reeve_ledger_new (folder, keys);
  g_autofree char *log = g_build_filename (folder, "acme", NULL);
  double before = (double) measure (log);
  double start = 0;
  double packed = 0;
  double verified = 0;
  double size = 0;

  if (!reeve_ledger_open (ledger, NULL))
    exit (1);
  size = (double) reeve_ledger_get_size (ledger, "acme");
  start = busy ();
  if (!reeve_ledger_pack (ledger, NULL))
    exit (1);
  packed = size / (busy () - start);
  verified = verify_rate (ledger);
  printf ("packed     %8.0f/s  %.0f records take %.0f bytes each, before it %.0f\n", packed, size,
          (double) measure (log) / size, before / size);
  printf ("verified   %8.0f/s  its hashes alone         %8.0f/s  ratio %.2f\n", verified, hashes,
          verified / hashes);
}

static void
run_round (const char *state)
{
  g_autofree char *folder = g_build_filename (state, "ledger", NULL);
  g_autofree char *keys = g_build_filename (state, "keys", NULL);
  g_autoptr (ReeveLedger) ledger = reeve_ledger_new (folder, keys);
  double alone = floor_alone (state);
  double grouped = floor_grouped (state);
  double hashes = floor_hashes ();
  double one = 0;
  double many = 0;
  double verified = 0;

  if (!reeve_ledger_open (ledger, NULL))
    exit (1);
  one = ledger_rate (ledger, 1);
  many = ledger_rate (ledger, WAITERS);
  fill (ledger);
  verified = verify_rate (ledger);
  printf ("1 waits    %8.0f/s  plain file + fdatasync   %8.0f/s  ratio %.2f\n", one, alone,
          one / alone);
  printf ("%d wait    %8.0f/s  bare group committer     %8.0f/s  ratio %.2f\n", WAITERS, many,
          grouped, many / grouped);
  printf ("verified   %8.0f/s  its hashes alone         %8.0f/s  ratio %.2f\n", verified, hashes,
          verified / hashes);
  reeve_ledger_close (ledger);
  run_packed (folder, keys, hashes);
  fflush (stdout);
}

int
main (int argc, char **argv)
{
  guint rounds = argc > 2 ? (guint) atoi (argv[2]) : 3;

  if (argc > 1)
    seconds = g_ascii_strtod (argv[1], NULL);
  for (guint i = 0; i < rounds; i++)
    {
      g_autofree char *state = g_dir_make_tmp ("reeve-bench-XXXXXX", NULL);

      run_round (state);
      test_tree_remove (state);
    }
  return 0;
}
