/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nothing is read ahead: while the function that takes frames is slow, the pipe is full, and the
 * plugin waits. */
#include "wire-read.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define REEVE_WIRE_READ_CHUNK 65536

/* TRUE: there is something, or an end */
static gboolean
reeve_wire_read_wait (int fd, gint64 deadline, GCancellable *cancellable, int cancel_fd)
{
  struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = cancel_fd, .events = POLLIN } };

  for (;;)
    {
      gint64 left = deadline - g_get_monotonic_time ();
      int ready = 0;

      if (left <= 0 || g_cancellable_is_cancelled (cancellable))
        return FALSE;
      ready = poll (fds, G_N_ELEMENTS (fds), (int) MIN (left / 1000 + 1, 60000));
      if (ready > 0 && fds[0].revents != 0)
        return TRUE;
    }
}

/* What is there now. @total: (inout): bytes of all. TRUE: it goes on; else @end: (out) */
static gboolean
reeve_wire_read_some (const ReeveWireStream *stream, WireStreamReader *reader, int fd,
                      guint64 *total, ReeveWireReadEnd *end, GError **error)
{
  /* malloc() would join all small free pieces first */
  guint8 data[REEVE_WIRE_READ_CHUNK];
  gssize length = read (fd, data, REEVE_WIRE_READ_CHUNK);

  if (length < 0 && (errno == EAGAIN || errno == EINTR))
    return TRUE;
  *end = length > 0 ? REEVE_WIRE_READ_FAILED : REEVE_WIRE_READ_ENDED;
  if (length <= 0)
    return FALSE;
  *total += (guint64) length;
  if (*total <= stream->total)
    return wire_stream_reader_feed (reader, data, (gsize) length, error);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
               "a stream of more than %" G_GUINT64_FORMAT " bytes", stream->total);
  return FALSE;
}

static ReeveWireReadEnd
reeve_wire_read_frames (const ReeveWireStream *stream, WireStreamReader *reader, int fd,
                        gint64 deadline, GCancellable *cancellable, int cancel_fd, GError **error)
{
  ReeveWireReadEnd end = REEVE_WIRE_READ_LEFT;
  guint64 total = 0;

  while (reeve_wire_read_wait (fd, deadline, cancellable, cancel_fd))
    {
      gint64 begun = reeve_host_time_begin ();
      gboolean goes_on = reeve_wire_read_some (stream, reader, fd, &total, &end, error);

      reeve_host_time_add (stream->host_time, begun);
      if (!goes_on)
        return end;
    }
  return REEVE_WIRE_READ_LEFT;
}

static void
reeve_wire_read_fail_within (GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "not a stream: it ends within a frame");
}

gboolean
reeve_wire_read_whole (const ReeveWireStream *stream, const guint8 *data, gsize length,
                       GError **error)
{
  WireStreamReader reader = { 0 };
  gboolean good = FALSE;

  wire_stream_reader_init (&reader, stream->most, stream->func, stream->user_data);
  good = wire_stream_reader_feed (&reader, data, length, error);
  if (good && wire_stream_reader_is_within (&reader))
    {
      reeve_wire_read_fail_within (error);
      good = FALSE;
    }
  wire_stream_reader_clear (&reader);
  return good;
}

ReeveWireReadEnd
reeve_wire_read_stream (const ReeveWireStream *stream, int fd, gint64 deadline,
                        GCancellable *cancellable, GError **error)
{
  WireStreamReader reader = { 0 };
  int cancel_fd = cancellable != NULL ? g_cancellable_get_fd (cancellable) : -1;
  ReeveWireReadEnd end = REEVE_WIRE_READ_LEFT;

  wire_stream_reader_init (&reader, stream->most, stream->func, stream->user_data);
  end = reeve_wire_read_frames (stream, &reader, fd, deadline, cancellable, cancel_fd, error);
  /* an end in mid-frame is the end of a runner, mostly: the call says so. Else it is a bad one. */
  if (end == REEVE_WIRE_READ_ENDED && wire_stream_reader_is_within (&reader))
    {
      reeve_wire_read_fail_within (error);
      end = REEVE_WIRE_READ_FAILED;
    }
  if (cancel_fd >= 0)
    g_cancellable_release_fd (cancellable);
  wire_stream_reader_clear (&reader);
  return end;
}
