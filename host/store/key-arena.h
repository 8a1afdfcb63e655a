/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveKeyArena: memory for keys: locked, in no core dump, in no child, wiped when given back. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* bytes of a slot: one key of AES-256 */
#define REEVE_KEY_ARENA_SLOT 32

typedef struct _ReeveKeyArena ReeveKeyArena;

ReeveKeyArena *reeve_key_arena_new (void);
void reeve_key_arena_free (ReeveKeyArena *self);
/* Thread-safe. */
guint8 *reeve_key_arena_take (ReeveKeyArena *self);
void reeve_key_arena_give (ReeveKeyArena *self, guint8 *slot);
gboolean reeve_key_arena_is_locked (ReeveKeyArena *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveKeyArena, reeve_key_arena_free)

G_END_DECLS
