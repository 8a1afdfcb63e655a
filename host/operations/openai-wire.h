/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OpenAI's shapes, for answers that no upstream wrote: agents and embedded models. */
#pragma once

#include "runtime/models.h"

G_BEGIN_DECLS

/* Beginning of every chunk of one answer. */
typedef struct
{
  char *id;
  char *model;
  gint64 created; /* seconds */
} ReeveOpenaiWire;

void reeve_openai_wire_init (ReeveOpenaiWire *self, const char *model);
void reeve_openai_wire_clear (ReeveOpenaiWire *self);
/* (transfer full) all of it */
JsonObject *reeve_openai_wire_completion (const ReeveOpenaiWire *self, const char *content,
                                          JsonArray *tool_calls, const char *finish_reason,
                                          gint64 input_tokens, gint64 output_tokens);
/* (transfer full) one server-sent event; content, finish_reason (nullable) */
GBytes *reeve_openai_wire_text_chunk (const ReeveOpenaiWire *self, gboolean first,
                                      const char *content, gsize length, const char *finish_reason);
GBytes *reeve_openai_wire_tool_chunk (const ReeveOpenaiWire *self, const ReeveLlmDelta *delta);
GBytes *reeve_openai_wire_usage_chunk (const ReeveOpenaiWire *self, gint64 input_tokens,
                                       gint64 output_tokens);
GBytes *reeve_openai_wire_error_chunk (const GError *error);
GBytes *reeve_openai_wire_raw_chunk (const char *json, gsize length);
GBytes *reeve_openai_wire_done (void);
/* Text of a member's JSON string; NULL when it is none. */
char *reeve_openai_wire_read_string (const ReeveJsonSlice *slice);

G_END_DECLS
