/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A processor that waits for 100 µs is put to sleep, and one of a virtual machine is given back to
 * its host: it wakes up late, and finds its caches cold. The kernel takes requests for how late is
 * too late (Documentation/power/pm_qos_interface.rst, "CPU latency"): a signed 32 bit number of µs,
 * written to a device; -1 takes it back, and so does its closing. At 0 an idle processor looks for
 * work until there is some, so it is asked for moments only. */
#include "cpu-latency.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define REEVE_CPU_LATENCY_AT_ONCE 0
#define REEVE_CPU_LATENCY_ANY     (-1)
/* So many waits, each soon behind the one before, are a row. One that comes alone is not worth what
 * the kernel does for it: it wakes up all processors. Of calls that overlap, few rows are so long.
 */
#define REEVE_CPU_LATENCY_ROW 16

struct _ReeveCpuLatency
{
  int fd;
  gint64 gap; /* all times are in µs */
  gint64 longest;
  gboolean held;
  guint row; /* waits so far, each soon behind the one before */
  gint64 began;
  gint64 ended; /* the last one */
  gint64 took;
};

/**
 * reeve_cpu_latency_open:
 * @device: %REEVE_CPU_LATENCY_DEVICE
 * @gap: µs: a wait so soon behind another one is in a row with it
 * @longest: µs: next to a wait longer than that, how late a processor wakes up is nothing
 * @error: return location
 *
 * Returns: (transfer full): a request that asks for nothing yet; %NULL with a file error where the
 * kernel has no such device or does not let this process use it
 */
ReeveCpuLatency *
reeve_cpu_latency_open (const char *device, gint64 gap, gint64 longest, GError **error)
{
  int fd = g_open (device, O_WRONLY | O_CLOEXEC, 0);
  ReeveCpuLatency *self = NULL;
  int reason = errno;

  if (fd == -1)
    {
      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (reason), "opening %s: %s", device,
                   g_strerror (reason));
      return NULL;
    }
  self = g_new0 (ReeveCpuLatency, 1);
  self->fd = fd;
  self->gap = gap;
  self->longest = longest;
  self->ended = G_MININT64 / 2;
  return self;
}

static void
reeve_cpu_latency_ask (ReeveCpuLatency *self, gboolean hold)
{
  gint32 value = hold ? REEVE_CPU_LATENCY_AT_ONCE : REEVE_CPU_LATENCY_ANY;

  /* no harm where it fails: what waits, waits a little longer */
  if (self->held != hold && write (self->fd, &value, sizeof value) == sizeof value)
    self->held = hold;
}

/**
 * reeve_cpu_latency_enter:
 * @self: a request
 * @now: µs, monotonic
 *
 * A wait begins; in a row of them, idle processors do not sleep from here on. One thread at a time,
 * as the others.
 */
void
reeve_cpu_latency_enter (ReeveCpuLatency *self, gint64 now)
{
  self->row = now - self->ended <= self->gap ? self->row + 1 : 1;
  self->began = now;
  reeve_cpu_latency_ask (self, self->row > REEVE_CPU_LATENCY_ROW && self->took <= self->longest);
}

/**
 * reeve_cpu_latency_leave:
 * @self: a request; a wait was begun
 * @now: µs, monotonic
 *
 * The wait is over; what waited goes on, and the next one may follow.
 *
 * Returns: until when processors are kept awake for that, which the caller sees to by
 * reeve_cpu_latency_release(); 0: they are not
 */
gint64
reeve_cpu_latency_leave (ReeveCpuLatency *self, gint64 now)
{
  self->took = now - self->began;
  self->ended = now;
  return self->held ? now + self->gap : 0;
}

/**
 * reeve_cpu_latency_release:
 * @self: a request
 *
 * They may sleep again. Does nothing when they may.
 */
void
reeve_cpu_latency_release (ReeveCpuLatency *self)
{
  reeve_cpu_latency_ask (self, FALSE);
}

/**
 * reeve_cpu_latency_free:
 * @self: a request, which is taken back
 */
void
reeve_cpu_latency_free (ReeveCpuLatency *self)
{
  (void) close (self->fd);
  g_free (self);
}
