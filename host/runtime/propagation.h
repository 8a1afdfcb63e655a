/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePropagation: who outside learns which trace a request belongs to. Immutable; any thread. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

typedef struct _ReevePropagation ReevePropagation;

/* Both: origins (`https://host` or `https://host:port`), or `*` for everybody. */
ReevePropagation *reeve_propagation_new (const char *const *traceparent,
                                         const char *const *tracestate);
void reeve_propagation_free (ReevePropagation *self);
/* Adds the headers (nullable) that the request's origin may see, unless it has them already. @self:
 * (nullable): nobody sees them. */
void reeve_propagation_add (ReevePropagation *self, ReeveHttpRequest *request,
                            const char *traceparent, const char *tracestate);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReevePropagation, reeve_propagation_free)

G_END_DECLS
