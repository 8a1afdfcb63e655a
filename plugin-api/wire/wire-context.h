/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A ReeveContext on the wire: a dictionary of what is known. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* (transfer floating): @deadline: monotonic, microseconds; 0: none */
GVariant *wire_context_to_variant (ReeveContext *context, gint64 deadline);
/* (transfer full): with a broker and a cancellable of the receiver's */
ReeveContext *wire_context_from_variant (GVariant *variant, ReeveBroker *broker,
                                         GCancellable *cancellable);

G_END_DECLS
