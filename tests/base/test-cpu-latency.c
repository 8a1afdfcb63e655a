/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel is asked for. A file stands for its device: what is written to it is there to be
 * read. */
#include "base/cpu-latency.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct
{
  char *folder;
  char *path;
} Device;

static void
device_set_up (Device *self, gconstpointer data)
{
  self->folder = g_dir_make_tmp ("reeve-XXXXXX", NULL);
  g_assert_nonnull (self->folder);
  self->path = g_build_filename (self->folder, "device", NULL);
  if (data != NULL)
    g_assert_true (g_file_set_contents (self->path, "", 0, NULL));
}

static void
device_tear_down (Device *self, gconstpointer data)
{
  if (data != NULL)
    g_assert_cmpint (g_unlink (self->path), ==, 0);
  g_assert_cmpint (g_rmdir (self->folder), ==, 0);
  g_free (self->path);
  g_free (self->folder);
}

static void
assert_asked (Device *self, const gint32 *values, gsize count)
{
  g_autofree char *found = NULL;
  gsize length = 0;

  g_assert_true (g_file_get_contents (self->path, &found, &length, NULL));
  g_assert_cmpmem (found, length, values, count * sizeof *values);
}

/* so many waits of 10 µs, @gap apart; returns until when processors are kept awake */
static gint64
wait_in_row (ReeveCpuLatency *latency, gint64 *now, guint count, gint64 gap)
{
  gint64 until = 0;

  for (guint i = 0; i < count; i++)
    {
      *now += gap;
      reeve_cpu_latency_enter (latency, *now);
      *now += 10;
      until = reeve_cpu_latency_leave (latency, *now);
    }
  return until;
}

/* asked once in a row of any length, taken back once, however often it is said */
static void
test_cpu_latency_row (Device *self, gconstpointer data)
{
  static const gint32 asked[] = { 0, -1, 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveCpuLatency) latency = reeve_cpu_latency_open (self->path, 500, 1000, &error);
  gint64 now = 1;

  g_assert_no_error (error);
  g_assert (latency != NULL);
  reeve_cpu_latency_release (latency);
  g_assert_cmpint (wait_in_row (latency, &now, 16, 500), ==, 0);
  assert_asked (self, NULL, 0);
  g_assert_cmpint (wait_in_row (latency, &now, 20, 500), ==, now + 500);
  assert_asked (self, asked, 1);
  reeve_cpu_latency_release (latency);
  reeve_cpu_latency_release (latency);
  assert_asked (self, asked, 2);
  g_assert_cmpint (wait_in_row (latency, &now, 1, 500), ==, now + 500);
  assert_asked (self, asked, 3);
}

/* what comes alone ends a row */
static void
test_cpu_latency_alone (Device *self, gconstpointer data)
{
  static const gint32 asked[] = { 0, -1 };
  g_autoptr (ReeveCpuLatency) latency = reeve_cpu_latency_open (self->path, 500, 1000, NULL);
  gint64 now = 1;

  g_assert (latency != NULL);
  g_assert_cmpint (wait_in_row (latency, &now, 100, 501), ==, 0);
  assert_asked (self, NULL, 0);
  g_assert_cmpint (wait_in_row (latency, &now, 16, 1), ==, now + 500);
  g_assert_cmpint (wait_in_row (latency, &now, 1, 501), ==, 0);
  assert_asked (self, asked, 2);
}

static void
test_cpu_latency_too_long (Device *self, gconstpointer data)
{
  g_autoptr (ReeveCpuLatency) latency = reeve_cpu_latency_open (self->path, 500, 9, NULL);
  gint64 now = 1;

  g_assert (latency != NULL);
  g_assert_cmpint (wait_in_row (latency, &now, 100, 1), ==, 0);
  assert_asked (self, NULL, 0);
}

static void
test_cpu_latency_missing (Device *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (reeve_cpu_latency_open (self->path, 500, 1000, &error));
  g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
  g_assert_nonnull (strstr (error->message, self->path));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/cpu-latency/row", Device, "there", device_set_up, test_cpu_latency_row,
              device_tear_down);
  g_test_add ("/cpu-latency/alone", Device, "there", device_set_up, test_cpu_latency_alone,
              device_tear_down);
  g_test_add ("/cpu-latency/too-long", Device, "there", device_set_up, test_cpu_latency_too_long,
              device_tear_down);
  g_test_add ("/cpu-latency/missing", Device, NULL, device_set_up, test_cpu_latency_missing,
              device_tear_down);
  return g_test_run ();
}
