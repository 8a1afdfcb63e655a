/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the JSON of an answer, or of one event of a stream, to deltas. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* where deltas go */
typedef struct
{
  ReeveLlmDeltaFunc func;
  gpointer user_data;
} OpenaiSink;

gboolean openai_chunk_emit_text (const OpenaiSink *sink, ReeveLlmDeltaKind kind, const char *text,
                                 gsize length, GError **error);
/* The tokens; below 0: not known */
gboolean openai_chunk_emit_counts (const OpenaiSink *sink, gint64 input, gint64 output,
                                   gint64 cached, gint64 reasoning, GError **error);
gboolean openai_chunk_emit_chat (const OpenaiSink *sink, JsonObject *body, gboolean *finished,
                                 GError **error);
gboolean openai_chunk_emit_embeddings (const OpenaiSink *sink, JsonObject *body, GError **error);
gboolean openai_chunk_emit_models (const OpenaiSink *sink, JsonObject *body, GError **error);

G_END_DECLS
