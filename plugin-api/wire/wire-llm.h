/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests to models and the pieces of their answers, as JSON and frames. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* (transfer full): JSON */
char *wire_llm_request_to_text (ReeveLlmRequest *request);
/* (transfer full) (nullable): %REEVE_ERROR_INVALID_ARGUMENT */
ReeveLlmRequest *wire_llm_request_from_text (const char *data, gsize length, GError **error);
/* One piece, as a frame on @fd. Blocks. */
gboolean wire_llm_write_delta (int fd, const ReeveLlmDelta *delta, GError **error);
/* The same by wire_stream_append() */
gboolean wire_llm_append_delta (GByteArray *out, int fd, const ReeveLlmDelta *delta,
                                GError **error);
/* @delta: (out): points into the others. %REEVE_ERROR_PLUGIN */
gboolean wire_llm_read_delta (JsonObject *header, const guint8 *payload, gsize length,
                              ReeveLlmDelta *delta, GError **error);

G_END_DECLS
