/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything that g_debug() to g_critical() say, our libraries' words included, becomes one line on
 * stderr, with the tenant, user, agent, run, session, request and trace that the thread was working
 * for. */
#include "log.h"

#include "log-pseudonyms.h"
#include "times.h"

#include <errno.h>
#include <reeve-error.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

/* longest message; a line must stay readable and quick to write */
#define REEVE_LOG_MESSAGE (16 * 1024)

typedef struct
{
  ReeveLogFormat format;
  GLogLevelFlags level;
  GLogLevelFlags fatal;
  gboolean with_context;
  int fd;
  ReeveLogPseudonyms *pseudonyms; /* (nullable): ids of users are shown */
} ReeveLogWriter;

/* the texts lie behind the structure */
struct _ReeveLogContext
{
  gatomicrefcount references;
  const char *values[REEVE_LOG_N_FIELDS];
};

static const char *const reeve_log_names[REEVE_LOG_N_FIELDS]
    = { "tenant_id",  "user_id",    "agent_id", "run_id",
        "session_id", "request_id", "trace_id", "span_id" };

/* what this thread works for: state of a thread, and of nothing else */
static GPrivate reeve_log_context = G_PRIVATE_INIT ((GDestroyNotify) reeve_log_context_unref);

/**
 * reeve_log_context_ref:
 * @self: a context
 *
 * Returns: (transfer full): @self
 */
