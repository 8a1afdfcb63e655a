/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* While somebody waits for a record, processors are asked not to sleep, and may again behind it.
 * A file stands for the kernel's device. */
#include "ledger-fixture.h"

/* µs: far above what any test waits for */
#define LONG (10 * G_TIME_SPAN_MINUTE)

typedef struct
{
  LedgerFixture ledger;
  char *device;
} Awake;

/* so many are no row yet, and one more is */
#define ROW 16

/* @data: how soon one record is to follow another: "soon", within 20 ms, or at any time */
static void
awake_set_up (Awake *self, gconstpointer data)
{
  gint64 gap = g_str_equal (data, "soon") ? 20 * G_TIME_SPAN_MILLISECOND : LONG;
  gint64 longest = g_str_equal (data, "slow") ? -1 : LONG;
  g_autoptr (GError) error = NULL;

  ledger_fixture_set_up (&self->ledger, NULL);
  ledger_fixture_close (&self->ledger);
  self->device = g_build_filename (self->ledger.state, "device", NULL);
  g_assert_true (g_file_set_contents (self->device, "", 0, NULL));
  self->ledger.ledger = reeve_ledger_new (self->ledger.folder, self->ledger.keys);
  reeve_ledger_set_latency (self->ledger.ledger,
                            reeve_cpu_latency_open (self->device, gap, longest, &error));
  g_assert_no_error (error);
  reeve_ledger_open (self->ledger.ledger, &error);
  g_assert_no_error (error);
}

static void
awake_tear_down (Awake *self, gconstpointer data)
{
  ledger_fixture_tear_down (&self->ledger, NULL);
  g_free (self->device);
}

static void
append (Awake *self, guint count)
{
  for (guint i = 0; i < count; i++)
    ledger_fixture_append (&self->ledger, "acme", REEVE_LEDGER_READ, "agents.get", 0);
}

/* Returns how often the kernel was asked, or asked no more: each in turn. */
static guint
count_asked (Awake *self)
{
  g_autofree char *found = NULL;
  gsize length = 0;
  const gint32 *values = NULL;

  g_assert_true (g_file_get_contents (self->device, &found, &length, NULL));
  values = (const gint32 *) (gpointer) found;
  g_assert_cmpuint (length % sizeof *values, ==, 0);
  for (gsize i = 0; i < length / sizeof *values; i++)
    g_assert_cmpint (values[i], ==, i % 2 == 0 ? 0 : -1);
  return (guint) (length / sizeof *values);
}

/* in a row, and to its end: nothing is left held */
static void
test_awake_row (Awake *self, gconstpointer data)
{
  append (self, ROW);
  g_assert_cmpuint (count_asked (self), ==, 0);
  append (self, 5);
  g_assert_cmpuint (count_asked (self), ==, 1);
  ledger_fixture_close (&self->ledger);
  g_assert_cmpuint (count_asked (self), ==, 2);
}

/* where no other follows, they sleep again */
static void
test_awake_lapse (Awake *self, gconstpointer data)
{
  while (count_asked (self) == 0)
    append (self, 1);
  while (count_asked (self) % 2 != 0)
    g_usleep (1000);
  g_assert_cmpuint (count_asked (self), >=, 2);
}

/* records that nobody waits for are no row, however many */
static void
test_awake_nobody (Awake *self, gconstpointer data)
{
  ReeveLedgerRecord record = { .kind = REEVE_LEDGER_READ, .scope = "acme", .action = "agents.get" };

  for (guint i = 0; i < 4 * ROW; i++)
    {
      reeve_ledger_append_async (self->ledger.ledger, &record, NULL, NULL);
      g_usleep (1000); /* so that they are batches of their own */
    }
  ledger_fixture_close (&self->ledger);
  g_assert_cmpuint (count_asked (self), ==, 0);
}

/* a disk so slow that it is not worth it */
static void
test_awake_slow (Awake *self, gconstpointer data)
{
  append (self, 4 * ROW);
  ledger_fixture_close (&self->ledger);
  g_assert_cmpuint (count_asked (self), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/ledger-awake/row", Awake, "any", awake_set_up, test_awake_row, awake_tear_down);
  g_test_add ("/ledger-awake/lapse", Awake, "soon", awake_set_up, test_awake_lapse,
              awake_tear_down);
  g_test_add ("/ledger-awake/nobody", Awake, "any", awake_set_up, test_awake_nobody,
              awake_tear_down);
  g_test_add ("/ledger-awake/slow", Awake, "slow", awake_set_up, test_awake_slow, awake_tear_down);
  return g_test_run ();
}
