/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What this host offers to plugins of its store, its users, its log. */
#pragma once

#include "startup-private.h"

G_BEGIN_DECLS

/* Behind store, ledger, identity and metrics; before plugins are called. */
void reeve_startup_capabilities_open (ReeveStartup *self);
/* When all that was under way is recovered: takes away what a former host left in folders of
 * others. Does not wait for it. */
void reeve_startup_capabilities_sweep (ReeveStartup *self);
/* Behind the capabilities themselves. */
void reeve_startup_capabilities_close (ReeveStartup *self);

G_END_DECLS
