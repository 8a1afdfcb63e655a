/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file layer for SQLite that fails on purpose, below whatever layer the product puts over it. */
#pragma once

#include "fault-control.h"

#include <glib.h>

G_BEGIN_DECLS

/* Makes it the process' default layer, which the product's own looks for. Idempotent. */
void fault_vfs_register (void);

/* From now on calls count from 1, and those from the @first to the @last of @calls meet @kind.
 * FAULT_WRITE, _SYNC, _TRUNCATE and _RENAME, which here is the removal of a file. */
void fault_vfs_arm (FaultKind kind, guint calls, guint first, guint last);
/* No faults any more. */
void fault_vfs_disarm (void);
/* Counted since fault_vfs_arm() */
guint fault_vfs_get_seen (void);
guint fault_vfs_get_failed (void);
/* The last call that met a fault, such as "sync acme.db-wal"; empty without */
const char *fault_vfs_get_hit (void);

G_END_DECLS
