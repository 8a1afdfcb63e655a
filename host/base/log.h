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

/* Members that a context may have: tenant_id, user_id, agent_id, run_id, session_id, request_id,
 * trace_id, span_id. */
typedef enum
{
  REEVE_LOG_TENANT_ID,
  REEVE_LOG_USER_ID,
  REEVE_LOG_AGENT_ID,
  REEVE_LOG_RUN_ID,
  REEVE_LOG_SESSION_ID,
  REEVE_LOG_REQUEST_ID,
  REEVE_LOG_TRACE_ID,
  REEVE_LOG_SPAN_ID,
  REEVE_LOG_N_FIELDS
} ReeveLogField;

/* For whom a thread works: a set of members. Immutable; counted, from any thread. */
typedef struct _ReeveLogContext ReeveLogContext;

/* Installs the writer for the whole process, once, before threads start. level: lowest that is
 * written; with_context: whether lines say for whom the work is; anonymous: by pseudonyms. */
void reeve_log_setup (ReeveLogFormat format, GLogLevelFlags level, gboolean with_context,
                      gboolean anonymous, int fd);
/* debug, info, notice, warning, error, critical (and message, warn, fatal), any case */
gboolean reeve_log_parse_level (const char *text, GLogLevelFlags *level, GError **error);
gboolean reeve_log_parse_format (const char *text, ReeveLogFormat *format, GError **error);

/* Context of this thread, shown in each of its lines until it is cleared: pairs of ReeveLogField
 * and const char * (NULL removes it), ended by REEVE_LOG_N_FIELDS. bind adds to what is bound. */
void reeve_log_bind_context (ReeveLogField first, ...);
void reeve_log_clear_context (void);
/* Around a piece of work: enter binds as reeve_log_bind_context() and returns what was bound before
 * (transfer full, nullable); leave brings that back (transfer full). */
ReeveLogContext *reeve_log_enter (ReeveLogField first, ...) G_GNUC_WARN_UNUSED_RESULT;
void reeve_log_leave (ReeveLogContext *before);
/* The same with a context that is there already (nullable: it stays as it is). */
ReeveLogContext *reeve_log_resume (ReeveLogContext *context) G_GNUC_WARN_UNUSED_RESULT;
/* The same until the end of a block: g_auto (ReeveLogScope) scope = reeve_log_scope (context); */
typedef struct
{
  ReeveLogContext *before;
} ReeveLogScope;
ReeveLogScope reeve_log_scope (ReeveLogContext *context) G_GNUC_WARN_UNUSED_RESULT;
/* The same for work for a tenant as a whole, at nobody's request: nothing else is bound, and
 * nothing at all for NULL and for what is no tenant, such as @platform. */
ReeveLogScope reeve_log_scope_tenant (const char *tenant_id) G_GNUC_WARN_UNUSED_RESULT;
void reeve_log_scope_end (ReeveLogScope *self);
/* (transfer full) (nullable) this thread's context, to be bound on another thread */
ReeveLogContext *reeve_log_save_context (void);
void reeve_log_restore_context (ReeveLogContext *saved);
/* (transfer full) @base (nullable) with the pairs; nothing is bound */
ReeveLogContext *reeve_log_context_new (ReeveLogContext *base, ReeveLogField first,
                                        ...) G_GNUC_WARN_UNUSED_RESULT;
ReeveLogContext *reeve_log_context_ref (ReeveLogContext *self);
void reeve_log_context_unref (ReeveLogContext *self);
/* (nullable) */
const char *reeve_log_context_get (ReeveLogContext *self, ReeveLogField field);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveLogContext, reeve_log_context_unref)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ReeveLogScope, reeve_log_scope_end)

/* One line as the writer makes it, line feed included. time: µs since the epoch. */
char *reeve_log_format_line (ReeveLogFormat format, GLogLevelFlags level, const GLogField *fields,
                             gsize n_fields, gint64 time);

/* (transfer full): at most about that many bytes of a text, credentials in it masked */
char *reeve_log_mask (const char *message, gsize most) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
