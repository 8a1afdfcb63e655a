/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OpenaiSse: reads server-sent events from bytes, whatever their pieces (HTML Living Standard,
 * section 9.2). */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define OPENAI_SSE_MAX_EVENT (4 * 1024 * 1024)

typedef struct _OpenaiSse OpenaiSse;

/* One event: its type ("message" unless said), its data (not terminated). FALSE with error set to
 * stop. */
typedef gboolean (*OpenaiSseFunc) (const char *type, const char *data, gsize length,
                                   gpointer user_data, GError **error);

OpenaiSse *openai_sse_new (void);
void openai_sse_free (OpenaiSse *self);
gboolean openai_sse_feed (OpenaiSse *self, const guint8 *data, gsize length, OpenaiSseFunc func,
                          gpointer user_data, GError **error);
gboolean openai_sse_finish (OpenaiSse *self, OpenaiSseFunc func, gpointer user_data,
                            GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (OpenaiSse, openai_sse_free)

G_END_DECLS
