/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What most answers and events say, read from their text without a tree. */
#pragma once

#include "openai-chunk.h"

G_BEGIN_DECLS

typedef struct
{
  ReeveJsonSlice content; /* (nullable): between its quotes */
  char *decoded;          /* (nullable): the same where it has escapes */
  ReeveJsonSlice reason;  /* (nullable): between its quotes */
  gboolean counted;       /* the tokens are said; -1: not this one */
  gint64 input_tokens;
  gint64 output_tokens;
  gint64 cached_tokens;
  gint64 reasoning_tokens;
} OpenaiGlance;

gboolean openai_glance_read (OpenaiGlance *self, const char *data, gsize length);
gboolean openai_glance_emit (const OpenaiGlance *self, const OpenaiSink *sink, gboolean *finished,
                             GError **error);
void openai_glance_clear (OpenaiGlance *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (OpenaiGlance, openai_glance_clear)

G_END_DECLS
