/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveHttpThread: a thread of its own that serves a ReeveHttpClient, for whoever has no main
 * context to serve one on. It is made when it is first needed. Any thread. */
#pragma once

#include "http-client.h"

G_BEGIN_DECLS

typedef struct _ReeveHttpThread ReeveHttpThread;

/* @name: of the thread; lives as long as the process */
ReeveHttpThread *reeve_http_thread_new (const char *name, ReeveHttpTrust *trust);
/* Ends the client's calls, telling their owners, then the thread. Twice is as once. */
void reeve_http_thread_shutdown (ReeveHttpThread *self);
void reeve_http_thread_free (ReeveHttpThread *self);
GMainContext *reeve_http_thread_get_context (ReeveHttpThread *self);
/* (transfer full): to be used on the thread alone. %REEVE_ERROR_CANCELLED after the shutdown. */
ReeveHttpClient *reeve_http_thread_ref_client (ReeveHttpThread *self, GError **error);
/* Calls @func on the thread, then @destroy. FALSE, with @destroy called, after the shutdown. */
gboolean reeve_http_thread_submit (ReeveHttpThread *self, GSourceFunc func, gpointer data,
                                   GDestroyNotify destroy, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveHttpThread, reeve_http_thread_free)

G_END_DECLS
