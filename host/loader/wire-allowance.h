/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveWireAllowance: how many pieces of what they were handed all runners may keep together: of
 * each the host has a descriptor too, and it needs them for its clients. Any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ReeveWireAllowance ReeveWireAllowance;

/* A quarter of the descriptors that this process may have now (getrlimit(2), RLIMIT_NOFILE). */
guint reeve_wire_allowance_read_most (void);
ReeveWireAllowance *reeve_wire_allowance_new (guint most) G_GNUC_WARN_UNUSED_RESULT;
ReeveWireAllowance *reeve_wire_allowance_ref (ReeveWireAllowance *self);
void reeve_wire_allowance_unref (ReeveWireAllowance *self);
/* One runner more, which keeps nothing; one less, which kept so many. */
void reeve_wire_allowance_join (ReeveWireAllowance *self);
void reeve_wire_allowance_leave (ReeveWireAllowance *self, guint kept);
/* One that kept @before keeps @now. */
void reeve_wire_allowance_change (ReeveWireAllowance *self, guint before, guint now);
/* Is all of it used up, and @kept an equal part of it or more? @all: (out): what all keep */
gboolean reeve_wire_allowance_is_over (ReeveWireAllowance *self, guint kept, guint *all);
guint reeve_wire_allowance_get_most (ReeveWireAllowance *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveWireAllowance, reeve_wire_allowance_unref)

G_END_DECLS
