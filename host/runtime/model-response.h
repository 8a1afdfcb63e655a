/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Collects the deltas of an answer into a ReeveModelResponse. */
#pragma once

#include "models.h"

G_BEGIN_DECLS

typedef struct _ReeveModelResponseBuilder ReeveModelResponseBuilder;

ReeveModelResponseBuilder *reeve_model_response_builder_new (const char *provider,
                                                             const char *model, gboolean keep_raw);
void reeve_model_response_builder_free (ReeveModelResponseBuilder *self);
gboolean reeve_model_response_builder_add (ReeveModelResponseBuilder *self,
                                           const ReeveLlmDelta *delta, GError **error);
gboolean reeve_model_response_builder_is_empty (ReeveModelResponseBuilder *self);
/* (transfer full) (nullable): SHA-256 of the words so far, hexadecimal; NULL: there are none */
char *reeve_model_response_builder_digest (ReeveModelResponseBuilder *self);
ReeveModelResponse *reeve_model_response_builder_end (ReeveModelResponseBuilder *self,
                                                      GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveModelResponseBuilder, reeve_model_response_builder_free)
/* What is known of a count that a service tells; what cannot be, is not taken. */
gint64 reeve_model_response_count (gint64 told, gint64 known);

G_END_DECLS
