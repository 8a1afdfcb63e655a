/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One call into code that may never come back, on a thread of its own and for a bounded time. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _ReeveBounded ReeveBounded;

/* cancellable is cancelled when the caller waits no longer */
typedef gboolean (*ReeveBoundedFunc) (gpointer data, GCancellable *cancellable, GError **error);
/* nobody waited for the end of func any more; good is what it returned */
typedef void (*ReeveBoundedLateFunc) (gpointer data, gboolean good);

/* data: of func; freed by destroy on the thread that lets go of it last. late is nullable. */
ReeveBounded *reeve_bounded_new (ReeveBoundedFunc func, ReeveBoundedLateFunc late, gpointer data,
                                 GDestroyNotify destroy) G_GNUC_WARN_UNUSED_RESULT;
/* Once. REEVE_ERROR_TIMEOUT when func has not ended in time; data is func's then. Otherwise what
 * func said, and data may be looked at until the free. */
gboolean reeve_bounded_run (ReeveBounded *self, const char *name, gint64 timeout_us,
                            GError **error);
void reeve_bounded_free (ReeveBounded *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveBounded, reeve_bounded_free)

G_END_DECLS