ReeveLogContext *
reeve_log_context_ref (ReeveLogContext *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

/**
 * reeve_log_context_unref:
 * @self: (transfer full): a context
 */
void
reeve_log_context_unref (ReeveLogContext *self)
{
  if (g_atomic_ref_count_dec (&self->references))
    g_free (self);
}

/**
 * reeve_log_context_get:
 * @self: a context
 * @field: a field
 *
 * Returns: (nullable): its value
 */
const char *
reeve_log_context_get (ReeveLogContext *self, ReeveLogField field)
{
  return self->values[field];
}

/* (transfer full): one piece of memory, since each request makes some */
static ReeveLogContext *
reeve_log_make (ReeveLogContext *base, guint field, va_list arguments)
{
  const char *values[REEVE_LOG_N_FIELDS] = { NULL };
  gsize lengths[REEVE_LOG_N_FIELDS] = { 0 };
  gsize total = 0;
  ReeveLogContext *made = NULL;
  char *at = NULL;

  if (base != NULL)
    memcpy (values, base->values, sizeof values);
  while (field < REEVE_LOG_N_FIELDS)
    {
      values[field] = va_arg (arguments, const char *);
      field = va_arg (arguments, guint);
    }
  for (guint i = 0; i < REEVE_LOG_N_FIELDS; i++)
    {
      lengths[i] = values[i] != NULL ? strlen (values[i]) + 1 : 0;
      total += lengths[i];
    }
  made = g_malloc (sizeof *made + total);
  g_atomic_ref_count_init (&made->references);
  at = (char *) (made + 1);
  for (guint i = 0; i < REEVE_LOG_N_FIELDS; i++)
    {
      made->values[i] = values[i] != NULL ? at : NULL;
      if (values[i] != NULL)
        memcpy (at, values[i], lengths[i]);
      at += lengths[i];
    }
  return made;
}

/**
 * reeve_log_context_new:
 * @base: (nullable): what it has besides
 * @first: a field
 * @...: as reeve_log_bind_context()
 *
 * Makes a context for a piece of work that goes on in many callbacks, each of which binds it by
 * reeve_log_resume().
 *
 * Returns: (transfer full): a context
 */
ReeveLogContext *
reeve_log_context_new (ReeveLogContext *base, ReeveLogField first, ...)
{
  ReeveLogContext *made = NULL;
  va_list arguments;

  va_start (arguments, first);
  made = reeve_log_make (base, first, arguments);
  va_end (arguments);
  return made;
}

/**
 * reeve_log_bind_context:
 * @first: a field
 * @...: its value (nullable: removes it), then further pairs, ended by %REEVE_LOG_N_FIELDS
 *
 * Adds to what every line of this thread says about the work it belongs to. Ids only: names and
 * addresses of people stay out of logs.
 */
void
reeve_log_bind_context (ReeveLogField first, ...)
{
  va_list arguments;

  va_start (arguments, first);
  g_private_replace (&reeve_log_context,
                     reeve_log_make (g_private_get (&reeve_log_context), first, arguments));
  va_end (arguments);
}

/**
 * reeve_log_enter:
 * @first: a field
 * @...: as reeve_log_bind_context()
 *
 * Begins a piece of work on a thread that does many, such as one that serves requests.
 *
 * Returns: (transfer full) (nullable): what was bound before, for reeve_log_leave()
 */
ReeveLogContext *
reeve_log_enter (ReeveLogField first, ...)
{
  ReeveLogContext *before = g_private_get (&reeve_log_context);
  va_list arguments;

  va_start (arguments, first);
  g_private_set (&reeve_log_context, reeve_log_make (before, first, arguments));
  va_end (arguments);
  return before;
}

/**
 * reeve_log_resume:
 * @context: (nullable): what is to be bound; %NULL leaves what is
 *
 * Goes on with a piece of work.
 *
 * Returns: (transfer full) (nullable): what was bound before, for reeve_log_leave()
 */
ReeveLogContext *
reeve_log_resume (ReeveLogContext *context)
{
  ReeveLogContext *before = g_private_get (&reeve_log_context);

  if (context == NULL)
    return before != NULL ? reeve_log_context_ref (before) : NULL;
  g_private_set (&reeve_log_context, reeve_log_context_ref (context));
  return before;
}

/**
 * reeve_log_leave:
 * @before: (transfer full) (nullable): from reeve_log_enter() or reeve_log_resume()
 *
 * Ends it.
 */
void
reeve_log_leave (ReeveLogContext *before)
{
  g_private_replace (&reeve_log_context, before);
}

/**
 * reeve_log_scope:
 * @context: (nullable): as of reeve_log_resume()
 *
 * Returns: what its g_auto() cleanup leaves by
 */
ReeveLogScope
reeve_log_scope (ReeveLogContext *context)
{
  return (ReeveLogScope){ reeve_log_resume (context) };
}

/**
 * reeve_log_scope_tenant:
 * @tenant_id: (nullable): for whom work is done that nobody asked for
 *
 * Returns: what its g_auto() cleanup leaves by
 */
ReeveLogScope
reeve_log_scope_tenant (const char *tenant_id)
{
  ReeveLogContext *before = g_private_get (&reeve_log_context);
  gboolean tenant = tenant_id != NULL && *tenant_id != '@';

  g_private_set (&reeve_log_context, tenant ? reeve_log_context_new (NULL, REEVE_LOG_TENANT_ID,
                                                                     tenant_id, REEVE_LOG_N_FIELDS)
                                            : NULL);
  return (ReeveLogScope){ before };
}

void
reeve_log_scope_end (ReeveLogScope *self)
{
  reeve_log_leave (self->before);
}

/**
 * reeve_log_clear_context:
 *
 * Forgets what was bound on this thread. A pool's thread does so after each job.
 */
void
reeve_log_clear_context (void)
{
  g_private_replace (&reeve_log_context, NULL);
}

/**
 * reeve_log_save_context:
 *
 * Returns: (transfer full) (nullable): this thread's context, for reeve_log_restore_context() on
 * another thread
 */
ReeveLogContext *
reeve_log_save_context (void)
{
  ReeveLogContext *context = g_private_get (&reeve_log_context);

  return context != NULL ? reeve_log_context_ref (context) : NULL;
}

/**
 * reeve_log_restore_context:
 * @saved: (nullable): from reeve_log_save_context()
 *
 * Replaces this thread's context.
 */
void
reeve_log_restore_context (ReeveLogContext *saved)
{
  g_private_replace (&reeve_log_context, saved != NULL ? reeve_log_context_ref (saved) : NULL);
}

/* ---- levels ---- */

static const struct
{
  const char *name;
  GLogLevelFlags level;
} reeve_log_levels[] = {
  { "debug", G_LOG_LEVEL_DEBUG },
  { "info", G_LOG_LEVEL_INFO },
  { "notice", G_LOG_LEVEL_MESSAGE },
  { "warning", G_LOG_LEVEL_WARNING },
  { "error", G_LOG_LEVEL_CRITICAL },
  { "critical", G_LOG_LEVEL_ERROR },
  /* other words for them */
  { "message", G_LOG_LEVEL_MESSAGE },
  { "warn", G_LOG_LEVEL_WARNING },
  { "fatal", G_LOG_LEVEL_ERROR },
};

/**
 * reeve_log_parse_level:
 * @text: debug, info, notice, warning, error, critical, or message, warn, fatal, in any case
 * @level: (out): GLib's level
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT for any other word
 */
gboolean
reeve_log_parse_level (const char *text, GLogLevelFlags *level, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (reeve_log_levels); i++)
    if (g_ascii_strcasecmp (text, reeve_log_levels[i].name) == 0)
      {
        *level = reeve_log_levels[i].level;
        return TRUE;
      }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
               "\"%s\" is no log level: debug, info, notice, warning, error or critical", text);
  return FALSE;
}

