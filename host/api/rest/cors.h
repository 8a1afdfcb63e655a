/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestCors: which pages of other origins a browser lets call this host. Immutable, any thread.
 */
#pragma once

#include <libsoup/soup.h>

#include "base/config.h"

G_BEGIN_DECLS

typedef struct _ReeveRestCors ReeveRestCors;

/* (nullable): no origin is allowed */
ReeveRestCors *reeve_rest_cors_new (ReeveConfig *config);
void reeve_rest_cors_free (ReeveRestCors *self);
/* What a browser must be told beside the answer. self: (nullable) */
void reeve_rest_cors_set_headers (const ReeveRestCors *self, SoupMessageHeaders *request,
                                  SoupMessageHeaders *answer);
/* Does a browser only ask whether it may ask? */
gboolean reeve_rest_cors_is_preflight (const char *method, SoupMessageHeaders *request);
/* REEVE_ERROR_PERMISSION_DENIED says what is not allowed; self: (nullable) */
gboolean reeve_rest_cors_answer_preflight (const ReeveRestCors *self, SoupMessageHeaders *request,
                                           SoupMessageHeaders *answer, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRestCors, reeve_rest_cors_free)

G_END_DECLS
