/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plugin prints what it likes, escape codes and gigabytes among it: nothing of that reaches a
 * terminal, and a log does not fill with it. The pipe is always read, so that who prints does not
 * wait. */
#include "runner-output.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <glib-unix.h>

struct _ReeveRunnerOutput
{
  char *name;
  ReeveHostTime *host_time; /* (nullable) */
  GString *line;
  gint64 second; /* when what is counted began */
  gsize written; /* in it */
  guint64 dropped;
};

ReeveRunnerOutput *
reeve_runner_output_new (const char *name)
{
  ReeveRunnerOutput *self = g_new0 (ReeveRunnerOutput, 1);

  self->name = g_strdup (name);
  self->line = g_string_new (NULL);
  return self;
}

static void
reeve_runner_output_write (ReeveRunnerOutput *self)
{
  if (self->line->len == 0)
    return;
  g_info ("plugin %s prints: %s", self->name, self->line->str);
  g_string_truncate (self->line, 0);
}

static void
reeve_runner_output_tell_dropped (ReeveRunnerOutput *self)
{
  if (self->dropped > 0)
    g_warning ("plugin %s prints too much: %" G_GUINT64_FORMAT " bytes were dropped", self->name,
               self->dropped);
  self->dropped = 0;
}

void
reeve_runner_output_free (ReeveRunnerOutput *self)
{
  reeve_runner_output_write (self);
  reeve_runner_output_tell_dropped (self);
  g_string_free (self->line, TRUE);
  g_clear_pointer (&self->host_time, reeve_host_time_unref);
  g_free (self->name);
  g_free (self);
}

static void
reeve_runner_output_add (ReeveRunnerOutput *self, char byte)
{
  if (byte == '\n')
    {
      reeve_runner_output_write (self);
      return;
    }
  /* what is no plain ASCII is shown as what it is: no escape code, no broken UTF-8 */
  if (byte >= ' ' && byte <= '~')
    g_string_append_c (self->line, byte);
  else
    g_string_append_printf (self->line, "\\x%02x", (guint8) byte);
  if (self->line->len >= REEVE_RUNNER_OUTPUT_LINE)
    reeve_runner_output_write (self);
}

/**
 * reeve_runner_output_take:
 * @self: an output
 * @data: what was printed
 * @length: bytes of it
 * @now: monotonic time, microseconds
 */
void
reeve_runner_output_take (ReeveRunnerOutput *self, const char *data, gsize length, gint64 now)
{
  gsize room = 0;

  if (now - self->second >= G_USEC_PER_SEC)
    {
      reeve_runner_output_tell_dropped (self);
      self->second = now;
      self->written = 0;
    }
  room = MIN (length, REEVE_RUNNER_OUTPUT_PER_SECOND - self->written);
  for (gsize i = 0; i < room; i++)
    reeve_runner_output_add (self, data[i]);
  self->written += room;
  self->dropped += length - room;
}

static gboolean
reeve_runner_output_read (int fd, GIOCondition condition, gpointer data)
{
  ReeveRunnerOutput *self = data;
  gint64 begun = reeve_host_time_begin ();
  char buffer[16384];
  gssize length = read (fd, buffer, sizeof buffer);

  if (length > 0)
    {
      reeve_runner_output_take (self, buffer, (gsize) length, g_get_monotonic_time ());
      reeve_host_time_add (self->host_time, begun);
    }
  else if (length == 0 || (errno != EINTR && errno != EAGAIN))
    {
      close (fd);
      return G_SOURCE_REMOVE;
    }
  return G_SOURCE_CONTINUE;
}

/**
 * reeve_runner_output_follow:
 * @context: of the thread that reads
 * @fd: (transfer full): reading end of a pipe
 * @name: whose
 * @host_time: of that runner
 */
void
reeve_runner_output_follow (GMainContext *context, int fd, const char *name,
                            ReeveHostTime *host_time)
{
  GSource *source = g_unix_fd_source_new (fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
  ReeveRunnerOutput *self = reeve_runner_output_new (name);

  self->host_time = reeve_host_time_ref (host_time);
  g_source_set_callback (source, G_SOURCE_FUNC (reeve_runner_output_read), self,
                         (GDestroyNotify) reeve_runner_output_free);
  g_source_attach (source, context);
  g_source_unref (source);
}