/**
 * reeve_log_parse_format:
 * @text: json or text, in any case
 * @format: (out): the format
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_INVALID_ARGUMENT for any other word
 */
gboolean
reeve_log_parse_format (const char *text, ReeveLogFormat *format, GError **error)
{
  gboolean json = g_ascii_strcasecmp (text, "json") == 0;

  if (!json && g_ascii_strcasecmp (text, "text") != 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "\"%s\" is no log format: json or text", text);
      return FALSE;
    }
  *format = json ? REEVE_LOG_JSON : REEVE_LOG_TEXT;
  return TRUE;
}

static const char *
reeve_log_level_name (GLogLevelFlags level)
{
  for (guint i = 0; i < G_N_ELEMENTS (reeve_log_levels); i++)
    if ((level & reeve_log_levels[i].level) != 0)
      return reeve_log_levels[i].name;
  return "info";
}

/* ---- lines ---- */

static void
reeve_log_append_json (GString *line, const char *name, const char *value)
{
  g_autofree char *valid = g_utf8_make_valid (value, -1);

  g_string_append_printf (line, "%s\"%s\":\"", line->len > 1 ? "," : "", name);
  for (const char *at = valid; *at != '\0'; at++)
    {
      if (*at == '"' || *at == '\\')
        g_string_append_c (line, '\\');
      if ((guint8) *at < 0x20 || *at == 0x7f)
        g_string_append_printf (line, "\\u%04x", (guint8) *at);
      else
        g_string_append_c (line, *at);
    }
  g_string_append_c (line, '"');
}

/* one line stays one line, and no message moves the cursor */
static void
reeve_log_append_text (GString *line, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  for (const char *at = valid; *at != '\0'; at++)
    if ((guint8) *at < 0x20 || *at == 0x7f)
      g_string_append_printf (line, "\\x%02x", (guint8) *at);
    else
      g_string_append_c (line, *at);
}

static char *
reeve_log_field (const GLogField *fields, gsize n_fields, const char *key)
{
  for (gsize i = 0; i < n_fields; i++)
    if (strcmp (fields[i].key, key) == 0)
      return fields[i].length < 0 ? g_strdup (fields[i].value)
                                  : g_strndup (fields[i].value, (gsize) fields[i].length);
  return NULL;
}

/* a field of the record itself (REEVE_RUN_ID) wins over the thread's context */
static char *
reeve_log_context_value (const GLogField *fields, gsize n_fields, guint index,
                         const ReeveLogPseudonyms *pseudonyms)
{
  ReeveLogContext *context = g_private_get (&reeve_log_context);
  g_autofree char *upper = g_ascii_strup (reeve_log_names[index], -1);
  g_autofree char *key = g_strconcat ("REEVE_", upper, NULL);
  g_autofree char *own = reeve_log_field (fields, n_fields, key);
  const char *value = own == NULL && context != NULL ? context->values[index] : own;

  if (value != NULL && pseudonyms != NULL && index == REEVE_LOG_USER_ID)
    return reeve_log_pseudonyms_name (pseudonyms, value);
  return g_strdup (value);
}

static char *
reeve_log_message (const GLogField *fields, gsize n_fields, const ReeveLogPseudonyms *pseudonyms)
{
  g_autofree char *raw = reeve_log_field (fields, n_fields, "MESSAGE");
  g_autofree char *user_id = NULL;

  if (raw == NULL || pseudonyms == NULL)
    return g_strdup (raw != NULL ? raw : "");
  user_id = reeve_log_context_value (fields, n_fields, REEVE_LOG_USER_ID, NULL);
  return reeve_log_pseudonyms_replace (pseudonyms, raw, user_id);
}

