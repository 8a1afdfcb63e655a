/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is waited for goes on in the log's context of the work that waits. */
#pragma once

#include <gio/gio.h>

#include "log.h"

G_BEGIN_DECLS

/* As g_task_new(), but the callback is called with the context of the log that is bound now. For
 * every function that answers from another thread, or later. */
GTask *reeve_log_task_new (gpointer source, GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data) G_GNUC_WARN_UNUSED_RESULT;
/* As g_source_set_callback(), likewise. */
void reeve_log_task_set_callback (GSource *source, GSourceFunc func, gpointer user_data,
                                  GDestroyNotify notify);

G_END_DECLS
