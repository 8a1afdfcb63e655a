/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checked side of reeve-plugin-check: a line over a pipe for each event, so that the other side
 * knows what was going on when the plugin took the process with it. */
#include "check-report.h"

#include <reeve-plugin-1.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct _CheckReport
{
  int fd;
  guint seconds;
  gboolean failed; /* the check that is open */
  GMutex mutex;
  GCond cond;
  gint64 deadline; /* of the open check; 0 when none is open */
  gboolean stop;
  GThread *watchdog;
};

/* One line: a letter, a space, the text with line breaks made visible. Any thread. */
static void
check_report_send (CheckReport *self, char letter, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autofree char *line = NULL;
  gsize done = 0;
  gsize length = 0;

  g_strdelimit (valid, "\n\r", ' ');
  line = g_strdup_printf ("%c %s\n", letter, valid);
  length = strlen (line);
  while (done < length)
    {
      gssize written = write (self->fd, line + done, length - done);

      if (written <= 0)
        _exit (3);
      done += (gsize) written;
    }
}

static gpointer
check_report_watch (gpointer data)
{
  CheckReport *self = data;

  g_mutex_lock (&self->mutex);
  while (!self->stop)
    {
      gint64 until
          = self->deadline != 0 ? self->deadline : g_get_monotonic_time () + G_USEC_PER_SEC;

      if (g_cond_wait_until (&self->cond, &self->mutex, until) || self->deadline == 0)
        continue;
      if (g_get_monotonic_time () < self->deadline)
        continue;
      g_autofree char *why = g_strdup_printf ("did not return within %u seconds", self->seconds);
      check_report_send (self, 'F', why);
      _exit (3);
    }
  g_mutex_unlock (&self->mutex);
  return NULL;
}

/* @seconds: how long one check may take. */
CheckReport *
check_report_new (int fd, guint seconds)
{
  CheckReport *self = g_new0 (CheckReport, 1);

  self->fd = fd;
  self->seconds = seconds;
  g_mutex_init (&self->mutex);
  g_cond_init (&self->cond);
  self->watchdog = g_thread_new ("watchdog", check_report_watch, self);
  return self;
}

void
check_report_free (CheckReport *self)
{
  g_mutex_lock (&self->mutex);
  self->stop = TRUE;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->mutex);
  g_thread_join (self->watchdog);
  g_cond_clear (&self->cond);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

static void
check_report_arm (CheckReport *self, gint64 deadline)
{
  g_mutex_lock (&self->mutex);
  self->deadline = deadline;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->mutex);
}

void
check_report_begin (CheckReport *self, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  self->failed = FALSE;
  check_report_send (self, 'B', text);
  check_report_arm (self, g_get_monotonic_time () + self->seconds * G_USEC_PER_SEC);
}

gboolean
check_report_expect (CheckReport *self, gboolean condition, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  if (condition || self->failed)
    return condition;
  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  self->failed = TRUE;
  check_report_send (self, 'F', text);
  return FALSE;
}

gboolean
check_report_expect_error (CheckReport *self, const GError *error, const char *what)
{
  if (error == NULL || error->domain == REEVE_ERROR)
    return check_report_expect (self, error == NULL || error->code != REEVE_ERROR_PLUGIN, "%s: %s",
                                what, error != NULL ? error->message : "");
  return check_report_expect (self, FALSE, "%s: an error of domain %s: %s", what,
                              g_quark_to_string (error->domain), error->message);
}

void
check_report_end (CheckReport *self)
{
  check_report_arm (self, 0);
  if (!self->failed)
    check_report_send (self, 'P', "");
}

void
check_report_note (CheckReport *self, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  check_report_send (self, 'N', text);
}

void
check_report_done (CheckReport *self)
{
  check_report_send (self, 'D', "");
}
