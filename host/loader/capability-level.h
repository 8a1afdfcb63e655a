/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How deep a call of a plugin hangs below calls of plugins: 0 for one that no plugin asked for.
 * What a call asks for is performed by workers of its level, so that those who wait for one another
 * never wait for the same workers. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* No call is deeper, whatever is granted. */
#define REEVE_CAPABILITY_LEVEL_MAX 8

/* Before anybody else has the context. */
void reeve_capability_level_set (ReeveContext *context, guint level);
/* Any thread. */
guint reeve_capability_level_get (ReeveContext *context);

G_END_DECLS