static char *
reeve_log_format (ReeveLogFormat format, GLogLevelFlags level, const GLogField *fields,
                  gsize n_fields, gint64 time, const ReeveLogWriter *writer)
{
  const ReeveLogPseudonyms *pseudonyms = writer != NULL ? writer->pseudonyms : NULL;
  g_autofree char *raw = reeve_log_message (fields, n_fields, pseudonyms);
  g_autofree char *domain = reeve_log_field (fields, n_fields, "GLIB_DOMAIN");
  g_autofree char *message = reeve_log_mask (raw, REEVE_LOG_MESSAGE);
  char stamp[REEVE_TIMES_BUFFER];
  GString *line = g_string_sized_new (256);

  reeve_times_print (time, stamp);
  if (format == REEVE_LOG_JSON)
    {
      g_string_append_c (line, '{');
      reeve_log_append_json (line, "time", stamp);
      reeve_log_append_json (line, "level", reeve_log_level_name (level));
      reeve_log_append_json (line, "message", message);
      if (domain != NULL)
        reeve_log_append_json (line, "domain", domain);
    }
  else
    {
      g_string_append_printf (line, "%s %-8s ", stamp, reeve_log_level_name (level));
      reeve_log_append_text (line, message);
    }
  for (guint i = 0; (writer == NULL || writer->with_context) && i < REEVE_LOG_N_FIELDS; i++)
    {
      g_autofree char *value = reeve_log_context_value (fields, n_fields, i, pseudonyms);
      if (value != NULL && format == REEVE_LOG_JSON)
        reeve_log_append_json (line, reeve_log_names[i], value);
      else if (value != NULL)
        {
          g_string_append_printf (line, " %s=", reeve_log_names[i]);
          reeve_log_append_text (line, value);
        }
    }
  g_string_append (line, format == REEVE_LOG_JSON ? "}\n" : "\n");
  return g_string_free (line, FALSE);
}

/**
 * reeve_log_format_line:
 * @format: JSON or text
 * @level: level
 * @fields: fields of the record: `MESSAGE`, `GLIB_DOMAIN`, and any of `REEVE_TENANT_ID` to
 * `REEVE_SPAN_ID`
 * @n_fields: how many
 * @time: microseconds since 1970
 *
 * Returns: (transfer full): one line with its line feed
 */
char *
reeve_log_format_line (ReeveLogFormat format, GLogLevelFlags level, const GLogField *fields,
                       gsize n_fields, gint64 time)
{
  return reeve_log_format (format, level, fields, n_fields, time, NULL);
}

static GLogWriterOutput
reeve_log_write (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  const ReeveLogWriter *writer = data;

  /* in GLib a lower number is a graver level */
  if ((level & G_LOG_LEVEL_MASK) <= writer->level)
    {
      g_autofree char *line
          = reeve_log_format (writer->format, level, fields, n_fields, g_get_real_time (), writer);
      const char *at = line;
      gsize left = strlen (line);
      while (left > 0)
        {
          gssize written = write (writer->fd, at, left);
          if (written < 0 && errno != EINTR)
            break; /* there is nowhere to say so */
          at += MAX (written, 0);
          left -= (gsize) MAX (written, 0);
        }
    }
  if ((level & writer->fatal) != 0)
    G_BREAKPOINT ();
  return G_LOG_WRITER_HANDLED;
}

static void
reeve_log_writer_free (gpointer data)
{
  ReeveLogWriter *self = data;

  g_clear_pointer (&self->pseudonyms, reeve_log_pseudonyms_free);
  g_free (self);
}

/**
 * reeve_log_setup:
 * @format: JSON or text
 * @level: lowest level that is written
 * @with_context: whether lines say for which tenant, user, agent, run and trace the work is
 * @anonymous: whether they say pseudonyms, which end with the process, for people
 * @fd: where to, usually 2
 *
 * Makes this the process' log writer, for good. To be called once, before other threads start. GLib
 * keeps to its own default writer what `G_DEBUG=fatal-criticals` asks for, so it is honoured here
 * as well.
 */
void
reeve_log_setup (ReeveLogFormat format, GLogLevelFlags level, gboolean with_context,
                 gboolean anonymous, int fd)
{
  ReeveLogWriter *writer = g_new0 (ReeveLogWriter, 1);
  const char *debug = g_getenv ("G_DEBUG");

  writer->format = format;
  writer->level = level;
  writer->with_context = with_context;
  writer->pseudonyms = anonymous ? reeve_log_pseudonyms_new () : NULL;
  writer->fd = fd;
  if (debug != NULL && strstr (debug, "fatal-warnings") != NULL)
    writer->fatal = G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING;
  else if (debug != NULL && strstr (debug, "fatal-criticals") != NULL)
    writer->fatal = G_LOG_LEVEL_CRITICAL;
  g_log_set_writer_func (reeve_log_write, writer, reeve_log_writer_free);
}
