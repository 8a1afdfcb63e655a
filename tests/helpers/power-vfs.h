/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file layer for SQLite that loses power: below whatever layer the product puts over it, it
 * remembers what was written and not synced, and of that leaves on disk what chance leaves, whole,
 * torn by sectors of 512 bytes, or not at all. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Makes it the process' default layer, which the product's own looks for. Idempotent. */
void power_vfs_register (void);

/* The power fails at the @calls-th write, truncation, sync or removal from now on: that one and
 * whatever comes after it are errors. */
void power_vfs_fail_after (guint calls);
gboolean power_vfs_has_failed (void);
/* What is on disk after it: files are written anew, and there is power again. Nothing is open.
 * Where it did not fail, only what was remembered is forgotten. */
void power_vfs_restore (GRand *rand);

G_END_DECLS
