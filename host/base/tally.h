/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveTally: how many of each name there are now. Not locked: its owner does. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ReeveTally ReeveTally;

ReeveTally *reeve_tally_new (void);
void reeve_tally_free (ReeveTally *self);
/* name: (nullable): is not counted */
guint reeve_tally_get (ReeveTally *self, const char *name);
void reeve_tally_add (ReeveTally *self, const char *name);
void reeve_tally_remove (ReeveTally *self, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveTally, reeve_tally_free)

G_END_DECLS
