/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The structured log: one JSON object a line on stderr, with the context of the work that logs. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  REEVE_LOG_JSON,
  REEVE_LOG_TEXT
} ReeveLogFormat;

/* Members that a context may have: tenant_id, user_id, agent_id, run_id, session_id, trace_id. */
typedef enum
{
  REEVE_LOG_TENANT_ID,
  REEVE_LOG_USER_ID,
  REEVE_LOG_AGENT_ID,
  REEVE_LOG_RUN_ID,
  REEVE_LOG_SESSION_ID,
  REEVE_LOG_TRACE_ID,
  REEVE_LOG_N_FIELDS
} ReeveLogField;

/* Installs the writer for the whole process, once, before threads start. level: lowest that is
 * written; with_context: whether lines say for whom the work is. */
void reeve_log_setup (ReeveLogFormat format, GLogLevelFlags level, gboolean with_context, int fd);
/* debug, info, notice, warning, error, critical (and message, warn, fatal), any case */
gboolean reeve_log_parse_level (const char *text, GLogLevelFlags *level, GError **error);
gboolean reeve_log_parse_format (const char *text, ReeveLogFormat *format, GError **error);

/* Context of this thread, shown in each of its lines until it is cleared: pairs of ReeveLogField
 * and const char * (NULL removes it), ended by REEVE_LOG_N_FIELDS. bind adds to what is bound. */
void reeve_log_bind_context (ReeveLogField first, ...);
void reeve_log_clear_context (void);
/* Around a piece of work: enter binds as reeve_log_bind_context() and returns what was bound before
 * (transfer full, nullable); leave brings that back (transfer full). */
char **reeve_log_enter (ReeveLogField first, ...) G_GNUC_WARN_UNUSED_RESULT;
void reeve_log_leave (char **before);
/* (transfer full) (nullable) a copy of this thread's context, to be bound on another thread */
char **reeve_log_save_context (void);
void reeve_log_restore_context (char *const *saved);

/* One line as the writer makes it, line feed included. time: µs since the epoch. */
char *reeve_log_format_line (ReeveLogFormat format, GLogLevelFlags level, const GLogField *fields,
                             gsize n_fields, gint64 time);

G_END_DECLS
