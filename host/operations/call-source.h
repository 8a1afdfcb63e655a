/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveCallSource: an answer that is read piece by piece while it is sent. Reference-counted. */
#pragma once

#include <gio/gio.h>

#include "base/workers.h"
#include "governance/admission-sent.h"

G_BEGIN_DECLS

typedef struct _ReeveCallSource ReeveCallSource;

/* (transfer full) (nullable): the next bytes, perhaps none; NULL without an error at the end. On a
 * worker, one call at a time. */
typedef GBytes *(*ReeveCallSourceNext) (gpointer user_data, GError **error);

ReeveCallSource *reeve_call_source_new (const char *media_type, const char *file_name,
                                        ReeveCallSourceNext next, gpointer user_data,
                                        GDestroyNotify destroy);
ReeveCallSource *reeve_call_source_ref (ReeveCallSource *self);
void reeve_call_source_unref (ReeveCallSource *self);
const char *reeve_call_source_get_media_type (ReeveCallSource *self);
const char *reeve_call_source_get_file_name (ReeveCallSource *self);
/* Before it is read: (transfer full) where it is noted what was read of it, and that it is over. */
void reeve_call_source_take_sent (ReeveCallSource *self, ReeveAdmissionSent *sent);
/* Called back in the caller's thread-default context, not before the function has returned. */
void reeve_call_source_read_async (ReeveCallSource *self, ReeveWorkers *workers,
                                   GAsyncReadyCallback callback, gpointer user_data);
/* (transfer full) (nullable): as ReeveCallSourceNext, but never empty */
GBytes *reeve_call_source_read_finish (ReeveCallSource *self, GAsyncResult *result, GError **error);
/* (transfer full): the whole of it; REEVE_ERROR_TOO_LARGE. Blocks. */
GBytes *reeve_call_source_read_all (ReeveCallSource *self, gsize max, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveCallSource, reeve_call_source_unref)

G_END_DECLS
