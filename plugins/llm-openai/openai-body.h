/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bodies of requests: built from a ReeveLlmRequest, or the caller's own bytes with the few members
 * spliced that the host decides. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* the settings that shape a body */
typedef struct
{
  const char *max_tokens_member; /* "max_tokens" or "max_completion_tokens" */
  gboolean include_usage;        /* ask for token counts in streams */
} OpenaiBodyStyle;

GBytes *openai_body_build (ReeveLlmRequest *request, const OpenaiBodyStyle *style, GError **error);
gboolean openai_body_wants_usage (GBytes *raw);

G_END_DECLS
